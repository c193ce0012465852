"""The cutter against a plain loop over pixels: any border, any centre, any pixel type, in memory and in a file."""

import math
from unittest.mock import patch

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as st_numpy
from numpy.testing import assert_array_equal

from cellfate.crops.cutting import crop_recording
from cellfate.crops.settings import CropBuildSettings, CropSettings
from tests.unit.crops.images_in_memory import ImagesInMemory, detections_of

DTYPES = st.sampled_from(["uint8", "uint16", "int16", "uint32", "float32", "float64", ">u2"])


@st.composite
def recordings(draw: st.DrawFn) -> ImagesInMemory:
    kind = np.dtype(draw(DTYPES))
    shape = draw(st.tuples(st.integers(1, 4), st.integers(1, 3), st.integers(1, 14), st.integers(1, 14)))
    usable = {"min_value": -1e9, "max_value": 1e9, "allow_subnormal": False} if kind.kind == "f" else {}
    elements = st_numpy.from_dtype(kind, **usable).filter(lambda pixel: pixel == 0 or abs(float(pixel)) > 1e-9)
    frames = draw(st_numpy.arrays(kind, shape, elements=elements, fill=elements))
    labels = draw(st_numpy.arrays("uint16", (shape[0], *shape[2:]), elements=st.integers(0, 3)))
    return ImagesInMemory(frames, draw(st.sampled_from([None, labels])))


def pixel_by_pixel(image_yx: np.ndarray, y: float, x: float, height: int, width: int) -> np.ndarray:
    out = np.zeros((height, width), image_yx.dtype)
    for row in range(height):
        for column in range(width):
            y_px, x_px = math.floor(y + 0.5) - height // 2 + row, math.floor(x + 0.5) - width // 2 + column
            if 0 <= y_px < image_yx.shape[0] and 0 <= x_px < image_yx.shape[1]:
                out[row, column] = image_yx[y_px, x_px]
    return out


@settings(max_examples=60, deadline=None)
@given(recording=recordings(), data=st.data(), in_file=st.booleans())
def test_crops_are_those_of_a_loop_over_pixels(recording: ImagesInMemory, data: st.DataObject, in_file: bool) -> None:
    places = data.draw(
        st.lists(
            st.tuples(st.integers(1, 3), st.integers(0, recording.n_frames - 1)), min_size=1, max_size=6, unique=True
        )
    )
    centre = st.floats(-20, 30)
    rows = [(cell, frame, data.draw(centre), data.draw(centre)) for cell, frame in places]
    size = CropSettings(height_px=data.draw(st.integers(8, 11)), width_px=data.draw(st.integers(8, 11)))
    with patch("cellfate.crops.cutting.BYTES_IN_MB", 0 if in_file else 1_000_000):
        crops = crop_recording(recording, detections_of(rows), size, 30.0, building=CropBuildSettings())
    assert isinstance(crops.frames_nchw, np.memmap) == in_file
    rows.sort()
    assert crops.frames_nchw.dtype == recording.frames_tcyx.dtype
    assert (crops.masks_nhw is None) == (recording.labels_tyx is None)
    for place, (cell, frame, y, x) in enumerate(rows):
        assert crops.frame_numbers[place] == frame
        for channel, image in enumerate(recording.frames_tcyx[frame]):
            expected = pixel_by_pixel(image, y, x, size.height_px, size.width_px)
            assert_array_equal(crops.frames_nchw[place, channel], expected)
        if recording.labels_tyx is not None:
            labels = pixel_by_pixel(recording.labels_tyx[frame], y, x, size.height_px, size.width_px)
            assert_array_equal(crops.masks_nhw[place], labels == cell)
    assert crops.cell_ids.tolist() == sorted({row[0] for row in rows})
