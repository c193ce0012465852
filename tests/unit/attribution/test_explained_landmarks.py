"""Which landmarks are explained, in which order, and by whom."""

import numpy as np
import pandas as pd
import pytest

from cellfate.attribution.explained_landmarks import (
    choose_explained_landmarks,
    choose_training_landmarks,
    keep_one_a_cell,
    mark_landmarks,
    order_landmarks,
    refer_to_base_rate,
)
from cellfate.attribution.explained_models import view_model
from cellfate.attribution.settings import ExplanationSettings
from cellfate.cohort.splits import select_part
from cellfate.core.tables import Landmarks
from tests.unit.attribution.tiny import random_model

CELL = ["recording_id", "cell_id"]


def tables(n_cells=12):
    cells = np.arange(n_cells)
    answered = pd.DataFrame(
        {
            "landmark_id": [f"r:{cell}:9" for cell in cells], "recording_id": "r", "cell_id": cells,
            "outcome": np.where(cells % 4 == 0, "mitosis", "none"),
        }
    )  # fmt: skip
    return answered, answered[CELL].assign(fold=cells % 2)[cells >= 4]


def test_cells_of_the_part_are_ordered_and_outcomes_take_turns():
    settings = ExplanationSettings(max_attention_landmarks=100, max_occlusion_landmarks=5, max_shapley_landmarks=2)
    chosen = mark_landmarks(order_landmarks(*tables(), settings), settings)
    assert sorted(chosen["cell_id"]) == [4, 5, 6, 7, 8, 9, 10, 11]
    assert (chosen["fold"] == chosen["cell_id"] % 2).all()
    assert chosen["outcome"].tolist()[:4] == ["mitosis", "none", "mitosis", "none"]
    assert chosen["occluded"].tolist() == [True] * 5 + [False] * 3
    assert chosen["shapley"].sum() == 2
    assert len(order_landmarks(*tables(), settings.model_copy(update={"max_attention_landmarks": 3}))) == 3


def test_the_seed_decides():
    ids = [order_landmarks(*tables(), ExplanationSettings(seed=s))["landmark_id"].tolist() for s in (0, 0, 1)]
    assert ids[0] == ids[1]
    assert ids[0] != ids[2]


def test_one_landmark_a_cell_so_many_hours_before_an_event_else_by_chance():
    frames = [(1, f) for f in range(12, 19)] + [(2, f) for f in range(4, 19)]
    answered = pd.DataFrame(frames, columns=["cell_id", "last_frame"])
    event = pd.array([20 if cell == 1 else pd.NA for cell in answered["cell_id"]], dtype="Int64")
    named = [f"r:{cell}:{frame}" for cell, frame in frames]
    answered = answered.assign(recording_id="r", landmark_id=named, event_frame=event)
    answered["time_h"] = (20 - answered["last_frame"]) / 2
    chosen = [keep_one_a_cell(answered, 1.0, seed) for seed in range(8)]
    assert all(part["cell_id"].tolist() == [1, 2] for part in chosen)
    assert {part["last_frame"].iloc[0] for part in chosen} == {18}  # 1 h before
    assert len({part["last_frame"].iloc[1] for part in chosen}) > 3
    pd.testing.assert_frame_equal(keep_one_a_cell(answered, 1.0, 0), chosen[0])


@pytest.mark.parametrize("kind", ["classifier", "clock"])
def test_every_cell_is_explained_once_by_the_member_that_did_not_see_it(study, kind):
    model, settings = random_model(study, kind), ExplanationSettings()
    tables = (study.crops, study.landmarks, study.splits, model, settings)
    chosen = Landmarks.validate(choose_explained_landmarks(*tables))
    assert not chosen.duplicated(CELL).any()
    for fold, rows in chosen.groupby("fold"):
        assert len(select_part(rows, study.splits, fold, "test")) == len(rows)
    fated = study.follow_ups["fate"] != "censored"
    assert len(chosen) == (fated.sum() if kind == "classifier" else len(study.follow_ups))
    assert chosen["last" if kind == "classifier" else "regular"].all()
    trained = choose_training_landmarks(*tables)
    assert set(trained["fold"]) == {0}
    assert len(select_part(trained, study.splits, 0, "train")) == len(trained) > 0


def test_the_clock_is_explained_half_the_horizon_before_an_event(study):
    model = random_model(study, "clock")  # horizon: 2 h
    chosen = choose_explained_landmarks(study.crops, study.landmarks, study.splits, model, ExplanationSettings())
    known = study.landmarks[study.landmarks["regular"] & (study.landmarks["watchable_h"] >= 2.0)]
    nearest = (known["time_h"] - 1.0).abs().groupby([known["recording_id"], known["cell_id"]]).min()
    fated = chosen[chosen["event_frame"].notna()].set_index(CELL)
    pd.testing.assert_series_equal((fated["time_h"] - 1.0).abs(), nearest[fated.index], check_names=False)


def test_with_unseen_answers_fewer_cells_are_explained(study):
    """Cells that are lost before the horizon are explained only where enough was seen."""
    model = random_model(study, "clock")
    asked = ExplanationSettings(horizon_h=2.5)
    chosen = choose_explained_landmarks(study.crops, study.landmarks, study.splits, model, asked)
    known = study.landmarks["watchable_h"] >= 2.5
    assert set(chosen["landmark_id"]) <= set(study.landmarks.loc[known & study.landmarks["regular"], "landmark_id"])
    assert (chosen.loc[chosen["outcome"] == "none", "time_h"] >= 2.5).all()


@pytest.mark.parametrize(
    ("outcomes", "expected"),
    [("aaab", np.log(3)), ("bbba", -np.log(3)), ("aaa", np.log(6)), ("bb", -np.log(4)), ("", 0)],
)
def test_base_rate_by_hand(study, outcomes, expected):
    """Where all are alike, the other side counts half a landmark."""
    view = view_model(random_model(study, "classifier"), ExplanationSettings(outcome="apoptosis"))
    trained = pd.DataFrame({"outcome": [{"a": "apoptosis", "b": "mitosis"}[letter] for letter in outcomes]}, dtype=str)
    assert view.base_log_odds(trained) == pytest.approx(expected)


def test_the_base_rate_is_that_of_the_training_landmarks_of_the_fold(study):
    """Cell 0 trains fold 0 and tests fold 1; its three landmarks count three times."""
    answered = pd.DataFrame({"recording_id": "r", "cell_id": [0, 0, 0, 1, 2], "outcome": ["mitosis"] * 4 + ["none"]})
    parts = [(0, 0, "train"), (2, 0, "train"), (1, 0, "test"), (1, 1, "train"), (2, 1, "train"), (0, 1, "test")]
    splits = pd.DataFrame(parts, columns=["cell_id", "fold", "part"]).assign(recording_id="r")
    explained = pd.DataFrame({"landmark_id": ["x", "y"], "fold": [1, 0]})
    model = random_model(study, "clock")
    view = view_model(model, ExplanationSettings(outcome="mitosis"))
    found = refer_to_base_rate(explained, answered, splits, view)["reference_log_odds"]
    np.testing.assert_allclose(found, [np.log(1 / 1), np.log(3 / 1)])
    given = view_model(model, ExplanationSettings(outcome="mitosis", reference_log_odds=-0.4))
    assert refer_to_base_rate(explained, answered, splits, given)["reference_log_odds"].tolist() == [-0.4, -0.4]
