"""Crop windows against `numpy.pad`, whatever the centre, size and pixel type."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as st_numpy
from numpy.testing import assert_array_equal

from cellfate.imaging import cut_window, window_origin

centres = st.floats(-60, 60)
sizes = st.integers(1, 13)
pixel_types = st.sampled_from(["uint8", "uint16", "int32", "float32", "bool"])


@pytest.mark.parametrize(
    ("centre", "size", "first"),
    [
        (10.0, 4, 8),
        (10.0, 5, 8),
        (10.49, 4, 8),
        (10.5, 4, 9),
        (-0.5, 4, -2),
        (-0.51, 4, -3),
        (-3.2, 5, -5),
        (0.0, 1, 0),
    ],
)
def test_the_origin_is_rounded_to_nearest_also_below_zero(centre: float, size: int, first: int) -> None:
    assert window_origin(centre, 0, size, 1) == (first, 0)
    assert window_origin(0, centre, 1, size) == (0, first)


@st.composite
def images(draw: st.DrawFn) -> np.ndarray:
    shape = draw(st.tuples(st.integers(1, 3), st.integers(1, 12), st.integers(1, 12)))
    kind = np.dtype(draw(pixel_types))
    elements = st_numpy.from_dtype(kind, allow_nan=False)
    return draw(st_numpy.arrays(kind, shape, elements=elements, fill=elements))


@given(images(), centres, centres, sizes, sizes)
def test_a_window_is_what_padding_with_zeros_gives(
    image: np.ndarray, y: float, x: float, height: int, width: int
) -> None:
    before = image.copy()
    crop = cut_window(image, y, x, height, width)

    margin = 80
    padded = np.pad(image, ((0, 0), (margin, margin), (margin, margin)))
    top, left = int(np.floor(y + 0.5)) - height // 2 + margin, int(np.floor(x + 0.5)) - width // 2 + margin
    assert_array_equal(crop, padded[:, top : top + height, left : left + width])
    assert crop.dtype == image.dtype
    assert_array_equal(image, before)


def test_a_window_is_a_copy_and_takes_images_without_channels() -> None:
    image = np.arange(20, dtype=np.uint16).reshape(4, 5)
    crop = cut_window(image, 1, 2, 2, 3)
    assert_array_equal(crop, [[1, 2, 3], [6, 7, 8]])
    crop[:] = 0
    assert image[1, 2] == 7
