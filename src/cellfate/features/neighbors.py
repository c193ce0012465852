"""How crowded it is round a cell."""

import numpy as np
import pandas as pd

from cellfate.core.tables import FRAME


def count_neighbors(detections: pd.DataFrame, radius_px: float) -> pd.DataFrame:
    """Count, for every detection, the other detections of its frame whose centres are within a radius.

    Parameters
    ----------
    detections
        Table `Detections`, all tracks of every recording.
    radius_px
        Radius in px; a centre exactly at the radius counts.

    Returns
    -------
    pandas.DataFrame
        recording_id, cell_id, frame, n_neighbors (float), one row a detection.
    """
    counts = np.zeros(len(detections))
    rows_of = detections.groupby("recording_id", sort=False).indices
    for rows in rows_of.values():
        part = detections.iloc[rows]
        counts[rows] = _count_in_recording(part[["y_px", "x_px", "frame"]].to_numpy(dtype=np.float64), radius_px)
    return detections[FRAME].assign(n_neighbors=counts)


def _count_in_recording(points_n3: np.ndarray, radius_px: float) -> np.ndarray:
    """Neighbours in y, x and frame; frames stand farther apart than the radius, so one tree serves all."""
    from scipy.spatial import KDTree

    spaced = points_n3 * np.array([1.0, 1.0, 2.0 * radius_px])
    within = KDTree(spaced).query_ball_point(spaced, radius_px, return_length=True)
    return np.asarray(within, dtype=np.float64) - 1.0
