"""Validation metrics of an epoch.

Axes: n samples, k outcomes.
"""

import numpy as np
from numpy.typing import NDArray

from cellfate.statistics.scores import LEAST_PROBABILITY

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

METRICS = ("log_loss", "balanced_accuracy", "auroc")


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
