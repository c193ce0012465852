"""How often alarms are right, by hand and in studies whose hazards are known."""

import warnings

import numpy as np
import pandas as pd
import pytest

from cellfate.core.errors import InputError
from cellfate.core.tables import Alarms, AlarmSummary, NetBenefit
from cellfate.metrics import ScoreSettings
from cellfate.metrics.alarms import list_alarms, summarise_alarms
from cellfate.metrics.net_benefit import weigh_benefit
from cellfate.metrics.watched import THRESHOLDS
from cellfate.prediction.settings import AlarmSettings
from tests.cases.known_alarms import compare_with_truth
from tests.unit.metrics.tables import FIVE_H, make_follow_ups, make_traces

FEW = ScoreSettings(n_resamples=200)
THREE, AT_ONCE = AlarmSettings(), AlarmSettings(frames_on_end=1)
FROM_2 = [0.1, 0.1, 0.4, 0.4, 0.4]
"""Flagged from frame 2 on, so that the alarm is raised at frame 4."""


def make(cells, traces, **columns):
    """Tested forecasts of (apoptosis, mitosis) by frame, frames of half an hour, and how the cells ended."""
    return make_traces(dict(zip([cell[:2] for cell in cells], traces, strict=True))), make_follow_ups(cells).assign(
        **columns
    )


def summarise(forecasts, follow_ups, alarm=THREE, follow_up=FIVE_H):
    table = AlarmSummary.validate(summarise_alarms(forecasts, follow_ups, follow_up, alarm, FEW))
    return table[table["chosen"]].set_index(["outcome", "condition", "metric"])


def test_an_alarm_is_right_only_if_its_event_follows_within_the_hours():
    # Alarms of mitosis at frame 4. Ten frames are 5 h.
    cells = [
        ("r", 1, "mitosis", 14),  # after 5 h: in time
        ("r", 2, "mitosis", 15),  # after 5.5 h: too late
        ("r", 3, "apoptosis", 9),  # the other event came
        ("r", 4, "censored", 14),  # last seen after 5 h: nothing had happened
        ("r", 5, "censored", 13),  # last seen after 4.5 h
    ]
    found = Alarms.validate(list_alarms(*make(cells, [([0] * 5, FROM_2)] * 5), FIVE_H, THREE))
    assert found["answer"].tolist() == ["right", "false", "false", "false", "unknown"]
    assert found["frame"].tolist() == [4] * 5
    assert found["incidence"].tolist() == [0.4] * 5
    np.testing.assert_equal(found["warning_h"].to_numpy(), [5.0, np.nan, np.nan, np.nan, np.nan])
    assert (found["weight"] > 0).tolist() == [True, True, True, True, False]


def test_hours_count_whatever_the_frame_interval():
    # 20 min a frame: from frame 4, 5 h are 15 frames.
    cells = [("r", 1, "mitosis", 19), ("r", 2, "mitosis", 20)]
    forecasts, follow_ups = make(cells, [([0] * 5, FROM_2)] * 2, frame_interval_min=20.0)
    found = list_alarms(forecasts, follow_ups, FIVE_H, THREE)
    assert found["answer"].tolist() == ["right", "false"]
    assert found["warning_h"].iloc[0] == pytest.approx(5.0)


def test_near_the_end_of_the_recording_an_alarm_has_an_answer_and_no_weight():
    # Only events are seen there: were they counted, alarms would look better than they are.
    cells = [("r", 1, "mitosis", 9), ("r", 2, "censored", 12)]
    forecasts, follow_ups = make(cells, [([0] * 5, FROM_2)] * 2, recording_frames=13)
    found = list_alarms(forecasts, follow_ups, FIVE_H, THREE)
    assert found["answer"].tolist() == ["right", "unknown"]
    assert found["weight"].tolist() == [0.0, 0.0]
    assert list_alarms(forecasts, follow_ups.assign(recording_frames=15), FIVE_H, THREE)["weight"].iloc[0] == 1.0
    with pytest.warns(UserWarning, match="alarm scores are undefined and stay NaN"):
        summary = summarise(forecasts, follow_ups).loc["mitosis", "all"]
    assert summary.loc["share_foretold", "estimate"] == 1.0  # that it came in time is seen all the same
    assert summary["n_near_end"].tolist() == [2] * 5
    assert summary.loc["predictive_value", "reason"] == "no alarm whose recording goes on for the horizon was raised"


def test_hours_of_forecasts_are_counted_where_the_recording_goes_on_for_the_horizon():
    # Frames 0 to 2 of 5 are 5 h or more before the last frame, 12; the alarm at frame 2 is false.
    tables = make([("r", 1, "censored", 12), ("s", 2, "apoptosis", 90)], [([0.4] * 5, [0] * 5), ([0], [0])])
    found = summarise(tables[0], tables[1].assign(recording_frames=[13, 1])).loc["apoptosis", "all"]
    assert set(found["forecast_h"]) == {1.5}
    assert found.loc["false_per_100_h", ["estimate", "n"]].tolist() == pytest.approx([100 / 1.5, 1])


def test_what_is_not_known_is_made_up_for_by_weights():
    # One forecast a cell, in frame 0, all flagged. Two die, after 2 and 4 h; one is lost after 3 h, one lives on. Of
    # the three watched for 3 h or longer, one is lost there: those known later stand for 1.5 each, the first for 1.
    cells = [("a", 1, "apoptosis", 4), ("b", 2, "censored", 6), ("c", 3, "apoptosis", 8), ("d", 4, "censored", 40)]
    tables = make(cells, [([0.5], [0])] * 4)
    assert list_alarms(*tables, FIVE_H, AT_ONCE)["weight"].tolist() == pytest.approx([1, 0, 1.5, 1.5])
    found = summarise(*tables, alarm=AT_ONCE).loc["apoptosis", "all"]
    assert found["estimate"].to_dict() == pytest.approx(
        {
            "share_foretold": 1.0,
            "predictive_value": 2.5 / 4,
            "false_per_100_h": 100 * 1.5 / (4 * 0.5),
            "median_warning_h": 3.0,
            "share_unknown": 0.25,
        }
    )
    assert found["n"].to_dict() == {
        "share_foretold": 2, "predictive_value": 3, "false_per_100_h": 1, "median_warning_h": 2, "share_unknown": 4,
    }  # fmt: skip
    assert set(found["n_alarms"]) == {4}
    assert set(found["n_unknown"]) == {1}
    assert set(found["forecast_h"]) == {2.0}
    assert found.loc["predictive_value", "n_groups"] == 3


def test_each_event_is_foretold_once_by_its_first_right_alarm():
    # Alarms at frames 2 (9 h before, false), 8 (6 h, false), 12 (4 h) and 16 (2 h, right again) of one cell.
    trace = [0.4] * 3 + [0.1] * 3 + [0.4] * 3 + [0.1] + [0.4] * 3 + [0.1] + [0.4] * 3
    found = summarise(*make([("a", 1, "mitosis", 20)], [([0] * 17, trace)])).loc["mitosis", "all"]
    assert found.loc["share_foretold", ["estimate", "n"]].tolist() == [1.0, 1]
    assert found.loc["median_warning_h", ["estimate", "n"]].tolist() == [4.0, 1]
    assert found.loc["predictive_value", ["estimate", "n"]].tolist() == [0.5, 4]


def test_events_of_cells_with_too_few_forecasts_are_not_counted():
    cells = [("a", 1, "mitosis", 7), ("b", 2, "mitosis", 8), ("c", 3, "mitosis", 5)]
    traces = [([0] * 5, FROM_2), ([0] * 5, [0.1] * 5), ([0] * 2, [0.9] * 2)]
    found = summarise(*make(cells, traces)).loc["mitosis", "all"]
    assert found.loc["share_foretold", ["estimate", "n"]].tolist() == [0.5, 2]


def test_doses_are_summarised_apart_and_thresholds_over_all():
    cells = [("a", 1, "mitosis", 7), ("b", 2, "mitosis", 8), ("c", 3, "mitosis", 30), ("d", 4, "mitosis", 30)]
    tables = make(cells, [([0] * 5, FROM_2)] * 4, dose=["Low", "Low", "High", "High"])
    found = summarise(*tables)["estimate"].xs("predictive_value", level="metric").loc["mitosis"]
    assert found.to_dict() == {"all": 0.5, "Low": 1.0, "High": 0.0}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        table = summarise_alarms(*tables, FIVE_H, THREE, FEW)
    by_threshold = table.groupby("condition")["threshold"].unique()
    assert by_threshold["all"].tolist() == list(THRESHOLDS)  # .3 is one of them
    assert by_threshold["Low"].tolist() == [0.3]
    raised = table[(table["condition"] == "all") & (table["metric"] == "predictive_value")].set_index("threshold")
    assert raised["n_alarms"].to_dict() == {t: 4 if t <= 0.4 else 0 for t in THRESHOLDS}


def test_an_event_that_is_not_forecast_competes():
    # A cell that dies has not divided; it is not lost, and its answer is known.
    forecasts, follow_ups = make([("a", 1, "apoptosis", 9)], [([0] * 5, FROM_2)])
    found = list_alarms(forecasts.drop(columns="p_apoptosis"), follow_ups, FIVE_H, THREE)
    assert found[["answer", "weight"]].to_numpy().tolist() == [["false", 1.0]]


def test_only_events_that_are_shown_are_summarised_but_all_are_listed():
    only = FIVE_H.model_copy(update={"events": ("mitosis",)})
    cells = [("a", 1, "mitosis", 7), ("b", 2, "apoptosis", 7)]
    tables = make(cells, [([0] * 5, FROM_2), (FROM_2, [0] * 5)])
    assert list_alarms(*tables, only, THREE)["outcome"].tolist() == ["mitosis", "apoptosis"]
    assert set(summarise(*tables, follow_up=only).index.get_level_values("outcome")) == {"mitosis"}
    assert set(weigh_benefit(*tables, only, THREE, FEW)["outcome"]) == {"mitosis"}


def test_predictors_of_every_few_frames_and_cells_that_nobody_scored_are_left_out():
    cells = [("a", 1, "mitosis", 7), ("b", 2, "unscored", 7)]
    forecasts, follow_ups = make(cells, [([0] * 5, FROM_2)] * 2)
    seldom = forecasts[forecasts["frame"] % 3 == 0].assign(predictor="dose", p_mitosis=0.9, p_none=0.1)
    found = list_alarms(pd.concat([seldom, forecasts]), follow_ups, FIVE_H, THREE)
    assert found[["predictor", "cell_id"]].to_numpy().tolist() == [["network", 1]]
    assert set(summarise(pd.concat([seldom, forecasts]), follow_ups)["predictor"]) == {"network"}


def test_what_is_undefined_is_nan_with_its_reason_and_one_warning():
    # Apoptosis is what the study knows, but not of these cells; one of them is alarmed and lost.
    cells = [("a", 1, "censored", 12), ("a", 2, "mitosis", 40), ("z", 9, "apoptosis", 40)]
    forecasts, follow_ups = make(cells, [(FROM_2, [0] * 5), ([0] * 5, [0] * 5), ([0] * 5, [0] * 5)])
    tested = forecasts[forecasts["recording_id"] == "a"]
    with pytest.warns(UserWarning, match=r"of 10 alarm scores are undefined and stay NaN, first \w+ of") as caught:
        found = summarise(tested, follow_ups)
    assert len(caught) == 1
    reasons = found["reason"].droplevel("condition")
    assert reasons["apoptosis"].to_dict() == {
        "share_foretold": "no tested cell of at least 3 forecasts ends in apoptosis",
        "predictive_value": "no answer is known",
        "false_per_100_h": "one group: no interval",
        "median_warning_h": "no alarm was right",
        "share_unknown": "one group: no interval",
    }
    assert reasons["mitosis"]["predictive_value"] == "no alarm whose recording goes on for the horizon was raised"
    assert found["estimate"].isna().sum() == 6
    assert (found["estimate"].isna() <= found["reason"].notna()).all()
    assert found["low"].isna().all()


@pytest.mark.parametrize("n_frames", [1, 2])
def test_tracks_shorter_than_the_rule_have_no_alarm_and_say_so(n_frames):
    cells = [("a", 1, "mitosis", 6), ("b", 2, "mitosis", 40)]
    tables = make(cells, [([0] * n_frames, [0.9] * n_frames)] * 2)
    assert Alarms.validate(list_alarms(*tables, FIVE_H, THREE)).empty
    with pytest.warns(UserWarning, match="undefined") as caught:
        found = summarise(*tables).loc["mitosis", "all"]
    assert len(caught) == 1
    assert found.loc["share_foretold", "reason"] == "no tested cell of at least 3 forecasts ends in mitosis"
    assert found.loc["false_per_100_h", "estimate"] == 0.0
    curve = weigh_benefit(*tables, FIVE_H, THREE, FEW)
    assert curve[["net_benefit", "for_all", "share_flagged"]].isna().all(axis=None)
    assert set(curve["n_forecasts"]) == {0}


def test_without_events_or_tested_cells_the_tables_are_empty():
    cells = [("a", 1, "censored", 40)]
    forecasts, follow_ups = make(cells, [([0] * 5, FROM_2)])
    assert len(list_alarms(forecasts, follow_ups, FIVE_H, THREE)) == 1
    for tested in (forecasts, forecasts.assign(part="validation"), forecasts.head(0)):
        assert AlarmSummary.validate(summarise_alarms(tested, follow_ups, FIVE_H, THREE, FEW)).empty
        assert NetBenefit.validate(weigh_benefit(tested, follow_ups, FIVE_H, THREE, FEW)).empty
    assert Alarms.validate(list_alarms(forecasts.head(0), follow_ups, FIVE_H, THREE)).empty


def test_tables_that_do_not_fit_are_refused():
    forecasts, follow_ups = make([("a", 1, "mitosis", 7)], [([0] * 5, FROM_2)])
    with pytest.raises(InputError, match="is forecast but has no follow-up"):
        list_alarms(forecasts, follow_ups.assign(cell_id=2), FIVE_H, THREE)
    with pytest.raises(InputError, match="more than once for frame 0"):
        summarise_alarms(pd.concat([forecasts, forecasts]), follow_ups, FIVE_H, THREE, FEW)


def test_net_benefit_by_hand():
    # One forecast a cell, four cells of four recordings: two flagged rightly, one wrongly, one missed.
    cells = [("a", 1, "mitosis", 4), ("b", 2, "mitosis", 4), ("c", 3, "censored", 40), ("d", 4, "mitosis", 5)]
    traces = [([0], [0.5]), ([0], [0.6]), ([0], [0.7]), ([0], [0.2])]
    curve = weigh_benefit(*make(cells, traces), FIVE_H, AT_ONCE, FEW).set_index("threshold")
    odds = 0.3 / 0.7
    assert curve.loc[0.3, "net_benefit"] == pytest.approx((2 - odds) / 4)
    assert curve.loc[0.3, "for_all"] == pytest.approx((3 - odds) / 4)
    assert curve.loc[0.3, ["share_flagged", "n_forecasts", "n_groups"]].tolist() == [0.75, 4, 4]
    assert curve.loc[0.2, "net_benefit"] == pytest.approx((3 - 0.25) / 4)  # all are flagged
    assert curve.loc[0.2, "net_benefit"] == curve.loc[0.2, "for_all"]
    assert curve.loc[0.3, "low"] < curve.loc[0.3, "net_benefit"] < curve.loc[0.3, "high"]
    assert curve.index[curve["chosen"]].tolist() == [0.3]


def test_net_benefit_judges_forecasts_of_enough_frames_on_end_and_weighs_the_lost():
    # Cell 1: frames 0 to 4, of which 2 to 4 have two before them; flagged in all three at frame 4 only. It divides in
    # time after each: after 3.5, 3 and 2.5 h. Cell 2 is lost after as many hours, and is known of nowhere. Of the ten
    # forecasts, 1 of 9 is lost after 2.5 h (an event came first), then 1 of 7: those known later weigh 9 / 8, and
    # 9 / 8 * 7 / 6.
    cells = [("a", 1, "mitosis", 9), ("b", 2, "censored", 9)]
    tables = make(cells, [([0] * 5, FROM_2), ([0] * 5, [0] * 5)])
    curve = weigh_benefit(*tables, FIVE_H, THREE, FEW).set_index("threshold")
    assert curve.loc[0.3, ["n_forecasts", "share_flagged"]].tolist() == [6, pytest.approx(1 / (1 + 9 / 8 + 63 / 48))]
    assert curve.loc[0.3, "net_benefit"] == curve.loc[0.3, "share_flagged"]


def test_alarms_on_the_exact_incidence_are_right_as_often_as_the_threshold_says():
    """Small; `python -m benchmarks alarms` does it 2,000 times."""
    draws = pd.concat([compare_with_truth(seed, n_recordings=6) for seed in range(6)])
    known = draws["n_right_weighted"].sum() / draws["n_weighted"].sum()
    truth = draws["n_right_true"].sum() / draws["n_alarms"].sum()
    assert draws["n_alarms"].sum() > 200
    assert draws["n_unknown"].sum() > 20
    assert truth >= THREE.threshold - 0.05
    # Those that are lost would have been right as often: the weighted share is that of all.
    error = np.sqrt(truth * (1 - truth) / draws["n_alarms"].sum())
    assert abs(known - truth) <= 2 * error
