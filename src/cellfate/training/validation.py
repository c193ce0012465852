"""Validation metrics of an epoch of the classifier.

Axes: n cells, k outcomes.
"""

import numpy as np
from numpy.typing import NDArray

from cellfate.statistics.scores import auroc, count_confusion, log_loss, recall

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


def validation_metrics(probabilities_nk: FloatArray, targets_n: IntArray) -> dict[str, float]:
    """Score probabilities so that every outcome weighs the same.

    Parameters
    ----------
    probabilities_nk
        Rows sum to 1.
    targets_n
        Place of the true outcome.

    Returns
    -------
    dict
        `log_loss` and `balanced_accuracy` are means over the outcomes present; `auroc` is the mean over outcomes of one
        against the rest, NaN where fewer than two outcomes are present.
    """
    n_outcomes = probabilities_nk.shape[1]
    together_n, once = np.zeros_like(targets_n), np.ones((1, 1))
    losses_k = log_loss(targets_n, probabilities_nk, targets_n, np.eye(n_outcomes))  # a row counts one outcome
    confusion_1kk = count_confusion(targets_n, probabilities_nk.argmax(axis=1), together_n, once, n_outcomes)
    aurocs = [auroc(probabilities_nk[:, k], targets_n == k, together_n, once)[0] for k in range(n_outcomes)]
    present = np.unique(targets_n)
    return {
        "log_loss": float(losses_k[present].mean()),
        "balanced_accuracy": float(recall(confusion_1kk)[0, present].mean()),
        "auroc": float(np.mean(np.array(aurocs)[present])),
    }
