"""What is known of each landmark by a horizon, and how much it counts: weights that make up for cells that were lost.

A landmark is scored at a horizon h only where the recording itself goes on for h hours: that depends on the frame
alone, so leaving the others out does not bias. Among the scored ones, cells are lost before h (they leave the image,
their track breaks). They weigh nothing, and those whose outcome is known weigh 1 / G, where G is the chance of not
having been lost before their event or, without one, before h (inverse probability of censoring).
The weighted share of landmarks with an event is then exactly the Aalen-Johansen estimate.

Array suffix: n landmarks.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from cellfate.statistics.aalen_johansen import watched_until
from cellfate.statistics.bootstrap import BoolArray, FloatArray, IntArray
from cellfate.statistics.incidence import EVENT_FREE, HOURS_TOLERANCE, label_bins


class Outcomes(NamedTuple):
    """What had happened by the horizon."""

    event_n: IntArray
    """`EVENT_FREE`, the number of the event from 1, or `UNOBSERVED`: not scored, or lost before the horizon."""
    weights_n: FloatArray
    """Inverse probability of being known; 0 where it is not known."""
    scored_n: BoolArray
    """The recording goes on up to the horizon."""


def list_outcomes(time_n: ArrayLike, event_n: ArrayLike, watchable_n: ArrayLike, within_h: float) -> Outcomes:
    """Say what is known of each landmark by the horizon, and weigh it.

    Parameters
    ----------
    time_n
        Hours from the landmark to the event or, when censored, to the last frame in which the cell was seen.
    event_n
        0 when censored, else the number of the event from 1.
    watchable_n
        Hours from the landmark to the last frame of the recording.
    within_h
        The horizon. An event at exactly the horizon counts; a cell last seen at exactly the horizon is known to have
        had no event by then.

    Returns
    -------
    Outcomes
        G is estimated on the scored landmarks that are given: give those of one dose, and it is that dose's own. The
        weights then add up to the number of scored landmarks (to less only where the last of them is lost before the
        horizon, so that nothing is known of what follows).

    Notes
    -----
    G stands at t-, just before the event: a cell that has its event at t was not lost before t, and it could have been
    lost at t without hiding the event. scikit-survival takes G(t) instead. The two agree unless cells are lost at the
    very times of events; they agree always when censorings are entered a moment after the frame they fall on.
    Source: Graf et al., Statist. Med. 18, 2529 (1999); for competing events Schoop et al., Biom. J. 53, 88 (2011).
    """
    time, event = np.asarray(time_n, dtype=np.float64), np.asarray(event_n, dtype=np.int64)
    scored_n = np.asarray(watchable_n, dtype=np.float64) >= within_h - HOURS_TOLERANCE
    outcome_n = label_bins(time, event, watchable_n, (-1.0, within_h))[:, 0]
    weights_n = np.zeros(len(time))
    known = outcome_n >= EVENT_FREE
    weights_n[known] = 1 / watched_until(time[scored_n], event[scored_n], np.minimum(time[known], within_h))
    return Outcomes(outcome_n, weights_n, scored_n)
