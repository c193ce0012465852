"""The question that explanations answer: which event, within how many hours, at which landmarks, from which frame."""

import numpy as np
import pandas as pd
import pytest

from cellfate.attribution.explained_landmarks import show_landmarks
from cellfate.attribution.explained_models import view_model
from cellfate.attribution.settings import ExplanationSettings
from cellfate.core.errors import InputError
from tests.unit.attribution.tiny import random_model, without_members

NULL = ExplanationSettings()


@pytest.fixture(scope="module", params=["classifier", "clock"])
def model(request, study):
    return random_model(study, request.param)


@pytest.fixture(scope="module")
def clock(study):
    return random_model(study, "clock")


def changed(model, **changes):
    return type(model)(model.config.model_copy(update=changes), model.weights)


def test_unless_told_otherwise_the_first_event_that_is_shown_is_explained_by_the_headline_horizon(model):
    hidden = changed(model, follow_up=model.config.follow_up.model_copy(update={"events": ("mitosis",)}))
    words = [view_model(one, NULL).explained for one in (model, hidden)]
    assert [word.removesuffix(" within 2 h") for word in words] == ["apoptosis", "mitosis"]
    assert all(word.endswith("within 2 h") == (model.config.kind == "clock") for word in words)
    assert [view_model(one, NULL).outcome_number for one in (model, hidden)] == [0, 1]


def test_an_event_that_is_hidden_can_still_be_asked_for(model):
    hidden = changed(model, follow_up=model.config.follow_up.model_copy(update={"events": ("mitosis",)}))
    assert view_model(hidden, ExplanationSettings(outcome="apoptosis")).outcome == "apoptosis"


@pytest.mark.parametrize(
    ("kind", "settings", "words"),
    [
        ("classifier", {"outcome": "none"}, r"Parameter explanation\.outcome is 'none'.*apoptosis, mitosis"),
        ("classifier", {"horizon_h": 2.0}, r"explanation\.horizon_h is 2\.0 h, but the classifier .*leave it null"),
        ("clock", {"outcome": "none"}, r"clock_explanation\.outcome is 'none'.*apoptosis, mitosis"),
        ("clock", {"horizon_h": 2.2}, r"clock_explanation\.horizon_h is 2\.2 h, but .*bins end at 1, 1\.5, 2, 2\.5 h"),
    ],
)
def test_a_question_the_model_has_no_answer_to_is_named(study, kind, settings, words):
    with pytest.raises(InputError, match=words):
        view_model(random_model(study, kind), ExplanationSettings(**settings))


def test_the_clock_sees_the_mask_and_a_channel_may_itself_be_called_so(clock):
    assert view_model(clock, NULL).channels == ("circadian", "p53", "mask")
    named = changed(clock, channels=("mask", "p53"))
    assert view_model(named, NULL).channels == ("mask", "p53", "mask of the cell")


class GappedStore:
    """Stands in for a crop store: cells are tracked in the frames given."""

    def __init__(self, **frames):
        self.frames = {int(cell.removeprefix("cell")): np.array(numbers) for cell, numbers in frames.items()}

    def frame_numbers(self, recording_id, cell_id):
        return self.frames[cell_id]


def landmarks_of(*rows, last=False):
    """Landmarks of recording r by (cell, frame, fate, hours to the end, hours that could be watched)."""
    table = pd.DataFrame(rows, columns=["cell_id", "last_frame", "fate", "time_h", "watchable_h"])
    ends = (table["last_frame"] + table["time_h"] * 2).astype("Int64")
    return table.assign(
        landmark_id=[f"r:{row.cell_id}:{row.last_frame}" for row in table.itertuples()], recording_id="r",
        first_frame=2, frame_interval_min=30.0, event_frame=ends.where(table["fate"] != "censored"),
        regular=not last, last=last,
    )  # fmt: skip


LANDMARKS = landmarks_of(
    (1, 3, "mitosis", 3.0, 9.0), (1, 8, "mitosis", 2.0, 6.5), (2, 9, "censored", 1.5, 6.0),
    (2, 8, "censored", 2.0, 6.5), (2, 7, "apoptosis", 1.0, 1.5),
)  # fmt: skip
STORE = GappedStore(cell1=[2, 3, 4, 6, 8, 9], cell2=[2, 3, 4, 5, 6, 7, 8, 9])


def test_the_clock_is_asked_where_enough_was_seen_and_sees_as_far_as_it_reaches(clock):
    view = view_model(clock, NULL)  # reach: 4 tracked frames, horizon: 2 h
    answered = show_landmarks(STORE, view.answer(LANDMARKS), view)
    assert answered["landmark_id"].tolist() == ["r:1:3", "r:1:8", "r:2:8"]
    assert answered["outcome"].tolist() == ["none", "mitosis", "none"]
    assert answered["shown_from"].tolist() == [2, 3, 5]  # frames 3, 4, 6, 8: a gap is not a frame
    assert answered["lead_time_h"].fillna(-1).tolist() == [3.0, 2.0, -1.0]
    assert view.answer(LANDMARKS.assign(regular=False)).empty


def test_the_classifier_is_asked_at_the_end_of_cells_whose_fate_was_seen_and_sees_all_of_them(study):
    view = view_model(random_model(study, "classifier"), NULL)
    assert view.answer(LANDMARKS).empty  # none is the last of its cell
    answered = show_landmarks(STORE, view.answer(LANDMARKS.assign(last=True)), view)
    assert answered["outcome"].tolist() == ["mitosis", "mitosis", "apoptosis"]
    assert answered["shown_from"].tolist() == [2, 2, 2]
    assert answered["lead_time_h"].tolist() == [3.0, 2.0, 1.0]


def test_a_model_without_members_may_know_no_event(model):
    assert without_members(changed(model, events=())).config.members == ()
