"""Shape of a mask: area, perimeter and what follows from them.

Shape suffixes: t frames of a cell, c channels, h rows, w columns.
"""

from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cellfate.statistics.medians import masked_median

BoolArray = NDArray[np.bool_]
FloatArray = NDArray[np.float64]

SHAPE_FEATURES: Final = ("area", "perimeter", "circularity", "eccentricity", "solidity", "equivalent_diameter")


def measure_shapes(masks_thw: BoolArray) -> pd.DataFrame:
    """Measure the shape of every frame's mask.

    Parameters
    ----------
    masks_thw
        Masks, bool (T, H, W).

    Returns
    -------
    pandas.DataFrame
        One row a frame, columns `SHAPE_FEATURES`: area (px^2), perimeter (px), circularity 4 pi area / perimeter^2,
        eccentricity, solidity, equivalent_diameter (px), as `skimage.measure.regionprops` defines them; NaN for an
        empty mask.
    """
    area = masks_thw.sum(axis=(1, 2)).astype(np.float64)
    perimeter = measure_perimeters(masks_thw)
    table = pd.DataFrame({"area": area, "perimeter": perimeter})
    table["circularity"] = 4 * np.pi * area / np.where(perimeter > 0, perimeter, np.nan) ** 2
    table["eccentricity"] = measure_eccentricities(masks_thw)
    table["solidity"] = area / np.array([_hull_area(mask) for mask in masks_thw])
    table["equivalent_diameter"] = np.sqrt(4 * area / np.pi)
    table.loc[area == 0] = np.nan
    return table[list(SHAPE_FEATURES)]


def measure_perimeters(masks_thw: BoolArray) -> FloatArray:
    """Length in px of the lines through the centres of the border pixels, (T,).

    Each border pixel adds what the arrangement of its border neighbours says (Benkrid and Crookes, as in
    `skimage.measure.perimeter`).
    """
    padded = np.pad(masks_thw, ((0, 0), (2, 2), (2, 2)))
    inner = padded[:, 1:-1, 1:-1]
    beside = padded[:, :-2, 1:-1] & padded[:, 2:, 1:-1] & padded[:, 1:-1, :-2] & padded[:, 1:-1, 2:]
    border = (inner & ~beside).astype(np.uint8)
    up_down = border[:, :-2] + border[:, 2:]
    straight = up_down[:, :, 1:-1] + border[:, 1:-1, :-2] + border[:, 1:-1, 2:]
    diagonal = up_down[:, :, :-2] + up_down[:, :, 2:]
    code = border[:, 1:-1, 1:-1] * (1 + 2 * straight + 10 * diagonal)
    return np.asarray(_PERIMETER_WEIGHTS[code].sum(axis=(1, 2)), dtype=np.float64)


def measure_eccentricities(masks_thw: BoolArray) -> FloatArray:
    """Eccentricity of the ellipse with the masks' second moments, (T,): 0 for a circle, towards 1 for a line."""
    weights = masks_thw.astype(np.float64)
    area = np.maximum(weights.sum(axis=(1, 2)), 1.0)
    rows, columns = (np.arange(n, dtype=np.float64) for n in masks_thw.shape[1:])
    of_rows, of_columns = weights.sum(axis=2), weights.sum(axis=1)
    row, column = of_rows @ rows / area, of_columns @ columns / area
    var_row = of_rows @ rows**2 / area - row**2
    var_column = of_columns @ columns**2 / area - column**2
    covariance = ((weights @ columns) @ rows) / area - row * column
    middle, spread = (var_row + var_column) / 2, np.hypot((var_row - var_column) / 2, covariance)
    ratio = np.divide(middle - spread, middle + spread, out=np.ones_like(middle), where=middle + spread > 0)
    return np.asarray(np.sqrt(np.clip(1 - ratio, 0.0, 1.0)), dtype=np.float64)


def _perimeter_weights() -> FloatArray:
    """Length that a border pixel adds, by the code of its neighbourhood: 1 + 2 straight + 10 diagonal neighbours."""
    weights = np.zeros(1 + 2 * 4 + 10 * 4 + 1)
    weights[[5, 7, 15, 17, 25, 27]] = 1.0
    weights[[21, 33]] = np.sqrt(2)
    weights[[13, 23]] = (1 + np.sqrt(2)) / 2
    return weights


_PERIMETER_WEIGHTS: Final = _perimeter_weights()


def _hull_area(mask_hw: BoolArray) -> float:
    """Pixels in the convex hull of a mask; NaN for an empty one."""
    from skimage.morphology import convex_hull_image

    rows, columns = np.flatnonzero(mask_hw.any(axis=1)), np.flatnonzero(mask_hw.any(axis=0))
    if len(rows) == 0:
        return float("nan")
    cut = mask_hw[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    return float(convex_hull_image(cut).sum())  # type: ignore[no-untyped-call]


def measure_intensities(frames_tchw: NDArray[Any], masks_thw: BoolArray, inside_thw: BoolArray) -> FloatArray:
    """Mean intensity in the mask less the local background, per frame and channel.

    The background is the median of the crop's pixels that lie in the image and outside the mask.

    Returns
    -------
    numpy.ndarray
        (T, C) on the camera's scale; NaN where the mask is empty or leaves no background.
    """
    n_mask_t = masks_thw.sum(axis=(1, 2))
    around_thw = inside_thw & ~masks_thw
    usable_t = (n_mask_t > 0) & around_thw.any(axis=(1, 2))
    result = np.full(frames_tchw.shape[:2], np.nan)
    if not usable_t.any():
        return result
    frames, masks = frames_tchw[usable_t], masks_thw[usable_t]
    sums = np.einsum("tchw,thw->tc", frames.astype(np.float64), masks.astype(np.float64))
    pixels = frames.reshape(len(frames) * frames.shape[1], -1)
    around = np.repeat(around_thw[usable_t].reshape(len(frames), -1), frames.shape[1], axis=0)
    background = masked_median(pixels, around).reshape(sums.shape)
    result[usable_t] = sums / n_mask_t[usable_t][:, None] - background
    return result
