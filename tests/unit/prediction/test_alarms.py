"""When an alarm is raised, frame by frame by hand."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from cellfate.prediction.alarms import find_alarms, order_traces
from cellfate.prediction.settings import AlarmSettings

THREE = AlarmSettings()  # threshold .3, re-armed below .15


def trace(mitosis, apoptosis=None, frames=None, cell_id=1, predictor="blend"):
    """Forecasts of one cell, frames from 0."""
    others = [0.0] * len(mitosis) if apoptosis is None else apoptosis
    numbers = range(len(mitosis)) if frames is None else frames
    about = {"predictor": predictor, "recording_id": "r", "cell_id": cell_id}
    return pd.DataFrame({**about, "frame": numbers, "p_apoptosis": others, "p_mitosis": mitosis})


def raised(*traces, alarm=THREE):
    """Frame and event of every alarm."""
    return list(find_alarms(pd.concat(traces), alarm)[["frame", "outcome"]].itertuples(index=False, name=None))


def test_the_threshold_follows_from_the_costs():
    assert THREE.threshold == 0.3
    assert AlarmSettings(cost_false=1, cost_miss=3).threshold == 0.25
    with pytest.raises(ValidationError, match=r"threshold of 0\.001, expected 0\.01 to 0\.99"):
        AlarmSettings(cost_false=1, cost_miss=999)


def test_an_alarm_is_raised_at_the_third_frame_on_end_and_not_before():
    assert raised(trace([0.1, 0.3, 0.4, 0.3, 0.4])) == [(3, "mitosis")]  # reached is enough
    assert raised(trace([0.4, 0.4, 0.2, 0.4, 0.4])) == []  # two on end, twice
    assert raised(trace([0.4, 0.4])) == []  # shorter than three
    one = AlarmSettings(frames_on_end=1)
    assert raised(trace([0.2, 0.4, 0.4]), alarm=one) == [(1, "mitosis")]


def test_what_comes_later_changes_no_alarm():
    whole = [0.1, 0.4, 0.5, 0.6, 0.1, 0.1, 0.4, 0.4, 0.4]
    for n in range(1, len(whole) + 1):
        assert raised(trace(whole[:n])) == [(frame, "mitosis") for frame in (3, 8) if frame < n]


def test_no_second_alarm_until_the_incidence_has_fallen_below_half_the_threshold():
    high = [0.4] * 3
    assert raised(trace([*high, 0.2, *high])) == [(2, "mitosis")]
    assert raised(trace([*high, 0.15, *high])) == [(2, "mitosis")]  # half is not below half
    assert raised(trace([*high, 0.149, *high])) == [(2, "mitosis"), (6, "mitosis")]
    assert raised(trace([*high, *high])) == [(2, "mitosis")]


def test_only_the_likeliest_event_is_flagged_and_none_does_not_count():
    # Both reach the threshold; mitosis is the likelier from frame 1 on. None is the likeliest of all throughout.
    apoptosis, mitosis = [0.35, 0.3, 0.3, 0.3, 0.0], [0.3, 0.35, 0.35, 0.35, 0.35]
    assert raised(trace(mitosis, apoptosis)) == [(3, "mitosis")]
    assert raised(trace([0.35] * 3, [0.35] * 3)) == [(2, "apoptosis")]  # of equals the first


def test_events_are_flagged_one_by_one():
    # An alarm of one event does not disarm the other.
    apoptosis, mitosis = [0.5] * 3 + [0.2] * 3, [0.2] * 3 + [0.5] * 3
    assert raised(trace(mitosis, apoptosis)) == [(2, "apoptosis"), (5, "mitosis")]


def test_a_gap_in_the_frames_begins_the_count_anew_and_arms_nothing():
    assert raised(trace([0.4] * 4, frames=[0, 1, 3, 4])) == []
    assert raised(trace([0.4] * 5, frames=[0, 1, 3, 4, 5])) == [(5, "mitosis")]
    assert raised(trace([0.4] * 6, frames=[0, 1, 2, 4, 5, 6])) == [(2, "mitosis")]
    assert raised(trace([0.4] * 4, frames=[0, 3, 6, 9])) == []  # asked at every third frame only


def test_cells_and_predictors_do_not_run_into_each_other():
    # Frame 2 of the first cell and 3 and 4 of the second are flagged: three rows, but of two cells.
    first, second = trace([0.1, 0.1, 0.4]), trace([0.4, 0.4], frames=[3, 4], cell_id=2)
    assert raised(first, second) == []
    three = [trace([0.4] * 3, cell_id=cell, predictor=name) for name in ("network", "blend") for cell in (2, 1)]
    found = find_alarms(pd.concat(three), THREE)
    assert found[["predictor", "cell_id"]].to_numpy().tolist() == [
        ["network", 1], ["network", 2], ["blend", 1], ["blend", 2],
    ]  # fmt: skip
    assert found["incidence"].tolist() == [0.4] * 4


def test_nothing_forecast_raises_nothing():
    table = find_alarms(trace([]), THREE)
    assert list(table) == ["predictor", "recording_id", "cell_id", "frame", "outcome", "incidence"]
    assert table.empty
    assert find_alarms(trace([0.9] * 3).drop(columns=["p_apoptosis", "p_mitosis"]), THREE).empty  # no event competes


def test_an_event_that_a_predictor_does_not_know_is_never_flagged():
    assert raised(trace([0.4] * 3, [np.nan] * 3)) == [(2, "mitosis")]


def _slow_alarms(frames, trace_ne, threshold, k):
    """The rule, told as a loop over frames."""
    found, armed, run, before = [], [True, True], [0, 0], None
    for frame, p_e in zip(frames, trace_ne, strict=True):
        for e, event in enumerate(("apoptosis", "mitosis")):
            run[e] = 0 if before is not None and frame != before + 1 else run[e]
            flagged = p_e[e] >= threshold and e == (0 if p_e[0] >= p_e[1] else 1)
            run[e] = run[e] + 1 if flagged else 0
            armed[e] = armed[e] or p_e[e] < threshold / 2
            if armed[e] and run[e] >= k:
                found.append((frame, event))
                armed[e] = False
        before = frame
    return found


_P = st.sampled_from([0.0, 0.1, 0.2, 0.3, 0.4, 0.45])


@settings(max_examples=200, deadline=None)
@given(
    rows=st.lists(st.tuples(_P, _P, st.integers(1, 2)), min_size=1, max_size=30),
    k=st.integers(1, 4),
    cost=st.sampled_from([1.0, 3.0, 5.0]),
)
def test_alarms_equal_a_plain_loop(rows, k, cost):
    frames = np.cumsum([step if step == 1 else 1 + (i % 5 == 0) for i, (*_, step) in enumerate(rows)])
    alarm = AlarmSettings(cost_false=cost, cost_miss=10 - cost, frames_on_end=k)
    apoptosis, mitosis = [a for a, *_ in rows], [m for _, m, _ in rows]
    mixed = trace(mitosis, apoptosis, frames).sample(frac=1, random_state=0)
    expected = _slow_alarms(frames.tolist(), list(zip(apoptosis, mitosis, strict=True)), alarm.threshold, k)
    assert raised(mixed, alarm=alarm) == expected


def test_frames_on_end_are_counted_up_to_each():
    traces = order_traces(trace([0.4, 0.1, 0.4, 0.4, 0.4], frames=[0, 1, 2, 3, 5]))
    assert traces.n_on_end.tolist() == [1, 2, 3, 4, 1]
    assert traces.on_end("mitosis", 0.3).tolist() == [1, 0, 1, 2, 1]
