"""Figures of what attributions are worth."""

import numpy as np
import pandas as pd

from cellfate.core.attribution_thresholds import ABOUT_CELL, ABOUT_MODEL, check_scores
from cellfate.plots.attribution_scores import (
    plot_agreement,
    plot_attribution_scores,
    plot_faithfulness,
    plot_randomised_weights,
)
from cellfate.plots.theme import is_empty
from tests.cases.explanation_tables import attribution_scores

NAN = (np.nan, np.nan, np.nan)


def test_the_colour_of_a_score_follows_its_threshold_and_none_has_no_colour():
    bad = {
        "deletion_gain": (1.5, -0.1, 1.8),
        "randomised_weights": (0.6, 0.5, 0.7),
        "window_auroc": (0.79, 0.7, 0.9),
        "retrained_over_permuted": (0.1, 0.0, 0.2),
        "monte_carlo_error": (0.21, 0.2, 0.22),  # a quarter of .8 is less
    }
    table = attribution_scores(shapley=bad)
    passed = check_scores(table[table["method"] == "shapley"])
    assert {score for score, passes in passed.items() if not passes} == set(bad)
    assert set(passed) == {*ABOUT_MODEL, *ABOUT_CELL}
    grid = plot_attribution_scores(table).data[0]
    row = dict(zip(grid.x, grid.z[list(grid.y).index("Shapley values")], strict=True))
    assert (row["Deletion, over random"], row["Insertion, over random"]) == (0, 1)
    assert "Over reverse order" not in row  # no verdict rests on it


def test_under_ten_groups_what_compares_has_no_colour_and_the_figure_says_so():
    few = attribution_scores(shapley={"randomised_weights": (0.6, 0.5, 0.7)}).assign(n_groups=9)
    figure = plot_attribution_scores(few)
    grid = figure.data[0]
    row = dict(zip(grid.x, grid.z[list(grid.y).index("Shapley values")], strict=True))
    assert (row["Deletion, over random"], row["Insertion, over random"], row["Trained again, over permuted"]) == (
        0.5,
        0.5,
        0.5,
    )
    assert row["Weights randomised"] == 0
    assert "grey: too few groups (9) to tell" in figure.layout.title.text


def test_empty_fields_say_why_and_scores_without_any_value_are_left_out():
    every = {"monte_carlo_error": NAN}
    methods = attribution_scores()["method"].unique()
    figure = plot_attribution_scores(attribution_scores(**dict.fromkeys(methods, every)))
    grid = figure.data[0]
    assert "Monte Carlo error" not in grid.x
    assert grid.z.shape == (len(methods), 11)
    one = plot_attribution_scores(attribution_scores(attention=every)).data[0]
    column, row = list(one.x).index("Monte Carlo error"), list(one.y).index("Attention")
    assert one.text[row][column] == ""
    assert one.customdata[row][column] == "not for this method"
    unscored = attribution_scores(attention=dict.fromkeys(attribution_scores()["score"], NAN))
    assert "Attention" not in plot_attribution_scores(unscored).data[0].y


def curves() -> pd.DataFrame:
    rows = [
        {"method": method, "curve": curve, "order": order, "share": share, "value": value * share, "n_cells": 3}
        for method, value in (("shapley", 2.0), ("attention", 1.0))
        for curve in ("deletion", "insertion")
        for order in ("own", "random", "reverse")
        for share in (0.0, 0.5, 1.0)
    ]
    table = pd.DataFrame(rows)
    return table.assign(low=table["value"] - 0.1, high=table["value"] + 0.1)


def test_deletion_and_insertion_stand_side_by_side_with_random_orders():
    figure = plot_faithfulness(curves())
    lines = [trace for trace in figure.data if trace.mode == "lines" and trace.fill is None]
    assert [trace.name for trace in lines].count("Shapley values") == 2
    assert sum(trace.line.dash == "dash" for trace in lines) == 4
    assert list(next(trace for trace in lines if trace.name == "Shapley values").y) == [0.0, 1.0, 2.0]


def test_agreement_is_drawn_from_both_sides():
    table = pd.DataFrame({"method": ["shapley"], "other": ["attention"], "rank_correlation": [0.4], "n_cells": [3]})
    grid = plot_agreement(table).data[0]
    assert grid.z[0][1] == grid.z[1][0] == 0.4
    assert np.isnan(grid.z[0][0])


def test_methods_that_agree_with_none_are_left_out():
    rows = [("shapley", "attention", 0.4, 3), ("shapley", "tree_shapley", np.nan, 0)]
    table = pd.DataFrame(rows, columns=["method", "other", "rank_correlation", "n_cells"])
    assert list(plot_agreement(table).data[0].x) == ["Shapley values", "Attention"]
    assert is_empty(plot_agreement(table.tail(1)))


def test_stages_of_randomised_weights_are_named_by_their_layer():
    table = pd.DataFrame(
        {
            "method": "shapley", "stage": [1, 0], "layer": ["head", "none"], "rank_correlation": [0.2, 1.0],
            "low": [0.1, 1.0], "high": [0.3, 1.0], "n_cells": 4,
        }
    )  # fmt: skip
    figure = plot_randomised_weights(table)
    assert list(figure.data[0].y) == [1.0, 0.2]
    unknown = table.assign(method="attention", rank_correlation=np.nan)
    assert len(plot_randomised_weights(pd.concat([table, unknown])).data) == 1
    assert list(figure.layout.xaxis.ticktext) == ["none", "head"]


def test_without_rows_a_figure_says_so():
    for plot, table in (
        (plot_agreement, pd.DataFrame(columns=["method", "other"])),
        (plot_faithfulness, curves().head(0)),
        (plot_randomised_weights, pd.DataFrame()),
        (plot_attribution_scores, attribution_scores().head(0)),
    ):
        assert is_empty(plot(table))


def test_a_method_has_a_colour_of_its_own_whatever_the_order_of_the_rows():
    rows = [(method, stage, "head", 0.5, 0.4, 0.6, 9) for method in ("shapley", "attention") for stage in (0, 1)]
    columns = ["method", "stage", "layer", "rank_correlation", "low", "high", "n_cells"]
    table = pd.DataFrame(rows, columns=columns)
    one, other = plot_randomised_weights(table), plot_randomised_weights(table[::-1])
    colours = {trace.name: trace.line.color for trace in one.data}
    assert colours == {trace.name: trace.line.color for trace in other.data}
    assert len(set(colours.values())) == 2
