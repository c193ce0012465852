"""Percentile bootstrap that draws whole groups, because cells of one recording resemble each other.

A resample is a row of counts: how often each group was drawn. Every score is computed for all rows at once; row 0
counts each group once and gives the estimate. Predictors scored with the same rows are compared pairwise.

Array suffixes: n samples, g groups, r rows of counts.
"""

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

MOST_UNDEFINED: Final = 0.1
"""Share of resamples in which a score may be undefined (a class was not drawn) before its interval is."""


class Estimate(NamedTuple):
    """A score with its interval, NaN where undefined."""

    estimate: float
    low: float
    high: float


def draw_groups(n_groups: int, n_resamples: int, seed: int) -> FloatArray:
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
    drawn = np.random.default_rng(seed).multinomial(n_groups, np.full(n_groups, 1 / n_groups), size=n_resamples)
    return np.concatenate([np.ones((1, n_groups)), drawn]).astype(np.float64)


def summarise(values_r: FloatArray, confidence: float, n_groups: int) -> Estimate:
    """Estimate and percentile interval of a score.

    Parameters
    ----------
    values_r
        The score for every row of `draw_groups`.
    confidence
        Probability content of the interval.
    n_groups
        Groups behind the score. One group has no spread between groups: its interval is NaN.

    Returns
    -------
    Estimate
        NaN bounds also where more than `MOST_UNDEFINED` of the resamples are undefined.

    Notes
    -----
    Percentile intervals of few groups are too narrow: in a simulation (recall, groups that differ) nominal 95 %
    intervals covered 89 % of the time with 8 groups, 92 % with 10 or 20 and 95 % with 40; resampling single cells,
    83 %.
    """
    estimate, resampled = float(values_r[0]), values_r[1:]
    defined = resampled[np.isfinite(resampled)]
    if n_groups < 2 or not np.isfinite(estimate) or len(defined) < (1 - MOST_UNDEFINED) * len(resampled):
        return Estimate(estimate, np.nan, np.nan)
    low, high = np.quantile(defined, [(1 - confidence) / 2, (1 + confidence) / 2])
    return Estimate(estimate, float(low), float(high))


def sum_by_group(values_n: FloatArray, groups_n: IntArray, counts_rg: FloatArray) -> FloatArray:
    """Sum of a value over the samples of every resample, shape (r,)."""
    return counts_rg @ np.bincount(groups_n, values_n, counts_rg.shape[1])


def number_groups(labels_n: npt.NDArray[np.object_] | IntArray) -> IntArray:
    """Give equal labels one number: 0, 1, ... in their sorted order, (n,)."""
    return np.asarray(np.unique(labels_n, return_inverse=True)[1], dtype=np.int64)
