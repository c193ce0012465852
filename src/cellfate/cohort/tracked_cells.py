"""What samples and follow-ups share: cells with the frames they were tracked in, hours as frames, rows of tables."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cellfate.crops.store import CropStore

SAMPLE_TYPES = {
    "sample_id": "str",
    "recording_id": "str",
    "cell_id": "int64",
    "group_id": "str",
    "dose": "str",
    "first_frame": "int64",
    "last_frame": "int64",
    "n_frames": "int64",
    "age_frames": "int64",
    "outcome": "object",
    "event_frame": "Int64",
    "lead_time_h": "float64",
    "frame_interval_min": "float64",
}
"""Columns of table `Samples` and their types."""
_SET_ASIDE_TYPES = {"recording_id": "str", "cell_id": "Int64", "stage": "str", "reason": "str", "last_frame": "Int64"}
_TOLERANCE = 1e-9  # a guard of 1.0 h at 20 min is 3 frames, whatever the floating-point division says


@dataclass(frozen=True)
class TrackedCell:
    """A cell of the crop store.

    Attributes
    ----------
    recording_id, cell_id, group_id, dose
        As in table `Samples`.
    frame_interval_min : float
        Time between two frames, in minutes.
    fate : str
        One of `core.fates.FATES`.
    event_frame : int or None
        Frame of the event; None when censored.
    frames : ndarray of int64
        Frames in which it was tracked, ascending.
    """

    recording_id: str
    cell_id: int
    group_id: str
    dose: str
    frame_interval_min: float
    fate: str
    event_frame: int | None
    frames: NDArray[np.int64]

    @property
    def end(self) -> int:
        """Frame of the event, or the one after the last that was seen."""
        return int(self.frames[-1]) + 1 if self.event_frame is None else self.event_frame

    def frames_before_guard(self, guard_h: float) -> NDArray[np.int64]:
        """Tracked frames before the end less the guard; an end without an event is guarded as if it were one."""
        return self.frames[self.frames < self.end - guard_frames(guard_h, self.frame_interval_min)]


def tracked_cells(crops: CropStore, recordings: pd.DataFrame, cells: pd.DataFrame) -> Iterator[TrackedCell]:
    """Give the cells whose recording is in the store, in the order of table `Cells`.

    Parameters
    ----------
    crops : CropStore
        Says in which frames each cell was tracked.
    recordings, cells : DataFrame
        Tables `Recordings` and `Cells`.

    Yields
    ------
    TrackedCell
        The cell; no pixel is read.
    """
    in_store = cells[cells["recording_id"].isin(crops.recording_ids)]
    columns = recordings[["recording_id", "dose", "frame_interval_min"]]
    row: Any
    for row in in_store.merge(columns, on="recording_id", how="left").itertuples(index=False):
        yield TrackedCell(
            recording_id=str(row.recording_id),
            cell_id=int(row.cell_id),
            group_id=str(row.group_id),
            dose=str(row.dose),
            frame_interval_min=float(row.frame_interval_min),
            fate=str(row.fate),
            event_frame=None if pd.isna(row.event_frame) else int(row.event_frame),
            frames=crops.frame_numbers(str(row.recording_id), int(row.cell_id)),
        )


def guard_frames(guard_h: float, frame_interval_min: float) -> int:
    """Frames withheld besides the event's own: ``ceil(guard_h * 60 / frame_interval_min)``.

    Examples
    --------
    >>> guard_frames(1.0, 30.0), guard_frames(1.0, 25.0)
    (2, 3)
    """
    return math.ceil(guard_h * 60 / frame_interval_min - _TOLERANCE)


def horizon_frames(horizon_h: float, frame_interval_min: float) -> int:
    """Frames after a landmark in which the event counts: ``floor(horizon_h * 60 / frame_interval_min)``.

    Examples
    --------
    >>> horizon_frames(5.0, 30.0), horizon_frames(0.9, 30.0)
    (10, 1)
    """
    return math.floor(horizon_h * 60 / frame_interval_min + _TOLERANCE)


def sample_row(cell: TrackedCell, frames: NDArray[np.int64], outcome: str | None) -> dict[str, Any]:
    """Row of table `Samples` that shows `frames` of a cell; it is named by recording and cell."""
    last = int(frames[-1])
    lead_h = math.nan if cell.event_frame is None else (cell.event_frame - last) * cell.frame_interval_min / 60
    return {
        "sample_id": f"{cell.recording_id}:{cell.cell_id}",
        "recording_id": cell.recording_id,
        "cell_id": cell.cell_id,
        "group_id": cell.group_id,
        "dose": cell.dose,
        "first_frame": int(frames[0]),
        "last_frame": last,
        "n_frames": len(frames),
        "age_frames": last - int(cell.frames[0]),
        "outcome": outcome,
        "event_frame": cell.event_frame,
        "lead_time_h": lead_h,
        "frame_interval_min": cell.frame_interval_min,
    }


def set_aside_row(cell: TrackedCell, last_frame: int | None, stage: str, reason: str) -> dict[str, Any]:
    """Row of table `SetAside` for a cell, or for a landmark of it, that was left out."""
    return {
        "recording_id": cell.recording_id,
        "cell_id": cell.cell_id,
        "stage": stage,
        "reason": reason,
        "last_frame": last_frame,
    }


def set_aside_table(rows: list[dict[str, Any]], crops: CropStore) -> pd.DataFrame:
    """Table `SetAside` of the rows, with `last_frame`, and of the recordings that could not be cropped."""
    table = pd.DataFrame(rows, columns=list(_SET_ASIDE_TYPES)).astype(_SET_ASIDE_TYPES)
    set_aside = crops.set_aside
    if len(set_aside):
        table = pd.concat([table, set_aside], ignore_index=True).astype(_SET_ASIDE_TYPES)
    return table
