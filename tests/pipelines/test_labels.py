"""A study without any fates goes from tracks to trained models by labels alone, and on to cells worth labelling."""

import json
import uuid
from pathlib import Path

import pandas as pd
import pytest

from cellfate.core.fates import CENSORED, NEITHER
from cellfate.core.tables import CELL
from cellfate.labels.journal import Journal
from cellfate.labels.label import Label
from cellfate.labels.queues import order_cells
from cellfate.labels.table import describe_seen, labels_table
from tests.conftest import DATA, copy_project, open_catalog, open_session, read_table, run_here

pytestmark = pytest.mark.pipeline

N_RANDOM, N_UNCERTAIN = 56, 6
STEPS = ("data_processing", "model_training", "evaluation")


def take_fates_away(recordings: Path) -> dict[tuple[str, int], tuple[str, int | None]]:
    """Leave the tracks of a simulation, without deaths, divisions and remains; give what was taken away."""
    path = recordings / "annotations.json"
    annotations = json.loads(path.read_text())
    names = {video["id"]: video["name"] for video in annotations["videos"]}
    fates: dict[tuple[str, int], tuple[str, int | None]] = {}
    for row in annotations["annotations"]:
        died, divided = row["time_of_death"], row["time_of_division"]
        fate = "apoptosis" if died is not None else "mitosis" if divided is not None else NEITHER
        fates[names[row["video_id"]], row["cell_id"]] = fate, died if died is not None else divided
        row |= {"time_of_death": None, "time_of_division": None}
    annotations["annotations"] = [row for row in annotations["annotations"] if row["category_id"] == 1]
    path.write_text(json.dumps(annotations))
    return fates


class Scorer:
    """Scores by what is true, as a person with a page would: one label after the other into the journal."""

    def __init__(self, project: Path, fates: dict[tuple[str, int], tuple[str, int | None]]) -> None:
        self.project, self.fates = project, fates
        self.journal = Journal(project / DATA / "labels")

    def score(self, queue: str, n: int, **forecasts: pd.DataFrame) -> list[tuple[str, int]]:
        cells, detections = (read_table(self.project, "02_intermediate", name) for name in ("cells", "detections"))
        seen = describe_seen(cells, detections)
        labels = labels_table(self.journal.read())
        scored = order_cells(queue, cells, labels, scorer="ann", **forecasts)[:n]
        for key in scored:
            fate, frame = self.fates[key]
            entry = {"entry_id": uuid.uuid4().hex, "scorer": "ann", "queue": queue, "seen": seen[key]}
            self.journal.append(Label(recording_id=key[0], cell_id=key[1], fate=fate, event_frame=frame, **entry))
        return scored


@pytest.fixture(scope="module")
def labelled(tmp_path_factory):
    """The demo with its fates taken away, labelled in random order, then run; and who scored."""
    project = copy_project(tmp_path_factory.mktemp("labels"))
    run_here(project, "simulation")
    scorer = Scorer(project, take_fates_away(project / DATA / "01_raw" / "recordings"))
    with open_session(project) as session:
        session.run(pipeline_names=["data_processing"], to_nodes=["open_recordings_and_tracks.apply_labels"])
    assert set(read_table(project, "02_intermediate", "cells")["fate"]) == {CENSORED}
    scored = scorer.score("random", N_RANDOM)
    assert len(scored) == N_RANDOM
    for pipeline in STEPS:
        run_here(project, pipeline)
    return project, scorer, scored


def test_labels_are_the_fates_of_the_study(labelled):
    project, scorer, scored = labelled
    cells = read_table(project, "02_intermediate", "cells").set_index(CELL)
    for key in scored:
        fate, frame = scorer.fates[key]
        assert cells.loc[key, "fate"] == (CENSORED if fate == NEITHER else fate)
        assert cells.loc[key, "event_frame"] == frame if frame is not None else pd.isna(cells.loc[key, "event_frame"])
    assert (cells["recorded_fate"] == CENSORED).all()
    others = cells.drop(index=scored)
    assert len(others) == len(cells) - N_RANDOM
    assert (others["fate"] == "unscored").all()  # they may have died unseen
    findings = pd.read_csv(project / DATA / "08_reporting" / "label_findings.csv")
    assert "unlisted" in set(findings["check"])


def test_both_models_are_trained_and_tested_on_labels_alone(labelled):
    project, _, scored = labelled
    catalog = open_catalog(project)
    assert catalog.load("classifier_model").config.members
    assert catalog.load("clock_model").config.members
    forecasts = read_table(project, "07_model_output", "forecasts")
    assert set(forecasts.loc[forecasts["part"] == "test", "predictor"]) >= {"classifier", "blend"}
    assert set(forecasts[CELL].itertuples(index=False, name=None)) <= set(scored)


def test_cells_that_nobody_scored_are_forecast_and_can_be_ordered(labelled):
    project, _, scored = labelled
    unscored = read_table(project, "07_model_output", "unscored_forecasts")
    forecast = set(unscored[CELL].itertuples(index=False, name=None))
    assert forecast
    assert not forecast & set(scored)
    assert set(unscored["predictor"]) >= {"classifier", "blend"}


def test_labels_of_uncertain_cells_train_and_never_test(labelled):
    project, scorer, scored = labelled
    splits = read_table(project, "05_model_input", "splits")
    forecasts = read_table(project, "07_model_output", "unscored_forecasts")
    thresholds = read_table(project, "07_model_output", "set_thresholds")
    asked = scorer.score("uncertain", N_UNCERTAIN, forecasts=forecasts, set_thresholds=thresholds, splits=splits)
    assert asked
    run_here(project, "data_processing")
    applied = read_table(project, "02_intermediate", "applied_labels")
    assert set(applied["entry_id"]) == set(labels_table(scorer.journal.read())["entry_id"])
    cells = read_table(project, "02_intermediate", "cells").set_index(CELL)
    assert cells.loc[asked, "training_only"].all()
    assert not cells.loc[scored, "training_only"].any()
    parts = read_table(project, "05_model_input", "splits").set_index(CELL)["part"]
    assert set(parts[parts.index.isin(asked)]) <= {"train"}
