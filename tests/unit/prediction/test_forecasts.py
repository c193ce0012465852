"""Forecasts of the cells of a run, each by a member that did not see it."""

from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import pandas as pd
import pytest

from cellfate.cohort.landmarks import list_forecast_frames, list_landmarks
from cellfate.cohort.questions import is_asked, list_questions
from cellfate.cohort.settings import FollowUpSettings
from cellfate.core.errors import InputError
from cellfate.core.tables import Forecasts
from cellfate.crops.store import CropStore
from cellfate.features.summaries import describe_landmarks
from cellfate.prediction import forecasts
from cellfate.prediction.calls import add_calls
from cellfate.prediction.classifier_member import load_classifier_member
from cellfate.prediction.clock_member import load_clock_member
from cellfate.prediction.forecast_tables import (
    empty_forecasts,
    fate_odds,
    tabulate_hazards,
)
from cellfate.prediction.forecasts import forecast_classifier, forecast_clock, forecast_frames, forecast_new
from cellfate.statistics.incidence import cumulative_incidence, expected_time_h
from tests.cases.crop_stores import TINY_FOLLOW_UP

TOLERANCE = 1e-5  # float32 sums in another order
CELL = ["recording_id", "cell_id"]
PROBABILITIES = ["p_apoptosis", "p_mitosis", "p_none"]
CLOCK_PREDICTORS = {"network", "boosting", "boosting_on_embeddings", "blend"}


@pytest.fixture(scope="module")
def of_classifier(classifier):
    study = classifier.study
    return forecast_classifier(study.crops, study.landmarks, study.splits, classifier.model)


@pytest.fixture(scope="module")
def of_clock(clock):
    return forecast_clock(*clock.new, clock.study.splits, clock.frame_features, clock.model)


def rows_of(table, *columns):
    return sorted(map(tuple, table[list(columns)].to_numpy()))


def test_the_classifier_answers_for_every_tested_cell_with_a_fate_once_a_fold(classifier, of_classifier):
    study = classifier.study
    Forecasts.validate(of_classifier)
    fated = study.follow_ups.query("fate != 'censored'")
    asked = study.splits.query("part != 'train'").merge(fated, on=CELL)
    keys = (*CELL, "fold", "part")
    assert rows_of(of_classifier, *keys, "frame") == rows_of(asked, *keys, "last_frame")
    np.testing.assert_allclose(of_classifier["p_apoptosis"] + of_classifier["p_mitosis"], 1)
    assert (of_classifier["p_none"] == 0).all()
    assert of_classifier[["within_h", "expected_h"]].isna().all(axis=None)


def test_a_fold_is_forecast_by_its_own_member_from_the_whole_track(classifier, of_classifier):
    row = of_classifier.query("fold == 1").iloc[3]
    sequence = classifier.study.crops.read(row["recording_id"], int(row["cell_id"]), last_frame=row["frame"])
    positions = sequence.frame_numbers_t - sequence.frame_numbers_t[0]
    for fold, same in ((1, True), (0, False)):
        member = load_classifier_member(classifier.model, fold)
        own = member.probabilities([member.encode(member.prepare(sequence))], [positions])
        assert (own[0, 0] == pytest.approx(row["p_apoptosis"], abs=TOLERANCE)) == same


def test_the_clock_answers_at_every_shown_frame_of_every_tested_cell_once(clock, of_clock):
    Forecasts.validate(of_clock)
    expected, fated = [], []
    for split in clock.study.splits.query("part != 'train'").itertuples():
        cell = clock.study.follow_ups.set_index(CELL).loc[(split.recording_id, split.cell_id)]
        frames = clock.study.crops.frame_numbers(split.recording_id, split.cell_id)
        shown = [t for t in frames if cell["first_frame"] + TINY_FOLLOW_UP.min_frames - 1 <= t <= cell["last_frame"]]
        key = (split.fold, split.part, split.recording_id, split.cell_id)
        expected += [(name, *key, t, h) for name in CLOCK_PREDICTORS for t in shown for h in (1.0, 2.0)]
        fated += [(name, *key, shown[-1]) for name in CLOCK_PREDICTORS if cell["fate"] != "censored"]
    columns = ["predictor", "fold", "part", *CELL, "frame"]
    hours, which = of_clock[of_clock["within_h"].notna()], of_clock[of_clock["within_h"].isna()]
    assert rows_of(hours, *columns, "within_h") == sorted(expected)
    assert rows_of(which, *columns) == sorted(fated)


def test_classifier_and_clock_are_asked_for_the_fates_of_the_same_cells(of_classifier, of_clock):
    keys = (*CELL, "fold", "part", "frame")
    which = of_clock[of_clock["within_h"].isna() & (of_clock["predictor"] == "blend")]
    assert rows_of(of_classifier, *keys) == rows_of(which, *keys)


def test_probabilities_sum_to_one_and_never_fall_with_the_hours(of_clock):
    np.testing.assert_allclose(of_clock[PROBABILITIES].sum(axis=1), 1)
    hours = of_clock[of_clock["within_h"].notna()]
    for event in ("p_apoptosis", "p_mitosis"):
        assert (hours.groupby(["predictor", "fold", *CELL, "frame"])[event].diff().dropna() >= 0).all()
    assert hours["expected_h"].between(0.5, 2.5).all()  # between the guard and the horizon


def test_a_forecast_is_the_incidence_of_the_folds_own_hazards_and_the_fate_their_odds(clock, of_clock):
    rows = of_clock[(of_clock["fold"] == 1) & (of_clock["predictor"] == "network")]
    which = rows[rows["within_h"].isna()].iloc[4]
    sequence = clock.study.crops.read(which["recording_id"], int(which["cell_id"]))
    place = sequence.frame_numbers_t.tolist().index(which["frame"])
    hazards = load_clock_member(clock.model, 1).read_cell(sequence)[0][place : place + 1]
    incidence = cumulative_incidence(hazards)
    there = rows[(rows[[*CELL, "frame"]] == which[[*CELL, "frame"]]).all(axis=1)].set_index("within_h")
    within_2 = there.loc[2.0, ["p_apoptosis", "p_mitosis"]].astype(float)
    np.testing.assert_allclose(within_2, incidence[0, 2], atol=TOLERANCE)
    assert there.loc[2.0, "expected_h"] == pytest.approx(
        expected_time_h(incidence, TINY_FOLLOW_UP.edges_h)[0], abs=TOLERANCE
    )
    odds = incidence[0, -1] / incidence[0, -1].sum()
    np.testing.assert_allclose(which[["p_apoptosis", "p_mitosis"]].astype(float), odds, atol=TOLERANCE)
    np.testing.assert_allclose(fate_odds(hazards)[0], odds, atol=1e-12)


def test_a_forecast_does_not_know_what_comes_after_its_frame(clock):
    """The last two frames of every cell, and what was measured in them, are taken away."""
    shorter = clock.study.follow_ups.assign(last_frame=clock.study.follow_ups["last_frame"] - 2)
    ends = clock.frame_features.merge(shorter[[*CELL, "last_frame"]])
    measured = ends[ends["frame"] <= ends["last_frame"]].drop(columns="last_frame")
    whole = forecast_new(clock.model, *clock.new, clock.frame_features)
    early = forecast_new(clock.model, clock.study.crops, clock.study.detections, shorter, measured)
    keys = ["predictor", *CELL, "frame", "within_h"]
    both = early.dropna().merge(whole, on=keys, suffixes=("", "_all"), validate="one_to_one")
    assert 0 < len(both) == len(early.dropna()) < len(whole.dropna())
    for name in (*PROBABILITIES, "expected_h"):
        np.testing.assert_allclose(both[name], both[f"{name}_all"], atol=TOLERANCE)


def test_a_model_of_one_member_says_of_tested_cells_what_its_fold_said(clock, of_clock):
    config = clock.model.config.model_copy(update={"members": clock.model.config.members[:1]})
    new = forecast_new(replace(clock.model, config=config), *clock.new, clock.frame_features)
    tested = of_clock[(of_clock["fold"] == 0) & (of_clock["part"] == "test") & (of_clock["predictor"] == "network")]
    keys = ["predictor", *CELL, "frame", "within_h"]
    both = tested.merge(new, on=keys, suffixes=("", "_new"), validate="one_to_one")
    assert len(both) == len(tested) > 0
    np.testing.assert_allclose(both["p_mitosis"], both["p_mitosis_new"], atol=TOLERANCE)


def test_new_cells_get_the_mean_probability_of_the_classifiers(classifier):
    whole = forecast_new(classifier.model, *classifier.new)
    alone = []
    for member in classifier.model.config.members:
        config = classifier.model.config.model_copy(update={"members": (member,)})
        alone.append(forecast_new(replace(classifier.model, config=config), *classifier.new)["p_mitosis"])
    np.testing.assert_allclose(whole["p_mitosis"], np.mean(alone, axis=0), atol=TOLERANCE)
    assert np.abs(whole["p_mitosis"] - alone[0]).max() > 1e-3
    assert whole[["scheme", "fold", "part"]].drop_duplicates().to_numpy().tolist() == [["all_members", -1, "test"]]
    assert rows_of(whole, *CELL, "frame") == rows_of(classifier.study.follow_ups, *CELL, "last_frame")


def test_a_clock_that_is_not_asked_which_fate_comes_says_nothing_of_it(clock):
    follow_up = FollowUpSettings(**(TINY_FOLLOW_UP.model_dump() | {"questions": ("within_hours",)}))
    model = replace(clock.model, config=clock.model.config.model_copy(update={"follow_up": follow_up}))
    table = forecast_clock(*clock.new, clock.study.splits, clock.frame_features, model)
    assert table["within_h"].notna().all()


def test_which_fate_is_not_told_where_all_that_are_old_enough_meet_one(clock, monkeypatch):
    """The question is then not asked, and would be scored among cells of one fate."""
    monkeypatch.setattr(forecasts, "check_trained_on", lambda *_: None)
    follow_ups, ends = clock.study.follow_ups, clock.study.follow_ups["first_frame"] + 1
    young = follow_ups.assign(last_frame=follow_ups["last_frame"].mask(follow_ups["fate"] == "apoptosis", ends))
    table = forecast_clock(*clock.new[:2], young, clock.study.splits, clock.frame_features, clock.model)
    landmarks = list_landmarks(clock.study.detections, young, TINY_FOLLOW_UP)
    assert not is_asked(list_questions(young, landmarks, TINY_FOLLOW_UP), "which_fate")
    assert len(table)
    assert table["within_h"].notna().all()


@pytest.mark.parametrize("kind", ["classifier", "clock"])
def test_the_order_of_cells_changes_no_forecast(kind, request):
    trained = request.getfixturevalue(kind)
    turned = trained.study.follow_ups.iloc[::-1].reset_index(drop=True)
    tables = [
        forecast_new(trained.model, trained.study.crops, trained.study.detections, follow_ups)
        for follow_ups in (trained.study.follow_ups, turned)
    ]
    keys = ["predictor", *CELL, "frame", "within_h"]
    one, other = (table.sort_values(keys, ignore_index=True) for table in tables)
    pd.testing.assert_frame_equal(one, other, atol=TOLERANCE)


def test_a_model_is_not_tested_on_other_data_than_it_was_trained_with(classifier, clock):
    study = classifier.study
    moved = study.splits.assign(fold=2 - study.splits["fold"])
    fewer = clock.study.follow_ups.iloc[1:]
    measured = clock.frame_features.assign(area=1.0)
    with pytest.raises(InputError, match="run its training"):
        forecast_classifier(study.crops, study.landmarks, moved, classifier.model)
    with pytest.raises(InputError, match="run its training"):
        forecast_classifier(study.crops, study.landmarks.iloc[1:].query("not last"), study.splits, classifier.model)
    for follow_ups, splits, features in (
        (fewer, clock.study.splits, clock.frame_features),
        (clock.study.follow_ups, moved, clock.frame_features),
        (clock.study.follow_ups, clock.study.splits, measured),
    ):
        with pytest.raises(InputError, match="run its training"):
            forecast_clock(clock.study.crops, clock.study.detections, follow_ups, splits, features, clock.model)


@dataclass(frozen=True)
class OnePixelMissing:
    """Crops of a store as floats; one pixel of the last frame of the first cell is NaN."""

    crops: CropStore

    def read(self, *args, **kwargs):
        sequence = self.crops.read(*args, **kwargs)
        frames_tchw = sequence.frames_tchw.astype(np.float32)
        if (sequence.recording_id, sequence.cell_id) == ("00", 1):
            frames_tchw[-1, 0, 3, 3] = np.nan
        return replace(sequence, frames_tchw=frames_tchw)


@pytest.mark.parametrize("kind", ["classifier", "clock"])
def test_nothing_is_forecast_of_pixels_that_are_no_numbers(kind, request):
    """NaN went through the classifier, and the likeliest of two NaN was called apoptosis."""
    trained = request.getfixturevalue(kind)
    frames = list_forecast_frames(trained.study.detections, trained.study.follow_ups, TINY_FOLLOW_UP)
    describe = partial(describe_landmarks, trained.frame_features, history_h=3.0) if kind == "clock" else None
    with pytest.raises(InputError, match=r"Cell 1 of recording 00 has pixels that are no finite numbers in frame \d+"):
        forecast_frames(trained.model, OnePixelMissing(trained.study.crops), frames, 30, describe)


def test_cells_that_are_all_too_young_are_named(clock):
    short = clock.study.follow_ups.assign(last_frame=clock.study.follow_ups["first_frame"] + 1)
    with pytest.raises(InputError, match="None of 30 cells was watched for 3 frames of 30 min"):
        forecast_new(clock.model, clock.study.crops, clock.study.detections, short, clock.frame_features)


def test_the_call_is_the_likeliest_outcome_none_included():
    table = pd.DataFrame({"p_none": [0.4, 0.2, 0.0], "p_mitosis": [0.35, 0.3, 0.5], "p_apoptosis": [0.25, 0.5, 0.5]})
    assert add_calls(table)["call"].tolist() == ["none", "apoptosis", "apoptosis"]


def test_there_is_no_call_without_a_probability():
    """The first of NaNs is the largest to NumPy."""
    table = pd.DataFrame({"p_apoptosis": [np.nan, 0.2], "p_mitosis": [0.6, 0.3], "p_none": [0.4, 0.5]})
    assert add_calls(table)[["call", "p_call"]].to_numpy().tolist() == [["mitosis", 0.6], ["none", 0.5]]
    with pytest.raises(InputError, match="1 of 2 forecasts have no probability"):
        add_calls(table.assign(p_mitosis=[np.nan, 0.3], p_none=[np.nan, 0.5]))


def test_a_call_is_sure_from_twice_the_probability_of_the_next_likeliest_on():
    told = [(0.517, 0.483, 0.0), (0.4, 0.2, 0.4), (0.25, 0.5, 0.25), (0.2, 0.7, 0.1), (1.0, 0.0, 0.0)]
    called = add_calls(pd.DataFrame(told, columns=["p_apoptosis", "p_mitosis", "p_none"]))
    assert called["sure"].tolist() == ["hardly", "hardly", "yes", "yes", "yes"]
    assert called["p_call"].tolist() == [0.517, 0.4, 0.5, 0.7, 1.0]
    assert add_calls(pd.DataFrame({"p_none": [1.0]}))[["call", "p_call", "sure"]].to_numpy().tolist() == [
        ["none", 1, "yes"]
    ]


def test_empty_forecasts_are_like_filled_ones(of_clock):
    empty = empty_forecasts(("apoptosis", "mitosis"))
    pd.testing.assert_frame_equal(empty, of_clock.iloc[:0])


def test_hazards_are_written_by_hand():
    keys = pd.DataFrame({"predictor": ["x"], "scheme": ["s"], "fold": [0], "part": ["test"]})
    keys = keys.assign(recording_id="a", cell_id=1, frame=4)
    table = tabulate_hazards(keys, [[[0.5, 0.0], [0.0, 0.5]]], ("apoptosis", "mitosis"), (0.0, 1.0, 2.0), (1.0, 2.0))
    assert table[["within_h", *PROBABILITIES]].to_numpy().tolist() == [[1, 0.5, 0, 0.5], [2, 0.5, 0.25, 0.25]]
    assert table["expected_h"].tolist() == [1.125, 1.125]  # .75 of the first hour, .375 of the second


def test_measurements_of_other_cells_are_refused(clock):
    """Boosted hazards would take what lacks for not measurable."""
    measured = clock.frame_features
    for fewer in (measured.head(0), measured[measured["frame"] != 3]):
        with pytest.raises(InputError, match=r"frame_features lacks .* of the .* frames to forecast, first frame"):
            forecast_new(clock.model, *clock.new, fewer)
