"""The fate clock at tiny size: on the demo's recordings, and on recordings whose hazards are known."""

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from cellfate.core.fates import CENSORED
from cellfate.crops.store import CropStore
from cellfate.report.clock_contents import FIGURES
from tests.conftest import ROOT, copy_project, run_kedro

pytestmark = pytest.mark.pipeline

DATA = Path("data/test")
PREDICTORS = {"clock", "ensemble"}
REFERENCES = {"track_age", "dose", "age_and_time", "handcrafted_and_age"}
REPORTED_H = {2.0, 3.0}
HAZARDS = """
simulation:
  seed: 5
  n_recordings: 6
  n_frames: 30
  height_px: 96
  width_px: 96
  founders: [5, 6]
  cycle_h: 7.0
  cycle_sd_h: 0.8
  event_shape_h: 1.0
  causes: []
  hazards:
    p53_on_per_h: {Control: 0.05, Low: 0.08, Medium: 0.1, High: 0.12}
    loss_per_h: 0.03
"""


def run(project: Path, env: str, pipeline: str) -> None:
    finished = run_kedro(project, "run", "--env", env, "--pipelines", pipeline)
    assert finished.returncode == 0, finished.stderr[-4000:]


@pytest.fixture(scope="module")
def project(demo_project: Path) -> Path:
    """The finished demo, in which the fate clock has run too."""
    run(demo_project, "test", "fate_clock")
    return demo_project


@pytest.fixture(scope="module")
def hazard_project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project in which `known_hazards` has run, with an environment of its own: the tests', but for the lives."""
    folder = copy_project(tmp_path_factory.mktemp("hazards"))
    shutil.copytree(folder / "conf" / "test", folder / "conf" / "tiny_hazards")
    (folder / "conf" / "tiny_hazards" / "parameters" / "simulation.yml").write_text(HAZARDS)
    run(folder, "tiny_hazards", "known_hazards")
    return folder


def read(project: Path, layer: str, name: str) -> pd.DataFrame:
    return pd.read_parquet(project / DATA / layer / f"{name}.parquet")


def shown_frames(project: Path, min_frames: int) -> pd.DataFrame:
    """Frames of every validation and test cell at which it is forecast, one row each."""
    crops = CropStore(project / DATA / "03_primary" / "crops.zarr")
    follow_ups, splits = (read(project, "05_model_input", name) for name in ("follow_ups", "clock_splits"))
    rows = []
    for cell in splits[splits["part"] != "train"].merge(follow_ups, on="sample_id").itertuples():
        frames = crops.frame_numbers(cell.recording_id, cell.cell_id)
        first = cell.first_frame + min_frames - 1
        rows += [(cell.fold, cell.recording_id, cell.cell_id, t) for t in frames if first <= t <= cell.last_frame]
    return pd.DataFrame(rows, columns=["fold", "recording_id", "cell_id", "frame"])


def test_the_page_opens_offline_and_holds_every_figure(project):
    page = (project / DATA / "08_reporting" / "fate_clock.html").read_text()
    fetched = re.findall(r"<(?:script|link|img|iframe)[^>]*(?:src|href)=[\"'](https?:[^\"']+)", page)
    assert not fetched
    assert page.count("Plotly.newPlot(") == len(FIGURES)
    assert "ensemble" in page.lower()


def test_every_output_of_the_pipeline_is_there(project):
    catalog = yaml.safe_load((ROOT / "conf" / "base" / "catalog" / "fate_clock.yml").read_text())
    paths = {name: entry["filepath"].replace("${globals:data_root}", str(DATA)) for name, entry in catalog.items()}
    assert [name for name, path in paths.items() if not (project / path).exists()] == []
    tables = [path for path in paths.values() if path.endswith(".parquet") and "excluded" not in path]
    assert [path for path in tables if pd.read_parquet(project / path).empty] == []


def test_every_shown_frame_of_every_tested_cell_has_one_forecast(project):
    incidence, expected = read(project, "07_model_output", "incidence"), shown_frames(project, min_frames=4)
    assert set(incidence["predictor"]) == PREDICTORS
    assert set(incidence["within_h"]) == REPORTED_H
    for _, rows in incidence.groupby(["predictor", "within_h"]):
        assert sorted(map(tuple, rows[list(expected)].to_numpy())) == sorted(map(tuple, expected.to_numpy()))
    np.testing.assert_allclose(incidence[["p_apoptosis", "p_mitosis", "p_none"]].sum(axis=1), 1, atol=1e-6)


def test_censored_cells_teach_are_forecast_and_are_scored(project):
    follow_ups = read(project, "05_model_input", "follow_ups")
    censored = follow_ups[follow_ups["fate"] == CENSORED]
    parts = read(project, "05_model_input", "clock_splits").merge(censored, on="sample_id")["part"]
    assert set(parts) == {"train", "validation", "test"}
    keys = ["recording_id", "cell_id"]
    for layer, name in (("07_model_output", "incidence"), ("05_model_input", "landmarks")):
        assert len(read(project, layer, name)[keys].drop_duplicates().merge(censored, on=keys)) > 0


def test_references_forecast_the_landmarks_of_the_same_cells(project):
    references, landmarks = read(project, "07_model_output", "reference_incidence"), shown_frames(project, min_frames=4)
    assert set(references["predictor"]) == REFERENCES
    keys = ["fold", "recording_id", "cell_id", "frame"]
    assert len(references[keys].drop_duplicates().merge(landmarks, on=keys)) == len(references[keys].drop_duplicates())
    metrics = read(project, "08_reporting", "incidence_metrics")
    assert set(metrics["predictor"]) == PREDICTORS | REFERENCES


def test_no_recording_is_on_both_sides_of_the_split(project):
    follow_ups, splits = (read(project, "05_model_input", name) for name in ("follow_ups", "clock_splits"))
    parts = splits.merge(follow_ups, on="sample_id").groupby(["fold", "recording_id"])["part"].nunique()
    assert (parts == 1).all()


def test_tracks_are_shown_to_the_guard_however_they_end(project):
    follow_ups, guard_frames = read(project, "05_model_input", "follow_ups"), 2  # 1 h at 30 min
    past_the_end = follow_ups["end_frame"] + (follow_ups["fate"] == CENSORED)
    assert (follow_ups["last_frame"] < past_the_end - guard_frames).all()
    assert (follow_ups["last_frame"] == past_the_end - guard_frames - 1).mean() > 0.9  # gaps end earlier


def test_the_model_folder_holds_networks_and_boosters(project):
    folder = project / DATA / "06_models" / "clock_model"
    assert {path.name for path in folder.iterdir()} == {
        "weights.safetensors",
        "boosters.json",
        "config.json",
        "README.md",
    }
    assert json.loads((folder / "boosters.json").read_text())
    assert not any((project / DATA / "06_models" / "clock_checkpoints").glob("*"))


def test_the_truth_is_known_of_every_frame_that_is_forecast(hazard_project):
    forecast, truth = (
        read(hazard_project, *of) for of in (("07_model_output", "incidence"), ("01_raw", "true_incidence"))
    )
    keys = ["recording_id", "cell_id", "frame", "within_h"]
    both = forecast[forecast["predictor"] == "clock"].merge(truth, on=keys, suffixes=("", "_true"), how="left")
    assert both["p_apoptosis_true"].notna().all()
    assert not truth.duplicated(keys).any()
    np.testing.assert_allclose(truth[["p_apoptosis", "p_mitosis", "p_none"]].sum(axis=1), 1, atol=1e-9)


def test_the_clock_is_scored_against_the_truth(hazard_project):
    scores = json.loads((hazard_project / DATA / "08_reporting" / "true_scores.json").read_text())
    told = {(row["predictor"], row["outcome"], row["within_h"]) for row in scores["incidence"]}
    assert {(p, event, h) for p in PREDICTORS for event in ("apoptosis", "mitosis") for h in REPORTED_H} <= told
    errors = [row["mean_absolute_error"]["estimate"] for row in scores["incidence"]]
    assert all(0 < error < 0.5 for error in errors)
    assert scores["commitments"]
