"""Expanded percentile bootstrap that draws whole groups, because cells of one recording resemble each other.

A resample is a row of counts: how often each group was drawn. Every score is computed for all rows at once; row 0
counts each group once and gives the estimate. Predictors scored with the same rows are compared pairwise.

Array suffixes: n cells or landmarks, v different values, g groups, r rows of counts.
"""

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

MOST_UNDEFINED: Final = 0.1
"""Share of resamples in which a score may be undefined (a class was not drawn) before its interval is."""


class Estimate(NamedTuple):
    """A score with its interval, NaN where undefined."""

    estimate: float
    low: float
    high: float


def draw_groups(n_groups: int, n_resamples: int, seed: int | Sequence[int]) -> FloatArray:
    """Draw groups with replacement, as many as there are.

    Parameters
    ----------
    n_groups, n_resamples
        Groups to draw from; resamples to draw.
    seed
        Seed of the draws.

    Returns
    -------
    ndarray, float64, (1 + n_resamples, n_groups)
        Times each group was drawn. Row 0 is all ones: the data as they are.
    """
    if n_groups == 0:
        return np.ones((1 + n_resamples, 0))
    drawn = np.random.default_rng(seed).multinomial(n_groups, np.full(n_groups, 1 / n_groups), size=n_resamples)
    return np.concatenate([np.ones((1, n_groups)), drawn]).astype(np.float64)


def expand_tail(confidence: float, n_groups: int) -> float:
    """Share of the resamples that an interval leaves out at either end: less than (1 - confidence) / 2.

    A mean of n groups has quantiles of Student's t with n - 1 degrees of freedom, and resamples spread less than
    independent samples by sqrt((n - 1) / n): the normal probability of -sqrt(n / (n - 1)) times the quantile of t makes
    up for both.

    Notes
    -----
    Source: Hesterberg, Am. Stat. 69, 371 (2015), section 5.2.

    Examples
    --------
    >>> [round(expand_tail(0.95, n), 4) for n in (5, 11, 1_000_000)]
    [0.001, 0.0097, 0.025]
    """
    from scipy.special import ndtr, stdtrit

    quantile = stdtrit(n_groups - 1, (1 + confidence) / 2)
    return float(ndtr(-np.sqrt(n_groups / (n_groups - 1)) * quantile))


def summarise(values_r: FloatArray, confidence: float, n_groups: int) -> Estimate:
    """Estimate and expanded percentile interval of a score.

    Parameters
    ----------
    values_r
        The score for every row of `draw_groups`.
    confidence
        Probability content of the interval.
    n_groups
        Groups behind the score: of an event, or of whatever is the rarer side, those that hold it. One group has no
        spread between groups: its interval is NaN.

    Returns
    -------
    Estimate
        NaN bounds also where more than `MOST_UNDEFINED` of the resamples are undefined.

    Notes
    -----
    Percentiles as they are, 2.5 and 97.5 % of the resamples, are too narrow for few groups: see `expand_tail`, and
    docs/scores.md for how often the intervals hold the truth.
    """
    estimate, resampled = float(values_r[0]), values_r[1:]
    defined = resampled[np.isfinite(resampled)]
    if n_groups < 2 or not np.isfinite(estimate) or len(defined) < (1 - MOST_UNDEFINED) * len(resampled):
        return Estimate(estimate, np.nan, np.nan)
    tail = expand_tail(confidence, n_groups)
    low, high = np.quantile(defined, [tail, 1 - tail])
    return Estimate(estimate, float(low), float(high))


def p_of_zero(values_r: FloatArray, n_groups: int) -> float:
    """Two-sided p of a paired difference: 1 less the content of the largest interval of `summarise` that leaves out 0.

    Parameters
    ----------
    values_r, n_groups
        As of `summarise`.

    Returns
    -------
    float
        NaN where the interval is not defined. A tail of b of n resamples counts as (b + 1) / (n + 1). Where none lies
        beyond 0 that only bounds p, by .015 with 9 groups and 2,000 resamples, and a correction for many results would
        find nothing: the normal tail at the estimate, in deviations of the resamples, stands for it.

    Examples
    --------
    >>> p_of_zero(np.array([0.0, -1.0, 0.0, 1.0]), 5)
    1.0
    """
    from scipy.special import ndtri, stdtr

    resampled = values_r[1:][np.isfinite(values_r[1:])]
    if np.isnan(summarise(values_r, 0.95, n_groups).low):
        return float("nan")
    beyond = min((resampled <= 0).sum(), (resampled >= 0).sum())
    deviate = ndtri(min(0.5, (beyond + 1) / (len(resampled) + 1)))
    spread = float(resampled.std())
    if beyond == 0 and spread > 0:
        deviate = min(deviate, -abs(float(values_r[0])) / spread)
    return float(2 * stdtr(n_groups - 1, deviate * np.sqrt((n_groups - 1) / n_groups)))


def summarise_group_means(
    values_n: FloatArray, groups_n: IntArray, n_resamples: int, confidence: float, seed: int | Sequence[int]
) -> Estimate:
    """Mean of a value, with an interval that draws whole groups.

    Parameters
    ----------
    values_n, groups_n
        Values, none of them NaN, and the group of each, 0 .. n_groups - 1, none without a value.
    n_resamples, confidence, seed
        See `draw_groups` and `summarise`.

    Returns
    -------
    Estimate
        All NaN without a value.

    Examples
    --------
    >>> summarise_group_means(np.array([1.0, 2.0, 6.0]), np.array([0, 0, 0]), 100, 0.95, 7)
    Estimate(estimate=3.0, low=nan, high=nan)
    """
    return _summarise_by(mean_by_group, values_n, groups_n, n_resamples, confidence, seed)


def summarise_group_medians(
    values_n: FloatArray, groups_n: IntArray, n_resamples: int, confidence: float, seed: int | Sequence[int]
) -> Estimate:
    """Median of a value, as `summarise_group_means` does the mean."""
    return _summarise_by(median_by_group, values_n, groups_n, n_resamples, confidence, seed)


def _summarise_by(
    measure: Callable[[FloatArray, IntArray, FloatArray], FloatArray],
    values_n: FloatArray,
    groups_n: IntArray,
    n_resamples: int,
    confidence: float,
    seed: int | Sequence[int],
) -> Estimate:
    if not len(values_n):
        return Estimate(np.nan, np.nan, np.nan)
    n_groups = int(groups_n.max()) + 1
    return summarise(measure(values_n, groups_n, draw_groups(n_groups, n_resamples, seed)), confidence, n_groups)


def count_rarer_side(groups_n: IntArray, positive_n: BoolArray) -> int:
    """Count the groups that hold what is told apart from the rest or, where fewer do, the rest.

    Examples
    --------
    >>> count_rarer_side(np.array([0, 0, 1, 2]), np.array([True, False, True, True]))
    1
    """
    return min(len(np.unique(groups_n[side_n])) for side_n in (positive_n, ~positive_n))


def sum_by_group(values_n: FloatArray, groups_n: IntArray, counts_rg: FloatArray) -> FloatArray:
    """Sum of a value over the members of every resample, (r,)."""
    return counts_rg @ np.bincount(groups_n, values_n, counts_rg.shape[1])


def mean_by_group(
    values_n: FloatArray | BoolArray,
    groups_n: IntArray,
    counts_rg: FloatArray,
    weights_n: FloatArray | BoolArray | None = None,
) -> FloatArray:
    """Mean (of bool: share) over every resample, (r,); NaN where nothing was drawn. Weights: null counts each once."""
    weights = np.ones(len(values_n)) if weights_n is None else weights_n.astype(np.float64)
    total_r = sum_by_group(weights, groups_n, counts_rg)
    summed_r = sum_by_group(values_n * weights, groups_n, counts_rg)
    return np.asarray(summed_r / np.where(total_r > 0, total_r, np.nan), dtype=np.float64)


def median_by_group(values_n: FloatArray, groups_n: IntArray, counts_rg: FloatArray) -> FloatArray:
    """Median over every resample, (r,); NaN where nothing was drawn."""
    if not len(values_n):
        return np.full(len(counts_rg), np.nan)
    values_v, places_n = np.unique(values_n, return_inverse=True)
    shape = (counts_rg.shape[1], len(values_v))
    drawn_gv = np.bincount(groups_n * shape[1] + places_n, minlength=shape[0] * shape[1]).reshape(shape)
    up_to_rv = np.cumsum(counts_rg @ drawn_gv, axis=1)
    total_r = up_to_rv[:, -1]
    lower_r, upper_r = (
        values_v[(up_to_rv <= np.maximum(place_r, 0)[:, None]).sum(axis=1).clip(max=shape[1] - 1)]
        for place_r in ((total_r - 1) // 2, total_r // 2)
    )
    return np.asarray(np.where(total_r > 0, (lower_r + upper_r) / 2, np.nan), dtype=np.float64)


def number_groups(labels_n: npt.NDArray[np.object_] | IntArray) -> IntArray:
    """Give equal labels one number: 0, 1, ... in their sorted order, (n,)."""
    return np.asarray(np.unique(labels_n, return_inverse=True)[1], dtype=np.int64)
