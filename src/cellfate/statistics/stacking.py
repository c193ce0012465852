"""Weights of unlike forecasts of the same hazards, by likelihood on cells that none of them was fitted to.

The log odds of the parts are added up with weights that sum to 1 (a logarithmic pool, stacked: Wolpert, Neural Networks
5, 241 (1992)). The likelihood is concave in the weights, so there is one optimum.

Array suffixes: p parts, n landmarks, k bins of time, e events, r rows (a landmark and a bin that was watched).
"""

from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cellfate.statistics.incidence import UNOBSERVED

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

MOST_FOLDS: Final = 5
"""Inner folds over which a gain is judged, at most."""


class Stack(NamedTuple):
    """Weights, and what they gain over the first part alone on groups that did not choose them.

    Attributes
    ----------
    weights_p
        Of each part; they sum to 1.
    gain
        Nats of log likelihood a landmark; NaN where it cannot be judged.
    standard_error
        Of the gain, by group.
    """

    weights_p: FloatArray
    gain: float
    standard_error: float


def stack_parts(
    log_odds_pnke: FloatArray, labels_nk: IntArray, groups_n: NDArray[Any], units_n: NDArray[Any], most: float = 1.0
) -> Stack:
    """Choose weights that are worth it: the first part alone unless the others gain more than one standard error.

    Parameters
    ----------
    log_odds_pnke
        Log odds of each event against nothing, by parts that were not fitted to these landmarks. The first part is the
        one that the others have to improve.
    labels_nk
        What was seen in each bin; from `incidence.label_bins`.
    groups_n
        Group of each landmark: the standard error is that of independent groups.
    units_n
        What inner folds leave out whole: the group, or something larger that holds whole groups.
    most
        Largest weight of all parts but the first together.

    Returns
    -------
    Stack
        The gain is judged over at most `MOST_FOLDS` inner folds: weights are fitted outside a fold and scored in it.
        With one unit, or nothing watched, it is NaN and the first part stands alone.
    """
    log_odds = np.asarray(log_odds_pnke, dtype=np.float64)
    alone_p = np.eye(len(log_odds))[0]
    watched_n = (labels_nk != UNOBSERVED).any(axis=1)
    log_odds, labels, groups, units = (
        log_odds[:, watched_n],
        labels_nk[watched_n],
        groups_n[watched_n],
        units_n[watched_n],
    )
    if len(log_odds) == 1 or len(np.unique(units)) < 2:
        return Stack(alone_p, np.nan, np.nan)
    gains_n = _gains_outside(log_odds, labels, units, most)
    gain, error = _mean_by_group(gains_n, groups)
    weights_p = fit_weights(log_odds, labels, most) if gain - error > 0 else alone_p
    return Stack(weights_p, gain, error)


def fit_weights(log_odds_pnke: FloatArray, labels_nk: IntArray, most: float = 1.0) -> FloatArray:
    """Find the weights of the largest likelihood, (p,): all but the first at most `most` together, 1 in total."""
    from scipy.optimize import minimize

    base_nke, steps_qnke = log_odds_pnke[0], log_odds_pnke[1:] - log_odds_pnke[0]
    n_steps = len(steps_qnke)

    def lose(weights_q: FloatArray) -> tuple[float, FloatArray]:
        blended_nke = base_nke + np.tensordot(weights_q, steps_qnke, axes=1)
        slope_nke = _slope(blended_nke, labels_nk)
        gradient_q = np.tensordot(steps_qnke, slope_nke, axes=3) / len(labels_nk)
        return float(log_loss(blended_nke, labels_nk).mean()), gradient_q

    within = {"type": "ineq", "fun": lambda weights_q: most - weights_q.sum(), "jac": lambda _: -np.ones(n_steps)}
    start_q, bounds = np.full(n_steps, most / (1 + n_steps)), [(0.0, most)] * n_steps
    found = minimize(lose, start_q, jac=True, method="SLSQP", bounds=bounds, constraints=[within], tol=1e-9)
    weights_q = np.clip(found.x, 0.0, most)
    weights_q *= min(1.0, most / max(weights_q.sum(), 1e-12))
    return np.asarray(np.concatenate(([1 - weights_q.sum()], weights_q)), dtype=np.float64)


def log_loss(log_odds_nke: FloatArray, labels_nk: IntArray) -> FloatArray:
    """Nats that what was seen after a landmark costs, summed over the bins that were watched, (n,).

    Examples
    --------
    >>> log_loss(np.zeros((1, 2, 1)), np.array([[0, -1]])).round(3).tolist()
    [0.693]
    """
    with_none = np.concatenate((np.zeros((*log_odds_nke.shape[:2], 1)), log_odds_nke), axis=2)
    seen_nk1 = np.maximum(labels_nk, 0)[:, :, None]
    surprise_nk = np.logaddexp.reduce(with_none, axis=2) - np.take_along_axis(with_none, seen_nk1, axis=2)[:, :, 0]
    return np.asarray((surprise_nk * (labels_nk != UNOBSERVED)).sum(axis=1), dtype=np.float64)


def _slope(log_odds_nke: FloatArray, labels_nk: IntArray) -> FloatArray:
    """Differentiate `log_loss` by the log odds."""
    none_nk1 = np.zeros((*labels_nk.shape, 1))
    total_nk1 = np.logaddexp.reduce(np.concatenate((none_nk1, log_odds_nke), axis=2), axis=2)[:, :, None]
    happened_nke = labels_nk[:, :, None] == np.arange(1, log_odds_nke.shape[2] + 1)
    slope_nke = np.exp(log_odds_nke - total_nk1) - happened_nke
    return np.asarray(slope_nke * (labels_nk != UNOBSERVED)[:, :, None], dtype=np.float64)


def _gains_outside(log_odds: FloatArray, labels_nk: IntArray, units_n: NDArray[Any], most: float) -> FloatArray:
    """Gain of every landmark by weights that were fitted without its unit."""
    from sklearn.model_selection import GroupKFold

    gains_n = np.zeros(len(labels_nk))
    folds = GroupKFold(min(MOST_FOLDS, len(np.unique(units_n))))
    for others, held_out in folds.split(labels_nk, groups=units_n):
        weights_p = fit_weights(log_odds[:, others], labels_nk[others], most)
        parts, seen = log_odds[:, held_out], labels_nk[held_out]
        gains_n[held_out] = log_loss(parts[0], seen) - log_loss(np.tensordot(weights_p, parts, axes=1), seen)
    return gains_n


def _mean_by_group(values_n: FloatArray, groups_n: NDArray[Any]) -> tuple[float, float]:
    """Mean of a value, and its standard error when groups are independent (of a ratio of sums); NaN of one group."""
    numbers_n = np.unique(groups_n, return_inverse=True)[1]
    mean = float(values_n.mean())
    off_g = np.bincount(numbers_n, values_n - mean)
    n_groups = len(off_g)
    few = n_groups / (n_groups - 1) if n_groups > 1 else np.nan
    return mean, float(np.sqrt(np.square(off_g).sum() * few) / len(values_n))
