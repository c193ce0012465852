"""Gentle alterations of the crops of a cell. What is not meant to change keeps every bit.

Shape suffixes: t frames, c channels, h rows, w columns.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

BoolArray = NDArray[np.bool_]
FloatArray = NDArray[np.float64]

HALO_PX = 2
"""Pixels around a mask that still shine with the cell."""


def dim(frames_thw: NDArray[Any], masks_thw: BoolArray, inside_thw: BoolArray, share: float) -> NDArray[Any]:
    """Take a share of the brightness above the surroundings from the pixels of the cell.

    Parameters
    ----------
    frames_thw : ndarray
        Crops of one channel, in the camera's scale.
    masks_thw, inside_thw : ndarray of bool
        Pixels of the cell; pixels in the image.
    share : float
        What is lost, 0 to 1.

    Returns
    -------
    ndarray
        The same shape and dtype, rounded where the camera counts whole numbers.

    Examples
    --------
    >>> mask = np.array([[[False, True, False]]])
    >>> dim(np.array([[[100, 300, 100]]], np.uint16), mask, np.ones_like(mask), 0.25).tolist()
    [[[100, 250, 100]]]
    """
    level_t11 = surroundings(frames_thw, masks_thw, inside_thw)[:, None, None]
    return _replace(frames_thw, level_t11 + (1 - share) * (frames_thw - level_t11), masks_thw)


def change_grain(frames_thw: NDArray[Any], masks_thw: BoolArray, factor: float, grain_px: float) -> NDArray[Any]:
    """Blur or sharpen the grain of the cell; its mean brightness stays.

    Grain is what a pixel differs by from its Gaussian-weighted neighbours inside the mask.

    Parameters
    ----------
    frames_thw, masks_thw : ndarray
        Crops of one channel; pixels of the cell.
    factor : float
        What the grain is multiplied by.
    grain_px : float
        Standard deviation of the Gaussian, in pixels.

    Returns
    -------
    ndarray
        The same shape and dtype.
    """
    from scipy.ndimage import gaussian_filter

    changed_thw = frames_thw.astype(np.float64)
    for frame_hw, mask_hw in zip(changed_thw, masks_thw, strict=True):
        weights_hw = gaussian_filter(mask_hw.astype(np.float64), grain_px)
        smooth_hw = gaussian_filter(np.where(mask_hw, frame_hw, 0.0), grain_px) / np.maximum(weights_hw, 1e-9)
        added_hw = (factor - 1) * (frame_hw - smooth_hw)
        frame_hw[mask_hw] += (added_hw - added_hw[mask_hw].mean())[mask_hw] if mask_hw.any() else 0.0
    return _replace(frames_thw, changed_thw, masks_thw)


def lay_beside(
    cell: tuple[NDArray[Any], BoolArray, BoolArray],
    visitor: tuple[NDArray[Any], BoolArray, BoolArray],
    angle: float,
    gap_px: float,
) -> NDArray[Any]:
    """Lay another cell beside a cell, in all channels; where either shines more than the other, it is seen.

    Parameters
    ----------
    cell, visitor : tuple of ndarray
        Crops (T, C, H, W), masks (T, H, W) and pixels in the image (T, H, W), of as many frames each.
    angle : float
        Where the visitor lies, in radians from the rows' axis.
    gap_px : float
        Pixels between the outlines, taken as those of discs of the same area.

    Returns
    -------
    ndarray
        Crops of the cell; its own pixels, and what lies outside the image, are as they were.
    """
    from scipy.ndimage import binary_dilation, center_of_mass, shift

    (frames_tchw, masks_thw, inside_thw), (other_tchw, other_masks_thw, other_inside_thw) = cell, visitor
    changed_tchw = frames_tchw.copy()
    for t, (mask_hw, other_hw) in enumerate(zip(masks_thw, other_masks_thw, strict=True)):
        radii_px = np.sqrt(mask_hw.sum() / np.pi) + np.sqrt(other_hw.sum() / np.pi) + gap_px
        towards = np.array(center_of_mass(mask_hw)) + radii_px * np.array([np.cos(angle), np.sin(angle)])
        move = np.rint(towards - center_of_mass(other_hw))
        shines_hw = binary_dilation(other_hw, iterations=HALO_PX) & other_inside_thw[t]
        free_hw = shift(shines_hw.astype(np.uint8), move, order=0).astype(bool) & ~mask_hw & inside_thw[t]
        for c in range(frames_tchw.shape[1]):
            here, there = frames_tchw[t : t + 1, c], other_tchw[t : t + 1, c]
            level = surroundings(here, masks_thw[t : t + 1], inside_thw[t : t + 1])[0]
            above_hw = there[0] - surroundings(there, other_masks_thw[t : t + 1], other_inside_thw[t : t + 1])[0]
            laid_hw = np.maximum(here[0], level + shift(above_hw, move, order=0))
            changed_tchw[t, c] = _replace(here[0], laid_hw, free_hw)
    return changed_tchw


def surroundings(frames_thw: NDArray[Any], masks_thw: BoolArray, inside_thw: BoolArray) -> FloatArray:
    """Median of the pixels in the image that are not the cell's, by frame, (T,); of all pixels where none is left."""
    around_thw = inside_thw & ~masks_thw
    around_thw |= ~around_thw.any(axis=(1, 2), keepdims=True)
    return np.array([np.median(frame[around]) for frame, around in zip(frames_thw, around_thw, strict=True)])


def _replace(frames: NDArray[Any], changed: FloatArray, where: BoolArray) -> NDArray[Any]:
    """Take changed pixels where they are meant to change, in the camera's type."""
    if np.issubdtype(frames.dtype, np.integer):
        limits = np.iinfo(frames.dtype)
        changed = np.clip(np.rint(changed), limits.min, limits.max)
    return np.where(where, changed, frames).astype(frames.dtype)
