"""Commitments by hand: the frame from which a call stays, and its hours before the event."""

import time

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cellfate.core.errors import InputError
from cellfate.core.tables import Commitments, CommitmentSummary, FollowUps, ShuffledCommitments
from cellfate.metrics import ScoreSettings
from cellfate.metrics.commitments import N_SHUFFLES, find_commitments, shuffle_commitments, summarise_commitments
from tests.unit.metrics.tables import FIVE_H, fated, make_follow_ups, make_traces, say_which

FEW = ScoreSettings(n_resamples=200)


def _find(cells, traces, follow_up=FIVE_H, **tested):
    follow_ups = FollowUps.validate(make_follow_ups(cells))
    return Commitments.validate(find_commitments(make_traces(traces, **tested), follow_ups, follow_up))


def test_the_commitment_is_the_first_frame_from_which_the_call_stays():
    # Calls of cell 1: apoptosis, none, apoptosis, apoptosis -> frame 2, 10 frames of 30 min before frame 12. Cell 2:
    # mitosis, apoptosis, mitosis, mitosis. Cell 3: never steady until the last frame. Cell 4: none at last, whatever
    # was before. Cell 5: committed from the first frame on.
    cells = [("r", i, "apoptosis", 12) for i in (1, 2, 3, 4, 5)]
    traces = {
        ("r", 1): ([0.6, 0.3, 0.6, 0.9], [0, 0, 0, 0]),
        ("r", 2): ([0, 0.5, 0.3, 0.3], [0.7, 0.4, 0.65, 0.61]),
        ("r", 3): ([0.1, 0.6, 0.1, 0.6], [0, 0, 0, 0]),
        ("r", 4): ([0.6, 0.6, 0.6, 0.1], [0, 0, 0, 0]),
        ("r", 5): ([0.6, 0.6, 0.6, 0.6], [0, 0, 0, 0]),
    }
    found = _find(cells, traces)
    assert found["call"].tolist() == ["apoptosis", "mitosis", "apoptosis", "none", "apoptosis"]
    assert found["frame"].tolist() == [2, 2, 3, pd.NA, 0]
    np.testing.assert_allclose(found["hours_before_event"], [5.0, 5.0, 4.5, np.nan, 6.0])
    assert found["fate"].eq("apoptosis").all()
    assert found["from_first"].tolist() == [False, False, False, False, True]
    assert found["within_h"].eq(5.0).all()


def test_the_call_is_the_likeliest_outcome_none_included():
    # A quarter for apoptosis beside .58 for neither is no call, however rare the event; .4 beside .35 and .25 is one.
    cells = [("r", 1, "apoptosis", 12), ("r", 2, "mitosis", 12)]
    found = _find(cells, {("r", 1): ([0.25], [0.17]), ("r", 2): ([0.40], [0.35])})
    assert found["call"].tolist() == ["none", "apoptosis"]
    assert found["frame"].tolist() == [pd.NA, 0]
    assert found["from_first"].tolist() == [False, True]  # what was never called has no commitment
    # The wrong call still has hours: up to the event that came.
    assert found["hours_before_event"].iloc[1] == 6.0


def test_an_event_that_is_not_shown_is_called_all_the_same():
    only = FIVE_H.model_copy(update={"events": ("mitosis",)})
    found = _find([("r", 1, "mitosis", 12)], {("r", 1): ([0.6, 0.6], [0.3, 0.3])}, only)
    assert found["call"].tolist() == ["apoptosis"]


def test_a_censored_cell_is_called_but_has_no_hours():
    found = _find([("r", 1, "censored", 12)], {("r", 1): ([0.6, 0.6], [0, 0])})
    assert found.loc[0, ["call", "frame", "fate"]].tolist() == ["apoptosis", 0, "censored"]
    assert np.isnan(found.loc[0, "hours_before_event"])


def test_predictors_stand_in_their_order_and_only_the_headline_of_test_parts_counts():
    cells, trace = make_follow_ups([("r", 1, "apoptosis", 12)]), {("r", 1): ([0.6, 0.6], [0, 0])}
    other = {("r", 1): ([0.0, 0.9], [0, 0])}
    tables = [
        make_traces(trace, "network"),
        make_traces(other, "blend"),
        make_traces(other, "network", within_h=2.0),
        make_traces(other, "network", part="validation", fold=1),
        say_which(fated(["apoptosis"]).assign(recording_id="r", cell_id=1), [0.9]),
    ]
    found = find_commitments(pd.concat(tables), cells, FIVE_H)
    assert found["predictor"].tolist() == ["network", "blend"]
    assert found["frame"].tolist() == [0, 1]


def test_a_horizon_that_is_not_forecast_is_an_error():
    with pytest.raises(InputError, match=r"within \[2\.0\] h, expected 5 h among them"):
        _find([("r", 1, "mitosis", 12)], {("r", 1): ([0.5], [0.1])}, within_h=2.0)


def test_a_cell_tested_twice_or_without_follow_up_is_an_error():
    follow_ups = make_follow_ups([("r", 1, "mitosis", 12)])
    tested = make_traces({("r", 1): ([0.5], [0.1])})
    with pytest.raises(InputError, match="cell 1 of recording 'r' more than once for frame 0"):
        find_commitments(pd.concat([tested, tested.assign(fold=1)]), follow_ups, FIVE_H)
    with pytest.raises(InputError, match="Cell 1 of recording 'r' is forecast but has no follow-up"):
        find_commitments(tested, follow_ups.assign(cell_id=2), FIVE_H)


def test_no_tested_cell_is_an_empty_table():
    nothing = make_traces({("r", 1): ([0.5], [0.1])}, part="validation")
    follow_ups = make_follow_ups([("r", 1, "mitosis", 12)])
    for table in (nothing, nothing.iloc[:0], say_which(fated(["mitosis"]), [0.5])):
        assert Commitments.validate(find_commitments(table, follow_ups, FIVE_H)).empty


def test_shuffled_cells_keep_their_calls_and_lose_their_order():
    # Cell 1 is always called: every order gives the same. The others are called in the last 20 of 40 frames. Of 20
    # calls and 20 others in random order, 20 / 21 calls stand at the end on average: half of the cells are committed,
    # for 40 / 21 frames.
    cells = [("r", i, "apoptosis", 42) for i in range(2, 302)]
    traces = {cell[:2]: ([0.1] * 20 + [0.9] * 20, [0] * 40) for cell in cells}
    forecasts = make_traces({("r", 1): ([0.9] * 40, [0] * 40), **traces})
    follow_ups = FollowUps.validate(make_follow_ups([("r", 1, "apoptosis", 42), *cells]))
    found = ShuffledCommitments.validate(shuffle_commitments(forecasts, follow_ups, FIVE_H, FEW))
    assert found.groupby("draw").size().tolist() == [301] * N_SHUFFLES
    always, others = found[found["cell_id"] == 1], found[found["cell_id"] > 1]
    assert always["hours_before_event"].eq(21.0).all()
    assert always["from_first"].all()
    committed = others[others["call"] == "apoptosis"]
    assert len(committed) / len(others) == pytest.approx(0.5, abs=0.03)
    assert (40 - committed["frame"].astype(int)).mean() == pytest.approx(40 / 21, abs=0.1)
    again = shuffle_commitments(forecasts.sample(frac=1, random_state=0), follow_ups, FIVE_H, FEW)
    pd.testing.assert_frame_equal(found, ShuffledCommitments.validate(again))
    other = shuffle_commitments(forecasts, follow_ups, FIVE_H, FEW.model_copy(update={"seed": 8}))
    assert found["frame"].tolist() != other["frame"].tolist()


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
    follow_ups = make_follow_ups([("r", i, "apoptosis", 20) for i in range(len(traces))])
    forecasts = make_traces({("r", i): tuple(zip(*trace, strict=True)) for i, trace in enumerate(traces)})
    found = find_commitments(forecasts, follow_ups, FIVE_H)
    for row, trace in zip(found.itertuples(), traces, strict=True):
        calls = [max((a, "apoptosis"), (m, "mitosis"), (1 - a - m, "none"), key=lambda c: c[0])[1] for a, m in trace]
        assert row.call == calls[-1]
        assert (row.frame is pd.NA) if row.call == "none" else (row.frame == _slow_commitment(calls))
    mixed = [table.sample(frac=1, random_state=seed) for table in (forecasts, follow_ups)]
    pd.testing.assert_frame_equal(find_commitments(*mixed, FIVE_H), found)


def test_twenty_five_thousand_forecasts_take_less_than_a_second():
    rng = np.random.default_rng(0)
    cells = [("r", i, "mitosis", 103) for i in range(250)]
    forecasts = make_traces({cell[:2]: tuple(rng.random((2, 100)) / 2) for cell in cells})
    follow_ups = make_follow_ups(cells)
    begin = time.perf_counter()
    find_commitments(forecasts, follow_ups, FIVE_H)
    assert time.perf_counter() - begin < 1.0


def _summary(rows):
    columns = ["predictor", "fate", "call", "group_id", "hours_before_event", "from_first"]
    table = summarise_commitments(pd.DataFrame(rows, columns=columns), FEW)
    return CommitmentSummary.validate(table).set_index(["fate", "metric"])


def test_the_summary_by_hand():
    summary = _summary(
        [
            ("network", "apoptosis", "apoptosis", "a", 2.0, False),
            ("network", "apoptosis", "apoptosis", "a", 3.0, True),
            ("network", "apoptosis", "apoptosis", "b", 7.0, False),
            ("network", "apoptosis", "mitosis", "b", 9.0, True),
            ("network", "apoptosis", "none", "c", np.nan, False),
            ("network", "mitosis", "none", "c", np.nan, False),
            ("network", "censored", "apoptosis", "c", np.nan, False),
            ("network", "censored", "none", "c", np.nan, False),
        ]
    )
    apoptosis = summary.loc["apoptosis"]
    assert apoptosis["estimate"].to_dict() == pytest.approx(
        {
            "share_called": 0.8,
            "share_from_first": 1 / 3,
            "median_lead_h": 3.0,
        }
    )
    assert apoptosis["n_cells"].tolist() == [5, 3, 3]
    assert apoptosis["n_groups"].tolist() == [3, 2, 2]
    # Drawn are a (2 of 2 right), b (1 of 2) and c (0 of 1): from c alone to a alone.
    assert summary.loc[("apoptosis", "share_called"), ["low", "high"]].tolist() == [0.0, 1.0]
    assert np.isnan(summary.loc[("mitosis", "median_lead_h"), "estimate"])
    assert summary.loc[("mitosis", "share_called"), "estimate"] == 0
    assert summary.loc["censored"]["estimate"].to_dict() == {"share_called": 0.5}
    assert np.isnan(summary.loc[("censored", "share_called"), "low"])  # one group has no spread


def test_each_predictor_is_summarised_by_itself():
    rows = [("network", "mitosis", "mitosis", "a", 1.0, False), ("blend", "mitosis", "mitosis", "a", 5.0, True)]
    leads = _summary(rows).loc[("mitosis", "median_lead_h")]
    assert dict(zip(leads["predictor"], leads["estimate"], strict=True)) == {"network": 1.0, "blend": 5.0}
