"""Studies that lack something: it is said what can be asked of them, and what can is answered, up to the report."""

import html
import shutil
from pathlib import Path

import pandas as pd
import pytest

from cellfate.core.errors import InputError
from cellfate.core.fates import CENSORED
from cellfate.core.predictors import BLEND, CLASSIFIER
from cellfate.made_from import LEDGER
from cellfate.prediction.model_folder import load_model_folder
from tests.conftest import DATA, read_table, run_here

pytestmark = pytest.mark.pipeline

REST = ("data_processing", "model_training", "evaluation", "explainability")
FOLLOW = ("follow_and_split_cells.follow_cells",)
CELLS = DATA / "02_intermediate" / "cells.parquet"


def run_on(demo_project: Path, folder: Path, cells: pd.DataFrame, **parameters: object) -> Path:
    """Run everything after the import of tracks on the demo's recordings, with cells of other fates."""
    project = shutil.copytree(demo_project, folder / "project")
    for layer in ("05_model_input", "06_models", "07_model_output", "08_reporting/explanations"):
        shutil.rmtree(project / DATA / layer)
    cells.to_parquet(project / CELLS)
    (project / DATA / LEDGER).unlink()  # it would refuse a table that was changed by hand
    run_here(project, *REST, from_nodes=FOLLOW, **parameters)
    run_here(project, "reporting", **parameters)
    return project


def without(cells: pd.DataFrame, fates: list[str]) -> pd.DataFrame:
    """The same cells, those of some fates watched to their last frame without any."""
    gone = cells["fate"].isin(fates)
    return cells.assign(fate=cells["fate"].mask(gone, CENSORED), event_frame=cells["event_frame"].mask(gone))


def asked_of(project: Path) -> dict[str, tuple[bool, str | None]]:
    questions = read_table(project, "05_model_input", "questions")
    return {row.question: (bool(row.asked), row.remark) for row in questions.itertuples()}


def page_of(project: Path) -> str:
    return html.unescape((project / DATA / "08_reporting" / "report.html").read_text())


def load_model(project: Path, reading: str):
    return load_model_folder(project / DATA / "06_models" / f"{reading}_model")


def test_one_fate_only_is_forecast_within_hours_and_the_classifier_is_left_out(demo_project, tmp_path):
    project = run_on(demo_project, tmp_path, without(pd.read_parquet(demo_project / CELLS), ["apoptosis"]))
    asked = asked_of(project)
    assert not asked["which_fate"][0]
    assert asked["within_hours"][0]
    assert "end in mitosis, and it takes cells of both fates" in asked["which_fate"][1]
    assert "no followed cell ends in apoptosis" in asked["within_hours"][1]
    forecasts = read_table(project, "07_model_output", "forecasts")
    assert BLEND in set(forecasts["predictor"])
    assert CLASSIFIER not in set(forecasts["predictor"])
    assert forecasts["within_h"].notna().all()
    assert "p_apoptosis" not in forecasts or forecasts["p_apoptosis"].isna().all()
    assert load_model(project, "classifier").config.reason == asked["which_fate"][1]
    assert load_model(project, "clock").config.events == ("mitosis",)
    assert asked["which_fate"][1][1:] in page_of(project)
    assert read_table(project, "07_model_output/explanations/classifier", "shapley").empty


def test_without_censored_cells_which_fate_is_asked_alone(demo_project, tmp_path):
    """The paper's question: the clock is not trained, and the report holds the classifier beside its references."""
    cells = pd.read_parquet(demo_project / CELLS)
    project = run_on(demo_project, tmp_path, cells[cells["fate"] != CENSORED], follow_up={"questions": ["which_fate"]})
    asked = asked_of(project)
    assert asked["which_fate"][0]
    assert asked["within_hours"] == (False, "not asked: it is not listed in follow_up.questions.")
    forecasts = read_table(project, "07_model_output", "forecasts")
    assert forecasts["within_h"].isna().all()
    assert {CLASSIFIER, "measurements", "track_length"} <= set(forecasts["predictor"])
    assert BLEND not in set(forecasts["predictor"])
    assert load_model(project, "clock").config.members == ()
    page = page_of(project)
    assert "it is not listed in follow_up.questions." in page
    assert "<h3>Fate clock" not in page


def test_where_nothing_can_be_asked_the_run_says_so(demo_project, tmp_path):
    cells = without(pd.read_parquet(demo_project / CELLS), ["apoptosis", "mitosis"])
    project = run_on(demo_project, tmp_path, cells)
    assert not any(asked for asked, _ in asked_of(project).values())
    assert read_table(project, "07_model_output", "forecasts").empty
    for _, remark in asked_of(project).values():
        assert remark[1:] in page_of(project)


def test_a_single_group_ends_the_run_with_a_sentence(demo_project, tmp_path):
    cells = pd.read_parquet(demo_project / CELLS).assign(group_id="one plate")
    with pytest.raises(InputError, match=r"needs at least 3 groups .* come from 1, .*set recordings\.group_by"):
        run_on(demo_project, tmp_path, cells)
