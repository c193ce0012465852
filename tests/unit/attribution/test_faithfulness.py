"""Deletion and insertion on a model whose answer is known: a sum of what is present."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from cellfate.attribution.agreement import compare_methods
from cellfate.attribution.faithfulness import (
    SHARES,
    curves_of_orders,
    parts_of,
    shared_orders,
    steps_of,
    tabulate_gains,
    trace_orders,
)
from cellfate.attribution.other_cells import gather_cells
from cellfate.attribution.scoring import average_cells, score_attributions
from cellfate.attribution.settings import ExplanationSettings
from cellfate.attribution.windows import cut_time_windows

SETTINGS = ExplanationSettings(n_bootstrap=200)


class Additive:
    """A game whose value is the sum of weights (T, C) of what is present."""

    def __init__(self, weights_tc):
        self.weights_tc = weights_tc

    def values(self, present_btc):
        return (present_btc * self.weights_tc).sum(axis=(1, 2))


def additive(weights_tc, window_frames=1, reference_log_odds=0.0):
    windows = cut_time_windows(np.arange(len(weights_tc)), window_frames, len(weights_tc))
    channels = tuple("abc"[: np.shape(weights_tc)[1]])
    game = Additive(np.asarray(weights_tc, float))
    return SimpleNamespace(game=game, windows=windows, channels=channels, reference_log_odds=reference_log_odds)


def curves_of_order(shown, parts_ptc, order_p, towards):
    return curves_of_orders(shown, parts_ptc, np.asarray(order_p)[None], towards)[0]


def test_parts_are_windows_or_channels_in_windows():
    shown = additive(np.ones((4, 2)), window_frames=2)
    windows, players = parts_of(shown, False), parts_of(shown, True)
    assert windows.shape == (2, 4, 2)
    assert windows[0].tolist() == [[True, True], [True, True], [False, False], [False, False]]
    assert players.shape == (4, 4, 2)
    assert players[1].tolist() == [[False, True], [False, True], [False, False], [False, False]]


def test_curves_by_hand():
    shown = additive([[3.0], [1.0], [2.0]])
    deletion, insertion = curves_of_order(shown, parts_of(shown, False), np.array([0, 2, 1]), 1.0)
    assert deletion.tolist() == [6.0, 3.0, 1.0, 0.0]
    assert insertion.tolist() == [0.0, 3.0, 5.0, 6.0]


def test_a_forecast_against_the_outcome_is_turned():
    shown = additive([[-3.0], [1.0]])
    deletion, _ = curves_of_order(shown, parts_of(shown, False), np.array([0, 1]), -1.0)
    assert deletion.tolist() == [2.0, -1.0, 0.0]


def test_curves_are_counted_from_the_base_rate():
    shown = additive([[-3.0], [1.0]], reference_log_odds=-2.5)
    deletion, insertion = curves_of_order(shown, parts_of(shown, False), np.array([1, 0]), 1.0)
    assert deletion.tolist() == [0.5, -0.5, 2.5]
    assert insertion.tolist() == [2.5, 3.5, 0.5]


def test_of_a_sum_no_order_is_better_than_that_of_its_parts_and_none_worse_than_the_reverse():
    rng = np.random.default_rng(0)
    weights = rng.normal(size=(5, 2))
    shown = additive(weights)
    parts = parts_of(shown, True)

    def area(order):
        return curves_of_order(shown, parts, order, 1.0)[0].mean()

    own = np.argsort(-weights.ravel())
    others = [area(rng.permutation(10)) for _ in range(50)]
    assert area(own) < min(others)
    assert area(own[::-1]) > max(others)


def test_what_orders_share_is_asked_once():
    shown, asked = additive([[3.0], [1.0], [2.0]]), []
    values = shown.game.values
    shown.game.values = lambda present_btc: asked.append(len(present_btc)) or values(present_btc)
    orders = np.array([[0, 2, 1], [0, 1, 2], [1, 2, 0]])
    curves_oek = curves_of_orders(shown, parts_of(shown, False), orders, 1.0)
    assert asked == [8]  # nothing, everything, each part alone and each left out; not 24
    assert curves_oek[1].tolist() == [[6.0, 3.0, 2.0, 0.0], [0.0, 3.0, 4.0, 6.0]]
    assert curves_oek[2].tolist() == [[6.0, 5.0, 3.0, 0.0], [0.0, 1.0, 3.0, 6.0]]


def test_a_step_takes_as_many_parts_as_there_are_channels():
    shown = additive([[4.0, 1.0], [3.0, 2.0]])
    deletion, insertion = curves_of_order(shown, parts_of(shown, True), np.array([0, 2, 3, 1]), 1.0)
    assert deletion.tolist() == [10.0, 3.0, 0.0]
    assert insertion.tolist() == [0.0, 7.0, 10.0]


def test_many_windows_are_taken_in_six_steps_and_the_area_counts_how_many_a_step_took():
    """Twelve windows, the first says all. It is back after the first step, of two: area 1 - 1/6 / 2."""
    assert steps_of(12, 12).tolist() == [0, 2, 4, 6, 8, 10, 12]
    assert steps_of(24, 8).tolist() == list(range(0, 25, 4))
    shown = additive(np.eye(12)[:, :1])
    shown.landmark_id, shown.group_id = "a", "g"
    table = pd.DataFrame({"windows_back": range(11, -1, -1), "value": range(12, 0, -1), "landmark_id": "a"}).assign(
        method="occlusion_window", channel="all", towards=1.0, group_id="g"
    )
    landmarks = pd.DataFrame({"landmark_id": ["a"], "outcome": "mitosis", "shown_from": 0, "last_frame": 11})
    settings = SETTINGS.model_copy(update={"n_windows": 12})
    [trace] = trace_orders([shown], gather_cells(table, landmarks, ("a",), settings), table, settings)
    assert trace.own_e == pytest.approx([1 / 12, 11 / 12])
    assert trace.curves["deletion", "reverse"] == pytest.approx(np.interp(SHARES, [0, 10 / 12, 1], [1, 1, 0]))


def test_values_that_are_the_same_in_all_parts_give_no_order_and_the_cell_is_counted():
    """A constant channel that is all a model sees: nothing that is made absent changes a forecast."""
    found = traced({**CELLS, "b": [0.0, 0.0, 0.0]})
    assert found["value"].loc["b"].isna().all()
    assert set(found["reason"].loc["b"]) == {"the values are the same in all parts"}
    assert found["value"].loc["a"].astype(float).notna().all()
    shared = traced(dict.fromkeys(CELLS, (0.0, 0.0, 0.0)))
    scores = score_attributions(shared.attrs["cells"], *[shared.attrs["cells"].head(0)] * 2, SETTINGS)
    row = scores.set_index(["method", "score"]).loc[("occlusion_window", "deletion_gain")]
    assert (row["n_cells"], row["n_failed"], row["reason"]) == (0, 4, "the values are the same in all parts")


def test_cells_share_random_orders_and_a_shorter_cell_has_what_is_left_of_them():
    settings = SETTINGS.model_copy(update={"n_windows": 4, "n_random_orders": 5})
    long, short = additive(np.ones((4, 1))), additive(np.ones((3, 1)))
    for whole, part in zip(*(shared_orders(cell, False, settings) for cell in (long, short)), strict=True):
        backs = long.windows.windows_back[whole]
        assert short.windows.windows_back[part].tolist() == backs[backs != 3].tolist()
    assert len({tuple(order) for order in shared_orders(long, False, settings)}) > 1


CELLS = {"a": [4.0, 1.0, 0.0], "b": [4.0, 0.0, 1.0], "c": [4.0, 1.0, 0.0], "d": [0.0, 1.0, 4.0]}
"""Weights of the windows of four cells, from the earliest on: each has its own sum."""


def traced(values: dict[str, list[float]], **update: object) -> pd.DataFrame:
    """Scores of values of `CELLS` by the name of a cell."""
    settings = SETTINGS.model_copy(update={"n_windows": 3, "n_matched": 1, "n_random_orders": 3, **update})
    outcomes = ["mitosis", "mitosis", "mitosis", "apoptosis"]
    landmarks = pd.DataFrame(
        {"landmark_id": list(CELLS), "outcome": outcomes, "shown_from": 0, "last_frame": [2, 2, 9, 2]}
    )
    table = pd.DataFrame(
        {"landmark_id": name, "method": "occlusion_window", "windows_back": back, "channel": "all", "value": value}
        for name, of_cell in values.items()
        for back, value in zip((2, 1, 0), of_cell, strict=True)
    ).assign(towards=1.0, group_id="g")
    opened = []
    for name, weights in CELLS.items():
        shown = additive(np.array(weights)[:, None])
        shown.landmark_id, shown.group_id = name, "g"
        opened.append(shown)
    held = gather_cells(table, landmarks, ("a",), settings)
    cells = tabulate_gains(list(trace_orders(opened, held, table, settings)))
    wide = cells.pivot_table(
        index="landmark_id", columns="score", values=["value", "reason"], aggfunc="first", dropna=False
    )
    wide.attrs["cells"] = cells
    return wide.reindex(list(CELLS))


def test_an_order_is_held_against_those_of_a_matched_cell_and_of_the_mean_of_the_others():
    values = traced(CELLS)["value"].astype(float)
    # deletion of a: own order 5 1 0 0; of b, its match (as long, and of the same outcome), 5 1 1 0: a third less area
    assert values.loc["a", "deletion_over_matched"] == pytest.approx(1 / 3)
    assert values.loc["a", "insertion_over_matched"] == pytest.approx(1 / 3)
    # the mean of b, c and d is 8/3, 2/3, 5/3: the order of b
    assert values.loc["a", "deletion_over_mean"] == pytest.approx(1 / 3)
    assert values.loc["a", "alike_in_cells"] == pytest.approx(0.5)
    # of d, its own order against the mean 4, 2/3, 1/3 of the others: 5 1 0 0 against 5 5 4 0
    assert values.loc["d", "deletion_over_mean"] == pytest.approx(8 / 3)


def test_without_a_matched_cell_there_is_no_score_but_its_reason():
    found = traced(CELLS)
    assert np.isnan(found["value"].astype(float).loc["d", "deletion_over_matched"])
    assert (
        found["reason"].loc["d", "deletion_over_matched"]
        == "too few other cells of the same outcome and length were explained"
    )
    assert traced(CELLS, n_matched=3)["value"].astype(float)["insertion_over_matched"].isna().all()


def test_of_random_orders_the_one_that_is_best_for_all_cells_is_held_against():
    settings = SETTINGS.model_copy(update={"n_windows": 3, "n_random_orders": 3})
    values = traced(CELLS)["value"].astype(float)
    areas = np.array(
        [
            [np.trapezoid(curves_of_order(shown, parts_of(shown, False), order, 1.0)[0], dx=1 / 3) for order in orders]
            for shown in (additive(np.array(weights)[:, None]) for weights in CELLS.values())
            for orders in [shared_orders(shown, False, settings)]
        ]
    )
    own = [np.trapezoid(np.append(np.cumsum(np.sort(weights))[::-1], 0), dx=1 / 3) for weights in CELLS.values()]
    best = areas.mean(axis=0).argmin()
    assert values["deletion_over_shared"].to_list() == pytest.approx(areas[:, best] - own)
    assert values["deletion_gain"].to_list() == pytest.approx(areas.mean(axis=1) - own)


def test_the_mean_is_of_cells_of_which_the_same_was_forecast():
    table = pd.DataFrame({"landmark_id": list("abcd"), "windows_back": 0, "value": [1.0, 2.0, -4.0, -8.0]}).assign(
        method="occlusion_window", channel="all", towards=[1.0, 1.0, -1.0, -1.0]
    )
    landmarks = pd.DataFrame({"landmark_id": list("abcd"), "outcome": "mitosis", "shown_from": 0, "last_frame": 2})
    cells = gather_cells(table, landmarks, ("a",), SETTINGS)
    means = [cells.lay_on(name, "occlusion_window", np.array([0])).mean_p.tolist() for name in "abcd"]
    assert means == [[2.0], [1.0], [8.0], [4.0]]
    alone = gather_cells(table.head(3), landmarks.head(3), ("a",), SETTINGS)
    assert alone.lay_on("c", "occlusion_window", np.array([0])).mean_p is None


def test_values_that_all_cells_share_gain_nothing_over_other_cells():
    values = traced(dict.fromkeys(CELLS, (3.0, 2.0, 1.0)))["value"].astype(float)
    assert (values[["deletion_over_mean", "insertion_over_mean"]] == 0).all(axis=None)
    assert (values.loc[["a", "b", "c"], ["deletion_over_matched", "insertion_over_matched"]] == 0).all(axis=None)


def test_a_part_that_a_matched_cell_did_not_show_has_the_mean_of_the_others():
    shown = [("a", 0, 1.0), ("a", 1, 2.0), ("b", 0, 3.0), ("c", 0, 5.0), ("c", 1, 7.0), ("a", 2, 4.0)]
    table = pd.DataFrame(shown, columns=["landmark_id", "windows_back", "value"]).assign(
        method="occlusion_window", channel="all", towards=-1.0
    )
    landmarks = pd.DataFrame(
        {"landmark_id": list("abc"), "outcome": "mitosis", "shown_from": [0, 1, 1], "last_frame": 2}
    )
    cells = gather_cells(table, landmarks, ("a",), SETTINGS.model_copy(update={"n_matched": 1}))
    laid = cells.lay_on("b", "occlusion_window", np.array([1, 0]))
    assert np.isnan(laid.own_p[0])
    laid = cells.lay_on("a", "occlusion_window", np.array([2, 1, 0]))
    assert laid.own_p.tolist() == [-4.0, -2.0, -1.0]
    assert laid.mean_p.tolist() == [0.0, -7.0, -4.0]  # nobody else shows the earliest window
    assert laid.matched_kp.tolist() == [[0.0, -7.0, -5.0]]  # c: b shows two windows less


def test_one_part_has_no_order():
    settings = SETTINGS.model_copy(update={"n_windows": 1})
    shown = additive([[1.0]])
    shown.landmark_id, shown.group_id = "a", "g"
    table = pd.DataFrame(
        {"landmark_id": ["a"], "method": "occlusion_window", "windows_back": 0, "channel": "all", "value": 1.0}
    ).assign(towards=1.0)
    landmarks = pd.DataFrame({"landmark_id": ["a"], "outcome": "mitosis", "shown_from": 0, "last_frame": 0})
    held = gather_cells(table, landmarks, ("a",), settings)
    cells = tabulate_gains(list(trace_orders([shown], held, table, settings)))
    assert cells["value"].isna().all()
    assert set(cells["reason"]) == {"what is shown is a single part, which has no order"}


def test_means_count_what_failed_and_have_an_interval_over_groups():
    cells = pd.DataFrame({"method": "m", "group_id": ["a", "a", "b", "c"], "value": [1.0, 3.0, 5.0, np.nan]})
    row = average_cells(cells, ["method"], SETTINGS).iloc[0]
    assert (row["value"], row["n_cells"], row["n_failed"]) == (3.0, 3, 1)
    assert row["low"] == 2.0  # group a alone
    assert row["high"] == 5.0  # group b alone


def test_one_group_has_no_interval():
    cells = pd.DataFrame({"method": "m", "group_id": "a", "value": [1.0, 2.0]})
    assert np.isnan(average_cells(cells, ["method"], SETTINGS).iloc[0]["low"])


def attributions() -> pd.DataFrame:
    rows = [
        {
            "landmark_id": "s",
            "group_id": "g",
            "method": method,
            "windows_back": back,
            "channel": channel,
            "value": value,
        }
        for method, channel, values in (
            ("attention", "all", (0.5, 0.3, 0.2)),
            ("shapley", "a", (-3.0, -2.0, -1.0)),
            ("gradient_x_input", "a", (-1.0, -2.0, -3.0)),
        )
        for back, value in enumerate(values)
    ]
    return pd.DataFrame(rows).assign(towards=-1.0)


def test_agreement_compares_what_speaks_for_the_forecast():
    cells, table = compare_methods(attributions(), SETTINGS)
    found = table.set_index(["method", "other"])["rank_correlation"].to_dict()
    assert found["attention", "shapley"] == pytest.approx(1.0)
    assert found["attention", "gradient_x_input"] == pytest.approx(-1.0)
    assert found["shapley", "gradient_x_input"] == pytest.approx(-1.0)
    assert cells.set_index("method")["value"].to_dict() == pytest.approx(
        {"attention": 0.0, "shapley": 0.0, "gradient_x_input": -1.0}
    )
