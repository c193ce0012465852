"""What the report says of alarms, by hand."""

import pandas as pd

from cellfate.cohort.settings import FollowUpSettings
from cellfate.prediction.settings import AlarmSettings
from cellfate.report.alarms import tabulate_alarms, write_alarms

NAN = float("nan")


def summary(values, **columns):
    """Rows of table `AlarmSummary`: {measure: (estimate, low, high, n)} of mitosis at the chosen threshold."""
    rows = [
        {"metric": metric, "estimate": estimate, "low": low, "high": high, "n": n, "reason": "no answer is known"}
        for metric, (estimate, low, high, n) in values.items()
    ]
    about = {"predictor": "blend", "outcome": "mitosis", "condition": "all", "chosen": True, "n_alarms": 23}
    return pd.DataFrame(rows).assign(**(about | columns))


MEASURED = {
    "share_foretold": (1 / 3, 0.2, 0.5, 45),
    "predictive_value": (0.63, 0.44, 0.86, 19),
    "false_per_100_h": (0.334, 0.1, 0.6, 7),
    "median_warning_h": (3.5, 2.0, 4.0, 15),
    "share_unknown": (0.05, 0.0, 0.1, 20),
}


def test_the_rule_what_came_of_it_and_the_guard_are_said():
    rule, told, guard = write_alarms(summary(MEASURED), FollowUpSettings(), AlarmSettings())
    assert rule == (
        "An alarm is raised where the probability of an event within 5 h reaches 0.3 and no other event is likelier, "
        "for 3 frames on end. That follows from the costs that were set, 3 for a false alarm and 7 for a missed event; "
        "it is not tuned."
    )
    assert told == (
        "The blend of network and boosting raised 23 alarms of mitosis; of 19 with a known answer 63 % (44 to 86) were "
        "right. 15 of 45 events were foretold in time, half of them 3.5 h before or earlier. In 100 hours of forecasts "
        "of a cell 0.33 alarms were false."
    )
    assert guard.startswith("All of it holds given the guard: the last 1 h before every event are never shown")


def test_one_frame_on_end_is_no_rule_about_frames():
    rule = write_alarms(summary(MEASURED), FollowUpSettings(), AlarmSettings(frames_on_end=1))[0]
    assert "likelier. That follows" in rule


def test_what_is_not_defined_is_said_with_its_reason_or_left_out():
    nothing = dict.fromkeys(MEASURED, (NAN, NAN, NAN, 0))
    told = write_alarms(summary(nothing, n_alarms=1), FollowUpSettings(), AlarmSettings())[1]
    assert told == "The blend of network and boosting raised 1 alarm of mitosis: no answer is known."
    foretold = nothing | {"share_foretold": (0.0, 0.0, 0.0, 4)}
    told = write_alarms(summary(foretold), FollowUpSettings(), AlarmSettings())[1]
    assert told.endswith("no answer is known. 0 of 4 events were foretold in time.")


def test_every_predictor_is_listed_and_the_leading_one_by_dose():
    parts = [
        summary(MEASURED),
        summary(MEASURED, predictor="network"),
        summary(MEASURED, condition="Low", n_alarms=3),
        summary(MEASURED, condition="Low", predictor="network"),
        summary(MEASURED, chosen=False, outcome="apoptosis"),
    ]
    table = tabulate_alarms(pd.concat(parts))
    assert [row[:4] for row in table.rows] == [
        ("mitosis", "Blend", "all doses", "23"), ("mitosis", "Network", "all doses", "23"),
        ("mitosis", "Blend", "Low", "3"),
    ]  # fmt: skip
    assert table.rows[0][4:] == (
        "0.63 (0.44 to 0.86), n = 19", "0.33 (0.20 to 0.50), n = 45", "0.33 (0.10 to 0.60)", "3.5 (2.0 to 4.0), n = 15",
        "0.05 (0.00 to 0.10), n = 20",
    )  # fmt: skip


def test_without_alarms_nothing_is_said():
    empty = summary(MEASURED).head(0)
    assert write_alarms(empty, FollowUpSettings(), AlarmSettings()) == ()
    assert tabulate_alarms(empty) is None
