"""Permutation tests of a difference of means and of pairs, and the correction of their p values for many tests.

Array suffixes: n values, m pairs, k resamples, p places that are drawn.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
IntArray = NDArray[np.int64]


def draw_subsets(n_values: int, n_inside: int, n_resamples: int, generator: np.random.Generator) -> IntArray:
    """Draw subsets of `n_inside` of `n_values` places, all equally likely, (K, P).

    The first `n_inside` steps of a Fisher-Yates shuffle of all resamples at once.
    """
    rows = np.arange(n_resamples)
    order = np.tile(np.arange(n_values), (n_resamples, 1))
    for step in range(n_inside):
        other = generator.integers(step, n_values, n_resamples)
        taken = order[rows, other]
        order[rows, other] = order[:, step]
        order[:, step] = taken
    return order[:, :n_inside].copy()


def permutation_p_value(values_n: FloatArray, inside_n: BoolArray, drawn_kp: IntArray) -> float:
    """Two-sided permutation p of the difference of means, as `scipy.stats.permutation_test` defines it.

    Each tail is (b + 1) / (n + 1), and p is twice the smaller one, at most 1. The difference of means rises with the
    sum of the values inside, so sums are compared.

    Parameters
    ----------
    values_n, inside_n
        Values, none of them NaN, and which of them are held against the rest.
    drawn_kp
        Subsets of as many places, from `draw_subsets`.
    """
    centred_n = values_n - values_n.mean()
    null_k = centred_n[drawn_kp].sum(axis=1)
    return two_sided_p(null_k, float(centred_n[inside_n].sum()), slack=1e-9 * float(np.abs(centred_n).sum()))


def two_sided_p(null_k: FloatArray, observed: float, slack: float = 0.0) -> float:
    """Twice the smaller tail (b + 1) / (n + 1), at most 1; values within `slack` of the observed one count as equal.

    Examples
    --------
    >>> two_sided_p(np.arange(9.0), 8.0)
    0.4
    """
    at_least = (null_k >= observed - slack).sum() + 1
    at_most = (null_k <= observed + slack).sum() + 1
    return float(min(1.0, 2 * min(at_least, at_most) / (len(null_k) + 1)))


def permute_pairs(
    compare: Callable[[FloatArray, FloatArray], FloatArray],
    pairs_m2: FloatArray,
    strata_m: IntArray,
    n_resamples: int,
    generator: np.random.Generator,
) -> FloatArray:
    """Compare the members of pairs when all members of a stratum are paired anew at random; the mean over pairs, (K,).

    Parameters
    ----------
    compare
        Comparison of two arrays, element by element, that does not ask which comes first.
    pairs_m2, strata_m
        Values of m pairs, none of them NaN, and the stratum of each pair.
    n_resamples, generator
        Draws, and their source.
    """
    summed_k = np.zeros(n_resamples)
    for stratum in np.unique(strata_m):
        drawn_kn = generator.permuted(np.tile(pairs_m2[strata_m == stratum].ravel(), (n_resamples, 1)), axis=1)
        summed_k += compare(drawn_kn[:, ::2], drawn_kn[:, 1::2]).sum(axis=1)
    return summed_k / len(pairs_m2)


def correct_p_values(p_n: FloatArray) -> FloatArray:
    """Correct p values by Benjamini and Hochberg 1995; NaN stays NaN and does not count, (n,)."""
    from scipy.stats import false_discovery_control

    corrected_n, known_n = np.full(len(p_n), np.nan), ~np.isnan(p_n)
    if known_n.any():
        corrected_n[known_n] = false_discovery_control(p_n[known_n])
    return corrected_n


def correct_by_holm(p_n: FloatArray) -> FloatArray:
    """Correct p values by Holm 1979, so that any false one is as rare as a single test's; NaN stays NaN, (n,).

    Examples
    --------
    >>> correct_by_holm(np.array([0.02, 0.5, 0.01])).tolist()
    [0.04, 0.5, 0.03]
    """
    corrected_n, known = np.full(len(p_n), np.nan), np.flatnonzero(~np.isnan(p_n))
    rising = known[np.argsort(p_n[known], kind="stable")]
    times = np.arange(len(rising), 0, -1)
    corrected_n[rising] = np.minimum(1.0, np.maximum.accumulate(times * p_n[rising]))
    return corrected_n
