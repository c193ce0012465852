"""Permutation tests of a difference of means and of pairs, and the correction of their p values for many tests.

Array suffixes: n values, m pairs, k resamples, p places that are drawn, u units that
are labelled, r ways to label them.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from itertools import product
from math import factorial, prod

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


def list_assignments(labels_u: IntArray, strata_u: IntArray, most: int, generator: np.random.Generator) -> IntArray:
    """List the ways to deal labels out anew among units of the same stratum: all, or that many drawn ones, (r, u).

    Parameters
    ----------
    labels_u, strata_u
        Label, from 0, and stratum of each unit; a stratum keeps its labels.
    most
        Up to so many, all different ways are listed, in a fixed order; of more, so many are drawn.
    generator
        Source of the draws.

    Returns
    -------
    ndarray of int64, shape (r, u)
        Drawn ones follow after the labels as they are: r is then `most` + 1.

    Examples
    --------
    >>> list_assignments(np.array([0, 0, 1]), np.zeros(3), 10, np.random.default_rng(0)).tolist()
    [[0, 0, 1], [0, 1, 0], [1, 0, 0]]
    """
    places = [np.flatnonzero(strata_u == stratum) for stratum in np.unique(strata_u)]
    if count_assignments(labels_u, strata_u) <= most:
        ways = product(*(list(_arrange(Counter(labels_u[of].tolist()))) for of in places))
        order = np.argsort(np.concatenate(places), kind="stable")
        return np.array([np.concatenate(way)[order] for way in ways], dtype=np.int64)
    drawn = np.tile(labels_u, (most + 1, 1))
    for of in places:
        drawn[1:, of] = generator.permuted(drawn[1:, of], axis=1)
    return drawn


def count_assignments(labels_u: IntArray, strata_u: IntArray) -> int:
    """Count the different ways to deal labels out anew among units of the same stratum.

    Examples
    --------
    >>> count_assignments(np.array([0, 0, 1, 1, 0, 1]), np.array([0, 0, 0, 0, 1, 1]))
    12
    """
    ways = 1
    for stratum in np.unique(strata_u):
        counts = Counter(labels_u[strata_u == stratum].tolist()).values()
        ways *= factorial(sum(counts)) // prod(map(factorial, counts))
    return ways


def _arrange(left: Counter[int]) -> Iterator[tuple[int, ...]]:
    """All different orders of labels of which so many are left, in ascending order."""
    if not left.total():
        yield ()
    for label in sorted(label for label, n in left.items() if n):
        yield from ((label, *rest) for rest in _arrange(left - Counter([label])))
