"""Validation metrics of an epoch, and the threshold chosen on the validation part.

Axes: n samples, k outcomes, t thresholds.
"""

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

METRICS = ("log_loss", "balanced_accuracy", "auroc")
LEAST_PROBABILITY = 1e-7
"""Probabilities are clipped to this (the resolution of float32) before the logarithm: one sure mistake stays finite."""


def validation_metrics(probabilities_nk: FloatArray, targets_n: IntArray) -> dict[str, float]:
    """Score probabilities so that every outcome weighs the same.

    Parameters
    ----------
    probabilities_nk
        Rows sum to 1.
    targets_n
        Index of the true outcome.

    Returns
    -------
    dict
        `log_loss` and `balanced_accuracy` are means over the outcomes present; `auroc` is the mean over outcomes of one
        against the rest, NaN where fewer than two outcomes are present.
    """
    present = np.unique(targets_n)
    own_n = probabilities_nk[np.arange(len(targets_n)), targets_n]
    losses_n = -np.log(np.maximum(own_n, LEAST_PROBABILITY))
    right_n = probabilities_nk.argmax(axis=1) == targets_n
    return {
        "log_loss": float(np.mean([losses_n[targets_n == k].mean() for k in present])),
        "balanced_accuracy": float(np.mean([right_n[targets_n == k].mean() for k in present])),
        "auroc": _auroc(probabilities_nk, targets_n, present),
    }


def _auroc(probabilities_nk: FloatArray, targets_n: IntArray, present: IntArray) -> float:
    if len(present) < 2:
        return float("nan")
    from sklearn.metrics import roc_auc_score

    return float(np.mean([roc_auc_score(targets_n == k, probabilities_nk[:, k]) for k in present]))


def choose_threshold(probability_n: FloatArray, positive_n: NDArray[np.bool_]) -> float:
    """Choose the probability from which a sample is called positive, by balanced accuracy.

    Parameters
    ----------
    probability_n
        Probability of the first outcome.
    positive_n
        Whether the first outcome is true.

    Returns
    -------
    float
        Half way between two neighbouring probabilities, where balanced accuracy is highest; of equals the one nearest
        .5. NaN where there is no positive, no negative, or where all probabilities are equal.
    """
    values = np.unique(probability_n)
    if len(values) < 2 or positive_n.all() or not positive_n.any():
        return float("nan")
    candidates_t = (values[1:] + values[:-1]) / 2
    positives, negatives = np.sort(probability_n[positive_n]), np.sort(probability_n[~positive_n])
    recall_t = 1 - np.searchsorted(positives, candidates_t) / len(positives)
    specificity_t = np.searchsorted(negatives, candidates_t) / len(negatives)
    score_t = recall_t + specificity_t
    best = candidates_t[np.isclose(score_t, score_t.max(), rtol=0, atol=1e-12)]
    return float(best[np.abs(best - 0.5).argmin()])
