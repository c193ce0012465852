"""Crops and landmarks of the real recording, where it is present."""

from pathlib import Path

import numpy as np
import pytest
import tifffile

from cellfate.cohort.follow_ups import follow_cells
from cellfate.cohort.landmarks import list_landmarks
from cellfate.cohort.outcomes import outcomes_within
from cellfate.cohort.settings import FollowUpSettings
from cellfate.crops.cutting import plan_crops
from cellfate.crops.settings import CropSettings
from cellfate.crops.store import CropStore, write_crops
from cellfate.imaging.opening import open_recordings
from cellfate.imaging.records import RecordingFolder
from cellfate.imaging.settings import RecordingSettings
from cellfate.tracks.importing import import_tracks

pytestmark = pytest.mark.real

HELA = RecordingSettings(
    layout="cell_tracking_challenge",
    channels=("h2b_gfp",),
    frame_interval_min=30.0,
    labels="silver_truth",
    group_by="lineage",
)


def test_crops_and_landmarks_of_the_hela_recording(real_data: Path, tmp_path: Path) -> None:
    folder = RecordingFolder(real_data / "ctc_hela")
    recordings, files, _ = open_recordings(folder, HELA)
    detections, cells, _ = import_tracks(folder, recordings, files, HELA)
    size = CropSettings(height_px=16, width_px=16)
    write_crops(tmp_path / "crops.zarr", plan_crops(folder, recordings, files, detections, size, HELA), size)
    store = CropStore(tmp_path / "crops.zarr")
    assert len(store.tracks) == 674
    image = tifffile.imread(real_data / "ctc_hela" / "02" / "t040.tif")
    sequence = store.read("02", 4, 40, 40)
    y0, x0 = sequence.y0_px[0], sequence.x0_px[0]
    assert np.array_equal(sequence.frames_tchw[0, 0], image[y0 : y0 + 16, x0 : x0 + 16])
    assert sequence.masks_thw is not None
    assert sequence.masks_thw[0, 8, 8]  # the window is centred on the cell
    follow_up = FollowUpSettings(events=("mitosis",))
    follow_ups, _ = follow_cells(detections, cells, recordings, follow_up)
    landmarks = list_landmarks(detections, follow_ups, follow_up).query("regular")
    # counted independently from man_track.txt
    outcomes = outcomes_within(landmarks, ("mitosis",), 5.0)
    assert outcomes.value_counts().to_dict() == {"none": 4977, "mitosis": 427}
    assert outcomes.isna().sum() == 992
