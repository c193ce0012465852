"""Example cells are chosen by rule, in either reading, and shown with what is known of them."""

import numpy as np
import pandas as pd
import pytest

from cellfate.plots.theme import is_empty
from cellfate.report import (
    ReportSettings,
    StripTables,
    build_film_strips,
    choose_examples,
    choose_opening,
    draw_examples,
)
from cellfate.report.strips import describe_example
from tests.cases.report_figures import AnyStore

WITHIN = [
    ("apoptosis", 0.7, 0.1, True),
    ("apoptosis", 0.9, 0.1, True),
    ("apoptosis", 0.95, 0.0, False),
    ("apoptosis", 0.3, 0.1, True),
    ("mitosis", 0.6, 0.2, True),
    ("mitosis", 0.1, 0.25, True),
    ("none", 0.1, 0.0, True),
]
"""What came, forecast of apoptosis and of mitosis, whether it has Shapley values; cell by cell."""


def make_cells(rows, within_h=5.0):
    """Explained landmarks at frame 7 with forecasts at frames 5 and 7."""
    cells = pd.DataFrame(rows, columns=["outcome", "p_apoptosis", "p_mitosis", "shapley"])
    cells = cells.assign(recording_id="r0", cell_id=range(1, len(cells) + 1))
    explained = cells[["recording_id", "cell_id", "outcome", "shapley"]].assign(
        landmark_id=[f"r0:{cell}:7" for cell in cells["cell_id"]], dose="Low", first_frame=0, last_frame=7,
        shown_from=0, frame_interval_min=30.0, fate=cells["outcome"].replace({"none": "censored"}), fold=0,
        lead_time_h=np.where(cells["outcome"] == "none", np.nan, 1.5),
    )  # fmt: skip
    last = cells[["recording_id", "cell_id", "p_apoptosis", "p_mitosis"]].assign(
        predictor="blend", part="test", frame=7, within_h=within_h, p_none=1 - cells["p_apoptosis"] - cells["p_mitosis"]
    )
    earlier = last.assign(frame=5, p_apoptosis=0.2, p_mitosis=0.2, p_none=0.6)
    others = pd.concat([last.assign(within_h=2.0), last.assign(predictor="network"), last.assign(part="validation")])
    return pd.concat([earlier, last, others]), explained


def under(forecasts, attention=(), shapley=(), features=(), relevance=None):
    values = ["landmark_id", "window_first_frame", "window_last_frame", "channel", "value"]
    return StripTables(
        forecasts,
        pd.DataFrame(attention, columns=["landmark_id", "frame", "attention"]),
        pd.DataFrame(shapley, columns=values).assign(method="shapley", unit="logit"),
        pd.DataFrame(features, columns=["recording_id", "cell_id", "frame", "intensity_p53", "area"]),
        relevance or {},
    )


def test_examples_are_the_surest_right_and_wrong_of_each_outcome_none_included():
    chosen = choose_examples(*make_cells(WITHIN), 5.0)
    found = [(row.kind, row.outcome, row.cell_id, row.call, round(row.p_true, 2)) for row in chosen.itertuples()]
    assert found == [
        ("surest right", "apoptosis", 2, "apoptosis", 0.9),  # cell 3 is surer but has no Shapley values
        ("surest right", "none", 7, "none", 0.9),
        ("surest wrong", "apoptosis", 4, "none", 0.3),
        ("surest wrong", "mitosis", 5, "apoptosis", 0.2),  # neither is likeliest in cell 6: it is surer than that
    ]


def test_a_call_is_the_likeliest_outcome_and_a_low_forecast_is_none():
    rows = [("mitosis", 0.17, 0.25, True)]  # .58 for neither
    (example,) = choose_examples(*make_cells(rows), 5.0).itertuples()
    assert example.call == "none"


def test_of_which_fate_comes_only_rows_without_hours_are_looked_at():
    forecasts, explained = make_cells(WITHIN[:2], within_h=np.nan)
    assert len(choose_examples(forecasts, explained)) == 1
    assert choose_examples(forecasts, explained, 5.0).empty


def test_no_landmark_gives_no_example_and_empty_figures():
    forecasts, explained = make_cells(WITHIN)
    examples = choose_examples(forecasts, explained.head(0), 5.0)
    assert examples.empty
    assert all(map(is_empty, draw_examples(AnyStore(), examples, under(forecasts), ReportSettings())))


def test_the_opening_is_the_first_right_one_that_met_an_event():
    chosen = choose_examples(*make_cells(WITHIN), 5.0)
    assert choose_opening(chosen)["cell_id"].tolist() == [2]
    assert choose_opening(chosen[chosen["outcome"] == "mitosis"])["cell_id"].tolist() == [5]
    bare = chosen.assign(kind="surest right", shapley=chosen["cell_id"] == 5)
    assert choose_opening(bare)["cell_id"].tolist() == [5]
    assert choose_opening(chosen.head(0)).empty


@pytest.fixture
def example():
    forecasts, explained = make_cells(WITHIN)
    return forecasts, choose_examples(forecasts, explained, 5.0).head(1)


def test_drawn_frames_are_evenly_spaced_end_at_the_last_and_leave_gaps_open(example):
    forecasts, chosen = example
    name = chosen["landmark_id"].iloc[0]
    relevance = np.arange(7, dtype=np.float32)[:, None, None, None] * np.ones((1, 3, 6, 6), np.float32)
    tables = under(forecasts, attention=[(name, 7, 0.6), (name, 0, 0.3)], relevance={name: relevance})
    (strip,) = build_film_strips(AnyStore(), chosen, tables, ReportSettings(frames_per_strip=8))
    assert strip.frames_tchw[:, 0, 0, 0].tolist() == [0, 1, 2, 3, 5, 6, 7]
    assert strip.relevance_tchw[:, 0, 0, 0].tolist() == [0, 1, 2, 3, 4, 5, 6]
    assert strip.relevance_tchw.shape[1] == 2  # the mask that the network sees has no picture
    assert strip.hours_t.tolist() == [-3.5, -3.0, -2.5, -2.0, -1.0, -0.5, 0.0]
    (attention,) = strip.panels[1].curves
    assert attention.hours.tolist() == [-3.5, 0.0]
    assert attention.level == pytest.approx(0.45)
    (coarse,) = build_film_strips(AnyStore(), chosen, tables, ReportSettings(frames_per_strip=3))
    assert coarse.frames_tchw[:, 0, 0, 0].tolist() == [1, 7]
    assert coarse.relevance_tchw[:, 0, 0, 0].tolist() == [1, 6]
    assert coarse.step_h == 1.5


def test_the_forecast_of_each_outcome_is_a_curve_up_to_the_landmark(example):
    forecasts, chosen = example
    (strip,) = build_film_strips(AnyStore(), chosen, under(forecasts), ReportSettings())
    curves = [(c.name, c.hours.tolist(), c.values.round(2).tolist()) for c in strip.panels[0].curves]
    assert curves == [
        ("apoptosis", [-1.0, 0.0], [0.2, 0.9]),
        ("mitosis", [-1.0, 0.0], [0.2, 0.1]),
        ("none", [-1.0, 0.0], [0.6, 0.0]),
    ]
    once = forecasts[forecasts["frame"] == 7]
    (strip,) = build_film_strips(AnyStore(), chosen, under(once), ReportSettings())
    assert (strip.panels[0].curves[0].hours.tolist(), strip.panels[0].curves[0].values.tolist()) == ([0.0], [0.9])
    figure, _ = draw_examples(AnyStore(), chosen, under(once), ReportSettings())
    assert [trace.mode for trace in figure.data if trace.name == "apoptosis"] == ["markers"]  # one point has no line


def test_which_fate_comes_is_asked_once_and_has_no_panel():
    forecasts, explained = make_cells(WITHIN[:2], within_h=np.nan)
    (strip,) = build_film_strips(AnyStore(), choose_examples(forecasts, explained), under(forecasts), ReportSettings())
    assert strip.panels[0].curves == ()


def test_values_last_as_long_as_their_windows_and_reporters_have_one_scale_for_all_cells(example):
    forecasts, chosen = example
    name = chosen["landmark_id"].iloc[0]
    others = [("r0", 99, frame, 100.0 * frame, 1.0) for frame in range(21)]  # 0..2000: 5 % at 100, 95 % at 1900
    features = [*others, ("r0", 2, 7, 1000.0, 1.0), ("r0", 2, 8, 0.0, 1.0)]
    shapley = [(name, 0, 3, "p53", -1.0), (name, 4, 7, "p53", 2.0), ("t", 0, 7, "p53", 9.0)]
    tables = under(forecasts, shapley=shapley, features=features)
    (strip,) = build_film_strips(AnyStore(), chosen, tables, ReportSettings())
    placed = strip.panels[2].values
    assert placed[["first_h", "last_h", "value"]].to_numpy().tolist() == [[-3.75, -1.75, -1.0], [-1.75, 0.25, 2.0]]
    (reporter,) = strip.panels[3].curves
    low, high = tables.frame_features["intensity_p53"].quantile([0.05, 0.95])
    assert reporter.hours.tolist() == [0.0]
    assert reporter.values.tolist() == pytest.approx([(1000 - low) / (high - low)])


def test_lines_over_a_strip_say_what_came_what_was_forecast_and_which_cell():
    forecasts, explained = make_cells(WITHIN)
    chosen = choose_examples(forecasts, explained, 5.0)
    strips = build_film_strips(AnyStore(), chosen, under(forecasts), ReportSettings())
    assert strips[0].title == (
        "surest right: called apoptosis within 5 h, 0.90",
        "at 3.5 h of the recording, 1.5 h before; it died",
        "Blend; recording r0, cell 2, dose Low",
    )
    assert strips[0].link == "http://127.0.0.1:8060/#r0/2"
    assert strips[1].title[:2] == (
        "surest right: called no event within 5 h, 0.90",
        "at 3.5 h of the recording; no event was seen",
    )
    assert strips[2].title[:2] == (
        "surest wrong: called no event within 5 h, 0.60",  # twice as likely as apoptosis
        "at 3.5 h of the recording, 1.5 h before; it died; apoptosis was given 0.30",
    )


def test_a_call_that_is_hardly_likelier_than_the_next_outcome_is_not_shown_as_sure():
    (example,) = choose_examples(*make_cells([("mitosis", 0.45, 0.52, True)]), 5.0).to_dict("records")
    assert describe_example(pd.Series(example))[0] == "surest right: called mitosis within 5 h, 0.52, hardly sure"


def test_the_explained_outcome_is_named_and_a_panel_without_values_is_not_an_outcome():
    forecasts, explained = make_cells(WITHIN)
    examples = choose_examples(forecasts, explained, 5.0)
    name = examples["landmark_id"].iloc[0]
    tables = under(forecasts, shapley=[(name, 0, 3, "p53", -1.0)])
    tables.attributions["explained_outcome"] = "mitosis within 5 h"
    strips, opening = draw_examples(AnyStore(), examples, tables, ReportSettings())
    assert strips.layout.title.text.startswith("Example cells, red speaks for mitosis within 5 h (n = ")
    assert opening.layout.title.text.startswith("One cell, red speaks for mitosis within 5 h (n = 1")
    tables.attributions["landmark_id"] = examples["landmark_id"].iloc[1]
    strips, opening = draw_examples(AnyStore(), examples, tables, ReportSettings())
    assert opening.layout.title.text == "One cell (n = 1 cell)"  # it has nothing red
    titles = [str(axis.title.text) for axis in strips.select_yaxes()]
    assert "Shapley<br>values<br>(not computed)" in titles
    assert not any("(none)" in title for title in titles)
