"""Trainings from several seeds: the kept model stays as it is, the others are scored beside it."""

import html
import shutil
from itertools import combinations

import numpy as np
import pandas as pd
import pytest

from cellfate.core.errors import InputError
from tests.conftest import CELL, DATA, read_table, run_here

pytestmark = pytest.mark.pipeline

THREE = {"seeds": {"n_seeds": 3}}
READINGS = ("classifier", "clock")
ASKED = [*CELL, "frame", "within_h"]


@pytest.fixture(scope="module")
def trained(demo_project, tmp_path_factory):
    """The demo trained again, now from three seeds, and evaluated and reported in further runs."""
    project = shutil.copytree(demo_project, tmp_path_factory.mktemp("seeds") / "project")
    for pipeline in ("model_training", "evaluation", "reporting"):
        run_here(project, pipeline, **THREE)
    return project


@pytest.mark.parametrize("reading", READINGS)
def test_the_kept_model_is_that_of_one_seed(demo_project, trained, reading):
    one, three = (
        (project / DATA / "06_models" / f"{reading}_model" / "weights.safetensors").read_bytes()
        for project in (demo_project, trained)
    )
    assert one == three
    assert read_table(demo_project, "07_model_output", f"{reading}_seed_forecasts").empty


@pytest.mark.parametrize("reading", READINGS)
def test_further_seeds_forecast_the_scored_landmarks_and_differ(trained, reading):
    """Small enough to keep: test cells at landmarks, of what a network has a part in."""
    seeds = read_table(trained, "07_model_output", f"{reading}_seed_forecasts")
    predictors = {"classifier": {"classifier"}, "clock": {"network", "blend"}}[reading]
    assert set(seeds["seed"]) == {1, 2}
    assert set(seeds["predictor"]) == predictors
    landmarks = read_table(trained, "05_model_input", "landmarks").rename(columns={"last_frame": "frame"})
    kept = read_table(trained, "07_model_output", "forecasts")
    kept = kept[(kept["part"] == "test") & kept["predictor"].isin(predictors)].merge(landmarks[[*CELL, "frame"]])
    network = sorted(predictors)[-1]  # a blend can be boosting alone
    by_seed = [
        rows[rows["predictor"] == network].sort_values(ASKED, ignore_index=True)
        for rows in (kept, *(rows for _, rows in seeds.groupby("seed")))
    ]
    for other in by_seed[1:]:
        pd.testing.assert_frame_equal(other[ASKED], by_seed[0][ASKED])
    for one, other in combinations(by_seed, 2):
        assert (np.abs(one["p_mitosis"] - other["p_mitosis"]) > 1e-6).mean() > 0.9


def test_scores_over_seeds_stand_in_table_and_report(trained, demo_project):
    table = read_table(trained, "08_reporting", "seed_scores")
    metrics = read_table(trained, "08_reporting", "metrics").query("condition == 'all'")
    assert set(table["predictor"]) == {"classifier", "network", "blend"}
    assert (table["n_seeds"] == 3).all()
    assert (table.loc[table["predictor"] != "blend", "sd"].dropna() > 0).any()
    own = table[table["reference"].isna()]
    keys = ["predictor", "within_h", "metric", "outcome"]
    both = own.merge(metrics, on=keys, validate="one_to_one")
    assert len(both) == len(own)
    np.testing.assert_array_equal(both["kept"], both["estimate"])
    page = html.unescape((trained / DATA / "08_reporting" / "report.html").read_text())
    assert "Each model was trained from 3 seeds and the first is kept" in page
    assert "Trained from 3 seeds: what happens within 3 h" in page
    assert read_table(demo_project, "08_reporting", "seed_scores").empty
    once = html.unescape((demo_project / DATA / "08_reporting" / "report.html").read_text())
    assert "Each model was trained once: what another seed would give is not in the intervals." in once


def test_seeds_can_be_added_to_a_finished_run_and_are_not_forgotten(demo_project, trained, tmp_path):
    project = shutil.copytree(demo_project, tmp_path / "project")
    with pytest.raises(InputError, match=r"seeds\.n_seeds is 3, but 'classifier_seed_forecasts' was made with 1"):
        run_here(project, "evaluation", **THREE)
    model = project / DATA / "06_models" / "classifier_model" / "config.json"
    before = model.stat().st_mtime_ns
    run_here(project, "model_training", tags=("seeds",), **THREE)
    assert model.stat().st_mtime_ns == before
    for reading in READINGS:
        added, trained_with = (
            read_table(of, "07_model_output", f"{reading}_seed_forecasts") for of in (project, trained)
        )
        assert added.equals(trained_with)
