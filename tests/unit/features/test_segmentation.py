"""The mask of the tracked cell: where it is, when it is refused, and what it must not take from neighbours."""

import numpy as np
import pytest

from cellfate.features import FeatureSettings
from cellfate.features.segmentation import (
    central_components,
    distance_to_centre,
    fill_holes,
    otsu_thresholds,
    segment_cell,
    threshold_cell,
)

SIZE = 41


def disc(y: float, x: float, radius: float) -> np.ndarray:
    rows, columns = np.mgrid[:SIZE, :SIZE]
    return np.hypot(rows - y, columns - x) <= radius


def crop(*discs: tuple[np.ndarray, float], noise: float = 5.0, offset: float = 100.0, seed: int = 0) -> np.ndarray:
    """One frame of one channel, uint16 (1, 1, H, W)."""
    image = offset + np.random.default_rng(seed).normal(0, noise, (SIZE, SIZE))
    for where, height in discs:
        image = image + where * height
    return image.round().astype(np.uint16)[None, None]


INSIDE = np.ones((1, SIZE, SIZE), dtype=bool)


def overlap(a: np.ndarray, b: np.ndarray) -> float:
    """Intersection over union."""
    return float((a & b).sum() / (a | b).sum())


def test_finds_the_central_disc() -> None:
    cell = disc(20, 20, 8)
    found = threshold_cell(crop((cell, 200)), INSIDE, FeatureSettings())
    assert overlap(found[0], cell) > 0.85


def test_leaves_out_a_separate_neighbour_however_bright() -> None:
    cell, neighbour = disc(20, 20, 7), disc(6, 34, 5)
    found = threshold_cell(crop((cell, 150), (neighbour, 3000)), INSIDE, FeatureSettings())[0]
    assert overlap(found, cell) > 0.8
    assert not (found & neighbour).any()


def test_the_camera_offset_outside_the_image_changes_nothing() -> None:
    cell = disc(20, 20, 7)
    frames = crop((cell, 200), offset=32768)
    inside = INSIDE.copy()
    inside[:, :, :10] = False
    frames = np.where(inside[:, None], frames, 0)
    assert overlap(threshold_cell(frames, inside, FeatureSettings())[0], cell) > 0.85


@pytest.mark.parametrize(
    "discs",
    [(), ((disc(4, 4, 4), 300.0),), ((disc(20, 20, 1), 300.0),)],
    ids=["only noise", "far from the centre", "too small"],
)
def test_refuses_what_is_no_cell(discs: tuple[tuple[np.ndarray, float], ...]) -> None:
    settings = FeatureSettings(smoothing_px=0.5)
    for seed in range(10):
        assert not threshold_cell(crop(*discs, seed=seed), INSIDE, settings).any()


def test_a_flat_crop_is_a_failed_segmentation() -> None:
    assert not threshold_cell(np.full((1, 1, SIZE, SIZE), 7, dtype=np.uint16), INSIDE, FeatureSettings()).any()


def test_the_trackers_mask_is_taken_where_given_and_the_threshold_elsewhere() -> None:
    cell, given = disc(20, 20, 8), disc(22, 22, 4)
    frames = np.concatenate([crop((cell, 200)), crop((cell, 200), seed=1)])
    inside = np.concatenate([INSIDE, INSIDE])
    masks = np.stack([given, np.zeros_like(given)])
    found = segment_cell(frames, inside, masks, (0,), FeatureSettings())
    np.testing.assert_array_equal(found[0], given)
    assert overlap(found[1], cell) > 0.85


def test_otsu_agrees_with_scikit_image() -> None:
    from skimage.filters import threshold_otsu

    rng = np.random.default_rng(3)
    frames = np.stack(
        [np.where(disc(20, 20, r), rng.normal(9, 1, (SIZE, SIZE)), rng.normal(3, 1, (SIZE, SIZE))) for r in (5, 9)]
    )
    ours = otsu_thresholds(frames, np.ones(frames.shape, dtype=bool))
    # bins of unlike edges: a few bins' width of difference is allowed
    width = np.ptp(frames, axis=(1, 2)) / 128
    theirs = [threshold_otsu(frame, nbins=128) for frame in frames]
    assert (np.abs(ours - theirs) <= 2 * width).all()


def test_components_and_holes_agree_with_scipy_frame_by_frame() -> None:
    from scipy import ndimage

    rng = np.random.default_rng(5)
    bright = rng.random((6, 15, 15)) < 0.55
    distance = distance_to_centre(15, 15)
    ours = central_components(bright, distance, 5.0)
    filled = fill_holes(ours)
    for frame, mine, full in zip(bright, ours, filled, strict=True):
        labels, _ = ndimage.label(frame)
        nearest = np.where(frame, distance, np.inf).argmin()
        np.testing.assert_array_equal(mine, labels == labels.ravel()[nearest])
        np.testing.assert_array_equal(full, ndimage.binary_fill_holes(mine))


def test_a_component_farther_than_allowed_is_not_taken() -> None:
    bright = np.zeros((2, 15, 15), dtype=bool)
    bright[:, 7, 11:13] = True  # its nearest pixel is 4 px from the centre (7, 7)
    distance = distance_to_centre(15, 15)
    assert central_components(bright, distance, 4.0).sum() == 4
    assert not central_components(bright, distance, 3.9).any()
