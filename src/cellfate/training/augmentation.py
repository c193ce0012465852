"""Changes to the frames of a cell that leave its fate as it is.

Axes: t frames, c channels, h rows, w columns.
"""

import numpy as np
from numpy.typing import NDArray

from cellfate.training.settings import AugmentationSettings, TrackAugmentationSettings

_BLOCK_FRAMES = 3
"""Frames in a row in which a channel is absent or not."""

FloatArray = NDArray[np.float32]
IntArray = NDArray[np.int64]


def choose_frames(n_frames: int, settings: AugmentationSettings, rng: np.random.Generator) -> IntArray:
    """Choose which frames of a cell are shown: all, or, of a track read at its end, maybe not its end and not all.

    Parameters
    ----------
    n_frames
        Frames of the cell, at least 1.
    settings
        Shares.
    rng
        Source of randomness.

    Returns
    -------
    ndarray of int64
        Ascending places, at least one.
    """
    if not isinstance(settings, TrackAugmentationSettings):
        return np.arange(n_frames)
    kept = n_frames
    if rng.random() < settings.drop_end_share:
        dropped = rng.uniform(settings.drop_end_least, settings.drop_end_most)
        kept = max(1, n_frames - round(dropped * n_frames))
    if settings.shown_frames is None or kept <= settings.shown_frames:
        return np.arange(kept)
    return np.sort(rng.choice(kept, size=settings.shown_frames, replace=False))


def augment_frames(
    frames_tchw: FloatArray, settings: AugmentationSettings, rng: np.random.Generator, n_pixels: int | None = None
) -> FloatArray:
    """Mirror, turn and blur the normalised frames of a cell, all alike; then make parts of it absent.

    Parameters
    ----------
    frames_tchw
        Normalised frames; they are not changed.
    settings
        What is done, and how often.
    rng
        Source of randomness.
    n_pixels
        First channels, which are pixels; others hold measurements, which are not turned. None: all are.

    Returns
    -------
    ndarray of float32, shape (T, C, H, W)
        May be a view of the input.
    """
    if n_pixels is None or n_pixels == frames_tchw.shape[1]:
        frames_tchw = _move_pixels(frames_tchw, settings, rng)
    elif n_pixels:
        moved_tchw = _move_pixels(frames_tchw[:, :n_pixels], settings, rng)
        frames_tchw = np.concatenate((moved_tchw, frames_tchw[:, n_pixels:]), axis=1)
    if settings.absent_share > 0 and rng.random() < settings.absent_share:
        frames_tchw = np.where(
            _draw_present(frames_tchw.shape[0], frames_tchw.shape[1], rng), frames_tchw, np.float32(0)
        )
    return frames_tchw


def _move_pixels(frames_tchw: FloatArray, settings: AugmentationSettings, rng: np.random.Generator) -> FloatArray:
    if settings.flip_and_rotate:
        square = frames_tchw.shape[-2] == frames_tchw.shape[-1]
        turns = int(rng.integers(4)) if square else 2 * int(rng.integers(2))
        frames_tchw = np.rot90(frames_tchw, turns, axes=(-2, -1))
        if rng.random() < 0.5:
            frames_tchw = frames_tchw[..., ::-1]
    if rng.random() < settings.blur_share:
        frames_tchw = _blur(frames_tchw, rng.uniform(0, settings.blur_sigma_px))
    return frames_tchw


def _draw_present(n_frames: int, n_channels: int, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Draw which channels of which frames stay, (T, C, 1, 1): blocks of frames, a random share of them."""
    block_t = np.arange(n_frames) // _BLOCK_FRAMES
    stays = rng.random((int(block_t[-1]) + 1, n_channels)) < rng.random()
    return stays[block_t][:, :, None, None]


def _blur(frames_tchw: FloatArray, sigma_px: float) -> FloatArray:
    from scipy.ndimage import gaussian_filter

    return np.asarray(gaussian_filter(frames_tchw, sigma=(0, 0, sigma_px, sigma_px), mode="nearest"), dtype=np.float32)
