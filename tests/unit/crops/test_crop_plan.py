"""Crops against direct slicing of the images."""

from dataclasses import replace
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from cellfate.core.errors import InputError
from cellfate.crops.cutting import BadRecording, CropPlan, RecordingCrops, pixels_inside, plan_crops
from cellfate.crops.settings import CropSettings
from cellfate.crops.store import CropStore, write_crops
from cellfate.imaging.opening import open_recordings
from cellfate.imaging.records import Recording, RecordingFolder
from cellfate.imaging.settings import RecordingSettings
from cellfate.tracks.importing import import_tracks
from tests.cases.coco_folder import CHANNELS, write_coco_folder
from tests.cases.ctc_folder import draw_labels, write_ctc_folder

COCO = RecordingSettings(
    layout="coco_vid", channels=CHANNELS, frame_interval_min=30.0, conditions_file="conditions.csv"
)
CTC = RecordingSettings(
    layout="cell_tracking_challenge", channels=("h2b",), frame_interval_min=30.0, labels="silver_truth"
)
SIZE = CropSettings(height_px=12, width_px=10)


def plan_of(root: Path, recording_settings: RecordingSettings, crop_settings: CropSettings = SIZE) -> CropPlan:
    folder = RecordingFolder(root)
    recordings, files, _ = open_recordings(folder, recording_settings)
    detections, _, _ = import_tracks(folder, recordings, files, recording_settings)
    return plan_crops(folder, recordings, files, detections, crop_settings, recording_settings)


def cut_by_hand(image_cyx: np.ndarray, y: float, x: float, height: int, width: int) -> np.ndarray:
    """Pad, then slice: another way to the same window."""
    margin = 64
    padded = np.pad(image_cyx, ((0, 0), (margin, margin), (margin, margin)))
    top, left = int(np.floor(y + 0.5)) - height // 2 + margin, int(np.floor(x + 0.5)) - width // 2 + margin
    return padded[:, top : top + height, left : left + width]


def test_crops_equal_direct_slicing(tmp_path: Path) -> None:
    plan = plan_of(write_coco_folder(tmp_path), COCO)
    crops = {item.recording_id: item for item in plan if isinstance(item, RecordingCrops)}
    assert list(crops) == ["001", "002"]
    for row in plan.detections.itertuples():
        of_recording = crops[row.recording_id]
        place = int(np.searchsorted(of_recording.cell_ids, row.cell_id))
        rows = np.arange(of_recording.offsets[place], of_recording.offsets[place + 1])
        here = rows[of_recording.frame_numbers[rows] == row.frame]
        image = np.moveaxis(tifffile.imread(tmp_path / "images" / row.recording_id / f"{row.frame:04d}.tif"), -1, 0)
        assert_array_equal(of_recording.frames_nchw[here[0]], cut_by_hand(image, row.y_px, row.x_px, 12, 10))
    assert sum(len(item.frame_numbers) for item in crops.values()) == len(plan.detections)
    assert crops["001"].masks_nhw is None


def test_frames_of_a_cell_stand_together_in_order(tmp_path: Path) -> None:
    plan = plan_of(write_coco_folder(tmp_path), COCO)
    shuffled = replace(plan, detections=plan.detections.sample(frac=1.0, random_state=0))
    first = next(iter(shuffled))
    assert isinstance(first, RecordingCrops)
    assert first.cell_ids.tolist() == [1, 2, 3]
    assert first.offsets.tolist() == [0, 4, 9, 15]
    assert first.frame_numbers.tolist() == [0, 1, 2, 3, 0, 1, 2, 4, 5, 2, 3, 4, 5, 6, 7]
    assert_array_equal(first.frames_nchw, next(iter(plan)).frames_nchw)


def test_every_image_is_decoded_once(tmp_path: Path) -> None:
    plan = plan_of(write_coco_folder(tmp_path), COCO)
    with patch.object(Recording, "read_frame", autospec=True, side_effect=Recording.read_frame) as read:
        list(plan)
    decoded = [(call.args[0].recording_id, call.args[1]) for call in read.call_args_list]
    assert len(decoded) == len(set(decoded))
    assert set(decoded) == set(zip(plan.detections["recording_id"], plan.detections["frame"], strict=True))


def test_masks_are_the_cells_own_label(tmp_path: Path) -> None:
    plan = plan_of(write_ctc_folder(tmp_path, "01"), CTC, CropSettings(height_px=12, width_px=30))
    (crops,) = plan
    assert isinstance(crops, RecordingCrops)
    assert crops.masks_nhw is not None
    strangers = False
    for place, cell_id in enumerate(crops.cell_ids):
        for row in range(crops.offsets[place], crops.offsets[place + 1]):
            labels = draw_labels(int(crops.frame_numbers[row]), half_px=2, shift_px=1)
            y0, x0 = crops.y0_px[row], crops.x0_px[row]
            window = cut_by_hand(labels[None], y0 + 6, x0 + 15, 12, 30)[0]
            assert_array_equal(crops.masks_nhw[row], window == cell_id)
            assert crops.masks_nhw[row].any()
            strangers = strangers or bool(((window > 0) & (window != cell_id)).any())
    assert strangers  # else any label would do


def test_a_plan_can_be_carried_out_again_and_is_no_iterator(tmp_path: Path) -> None:
    plan = plan_of(write_coco_folder(tmp_path), COCO)
    assert len(plan) == len(list(plan)) == len(list(plan)) == 2
    assert not hasattr(plan, "__next__")  # Kedro saves iterators chunk by chunk


def test_a_damaged_image_stops_the_run_or_sets_the_recording_aside(tmp_path: Path) -> None:
    root = write_coco_folder(tmp_path / "raw")
    plan = plan_of(root, COCO)
    damaged = root / "images" / "001" / "0003.tif"
    damaged.write_bytes(damaged.read_bytes()[:300])
    with pytest.raises(InputError, match=r"0003\.tif"):
        list(plan)
    tolerant = replace(plan, skip_bad_recordings=True)
    bad, good = tolerant
    assert isinstance(bad, BadRecording)
    assert bad.recording_id == "001"
    assert "0003.tif" in bad.reason
    assert isinstance(good, RecordingCrops)
    write_crops(tmp_path / "crops.zarr", tolerant, SIZE)
    store = CropStore(tmp_path / "crops.zarr")
    assert store.recording_ids == ("002",)
    assert store.set_aside[["recording_id", "stage"]].to_numpy().tolist() == [["001", "cut_crops"]]


def test_recordings_without_cells_are_not_cropped(tmp_path: Path) -> None:
    plan = plan_of(write_coco_folder(tmp_path), COCO)
    only_second = plan.detections[plan.detections["recording_id"] == "002"]
    again = plan_crops(plan.folder, plan.recordings, plan.frame_files, only_second, SIZE, COCO)
    assert [item.recording_id for item in again] == ["002"]


@settings(max_examples=60, deadline=None)
@given(
    y=st.floats(-9, 20),
    x=st.floats(-9, 20),
    height=st.integers(1, 9),
    width=st.integers(1, 9),
    image=st.tuples(st.integers(1, 12), st.integers(1, 12)),
)
def test_inside_marks_the_pixels_of_the_image(
    y: float, x: float, height: int, width: int, image: tuple[int, int]
) -> None:
    y0, x0 = int(np.floor(y + 0.5)) - height // 2, int(np.floor(x + 0.5)) - width // 2
    inside = pixels_inside(np.array([y0]), np.array([x0]), (height, width), image)
    ones = np.ones((1, *image), dtype=int)
    assert_array_equal(inside[0], cut_by_hand(ones, y, x, height, width)[0] == 1)
