"""Figures of the fate clock hold the numbers of their tables, carry n and units, and say in words what is missing."""

import numpy as np
import pandas as pd
import plotly.io as pio
import pytest

from cellfate.core import tables as schemas
from cellfate.plots import incidence_words
from cellfate.plots.incidence_calibration import plot_incidence_calibration
from cellfate.plots.incidence_cells import plot_commitments, plot_incidence_heatmap
from cellfate.plots.incidence_doses import plot_dose_incidence, plot_observed_incidence
from cellfate.plots.incidence_scores import plot_incidence_comparisons, plot_incidence_scores
from cellfate.plots.training import plot_clock_training
from tests.cases.incidence_tables import HEADLINE_H, incidence_case

SCHEMAS = {
    "follow_ups": schemas.FollowUps,
    "follow_ups_excluded": schemas.SetAside,
    "landmarks": schemas.Landmarks,
    "clock_splits": schemas.Splits,
    "clock_history": schemas.ClockHistory,
    "incidence": schemas.Incidence,
    "incidence_metrics": schemas.IncidenceMetrics,
    "incidence_comparisons": schemas.IncidenceComparisons,
    "incidence_calibration": schemas.IncidenceCalibration,
    "observed_incidence": schemas.ObservedIncidence,
    "dose_incidence": schemas.DoseIncidence,
    "commitments": schemas.Commitments,
    "commitment_summary": schemas.CommitmentSummary,
}


@pytest.fixture(scope="module")
def tables():
    return incidence_case().tables


def draw_all(tables):
    return {
        "scores": plot_incidence_scores(tables["incidence_metrics"]),
        "comparisons": plot_incidence_comparisons(tables["incidence_comparisons"], HEADLINE_H),
        "calibration": plot_incidence_calibration(tables["incidence_calibration"], HEADLINE_H),
        "observed": plot_observed_incidence(tables["observed_incidence"]),
        "doses": plot_dose_incidence(tables["dose_incidence"]),
        "heatmap": plot_incidence_heatmap(tables["incidence"], tables["follow_ups"], None, HEADLINE_H),
        "commitments": plot_commitments(tables["commitments"]),
        "training": plot_clock_training(tables["clock_history"]),
    }


def heads(figure):
    return [note.text for note in figure.layout.annotations]


def trace(figure, name, axis="x"):
    return next(t for t in figure.data if t.name == name and t.xaxis == axis)


@pytest.mark.parametrize("name", sorted(SCHEMAS))
def test_the_tables_of_the_case_fit_their_schemas(tables, name):
    SCHEMAS[name].validate(tables[name])


def test_every_figure_names_its_axes_and_carries_n_and_survives_json(tables):
    for name, figure in draw_all(tables).items():
        assert "n = " in figure.layout.title.text, name
        assert all(axis.title.text for axis in figure.select_xaxes()), name
        assert any(axis.title.text for axis in figure.select_yaxes()), name
        assert pio.from_json(figure.to_json()).layout.title.text == figure.layout.title.text, name


def test_tables_without_rows_give_figures_that_say_so_in_words(tables):
    for name, figure in draw_all({key: table.iloc[:0] for key, table in tables.items()}).items():
        assert "n = 0" in figure.layout.title.text, name
        assert heads(figure)[0].startswith("No "), name
        assert len(figure.data) == 0, name


def test_a_predictor_has_one_colour_in_every_figure_and_none_is_that_of_a_fate(tables):
    figures = draw_all(tables)
    colours = {
        (t.name.split(",")[0], (t.marker.color or t.line.color))
        for name in ("scores", "comparisons", "calibration", "doses", "commitments")
        for t in figures[name].data
        if t.name and t.name.startswith(("Ensemble", "Clock"))
    }
    assert colours == {("Ensemble (clock and boosting)", "#1f2933"), ("Clock (network)", "#6a4c93")}
    assert not {"#c8553d", "#2a7f9e"} & {incidence_words.colour_predictor(name) for name in ("mine", "truth", "dose")}


def test_scores_their_intervals_and_counts_are_those_of_the_table(tables):
    metrics = tables["incidence_metrics"]
    row = metrics.query("predictor == 'clock' and metric == 'auroc' and outcome == 'mitosis' and within_h == 5").iloc[0]
    figure = plot_incidence_scores(metrics)
    panel = heads(figure).index("AUROC, mitosis") + 1
    dots = trace(figure, "Clock (network)", f"x{panel}")
    assert dots.y[1] == row["estimate"]
    assert dots.y[1] + dots.error_y.array[1] == pytest.approx(row["high"])
    assert dots.y[1] - dots.error_y.arrayminus[1] == pytest.approx(row["low"])
    assert figure.layout[f"xaxis{panel}"].ticktext[1] == "5 h<br>300 of 1,200"


def test_the_dotted_lines_are_one_forecast_for_all(tables):
    figure = plot_incidence_scores(tables["incidence_metrics"])
    dotted = [t for t in figure.data if t.line.dash == "dot"][3:]  # of mitosis: 120, 300 and 600 of 1200 landmarks
    levels = [[t.y[0], t.y[3], t.y[6]] for t in dotted]
    np.testing.assert_allclose(levels, [[0.5] * 3, [0.1, 0.25, 0.5], [0.09, 0.1875, 0.25]])


def test_differences_are_those_of_the_table_and_other_horizons_wait_for_a_click(tables):
    comparisons = tables["incidence_comparisons"]
    figure = plot_incidence_comparisons(comparisons, HEADLINE_H)
    dots = trace(figure, "Ensemble (clock and boosting), 5 h")
    rows = comparisons.query(
        "predictor == 'ensemble' and metric == 'auroc' and outcome == 'apoptosis' and within_h == 5"
    )
    assert list(dots.x) == rows["difference"].to_list()
    assert list(np.round(dots.y).astype(int)) == [0, 1, 2, 3]
    assert figure.layout.yaxis.ticktext[0].startswith("Clock")
    assert trace(figure, "Clock (network), 2 h").visible == "legendonly"
    assert dots.visible is True
    assert "left of 0: better" in figure.layout.xaxis3.title.text
    assert "right of 0: better" in figure.layout.xaxis.title.text
    assert all(t.visible for t in plot_incidence_comparisons(comparisons).data)


def test_calibration_shows_the_ensemble_first_at_the_headline_horizon(tables):
    figure = plot_incidence_calibration(tables["incidence_calibration"], HEADLINE_H)
    shown = {t.name: t.visible for t in figure.data if t.name}
    assert shown.pop("Ensemble (clock and boosting)") is True
    assert set(shown.values()) == {"legendonly"}
    rows = tables["incidence_calibration"].query("predictor == 'clock' and outcome == 'apoptosis' and within_h == 5")
    assert list(trace(figure, "Clock (network)").y) == rows["observed"].to_list()
    assert "n = 1,200 landmarks" in figure.layout.title.text


def test_without_an_ensemble_the_clock_leads(tables):
    calibration = tables["incidence_calibration"].query("predictor != 'ensemble'")
    assert trace(plot_incidence_calibration(calibration, HEADLINE_H), "Clock (network)").visible is True


def test_observed_curves_stand_by_dose_from_low_to_high_over_the_cells_still_watched(tables):
    figure = plot_observed_incidence(tables["observed_incidence"])
    named = [t.name for t in figure.data if t.name and t.xaxis == "x"]
    assert named[:3] == [f"{dose} (n = 120 cells, 2 groups)" for dose in ("Control", "Low", "High")]
    assert named[3:] == ["all doses (n = 360 cells, 6 groups)"]
    printed = [list(t.text) for t in figure.data if t.mode == "text"]
    assert printed == [*([["120", "90", "60", "30", "0"]] * 3), ["360", "270", "180", "90", "0"]] * 2
    assert "n = 360 cells in 6 groups" in figure.layout.title.text


def test_a_single_dose_is_drawn_once(tables):
    of_low = tables["observed_incidence"].query("dose in ['Low', 'all']")
    assert [t.name for t in plot_observed_incidence(of_low).data if t.name] == ["Low (n = 120 cells, 2 groups)"] * 2


def test_a_band_ends_where_its_interval_is_not_defined(tables):
    bands = [t for t in plot_observed_incidence(tables["observed_incidence"]).data if t.fill == "tonexty"]
    assert {max(band.x) for band in bands} == {38.0}


def test_forecasts_of_a_dose_stand_on_what_was_observed(tables):
    figure = plot_dose_incidence(tables["dose_incidence"])
    rows = tables["dose_incidence"].query("outcome == 'apoptosis' and within_h == 5 and predictor == 'ensemble'")
    assert list(trace(figure, "Observed (Aalen-Johansen)", "x2").y) == rows["observed"].to_list()
    assert list(trace(figure, "Ensemble (clock and boosting)", "x2").y) == rows["forecast"].to_list()
    assert list(figure.layout.xaxis2.ticktext) == [
        *(f"{dose}<br>n = 12" for dose in ("Control", "Low", "High")),
        "all doses<br>n = 36",
    ]
    assert "n = 36 cells in 3 groups" in figure.layout.title.text
    assert trace(figure, "Dose").visible == "legendonly"


def one_cell(frames, event_frame=10, cell_id=1, fate="mitosis"):
    forecasts = pd.DataFrame(
        {"predictor": "clock", "part": "test", "recording_id": "r", "cell_id": cell_id, "frame": frames}
    ).assign(within_h=5.0, p_mitosis=[frame / 10 for frame in frames], p_apoptosis=0.0)
    cell = {"recording_id": ["r"], "cell_id": [cell_id], "fate": fate, "event_frame": [event_frame]}
    return forecasts, pd.DataFrame(cell).assign(frame_interval_min=30.0)


def test_the_heat_map_counts_hours_back_from_the_event_and_leaves_the_guard_blank():
    forecasts, cells = one_cell([4, 5, 8])
    figure = plot_incidence_heatmap(forecasts, cells, "mitosis", 5.0)
    (heat,) = figure.data
    by_hour = dict(zip(heat.x, np.asarray(heat.z)[0], strict=True))
    assert {hour: round(float(p), 3) for hour, p in by_hour.items() if not np.isnan(p)} == {
        1.0: 0.8,
        2.5: 0.5,
        3.0: 0.4,
    }
    assert "the last 1 h before an event are never shown" in figure.layout.title.text
    assert figure.layout.xaxis.range[1] == 0


def test_cells_of_a_heat_map_are_sorted_by_length_the_longest_on_top():
    parts = [one_cell([7, 8]), one_cell([2, 8], cell_id=2), one_cell([5, 8], cell_id=3)]
    forecasts, cells = (pd.concat(tables) for tables in zip(*parts, strict=True))
    (heat,) = plot_incidence_heatmap(forecasts, cells, "mitosis", 5.0).data
    longest_h = [max(hour for hour, p in zip(heat.x, row, strict=True) if not np.isnan(p)) for row in heat.z]
    assert longest_h == [4.0, 2.5, 1.5]


def test_a_panel_of_many_cells_is_thinned_and_says_so(monkeypatch):
    monkeypatch.setattr("cellfate.plots.incidence_cells.MOST_CELLS", 2)
    parts = [one_cell([2, 8], cell_id=number) for number in range(5)]
    forecasts, cells = (pd.concat(tables) for tables in zip(*parts, strict=True))
    figure = plot_incidence_heatmap(forecasts, cells, "mitosis", 5.0)
    assert np.asarray(figure.data[0].z).shape[0] == 2
    assert "(n = 5, 1 of 3 drawn)" in heads(figure)[0]


def test_only_the_test_part_and_cells_with_an_event_are_in_the_heat_map(tables):
    training = tables["incidence"].assign(part="train")
    figure = plot_incidence_heatmap(training, tables["follow_ups"], None, HEADLINE_H)
    assert "No cell of the test part" in heads(figure)[0]
    figure = plot_incidence_heatmap(tables["incidence"], tables["follow_ups"], None, HEADLINE_H)
    ended = tables["follow_ups"].query("recording_id >= 'r3' and fate != 'censored'")
    assert f"n = {len(ended)} cells" in figure.layout.title.text
    assert len(figure.data) == 4


def test_one_event_alone_can_be_drawn(tables):
    only = {name: t[t["outcome"] == "mitosis"] if "outcome" in t else t for name, t in tables.items()}
    only |= {"incidence": tables["incidence"].drop(columns="p_apoptosis"), "follow_ups": tables["follow_ups"]}
    for name, figure in draw_all(only).items():
        assert len(figure.data), name
    drawn = plot_incidence_heatmap(only["incidence"], only["follow_ups"], None, HEADLINE_H)
    assert [head.split(" (")[0] for head in heads(drawn)] == [
        "Forecast of mitosis; cells that ended in apoptosis",
        "Forecast of mitosis; cells that ended in mitosis",
    ]
    assert heads(plot_commitments(tables["commitments"], ["mitosis"]))[0].startswith("mitosis (n = ")


def commitments(rows):
    table = pd.DataFrame(rows, columns=["cell_id", "fate", "call", "hours_before_event"])
    return table.assign(predictor="ensemble", recording_id="r", within_h=5.0)


def test_commitment_counts_all_cells_of_a_fate_and_says_how_many_were_never_called_right():
    nan = float("nan")
    table = commitments(
        [
            (1, "mitosis", "mitosis", 6.0),
            (2, "mitosis", "mitosis", 2.0),
            (3, "mitosis", "apoptosis", 4.0),
            (4, "mitosis", "none", nan),
            (5, "censored", "mitosis", nan),
        ]
    )
    figure = plot_commitments(table)
    (line,) = (t for t in figure.data if t.name)
    assert list(zip(line.x, line.y, strict=True)) == [(6.0, 0.0), (6.0, 0.25), (2.0, 0.5), (2.0, 0.5)]
    assert heads(figure)[0] == "mitosis (n = 4 cells)"
    assert "2 of 4, 1 called the other event" in heads(figure)[1]
    assert "1 censored cells" in figure.layout.title.text


def test_predictors_stand_in_one_order_and_unknown_ones_last():
    assert incidence_words.order_predictors(["b", "dose", "truth", "a", "ensemble"]) == [
        "ensemble",
        "dose",
        "truth",
        "a",
        "b",
    ]
