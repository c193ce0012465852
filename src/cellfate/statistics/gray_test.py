"""Gray's test of whether competing events are as common, and as early, in several conditions.

The cumulative incidence of one event is compared; cells that met another event stay in the comparison as cells that
will never meet it. For many assignments of cells to conditions at once, so that the test can be permuted.

Array suffixes: u units that are assigned, t times of events, r assignments, k and j conditions, i all of these but one.
"""

from typing import Final, NamedTuple

import numpy as np

from cellfate.statistics.bootstrap import FloatArray, IntArray

_MOST_VALUES: Final = 1_000_000  # of one chunk of assignments: bounds the memory


class UnitCounts(NamedTuple):
    """Cells of each unit at each time of an event, (u, t)."""

    at_risk: FloatArray
    interest: FloatArray
    """Cells that met the event that is compared."""
    other: FloatArray
    """Cells that met another event."""


def count_units(
    entered_n: FloatArray, time_n: FloatArray, event_n: IntArray, of_interest: int, units_n: IntArray
) -> UnitCounts:
    """Count the cells of each unit that are at risk, meet the event, and meet another, at each time of any event.

    Parameters
    ----------
    entered_n, time_n
        Hours at which watching began and ended; a cell is at risk after the first, up to and with the second.
    event_n
        0 when censored, else the number of the event.
    of_interest
        Number of the event that is compared.
    units_n
        Unit of each cell, 0, 1, ...
    """
    time_t = np.unique(time_n[event_n > 0])
    at_risk_nt = (entered_n[:, None] < time_t) & (time_t <= time_n[:, None])
    ends_nt = (time_n[:, None] == time_t) & (event_n > 0)[:, None]
    here_un = np.equal.outer(np.arange(units_n.max() + 1), units_n).astype(np.float64)
    is_it_n1 = (event_n == of_interest)[:, None]
    return UnitCounts(here_un @ at_risk_nt, here_un @ (ends_nt & is_it_n1), here_un @ (ends_nt & ~is_it_n1))


def gray_statistics(counts: UnitCounts, assigned_ru: IntArray, n_conditions: int) -> FloatArray:
    """Gray's statistic for many assignments of units to conditions, (r,).

    Parameters
    ----------
    counts
        From `count_units`.
    assigned_ru
        Condition of each unit, 0 .. n_conditions - 1.
    n_conditions
        Conditions that are compared.

    Returns
    -------
    ndarray, float64, (r,)
        Of independent cells without a difference, chi-squared with n_conditions - 1 degrees of freedom. NaN where the
        event never comes, or never while two conditions have cells at risk.

    Notes
    -----
    Source: Gray, Ann. Stat. 16, 1141 (1988), with rho = 0 and the variance of that paper, as R's cmprsk gives it. The
    number of cells that are at risk of the event, those with another one included, is n (1 - F) / S, where n cells have
    no event yet, S is the share of these and F the incidence. With delayed entry the same, S and F being estimated with
    it; a condition in which S has fallen to 0 leaves the comparison.
    """
    step = max(1, _MOST_VALUES // max(1, n_conditions**2 * counts.at_risk.shape[1]))
    chunks = (assigned_ru[first : first + step] for first in range(0, len(assigned_ru), step))
    return np.concatenate([_of_chunk(counts, assigned, n_conditions) for assigned in chunks])


def _of_chunk(counts: UnitCounts, assigned_ru: IntArray, n_conditions: int) -> FloatArray:
    one_hot_rku = np.equal(assigned_ru[:, None, :], np.arange(n_conditions)[:, None]).astype(np.float64)
    n, interest, other = (one_hot_rku @ of_units for of_units in counts)
    after = np.asarray(np.cumprod(1 - _divide(interest + other, n), axis=2), dtype=np.float64)
    free = _shift(after, 1.0)  # S and F just before each time
    n = np.where(free > 1e-12, n, 0.0)
    interest, other = np.where(n > 0, interest, 0.0), np.where(n > 0, other, 0.0)
    met = _shift(np.cumsum(free * _divide(interest, n), axis=2), 0.0)
    risk = _divide(n, free)
    expected = _divide(risk * (1 - met), (risk * (1 - met)).sum(axis=1, keepdims=True))
    score_rk = (interest - interest.sum(axis=1, keepdims=True) * expected).sum(axis=2)
    variance_rii = _variance(n, interest, other, free, after)
    score_ri = score_rk[:, :-1]
    inverse = np.linalg.pinv(variance_rii, rcond=1e-9, hermitian=True)
    found_r = np.einsum("ri,rij,rj->r", score_ri, inverse, score_ri)
    informative_r = np.abs(variance_rii).max(axis=(1, 2), initial=0.0) > 1e-12
    return np.where(informative_r, found_r, np.nan)


def _variance(
    n: FloatArray, interest: FloatArray, other: FloatArray, free: FloatArray, after: FloatArray
) -> FloatArray:
    """Covariance of the scores of all conditions but the last, (r, i, i); arguments (r, k, t)."""
    risk = _divide(n, free)
    total = risk.sum(axis=1, keepdims=True)
    events = interest.sum(axis=1, keepdims=True)
    pooled = np.cumsum(_divide(events, total), axis=2)
    kept = 1 - _shift(pooled, 0.0)
    weight_rikt = np.eye(n.shape[1])[None, :-1, :, None] * risk[:, None] - (
        risk[:, :-1, None] * _divide(risk, total)[:, None]
    )
    summed_rikt = np.cumsum(weight_rikt * _divide(events, total * kept)[:, None], axis=3)
    ahead_rikt = summed_rikt[..., -1:] - summed_rikt
    left = _divide(1 - pooled, after)
    ties = 1 - _divide(np.maximum(events - 1, 0.0), total * free - 1)
    by_event = np.where(n > 0, ties * free * _divide(events, total * n), 0.0)
    share = np.where(after > 1e-12, 1 - left, 1.0)
    moved = weight_rikt + share[:, None] * ahead_rikt
    ties_other = 1 - _divide(np.maximum(other - 1, 0.0), n - 1)
    by_other = np.where(after > 1e-12, ties_other * free**2 * _divide(other, n**2), 0.0)
    away = left[:, None] * ahead_rikt
    of_events = np.einsum("rikt,rjkt,rkt->rij", moved, moved, by_event, optimize=True)
    return np.asarray(of_events + np.einsum("rikt,rjkt,rkt->rij", away, away, by_other, optimize=True))


def _divide(counts: FloatArray, of: FloatArray) -> FloatArray:
    """Quotient; 0 where it is of nothing."""
    some = np.abs(of) > 1e-12
    return np.asarray(np.where(some, counts / np.where(some, of, 1.0), 0.0), dtype=np.float64)


def _shift(values: FloatArray, first: float) -> FloatArray:
    """Values just before each time, (r, k, t)."""
    return np.concatenate((np.full_like(values[..., :1], first), values[..., :-1]), axis=-1)
