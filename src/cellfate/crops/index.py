"""The index of one recording in a crop store: which crops are which cell's."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cellfate.core.errors import InputError
from cellfate.crops.chunks import ChunkedArray
from cellfate.crops.files import StoreFiles

INDEX_ARRAYS = ("cell_ids", "offsets", "frame_numbers", "y0_px", "x0_px")
"""Arrays of the index, as they are named in `RecordingCrops` and in the store."""


@dataclass(frozen=True, eq=False)
class StoredRecording:
    """The index of one recording in memory, and its pixels as arrays that are read on demand.

    Attributes
    ----------
    recording_id : str
        Name of the recording.
    frames, masks : ChunkedArray
        Pixels of all crops, (n, C, H, W) and (n, H, W); masks are None where the tracker gave none.
    cell_ids, offsets, frame_numbers, y0_px, x0_px : ndarray of int64
        As in `RecordingCrops`.
    """

    recording_id: str
    frames: ChunkedArray
    masks: ChunkedArray | None
    cell_ids: NDArray[np.int64]
    offsets: NDArray[np.int64]
    frame_numbers: NDArray[np.int64]
    y0_px: NDArray[np.int64]
    x0_px: NDArray[np.int64]

    def rows(self, cell_id: int, first_frame: int | None = None, last_frame: int | None = None) -> slice:
        """Find the crops of a cell between two frame numbers, both included."""
        place = int(np.searchsorted(self.cell_ids, cell_id))
        if place == len(self.cell_ids) or self.cell_ids[place] != cell_id:
            raise InputError(
                f"Recording '{self.recording_id}' has no crops of cell {cell_id}; take a cell_id of table cells."
            )
        start, stop = int(self.offsets[place]), int(self.offsets[place + 1])
        frames = self.frame_numbers[start:stop]
        low = 0 if first_frame is None else int(np.searchsorted(frames, first_frame, side="left"))
        high = len(frames) if last_frame is None else int(np.searchsorted(frames, last_frame, side="right"))
        return slice(start + low, start + max(low, high))

    def tracks(self) -> pd.DataFrame:
        """List the cells: recording_id, cell_id, first_frame, last_frame, n_frames."""
        return pd.DataFrame(
            {
                "recording_id": pd.Series([self.recording_id] * len(self.cell_ids), dtype=str),
                "cell_id": self.cell_ids,
                "first_frame": self.frame_numbers[self.offsets[:-1]],
                "last_frame": self.frame_numbers[self.offsets[1:] - 1],
                "n_frames": np.diff(self.offsets),
            }
        )


def open_recording(files: StoreFiles, group: str, recording_id: str) -> StoredRecording:
    """Read the index of a recording's Zarr group; no pixel is read.

    Parameters
    ----------
    files : StoreFiles
        Files of the store.
    group : str
        Name of the group in the store.
    recording_id : str
        Name of the recording.

    Raises
    ------
    InputError
        If the group or one of its arrays is not there, or damaged.
    """
    try:
        index = {name: _read_all(ChunkedArray(files, f"{group}/{name}")) for name in INDEX_ARRAYS}
        frames = ChunkedArray(files, f"{group}/frames")
        masks = ChunkedArray(files, f"{group}/masks") if files.is_file(f"{group}/masks/zarr.json") else None
    except FileNotFoundError as error:
        raise InputError(
            f"{files.name(group)} does not hold the crops of recording '{recording_id}' ({error}); "
            "run data_processing again."
        ) from error
    except InputError as error:
        raise InputError(f"The crops of recording '{recording_id}' cannot be read: {error}") from error
    recording = StoredRecording(recording_id, frames, masks, **index)
    if not _fits_together(recording):
        raise InputError(
            f"{files.name(group)} of recording '{recording_id}' contradicts itself; run data_processing again."
        )
    return recording


def _read_all(array: ChunkedArray) -> NDArray[np.int64]:
    return array.read(slice(0, array.shape[0])).astype(np.int64)


def _fits_together(recording: StoredRecording) -> bool:
    n, offsets = recording.frames.shape[0], recording.offsets
    per_frame = (recording.frame_numbers, recording.y0_px, recording.x0_px)
    lengths = {len(values) for values in per_frame} | {n if recording.masks is None else recording.masks.shape[0]}
    return (
        lengths == {n}
        and len(offsets) == len(recording.cell_ids) + 1
        and (offsets[0], offsets[-1]) == (0, n)
        and bool((np.diff(offsets) > 0).all() and (np.diff(recording.cell_ids) > 0).all())
    )
