"""Figures of alarms: what is drawn where, read off the figures."""

import numpy as np
import pandas as pd
import pytest

from cellfate.plots.alarms import MOST_CELLS, SYMBOLS, plot_alarm_curves, plot_alarms, plot_net_benefit
from cellfate.plots.theme import COLOURS, is_empty
from tests.cases.report_tables import report_case
from tests.cases.score_tables import HEADLINE_H


@pytest.fixture(scope="module")
def tables():
    return report_case().tables


def study(cells):
    """Tested cells (fate, first and last frame that is forecast, end frame), half an hour a frame, and their tables."""
    about = [{"recording_id": "r", "cell_id": i} for i in range(len(cells))]
    forecasts = [
        {"predictor": "blend", "part": "test", **cell, "frame": frame, "within_h": 5.0}
        for cell, (_, first, last, _) in zip(about, cells, strict=True)
        for frame in range(first, last + 1)
    ]
    ends = [
        {**cell, "fate": fate, "end_frame": end, "frame_interval_min": 30.0}
        for cell, (fate, *_, end) in zip(about, cells, strict=True)
    ]
    return pd.DataFrame(forecasts), pd.DataFrame(ends)


def alarm(cell_id, frame, outcome, answer, predictor="blend"):
    return {
        "predictor": predictor, "recording_id": "r", "cell_id": cell_id, "fate": "any", "frame": frame,
        "outcome": outcome, "answer": answer, "incidence": 0.4,
    }  # fmt: skip


def heads(figure):
    return [note.text for note in figure.layout.annotations]


def test_alarms_stand_on_the_track_of_their_cell_at_their_hours_before_the_end():
    cells = [("mitosis", 4, 14, 18), ("mitosis", 4, 8, 12), ("censored", 4, 8, 10)]
    raised = [
        alarm(0, 6, "mitosis", "false"),  # 6 h before the end
        alarm(0, 12, "mitosis", "right"),  # 3 h
        alarm(2, 6, "apoptosis", "unknown"),  # 2 h
        alarm(1, 5, "mitosis", "right", predictor="network"),  # not the leading predictor
    ]
    figure = plot_alarms(pd.DataFrame(raised), *study(cells), HEADLINE_H)
    assert heads(figure) == ["Mitosis (n = 2)", "No event seen (n = 1)"]
    drawn = [t for t in figure.data if t.customdata is not None]
    found = [(t.xaxis, t.marker.color, t.marker.symbol, list(t.x), list(t.y)) for t in drawn]
    assert found == [
        ("x", COLOURS["mitosis"], SYMBOLS["false"], [6.0], [0]),
        ("x", COLOURS["mitosis"], SYMBOLS["right"], [3.0], [0]),
        ("x2", COLOURS["apoptosis"], SYMBOLS["unknown"], [2.0], [0]),
    ]
    first = next(t for t in figure.data if t.mode == "lines")
    np.testing.assert_allclose(first.x, [7.0, 2.0, np.nan, 4.0, 2.0, np.nan])  # the cell with an alarm is on top
    assert [t.name.split(",")[0] for t in figure.data if t.name] == ["alarm of apoptosis"] + ["alarm of mitosis"] * 2
    assert "3 alarms (1 right, 1 false, 1 not known)" in figure.layout.title.text


def test_panels_of_many_cells_are_thinned_and_events_that_are_not_shown_left_out():
    cells = [("apoptosis", 0, 5, 8)] * (2 * MOST_CELLS + 1) + [("mitosis", 0, 5, 8)]
    nothing = pd.DataFrame([alarm(0, 4, "apoptosis", "right")]).head(0)
    figure = plot_alarms(nothing, *study(cells), HEADLINE_H)
    assert heads(figure) == ["Apoptosis (n = 121, 41 drawn)", "Mitosis (n = 1)"]
    only = plot_alarms(nothing, *study(cells), HEADLINE_H, ["mitosis"])
    assert heads(only) == ["Mitosis (n = 1)"]
    forecasts, follow_ups = study(cells)
    assert is_empty(plot_alarms(nothing, forecasts.assign(part="validation"), follow_ups, HEADLINE_H))


def test_the_chosen_threshold_is_marked_on_the_curves(tables):
    summary = tables["alarm_summary"]
    figure = plot_alarm_curves(summary, HEADLINE_H)
    dots = [t for t in figure.data if t.mode == "markers" and t.marker.color == "#6a4c93"]  # of the blend
    of_blend = summary[(summary["predictor"] == "blend") & summary["chosen"] & (summary["condition"] == "all")]
    for event, (left, right) in zip(("apoptosis", "mitosis"), (dots[:2], dots[2:]), strict=True):
        row = of_blend[of_blend["outcome"] == event].set_index("metric")["estimate"]
        assert [left.x[0], left.y[0]] == row[["false_per_100_h", "share_foretold"]].tolist()
        assert [right.x[0], right.y[0]] == [0.3, row["predictive_value"]]
    curve = next(t for t in figure.data if t.name == "Blend")
    assert list(curve.text) == sorted(set(summary["threshold"]))
    assert is_empty(plot_alarm_curves(summary.head(0), HEADLINE_H))


def test_decision_curves_stand_beside_acting_always_and_never(tables):
    benefit = tables["net_benefit"]
    figure = plot_net_benefit(benefit)
    lines = {t.name: t for t in figure.data if t.name and t.xaxis == "x"}
    assert set(lines) == {"Blend", "Network", "acting always", "acting never"}
    of_blend = benefit.query("predictor == 'blend' and outcome == 'apoptosis' and condition == 'all'")
    np.testing.assert_allclose(lines["Blend"].y, 100 * of_blend["net_benefit"])
    np.testing.assert_allclose(lines["acting always"].y, 100 * of_blend["for_all"])
    assert set(lines["acting never"].y) == {0.0}
    assert is_empty(plot_net_benefit(benefit.assign(net_benefit=np.nan)))
