"""What became of the cells by dose, and what was forecast."""

import numpy as np
import pandas as pd
import pytest

from cellfate.plots.incidence import plot_conditions, plot_dose_incidence, plot_dose_response
from cellfate.plots.theme import is_empty
from tests.cases.report_tables import report_case


@pytest.fixture(scope="module")
def tables():
    return report_case().tables


def trace(figure, name, axis="x"):
    return next(t for t in figure.data if t.name == name and t.xaxis == axis)


def test_observed_curves_stand_by_dose_from_low_to_high_over_the_cells_still_watched(tables):
    figure = plot_conditions(tables["condition_incidence"])
    named = [t.name for t in figure.data if t.name and t.xaxis == "x"]
    assert named == [f"{dose} (n = 120 cells, 2 groups)" for dose in ("Control", "Low", "High")]
    printed = [list(t.text) for t in figure.data if t.mode == "text"]
    assert printed == [["120", "90", "60", "30", "0"]] * 6
    assert "n = 360 cells;" in figure.layout.title.text


def test_observed_curves_begin_at_the_axis_and_say_at_which_hour(tables):
    for axis in plot_conditions(tables["condition_incidence"]).select_xaxes():
        assert axis.title.text == "Time since the first frame (h)"
        assert tuple(axis.range) == (0, 1.03 * 40)


def test_a_single_dose_is_drawn_once(tables):
    of_low = tables["condition_incidence"].query("dose == 'Low'")
    assert [t.name for t in plot_conditions(of_low).data if t.name] == ["Low (n = 120 cells, 2 groups)"] * 2


def test_a_band_ends_where_its_interval_is_not_defined(tables):
    bands = [t for t in plot_conditions(tables["condition_incidence"]).data if t.fill == "tonexty"]
    assert {max(band.x) for band in bands} == {38.0}


def test_a_response_runs_through_the_shares_of_each_dose_and_marks_the_half_way_dose(tables):
    fit = {"condition": "drug", "outcome": "apoptosis", "by_h": 36.0, "unit": "uM", "bottom": 0.1, "top": 0.9}
    fit |= {"middle": 1.0, "half_dose": 1.0, "half_low": 0.5, "half_high": 2.0, "slope": 2.0, "n_cells": 480}
    seen = pd.DataFrame({"dose": ["DMSO", "100 nM", "1 uM", "10 uM", "1 Gy"], "incidence": [0.1, 0.15, 0.5, 0.9, 0.3]})
    seen = seen.assign(outcome="apoptosis", condition=["vehicle", *["drug"] * 4], low=0.0, high=1.0)
    figure = plot_dose_response(pd.DataFrame([fit]), seen)
    points = next(t for t in figure.data if t.mode == "markers")
    assert list(points.x) == pytest.approx([0.01, 0.1, 1.0, 10.0])  # untreated cells at the edge; Gy is no uM
    line = next(t for t in figure.data if t.mode == "lines")
    assert np.interp(np.log(1.0), np.log(line.x), line.y) == pytest.approx(0.5, abs=0.01)
    assert np.interp(np.log(2.0), np.log(line.x), line.y) == pytest.approx(0.1 + 0.8 * 0.8, abs=0.01)  # 4 / (1 + 4)
    assert [(band.x0, band.x1) for band in figure.layout.shapes] == [(0.5, 2.0)]
    assert figure.layout.xaxis.title.text == "Dose (uM)"
    assert is_empty(plot_dose_response(tables["dose_response"].iloc[:0], tables["condition_summary"]))


def test_forecasts_of_a_dose_stand_on_what_was_observed(tables):
    figure = plot_dose_incidence(tables["dose_incidence"])
    rows = tables["dose_incidence"].query("outcome == 'apoptosis' and within_h == 5 and predictor == 'blend'")
    assert list(trace(figure, "Observed (Aalen-Johansen)", "x2").y) == rows["observed"].to_list()
    assert list(trace(figure, "Blend", "x2").y) == rows["forecast"].to_list()
    ends = (rows["forecast_high"] - rows["forecast"]).to_list()
    assert list(trace(figure, "Blend", "x2").error_y.array) == pytest.approx(ends)
    ticks = [*(f"{dose}<br>n = 12" for dose in ("Control", "Low", "High")), "all doses<br>n = 36"]
    assert list(figure.layout.xaxis2.ticktext) == ticks
    assert "n = 36 cells in 3 groups" in figure.layout.title.text
    assert trace(figure, "Dose").visible == "legendonly"


def test_tiny_shares_do_not_fill_an_axis(tables):
    tiny = tables["dose_incidence"].assign(forecast=1e-4, observed=0.0, low=0.0, high=0.0)
    assert plot_dose_incidence(tiny).layout.yaxis.range[1] >= 0.05
