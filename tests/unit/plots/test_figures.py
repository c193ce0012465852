"""Every figure names its axes, carries n, survives JSON, and says in words when there is nothing to draw."""

import plotly.graph_objects as go
import plotly.io as pio
import pytest

from cellfate.plots.cells import plot_forecast_heatmap
from cellfate.plots.scores import plot_scores
from cellfate.plots.theme import (
    PREDICTOR_COLOURS,
    SEQUENCE,
    at_question,
    colour_predictor,
    is_empty,
    say_nothing,
    write_title,
)
from cellfate.report import contents
from tests.cases.report_figures import draw_all
from tests.cases.report_tables import SCHEMAS, report_case

EMPTY = {"clock_attention_figure", "clock_attention_cells_figure"}
"""The network of the case has no attention."""
NOT_DRAWN = {"preflight_figure", "preflight_tracks_figure", "feature_association_figure", "effect_sizes_figure"}
"""Drawn by tests of their own."""


@pytest.fixture(scope="module")
def tables():
    return report_case().tables


@pytest.fixture(scope="module")
def figures(tables):
    return draw_all(tables)


@pytest.mark.parametrize("name", sorted(SCHEMAS))
def test_the_tables_of_the_case_fit_their_schemas(tables, name):
    SCHEMAS[name].validate(tables[name])


def test_every_figure_of_the_report_is_drawn_from_the_case(figures):
    listed = {text.name for text in contents.FIGURES} | set(contents.OPENINGS)
    assert set(figures) == listed - NOT_DRAWN
    assert {name for name, figure in figures.items() if is_empty(figure)} == EMPTY


def test_every_figure_carries_n_and_survives_json(figures):
    for name, figure in figures.items():
        assert "n = " in figure.layout.title.text, name
        assert is_empty(pio.from_json(figure.to_json())) == (name in EMPTY), name


def test_every_figure_names_its_axes(figures):
    for name, figure in figures.items():
        if not is_empty(figure) and "attribution_scores" not in name and "agreement" not in name:  # methods by name
            assert any(axis.title.text for axis in figure.select_xaxes()), name
            named = [axis.title.text or axis.ticktext or axis.type == "category" for axis in figure.select_yaxes()]
            assert any(named) or isinstance(figure.data[0], go.Heatmap), name


def test_tables_without_rows_give_figures_that_are_left_out(tables):
    for name, figure in draw_all({key: table.iloc[:0] for key, table in tables.items()}).items():
        assert is_empty(figure), name
        assert "n = 0" in figure.layout.title.text, name
        assert figure.layout.annotations[0].text.endswith("."), name


def test_a_question_that_was_not_asked_leaves_its_figures_empty(tables):
    only_fates = tables["metrics"][tables["metrics"]["within_h"].isna()]
    assert is_empty(plot_scores(only_fates, 5.0))
    assert not is_empty(plot_scores(only_fates))
    forecasts = tables["forecasts"][tables["forecasts"]["within_h"].isna()]
    assert is_empty(plot_forecast_heatmap(forecasts, tables["follow_ups"], 5.0))


def test_one_event_alone_can_be_drawn(tables):
    only = {name: t[t["outcome"] != "apoptosis"] if "outcome" in t else t for name, t in tables.items()}
    only |= {name: tables[name] for name in ("follow_ups", "landmarks", "commitments")}
    assert {name for name, figure in draw_all(only).items() if is_empty(figure)} == EMPTY


def test_a_predictor_has_one_colour_and_none_is_that_of_a_fate(figures):
    fates = {"#c8553d", "#2a7f9e"}
    assert not fates & {colour_predictor(name) for name in (*PREDICTOR_COLOURS, "mine", "another")}
    assert not fates & set(SEQUENCE)
    assert len(set(PREDICTOR_COLOURS.values())) == len(PREDICTOR_COLOURS)
    lines = {
        trace.line.color
        for name in ("which_fate_curves_figure", "within_hours_calibration_figure", "commitments_figure")
        for trace in figures[name].data
        if trace.name == "Blend"
    }
    assert lines == {PREDICTOR_COLOURS["blend"]}


def test_what_says_nothing_is_known_as_empty():
    assert is_empty(say_nothing("Title", "Nothing."))
    assert not is_empty(go.Figure())


def test_lines_under_a_title_are_broken_before_they_are_cut_off():
    lines = write_title("Title", "word " * 60).split("<br>")
    assert len(lines) == 4
    assert max(len(line) for line in lines) < 160


def test_rows_of_a_question_are_told_by_their_hours(tables):
    metrics = tables["metrics"]
    assert at_question(metrics, None)["within_h"].isna().all()
    assert set(at_question(metrics, 5.0)["within_h"]) == {5.0}
