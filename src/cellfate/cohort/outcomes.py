"""What followed a landmark. All events that occur in a study compete; which of them are shown is another matter.

Array suffixes: n landmarks, k bins of time.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cellfate.core.fates import EVENTS, NONE
from cellfate.statistics.incidence import EVENT_FREE, UNOBSERVED, label_bins, number_events

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


def competing_events(cells: pd.DataFrame) -> tuple[str, ...]:
    """Events in which some cell of a table with the column `fate` ends, in the order of `core.fates.EVENTS`."""
    return tuple(event for event in EVENTS if (cells["fate"] == event).any())


def label_landmarks(landmarks: pd.DataFrame, events: Sequence[str], edges_h: Sequence[float]) -> Ints:
    """Say for each landmark and bin of time what was seen in it, (n, k); see `statistics.incidence.label_bins`.

    Parameters
    ----------
    landmarks : DataFrame
        Table `Landmarks`, or one with its columns `time_h`, `watchable_h` and `fate`.
    events : sequence of str
        All events that compete, in order.
    edges_h : sequence of float
        Edges of the bins, in hours after the landmark.
    """
    event_n = number_events(landmarks["fate"], events)
    return label_bins(landmarks["time_h"], event_n, landmarks["watchable_h"], edges_h)


def outcomes_within(landmarks: pd.DataFrame, events: Sequence[str], within_h: float) -> "pd.Series[str]":
    """Say what followed each landmark within some hours: an event, `none`, or null where that was not seen.

    The answer is known only where the recording goes on for so long after the landmark, with or without an event: else
    only landmarks with an event would be known near its end.
    """
    label_n = label_landmarks(landmarks, events, (0.0, within_h))[:, 0]
    names = {EVENT_FREE: NONE, UNOBSERVED: None, **dict(enumerate(events, start=1))}
    return pd.Series(label_n, index=landmarks.index).map(names).astype(object)


def balance_outcomes(outcomes_n: Ints) -> Floats:
    """Weight of each landmark so that every outcome that is there weighs the same in total; the mean weight is 1, (n,).

    Examples
    --------
    >>> balance_outcomes(np.array([0, 1, 1, 1])).round(2).tolist()
    [2.0, 0.67, 0.67, 0.67]
    """
    _, numbers_n, counts = np.unique(outcomes_n, return_inverse=True, return_counts=True)
    return np.asarray(len(outcomes_n) / (len(counts) * counts[numbers_n]), dtype=np.float64)
