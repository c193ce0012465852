"""The probability from which something is called.

Axes: n forecasts, t thresholds.
"""

import numpy as np

from cellfate.statistics.bootstrap import BoolArray, FloatArray


def choose_threshold(probability_n: FloatArray, positive_n: BoolArray) -> float:
    """Choose the probability from which a landmark is called positive, by balanced accuracy.

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
