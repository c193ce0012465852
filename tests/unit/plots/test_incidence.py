"""What became of the cells by dose, and what was forecast."""

import pytest

from cellfate.plots.incidence import plot_dose_incidence, plot_observed_incidence
from tests.cases.report_tables import report_case


@pytest.fixture(scope="module")
def tables():
    return report_case().tables


def trace(figure, name, axis="x"):
    return next(t for t in figure.data if t.name == name and t.xaxis == axis)


def test_observed_curves_stand_by_dose_from_low_to_high_over_the_cells_still_watched(tables):
    figure = plot_observed_incidence(tables["observed_incidence"])
    named = [t.name for t in figure.data if t.name and t.xaxis == "x"]
    assert named[:3] == [f"{dose} (n = 120 cells, 2 groups)" for dose in ("Control", "Low", "High")]
    assert named[3:] == ["all doses (n = 360 cells, 6 groups)"]
    printed = [list(t.text) for t in figure.data if t.mode == "text"]
    assert printed == [*([["120", "90", "60", "30", "0"]] * 3), ["360", "270", "180", "90", "0"]] * 2
    assert "n = 360 cells in 6 groups" in figure.layout.title.text


def test_observed_curves_begin_at_the_axis_and_say_where_each_cell_does(tables):
    for axis in plot_observed_incidence(tables["observed_incidence"]).select_xaxes():
        assert axis.title.text == "Time since each cell's first landmark (h)"
        assert tuple(axis.range) == (0, 1.03 * 40)


def test_a_single_dose_is_drawn_once(tables):
    of_low = tables["observed_incidence"].query("dose in ['Low', 'all']")
    assert [t.name for t in plot_observed_incidence(of_low).data if t.name] == ["Low (n = 120 cells, 2 groups)"] * 2


def test_a_band_ends_where_its_interval_is_not_defined(tables):
    bands = [t for t in plot_observed_incidence(tables["observed_incidence"]).data if t.fill == "tonexty"]
    assert {max(band.x) for band in bands} == {38.0}


def test_forecasts_of_a_dose_stand_on_what_was_observed(tables):
    figure = plot_dose_incidence(tables["dose_incidence"])
    rows = tables["dose_incidence"].query("outcome == 'apoptosis' and within_h == 5 and predictor == 'blend'")
    assert list(trace(figure, "Observed (Aalen-Johansen)", "x2").y) == rows["observed"].to_list()
    assert list(trace(figure, "Blend", "x2").y) == rows["forecast"].to_list()
    ticks = [*(f"{dose}<br>n = 12" for dose in ("Control", "Low", "High")), "all doses<br>n = 36"]
    assert list(figure.layout.xaxis2.ticktext) == ticks
    assert "n = 36 cells in 3 groups" in figure.layout.title.text
    assert trace(figure, "Dose").visible == "legendonly"


def test_tiny_shares_do_not_fill_an_axis(tables):
    tiny = tables["dose_incidence"].assign(forecast=1e-4, observed=0.0, low=0.0, high=0.0)
    assert plot_dose_incidence(tiny).layout.yaxis.range[1] >= 0.05
