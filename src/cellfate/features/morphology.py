"""Shape of a mask: area, perimeter and what follows from them.

Shape suffixes: t frames of a cell, c channels, h rows, w columns.
"""

from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cellfate.features.medians import masked_median

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
    from skimage.measure import regionprops_table

    names = ("label", "area", "perimeter", "eccentricity", "solidity", "equivalent_diameter_area")
    measured = regionprops_table(_one_below_another(masks_thw), properties=names)  # type: ignore[no-untyped-call]
    table = pd.DataFrame(measured).set_index("label")
    perimeter = table["perimeter"].where(table["perimeter"] > 0)
    table = table.rename(columns={"equivalent_diameter_area": "equivalent_diameter"}).astype(np.float64)
    table["circularity"] = 4 * np.pi * table["area"] / perimeter**2
    everything = table.reindex(np.arange(1, len(masks_thw) + 1)).reset_index(drop=True)
    return everything[list(SHAPE_FEATURES)]


def _one_below_another(masks_thw: BoolArray) -> NDArray[np.int32]:
    """All masks in one label image, frame t labelled t + 1, a blank row between: one call measures them all."""
    n_frames, height_px, width_px = masks_thw.shape
    padded = np.zeros((n_frames, height_px + 2, width_px + 2), dtype=np.int32)
    padded[:, 1:-1, 1:-1] = masks_thw * np.arange(1, n_frames + 1, dtype=np.int32)[:, None, None]
    return padded.reshape(-1, width_px + 2)


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
