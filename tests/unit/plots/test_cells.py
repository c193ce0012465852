"""Forecasts of single cells: aligned at the event, and looked back upon from the last frame shown."""

import re

import numpy as np
import pandas as pd
import pytest

from cellfate.plots.cells import plot_commitments, plot_forecast_heatmap
from cellfate.plots.theme import is_empty
from tests.cases.report_tables import report_case
from tests.cases.score_tables import HEADLINE_H


@pytest.fixture(scope="module")
def tables():
    return report_case().tables


def heads(figure):
    return [note.text for note in figure.layout.annotations]


def one_cell(frames, event_frame=10, cell_id=1, fate="mitosis"):
    forecasts = pd.DataFrame(
        {"predictor": "network", "part": "test", "recording_id": "r", "cell_id": cell_id, "frame": frames}
    ).assign(within_h=5.0, p_mitosis=[frame / 10 for frame in frames], p_apoptosis=0.0)
    cell = {"recording_id": ["r"], "cell_id": [cell_id], "fate": fate, "event_frame": [event_frame]}
    return forecasts, pd.DataFrame(cell).assign(frame_interval_min=30.0)


def test_the_heat_map_counts_hours_back_from_the_event_and_leaves_the_guard_blank():
    figure = plot_forecast_heatmap(*one_cell([4, 5, 8]), 5.0, ["mitosis"])
    (heat,) = figure.data
    by_hour = dict(zip(heat.x, np.asarray(heat.z)[0], strict=True))
    known = {hour: round(float(p), 3) for hour, p in by_hour.items() if not np.isnan(p)}
    assert known == {1.0: 0.8, 2.5: 0.5, 3.0: 0.4}
    assert "so near its event" in figure.layout.title.text
    assert " h " not in figure.layout.title.text.split("<br>", 1)[1]  # the guard is said once, by the answers
    assert figure.layout.xaxis.range[1] == 0


def test_cells_of_a_heat_map_are_sorted_by_length_the_longest_on_top():
    parts = [one_cell([7, 8]), one_cell([2, 8], cell_id=2), one_cell([5, 8], cell_id=3)]
    forecasts, cells = (pd.concat(tables) for tables in zip(*parts, strict=True))
    (heat,) = plot_forecast_heatmap(forecasts, cells, 5.0, ["mitosis"]).data
    longest_h = [max(hour for hour, p in zip(heat.x, row, strict=True) if not np.isnan(p)) for row in heat.z]
    assert longest_h == [4.0, 2.5, 1.5]


def test_a_panel_of_many_cells_is_thinned_and_says_so(monkeypatch):
    monkeypatch.setattr("cellfate.plots.cells.MOST_CELLS", 2)
    parts = [one_cell([2, 8], cell_id=number) for number in range(5)]
    forecasts, cells = (pd.concat(tables) for tables in zip(*parts, strict=True))
    figure = plot_forecast_heatmap(forecasts, cells, 5.0, ["mitosis"])
    assert np.asarray(figure.data[0].z).shape[0] == 2
    assert "(n = 5, 1 of 3 drawn)" in heads(figure)[0]


def test_only_the_test_part_and_cells_with_an_event_are_in_the_heat_map(tables):
    training = tables["forecasts"].assign(part="train")
    assert is_empty(plot_forecast_heatmap(training, tables["follow_ups"], HEADLINE_H))
    figure = plot_forecast_heatmap(tables["forecasts"], tables["follow_ups"], HEADLINE_H)
    ended = tables["follow_ups"].query("recording_id >= 'r3' and fate != 'censored'")
    assert f"n = {len(ended)} cells" in figure.layout.title.text
    assert len(figure.data) == 4
    assert len(plot_forecast_heatmap(tables["forecasts"], tables["follow_ups"], HEADLINE_H, ["mitosis"]).data) == 2


CHANCE = "frames of each cell in random order: chance"


def draw(table, shuffled=None, events=("apoptosis", "mitosis")):
    """Draw commitments; not given: those in random order are the same."""
    return plot_commitments(table, table if shuffled is None else shuffled, events)


def commitments(rows):
    table = pd.DataFrame(rows, columns=["cell_id", "fate", "call", "hours_before_event", "from_first"])
    return table.assign(predictor="blend", recording_id="r", within_h=5.0)


def test_calls_are_counted_over_all_cells_of_a_fate_and_the_figure_says_that_it_looks_back():
    nan = float("nan")
    rows = [
        (1, "mitosis", "mitosis", 6.0, False),
        (2, "mitosis", "mitosis", 2.0, True),
        (3, "mitosis", "apoptosis", 4.0, True),
        (4, "mitosis", "none", nan, False),
        (5, "censored", "mitosis", nan, True),
    ]
    figure = draw(commitments(rows))
    (line,) = (t for t in figure.data if t.name == "Blend")
    assert list(zip(line.x, line.y, strict=True)) == [(6.0, 0.0), (6.0, 0.25), (2.0, 0.5), (2.0, 0.5)]
    assert heads(figure)[0] == "Mitosis (n = 4 cells)"
    assert "2 of 4, 1 called the other event; marked: 1<" in heads(figure)[1]
    assert figure.layout.title.text.startswith("Commitments: since when the call was right, looking back from the last")
    words = re.sub(r"</span><br><span[^>]*>", " ", figure.layout.title.text)
    assert "Of 1 cell without an event, called one at the last frame shown: 1 (Blend)." in words


def test_the_same_calls_in_random_order_are_drawn_beside():
    rows = [(1, "mitosis", "mitosis", 6.0, False), (2, "mitosis", "mitosis", 2.0, False)]
    # Four of random order: right from 8 h (before the panel begins) and from 4 h on; two are not right.
    others = [(1, "mitosis", "mitosis", 8.0, True), (2, "mitosis", "mitosis", 4.0, False)]
    others += [(1, "mitosis", "none", float("nan"), False), (2, "mitosis", "apoptosis", 3.0, False)]
    figure = draw(commitments(rows), commitments(others))
    (dashed,) = (t for t in figure.data if t.line.dash == "dash" and t.x[0] is not None)
    assert list(zip(dashed.x, dashed.y, strict=True)) == [(6.0, 0.25), (4.0, 0.5), (2.0, 0.5)]


def test_calls_of_references_are_not_drawn_beside_those_of_the_clock(tables):
    both = pd.concat([tables["commitments"], tables["commitments"].assign(predictor="dose")])
    assert {t.name for t in draw(both).data if t.mode == "lines" and t.name} == {"Blend", "Network", CHANCE}
    only = draw(both[both["predictor"] == "dose"])
    assert {t.name for t in only.data if t.mode == "lines" and t.name} == {"Dose", CHANCE}


def test_cells_called_right_from_their_first_forecast_on_are_marked_on_the_curve():
    rows = [(1, "mitosis", "mitosis", 6.0, True), (2, "mitosis", "mitosis", 4.0, False)]
    rows += [(3, "mitosis", "mitosis", 2.0, True), (4, "mitosis", "apoptosis", 3.0, True)]
    _, marks, _, _, named = draw(commitments(rows)).data
    assert list(zip(marks.x, marks.y, strict=True)) == [(6.0, 0.25), (2.0, 0.75)]
    assert named.name == "right from its first forecast on: since when is not known"
    assert named.marker.symbol == marks.marker.symbol
    assert "marked: 2" in heads(draw(commitments(rows)))[1]
    none = draw(commitments([(*row[:4], False) for row in rows]))
    assert [t.name for t in none.data if t.name] == ["Blend", CHANCE]
    assert "marked" not in heads(none)[1]


def test_cells_of_an_event_that_is_not_shown_are_not_drawn(tables):
    figure = draw(tables["commitments"], events=["mitosis"])
    assert heads(figure)[0].startswith("Mitosis (n = ")
    assert len(list(figure.select_xaxes())) == 1
