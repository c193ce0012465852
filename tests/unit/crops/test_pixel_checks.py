"""Pixels with which nothing can be computed are found where crops are cut: file, frame, cell and channel are named."""

import numpy as np
import pytest

from cellfate.core.errors import InputError
from cellfate.crops.cutting import crop_recording
from cellfate.crops.settings import CropSettings
from tests.unit.crops.images_in_memory import ImagesInMemory, detections_of

SIZE = CropSettings(height_px=8, width_px=8)
ROWS = [(4, 0, 5.0, 5.0), (4, 1, 5.0, 5.0), (7, 1, 25.0, 25.0)]


def images(dtype: str = "float32") -> np.ndarray:
    return np.full((2, 2, 30, 30), 300, dtype)


@pytest.mark.parametrize("pixel", [np.nan, np.inf, -np.inf, 1e38, -1e13])
def test_a_pixel_that_is_no_usable_number_is_named(pixel: float) -> None:
    frames = images()
    frames[1, 1, 24, 26] = pixel
    words = "Cell 7 has a pixel of .* in channel b of frame 1 of recording 'r' .memory/1.*finite numbers of 1e-12 to 1e"
    with pytest.raises(InputError, match=words):
        crop_recording(ImagesInMemory(frames), detections_of(ROWS), SIZE, 30.0)


def test_images_of_too_small_a_scale_are_refused_and_black_ones_are_not() -> None:
    with pytest.raises(InputError, match="Cell 4 has a pixel of 3e-36"):
        crop_recording(ImagesInMemory(images() * np.float32(1e-38)), detections_of(ROWS), SIZE, 30.0)
    crop_recording(ImagesInMemory(images() * 0), detections_of(ROWS), SIZE, 30.0)


def test_what_lies_outside_the_cells_does_not_matter() -> None:
    frames = images()
    frames[:, :, 15, 15] = np.nan
    crops = crop_recording(ImagesInMemory(frames), detections_of(ROWS), SIZE, 30.0)
    assert (crops.frames_nchw == 300).all()
