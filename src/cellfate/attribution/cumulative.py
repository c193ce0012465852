"""Cumulative deletion: how far the forecast moves, up and down, as parts go in the order of the size of their values.

Deletion looks at where the forecast stands when several parts are gone: a part that speaks for it hides one that speaks
against it. Cumulative prediction difference and preservation (Jang et al. 2025, ICML, arXiv 2506.05035, section 3.2)
add up the absolute change at every step, one part a step, from the largest value to the smallest and from the smallest
to the largest, so that opposite parts do not cancel and signed and unsigned methods are asked the same.

Two things differ from the paper. It adds up the changes of all probabilities, here it is the log odds of the explained
outcome, as everywhere. It stops after the first K points, and one must choose K: where parts simply add up, the sum
over all of them is the same in every order. Here it is the area under the sum over the shares of the parts: the mean
over all K.

Array suffixes: e deletion and insertion, k steps + 1.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

CUMULATIVE: Final = ("cumulative_deletion", "cumulative_preservation")
"""Scores; what each means: `faithfulness.tabulate_gains`."""
N_WALKED: Final = 2
"""Random orders that are walked part by part, both ways: where parts add up, one gives the mean of all orders."""


def areas_of_moves(curves_ek: FloatArray) -> FloatArray:
    """Areas under the sum of absolute changes, most important part first and least important part first.

    Parameters
    ----------
    curves_ek
        Log odds while one part a step is removed, and put back on nothing, in the order of the size of their values,
        (..., 2, K). Putting back, read backwards, removes the least important part first.

    Returns
    -------
    ndarray of float64, shape (..., 2)
        In logits: the first is the larger, and the second the smaller, the better the order.

    Examples
    --------
    Of 2, -2 and 0 in this order: the forecast moves by 2, 2 and 0, or from the last on by 0, 2 and 2.

    >>> areas_of_moves(np.array([[0.0, -2.0, 0.0, 0.0], [0.0, 2.0, 0.0, 0.0]])).round(2).tolist()
    [2.67, 1.33]
    """
    walks_ek = np.stack([curves_ek[..., 0, :], curves_ek[..., 1, ::-1]], axis=-2)
    moved_ek = np.abs(np.diff(walks_ek, axis=-1, prepend=walks_ek[..., :1])).cumsum(axis=-1)
    return np.asarray(np.trapezoid(moved_ek, dx=1 / (moved_ek.shape[-1] - 1), axis=-1), dtype=np.float64)


def gains_of_moves(curves_oek: FloatArray, n_random: int) -> FloatArray:
    """By how much orders are better than random ones, the first `n_random`, at both areas: (O - `n_random`, 2)."""
    areas_oe = areas_of_moves(curves_oek)
    better_e = np.array([1.0, -1.0])  # much is moved early by the most important parts, and late after the least
    return np.asarray(better_e * (areas_oe[n_random:] - areas_oe[:n_random].mean()), dtype=np.float64)
