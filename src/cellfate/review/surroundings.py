"""The surroundings of a cell: the whole frame, with every track in it."""

import json
from collections.abc import Iterator
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from cellfate.core.errors import InputError
from cellfate.review.film import Images, describe_pixels
from cellfate.review.study import UNREADABLE, Study, tell_unreadable

MAX_SIDE_PX: Final = 1024
"""A larger image is thinned to at most so many rows and columns."""
TAIL_FRAMES: Final = 10
"""Frames of the way behind each cell."""


def send_surroundings(study: Study, images: Images, place: int, frame: int, *, remark: str = "") -> Iterator[bytes]:
    """Give a whole frame and the tracks in it, as a film of one frame (see `film`).

    Its header has besides `step`, pixels of the image a pixel sent, and `tracks`: key, cell_id and the way [y, x] of
    every cell in that frame, the last `TAIL_FRAMES` of it. If there is no picture, `remark` is said, or why.
    """
    recording_id = str(study.cells["recording_id"].iloc[place])
    recording = study.find_recording(recording_id)
    header: dict[str, Any] = {"key": place, "frames": [], "remark": "", "has_mask": False}
    pixels = b""
    try:
        if not recording["height_px"]:
            raise InputError("This study has no images.")
        image_cyx = images.read(recording_id, frame)
        step = -(-max(image_cyx.shape[1:]) // MAX_SIDE_PX)
        thinned_cyx = image_cyx[:, ::step, ::step]
        header |= describe_pixels(recording, *thinned_cyx.shape[1:])
        pixels = np.ascontiguousarray(thinned_cyx, dtype=header["dtype"]).tobytes()
        header |= {"frames": [frame], "step": step, "frame_bytes": 4 + len(pixels) + -len(pixels) % 4}
    except UNREADABLE as error:
        header["remark"] = remark or tell_unreadable(error)
    header["tracks"] = list_tracks(study, recording_id, frame)
    written = json.dumps(header, allow_nan=False).encode()
    written += b" " * (-len(written) % 4)
    yield len(written).to_bytes(4, "little") + written
    if pixels:
        yield (b"\0\0\0\0" + pixels).ljust(header["frame_bytes"], b"\0")


def list_tracks(study: Study, recording_id: str, frame: int) -> list[dict[str, Any]]:
    """List the cells that are in a frame of a recording, each with the way that it came."""
    all_places: NDArray[np.int64] = np.flatnonzero((study.cells["recording_id"] == recording_id).to_numpy())
    tracks = []
    for place in all_places:
        rows = study.detections.rows(int(place))
        frames = study.detections.frames[rows]
        shown = (frames <= frame) & (frames >= frame - TAIL_FRAMES)
        if not (len(frames) and shown.any() and frames[shown][-1] == frame):
            continue
        y_px, x_px = (study.detections.columns[name][rows][shown] for name in ("y_px", "x_px"))
        if not np.isfinite([y_px, x_px]).all():  # of traces no position is known
            continue
        way = [[round(float(y), 1), round(float(x), 1)] for y, x in zip(y_px, x_px, strict=True)]
        tracks.append({"key": int(place), "cell_id": int(study.cells["cell_id"].iloc[place]), "way": way})
    return tracks
