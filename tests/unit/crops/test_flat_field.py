"""Flat-field and background correction by numbers worked by hand."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tifffile
from numpy.testing import assert_array_equal

from cellfate.core.errors import InputError
from cellfate.crops.cutting import crop_recording
from cellfate.crops.flat_field import open_flat_field
from cellfate.crops.settings import CropSettings
from cellfate.crops.store import CropStore, write_crops
from tests.cases.coco_folder import HEIGHT_PX, WIDTH_PX, write_coco_folder
from tests.unit.crops.images_in_memory import ImagesInMemory, detections_of
from tests.unit.crops.test_crop_plan import COCO, plan_of

FLAT = np.array([[1.0, 3.0], [2.0, 2.0]])  # mean 2: half the light, one and a half, even, even


def corrected_by(tmp_path: Path, flat: np.ndarray, background: float | tuple[float, ...] = 100.0) -> CropSettings:
    tifffile.imwrite(tmp_path / "flat.tif", flat.astype(np.float32), photometric="minisblack")
    return CropSettings(
        height_px=8, width_px=8, correction="flat_field", flat_field_file="flat.tif", background=background
    )


def correct(tmp_path: Path, image_cyx: np.ndarray, settings: CropSettings) -> tuple[np.ndarray, int]:
    flat_field = open_flat_field(tmp_path, ImagesInMemory(image_cyx[None]), settings)
    assert flat_field is not None
    return flat_field.correct(image_cyx)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "uint32", "int16"])
def test_integers_are_rounded(tmp_path: Path, dtype: str) -> None:
    image = np.array([[[105, 116], [110, 90]]], dtype)
    found, n_clipped = correct(tmp_path, image, corrected_by(tmp_path, FLAT))
    # 100 + 5 / .5, 100 + 16 / 1.5 = 110.67, 100 + 10, 100 - 10
    assert_array_equal(found, [[[110, 111], [110, 90]]])
    assert found.dtype == np.dtype(dtype)
    assert n_clipped == 0
    assert_array_equal(image, [[[105, 116], [110, 90]]])  # the image that was given is as it was


def test_what_leaves_the_cameras_range_is_kept_in_it_and_counted(tmp_path: Path) -> None:
    image = np.array([[[230, 255], [0, 255]], [[10, 10], [0, 0]]], np.uint8)
    found, n_clipped = correct(tmp_path, image, corrected_by(tmp_path, FLAT))
    # 100 + 130 / .5 = 360; 100 + 155 / 1.5 = 203.3; 100 - 90 / .5 = -80; 100 - 90 / 1.5 = 40
    assert_array_equal(found, [[[255, 203], [0, 255]], [[0, 40], [0, 0]]])
    assert n_clipped == 2


def test_floats_are_neither_rounded_nor_clipped(tmp_path: Path) -> None:
    image = np.array([[[101, -7], [0, 1e6]]], np.float32)
    found, n_clipped = correct(tmp_path, image, corrected_by(tmp_path, FLAT, 0.0))
    assert_array_equal(found, np.array([[[202, -7 / 1.5], [0, 1e6]]], np.float32))
    assert n_clipped == 0


def test_every_channel_has_its_own_flat_field_and_background(tmp_path: Path) -> None:
    image = np.array([[[105, 115], [110, 90]], [[20, 20], [20, 8]]], np.uint16)
    settings = corrected_by(tmp_path, np.stack([FLAT, [[4.0, 4.0], [4.0, 4.0]]]), (100.0, 10.0))
    assert_array_equal(correct(tmp_path, image, settings)[0], [[[110, 110], [110, 90]], [[20, 20], [20, 8]]])


@pytest.mark.parametrize(
    ("flat", "background", "message"),
    [
        (np.ones((3, 2)), 0.0, r"has shape \(3, 2\), but \(Y, X\) \(2, 2\)"),
        (np.ones((3, 2, 2)), 0.0, r"has shape \(3, 2, 2\)"),
        (FLAT - 1, 0.0, "not positive"),
        (FLAT * np.nan, 0.0, "not positive"),
        (FLAT, (1.0, 2.0, 3.0), "background lists 3 numbers, but recording 'r' has 2 channels"),
    ],
)
def test_a_flat_field_that_does_not_fit_is_refused(
    tmp_path: Path, flat: np.ndarray, background: float | tuple[float, ...], message: str
) -> None:
    settings = corrected_by(tmp_path, flat, background)
    with pytest.raises(InputError, match=message):
        correct(tmp_path, np.ones((2, 2, 2), np.uint16), settings)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("../flat.tif", "leads out of the folder"),
        ("/etc/hostname", "leads out of the folder"),
        ("link.tif", "leads out of the folder"),
        ("other.tif", "is not in the folder"),
        ("text.tif", "is not a readable TIFF"),
    ],
)
def test_a_flat_field_outside_the_root_or_unreadable_is_refused(tmp_path: Path, name: str, message: str) -> None:
    root = tmp_path / "root"
    root.mkdir()
    settings = corrected_by(tmp_path, FLAT).model_copy(update={"flat_field_file": name})
    (root / "link.tif").symlink_to(tmp_path / "flat.tif")
    (root / "text.tif").write_text("no image")
    with pytest.raises(InputError, match=message):
        correct(root, np.ones((1, 2, 2), np.uint16), settings)


def test_the_settings_say_file_and_correction_together() -> None:
    with pytest.raises(ValueError, match="correction is 'flat_field' and flat_field_file is None"):
        CropSettings(height_px=8, width_px=8, correction="flat_field")
    with pytest.raises(ValueError, match=r"correction is 'none' and flat_field_file is 'flat\.tif'"):
        CropSettings(height_px=8, width_px=8, flat_field_file="flat.tif")


def test_whole_images_are_corrected_before_they_are_cut(tmp_path: Path) -> None:
    settings = corrected_by(tmp_path, FLAT)
    recording = ImagesInMemory(np.array([[[[105, 115], [110, 90]]]], np.uint8))
    flat_field = open_flat_field(tmp_path, recording, settings)
    rows = detections_of([(1, 0, 0, 0), (2, 0, 1, 1)])
    crops = crop_recording(recording, rows, settings, 30.0, flat_field)
    assert_array_equal(crops.frames_nchw[0, 0, 4:6, 4:6], [[110, 110], [110, 90]])
    assert crops.frames_nchw[0].sum() == 420  # outside the image it stays 0, not the background


def test_the_store_tells_how_it_was_corrected(tmp_path: Path) -> None:
    root = write_coco_folder(tmp_path / "raw")
    plan = plan_of(root, COCO)
    write_crops(tmp_path / "raw.zarr", plan, plan.settings)
    settings = corrected_by(root, np.full((HEIGHT_PX, WIDTH_PX), 7.0), 0.0)
    settings = settings.model_copy(update={"height_px": 12, "width_px": 10})
    even = replace(plan, settings=settings)
    write_crops(tmp_path / "even.zarr", even, settings)
    raw, store = CropStore(tmp_path / "raw.zarr"), CropStore(tmp_path / "even.zarr")
    assert store.settings == settings
    assert [entry["n_clipped_pixels"] for entry in store.manifest["recordings"]] == [0, 0]
    digests = {entry["flat_field_digest"] for entry in store.manifest["recordings"]}
    assert len(digests) == 1
    assert None not in digests
    assert {entry["flat_field_digest"] for entry in raw.manifest["recordings"]} == {None}
    assert_array_equal(store.read("001", 1).frames_tchw, raw.read("001", 1).frames_tchw)  # an even flat changes nothing
    corrected_by(root, np.full((HEIGHT_PX, WIDTH_PX), 8.0), 0.0)
    write_crops(tmp_path / "even.zarr", even, settings)
    assert {entry["flat_field_digest"] for entry in CropStore(tmp_path / "even.zarr").manifest["recordings"]} != digests
