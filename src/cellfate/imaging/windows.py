"""Crop windows of fixed size round a centre, over the border where need be."""

import math
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Pixel = TypeVar("Pixel", bound=np.generic)


def window_origin(y_px: float, x_px: float, height_px: int, width_px: int) -> tuple[int, int]:
    """First row and column of the crop window round a centre.

    The rows are `floor(y + .5) - H // 2` and H of them, likewise the columns: the centre is rounded to the nearest
    pixel, never towards zero.

    Parameters
    ----------
    y_px, x_px : float
        Centre; pixel centres are integers. May lie outside the image.
    height_px, width_px : int
        Size of the window.

    Returns
    -------
    y0_px, x0_px : int
        May be negative: the window starts outside the image.

    Examples
    --------
    >>> window_origin(10.5, -0.6, 4, 5)
    (9, -3)
    """
    return math.floor(y_px + 0.5) - height_px // 2, math.floor(x_px + 0.5) - width_px // 2


def cut_window(image_cyx: NDArray[Pixel], y_px: float, x_px: float, height_px: int, width_px: int) -> NDArray[Pixel]:
    """Cut a window of fixed size out of an image; what lies outside the image is 0.

    Parameters
    ----------
    image_cyx : ndarray, shape (..., Y, X), any dtype
        Image; leading axes, such as channels, are kept.
    y_px, x_px : float
        Centre of the window; see `window_origin`.
    height_px, width_px : int
        Size of the window.

    Returns
    -------
    ndarray, shape (..., height_px, width_px), dtype of the image
        A copy.
    """
    y0, x0 = window_origin(y_px, x_px, height_px, width_px)
    crop = np.zeros((*image_cyx.shape[:-2], height_px, width_px), dtype=image_cyx.dtype)
    paste_window(image_cyx, y0, x0, crop)
    return crop


def paste_window(image_cyx: NDArray[Pixel], y0_px: int, x0_px: int, crop_chw: NDArray[Pixel]) -> None:
    """Fill the part of a crop that lies in the image; the rest of the crop is left as it is.

    Parameters
    ----------
    image_cyx : ndarray, shape (..., Y, X), any dtype
        Image.
    y0_px, x0_px : int
        First row and column of the window; see `window_origin`.
    crop_chw : ndarray, shape (..., H, W)
        The crop that is filled, in place, so that no pixel is copied twice.
    """
    (height_px, width_px), (image_height, image_width) = crop_chw.shape[-2:], image_cyx.shape[-2:]
    top, bottom = max(y0_px, 0), min(y0_px + height_px, image_height)
    left, right = max(x0_px, 0), min(x0_px + width_px, image_width)
    if top < bottom and left < right:
        crop_chw[..., top - y0_px : bottom - y0_px, left - x0_px : right - x0_px] = image_cyx[
            ..., top:bottom, left:right
        ]
