"""A recording whose images are in memory, for tests of the cutter alone."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd


@dataclass(frozen=True, eq=False)
class ImagesInMemory:
    """Stands in for a `Recording`: frames (T, C, Y, X) and labels (T, Y, X) or None."""

    frames_tcyx: np.ndarray
    labels_tyx: np.ndarray | None = None
    recording_id: str = "r"

    @property
    def channels(self) -> tuple[str, ...]:
        return tuple("abcdef"[: self.frames_tcyx.shape[1]])

    @property
    def label_paths(self) -> tuple[Any, ...]:
        return (None if self.labels_tyx is None else "here",) * self.n_frames

    n_frames = property(lambda self: len(self.frames_tcyx))
    height_px = property(lambda self: self.frames_tcyx.shape[2])
    width_px = property(lambda self: self.frames_tcyx.shape[3])
    dtype = property(lambda self: str(self.frames_tcyx.dtype))

    @property
    def source(self) -> "ImagesInMemory":
        return self

    def place(self, frame: int) -> str:
        return f"memory/{frame}"

    def read_frame(self, frame: int) -> np.ndarray:
        return self.frames_tcyx[frame]

    def read_labels(self, frame: int) -> np.ndarray | None:
        return None if self.labels_tyx is None else self.labels_tyx[frame]


def detections_of(rows: list[tuple[int, int, float, float]]) -> pd.DataFrame:
    """Table `Detections` of (cell_id, frame, y_px, x_px)."""
    table = pd.DataFrame(rows, columns=["cell_id", "frame", "y_px", "x_px"])
    return table.assign(recording_id="r")
