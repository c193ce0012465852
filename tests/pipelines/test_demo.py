"""The demo at tiny size, from nothing to the report, and what a person does with it next."""

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cellfate.core.fates import listed_outcomes, probability_column
from cellfate.imaging import RecordingSettings
from cellfate.prediction import FatePredictor
from tests.conftest import run_kedro

pytestmark = pytest.mark.pipeline

DATA = Path("data/test")
RECORDINGS = RecordingSettings(
    layout="coco_vid", channels=("circadian", "p53", "cell_cycle"), frame_interval_min=30.0, pixel_size_um=1.3
)


def read(project: Path, layer: str, name: str) -> pd.DataFrame:
    return pd.read_parquet(project / DATA / layer / f"{name}.parquet")


def test_every_test_sample_has_one_prediction_of_each_predictor(demo_project):
    splits = read(demo_project, "05_model_input", "splits")
    tested = set(splits.loc[splits["part"] == "test", "sample_id"])
    tables = [read(demo_project, "07_model_output", name) for name in ("predictions", "baseline_predictions")]
    predictions = pd.concat(tables)
    of_test = predictions[predictions["part"] == "test"]
    for _, rows in of_test.groupby("predictor"):
        assert set(rows["sample_id"]) == tested
        assert rows["sample_id"].is_unique
    columns = [probability_column(outcome) for outcome in listed_outcomes(of_test.columns)]
    np.testing.assert_allclose(of_test[columns].sum(axis=1), 1, atol=1e-6)


def test_no_recording_is_on_both_sides_of_the_split(demo_project):
    samples, splits = (read(demo_project, "05_model_input", name) for name in ("samples", "splits"))
    parts = splits.merge(samples, on="sample_id").groupby("recording_id")["part"].nunique()
    assert (parts == 1).all()


def test_samples_end_before_the_guard(demo_project):
    samples = read(demo_project, "05_model_input", "samples")
    guard_frames = 2  # 1 h at 30 min
    assert (samples["last_frame"] < samples["event_frame"] - guard_frames).all()


def test_the_report_opens_offline_and_holds_every_figure(demo_project):
    page = (demo_project / DATA / "08_reporting" / "report.html").read_text()
    fetched = re.findall(r"<(?:script|link|img|iframe)[^>]*(?:src|href)=[\"'](https?:[^\"']+)", page)
    assert not fetched
    assert page.count("Plotly.newPlot(") >= 10
    assert "balanced accuracy" in page.lower()


def test_the_model_folder_says_what_made_it(demo_project):
    folder = demo_project / DATA / "06_models" / "fate_model"
    assert {path.name for path in folder.iterdir()} == {"weights.safetensors", "config.json", "README.md"}
    config = json.loads((folder / "config.json").read_text())
    assert config["channels"] == ["circadian", "p53", "cell_cycle"]


def test_shapley_values_add_up_to_the_prediction(demo_project):
    shapley = read(demo_project, "07_model_output", "shapley")
    per_sample = shapley.groupby("sample_id").agg({"value": "sum", "prediction": "first", "baseline": "first"})
    np.testing.assert_allclose(per_sample["value"], per_sample["prediction"] - per_sample["baseline"], atol=1e-4)


@pytest.fixture(scope="module")
def fate_table(demo_project: Path) -> pd.DataFrame:
    """What the inference pipeline says of the demo's own recordings."""
    root = DATA / "01_raw" / "recordings"
    finished = run_kedro(
        demo_project, "run", "--env", "test", "--pipelines", "inference", "--params", f"new_recordings_root={root}"
    )
    assert finished.returncode == 0, finished.stderr[-4000:]
    return pd.read_csv(
        next((demo_project / DATA / "07_model_output").rglob("fate_table.csv")), dtype={"recording_id": str}
    )


def test_inference_predicts_each_cell_of_every_recording_once(demo_project, fate_table):
    cells = read(demo_project, "02_intermediate", "cells")
    assert set(fate_table["recording_id"]) == set(cells["recording_id"])
    assert not fate_table.duplicated(["recording_id", "cell_id"]).any()
    np.testing.assert_allclose(fate_table[["p_apoptosis", "p_mitosis"]].sum(axis=1), 1, atol=1e-6)


def test_the_predictor_without_kedro_says_the_same(demo_project, fate_table):
    predictor = FatePredictor.from_folder(demo_project / DATA / "06_models" / "fate_model")
    again = predictor.predict_recordings(demo_project / DATA / "01_raw" / "recordings", RECORDINGS)
    both = fate_table.merge(again, on=["recording_id", "cell_id"], suffixes=("", "_again"))
    assert len(both) == len(fate_table) == len(again)
    np.testing.assert_allclose(both["p_apoptosis"], both["p_apoptosis_again"], atol=1e-5)


def test_one_stage_can_be_run_again_alone(demo_project):
    finished = run_kedro(demo_project, "run", "--env", "test", "--pipelines", "reporting")
    assert finished.returncode == 0, finished.stderr[-4000:]
