"""Effect sizes in the frames of most attention: a panel an outcome and dose, verdicts, shares and counts."""

import numpy as np
import pandas as pd
import pytest

from cellfate.plots.effect_sizes import plot_effect_sizes
from cellfate.plots.theme import is_empty


def summary(doses: tuple[str, ...] = ("all", "Low", "High")) -> pd.DataFrame:
    rows = [
        (outcome, dose, feature)
        for outcome in ("apoptosis", "mitosis")
        for dose in doses
        for feature in ("area", "intensity_p53", "solidity")
    ]
    table = pd.DataFrame(rows, columns=["outcome", "dose", "feature"])
    values = {"median_delta": [0.2, -0.6, 0.1], "share_same_sign": [0.75, 1.0, np.nan]}
    values |= {"p_swap": [np.nan, 0.01, 0.2], "p_swap_corrected": [np.nan, 0.02, 0.3], "excess": [np.nan, -0.4, 0.0]}
    repeated = {name: three * (len(rows) // 3) for name, three in values.items()}
    return table.assign(**repeated, low=-0.7, high=0.7, n_cells=20, n_groups=4)


def heads(figure) -> list[str]:
    return [note.text for note in figure.layout.annotations]


def test_a_panel_for_each_outcome_and_dose_all_doses_first():
    figure = plot_effect_sizes(summary(), summary().head(0))
    assert heads(figure) == [
        f"{outcome}, {dose}<br>n = 20 in 4 groups"
        for outcome in ("apoptosis", "mitosis")
        for dose in ("all doses", "Low", "High")
    ]
    assert "n = 40 cells" in figure.layout.title.text


def test_one_dose_puts_outcomes_side_by_side():
    figure = plot_effect_sizes(summary(("all",)), summary().head(0))
    assert len(heads(figure)) == 2
    assert figure.layout.xaxis2.domain[0] > figure.layout.xaxis.domain[1]


def test_many_doses_break_the_row():
    doses = ("all", *(f"{amount} nM" for amount in range(1, 7)))
    figure = plot_effect_sizes(summary(doses), summary().head(0))
    assert len(heads(figure)) == 2 * 7
    rows = {round(axis.domain[0], 3) for axis in figure.select_yaxes()}
    assert len(rows) == 4


def test_largest_effects_come_first_and_marks_follow_the_corrected_p():
    figure = plot_effect_sizes(summary(), summary().head(0))
    assert list(figure.layout.yaxis.ticktext) == ["p53", "area", "solidity"]
    dots, _, shares = figure.data[:3]
    assert list(dots.y) == [1, 0, 2]
    assert list(dots.marker.symbol) == ["square-open", "circle", "circle-open"]
    assert list(dots.error_x.array) == pytest.approx([0.5, 1.3, 0.6])
    assert list(shares.text) == ["75%", "100%", ""]
    assert "-0.40 over masks of other cells, corrected p 0.020" in dots.customdata[1]


def test_training_cells_wait_for_the_legend_without_a_verdict():
    figure = plot_effect_sizes(summary(), summary().assign(median_delta=0.3))
    trained = figure.data[1]
    assert (trained.visible, list(trained.x), set(trained.marker.symbol)) == ("legendonly", [0.3] * 3, {"diamond-open"})
    assert not any("corrected p" in words for words in trained.customdata)
    legend = [trace for trace in figure.data if trace.showlegend is None]
    assert [trace.legendgroup == trained.legendgroup for trace in legend] == [False, False, False, True]


def test_bands_of_effect_size_lie_under_every_panel():
    figure = plot_effect_sizes(summary(), summary().head(0))
    bands = [shape for shape in figure.layout.shapes if shape.type == "rect"]
    assert len(bands) == 8 * 6
    assert {shape.xref for shape in bands} == {"x", "x2", "x3", "x4", "x5", "x6"}


def test_nothing_compared_draws_nothing():
    assert is_empty(plot_effect_sizes(summary().head(0), summary()))
