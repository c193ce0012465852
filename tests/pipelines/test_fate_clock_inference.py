"""Train on one folder of recordings, forecast and score another: the two commands of the README, at tiny size."""

import logging
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cellfate.core.fates import CENSORED
from cellfate.crops.store import CropStore
from cellfate.imaging import RecordingSettings
from cellfate.metrics.commitments import choose_thresholds
from cellfate.metrics.settings import ReferenceSettings, ScoreSettings
from cellfate.pipelines.fate_clock_inference import nodes
from cellfate.prediction import ClockPredictor
from cellfate.simulation import simulate_study, write_study
from tests.cases.simulated import tiny_settings
from tests.conftest import copy_project, run_kedro

pytestmark = pytest.mark.pipeline

DATA = Path("data/test")
NEW = "fate_clock_inference"
RECORDINGS = RecordingSettings(
    layout="coco_vid", channels=("circadian", "p53", "cell_cycle"), frame_interval_min=30.0, pixel_size_um=1.3
)
SCORES = ScoreSettings(n_resamples=100)


@pytest.fixture(scope="module")
def other_recordings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Recordings of another study; their names are those of the training recordings."""
    root = tmp_path_factory.mktemp("other") / "recordings"
    write_study(simulate_study(tiny_settings(seed=9, n_recordings=3)), root)
    return root


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory, other_recordings: Path) -> Path:
    """A project in which a clock was trained, and then used on the other recordings."""
    folder = copy_project(tmp_path_factory.mktemp("clock"))
    root = f"new_recordings_root={other_recordings}"
    for arguments in (["simulation,fate_clock"], [NEW, "--params", root]):
        finished = run_kedro(folder, "run", "--env", "test", "--pipelines", *arguments)
        assert finished.returncode == 0, finished.stderr[-4000:]
    return folder


def read(project: Path, layer: str, name: str) -> pd.DataFrame:
    return pd.read_parquet(project / DATA / layer / f"{name}.parquet")


def read_new(project: Path, layer: str, name: str) -> pd.DataFrame:
    return read(project, f"{layer}/{NEW}", name)


def read_clock_table(project: Path) -> pd.DataFrame:
    return pd.read_csv(project / DATA / "07_model_output" / "clock_table.csv", dtype={"recording_id": str})


@pytest.fixture(scope="module")
def predictor(project: Path) -> ClockPredictor:
    return ClockPredictor.from_folder(project / DATA / "06_models" / "clock_model")


def test_the_predictor_without_kedro_says_the_same(project, predictor, other_recordings):
    piped = read_new(project, "07_model_output", "incidence")
    alone = predictor.forecast_recordings(other_recordings, RECORDINGS)
    keys = ["predictor", "recording_id", "cell_id", "frame", "within_h"]
    both = piped.merge(alone, on=keys, suffixes=("", "_alone"), validate="one_to_one")
    assert len(both) == len(piped) == len(alone) > 0
    np.testing.assert_allclose(both["p_apoptosis"], both["p_apoptosis_alone"], atol=1e-5)


def test_the_table_for_a_spreadsheet_holds_every_frame_of_the_ensemble_once(project, predictor):
    table, incidence = read_clock_table(project), read_new(project, "07_model_output", "incidence")
    settings = predictor.config.follow_up
    asked = incidence[(incidence["predictor"] == "ensemble") & (incidence["within_h"] == settings.headline_h)]
    both = table.merge(asked, on=["recording_id", "cell_id", "frame"], suffixes=("", "_of"), validate="one_to_one")
    assert len(both) == len(table) == len(asked)
    np.testing.assert_allclose(both["p_mitosis"], both["p_mitosis_of"], atol=1e-5)  # six digits are written
    np.testing.assert_allclose(table["time_h"], table["frame"] * 0.5)
    assert table["watched_h"].min() == (settings.min_frames - 1) * 0.5


def test_a_call_reaches_the_mean_of_the_thresholds_of_the_folds(project, predictor):
    commitments = read_new(project, "07_model_output", "commitments")
    incidence, landmarks = read(project, "07_model_output", "incidence"), read(project, "05_model_input", "landmarks")
    chosen = choose_thresholds(incidence, landmarks, predictor.config.follow_up)
    called = commitments[commitments["call"] != "none"]
    assert len(called) > 0
    for row in called.itertuples():
        assert row.threshold == pytest.approx(chosen.loc[row.predictor, row.call].mean())
    followed = read_new(project, "05_model_input", "follow_ups")
    old = followed[followed["age_frames"] >= predictor.config.follow_up.min_frames - 1]
    assert len(commitments) == 2 * len(old)


def test_scores_are_of_the_new_cells_only(project):
    metrics = read_new(project, "08_reporting", "incidence_metrics")
    landmarks = read_new(project, "05_model_input", "landmarks")
    predictors = {"clock", "ensemble", "track_age", "dose", "age_and_time", "handcrafted_and_age"}
    assert set(metrics["predictor"]) == predictors
    scored = landmarks[landmarks["watchable_h"] >= 2.0]
    assert metrics["n_cells"].max() <= scored.groupby(["recording_id", "cell_id"]).ngroups
    assert metrics["n_groups"].max() <= 3
    assert metrics.loc[metrics["metric"] == "auroc", "estimate"].notna().any()
    pairs = read_new(project, "08_reporting", "incidence_comparisons")[["predictor", "reference"]]
    assert {("ensemble", "clock"), ("ensemble", "handcrafted_and_age")} <= set(map(tuple, pairs.to_numpy()))


def test_references_learn_from_the_training_recordings_although_names_collide(project, predictor):
    """Of new cells alone, of the same names, the references take nothing: their fates may be anything."""
    trained = [read(project, *of) for of in (("05_model_input", "follow_ups"), ("05_model_input", "landmarks"))]
    new = [read_new(project, "05_model_input", name) for name in ("follow_ups", "landmarks")]
    features = read(project, "04_feature", "frame_features"), read_new(project, "04_feature", "frame_features")
    assert set(new[0]["recording_id"]) <= set(trained[0]["recording_id"])
    made = [
        nodes.forecast_new_references(
            *trained,
            features[0],
            new[0],
            landmarks,
            features[1],
            predictor.model,
            ReferenceSettings(names=("track_age",), handcrafted_history_h=3),
        )
        for landmarks in (new[1], new[1].assign(fate=CENSORED))
    ]
    pd.testing.assert_frame_equal(*made)
    assert set(made[0]["recording_id"]) == set(new[1]["recording_id"])


@pytest.fixture
def new_cells(project):
    """Crop store and tables of the other recordings."""
    crops = CropStore(project / DATA / "03_primary" / NEW / "crops.zarr")
    return crops, *(read_new(project, "02_intermediate", name) for name in ("recordings", "cells"))


def list_and_score(new_cells, cells, project, predictor, trained_crops=None):
    """Landmarks and scores where the fates of `cells` are known."""
    crops, recordings, _ = new_cells
    trained_crops = trained_crops or CropStore(project / DATA / "03_primary" / "crops.zarr")
    followed = nodes.follow_new_cells(crops, recordings, cells, predictor.model)
    landmarks = nodes.list_known_landmarks(crops, recordings, cells, followed, predictor.model, trained_crops)
    incidence = read_new(project, "07_model_output", "incidence")
    tables = (incidence, incidence.iloc[:0], landmarks, predictor.model, SCORES)
    return landmarks, nodes.score_new_incidence(*tables), nodes.compare_new_incidence(*tables)


def test_without_a_known_fate_nothing_is_scored(new_cells, project, predictor):
    unknown = new_cells[2].assign(fate=CENSORED, event_frame=pd.array([pd.NA] * len(new_cells[2]), dtype="Int64"))
    for table in list_and_score(new_cells, unknown, project, predictor):
        assert len(table) == 0
    followed = read_new(project, "05_model_input", "follow_ups")
    features = read_new(project, "04_feature", "frame_features")
    tables = (followed, followed.iloc[:0], features)
    assert nodes.forecast_new_references(*tables, *tables, predictor.model, ReferenceSettings()).empty


@pytest.mark.filterwarnings("ignore:.*scores of incidence are undefined")  # few cells
def test_an_event_that_is_not_annotated_is_not_scored(new_cells, project, predictor):
    died = new_cells[2]["fate"] == "apoptosis"
    assert died.any()
    cells = new_cells[2].assign(
        fate=new_cells[2]["fate"].mask(died, CENSORED), event_frame=new_cells[2]["event_frame"].mask(died)
    )
    _, metrics, comparisons = list_and_score(new_cells, cells, project, predictor)
    assert set(metrics["outcome"]) == set(comparisons["outcome"]) == {"mitosis"}


@pytest.mark.filterwarnings("ignore:.*scores of incidence are undefined")
def test_scoring_a_recording_that_was_trained_on_is_warned_of(new_cells, project, predictor, caplog):
    with caplog.at_level(logging.WARNING):
        list_and_score(new_cells, new_cells[2], project, predictor)
        assert "was trained on" not in caplog.text
        list_and_score(new_cells, new_cells[2], project, predictor, trained_crops=new_cells[0])
    assert "The model was trained on 3 of 3 new recordings" in caplog.text


def test_recordings_of_another_interval_end_the_run_with_a_sentence(project, other_recordings, tmp_path):
    arguments = ["--params", f"new_recordings_root={other_recordings},new_recordings.frame_interval_min=10.0"]
    copy = shutil.copytree(project, tmp_path / "copy")
    finished = run_kedro(copy, "run", "--env", "test", "--pipelines", NEW, *arguments)
    assert finished.returncode != 0
    last = finished.stderr.strip().splitlines()[-1]
    assert "a frame every 30 min but recording" in last
    assert "has one every 10 min" in last
