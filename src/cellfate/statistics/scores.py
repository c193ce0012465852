"""Scores of forecasts, computed for many resamples of the same landmarks at once.

Every function returns one value a row of `counts_rg` (see `bootstrap.draw_groups`) and NaN where the score is
undefined, never 0: recall of a class that is absent, precision of a class that is never called.

Weights (`weights_n`) make a landmark count for more or less than one; null: each counts once.

Array suffixes: n landmarks, k outcomes, g groups, r rows of counts, b blocks of equal scores or bins of probabilities.
"""

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np

from cellfate.statistics.bootstrap import BoolArray, FloatArray, IntArray, mean_by_group, sum_by_group

LEAST_PROBABILITY: Final = 1e-7
"""Probabilities are clipped to this (the resolution of float32) before the logarithm: one sure mistake stays finite."""
_MOST_WEIGHTS: Final = 200_000  # of one chunk of rows; larger ones fall out of the cache and take several times as long


def _ratio(numerator: FloatArray, denominator: FloatArray) -> FloatArray:
    """Quotient; NaN where the denominator is 0."""
    safe = np.where(denominator > 0, denominator, np.nan)
    return np.asarray(numerator / safe, dtype=np.float64)


def count_confusion(
    truth_n: IntArray,
    calls_n: IntArray,
    groups_n: IntArray,
    counts_rg: FloatArray,
    k: int,
    weights_n: FloatArray | None = None,
) -> FloatArray:
    """Confusion matrices.

    Returns
    -------
    ndarray, float64, (r, k, k)
        Landmarks (their weight) with true outcome (row) and called outcome (column).
    """
    n_groups = counts_rg.shape[1]
    cells = (groups_n * k + truth_n) * k + calls_n
    by_group = np.bincount(cells, weights_n, n_groups * k * k).reshape(n_groups, k * k)
    return (counts_rg @ by_group).reshape(-1, k, k)


def recall(confusion_rkk: FloatArray) -> FloatArray:
    """Share of each true outcome that is called so, (r, k)."""
    return _ratio(np.diagonal(confusion_rkk, axis1=1, axis2=2), confusion_rkk.sum(axis=2))


def precision(confusion_rkk: FloatArray) -> FloatArray:
    """Share of each call that is true, (r, k)."""
    return _ratio(np.diagonal(confusion_rkk, axis1=1, axis2=2), confusion_rkk.sum(axis=1))


def f1(confusion_rkk: FloatArray) -> FloatArray:
    """Harmonic mean of precision and recall, 2 TP / (2 TP + FP + FN), (r, k)."""
    right = 2 * np.diagonal(confusion_rkk, axis1=1, axis2=2)
    return _ratio(right, confusion_rkk.sum(axis=1) + confusion_rkk.sum(axis=2))


def balanced_accuracy(confusion_rkk: FloatArray) -> FloatArray:
    """Mean recall over all outcomes, (r,); NaN where one is absent."""
    return np.asarray(recall(confusion_rkk).mean(axis=1))


def macro_f1(confusion_rkk: FloatArray) -> FloatArray:
    """Mean F1 over all outcomes, (r,)."""
    return np.asarray(f1(confusion_rkk).mean(axis=1))


def matthews(confusion_rkk: FloatArray) -> FloatArray:
    """Matthews correlation for any number of outcomes, (r,); NaN where only one outcome is true or called.

    Source: Gorodkin, Comput. Biol. Chem. 28, 367 (2004).
    """
    total = confusion_rkk.sum(axis=(1, 2))
    true_rk, called_rk = confusion_rkk.sum(axis=2), confusion_rkk.sum(axis=1)
    covariance = total * np.trace(confusion_rkk, axis1=1, axis2=2) - (true_rk * called_rk).sum(axis=1)
    spread = (total**2 - (true_rk**2).sum(axis=1)) * (total**2 - (called_rk**2).sum(axis=1))
    return _ratio(covariance, np.sqrt(spread))


def brier(
    truth_n: IntArray,
    probabilities_nk: FloatArray,
    groups_n: IntArray,
    counts_rg: FloatArray,
    weights_n: FloatArray | None = None,
) -> FloatArray:
    """Mean squared distance of the probabilities from the truth, summed over the outcomes (0 to 2), (r,)."""
    truth_nk = np.eye(probabilities_nk.shape[1])[truth_n]
    loss_n = ((probabilities_nk - truth_nk) ** 2).sum(axis=1)
    return mean_by_group(loss_n, groups_n, counts_rg, weights_n)


def log_loss(
    truth_n: IntArray,
    probabilities_nk: FloatArray,
    groups_n: IntArray,
    counts_rg: FloatArray,
    weights_n: FloatArray | None = None,
) -> FloatArray:
    """Mean negative natural logarithm of the probability of what happened, (r,)."""
    of_truth = np.clip(probabilities_nk[np.arange(len(truth_n)), truth_n], LEAST_PROBABILITY, 1)
    return mean_by_group(-np.log(of_truth), groups_n, counts_rg, weights_n)


def binary_brier(
    probabilities_n: FloatArray,
    positive_n: BoolArray,
    groups_n: IntArray,
    counts_rg: FloatArray,
    weights_n: FloatArray | None = None,
) -> FloatArray:
    """Mean squared distance of one probability from what happened (0 to 1), (r,)."""
    return mean_by_group((probabilities_n - positive_n) ** 2, groups_n, counts_rg, weights_n)


def brier_skill(
    probabilities_n: FloatArray,
    positive_n: BoolArray,
    groups_n: IntArray,
    counts_rg: FloatArray,
    weights_n: FloatArray | None = None,
) -> FloatArray:
    """Share of the Brier score of one forecast for all that forecasts save, (r,).

    The one forecast is the weighted share of landmarks with the event, of the same landmarks (in a resample: of that
    resample): the best that one forecast could be. 1 is certainty, 0 no better than it, below 0 worse. NaN where
    nothing happened or everything did.
    """
    brier_r = binary_brier(probabilities_n, positive_n, groups_n, counts_rg, weights_n)
    share_r = mean_by_group(positive_n, groups_n, counts_rg, weights_n)
    return 1 - _ratio(brier_r, share_r * (1 - share_r))


def observed_over_expected(
    probabilities_n: FloatArray,
    positive_n: BoolArray,
    groups_n: IntArray,
    counts_rg: FloatArray,
    weights_n: FloatArray | None = None,
) -> FloatArray:
    """Events for each that was forecast: above 1 where too little is forecast, (r,); NaN where none is."""
    observed_r = mean_by_group(positive_n, groups_n, counts_rg, weights_n)
    return _ratio(observed_r, mean_by_group(probabilities_n, groups_n, counts_rg, weights_n))


def auroc(
    scores_n: FloatArray,
    positive_n: BoolArray,
    groups_n: IntArray,
    counts_rg: FloatArray,
    weights_n: FloatArray | None = None,
) -> FloatArray:
    """Area under the ROC curve: the chance that a positive outscores a negative, ties counting half, (r,)."""
    return _rank_scores((_auroc_of_blocks,), scores_n, positive_n, groups_n, counts_rg, weights_n)[0]


def auroc_within(
    scores_n: FloatArray,
    positive_n: BoolArray,
    strata_n: IntArray,
    groups_n: IntArray,
    counts_rg: FloatArray,
    weights_n: FloatArray | None = None,
) -> FloatArray:
    """Area under the ROC curve over pairs of a positive and a negative of the same stratum, (r,); NaN without a pair.

    What only tells strata apart is worth .5 here.
    """
    each_n = np.ones(len(scores_n)) if weights_n is None else weights_n
    won_r, pairs_r = np.zeros(len(counts_rg)), np.zeros(len(counts_rg))
    for stratum in np.unique(strata_n):
        at_n = strata_n == stratum
        positive, groups, weights = positive_n[at_n], groups_n[at_n], each_n[at_n]
        sides = [sum_by_group(weights * is_class, groups, counts_rg) for is_class in (positive, ~positive)]
        if not (sides[0][0] > 0 and sides[1][0] > 0):
            continue
        of_stratum = auroc(scores_n[at_n], positive, groups, counts_rg, weights)
        both_r = sides[0] * sides[1]
        won_r += np.where(both_r > 0, both_r * of_stratum, 0)
        pairs_r += both_r
    return _ratio(won_r, pairs_r)


def auroc_and_average_precision(
    scores_n: FloatArray,
    positive_n: BoolArray,
    groups_n: IntArray,
    counts_rg: FloatArray,
    weights_n: FloatArray | None = None,
) -> tuple[FloatArray, FloatArray]:
    """AUROC, and precision averaged over the steps of recall without interpolation, for the work of one; each (r,).

    Both are NaN without a positive or without a negative.
    """
    both = (_auroc_of_blocks, _average_precision_of_blocks)
    aurocs, precisions = _rank_scores(both, scores_n, positive_n, groups_n, counts_rg, weights_n)
    return aurocs, precisions


def _auroc_of_blocks(positive_br: FloatArray, negative_br: FloatArray) -> FloatArray:
    below_br = negative_br.sum(axis=0) - np.cumsum(negative_br, axis=0)
    won = (positive_br * (below_br + negative_br / 2)).sum(axis=0)
    return _ratio(won, positive_br.sum(axis=0) * negative_br.sum(axis=0))


def _average_precision_of_blocks(positive_br: FloatArray, negative_br: FloatArray) -> FloatArray:
    true_br = np.cumsum(positive_br, axis=0)
    called_br = true_br + np.cumsum(negative_br, axis=0)
    precision_br = true_br / np.where(called_br > 0, called_br, 1)
    told_apart_r = negative_br.sum(axis=0) > 0  # of positives alone it is 1, whatever the scores
    return _ratio((positive_br * precision_br).sum(axis=0), positive_br.sum(axis=0) * told_apart_r)


def _rank_scores(
    scores: Sequence[Callable[[FloatArray, FloatArray], FloatArray]],
    scores_n: FloatArray,
    positive_n: BoolArray,
    groups_n: IntArray,
    counts_rg: FloatArray,
    weights_n: FloatArray | None,
) -> list[FloatArray]:
    """Apply scores of ranks to the weights of blocks of equal scores, from the highest block down.

    Rows of counts are taken some at a time, so that memory stays bounded.
    """
    from scipy.sparse import csr_array

    if not len(scores_n):
        return [np.full(len(counts_rg), np.nan) for _ in scores]
    blocks_n = _rank_blocks(scores_n, positive_n)
    shape = (int(blocks_n.max()) + 1, counts_rg.shape[1])
    each_n = np.ones(len(scores_n)) if weights_n is None else weights_n
    positive_bg, negative_bg = (
        csr_array((is_class_n * each_n, (blocks_n, groups_n)), shape=shape) for is_class_n in (positive_n, ~positive_n)
    )
    step = max(1, _MOST_WEIGHTS // shape[0])
    values = []
    for first in range(0, len(counts_rg), step):
        counts_gr = np.ascontiguousarray(counts_rg[first : first + step].T)
        positive_br, negative_br = positive_bg @ counts_gr, negative_bg @ counts_gr
        values.append([score(positive_br, negative_br) for score in scores])
    return [np.concatenate(of_score) for of_score in zip(*values, strict=True)]


def _rank_blocks(scores_n: FloatArray, positive_n: BoolArray) -> IntArray:
    """Block of equal scores of each landmark, the highest first.

    Neighbouring blocks without a positive are made one: no positive stands between them, so no score of ranks changes.
    """
    _, blocks_n = np.unique(-scores_n, return_inverse=True)
    holds_b = np.bincount(blocks_n, positive_n) > 0
    begins_b = holds_b | np.concatenate(([True], holds_b[:-1]))
    return np.asarray(np.cumsum(begins_b)[blocks_n] - 1, dtype=np.int64)


def equal_mass_bins(probabilities_n: FloatArray, n_bins: int) -> IntArray:
    """Bin of each probability, ascending from 0; equal ones share a bin, so there may be fewer than `n_bins`."""
    edges = np.unique(np.quantile(probabilities_n, np.linspace(0, 1, n_bins + 1)[1:-1]))
    _, bins_n = np.unique(np.searchsorted(edges, probabilities_n, side="left"), return_inverse=True)
    return bins_n.astype(np.int64)


def calibration_error(
    probabilities_n: FloatArray,
    positive_n: BoolArray,
    groups_n: IntArray,
    counts_rg: FloatArray,
    n_bins: int,
    weights_n: FloatArray | None = None,
) -> FloatArray:
    """Mean distance between probability and frequency over bins of equal mass, (r,).

    The bins are those of the data as they are; resamples keep them. The error is biased upwards by few a bin.
    Weights count in the frequencies and in the mean over bins, not in where the bins are.
    """
    if not len(probabilities_n):
        return np.full(len(counts_rg), np.nan)
    bins_n, n_groups = equal_mass_bins(probabilities_n, n_bins), counts_rg.shape[1]
    weights = np.ones(len(bins_n)) if weights_n is None else weights_n
    cells = groups_n * (bins_n.max() + 1) + bins_n
    excess_n = (probabilities_n - positive_n) * weights
    excess_gb = np.bincount(cells, excess_n, n_groups * (bins_n.max() + 1)).reshape(n_groups, -1)
    distance = np.abs(counts_rg @ excess_gb).sum(axis=1)
    return _ratio(distance, sum_by_group(weights, groups_n, counts_rg))
