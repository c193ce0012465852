"""The demo at tiny size, from nothing to the report: one study, two readings, one page."""

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from kedro.framework.project import pipelines
from kedro.io import MemoryDataset

from cellfate.core.fates import CENSORED, EVENTS
from cellfate.core.predictors import BLEND, CLASSIFIER, CLOCK_PREDICTORS
from cellfate.core.spreadsheets import read_csv
from cellfate.report.contents import FIGURES
from tests.conftest import CELL, DATA, open_catalog, read_table, run_here

pytestmark = pytest.mark.pipeline

MODELS = {CLASSIFIER, *CLOCK_PREDICTORS} - {"boosting_on_embeddings"}
REPORTED_H = {2.0, 3.0}
MIN_FRAMES = 4
GUARD_FRAMES = 2  # 1 h at 30 min
READINGS = ("classifier", "clock")


@pytest.fixture(scope="module")
def forecasts(demo_project: Path) -> pd.DataFrame:
    return read_table(demo_project, "07_model_output", "forecasts")


@pytest.fixture(scope="module")
def parts(demo_project: Path) -> pd.DataFrame:
    """Followed cells with the part they play."""
    follow_ups, splits = (read_table(demo_project, "05_model_input", name) for name in ("follow_ups", "splits"))
    return follow_ups.merge(splits, on=CELL, validate="one_to_one")


def cells_of(table: pd.DataFrame) -> set[tuple[str, int]]:
    return set(table[CELL].itertuples(index=False, name=None))


def shown_frames(project: Path, parts: pd.DataFrame) -> set[tuple[str, int, int]]:
    """Frames at which validation and test cells are forecast: tracked, shown, and watched for long enough."""
    detections = read_table(project, "02_intermediate", "detections").merge(parts[parts["part"] != "train"], on=CELL)
    watched = detections["frame"] - detections["first_frame"] + 1 >= MIN_FRAMES
    shown = detections[watched & (detections["frame"] <= detections["last_frame"])]
    return set(shown[[*CELL, "frame"]].itertuples(index=False, name=None))


def test_everything_that_the_demo_makes_is_saved_and_fits_its_schema(demo_project):
    catalog = open_catalog(demo_project)
    made = pipelines["demo"].all_outputs()
    saved = [name for name in made if name in catalog and not isinstance(catalog.get(name), MemoryDataset)]
    assert len(saved) > 80
    assert all(catalog.exists(name) for name in saved)
    loaded = {name: catalog.load(name) for name in saved if name != "preflight_tracks_page"}  # a page is only written
    tables = {name: table for name, table in loaded.items() if isinstance(table, pd.DataFrame)}
    unsure = {"alarms"}  # models as small as these may be sure of nothing for three frames on end
    assert {name for name, table in tables.items() if table.empty} - unsure == {
        "recordings_set_aside",
        "tracks_set_aside",
        "crops_set_aside",
        "dose_response",  # fewer than four amounts
        *("applied_labels", "label_findings", "label_agreement", "unscored_forecasts"),  # nobody scored a cell by hand
        *("classifier_seed_forecasts", "clock_seed_forecasts", "seed_scores"),  # one seed
    }


def test_no_group_is_on_both_sides_of_the_split_and_both_readings_are_tested_on_the_same(forecasts, parts):
    assert not parts[["group_id", "part"]].drop_duplicates()["group_id"].duplicated().any()
    groups = forecasts.merge(parts, on=CELL, suffixes=("", "_of"), validate="many_to_one")
    assert (groups["part"] == groups["part_of"]).all()
    tested = groups[groups["part"] == "test"].groupby("predictor")["group_id"].agg(set)
    assert set(tested.index) >= MODELS
    assert all(each == tested[CLASSIFIER] for each in tested)


def test_classifier_and_clock_say_which_fate_of_the_same_cells_at_the_same_frame(demo_project, forecasts, parts):
    landmarks = read_table(demo_project, "05_model_input", "landmarks")
    asked = landmarks[landmarks["last"] & landmarks["fate"].isin(EVENTS)].merge(parts[[*CELL, "part"]], on=CELL)
    expected = set(asked.loc[asked["part"] != "train", [*CELL, "last_frame"]].itertuples(index=False, name=None))
    said = forecasts[forecasts["within_h"].isna()]
    assert set(said["predictor"]) >= MODELS
    for _, rows in said.groupby("predictor"):
        assert sorted(rows[[*CELL, "frame"]].itertuples(index=False, name=None)) == sorted(expected)
    assert (said["p_none"] == 0).all()


def test_every_shown_frame_of_every_tested_cell_has_one_forecast_of_the_clock(demo_project, forecasts, parts):
    within = forecasts[forecasts["within_h"].notna()]
    assert set(within["within_h"]) == REPORTED_H
    expected = sorted(shown_frames(demo_project, parts))
    for _, rows in within[within["predictor"].isin(MODELS)].groupby(["predictor", "within_h"]):
        assert sorted(rows[[*CELL, "frame"]].itertuples(index=False, name=None)) == expected
    np.testing.assert_allclose(forecasts[["p_apoptosis", "p_mitosis", "p_none"]].sum(axis=1), 1, atol=1e-6)


def test_references_are_scored_at_the_landmarks_of_the_models(demo_project):
    """Equal data: every predictor of a question is scored at as many landmarks of as many cells."""
    metrics = read_table(demo_project, "08_reporting", "metrics")
    scored = metrics[(metrics["metric"] == "auroc") & (metrics["condition"] == "all")]
    counts = scored.groupby(["within_h", "outcome"], dropna=False)[["n_cells", "n_landmarks", "n_events"]].nunique()
    assert (counts == 1).all(axis=None)
    assert scored.groupby("within_h", dropna=False)["predictor"].nunique().min() >= 6


def test_censored_cells_teach_are_forecast_and_are_scored(demo_project, forecasts, parts):
    censored = parts[parts["fate"] == CENSORED]
    assert set(censored["part"]) == {"train", "validation", "test"}
    landmarks = read_table(demo_project, "05_model_input", "landmarks")
    for table in (forecasts, landmarks[landmarks["regular"]]):
        assert cells_of(table) & cells_of(censored)


def test_tracks_are_shown_to_the_guard_however_they_end(parts):
    past_the_end = parts["end_frame"] + (parts["fate"] == CENSORED)
    assert (parts["last_frame"] < past_the_end - GUARD_FRAMES).all()
    assert (parts["last_frame"] == past_the_end - GUARD_FRAMES - 1).mean() > 0.9  # gaps end earlier


def test_the_tables_for_a_reader_hold_every_tested_cell_out_of_fold(demo_project, forecasts, parts):
    """As `inference` writes them of new cells, with the same code."""
    fates, frames = (
        read_csv(demo_project / DATA / "07_model_output" / f"{name}.csv") for name in ("fate_table", "forecast_table")
    )
    tested = parts[(parts["part"] == "test") & (parts["last_frame"] - parts["first_frame"] >= MIN_FRAMES - 1)]
    assert cells_of(fates) == cells_of(frames) == cells_of(tested)
    assert not fates["seen_in_training"].any()
    seen = fates.merge(tested, on=CELL, suffixes=("", "_of"), validate="many_to_one")
    assert (seen["fate"] == seen["fate_of"]).all()
    assert (seen["frame"] == seen["last_frame"]).all()
    own = forecasts[(forecasts["part"] == "test") & (forecasts["predictor"] == BLEND) & (forecasts["within_h"] == 3.0)]
    both = frames.merge(own, on=[*CELL, "frame"], suffixes=("", "_of"), validate="one_to_one")
    assert len(both) == len(frames) == len(own)
    np.testing.assert_array_equal(both["p_mitosis"], both["p_mitosis_of"])


@pytest.mark.parametrize("reading", READINGS)
def test_shapley_values_add_up_to_the_forecast(demo_project, reading):
    shapley = read_table(demo_project, f"07_model_output/explanations/{reading}", "shapley")
    per_cell = shapley.groupby("landmark_id").agg({"value": "sum", "prediction": "first", "baseline": "first"})
    np.testing.assert_allclose(per_cell["value"], per_cell["prediction"] - per_cell["baseline"], atol=1e-4)


@pytest.mark.parametrize("reading", READINGS)
def test_the_model_folder_says_what_made_it(demo_project, reading):
    folder = demo_project / DATA / "06_models" / f"{reading}_model"
    boosters = {"boosters.json"} if reading == "clock" else set()
    expected = {"weights.safetensors", "config.json", "README.md", "trained_on.json"} | boosters
    assert {path.name for path in folder.iterdir()} == expected
    config = json.loads((folder / "config.json").read_text())
    assert config["kind"] == reading
    assert config["channels"] == ["circadian", "p53", "cell_cycle"]
    assert not any((demo_project / DATA / "06_models").glob("*checkpoints/*"))


def test_the_report_opens_offline_and_holds_every_figure(demo_project):
    page = (demo_project / DATA / "08_reporting" / "report.html").read_text()
    fetched = re.findall(r"<(?:script|link|img|iframe)[^>]*(?:src|href)=[\"'](https?:[^\"']+)", page)
    assert not fetched
    # fewer than four amounts of a drug give no dose response, no lineages no family; one figure opens the page
    assert page.count("Plotly.newPlot(") == len(FIGURES) - 2 + 1
    assert page.index(">Which fate comes") < page.index("<p>Balanced accuracy") < page.index("<h2>Recordings and cells")


def test_comparison_trainings_follow_the_demo_and_add_their_scores(demo_project):
    run_here(demo_project, "comparison_trainings")
    before = read_table(demo_project, "08_reporting/explanations/classifier", "attribution_scores")
    after = read_table(demo_project, "08_reporting", "compared_attribution_scores")
    added = [set(table.loc[table["value"].notna(), "score"]) for table in (before, after)]
    assert added[1] - added[0] == {"label_permuted", "retrained", "retrained_over_permuted"}


def test_one_stage_can_be_run_again_alone_and_makes_the_same_page(demo_project):
    """But for the table of parameters: Kedro fills in defaults only of those that the pipelines of a run read."""
    page = demo_project / DATA / "08_reporting" / "report.html"
    before = page.read_text().split('<section id="settings"')
    run_here(demo_project, "reporting")
    after = page.read_text().split('<section id="settings"')
    assert len(before) == len(after) == 2
    assert before[0] == after[0]
