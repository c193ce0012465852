"""Frames with the tracks in them, for a person to look at: a swapped axis or the wrong file is seen at a glance."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cellfate.core.tables import CELL

MOST_SHOWN: Final = 12
"""Recordings of which a frame is shown."""
LONGEST_SIDE_PX: Final = 320
"""Longest side of a picture: noise, which packs worst, then takes less than 150 kB as base64."""
_LEVELS: Final = 64
_BRIGHTEST: Final = 200
"""Grey value of the brightest pixels: white numbers are read on it."""
_DRAWN: Final = (0.5, 99.8)
"""Percentiles of a channel that are drawn black and white."""
_TAIL_FRAMES: Final = 10


@dataclass(frozen=True, eq=False)
class ShownFrames:
    """One frame each of some recordings, and the tracks in it.

    Attributes
    ----------
    recordings : DataFrame
        One row a recording shown: recording_id, frame, height_px, width_px; those with the gravest findings first.
    images : dict of str to ndarray of uint8, shape (Y, X)
        By recording, the frame made small.
    marks : DataFrame
        recording_id, cell_id, frame, y_px, x_px, fate: the cells in these frames, and up to ten frames before.
    n_recordings : int
        How many recordings could be opened.
    """

    recordings: pd.DataFrame
    images: dict[str, NDArray[np.uint8]]
    marks: pd.DataFrame
    n_recordings: int


def show_frames(
    images: Mapping[str, tuple[int, NDArray[np.uint8]]],
    placed: pd.DataFrame,
    cells: pd.DataFrame,
    recordings: pd.DataFrame,
    findings: pd.DataFrame,
) -> ShownFrames:
    """Choose at most twelve recordings that are shown, those with the gravest findings first, and gather their tracks.

    `images` has a frame and its picture, by recording.
    """
    names = dict.fromkeys([*findings["recording_id"].dropna(), *images])
    listed = [name for name in names if name in images][:MOST_SHOWN]
    shown = pd.DataFrame(
        {"recording_id": pd.Series(listed, dtype="str"), "frame": [images[name][0] for name in listed]}
    )
    shown = shown.merge(recordings[["recording_id", "height_px", "width_px"]], on="recording_id")
    fates = cells[[*CELL, "fate"]].drop_duplicates(CELL)
    marks = placed.merge(shown.rename(columns={"frame": "shown"})[["recording_id", "shown"]], on="recording_id")
    there = marks.loc[marks["frame"] == marks["shown"], CELL]
    near = marks["frame"].between(marks["shown"] - _TAIL_FRAMES, marks["shown"])
    marks = marks[near].merge(there.drop_duplicates(), on=CELL).merge(fates, on=CELL, how="left")
    pictures = {name: images[name][1] for name in listed}
    return ShownFrames(shown, pictures, marks[[*CELL, "frame", "y_px", "x_px", "fate"]], len(recordings))


def make_small(image_cyx: NDArray[Any]) -> NDArray[np.uint8]:
    """Make a small grey picture of a frame (C, Y, X), in which a pixel is as bright as in the brightest channel.

    64 grey levels of uint8; at most 320 pixels high and wide, each the mean of the pixels in its place.
    """
    height, width = image_cyx.shape[1:]
    shrink = max(1.0, max(height, width) / LONGEST_SIDE_PX)
    rows, columns = (_begin_blocks(size, round(size / shrink)) for size in (height, width))
    planes = np.add.reduceat(np.add.reduceat(image_cyx, rows, axis=1, dtype=np.float64), columns, axis=2)
    planes /= np.diff(rows, append=height)[:, None] * np.diff(columns, append=width)
    planes = np.nan_to_num(planes, nan=0.0, posinf=0.0, neginf=0.0)
    low, high = np.percentile(planes, _DRAWN, axis=(1, 2), keepdims=True)
    grey = np.clip((planes - low) / np.where(high > low, high - low, 1), 0, 1).max(axis=0)
    return np.asarray(np.round(grey * (_LEVELS - 1)) * (_BRIGHTEST / (_LEVELS - 1)), dtype=np.uint8)


def _begin_blocks(size: int, n_blocks: int) -> NDArray[np.int64]:
    return np.linspace(0, size, max(1, n_blocks), endpoint=False).astype(np.int64)
