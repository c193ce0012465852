"""Share of cells in which each event has happened by when, from cells that were not all watched to their end.

The Aalen-Johansen estimate of cumulative incidence counts cells only while they are watched. One minus Kaplan-Meier of
a single event would count a cell that met the other event as one that was lost, and so as one that may still meet the
first.

Ties are handled, never broken: all events of one time share the cells at risk just before it, whatever their kind, and
at equal times events come before censorings (a cell that is lost at a time was seen to have had no event by then).
Times are hours; those that agree to a millionth are one time, so that equal numbers of frames tie.

Array suffixes: n cells or landmarks, t distinct times, m times that are asked for, e events, k ways to end (lost, or an
event), g groups, r rows of counts.
"""

from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike

from cellfate.statistics.bootstrap import FloatArray, IntArray, mean_by_group
from cellfate.statistics.incidence import cumulative_incidence

DECIMALS: Final = 6
"""Times are rounded to so many decimals of an hour before they are compared."""
_MOST_WEIGHTS: Final = 2_000_000  # of one chunk of rows: bounds the memory


def aalen_johansen(
    time_n: ArrayLike,
    event_n: ArrayLike,
    n_events: int,
    at_m: ArrayLike,
    groups_n: IntArray | None = None,
    counts_rg: FloatArray | None = None,
    entered_n: ArrayLike | None = None,
) -> FloatArray:
    """Estimate the cumulative incidence of competing events by some times, for many resamples of groups at once.

    Parameters
    ----------
    time_n
        Hours to the event or, when censored, to the end of watching.
    event_n
        0 when censored, else the number of the event from 1 to `n_events`.
    n_events
        Kinds of event; one that never happens has incidence 0.
    at_m
        Hours by which the incidence is asked, the time itself included.
    groups_n, counts_rg
        Group of each cell, and how often each group was drawn (`bootstrap.draw_groups`); null: every cell once.
    entered_n
        Hours at which watching began (delayed entry); a cell is at risk after them. Null: from the start.

    Returns
    -------
    ndarray, float64, (r, m, e)
        0 before the first end, level after the last. Over the events the incidences add up to 1 minus Kaplan-Meier of
        no event. NaN in resamples that drew no cell.

    Notes
    -----
    Source: Aalen & Johansen, Scand. J. Statist. 5, 141 (1978).

    Examples
    --------
    >>> aalen_johansen([1.0, 2.0, 2.0, 3.0], [1, 1, 2, 0], 2, [1.0, 2.5])[0].tolist()
    [[0.25, 0.0], [0.5, 0.25]]
    """
    at, event = np.atleast_1d(_rounded(at_m)), np.asarray(event_n, dtype=np.int64)
    groups = np.zeros(len(event), dtype=np.int64) if groups_n is None else groups_n
    counts = np.ones((1, 1)) if counts_rg is None else counts_rg
    # What happens after the last time asked does not matter: such cells are at risk until then.
    time_t, place_n = np.unique(np.minimum(_rounded(time_n), at.max() + 1.0), return_inverse=True)
    early_tg = np.zeros((len(time_t), counts.shape[1]))  # cells that are not yet watched at each time
    if entered_n is not None:
        enters_n = np.searchsorted(time_t, _rounded(entered_n), side="right")
        entered = np.zeros((len(time_t) + 1, counts.shape[1]))
        np.add.at(entered, (enters_n, groups), 1.0)
        early_tg = entered[::-1].cumsum(axis=0)[::-1][1:]
    step = max(1, _MOST_WEIGHTS // max(1, len(time_t) * (n_events + 1)))
    ended_kg = _ends_of_groups(place_n, event, n_events + 1, groups, counts.shape[1])
    estimates = [
        _incidence_of_rows(ended_kg, early_tg, counts[first : first + step], time_t, n_events, at)
        for first in range(0, len(counts), step)
    ]
    return np.concatenate(estimates)


def standardised_incidence(
    time_n: ArrayLike,
    event_n: ArrayLike,
    n_events: int,
    at_m: ArrayLike,
    strata_n: IntArray,
    groups_n: IntArray,
    counts_rg: FloatArray,
) -> FloatArray:
    """Mean of the cumulative incidences of strata, each by its share of the cells, (r, m, e).

    Where more cells of one stratum are lost than of another, one estimate for all counts the first too little.

    Parameters
    ----------
    time_n, event_n, n_events, at_m, groups_n, counts_rg
        As of `aalen_johansen`.
    strata_n
        Stratum of each cell, as of `censoring.choose_strata`.
    """
    mean_rme = np.zeros((len(counts_rg), len(np.atleast_1d(at_m)), n_events))
    time, event = np.asarray(time_n), np.asarray(event_n)
    for stratum in np.unique(strata_n):
        of_n = strata_n == stratum
        incidence_rme = aalen_johansen(time[of_n], event[of_n], n_events, at_m, groups_n[of_n], counts_rg)
        share_r = mean_by_group(of_n, groups_n, counts_rg)[:, None, None]
        mean_rme += np.where(share_r > 0, share_r * incidence_rme, share_r)  # NaN where nothing at all was drawn
    return mean_rme


def count_at_risk(time_n: ArrayLike, at_m: ArrayLike, entered_n: ArrayLike | None = None) -> IntArray:
    """Cells already and still watched, and without an event, just before some times, (m,)."""
    ends, at = np.sort(_rounded(time_n)), _rounded(at_m)
    here_m = len(ends) - np.searchsorted(ends, at, side="left")
    if entered_n is not None:
        enters = np.sort(_rounded(entered_n))
        here_m = here_m - (len(enters) - np.searchsorted(enters, at, side="left"))
    return np.asarray(here_m, dtype=np.int64)


def watched_until(time_n: ArrayLike, event_n: ArrayLike, at_m: ArrayLike) -> FloatArray:
    """Estimate G(t-), the chance that a cell is not lost before some times, (m,).

    Kaplan-Meier with the parts of event and censoring swapped; cells with an event at a time are no longer at risk of
    being lost at that time.

    Parameters
    ----------
    time_n
        Hours to the event or to the end of watching.
    event_n
        0 when censored, any other number for an event.
    at_m
        Hours.

    Examples
    --------
    >>> watched_until([1.0, 1.0, 2.0], [1, 0, 1], [1.0, 1.5]).tolist()
    [1.0, 0.5]
    """
    time_t, place_n = np.unique(_rounded(time_n), return_inverse=True)
    happened_n = np.asarray(event_n, dtype=np.int64) > 0
    ended_tk = np.bincount(place_n * 2 + happened_n, minlength=len(time_t) * 2).reshape(-1, 2).astype(np.float64)
    at_risk_t = _at_risk(ended_tk[None])[0] - ended_tk[:, 1]
    watched_t = np.cumprod(1 - _shares(ended_tk[:, 0], at_risk_t), dtype=np.float64)
    return np.append(1.0, watched_t)[np.searchsorted(time_t, _rounded(at_m), side="left")]


def _rounded(time_n: ArrayLike) -> FloatArray:
    return np.asarray(np.round(np.asarray(time_n, dtype=np.float64), DECIMALS), dtype=np.float64)


def _at_risk(ended_rtk: FloatArray) -> FloatArray:
    """Cells that end at each time or later, (r, t)."""
    ended_rt = ended_rtk.sum(axis=2)
    return np.asarray(np.cumsum(ended_rt[:, ::-1], axis=1)[:, ::-1], dtype=np.float64)


def _shares(counts: FloatArray, of: FloatArray) -> FloatArray:
    """Quotient; 0 where nothing is at risk."""
    return np.asarray(counts / np.where(of > 0, of, 1.0), dtype=np.float64)


def _ends_of_groups(place_n: IntArray, event_n: IntArray, kinds: int, groups_n: IntArray, n_groups: int) -> Any:
    """Cells of every group that end at each time in each way: a sparse matrix (t * kinds, g)."""
    from scipy.sparse import csr_array

    n_times = int(place_n.max()) + 1 if len(place_n) else 0
    ones = np.ones(len(place_n))
    return csr_array((ones, (place_n * kinds + event_n, groups_n)), shape=(n_times * kinds, n_groups))


def _incidence_of_rows(
    ended_kg: Any, early_tg: FloatArray, counts_rg: FloatArray, time_t: FloatArray, n_events: int, at_m: FloatArray
) -> FloatArray:
    """Incidence of some rows of counts, (r, m, e)."""
    ended = np.asarray(ended_kg @ np.ascontiguousarray(counts_rg.T))
    ended_rtk = np.ascontiguousarray(ended.T).reshape(len(counts_rg), len(time_t), n_events + 1)
    watched_rt = _at_risk(ended_rtk)
    at_risk_rt = watched_rt - counts_rg @ early_tg.T
    incidence_rte = cumulative_incidence(_shares(ended_rtk[:, :, 1:], at_risk_rt[:, :, None]))
    start_re = np.zeros((len(counts_rg), 1, n_events))
    places_m = np.searchsorted(time_t, at_m, side="right")
    incidence_rme = np.concatenate((start_re, incidence_rte), axis=1)[:, places_m]
    drew_r = watched_rt[:, 0] > 0 if len(time_t) else np.zeros(len(counts_rg), dtype=bool)
    return np.where(drew_r[:, None, None], incidence_rme, np.nan)
