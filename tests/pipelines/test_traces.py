"""A study without images goes from tables to a report; what reads images is refused in a sentence."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from omegaconf import OmegaConf

from cellfate import Predictor
from cellfate.core.errors import InputError
from cellfate.imaging import RecordingSettings
from cellfate.pipeline_registry import name_pipelines
from cellfate.prediction.model_folder import load_model_folder
from cellfate.prediction.unscored import forecast_unscored
from cellfate.tracks.settings import TrackSettings
from tests.cases.trace_tables import simulate_families
from tests.conftest import copy_project, run_command, run_here

pytestmark = pytest.mark.pipeline

NAMES = {"cell": "cell_id", "mother": "parent_id", "born": "birth_h", "ended": "end_h", "drug": "stimulus"}
NEW = {"files": "*.csv", "traces": {"recording": "{file}", "end_h": 40.0}}
"""How other tables are read."""
SMALL = {"n_trees": 20, "min_samples_leaf": 10}


def parameters_of(folder: Path) -> dict[str, Any]:
    """Environment `traces` on tables `day1` and `day2` of a folder, at small size."""
    return {
        "data_root": str(folder / "data"),
        "recordings_root": str(folder / "tables"),
        "recordings": {"files": "day*.csv", "traces": {"recording": "{file}", "end_h": 40.0}},
        "splits": {"test_conditions": {"recording_id": ["day2"]}},
        "scores": {"n_resamples": 100},
        "blend": {"boosting": SMALL},
        "clock_training": {"max_epochs": 6},
        "clock_explanation": {"max_shapley_landmarks": 12, "max_sanity_landmarks": 2, "n_random_networks": 2},
        "references": {"names_within_hours": ["track_age"], "boosting_within_hours": SMALL},
    }


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a finished run: taught by one experiment, tested on the other."""
    folder = tmp_path_factory.mktemp("traces")
    project = copy_project(folder)
    (folder / "tables").mkdir()
    for seed, name in ((1, "day1"), (2, "day2")):
        write_table(folder / "tables", name, seed)
    run_here(project, "traces", env="traces", **parameters_of(folder))
    return folder


def read(folder: Path, layer: str, name: str) -> pd.DataFrame:
    return pd.read_parquet(folder / "data" / layer / f"{name}.parquet")


def test_the_same_tables_are_made_as_with_images_but_for_pixels(finished):
    for layer, name in (
        ("05_model_input", "follow_ups"),
        ("05_model_input", "landmarks"),
        ("05_model_input", "splits"),
        ("05_model_input", "leakage"),
        ("05_model_input", "sister_concordance"),
    ):
        assert len(read(finished, layer, name)), name
    assert not (finished / "data" / "03_primary").exists()
    features = read(finished, "04_feature", "frame_features")
    assert features["tracker_red"].isin([0, 1]).all()
    assert features["tracker_green"].isna().all()
    found = pd.read_csv(finished / "data" / "08_reporting" / "preflight_findings.csv")
    assert set(found.loc[found["check"] == "never_switches", "recording_id"]) == {"day1", "day2"}


def test_families_are_split_whole_and_the_other_experiment_is_tested(finished):
    splits, cells = read(finished, "05_model_input", "splits"), read(finished, "02_intermediate", "cells")
    parts = splits.merge(cells, on=["recording_id", "cell_id"])
    assert set(parts.loc[parts["recording_id"] == "day2", "part"]) == {"test"}
    assert parts.groupby("lineage_id")["part"].nunique().max() == 1


def test_boosting_and_network_on_traces_know_more_than_the_age(finished):
    """Red appears 6 to 9 h before every division; how old a cell is tells less."""
    metrics = read(finished, "08_reporting", "metrics")
    asked = metrics[(metrics["metric"] == "auroc") & (metrics["condition"] == "all") & (metrics["within_h"] == 5)]
    scores = asked.set_index(["predictor", "outcome"])["estimate"]
    assert scores["boosting", "mitosis"] > scores["track_age", "mitosis"] + 0.1
    assert scores["network", "mitosis"] > scores["track_age", "mitosis"] + 0.1


def test_the_model_says_that_it_reads_no_images(finished):
    folder = finished / "data" / "06_models" / "clock_model"
    model = load_model_folder(folder)
    assert not model.config.reads_images
    assert "traces, without images" in (folder / "README.md").read_text()
    with pytest.raises(InputError, match="The model was trained on traces, without images"):
        _ = model.config.cut


def test_the_report_says_nothing_of_images(finished):
    """Every sentence of the page, without its figures."""
    page = (finished / "data" / "08_reporting" / "report.html").read_text()
    assert "none: tables of traces" in page
    said = re.sub(r"<(script|style)\b.*?</\1>", "", page, flags=re.DOTALL)
    words = re.sub(r"<[^>]+>", " ", said[: said.index("Settings and versions</h2>")])
    for word in ("pixel", "crop", "images and measurements", "no image", "0 looked at", "NaN"):
        assert word not in words, word
    for anchor in ("added", "published"):
        assert f'<section id="{anchor}"' not in page
    checklist = pd.read_csv(finished / "data" / "08_reporting" / "checklist.csv").set_index("item")
    assert checklist["answer"].str.contains("tables of traces without images").any()


def test_columns_are_explained_and_named(finished):
    """Red tells of a division, green was never measured."""
    folder = finished / "data" / "07_model_output" / "explanations" / "clock"
    shapley, explained = (pd.read_parquet(folder / f"{name}.parquet") for name in ("shapley", "explained_landmarks"))
    assert "tracker_red" in set(shapley["channel"])
    assert not any("green" in name for name in set(shapley["channel"]))
    assert explained["shapley"].sum() == 12
    scores = read(finished, "08_reporting/explanations/clock", "attribution_scores")
    assert scores.loc[scores["score"] == "deletion_gain", "value"].notna().any()
    page = (finished / "data" / "08_reporting" / "report.html").read_text()
    for anchor in ("explanations", "belief", "examples"):
        assert f'<section id="{anchor}"' in page
    assert "Shapley values of columns and time windows" in page
    assert "red since on (h)" in page


def write_table(folder: Path, name: str, seed: int) -> pd.DataFrame:
    """Simulate families as a table of that name, in the words of `conf/traces`."""
    folder.mkdir(exist_ok=True)
    table = simulate_families(60, seed).rename(columns={**NAMES, "red_on": "red_on_h", "red_off": "red_off_h"})
    table = table.assign(green_on_h=None, green_off_h=None)
    table.to_csv(folder / f"{name}.csv", index=False)
    return table


def forecast_day3(finished: Path) -> None:
    new = {"new_recordings_root": str(finished / "new"), "inference": {"recordings": NEW}}
    run_here(finished, "traces_inference", env="traces", **parameters_of(finished) | new)


def read_new(folder: Path, layer: str, name: str) -> pd.DataFrame:
    return read(folder, layer, f"inference/{name}")


def test_another_table_is_forecast_and_scored_by_what_became_of_its_cells(finished):
    write_table(finished / "new", "day3", 3)
    forecast_day3(finished)
    fates = pd.read_csv(finished / "data" / "07_model_output" / "inference" / "fate_table.csv")
    followed = read_new(finished, "05_model_input", "follow_ups")
    assert set(fates["recording_id"]) == {"day3"}
    assert not fates["seen_in_training"].any()
    assert len(fates) == (followed["last_frame"] - followed["first_frame"] >= 2).sum() > 60
    metrics = read_new(finished, "08_reporting", "metrics")
    asked = metrics[(metrics["metric"] == "auroc") & (metrics["condition"] == "all") & (metrics["within_h"] == 5)]
    scores = asked.set_index(["predictor", "outcome"])["estimate"]
    assert scores["blend", "mitosis"] > scores["track_age", "mitosis"] + 0.1


def test_the_predictor_without_kedro_says_the_same_of_traces(finished):
    piped = read_new(finished, "07_model_output", "forecasts")
    given = OmegaConf.to_container(OmegaConf.load(finished / "conf" / "traces" / "parameters.yml"))
    settings = {**given["recordings"], **parameters_of(finished)["recordings"], "files": "*.csv"}
    tracks = TrackSettings(**given["tracks"])
    predictor = Predictor.from_folder(finished / "data" / "06_models" / "clock_model")
    alone = predictor.forecast_recordings(finished / "new", RecordingSettings(**settings), tracks)
    keys = ["predictor", "recording_id", "cell_id", "frame", "within_h"]
    both = piped.merge(alone, on=keys, suffixes=("", "_alone"), validate="one_to_one")
    assert len(both) == len(piped) == len(alone) > 0
    np.testing.assert_allclose(both["p_mitosis"], both["p_mitosis_alone"], atol=1e-5)


def test_a_table_that_taught_the_model_is_known_again(finished, tmp_path):
    taught = pd.read_csv(finished / "tables" / "day1.csv")
    (tmp_path / "new").mkdir()
    taught.to_csv(tmp_path / "new" / "day1.csv", index=False)
    changes = {"new_recordings_root": str(tmp_path / "new"), "inference": {"recordings": NEW}}
    run_here(finished, "traces_inference", env="traces", **parameters_of(finished) | changes)
    fates = pd.read_csv(finished / "data" / "07_model_output" / "inference" / "fate_table.csv")
    assert fates["seen_in_training"].all()
    assert read_new(finished, "08_reporting", "metrics").empty


def test_cells_that_nobody_scored_are_forecast_as_new_ones_are(finished):
    cells = read(finished, "02_intermediate", "cells")
    waiting = cells["recording_id"].eq("day2") & cells["fate"].eq("mitosis")
    cells = cells.assign(fate=cells["fate"].mask(waiting, "unscored"), event_frame=cells["event_frame"].mask(waiting))
    tables = [read(finished, "02_intermediate", name) for name in ("detections", "cropped_recordings")]
    features = read(finished, "04_feature", "frame_features")
    clock = load_model_folder(finished / "data" / "06_models" / "clock_model")
    forecasts = forecast_unscored(tables[0], cells, tables[1], features, clock)
    named = pd.MultiIndex.from_frame(forecasts[["recording_id", "cell_id"]])
    assert set(named) <= set(pd.MultiIndex.from_frame(cells.loc[waiting, ["recording_id", "cell_id"]]))
    assert forecasts["cell_id"].nunique() > 20
    assert read(finished, "07_model_output", "unscored_forecasts").empty  # the study itself has no such cell


def test_a_table_without_a_column_that_the_model_reads_is_refused_in_a_sentence(finished, tmp_path):
    (tmp_path / "new").mkdir()
    taught = pd.read_csv(finished / "tables" / "day1.csv").drop(columns=["red_on_h"])
    taught.to_csv(tmp_path / "new" / "day3.csv", index=False)
    changes = {"new_recordings_root": str(tmp_path / "new"), "inference": {"recordings": NEW}}
    sentence = r"day3\.csv has no column red_on_h.*correct the parameter inference\.tracks"
    with pytest.raises(InputError, match=sentence) as caught:
        run_here(finished, "traces_inference", env="traces", **parameters_of(finished) | changes)
    assert "\n" not in str(caught.value)


def test_where_nobody_dies_divisions_are_forecast(finished, tmp_path):
    (tmp_path / "tables").mkdir()
    for path in (finished / "tables").glob("*.csv"):
        pd.read_csv(path).replace({"fate": {"died": "lost"}}).to_csv(tmp_path / "tables" / path.name, index=False)
    run_here(finished, "traces", env="traces", **parameters_of(tmp_path))
    assert set(read(tmp_path, "05_model_input", "follow_ups")["fate"]) == {"mitosis", "censored"}
    assert "Apoptosis within 5 h" not in (tmp_path / "data" / "08_reporting" / "report.html").read_text()


def test_a_network_that_reads_images_is_refused(finished):
    changes = {"clock_network": {"encoder": "small_cnn"}}
    with pytest.raises(InputError, match=r"clock_network\.encoder is small_cnn, which reads images"):
        run_here(finished, "traces_model_training", env="traces", **parameters_of(finished) | changes)


def test_at_the_command_line_the_usual_names_stand_for_the_stages_without_images(finished):
    command = ("kedro", "run", "--env", "traces", "--params", f"data_root={finished / 'data'}", "--pipelines")
    failed = run_command(finished, *command, "comparison_trainings")
    assert failed.returncode == 1
    said = "Pipeline 'comparison_trainings' reads images, but recordings.layout is 'traces'"
    assert said in failed.stderr.splitlines()[-1]
    assert name_pipelines([]) == ["traces"]
    assert name_pipelines(["evaluation"]) == ["traces_evaluation"]
