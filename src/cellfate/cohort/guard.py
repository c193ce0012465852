"""The guard: the last hours before the end of every track, which no model is shown."""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from cellfate.core.tables import CELL, FRAME

_TOLERANCE = 1e-9  # a guard of 1.0 h at 20 min is 3 frames, whatever the floating-point division says


def guard_frames(guard_h: float, frame_interval_min: ArrayLike) -> NDArray[np.int64]:
    """Frames withheld besides the one of the event: ``ceil(guard_h * 60 / frame_interval_min)``.

    Parameters
    ----------
    guard_h
        Hours that are withheld.
    frame_interval_min
        Minutes between two frames, one number or many.

    Examples
    --------
    >>> guard_frames(1.0, [30.0, 25.0]).tolist()
    [2, 3]
    """
    intervals = np.asarray(frame_interval_min, dtype=np.float64)
    return np.asarray(np.ceil(guard_h * 60 / intervals - _TOLERANCE), dtype=np.int64)


def withhold_frames(
    cells: pd.DataFrame, detections: pd.DataFrame, end: "pd.Series[Any]", guard_h: float
) -> pd.DataFrame:
    """Say which tracked frames of each cell are shown: those before ``end - guard``.

    Parameters
    ----------
    cells : DataFrame
        recording_id, cell_id, frame_interval_min (minutes).
    detections : DataFrame
        Table `Detections`.
    end : Series
        Frame of each cell from which on nothing may be shown, the guard not counted; NaN where nothing is withheld.
    guard_h : float
        Hours that are withheld.

    Returns
    -------
    DataFrame
        `cells` with first_frame, last_frame (NaN where no frame is shown) and n_frames of what is shown.
    """
    before = (end.astype("float64") - guard_frames(guard_h, cells["frame_interval_min"])).fillna(np.inf)
    frames = detections[FRAME].merge(cells[CELL].assign(before=before), on=CELL, validate="many_to_one")
    shown = frames[frames["frame"] < frames["before"]].groupby(CELL)["frame"].agg(["min", "max", "nunique"])
    names = {"min": "first_frame", "max": "last_frame", "nunique": "n_frames"}
    added = cells.merge(shown.rename(columns=names).reset_index(), on=CELL, how="left", validate="one_to_one")
    return added.assign(n_frames=added["n_frames"].fillna(0).astype("int64"))
