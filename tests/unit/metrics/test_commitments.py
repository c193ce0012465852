"""Commitments by hand: the frame from which a call stays, its threshold, and its hours before the event."""

import time

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cellfate.cohort.settings import FollowUpSettings
from cellfate.core.errors import InputError
from cellfate.core.tables import Commitments, FollowUps, Landmarks
from cellfate.metrics import ScoreSettings
from cellfate.metrics.commitments import (
    choose_thresholds,
    find_commitments,
    list_known_outcomes,
    median_of,
    summarise_commitments,
)
from tests.unit.metrics.follow_up_tables import EVENTS, FIVE_H, make_follow_ups, make_incidence, make_landmarks
from tests.unit.metrics.follow_up_tables import make_validation as validation

FEW = ScoreSettings(n_resamples=200)


def _find(cells, traces, thresholds=(0.4, 0.6), follow_up=FIVE_H, **tested):
    """Commitments of cells at given thresholds of apoptosis and mitosis."""
    watched, chosen_on = validation(*thresholds)
    follow_ups = pd.concat([watched, make_follow_ups(cells)], ignore_index=True)
    incidence = pd.concat([chosen_on, make_incidence(traces, **tested)], ignore_index=True)
    FollowUps.validate(follow_ups)
    landmarks = Landmarks.validate(make_landmarks(follow_ups))
    return Commitments.validate(find_commitments(incidence, landmarks, follow_ups, follow_up))


def test_the_commitment_is_the_first_frame_from_which_the_call_stays():
    # Apoptosis from .4, mitosis from .6. Calls of cell 1: apoptosis, none, apoptosis, apoptosis -> frame 2, 10 frames
    # of 30 min before frame 12. Cell 2: mitosis, apoptosis, mitosis, mitosis. Cell 3: never steady until the last
    # frame. Cell 4: none at last, whatever was before. Cell 5: committed from the first frame on.
    cells = [("r", i, "apoptosis", 12) for i in (1, 2, 3, 4, 5)]
    traces = {
        ("r", 1): ([0.5, 0.3, 0.4 + 1e-9, 0.9], [0, 0, 0, 0]),
        ("r", 2): ([0, 0.5, 0.3, 0.3], [0.7, 0.4, 0.65, 0.61]),
        ("r", 3): ([0.1, 0.5, 0.1, 0.5], [0, 0, 0, 0]),
        ("r", 4): ([0.5, 0.5, 0.5, 0.1], [0, 0, 0, 0]),
        ("r", 5): ([0.5, 0.5, 0.5, 0.5], [0, 0, 0, 0]),
    }
    found = _find(cells, traces)
    assert found["call"].tolist() == ["apoptosis", "mitosis", "apoptosis", "none", "apoptosis"]
    assert found["frame"].tolist() == [2, 2, 3, pd.NA, 0]
    np.testing.assert_allclose(found["hours_before_event"], [5.0, 5.0, 4.5, np.nan, 6.0])
    np.testing.assert_allclose(found["threshold"], [0.4, 0.6, 0.4, np.nan, 0.4])
    assert found["fate"].eq("apoptosis").all()
    assert found["within_h"].eq(5.0).all()


def test_of_two_events_above_their_thresholds_the_likelier_is_called():
    cells = [("r", 1, "mitosis", 12)]
    found = _find(cells, {("r", 1): ([0.4, 0.45, 0.45], [0.55, 0.5, 0.44])}, thresholds=(0.3, 0.3))
    assert found.loc[0, ["call", "frame"]].tolist() == ["apoptosis", 2]
    # The wrong call still has hours: up to the event that came.
    assert found.loc[0, "hours_before_event"] == 5.0


def test_a_likelier_event_below_its_own_threshold_does_not_hide_the_other():
    found = _find([("r", 1, "mitosis", 12)], {("r", 1): ([0.35], [0.5])}, thresholds=(0.3, 0.6))
    assert found.loc[0, "call"] == "apoptosis"


def test_a_censored_cell_is_called_but_has_no_hours():
    found = _find([("r", 1, "censored", 12)], {("r", 1): ([0.5, 0.5], [0, 0])})
    assert found.loc[0, ["call", "frame", "fate"]].tolist() == ["apoptosis", 0, "censored"]
    assert np.isnan(found.loc[0, "hours_before_event"])


def test_an_event_that_is_not_forecast_is_no_call_and_has_no_hours():
    only = FollowUpSettings(events=("apoptosis",), report_h=(5.0,))
    found = _find([("r", 1, "mitosis", 12)], {("r", 1): ([0.5, 0.5], [0.9, 0.9])}, follow_up=only)
    assert found.loc[0, "call"] == "apoptosis"
    assert np.isnan(found.loc[0, "hours_before_event"])


def test_each_fold_and_predictor_has_its_own_thresholds():
    tables = [
        validation(0.4, 0.6),
        validation(0.2, 0.6, fold=1, cell_id=200),
        validation(0.1, 0.6, predictor="ensemble", cell_id=300),
    ]
    cells = make_follow_ups([("r", 1, "apoptosis", 12), ("s", 1, "apoptosis", 12)])
    follow_ups = pd.concat([*[table for table, _ in tables], cells], ignore_index=True)
    trace = ([0.15, 0.3], [0, 0])
    tested = [
        make_incidence({("r", 1): trace}),
        make_incidence({("s", 1): trace}, fold=1),
        make_incidence({("r", 1): trace}, predictor="ensemble"),
    ]
    incidence = pd.concat([*[table for _, table in tables], *tested], ignore_index=True)
    landmarks = make_landmarks(follow_ups)
    chosen = choose_thresholds(incidence, landmarks, FIVE_H)
    assert chosen.loc[("clock", 1)].tolist() == pytest.approx([0.2, 0.6])
    found = find_commitments(incidence, landmarks, follow_ups, FIVE_H)
    assert found["predictor"].tolist() == ["clock", "clock", "ensemble"]
    assert found["recording_id"].tolist() == ["r", "s", "r"]
    assert found["call"].tolist() == ["none", "apoptosis", "apoptosis"]
    assert found["frame"].tolist() == [pd.NA, 1, 0]


def test_without_an_event_in_the_validation_part_it_is_never_called():
    follow_ups, chosen_on = validation(0.4, 0.6)
    follow_ups = follow_ups.assign(fate=["apoptosis", "censored"])
    tested = make_follow_ups([("r", 1, "mitosis", 12)])
    incidence = pd.concat([chosen_on, make_incidence({("r", 1): ([0.1], [0.9])})], ignore_index=True)
    landmarks = make_landmarks(pd.concat([follow_ups, tested], ignore_index=True))
    assert choose_thresholds(incidence, landmarks, FIVE_H).isna().to_numpy().tolist() == [[False, True]]
    assert find_commitments(incidence, landmarks, tested, FIVE_H)["call"].tolist() == ["none"]
    no_validation = incidence[incidence["part"] == "test"]
    assert find_commitments(no_validation, landmarks, tested, FIVE_H)["call"].tolist() == ["none"]


def test_known_outcomes_by_hand():
    landmarks = pd.DataFrame(
        [
            ("apoptosis", 5.0, 9.0),  # an event at the very hour counts
            ("mitosis", 5.5, 9.0),  # later: none by then
            ("censored", 5.0, 9.0),  # watched for just so long
            ("censored", 4.5, 9.0),  # lost before: not known
            ("apoptosis", 2.0, 4.9),  # the recording ends too early to count a cell without an event
        ],
        columns=["fate", "time_h", "watchable_h"],
    ).assign(recording_id="r", cell_id=range(5), last_frame=7, group_id="r")
    assert list_known_outcomes(landmarks, 5.0, EVENTS)["outcome"].tolist() == ["apoptosis", "none", "none"]
    # An event that is not forecast is where the cell was lost: known up to there only.
    assert list_known_outcomes(landmarks, 5.0, ("apoptosis",))["outcome"].tolist() == ["apoptosis", "none", "none"]
    assert list_known_outcomes(landmarks, 2.0, ("mitosis",))["outcome"].tolist() == ["none"] * 5
    early = landmarks.assign(time_h=1.0)
    assert list_known_outcomes(early, 5.0, ("mitosis",))["cell_id"].tolist() == [1]


def test_the_threshold_is_chosen_on_known_outcomes_of_validation_only():
    # Known: apoptosis .1 no, .3 no, .5 yes, .9 yes: half way, .4. Of the rest (.45 too near the end, .35 lost) nothing
    # is used: with either of them it would be another number. Neither is the test row.
    landmarks = pd.DataFrame(
        {
            "recording_id": "r",
            "cell_id": range(7),
            "last_frame": 3,
            "group_id": "r",
            "fate": ["censored", "mitosis", "apoptosis", "apoptosis", "apoptosis", "censored", "apoptosis"],
            "time_h": [8.0, 3.0, 3.0, 4.0, 3.0, 3.0, 3.0],
            "watchable_h": [9.0, 9.0, 9.0, 9.0, 4.0, 9.0, 9.0],
        }
    )
    incidence = pd.DataFrame(
        {
            "predictor": "clock",
            "fold": 0,
            "part": ["validation"] * 6 + ["test"],
            "recording_id": "r",
            "cell_id": range(7),
            "frame": 3,
            "within_h": 5.0,
            "p_apoptosis": [0.1, 0.3, 0.5, 0.9, 0.45, 0.35, 0.32],
            "p_mitosis": [0.1, 0.1, 0.0, 0.05, 0, 0, 0],
        }
    )
    chosen = choose_thresholds(incidence, landmarks, FIVE_H)
    # Mitosis: the one that divides shares its .1 with one that does not; from .075 on, 1 + 2/3.
    assert chosen.to_numpy().tolist() == [[pytest.approx(0.4), pytest.approx(0.075)]]


def test_a_horizon_or_event_that_is_not_forecast_is_an_error():
    traces = {("r", 1): ([0.5], [0.1])}
    with pytest.raises(InputError, match=r"holds the horizons \[2\.0, 5\.0\] h, expected 10\.0"):
        _find([("r", 1, "mitosis", 12)], traces, follow_up=FollowUpSettings(headline_h=10), within_h=2.0)
    follow_ups, chosen_on = validation(0.4, 0.6)
    with pytest.raises(InputError, match="no column 'p_mitosis'"):
        find_commitments(chosen_on.drop(columns="p_mitosis"), make_landmarks(follow_ups), follow_ups, FIVE_H)


def test_a_cell_tested_twice_or_without_follow_up_is_an_error():
    follow_ups = make_follow_ups([("r", 1, "mitosis", 12)])
    landmarks = make_landmarks(follow_ups)
    tested = make_incidence({("r", 1): ([0.5], [0.1])})
    twice = pd.concat([tested, tested.assign(fold=1)])
    with pytest.raises(InputError, match="cell 1 of recording 'r' more than once for frame 0"):
        find_commitments(twice, landmarks, follow_ups, FIVE_H)
    with pytest.raises(InputError, match="Cell 1 of recording 'r' is forecast but has no follow-up"):
        find_commitments(tested, landmarks, follow_ups.assign(cell_id=2), FIVE_H)


def test_no_tested_cell_is_an_empty_table():
    follow_ups, chosen_on = validation(0.4, 0.6)
    found = find_commitments(chosen_on, make_landmarks(follow_ups), follow_ups, FIVE_H)
    assert found.empty
    Commitments.validate(found)


def _slow_commitment(calls):
    """First place from which a list is the same to its end."""
    return next(i for i in range(len(calls)) if len(set(calls[i:])) == 1)


@st.composite
def _cells(draw):
    n = draw(st.integers(1, 5))
    levels = st.sampled_from([0.0, 0.2, 0.35, 0.45])
    lengths = [draw(st.integers(1, 8)) for _ in range(n)]
    return [[(draw(levels), draw(levels)) for _ in range(length)] for length in lengths]


@settings(max_examples=60, deadline=None)
@given(traces=_cells(), seed=st.integers(0, 100))
def test_commitments_equal_a_plain_loop_and_do_not_depend_on_the_order_of_rows(traces, seed):
    cells = [("r", i, "apoptosis", 20) for i in range(len(traces))]
    watched, chosen_on = validation(0.3, 0.4)
    follow_ups = pd.concat([watched, make_follow_ups(cells)], ignore_index=True)
    given_traces = {("r", i): tuple(zip(*trace, strict=True)) for i, trace in enumerate(traces)}
    incidence = pd.concat([chosen_on, make_incidence(given_traces)], ignore_index=True)
    landmarks = make_landmarks(follow_ups)
    found = find_commitments(incidence, landmarks, follow_ups, FIVE_H)
    for row, trace in zip(found.itertuples(), traces, strict=True):
        calls = [
            max([(a, "apoptosis")] * (a > 0.3) + [(m, "mitosis")] * (m > 0.4), key=lambda c: c[0], default=(0, "none"))
            for a, m in trace
        ]
        assert row.call == calls[-1][1]
        expected = _slow_commitment([event for _, event in calls])
        assert (row.frame is pd.NA) if row.call == "none" else (row.frame == expected)
    mixed = [table.sample(frac=1, random_state=seed) for table in (incidence, landmarks, follow_ups)]
    pd.testing.assert_frame_equal(find_commitments(*mixed, FIVE_H), found)


def test_twenty_five_thousand_forecasts_take_less_than_a_second():
    cells = [(f"r{i % 20}", i, "mitosis", 53) for i in range(500)]
    watched, chosen_on = validation(0.4, 0.6)
    follow_ups = pd.concat([watched, make_follow_ups(cells)], ignore_index=True)
    p = np.random.default_rng(0).random((500, 2, 50)) / 2
    traces = {cell[:2]: tuple(values) for cell, values in zip(cells, p, strict=True)}
    incidence = pd.concat([chosen_on, make_incidence(traces)], ignore_index=True)
    landmarks = make_landmarks(follow_ups)
    begin = time.process_time()
    find_commitments(incidence, landmarks, follow_ups, FIVE_H)
    assert time.process_time() - begin < 1.0


def _summary(rows):
    columns = ["predictor", "fate", "call", "group_id", "hours_before_event"]
    return summarise_commitments(pd.DataFrame(rows, columns=columns), FEW).set_index(["fate", "metric"])


def test_the_summary_by_hand():
    summary = _summary(
        [
            ("clock", "apoptosis", "apoptosis", "a", 2.0),
            ("clock", "apoptosis", "apoptosis", "a", 3.0),
            ("clock", "apoptosis", "apoptosis", "b", 7.0),
            ("clock", "apoptosis", "mitosis", "b", 9.0),
            ("clock", "apoptosis", "none", "c", np.nan),
            ("clock", "mitosis", "none", "c", np.nan),
            ("clock", "censored", "apoptosis", "c", np.nan),
            ("clock", "censored", "none", "c", np.nan),
        ]
    )
    apoptosis = summary.loc["apoptosis"]
    assert apoptosis["estimate"].to_dict() == pytest.approx(
        {"share_committed": 0.8, "share_right": 0.6, "share_right_of_committed": 0.75, "median_lead_h": 3.0}
    )
    assert apoptosis["n_cells"].tolist() == [5, 5, 4, 3]
    assert apoptosis["n_groups"].tolist() == [3, 3, 2, 2]
    # Drawn are a (2 of 2 right), b (1 of 2) and c (0 of 1): from c alone to a alone.
    assert summary.loc[("apoptosis", "share_right"), ["low", "high"]].tolist() == [0.0, 1.0]
    assert np.isnan(summary.loc[("mitosis", "median_lead_h"), "estimate"])
    assert summary.loc[("mitosis", "share_right"), "estimate"] == 0
    assert summary.loc["censored"]["estimate"].to_dict() == {"share_committed": 0.5}
    assert np.isnan(summary.loc[("censored", "share_committed"), "low"])  # one group has no spread


def test_each_predictor_is_summarised_by_itself():
    rows = [("clock", "mitosis", "mitosis", "a", 1.0), ("ensemble", "mitosis", "mitosis", "a", 5.0)]
    columns = ["predictor", "fate", "call", "group_id", "hours_before_event"]
    summary = summarise_commitments(pd.DataFrame(rows, columns=columns), FEW)
    leads = summary[summary["metric"] == "median_lead_h"]
    assert dict(zip(leads["predictor"], leads["estimate"], strict=True)) == {"clock": 1.0, "ensemble": 5.0}


@settings(max_examples=50, deadline=None)
@given(
    values=st.lists(st.tuples(st.integers(0, 6), st.integers(0, 3)), min_size=1, max_size=12),
    counts=st.lists(st.integers(0, 3), min_size=4, max_size=4),
)
def test_the_median_of_a_resample_is_that_of_the_repeated_values(values, counts):
    numbers, groups = (np.array(column) for column in zip(*values, strict=True))
    repeated = np.repeat(numbers, np.array(counts)[groups])
    expected = np.median(repeated) if len(repeated) else np.nan
    counts_rg = np.array([counts], dtype=float)
    np.testing.assert_array_equal(median_of(numbers.astype(float), groups, counts_rg), [expected])
