"""The film of a cell: every frame from before its first to after its last, cut at its position, as bytes for a canvas.

A film is sent as one answer: four bytes with the length of the header (little endian), the header (JSON, padded with
spaces to a multiple of four), then the frames in the order of its `frames`. A frame is four bytes, the first of them 1
where it could not be read, its pixels (channels, rows, columns) in the type that the header names and, where the cell
has a mask, a byte a pixel of it. The frame at which the film opens comes first.
"""

import json
import logging
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field
from threading import Lock
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cellfate.crops.store import CellSequence
from cellfate.imaging.windows import cut_window
from cellfate.review.study import UNREADABLE, Study, tell_unreadable

logger = logging.getLogger(__name__)

FRAMES_AROUND: Final = 10
"""Frames before the first and after the last of a cell that are shown: deaths show after the track's end."""
MAX_FILM_BYTES: Final = 96_000_000
"""A longer film begins later."""
_KEPT_IMAGE_BYTES: Final = 120_000_000


@dataclass(frozen=True, eq=False)
class Images:
    """The images of a study, with the last ones kept: neighbouring cells are in the same.

    Attributes
    ----------
    study : Study
        Where they are.
    """

    study: Study
    _kept: "OrderedDict[tuple[str, int], NDArray[Any]]" = field(default_factory=OrderedDict)
    _lock: Lock = field(default_factory=Lock)

    def read(self, recording_id: str, frame: int) -> NDArray[Any]:
        """Read an image, corrected as the crops are, shape (C, Y, X).

        Raises
        ------
        InputError, OSError
            If it cannot be read.
        """
        key = (recording_id, frame)
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        recording, flat_field = self.study.open_recording(recording_id)
        image_cyx = recording.read_frame(frame)
        if flat_field is not None:
            image_cyx = flat_field.correct(image_cyx)[0]
        with self._lock:
            self._kept[key] = image_cyx
            while len(self._kept) > 1 and sum(image.nbytes for image in self._kept.values()) > _KEPT_IMAGE_BYTES:
                self._kept.popitem(last=False)
        return image_cyx


@dataclass(frozen=True, eq=False)
class Film:
    """What is sent of a cell: a header, and its frames one by one.

    Attributes
    ----------
    header : dict
        What the page needs to know before the first frame.
    positions : dict of int to (float, float)
        Row and column of the cell in every frame shown.
    """

    header: dict[str, Any]
    positions: dict[int, tuple[float, float]]
    stored: CellSequence | None
    images: Images
    recording_id: str
    cell_id: int

    def stream(self) -> Iterator[bytes]:
        """Give the header, then each frame as soon as it is read."""
        written = json.dumps(self.header, allow_nan=False).encode()
        written += b" " * (-len(written) % 4)
        yield len(written).to_bytes(4, "little") + written
        dtype = np.dtype(self.header["dtype"])
        in_store = {} if self.stored is None else {int(n): t for t, n in enumerate(self.stored.frame_numbers_t)}
        for frame in self.header["frames"]:
            place = in_store.get(frame)
            yield self._stored_frame(place, dtype) if place is not None else self._cut_frame(frame, dtype)

    def _stored_frame(self, place: int, dtype: "np.dtype[Any]") -> bytes:
        assert self.stored is not None
        mask_hw = None if self.stored.masks_thw is None else self.stored.masks_thw[place]
        return self._pack(self.stored.frames_tchw[place], mask_hw, dtype)

    def _cut_frame(self, frame: int, dtype: "np.dtype[Any]") -> bytes:
        height, width = self.header["height"], self.header["width"]
        y_px, x_px = self.positions[frame]
        try:
            image_cyx = self.images.read(self.recording_id, frame)
        except UNREADABLE as error:
            logger.warning("%s", tell_unreadable(error))
            return b"\1\0\0\0" + bytes(self.header["frame_bytes"] - 4)
        mask_hw = self._cut_mask(frame) if self.header["has_mask"] and self.stored is None else None
        return self._pack(cut_window(image_cyx, y_px, x_px, height, width), mask_hw, dtype)

    def _cut_mask(self, frame: int) -> NDArray[np.bool_] | None:
        recording, _ = self.images.study.open_recording(self.recording_id)
        try:
            labels_yx = recording.read_labels(frame)
        except UNREADABLE:
            return None
        if labels_yx is None:
            return None
        window = cut_window(labels_yx, *self.positions[frame], self.header["height"], self.header["width"])
        return np.asarray(window == self.cell_id)

    def _pack(self, frame_chw: NDArray[Any], mask_hw: NDArray[np.bool_] | None, dtype: "np.dtype[Any]") -> bytes:
        packed = b"\0\0\0\0" + np.ascontiguousarray(frame_chw, dtype=dtype).tobytes()
        if self.header["has_mask"]:
            mask = np.zeros(frame_chw.shape[-2:], bool) if mask_hw is None else mask_hw
            packed += mask.astype(np.uint8).tobytes()
        return packed.ljust(self.header["frame_bytes"], b"\0")


def open_film(study: Study, images: Images, place: int) -> Film:
    """Open the film of a cell; what cannot be shown is said in `remark` of its header.

    Parameters
    ----------
    study, images
        The study and its images.
    place
        Place of the cell in the table of cells.
    """
    cell = study.cells.iloc[place]
    recording = study.find_recording(str(cell["recording_id"]))
    recording_id, cell_id = str(cell["recording_id"]), int(cell["cell_id"])
    positions = place_frames(study, place, int(recording["n_frames"]))
    stored, remarks = _read_stored(study, recording_id, cell_id)
    in_store = set() if stored is None else {int(frame) for frame in stored.frame_numbers_t}
    missing = [frame for frame in positions if frame not in in_store]
    shown_else = "Only the track" if in_store else "No film"
    from_images, has_labels, remark = _find_readable(study, images, recording_id, missing, shown_else)
    header = {
        **describe_pixels(recording, study.crop_settings.height_px, study.crop_settings.width_px),
        "recording_id": recording_id,
        "cell_id": cell_id,
        "has_mask": stored.masks_thw is not None if stored is not None else has_labels,
        "track": [int(cell["first_frame"]), int(cell["last_frame"])],
        "shown": [min(positions), max(positions)],
    }
    size = header["height"] * header["width"]
    n_bytes = 4 + size * (len(header["channels"]) * np.dtype(header["dtype"]).itemsize + header["has_mask"])
    header["frame_bytes"] = n_bytes + -n_bytes % 4
    shown = sorted(in_store | from_images)
    most = max(1, MAX_FILM_BYTES // header["frame_bytes"])
    if len(shown) > most:
        remark += f" The film begins at frame {shown[-most]}: the cell was watched for longer than is shown at once."
    header["frames"] = _order(shown[-most:], int(cell["last_frame"]))
    header["remark"] = " ".join([*remarks, remark]).strip()
    return Film(header, positions, stored, images, recording_id, cell_id)


def describe_pixels(recording: "pd.Series[Any]", height_px: int, width_px: int) -> dict[str, Any]:
    """Say what the pixels of an answer are: the same for a film and for its surroundings.

    Types that a browser does not know are sent as single precision.
    """
    dtype, pixel_um = str(recording["dtype"]), float(recording["pixel_size_um"])
    return {
        "channels": str(recording["channels"]).split("|"),
        "height": height_px,
        "width": width_px,
        "dtype": dtype if dtype in ("uint8", "uint16", "float32") else "float32",
        "frame_interval_min": float(recording["frame_interval_min"]),
        "pixel_size_um": None if np.isnan(pixel_um) else pixel_um,
    }


def _find_readable(
    study: Study, images: Images, recording_id: str, frames: list[int], shown_else: str
) -> tuple[set[int], bool, str]:
    """Find which frames can be cut from the images, whether these have masks, and say why none can be."""
    if not study.find_recording(recording_id)["height_px"]:
        return set(), False, "This study has no images: fates are told from the curves."
    try:
        opened, _ = study.open_recording(recording_id)
        there = [frame for frame in frames if frame not in opened.missing_frames]
        if there:
            images.read(recording_id, there[-1])
    except UNREADABLE as error:
        return set(), False, f"{shown_else} is shown, for the images cannot be read: {tell_unreadable(error)}"
    return set(there), any(opened.label_paths), ""


def place_frames(study: Study, place: int, n_frames: int) -> dict[int, tuple[float, float]]:
    """Give the position of a cell in every frame shown: tracked, on the way between, or where it was first or last."""
    rows = study.detections.rows(place)
    frames = study.detections.frames[rows]
    if not len(frames):
        return {0: (0.0, 0.0)}
    first, last = max(0, int(frames[0]) - FRAMES_AROUND), min(n_frames - 1, int(frames[-1]) + FRAMES_AROUND)
    asked = np.arange(first, max(first, last) + 1)
    y_px = np.interp(asked, frames, study.detections.columns["y_px"][rows])
    x_px = np.interp(asked, frames, study.detections.columns["x_px"][rows])
    return {int(f): (float(y), float(x)) for f, y, x in zip(asked, y_px, x_px, strict=True)}


def _read_stored(study: Study, recording_id: str, cell_id: int) -> tuple[CellSequence | None, list[str]]:
    if study.crops is None or recording_id not in study.crops.recording_ids:
        return None, []
    try:
        return study.crops.read(recording_id, cell_id), []
    except UNREADABLE as error:
        return None, [f"The crops cannot be read, so the images are: {tell_unreadable(error)}"]


def _order(frames: list[int], opening: int) -> list[int]:
    """Order frames as they are needed: the opening one, those before it backwards, those after it."""
    before = [frame for frame in frames if frame <= opening]
    return before[::-1] + [frame for frame in frames if frame > opening]
