"""Frames of film strips as pictures: camera counts in grey, and what each pixel speaks for in colour.

Array suffixes: c channel, h row, w column.
"""

import base64
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

FOR_COLOUR: Final = (200, 85, 61)
"""Red, green and blue of a pixel that speaks for the explained outcome."""
AGAINST_COLOUR: Final = (42, 127, 158)
"""The same of one that speaks against it."""


def encode_frame(
    frame_chw: NDArray[np.generic],
    inside_hw: NDArray[np.bool_],
    channels: Sequence[str],
    limits: dict[str, tuple[float, float]],
) -> str:
    """One frame as a PNG data URI: channels under each other in grey, what lies outside the image transparent.

    Parameters
    ----------
    frame_chw
        Pixels, any number type.
    inside_hw
        Whether a pixel lies in the image.
    channels
        Name of each channel, in the order of the first axis.
    limits
        Grey values drawn black and white, per channel.

    Returns
    -------
    str
        `data:image/png;base64,...`, an image of `C * (H + 1)` rows and `W + 1` columns: a transparent pixel parts
        the channels, and the frame from the next.
    """
    low_high = np.array([limits[channel] for channel in channels])[:, :, None, None]
    scaled = (frame_chw.astype(np.float64) - low_high[:, 0]) / (low_high[:, 1] - low_high[:, 0])
    grey = (np.clip(scaled, 0, 1) * 255).round().astype(np.uint8)
    opaque = np.broadcast_to(np.where(inside_hw, 255, 0).astype(np.uint8), grey.shape)
    return _encode(np.stack([grey, opaque], axis=-1))


def encode_relevance(relevance_chw: NDArray[np.floating], strongest: float) -> str:
    """Draw what the pixels of one frame speak for, as a PNG data URI of the size that `encode_frame` gives.

    Parameters
    ----------
    relevance_chw
        Positive for the explained outcome (red), negative against it (blue); 0 is transparent.
    strongest
        Size that is drawn in full colour; more is not drawn stronger.
    """
    strength = np.clip(np.abs(relevance_chw) / max(strongest, 1e-12), 0, 1)
    colours = np.array([AGAINST_COLOUR, FOR_COLOUR], dtype=np.uint8)
    colour = colours[(relevance_chw > 0).astype(np.int64)]
    opacity = (strength * 255).round().astype(np.uint8)
    return _encode(np.concatenate([colour, opacity[..., None]], axis=-1))


def _encode(pixels_chwk: NDArray[np.uint8]) -> str:
    """Put channels under each other, a transparent pixel after each row and column of pixels, and write a PNG."""
    edged = np.pad(pixels_chwk, ((0, 0), (0, 1), (0, 1), (0, 0)))
    return write_png(edged.reshape(-1, *edged.shape[2:]))


def write_png(pixels: NDArray[np.uint8]) -> str:
    """Write pixels, (H, W) or (H, W, K), as a PNG data URI."""
    from imagecodecs import png_encode

    return f"data:image/png;base64,{base64.b64encode(bytes(png_encode(np.ascontiguousarray(pixels)))).decode('ascii')}"
