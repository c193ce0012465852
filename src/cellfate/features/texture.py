"""How grainy a cell is inside its mask.

Shape suffixes: t frames of a cell, c channels, h rows, w columns.
"""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

BoolArray = NDArray[np.bool_]
FloatArray = NDArray[np.float64]

_DIRECTIONS: Final = ((0, 1), (1, 1), (1, 0), (1, -1))
"""Rows and columns from a pixel to its neighbour at 0, 45, 90 and 135 degrees."""
_ROUNDING: Final = 1e-9
"""Variance of grey levels that rounding alone may leave."""


def measure_textures(frames_tchw: NDArray[Any], masks_thw: BoolArray) -> FloatArray:
    """One less the correlation of the grey levels of adjacent pixels inside the mask.

    0 is a smooth slope and 1 pure noise, whatever the brightness, the contrast and the background. Noise of the camera
    counts as grain, so a dimmer cell looks grainier.

    Parameters
    ----------
    frames_tchw
        Crops, (T, C, H, W).
    masks_thw
        Masks, bool (T, H, W).

    Returns
    -------
    numpy.ndarray
        (T, C); NaN where a mask is empty, has no two adjacent pixels, or is of one grey level.

    Notes
    -----
    The correlation (f3) of the symmetric grey-level co-occurrence matrix at distance 1, summed over four directions,
    of the camera's own grey levels. Source: Haralick, Shanmugam and Dinstein, IEEE Trans. Syst. Man Cybern. 3, 610
    (1973).
    """
    pixels_tchw, masks_thw = _cut_to_masks(frames_tchw, masks_thw)
    n_neighbors_thw, products_tc = _over_directions(pixels_tchw, masks_thw)
    n_t1 = n_neighbors_thw.sum(axis=(1, 2))[:, None]
    with np.errstate(divide="ignore", invalid="ignore"):
        mean_tc = np.einsum("tchw,thw->tc", pixels_tchw, n_neighbors_thw) / n_t1
        variance_tc = np.einsum("tchw,tchw,thw->tc", pixels_tchw, pixels_tchw, n_neighbors_thw) / n_t1 - mean_tc**2
        correlation_tc = (2 * products_tc / n_t1 - mean_tc**2) / variance_tc
    textures_tc: FloatArray = np.where(variance_tc > _ROUNDING, 1 - correlation_tc, np.nan)
    return textures_tc


def _cut_to_masks(frames_tchw: NDArray[Any], masks_thw: BoolArray) -> tuple[FloatArray, BoolArray]:
    """Cut crops to the rows and columns that hold a mask in any frame; pixels less their mask's mean, 0 outside it."""
    rows, columns = (np.flatnonzero(masks_thw.any(axis=axes)) for axes in ((0, 2), (0, 1)))
    if len(rows) == 0:
        return np.zeros((*frames_tchw.shape[:2], 1, 1)), masks_thw[:, :1, :1]
    cut = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
    masks_thw = masks_thw[:, *cut]
    pixels_tchw = frames_tchw[:, :, *cut].astype(np.float64)
    n_t1 = np.maximum(masks_thw.sum(axis=(1, 2)), 1)[:, None]
    mean_tc = np.einsum("tchw,thw->tc", pixels_tchw, masks_thw.astype(np.float64)) / n_t1
    pixels_tchw -= mean_tc[:, :, None, None]
    pixels_tchw *= masks_thw[:, None]
    return pixels_tchw, masks_thw


def _over_directions(pixels_tchw: FloatArray, masks_thw: BoolArray) -> tuple[FloatArray, FloatArray]:
    """Neighbours of each pixel within its mask (T, H, W), and the product of both pixels summed over pairs (T, C)."""
    n_neighbors_thw = np.zeros(masks_thw.shape)
    products_tc = np.zeros(pixels_tchw.shape[:2])
    for rows, columns in _DIRECTIONS:
        here = ..., slice(None, -rows or None), slice(max(-columns, 0), -columns if columns > 0 else None)
        there = ..., slice(rows, None), slice(max(columns, 0), columns if columns < 0 else None)
        both_thw = masks_thw[here] & masks_thw[there]
        n_neighbors_thw[here] += both_thw
        n_neighbors_thw[there] += both_thw
        products_tc += np.einsum("tchw,tchw->tc", pixels_tchw[here], pixels_tchw[there])
    return n_neighbors_thw, products_tc
