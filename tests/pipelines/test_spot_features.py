"""A study whose tracker measured what decides the fate, from its tables to the report, and on new recordings."""

import html
import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cellfate.core.errors import InputError
from cellfate.core.predictors import BOOSTING
from cellfate.made_from import LEDGER
from cellfate.prediction.model_folder import load_model_folder
from tests.conftest import CELL, DATA, read_table, run_here

pytestmark = pytest.mark.pipeline

STAGES = ("data_processing", "model_training", "evaluation", "explainability")
TRACKS = {"format": "csv", "columns": {"fate": "fate", "event_frame": "event_frame"}, "spot_features": ["RATIO"]}


def write_tables(project: Path, recordings: Path, *left_out: str) -> None:
    """Write the demo's tracks as tables with a RATIO: 1 higher in cells that will die, missing in every tenth row."""
    detections, cells = (read_table(project, "02_intermediate", name) for name in ("detections", "cells"))
    rows = detections.merge(cells[[*CELL, "fate", "event_frame"]], on=CELL)
    rows["RATIO"] = np.random.default_rng(0).normal(0, 0.1, len(rows)) + (rows["fate"] == "apoptosis")
    rows.loc[rows.index % 10 == 0, "RATIO"] = np.nan
    rows["DURATION"] = rows.groupby(CELL)["frame"].transform("size")
    table = rows.rename(columns={"y_px": "y", "x_px": "x"}).drop(columns=["spot_id", *left_out])
    for recording_id, of_recording in table.groupby("recording_id"):
        of_recording.to_csv(recordings / f"{recording_id}.csv", index=False)


@pytest.fixture(scope="module")
def project(demo_project: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("features")
    project = shutil.copytree(demo_project, folder / "project")
    recordings = shutil.copytree(project / DATA / "01_raw" / "recordings", folder / "recordings")
    write_tables(project, recordings)
    given = {"recordings_root": str(recordings), "tracks": TRACKS}
    run_here(project, *STAGES, **given)
    run_here(project, "reporting", **given)
    return project


def test_values_come_through_to_the_measurements(project):
    detections, features = (
        read_table(project, *place) for place in (("02_intermediate", "detections"), ("04_feature", "frame_features"))
    )
    both = features.merge(detections, on=[*CELL, "frame"], suffixes=("", "_given"), validate="one_to_one")
    assert len(both) == len(features)
    assert both["tracker_RATIO"].dtype == np.float32
    pd.testing.assert_series_equal(both["tracker_RATIO"], both["tracker_RATIO_given"], check_names=False)
    assert 0.05 < both["tracker_RATIO"].isna().mean() < 0.15


def test_boosting_tells_the_fate_by_it(project):
    metrics = read_table(project, "08_reporting", "metrics")
    asked = metrics["within_h"].isna() & (metrics["metric"] == "auroc") & (metrics["condition"] == "all")
    scores = metrics[asked].groupby("predictor")["estimate"].max()
    assert scores[BOOSTING] > 0.95


def test_explanations_and_report_name_it(project):
    table = read_table(project, "07_model_output/explanations/clock", "tree_shapley")
    assert table.loc[table["feature"] == "tracker_RATIO", "value"].abs().sum() > 0
    page = html.unescape((project / DATA / "08_reporting" / "report.html").read_text())
    assert "RATIO (tracker)" in page
    model = load_model_folder(project / DATA / "06_models" / "clock_model")
    assert model.clock_config.spot_features == ("RATIO",)


def test_a_run_with_other_spot_features_is_refused_until_tracks_are_read_again(project):
    records = json.loads((project / DATA / LEDGER).read_text())
    assert records["detections"]["parameters"]["tracks"]["spot_features"] == ["RATIO"]
    with pytest.raises(InputError, match=r"tracks\.spot_features"):
        run_here(project, "model_training", tracks=TRACKS | {"spot_features": []})


def test_new_recordings_need_it(project, tmp_path):
    recordings = shutil.copytree(project / DATA / "01_raw" / "recordings", tmp_path / "recordings")
    write_tables(project, recordings)
    given = {"new_recordings_root": str(recordings), "tracks": TRACKS}
    run_here(project, "inference", **given)
    forecasts = read_table(project, "07_model_output/inference", "forecasts")
    assert set(forecasts["predictor"]) >= {BOOSTING}
    assert "tracker_RATIO" in read_table(project, "04_feature/inference", "frame_features")
    write_tables(project, recordings, "RATIO")
    words = (
        r"\.csv has no column 'RATIO' \(.*\), but the model was trained with the spot features RATIO; give recordings "
        "whose tracks have them"
    )
    with pytest.raises(InputError, match=words):
        run_here(project, "inference", **given)
    with pytest.raises(InputError, match="names spot_features, but which are read follows from the fate clock"):
        run_here(project, "inference", **given, inference={"tracks": {"spot_features": ["RATIO"]}})


def test_what_tells_the_whole_track_is_a_finding(project, tmp_path):
    recordings = shutil.copytree(project / DATA / "01_raw" / "recordings", tmp_path / "recordings")
    other = shutil.copytree(project, tmp_path / "project")
    write_tables(other, recordings)
    tracks = TRACKS | {"spot_features": ["RATIO", "DURATION"]}
    (other / DATA / LEDGER).unlink()
    run_here(other, "data_processing", recordings_root=str(recordings), tracks=tracks)
    findings = pd.read_csv(other / DATA / "08_reporting" / "preflight_findings.csv")
    told = findings[findings["check"] == "spot_feature"]
    assert told["finding"].str.contains("the spot feature DURATION has one value on all spots").all()
    assert len(told) == read_table(other, "02_intermediate", "recordings")["recording_id"].nunique()
