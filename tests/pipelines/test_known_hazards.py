"""Recordings whose hazards are known, asked only what happens within some hours: the fate clock beside the truth."""

import json
from pathlib import Path

import numpy as np
import pytest

from cellfate.core.predictors import CLASSIFIER, CLOCK_PREDICTORS
from tests.conftest import CELL, DATA, copy_project, read_table, run_here

pytestmark = pytest.mark.pipeline

SIMULATION = {
    "seed": 5,
    "n_recordings": 6,
    "n_frames": 30,
    "founders": [5, 6],
    "cycle_h": 7.0,
    "cycle_sd_h": 0.8,
    "event_shape_h": 1.0,
    "causes": [],
    "hazards": {"p53_on_per_h": {"Control": 0.05, "Low": 0.08, "Medium": 0.1, "High": 0.12}, "loss_per_h": 0.03},
}
PREDICTORS = set(CLOCK_PREDICTORS) - {"boosting_on_embeddings"}
REPORTED_H = (2.0, 3.0)
KEYS = [*CELL, "frame", "within_h"]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = copy_project(tmp_path_factory.mktemp("hazards"))
    run_here(folder, "known_hazards", simulation=SIMULATION, follow_up={"questions": ["within_hours"]})
    return folder


def test_the_truth_is_known_of_every_frame_that_is_forecast(project):
    forecasts = read_table(project, "07_model_output", "forecasts")
    truth = read_table(project, "01_raw", "true_incidence")
    assert not truth.duplicated(KEYS).any()
    assert forecasts["within_h"].notna().all()
    both = forecasts[forecasts["predictor"] == "network"].merge(truth, on=KEYS, suffixes=("", "_true"), how="left")
    assert both["p_apoptosis_true"].notna().all()
    np.testing.assert_allclose(truth[["p_apoptosis", "p_mitosis", "p_none"]].sum(axis=1), 1, atol=1e-9)


def test_the_clock_is_scored_against_the_truth(project):
    scores = json.loads((project / DATA / "08_reporting" / "true_scores.json").read_text())
    told = {(row["predictor"], row["outcome"], row["within_h"]) for row in scores["incidence"]}
    events = ("apoptosis", "mitosis")
    assert {(name, event, h) for name in PREDICTORS for event in events for h in REPORTED_H} <= told
    errors = [row["mean_absolute_error"]["estimate"] for row in scores["incidence"]]
    assert all(0 < error < 0.5 for error in errors)
    assert scores["commitments"]


def test_the_report_answers_the_one_question_and_says_that_the_other_is_not_asked(project):
    page = (project / DATA / "08_reporting" / "report.html").read_text()
    assert "it is not listed in follow_up.questions." in page
    assert "<h3>Classifier" not in page
    metrics = read_table(project, "08_reporting", "metrics")
    assert CLASSIFIER not in set(metrics["predictor"])
    assert set(metrics["within_h"]) == set(REPORTED_H)
