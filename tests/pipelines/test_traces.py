"""A study without images goes from tables to a report; what reads images is refused in a sentence."""

import re
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from cellfate.core.errors import InputError
from cellfate.pipeline_registry import name_pipelines
from cellfate.prediction.model_folder import load_model_folder
from tests.cases.trace_tables import simulate_families
from tests.conftest import copy_project, run_command, run_here

pytestmark = pytest.mark.pipeline

NAMES = {"cell": "cell_id", "mother": "parent_id", "born": "birth_h", "ended": "end_h", "drug": "stimulus"}
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
        table = simulate_families(60, seed).rename(columns={**NAMES, "red_on": "red_on_h", "red_off": "red_off_h"})
        table.assign(green_on_h=None, green_off_h=None).to_csv(folder / "tables" / f"{name}.csv", index=False)
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
    failed = run_command(finished, *command, "inference")
    assert failed.returncode == 1
    assert "Pipeline 'inference' reads images, but recordings.layout is 'traces'" in failed.stderr.splitlines()[-1]
    assert name_pipelines([]) == ["traces"]
    assert name_pipelines(["evaluation"]) == ["traces_evaluation"]
