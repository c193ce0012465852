"""The door without Kedro agrees with the nodes of the inference pipeline, on recordings written as files."""

import numpy as np
import pytest

from cellfate.core.errors import InputError
from cellfate.core.tables import Metrics
from cellfate.crops.store import CropStore, write_crops
from cellfate.imaging.opening import open_recordings
from cellfate.imaging.records import RecordingFolder
from cellfate.imaging.settings import RecordingSettings
from cellfate.metrics.settings import ScoreSettings
from cellfate.pipelines.inference.nodes import (
    make_new_samples,
    predict_fates,
    score_known_outcomes,
)
from cellfate.pipelines.model_training.nodes import train_model
from cellfate.prediction import FatePredictor
from cellfate.prediction.new_recordings import cut_new_crops
from cellfate.tracks.importing import import_tracks
from tests.cases.coco_folder import CHANNELS, write_coco_folder
from tests.cases.trained_models import TINY_MODEL, tiny_study, tiny_training

SETTINGS = RecordingSettings(
    layout="coco_vid",
    channels=CHANNELS,
    frame_interval_min=30.0,
    conditions_file="conditions.csv",
    on_bad_recording="stop",
    group_by="recording",
)


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    folder = tmp_path_factory.mktemp("model")
    study = tiny_study(folder, channels=3)
    tables = (study.samples, study.splits, study.normalisation, study.recordings)
    training = tiny_training(folder, max_epochs=1)
    return train_model(study.crops, *tables, study.sample_settings, TINY_MODEL, training)[0]


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return write_coco_folder(tmp_path_factory.mktemp("recordings"))


def open_tracks(root, settings=SETTINGS):
    folder = RecordingFolder(root)
    recordings, frame_files, _ = open_recordings(folder, settings)
    detections, cells, _ = import_tracks(folder, recordings, frame_files, settings)
    return folder, recordings, frame_files, detections, cells


@pytest.mark.filterwarnings("ignore:.*scores are undefined")  # three cells
def test_the_nodes_and_the_predictor_give_every_cell_the_same_fate(model, root, tmp_path):
    folder, recordings, frame_files, detections, cells = open_tracks(root)
    plan = cut_new_crops(folder, recordings, frame_files, detections, model, SETTINGS)
    write_crops(tmp_path / "crops.zarr", plan, plan.settings)
    crops = CropStore(tmp_path / "crops.zarr")
    samples = make_new_samples(crops, recordings, cells, model)
    table = predict_fates(crops, samples, model)
    assert sorted(zip(table["recording_id"], table["cell_id"], strict=True)) == [
        ("001", 1),
        ("001", 2),
        ("001", 3),
        ("002", 1),
        ("002", 2),
    ]
    alone = FatePredictor(model).predict_recordings(root, SETTINGS, scratch=tmp_path)
    np.testing.assert_allclose(table["p_apoptosis"], alone["p_apoptosis"], atol=1e-6)
    assert [path.name for path in tmp_path.iterdir()] == ["crops.zarr"]
    scores = Metrics.validate(score_known_outcomes(table, samples, ScoreSettings(n_resamples=100)))
    assert set(scores["predictor"]) == {"cellfate"}
    assert scores["n_samples"].max() == 3  # cells with a known fate


def test_recordings_without_known_fates_have_no_scores(model, root):
    table = FatePredictor(model).predict_recordings(root, SETTINGS)
    unknown = table.assign(outcome=None, group_id="1", dose="Unknown", n_frames=3)
    assert len(score_known_outcomes(table, unknown, ScoreSettings(n_resamples=100))) == 0


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (
            {"channels": ("p53", "circadian", "gfp")},
            r"channels \(circadian, p53, cell_cycle\) but recording 001",
        ),
        ({"frame_interval_min": 5.0}, "a frame every 30 min but recording 001 has one every 5 min"),
    ],
)
def test_recordings_unlike_the_models_are_refused_before_a_crop_is_cut(model, root, changes, words):
    settings = SETTINGS.model_copy(update=changes)
    folder, recordings, frame_files, detections, _ = open_tracks(root, settings)
    with pytest.raises(InputError, match=words):
        cut_new_crops(folder, recordings, frame_files, detections, model, settings)
