"""Effect sizes of one group of values against another, and rank correlation.

Shape suffixes: t frames of a cell, f features, m masks, n values.
"""

import numpy as np

from cellfate.statistics.bootstrap import BoolArray, FloatArray


def cliffs_delta(values_tf: FloatArray, masks_mt: BoolArray) -> FloatArray:
    """Cliff's delta of the frames in a mask against the rest: P(in > out) - P(in < out).

    Computed from mid-ranks, as the Mann-Whitney U statistic is (Cliff 1993). NaN values are left out.

    Parameters
    ----------
    values_tf
        Values of the frames, (T, F).
    masks_mt
        Masks over the frames, (M, T).

    Returns
    -------
    numpy.ndarray
        (M, F), -1 to 1; NaN where either side has no value.

    Examples
    --------
    >>> cliffs_delta(np.array([[1.0], [2.0], [3.0]]), np.array([[False, False, True]])).tolist()
    [[1.0]]
    """
    from scipy.stats import rankdata

    known_tf = ~np.isnan(values_tf)
    ranks_tf = np.nan_to_num(rankdata(values_tf, axis=0, nan_policy="omit"))
    masks = masks_mt.astype(np.float64)
    n_in = masks @ known_tf
    n_out = known_tf.sum(axis=0) - n_in
    u = masks @ ranks_tf - n_in * (n_in + 1) / 2
    pairs = n_in * n_out
    deltas: FloatArray = np.divide(2 * u - pairs, pairs, out=np.full(pairs.shape, np.nan), where=pairs > 0)
    return deltas


def cohens_d(inside: FloatArray, outside: FloatArray) -> float:
    """Cohen's d: difference of means in pooled standard deviations (n - 1); NaN where these are 0 or undefined."""
    n_in, n_out = len(inside), len(outside)
    if min(n_in, n_out) < 2:
        return float("nan")
    pooled = ((n_in - 1) * inside.var(ddof=1) + (n_out - 1) * outside.var(ddof=1)) / (n_in + n_out - 2)
    return float((inside.mean() - outside.mean()) / np.sqrt(pooled)) if pooled > 0 else float("nan")


def separation(values_n: FloatArray, inside_n: BoolArray) -> float:
    """Chance that a value inside exceeds one outside, ties counting half: the area under the ROC curve.

    Parameters
    ----------
    values_n
        Values, none of them NaN.
    inside_n
        Which of them are inside (the positives).

    Returns
    -------
    float
        0 to 1; NaN where either side is empty. For resamples and weights see `scores.auroc`.

    Examples
    --------
    >>> separation(np.array([0.0, 2.0, 1.0]), np.array([False, True, False]))
    1.0
    """
    return float((1 + cliffs_delta(values_n[:, None], inside_n[None])[0, 0]) / 2)


def rank_correlation(first_n: FloatArray, second_n: FloatArray) -> float:
    """Spearman's rank correlation; NaN where either side is constant, or with fewer than three values."""
    from scipy.stats import rankdata

    if len(first_n) < 3 or np.ptp(first_n) == 0 or np.ptp(second_n) == 0:
        return float("nan")
    return float(np.corrcoef(rankdata(first_n), rankdata(second_n))[0, 1])
