"""Calibration slope and intercept: whether forecasts are as far apart as what happens, and as high.

The slope of a logistic regression of the outcome on the logit of the forecast probability: 1 where forecasts spread as
far as the outcomes warrant, below 1 where they are too sure of themselves, 0 where they say nothing. The intercept of
the same with the slope held at 1 (calibration in the large): 0 where as much happens as is forecast, above 0 where more
does.

Array suffixes: n landmarks, b bins of forecasts, g groups, r rows of counts.
"""

from collections.abc import Iterator
from typing import Final

import numpy as np

from cellfate.statistics.bootstrap import BoolArray, FloatArray, IntArray
from cellfate.statistics.scores import LEAST_PROBABILITY

N_BINS: Final = 200
"""Bins of equal width in logit that stand for the forecasts in the resamples, where more forecasts than that differ."""
_MOST_STEPS: Final = 30
_LONGEST_STEP: Final = 2.0  # of Newton's method, in standard deviations of the logit: keeps it from overshooting
_CONVERGED: Final = 1e-8
_LEAST_DETERMINANT: Final = 1e-12  # below: all forecasts that count are equal, or the classes stand apart
_MOST_FITTED: Final = 200_000  # of one chunk of rows; larger ones fall out of the cache


def calibration_slope(
    probabilities_n: FloatArray,
    positive_n: BoolArray,
    groups_n: IntArray,
    counts_rg: FloatArray,
    weights_n: FloatArray | None = None,
) -> FloatArray:
    """Slope of a logistic regression of the outcome on the logit of the forecast probability.

    Parameters
    ----------
    probabilities_n
        Forecasts; clipped to between `LEAST_PROBABILITY` and 1 less it.
    positive_n
        Whether it happened.
    groups_n, counts_rg
        Group of each landmark, and how often each group was drawn; row 0 is the data as they are.
    weights_n
        Weight of each landmark; null: 1.

    Returns
    -------
    ndarray, float64, (r,)
        NaN where the slope is undefined: nothing happened or everything did, all forecasts are equal, or one threshold
        parts the landmarks that it happened to from the others (the slope is then infinite).

    Notes
    -----
    Row 0 is fitted to the landmarks themselves. Resamples are fitted, from there on and to convergence, to `N_BINS`
    bins of equal width, each at its mean logit, and moved by the difference that the bins make to row 0: with 15,000
    landmarks that was within a fifteenth of the slope's standard error of fitting every landmark.
    Source: Cox, Biometrika 45, 562 (1958).
    """
    slopes = np.full(len(counts_rg), np.nan)
    weights = (np.ones(len(positive_n)) if weights_n is None else weights_n) * counts_rg[0][groups_n]
    logits_n = _standardised(probabilities_n, weights)
    if logits_n is None:
        return slopes
    start = _fit(logits_n[0], (weights * positive_n)[None], weights[None], np.array([[0.0, 0.0]]))
    if not np.isfinite(start).all():
        return slopes
    binned = _fit_bins(logits_n[0], positive_n, groups_n, counts_rg, weights_n, start)
    return np.asarray((binned + start[0, 1] - binned[0]) / logits_n[1], dtype=np.float64)


def calibration_intercept(
    probabilities_n: FloatArray,
    positive_n: BoolArray,
    groups_n: IntArray,
    counts_rg: FloatArray,
    weights_n: FloatArray | None = None,
) -> FloatArray:
    """Log odds to be added to every forecast so that as much is forecast as happens.

    Parameters
    ----------
    probabilities_n, positive_n, groups_n, counts_rg, weights_n
        As of `calibration_slope`.

    Returns
    -------
    ndarray, float64, (r,)
        NaN where nothing happened or everything did.

    Notes
    -----
    Row 0 is exact, resamples are of bins moved by the difference, as of `calibration_slope`.
    Source: Van Calster et al., J. Clin. Epidemiol. 74, 167 (2016).
    """
    if not len(positive_n):
        return np.full(len(counts_rg), np.nan)
    logits_n = _logit(probabilities_n)
    weights = (np.ones(len(positive_n)) if weights_n is None else weights_n) * counts_rg[0][groups_n]
    exact = _raise(logits_n, (weights * positive_n)[None], weights[None])[0]
    chunks = _sum_by_bin(logits_n, positive_n, groups_n, counts_rg, weights_n)
    binned = np.concatenate([_raise(*chunk) for chunk in chunks])
    return np.asarray(binned + exact - binned[0], dtype=np.float64)


def _raise(logits_b: FloatArray, positive_rb: FloatArray, all_rb: FloatArray) -> FloatArray:
    """Intercept of every row by Newton's method, (r,); NaN where nothing happened or everything did."""
    from scipy.special import expit

    positive_r = positive_rb.sum(axis=1)
    raised_r = np.where((positive_r > 0) & (positive_r < all_rb.sum(axis=1)), 0.0, np.nan)
    for _ in range(_MOST_STEPS):
        chance_rb = expit(logits_b + raised_r[:, None])
        information_r = (all_rb * chance_rb * (1 - chance_rb)).sum(axis=1)
        expected_r = (all_rb * chance_rb).sum(axis=1)
        step_r = (positive_r - expected_r) / np.where(information_r > 0, information_r, np.nan)
        raised_r = raised_r + np.clip(step_r, -_LONGEST_STEP, _LONGEST_STEP)
        converged_r = np.abs(step_r) < _CONVERGED
        if (converged_r | np.isnan(step_r)).all():
            break
    return np.asarray(np.where(converged_r, raised_r, np.nan), dtype=np.float64)


def _logit(probabilities_n: FloatArray) -> FloatArray:
    p = np.clip(probabilities_n, LEAST_PROBABILITY, 1 - LEAST_PROBABILITY)
    return np.asarray(np.log(p) - np.log1p(-p), dtype=np.float64)


def _standardised(probabilities_n: FloatArray, weights_n: FloatArray) -> tuple[FloatArray, float] | None:
    """Logits less their mean, in standard deviations, and the standard deviation; null where they do not differ."""
    logits = _logit(probabilities_n)
    total = weights_n.sum()
    if not total > 0:
        return None
    centred = logits - (weights_n @ logits) / total
    spread = float(np.sqrt((weights_n @ centred**2) / total))
    return (centred / spread, spread) if spread > 1e-9 else None


def _fit_bins(
    logits_n: FloatArray,
    positive_n: BoolArray,
    groups_n: IntArray,
    counts_rg: FloatArray,
    weights_n: FloatArray | None,
    start: FloatArray,
) -> FloatArray:
    """Slopes of all rows of counts, from the landmarks summed by bin and group, (r,)."""
    chunks = _sum_by_bin(logits_n, positive_n, groups_n, counts_rg, weights_n)
    return np.concatenate([_fit(*chunk, np.repeat(start, len(chunk[1]), axis=0))[:, 1] for chunk in chunks])


def _sum_by_bin(
    logits_n: FloatArray,
    positive_n: BoolArray,
    groups_n: IntArray,
    counts_rg: FloatArray,
    weights_n: FloatArray | None,
) -> Iterator[tuple[FloatArray, FloatArray, FloatArray]]:
    """Yield the mean logit of each bin, and the weight of what happened and of all in it, some rows at a time."""
    from scipy.sparse import csr_array

    bins_n = _bins(logits_n)
    n_bins = int(bins_n.max()) + 1
    logits_b = np.bincount(bins_n, logits_n, n_bins) / np.bincount(bins_n, minlength=n_bins)
    weights = np.ones(len(bins_n)) if weights_n is None else weights_n
    shape = (n_bins, counts_rg.shape[1])
    all_bg, positive_bg = (csr_array((w, (bins_n, groups_n)), shape=shape) for w in (weights, weights * positive_n))
    step = max(1, _MOST_FITTED // n_bins)
    for first in range(0, len(counts_rg), step):
        counts_gr = np.ascontiguousarray(counts_rg[first : first + step].T)
        positive_rb, all_rb = (np.ascontiguousarray((of_bg @ counts_gr).T) for of_bg in (positive_bg, all_bg))
        yield logits_b, positive_rb, all_rb


def _bins(logits_n: FloatArray) -> IntArray:
    """Bin of each logit; none is empty."""
    different, places_n = np.unique(logits_n, return_inverse=True)
    if len(different) > N_BINS:
        width = (different[-1] - different[0]) / N_BINS
        _, places_n = np.unique(np.floor((logits_n - different[0]) / width), return_inverse=True)
    return np.asarray(places_n, dtype=np.int64)


def _fit(logits_b: FloatArray, positive_rb: FloatArray, all_rb: FloatArray, start_r2: FloatArray) -> FloatArray:
    """Intercept and slope of every row by Newton's method, (r, 2); NaN where it does not converge."""
    fitted_r2, powers_b3 = start_r2.copy(), np.stack([np.ones_like(logits_b), logits_b, logits_b**2], axis=1)
    positive_r, all_r = positive_rb.sum(axis=1), all_rb.sum(axis=1)
    active = np.flatnonzero((positive_r > 0) & (positive_r < all_r))
    converged = np.zeros(len(start_r2), dtype=bool)
    for _ in range(_MOST_STEPS):
        if not len(active):
            break
        step_r2 = _newton_step(powers_b3, positive_rb[active], all_rb[active], fitted_r2[active])
        fitted_r2[active] += np.clip(step_r2, -_LONGEST_STEP, _LONGEST_STEP)
        small = np.abs(step_r2).max(axis=1) < _CONVERGED
        converged[active[small]] = True
        active = active[~small & np.isfinite(step_r2).all(axis=1)]
    return np.where(converged[:, None], fitted_r2, np.nan)


def _newton_step(
    powers_b3: FloatArray, positive_rb: FloatArray, all_rb: FloatArray, fitted_r2: FloatArray
) -> FloatArray:
    """Step towards the maximum of the likelihood, (r, 2); NaN where the likelihood is flat."""
    from scipy.special import expit

    expected_rb = all_rb * (chance_rb := expit(fitted_r2 @ powers_b3[:, :2].T))
    gradient_r2 = (positive_rb - expected_rb) @ powers_b3[:, :2]
    a, b, c = ((expected_rb * (1 - chance_rb)) @ powers_b3).T
    determinant = a * c - b**2
    flat = ~(determinant > _LEAST_DETERMINANT * all_rb.sum(axis=1) ** 2)
    safe = np.where(flat, np.nan, determinant)
    return np.stack(
        [
            (c * gradient_r2[:, 0] - b * gradient_r2[:, 1]) / safe,
            (a * gradient_r2[:, 1] - b * gradient_r2[:, 0]) / safe,
        ],
        axis=1,
    )
