"""Medians over some of an array's pixels, for many frames at once."""

from typing import Any

import numpy as np
from numpy.typing import NDArray


def masked_median(values_nk: NDArray[Any], valid_nk: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Median of the valid values of each row; NaN where a row has none.

    One sort of the whole array, which is many times faster than `numpy.nanmedian` on image stacks.

    Parameters
    ----------
    values_nk
        Values, (N, K); camera values up to 24 bit are exact in the single precision used.
    valid_nk
        Which of them count, (N, K).
    """
    ordered = np.sort(np.where(valid_nk, values_nk, np.inf).astype(np.float32), axis=1)
    n_valid = valid_nk.sum(axis=1)
    rows = np.arange(len(ordered))
    below = ordered[rows, np.maximum(n_valid - 1, 0) // 2].astype(np.float64)
    above = ordered[rows, np.minimum(n_valid // 2, ordered.shape[1] - 1)].astype(np.float64)
    middle: NDArray[np.float64] = np.where(n_valid > 0, (below + above) / 2, np.nan)
    return middle
