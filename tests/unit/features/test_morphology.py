"""Shapes and intensities against scikit-image and numbers worked by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis.extra.numpy import arrays

from cellfate.features.morphology import SHAPE_FEATURES, measure_intensities, measure_shapes


def square(side: int, size: int = 12) -> np.ndarray:
    mask = np.zeros((size, size), dtype=bool)
    mask[2 : 2 + side, 3 : 3 + side] = True
    return mask


def test_a_square_by_hand() -> None:
    row = measure_shapes(square(5)[None]).iloc[0]
    # 25 px; the line through the border pixels' centres is 4 sides of 4 px
    assert row["area"] == 25
    assert row["perimeter"] == 16
    assert row["circularity"] == pytest.approx(4 * np.pi * 25 / 16**2)
    assert row["eccentricity"] == pytest.approx(0.0, abs=1e-7)
    assert row["solidity"] == 1.0
    assert row["equivalent_diameter"] == pytest.approx(np.sqrt(4 * 25 / np.pi))


def test_many_frames_at_once_are_each_frame_alone() -> None:
    from skimage.measure import regionprops

    rng = np.random.default_rng(0)
    rows, columns = np.mgrid[:30, :30]
    masks = np.stack([((rows - 15) / a) ** 2 + ((columns - 14) / b) ** 2 < 1 for a, b in rng.uniform(3, 14, (8, 2))])
    masks[3] = False
    table = measure_shapes(masks)
    for mask, (_, row) in zip(masks, table.iterrows(), strict=True):
        if not mask.any():
            assert row.isna().all()
            continue
        region = regionprops(mask.astype(np.uint8))[0]
        expected = [
            region.area,
            region.perimeter,
            region.eccentricity,
            region.solidity,
            region.equivalent_diameter_area,
        ]
        np.testing.assert_allclose(row.drop("circularity").to_numpy(), expected, rtol=1e-7)


@given(arrays(np.bool_, (7, 6)))
def test_any_mask_measures_as_scikit_image_does(mask: np.ndarray) -> None:
    from skimage.measure import perimeter, regionprops

    row = measure_shapes(mask[None]).iloc[0]
    if mask.sum() < 3:
        return
    region = regionprops(mask.astype(np.uint8))[0]
    assert row["perimeter"] == pytest.approx(perimeter(mask))
    assert row["area"] == region.area
    # near a circle a rounding of the moments by 1e-15 moves the eccentricity by 1e-7
    assert row["eccentricity"] == pytest.approx(region.eccentricity, abs=1e-6)


def test_frames_without_any_mask_are_nan() -> None:
    table = measure_shapes(np.zeros((3, 8, 8), dtype=bool))
    assert list(table.columns) == list(SHAPE_FEATURES)
    assert table.isna().all(axis=None)
    assert len(table) == 3


def test_intensity_is_mean_inside_less_median_outside_on_the_cameras_scale() -> None:
    frames = np.full((1, 2, 4, 4), 100, dtype=np.uint16)
    mask = np.zeros((1, 4, 4), dtype=bool)
    mask[0, 1, 1:3] = True
    frames[0, 0, 1, 1:3] = (110, 130)
    frames[0, 1, 1, 1:3] = (90, 100)
    frames[0, :, 0, 0] = 60000  # one hot pixel outside does not move the median
    inside = np.ones((1, 4, 4), dtype=bool)
    inside[0, 3] = False
    frames[0, :, 3] = 0  # outside the image: left out
    np.testing.assert_allclose(measure_intensities(frames, mask, inside), [[20.0, -5.0]])


def test_no_mask_or_no_background_has_no_intensity() -> None:
    frames = np.ones((2, 1, 4, 4), dtype=np.uint16)
    masks = np.stack([np.zeros((4, 4), dtype=bool), np.ones((4, 4), dtype=bool)])
    assert np.isnan(measure_intensities(frames, masks, np.ones_like(masks))).all()
