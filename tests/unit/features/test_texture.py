"""How grainy a cell is: against scikit-image, and by hand."""

import numpy as np
import pytest

from cellfate.features.texture import measure_textures


def noise(shape: tuple[int, ...], seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 16, shape).astype(np.uint16)


def test_a_whole_window_agrees_with_scikit_image() -> None:
    from scipy.ndimage import gaussian_filter
    from skimage.feature import graycomatrix, graycoprops

    smooth = gaussian_filter(noise((2, 3, 12, 9)).astype(float), (0, 0, 1, 1)).round().astype(np.uint16)
    textures = measure_textures(smooth, np.ones((2, 12, 9), dtype=bool))
    angles = [0, np.pi / 4, np.pi / 2, 3 * np.pi / 4]
    for frame, channel in np.ndindex(2, 3):
        pairs = graycomatrix(smooth[frame, channel].astype(np.uint8), [1], angles, levels=16, symmetric=True)
        summed = pairs.sum(axis=3, keepdims=True)
        assert textures[frame, channel] == pytest.approx(1 - graycoprops(summed, "correlation")[0, 0], abs=1e-10)


def test_three_pixels_in_a_corner_by_hand() -> None:
    frame = np.full((1, 1, 4, 4), 999, dtype=np.uint16)
    mask = np.zeros((1, 4, 4), dtype=bool)
    mask[0, [0, 0, 1], [0, 1, 0]] = True
    frame[0, 0, 0, 0], frame[0, 0, 0, 1], frame[0, 0, 1, 0] = 10, 13, 16
    # pairs (10, 13), (10, 16), (13, 16): every pixel in two of them, mean 13, variance (9 + 0 + 9) / 3 = 6,
    # covariance (0 - 9 + 0) / 3 = -3, so the correlation is -.5
    assert measure_textures(frame, mask)[0, 0] == pytest.approx(1.5)


def test_neither_the_pixels_outside_nor_scale_nor_offset_count() -> None:
    mask = np.hypot(*np.mgrid[-8:9, -8:9]) <= 5
    masks = np.stack([mask, np.roll(mask, 2, axis=1)])
    frames = noise((2, 2, 17, 17))
    changed = np.where(masks[:, None], 7 * frames + 1000, 5)
    np.testing.assert_allclose(measure_textures(frames, masks), measure_textures(changed, masks), rtol=1e-9)


def test_a_slope_is_smooth_and_noise_is_grain() -> None:
    mask = np.hypot(*np.mgrid[-20:21, -20:21])[None] <= 15
    slope = (100 + 10 * np.mgrid[:41, :41][0])[None, None]
    assert measure_textures(slope, mask)[0, 0] < 0.02
    assert measure_textures(noise((1, 1, 41, 41)), mask)[0, 0] == pytest.approx(1, abs=0.05)


def test_what_has_no_texture_is_nan() -> None:
    masks = np.zeros((4, 6, 6), dtype=bool)
    masks[1, 2, 2] = masks[2, 1:4, 1:4] = masks[3, 1:4, 1:4] = True  # frame 0: empty, frame 1: one pixel
    frames = noise((4, 1, 6, 6))
    frames[2] = 4321
    textures = measure_textures(frames, masks)
    assert np.isnan(textures[:3]).all()
    assert np.isfinite(textures[3]).all()
    assert np.isnan(measure_textures(frames, np.zeros_like(masks))).all()
