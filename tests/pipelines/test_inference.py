"""The models of a study on other recordings, and on its own: what is forecast, what is scored, what is warned of."""

import logging
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cellfate import Predictor
from cellfate.core import spreadsheets
from cellfate.core.errors import InputError
from cellfate.core.fates import CENSORED, EVENTS, OUTCOMES
from cellfate.core.predictors import BLEND, BOOSTING, CLASSIFIER
from cellfate.crops.store import CropStore
from cellfate.imaging import RecordingSettings
from cellfate.imaging.records import RecordingFolder
from cellfate.metrics.settings import ReferenceSettings, ScoreSettings
from cellfate.pipelines.inference import nodes
from cellfate.prediction.model_folder import load_model_folder
from cellfate.prediction.settings import AlarmSettings
from cellfate.simulation import simulate_study, write_study
from cellfate.tracks.settings import TrackSettings
from tests.cases.simulated import tiny_settings
from tests.cases.trained_models import model_without_members
from tests.conftest import CELL, DATA, read_table, run_command, run_here

pytestmark = pytest.mark.pipeline

RECORDINGS = RecordingSettings(
    layout="coco_vid", channels=("circadian", "p53", "cell_cycle"), frame_interval_min=30.0, pixel_size_um=1.3
)
READINGS = ("classifier", "clock")
HEADLINE_H, MIN_FRAMES = 3.0, 4
FRAME = [*CELL, "frame"]


@pytest.fixture(scope="module")
def other_recordings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Recordings of another study; their names are among those of the training recordings."""
    root = tmp_path_factory.mktemp("other") / "recordings"
    write_study(simulate_study(tiny_settings(seed=9, n_recordings=3)), root)
    return root


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory, demo_project: Path, other_recordings: Path) -> Path:
    """The finished demo, whose models were then used on the other recordings."""
    folder = shutil.copytree(demo_project, tmp_path_factory.mktemp("inference") / "project")
    arguments = ("--env", "test", "--pipelines", "inference", "--params", f"new_recordings_root={other_recordings}")
    finished = run_command(folder, "kedro", "run", *arguments)
    assert finished.returncode == 0, finished.stderr[-4000:]
    assert "The new fate table is " in finished.stderr
    assert "trained on" not in finished.stderr
    return folder


@pytest.fixture(scope="module")
def models(project: Path) -> tuple:
    return tuple(load_model_folder(project / DATA / "06_models" / f"{reading}_model") for reading in READINGS)


def read_new(project: Path, layer: str, name: str) -> pd.DataFrame:
    return read_table(project, f"{layer}/inference", name)


def read_csv(project: Path, name: str, folder: str = "inference") -> pd.DataFrame:
    return spreadsheets.read_csv(project / DATA / "07_model_output" / folder / f"{name}.csv")


def cells_of(table: pd.DataFrame) -> set[tuple[str, int]]:
    return set(table[CELL].itertuples(index=False, name=None))


def test_every_cell_that_was_watched_long_enough_is_forecast_once_by_each_reading(project):
    table, followed = read_csv(project, "fate_table"), read_new(project, "05_model_input", "follow_ups")
    watched = followed[followed["last_frame"] - followed["first_frame"] >= MIN_FRAMES - 1]
    asked = table.groupby(["predictor", table["within_h"].fillna(0)])
    assert set(asked.groups) == {(CLASSIFIER, 0), (BLEND, 0), (BLEND, HEADLINE_H)}
    for _, rows in asked:
        assert len(rows) == len(watched)
        assert cells_of(rows) == cells_of(watched)
    np.testing.assert_allclose(table[["p_apoptosis", "p_mitosis", "p_none"]].sum(axis=1), 1, atol=1e-6)
    assert not table["seen_in_training"].any()


def test_the_table_of_frames_and_the_tracks_hold_the_blend_and_change_over_a_cell(project):
    forecasts = read_new(project, "07_model_output", "forecasts")
    blend = forecasts[(forecasts["predictor"] == BLEND) & (forecasts["within_h"] == HEADLINE_H)]
    table = read_csv(project, "forecast_table")
    both = table.merge(blend, on=FRAME, suffixes=("", "_of"), validate="one_to_one")
    assert len(both) == len(table) == len(blend)
    np.testing.assert_allclose(both["p_mitosis"], both["p_mitosis_of"])
    np.testing.assert_allclose(table["time_h"], table["frame"] * 0.5)
    assert table["watched_h"].min() == (MIN_FRAMES - 1) * 0.5
    folder = project / DATA / "07_model_output" / "inference" / "track_forecasts"
    tracks = pd.concat(map(spreadsheets.read_csv, folder.glob("*.csv")), ignore_index=True)
    assert len(tracks) == len(read_new(project, "02_intermediate", "detections"))
    known = tracks[tracks["forecast_frame"] == tracks["frame"]].merge(blend, on=FRAME, suffixes=("", "_of"))
    assert len(known) == len(blend)
    np.testing.assert_allclose(known["p_mitosis"], known["p_mitosis_of"])
    of_cells = known.groupby(CELL)["p_mitosis"].agg(["size", np.ptp])
    assert (of_cells.loc[of_cells["size"] > 1, "ptp"] > 0).all()
    assert {path.stem for path in folder.glob("*.geff")} == set(tracks["recording_id"])
    which = forecasts[forecasts["within_h"].isna() & (forecasts["predictor"] == CLASSIFIER)]
    both = tracks.merge(which, on=CELL, suffixes=("", "_of"), validate="many_to_one")
    assert len(both) == tracks["fate_call"].notna().sum() > 0
    np.testing.assert_allclose(both["fate_p_apoptosis"], both["p_apoptosis_of"])


@pytest.mark.parametrize("reading", READINGS)
def test_the_predictor_without_kedro_says_the_same(project, reading, other_recordings):
    piped = read_new(project, "07_model_output", "forecasts")
    predictor = Predictor.from_folder(project / DATA / "06_models" / f"{reading}_model")
    alone = predictor.forecast_recordings(other_recordings, RECORDINGS)
    own = piped[piped["predictor"].isin(alone["predictor"])]
    keys = ["predictor", *FRAME, "within_h"]
    both = own.merge(alone, on=keys, suffixes=("", "_alone"), validate="one_to_one")
    assert len(both) == len(own) == len(alone) > 0
    np.testing.assert_allclose(both["p_apoptosis"], both["p_apoptosis_alone"], atol=1e-5)


def test_scores_are_of_the_new_cells_beside_the_references(project):
    metrics, landmarks = read_new(project, "08_reporting", "metrics"), read_new(project, "05_model_input", "landmarks")
    within = metrics[metrics["within_h"].notna()]
    references = {"track_age", "dose", "age_and_time", "handcrafted_age_and_time"}
    assert set(within["predictor"]) == {"network", BOOSTING, BLEND, *references}
    assert set(metrics.loc[metrics["within_h"].isna(), "predictor"]) >= {CLASSIFIER, BLEND, "measurements", "dose"}
    scored = landmarks[landmarks["regular"] & (landmarks["watchable_h"] >= 2.0)]
    assert within["n_cells"].max() == len(cells_of(scored))
    assert metrics["n_groups"].max() == 3
    assert metrics.loc[metrics["metric"] == "auroc", "estimate"].notna().any()
    pairs = read_new(project, "08_reporting", "comparisons")[["predictor", "reference"]]
    assert {(BLEND, BOOSTING), (CLASSIFIER, "measurements")} <= set(map(tuple, pairs.to_numpy()))


def test_the_calls_of_cells_are_dated(project):
    commitments = read_new(project, "07_model_output", "commitments")
    watched = cells_of(read_csv(project, "forecast_table"))
    assert len(commitments) == len(watched) * commitments["predictor"].nunique() > 0
    assert set(commitments["call"]) <= set(OUTCOMES)


def test_cells_that_trained_a_model_are_marked_and_warned_of_by_digest(demo_project, tmp_path, caplog):
    project = shutil.copytree(demo_project, tmp_path / "project")
    moved = (project / DATA / "01_raw" / "recordings").rename(tmp_path / "elsewhere")
    with caplog.at_level(logging.WARNING, logger="cellfate"):
        run_here(project, "inference", new_recordings_root=str(moved))
    table = read_csv(project, "fate_table")
    parts = read_table(project, "05_model_input", "splits").merge(
        read_table(project, "05_model_input", "follow_ups"), on=CELL
    )
    # the boosted hazards of the clock were refitted to all cells for deployment, those of the test part too
    taught = {BLEND: parts, CLASSIFIER: parts[(parts["part"] != "test") & parts["fate"].isin(EVENTS)]}
    for predictor, cells in taught.items():
        rows = table[table["predictor"] == predictor]
        assert cells_of(rows[rows["seen_in_training"]]) == cells_of(rows) & cells_of(cells)
    warned = [record.getMessage() for record in caplog.records if "trained on" in record.getMessage()]
    assert len(warned) == 3
    assert "are not scored: a model was trained on them" in warned[0]
    assert read_new(project, "08_reporting", "metrics").empty
    assert read_new(project, "08_reporting", "alarm_summary").empty
    assert all(any(f" on {len(cells)} of these" in message for message in warned) for cells in taught.values())


def test_alarms_are_scored_up_to_the_guard_of_every_cell_and_right_where_the_event_follows_in_time(project, models):
    assert set(read_new(project, "08_reporting", "alarm_summary")["predictor"]) >= {BLEND, "network", "age_and_time"}
    assert read_new(project, "08_reporting", "net_benefit")["n_forecasts"].min() > 0
    _, landmarks, scorable = follow(new_cells(project), models)
    forecasts = read_new(project, "07_model_output", "forecasts")
    often = AlarmSettings(cost_false=1.0, cost_miss=19.0, frames_on_end=1)
    few = ScoreSettings(n_resamples=100)
    alarms, _, benefit = nodes.score_new_alarms(forecasts, forecasts.iloc[:0], scorable, models[1], often, few)
    cells = scorable[[*CELL, "last_frame", "end_frame", "fate"]]
    ends = alarms.merge(cells, on=CELL, suffixes=("_told", ""), validate="many_to_one")
    assert len(ends) == len(alarms) > 0
    assert (ends["frame"] <= ends["last_frame"]).all()
    follows = (ends["fate"] == ends["outcome"]) & ((ends["end_frame"] - ends["frame"]) * 0.5 <= HEADLINE_H)
    assert (follows == (ends["answer"] == "right")).all()
    censored = scorable[scorable["fate"] == CENSORED]  # forecast up to their end, scored up to the guard
    later = forecasts.merge(censored[[*CELL, "last_frame"]], on=CELL)
    assert (later["frame"] > later["last_frame"]).any()
    assert benefit["n_forecasts"].max() <= (landmarks["last"] * (landmarks["n_frames"])).sum()


def test_without_a_fate_everything_is_forecast_and_nothing_scored(project, models, other_recordings):
    crops, recordings, detections, cells = new_cells(project)
    unknown = cells.assign(fate=CENSORED, event_frame=pd.array([pd.NA] * len(cells), dtype="Int64"))
    followed, landmarks, scorable = follow((crops, recordings, detections, unknown), models)
    assert len(followed) == len(cells)
    assert landmarks.empty
    features = read_new(project, "04_feature", "frame_features")
    forecasts = nodes.forecast_new_cells(detections, followed, features, models[1], models[0], crops)
    assert cells_of(forecasts) >= cells_of(read_csv(project, "fate_table"))
    trained = trained_tables(project)
    references = nodes.forecast_new_references(
        *trained, scorable, landmarks, detections, features, models[1], ReferenceSettings(), models[0]
    )
    assert references.empty
    scored = nodes.score_new_cells(forecasts, references, landmarks, followed, models[1], ScoreSettings(), models[0])
    assert [len(table) for table in scored] == [0, 0, 0]
    alarms = nodes.score_new_alarms(forecasts, references, scorable, models[1], AlarmSettings(), ScoreSettings())
    assert [len(table) for table in alarms] == [0, 0, 0]


def test_an_event_that_is_not_annotated_is_not_scored(project, models):
    crops, recordings, detections, cells = new_cells(project)
    died = cells["fate"] == "apoptosis"
    assert died.any()
    cells = cells.assign(fate=cells["fate"].mask(died, CENSORED), event_frame=cells["event_frame"].mask(died))
    followed, landmarks, _ = follow((crops, recordings, detections, cells), models)
    forecasts = read_new(project, "07_model_output", "forecasts")
    metrics, _, _ = nodes.score_new_cells(
        forecasts, forecasts.iloc[:0], landmarks, followed, models[1], ScoreSettings(n_resamples=100), models[0]
    )
    within = metrics[metrics["within_h"].notna()]
    assert set(within["outcome"]) == {"all", "mitosis"}


def test_references_learn_from_the_training_recordings_although_names_collide(project, models):
    """Of new cells of the same names the references take nothing: their fates may be anything."""
    new = [read_new(project, "05_model_input", name) for name in ("follow_ups", "landmarks")]
    new += [read_new(project, *of) for of in (("02_intermediate", "detections"), ("04_feature", "frame_features"))]
    trained = trained_tables(project)
    assert set(new[0]["recording_id"]) <= set(trained[0]["recording_id"])
    settings = ReferenceSettings(
        names_which_fate=("dose",), names_within_hours=("track_age", "dose"), history_h=3, boosting={"n_trees": 5}
    )
    turned = {"apoptosis": "mitosis", "mitosis": "apoptosis"}
    others = [table.assign(fate=table["fate"].replace(turned)) for table in new[:2]]
    one, two = (
        nodes.forecast_new_references(*trained, *tables, *new[2:], models[1], settings, models[0])
        for tables in (new[:2], others)
    )
    pd.testing.assert_frame_equal(one, two)
    assert set(one["predictor"]) == {"track_age", "dose"}
    assert set(one["recording_id"]) == set(new[1]["recording_id"])


def test_what_does_not_fit_the_models_ends_the_run_with_a_sentence(project, other_recordings):
    """New recordings are read as those of the study, but for what parameter `inference` says."""
    faults = {
        "a frame every 30 min but recording .* has one every 10 min": {"frame_interval_min": 10.0},
        "circadian.*red": {"channels": ["red", "green", "blue"]},
        "frame_interval_mn does not exist": {"frame_interval_mn": 10.0},
    }
    for sentence, changed in faults.items():
        with pytest.raises(InputError, match=sentence) as caught:
            run_here(
                project,
                "inference",
                new_recordings_root=str(other_recordings),
                inference={"recordings": {"conditions_file": None, **changed}},
            )
        assert "\n" not in str(caught.value)


def test_tables_that_new_recordings_lack_are_taken_as_absent(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    folder = RecordingFolder(tmp_path)
    study = RECORDINGS.model_copy(update={"conditions_file": "conditions.csv"})
    tracks, clock = TrackSettings(fates_file="fates.csv"), model_without_members("clock")
    recordings, read = nodes.choose_settings(folder, study, tracks, nodes.InferenceSettings(), clock)
    assert (recordings.conditions_file, read.fates_file, read.missing_fates) == (None, "fates.csv", "unscored")
    assert "no conditions file conditions.csv" in caplog.text
    named = nodes.InferenceSettings(recordings={"conditions_file": "mine.csv"}, tracks={"fates_file": "mine.csv"})
    recordings, read = nodes.choose_settings(folder, study, tracks, named, clock)
    assert (recordings.conditions_file, read.fates_file, read.missing_fates) == ("mine.csv", "mine.csv", "stop")
    (tmp_path / "conditions.csv").touch()
    assert nodes.choose_settings(folder, study, tracks, nodes.InferenceSettings(), clock)[0] == study


def test_models_that_are_no_pair_are_refused(project, models):
    classifier, clock = models
    follow_up = clock.config.follow_up.model_copy(update={"guard_h": 2.0})
    other = replace(clock, config=clock.config.model_copy(update={"follow_up": follow_up}))
    with pytest.raises(
        InputError, match=r"with follow_up\.guard_h 1\.0 and the fate clock with 2\.0, but .*; train both on one study"
    ):
        follow(new_cells(project), (classifier, other))
    with pytest.raises(InputError, match="is a fate clock, but a classifier is needed"):
        follow(new_cells(project), (clock, clock))


def test_new_cells_are_measured_as_the_fate_clock_says(project, models):
    crops, _, detections, _ = new_cells(project)
    clock = models[1]
    measured = nodes.measure_new_cells(crops, detections, clock)
    pd.testing.assert_frame_equal(measured, read_new(project, "04_feature", "frame_features"))
    features = clock.config.features.model_copy(update={"neighbor_radius_px": 1.0})
    other = replace(clock, config=clock.config.model_copy(update={"features": features}))
    assert not nodes.measure_new_cells(crops, detections, other)["n_neighbors"].any()


def new_cells(project: Path) -> tuple[CropStore, pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Crop store and tables of the other recordings."""
    crops = CropStore(project / DATA / "03_primary" / "inference" / "crops.zarr")
    recordings, detections, cells = (
        read_new(project, "02_intermediate", name) for name in ("recordings", "detections", "cells")
    )
    return crops, recordings, detections, cells


def follow(cells, models):
    """Follow new cells: crops, recordings, detections and cells, and classifier and fate clock."""
    crops, recordings, detections, tracked = cells
    return nodes.follow_new_cells(recordings, detections, tracked, models[1], models[0], crops)


def trained_tables(project: Path) -> list[pd.DataFrame]:
    """What references learn from: follow-ups, landmarks, detections and features of the training run."""
    inputs = [read_table(project, "05_model_input", name) for name in ("follow_ups", "landmarks")]
    measured = (("02_intermediate", "detections"), ("04_feature", "frame_features"))
    return [*inputs, *(read_table(project, *of) for of in measured)]
