"""A newcomer without any fates: tracks are scored in the browser, a model is trained with that, and looked at there."""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from cellfate.study_source import find_study
from tests.conftest import DATA, copy_project, run_here
from tests.unit.review.conftest import open_page, running, wait

pytestmark = pytest.mark.pipeline
KEYS = {"apoptosis": "a", "mitosis": "m", "censored": "n"}


@dataclass(frozen=True)
class Newcomer:
    """A project whose recordings have tracks and no fates, and what became of its cells."""

    project: Path
    fates: dict[tuple[str, int], tuple[str, Any]]


@pytest.fixture
def newcomer(demo_project, tmp_path, monkeypatch):
    project = copy_project(tmp_path)
    raw = project / DATA / "01_raw" / "recordings"
    shutil.copytree(demo_project / DATA / "01_raw" / "recordings", raw)
    annotations = json.loads((raw / "annotations.json").read_text())
    annotations["annotations"] = [
        mark | {"time_of_death": None, "time_of_division": None}
        for mark in annotations["annotations"]
        if mark["category_id"] == 1  # no remains of the dead either
    ]
    (raw / "annotations.json").write_text(json.dumps(annotations))
    cells = pd.read_parquet(demo_project / DATA / "02_intermediate" / "cells.parquet")
    known = {
        (cell["recording_id"], cell["cell_id"]): (cell["fate"], cell["event_frame"])
        for cell in cells.to_dict("records")
    }
    monkeypatch.chdir(project)
    return Newcomer(project, known)


def score_all(page, fates):
    """Score every cell of the order by keys alone, as somebody does who sees what became of it."""
    for _ in range(len(fates)):
        recording, cell = page.evaluate(
            "(({ recording, cell }) => [recording, cell])(review.state.rows[review.state.key])"
        )
        wait(page, "review.state.drawn !== null")
        fate, event = fates[recording, cell]
        while fate != "censored" and (step := event - page.evaluate("review.state.frame")):
            page.keyboard.press("ArrowRight" if step > 0 else "ArrowLeft")
        page.keyboard.press(KEYS[fate])
    wait(page, "review.state.outbox.length === 0")


def test_from_tracks_to_a_trained_model_and_back(newcomer, context):
    with running(find_study("test")) as address:
        page = open_page(context, address)
        assert not page.evaluate("review.state.rows.some((row) => ['apoptosis', 'mitosis'].includes(row.fate))")
        score_all(page, newcomer.fates)
        assert f"{len(newcomer.fates)} labels are newer than the last run" in page.inner_text("#changed")
        assert "cellfate run --env test" in page.inner_text("#changed")
    run_here(newcomer.project, "data_processing", "model_training", "evaluation")
    cells = pd.read_parquet(newcomer.project / DATA / "02_intermediate" / "cells.parquet")
    assert not cells["recorded_fate"].isin(["apoptosis", "mitosis"]).any()
    for cell in cells.to_dict("records"):
        fate, event = newcomer.fates[cell["recording_id"], cell["cell_id"]]
        assert cell["fate"] == fate
        assert fate == "censored" or cell["event_frame"] == event
    with running(find_study("test")) as address:
        page = open_page(context, address)
        assert page.inner_text("#changed") == ""
        page.keyboard.press("f")
        wait(page, "review.state.rows.some((row) => row.forecast) && review.state.drawn !== null")
