"""What a model was trained on: all of it as one number, and each cell as one, by which it is known again."""

import hashlib
import json
from typing import Any, Final, Protocol

import numpy as np
import pandas as pd

from cellfate.core.tables import CELL
from cellfate.crops.store import CellSequence, CropStore

DIGESTED_FRAMES: Final = 3
"""A cell is known by its first frames, so also while it is younger, or is followed for longer, than in the training."""
_DIGITS: Final = 16  # 64 bits: that any two of a million cells have the same has odds of 3 in 10^8


class CellReader(Protocol):
    """What reads the crops of cells: a `CropStore`, or cells in memory."""

    def read(
        self,
        recording_id: str,
        cell_id: int,
        first_frame: int | None = None,
        last_frame: int | None = None,
        with_masks: bool = True,
    ) -> CellSequence:
        """Read the crops of a cell; see `CropStore.read`."""


def digest_data(crops: CropStore | None, *tables: pd.DataFrame) -> str:
    """SHA-256 over the crop store's own digest and the rows of the tables, in hexadecimal.

    Two runs with the same digest train on, and test on, the same cells. The normalisation follows from these.

    Parameters
    ----------
    crops
        Crop store; None where there are no images.
    tables
        What is asked, splits, and whatever else a training looks at; the order of rows and columns counts, the type in
        which a column is held does not.
    """
    digest = hashlib.sha256(b"" if crops is None else crops.digest.encode())
    for table in tables:
        digest.update(json.dumps([len(table), *map(str, table.columns)]).encode())
        for name in table.columns:
            digest.update(_as_bytes(table[name]))
    return digest.hexdigest()


def _as_bytes(column: "pd.Series[Any]") -> bytes:
    """Numbers as little-endian float64, anything else as a JSON list of text: the same with every version of pandas."""
    held = column.infer_objects()
    if held.isna().all() or pd.api.types.is_numeric_dtype(held.dtype):
        numbers = held.to_numpy(np.float64, na_value=np.nan)
        return np.where(np.isnan(numbers), np.nan, numbers + 0.0).astype("<f8").tobytes()  # one NaN, one zero
    return json.dumps(held.astype("string").fillna("").tolist()).encode()


def digest_cells(crops: CellReader | None, cells: pd.DataFrame) -> "pd.Series[str]":
    """Digest the pixels and the track of cells, whatever they are called; see `digest_cell`.

    What was measured of cells without images begins alike in many of them: they are known by their names, of recording
    and cell, and their first frame.

    Parameters
    ----------
    crops
        Reads their crops; None where there are no images.
    cells
        Table `FollowUps`, or any with its columns `recording_id`, `cell_id` and `first_frame`.

    Returns
    -------
    Series of str
        With the index of `cells`.
    """
    digests = [
        hashlib.sha256(repr((str(recording_id), int(cell_id), int(first))).encode()).hexdigest()[:_DIGITS]
        if crops is None
        else digest_cell(crops.read(recording_id, cell_id, first, first + DIGESTED_FRAMES - 1, with_masks=False))
        for recording_id, cell_id, first in cells[[*CELL, "first_frame"]].itertuples(index=False)
    ]
    return pd.Series(digests, index=cells.index, dtype=object)


def digest_cell(sequence: CellSequence) -> str:
    """SHA-256 over the pixels of a cell's first frames and the gaps between these, cut to 64 bits, in hexadecimal.

    Neither names nor frame numbers count, nor the type in which pixels are held.
    """
    steps_t = sequence.frame_numbers_t - sequence.frame_numbers_t[:1]
    first_tchw = sequence.frames_tchw[steps_t < DIGESTED_FRAMES].astype(np.float32)
    digest = hashlib.sha256(repr((first_tchw.shape, steps_t[: len(first_tchw)].tolist())).encode())
    digest.update(first_tchw.tobytes())
    return digest.hexdigest()[:_DIGITS]
