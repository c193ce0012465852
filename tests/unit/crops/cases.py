"""Cells of one recording, written down frame by frame, and a crop store that holds them."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from cellfate.crops.cutting import RecordingCrops
from cellfate.crops.settings import CropSettings
from cellfate.crops.store import CropStore, write_crops


@dataclass(frozen=True)
class WrittenCell:
    """A cell tracked in `frames`; `fate` falls in frame `event_frame`."""

    cell_id: int
    frames: tuple[int, ...]
    fate: str = "censored"
    event_frame: int | None = None


def span(first: int, last: int) -> tuple[int, ...]:
    """Frames first..last."""
    return tuple(range(first, last + 1))


def store_of(
    path: Path, *written: WrittenCell, frame_interval_min: float = 30.0, recording_id: str = "r"
) -> tuple[CropStore, pd.DataFrame, pd.DataFrame]:
    """Store, recordings and cells; pixels are 8 x 8 and hold the frame number."""
    frames = np.concatenate([cell.frames for cell in written]).astype(np.int64)
    n = len(frames)
    crops = RecordingCrops(
        recording_id=recording_id,
        channels=("only",),
        frame_interval_min=frame_interval_min,
        height_px=8,
        width_px=8,
        frames_nchw=np.broadcast_to(frames[:, None, None, None], (n, 1, 8, 8)).astype(np.uint16),
        masks_nhw=None,
        cell_ids=np.array([cell.cell_id for cell in written], dtype=np.int64),
        offsets=np.cumsum([0, *(len(cell.frames) for cell in written)]).astype(np.int64),
        frame_numbers=frames,
        y0_px=np.zeros(n, dtype=np.int64),
        x0_px=np.zeros(n, dtype=np.int64),
    )
    write_crops(path / "crops.zarr", [crops], CropSettings(height_px=8, width_px=8))
    recordings = pd.DataFrame(
        {"recording_id": [recording_id], "dose": ["High"], "frame_interval_min": [frame_interval_min]}
    )
    cells = pd.DataFrame(
        {
            "recording_id": recording_id,
            "cell_id": [cell.cell_id for cell in written],
            "fate": [cell.fate for cell in written],
            "event_frame": pd.array([cell.event_frame for cell in written], dtype="Int64"),
            "group_id": "g",
        }
    )
    return CropStore(path / "crops.zarr"), recordings, cells
