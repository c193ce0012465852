"""Conformal thresholds where landmarks come in groups: sets of outcomes that hold what comes at a known rate.

Landmarks of a group resemble each other, so they are not exchangeable; groups are. Each of K groups weighs the same,
1 / (K + 1), shared out over its landmarks, and the group that is to come has the rest at infinity.

Source: Dunn, Wasserman & Ramdas, JASA 118, 2491 (2023); Lee, Barber & Willett, arXiv:2306.06342 (hierarchical conformal
prediction). Array suffixes: n landmarks, g groups, k outcomes.
"""

from math import ceil

import numpy as np
from numpy.typing import NDArray

from cellfate.statistics.bootstrap import BoolArray, FloatArray, IntArray, number_groups

_ROUNDING = 1e-9


def fewest_groups(level: float) -> int:
    """Count the groups that a level takes: with fewer, only the set of all outcomes holds what comes that often.

    Examples
    --------
    >>> [fewest_groups(level) for level in (0.8, 0.9, 0.95)]
    [4, 9, 19]
    """
    return ceil(level / (1 - level) - _ROUNDING)


def find_threshold(scores_n: FloatArray, groups_n: IntArray, weights_n: FloatArray, level: float) -> float:
    """Find the score that a landmark of a new group stays at or under with at least the probability `level`.

    Parameters
    ----------
    scores_n
        How badly what came was forecast at each landmark: 1 less its probability.
    groups_n
        Group of each landmark.
    weights_n
        Inverse probability of being known; landmarks of weight 0 are not known. Only their sizes within a group matter.
    level
        Probability, under 1.

    Returns
    -------
    float
        NaN with fewer than `fewest_groups` groups that have a known landmark.

    Notes
    -----
    Over groups like these, a landmark drawn from a new one has its score there with probability `level` or more; the
    weights make that hold as far as losses are chance within a stratum.

    Examples
    --------
    >>> nine = np.arange(9)
    >>> find_threshold(nine / 10, nine, np.ones(9), 0.9), find_threshold(nine / 10, nine, np.ones(9), 0.8)
    (0.8, 0.7)
    """
    known_n = weights_n > 0
    scores, groups, weights = (
        scores_n[known_n],
        number_groups(groups_n[known_n]),
        weights_n[known_n],
    )
    n_groups = int(groups.max()) + 1 if len(groups) else 0
    if n_groups < fewest_groups(level):
        return float("nan")
    share_n = weights / np.bincount(groups, weights)[groups] / (n_groups + 1)
    order_n = np.argsort(scores, kind="stable")
    up_to_n = np.cumsum(share_n[order_n])
    return float(scores[order_n[np.searchsorted(up_to_n, level - _ROUNDING)]])


def leave_groups_out(scores_n: FloatArray, groups_n: IntArray, weights_n: FloatArray, level: float) -> FloatArray:
    """Find the threshold of each group from all others, (g,), groups numbered 0 .. g - 1; see `find_threshold`."""
    n_groups = int(groups_n.max()) + 1 if len(groups_n) else 0
    others = (groups_n != group for group in range(n_groups))
    return np.array([find_threshold(scores_n[n], groups_n[n], weights_n[n], level) for n in others])


def list_members(probabilities_nk: FloatArray, thresholds_n: FloatArray) -> BoolArray:
    """Say which outcomes belong to the set of each landmark, (n, k): the likeliest, and all that stay at the threshold.

    That the likeliest always belongs, so that no set is empty, can only raise how often a set holds what comes. A
    threshold of NaN takes in all.

    Examples
    --------
    >>> list_members(np.array([[0.5, 0.3, 0.2], [0.9, 0.05, 0.05]]), np.array([0.75, 0.05])).tolist()
    [[True, True, False], [True, False, False]]
    """
    within_nk = ~(1 - probabilities_nk > thresholds_n[:, None] + _ROUNDING)
    likeliest_nk = np.arange(probabilities_nk.shape[1]) == probabilities_nk.argmax(axis=1)[:, None]
    members_nk: NDArray[np.bool_] = within_nk | likeliest_nk
    return members_nk
