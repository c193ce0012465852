"""What is known of each landmark by a horizon, and how much it counts: weights that make up for cells that were lost.

A landmark is scored at a horizon h only where the recording itself goes on for h hours: that depends on the frame
alone, so leaving the others out does not bias. Among the scored ones, cells are lost before h (they leave the image,
their track breaks). They weigh nothing, and those whose outcome is known weigh 1 / G, where G is the chance of not
having been lost before their event or, without one, before h (inverse probability of censoring).
The weighted share of landmarks with an event is then exactly the Aalen-Johansen estimate.

A dose that kills or that makes cells let go loses more of them, so G is the condition's own where it lost enough cells
to tell it; the other conditions share one (`choose_strata`).

Array suffixes: n landmarks, s strata.
"""

from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cellfate.statistics.aalen_johansen import watched_until
from cellfate.statistics.bootstrap import BoolArray, FloatArray, IntArray, number_groups
from cellfate.statistics.incidence import EVENT_FREE, HOURS_TOLERANCE, UNOBSERVED, label_bins

LEAST_LOSSES: Final = 30
"""Cells that a condition must have lost before the horizon for a chance of being watched of its own."""
MOST_WEIGHT: Final = 10.0
"""No landmark stands for more than so many. Where nine in ten are lost before the horizon, the few that are left decide
the score by chance, and a weight without bound would hide it: weights are cut, and the share of these is told."""


class Outcomes(NamedTuple):
    """What had happened by the horizon."""

    event_n: IntArray
    """`EVENT_FREE`, the number of the event from 1, or `UNOBSERVED`: not scored, or lost before the horizon."""
    weights_n: FloatArray
    """Inverse probability of being known; 0 where it is not known."""
    scored_n: BoolArray
    """The recording goes on up to the horizon."""
    strata_n: IntArray
    """Number of the condition, from 1, whose losses made the weight; 0: those of all conditions that lost few."""
    truncated_n: BoolArray
    """The weight was cut."""


def list_outcomes(
    time_n: ArrayLike,
    event_n: ArrayLike,
    watchable_n: ArrayLike,
    within_h: float,
    conditions_n: ArrayLike | None = None,
    cells_n: ArrayLike | None = None,
    most_weight: float | None = None,
) -> Outcomes:
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
    conditions_n, cells_n
        Condition of each landmark, null: all have one; and its cell, null: each landmark is one of another cell.
    most_weight
        Larger weights are cut to this; null: to `MOST_WEIGHT`.

    Returns
    -------
    Outcomes
        G is estimated on the scored landmarks that are given, in each stratum of `choose_strata`. The weights of a
        stratum then add up to the number of its scored landmarks (to less only where the last of them is lost before
        the horizon, so that nothing is known of what follows, or where weights were cut).

    Notes
    -----
    G stands at t-, just before the event: a cell that has its event at t was not lost before t, and it could have been
    lost at t without hiding the event. scikit-survival takes G(t) instead. The two agree unless cells are lost at the
    very times of events; they agree always when censorings are entered a moment after the frame they fall on.
    Source: Graf et al., Statist. Med. 18, 2529 (1999); for competing events Schoop et al., Biom. J. 53, 88 (2011); for
    cutting weights Cole & Hernan, Am. J. Epidemiol. 168, 656 (2008).
    """
    time, event = np.asarray(time_n, dtype=np.float64), np.asarray(event_n, dtype=np.int64)
    scored_n = np.asarray(watchable_n, dtype=np.float64) >= within_h - HOURS_TOLERANCE
    outcome_n = label_bins(time, event, watchable_n, (-1.0, within_h))[:, 0]
    conditions = np.zeros(len(time)) if conditions_n is None else np.asarray(conditions_n)
    cells = np.arange(len(time)) if cells_n is None else np.asarray(cells_n)
    strata_n = choose_strata(conditions, scored_n & (outcome_n == UNOBSERVED), cells)
    weights_n = np.zeros(len(time))
    for stratum in np.unique(strata_n):
        of_n = scored_n & (strata_n == stratum)
        known = of_n & (outcome_n >= EVENT_FREE)
        weights_n[known] = 1 / watched_until(time[of_n], event[of_n], np.minimum(time[known], within_h))
    most = MOST_WEIGHT if most_weight is None else most_weight
    return Outcomes(outcome_n, np.minimum(weights_n, most), scored_n, strata_n, weights_n > most)


def choose_strata(conditions_n: NDArray[Any], lost_n: BoolArray, cells_n: NDArray[Any]) -> IntArray:
    """Give a condition that lost at least `LEAST_LOSSES` cells a number of its own from 1, and all others 0, (n,).

    Conditions that lost few are taken together, without those that lost many: their chances of being watched are alike
    in being high, and a common one that held the others too would be wrong for all of them.
    """
    names_s, places_n = np.unique(np.asarray(conditions_n), return_inverse=True)
    _, first = np.unique(np.stack([places_n[lost_n], number_groups(cells_n)[lost_n]]), axis=1, return_index=True)
    n_lost_s = np.bincount(places_n[lost_n][first], minlength=len(names_s))
    return np.where(n_lost_s[places_n] >= LEAST_LOSSES, places_n + 1, 0).astype(np.int64)
