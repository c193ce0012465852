"""Deletion and insertion on a model whose answer is known: a sum of what is present."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from cellfate.attribution.agreement import compare_methods
from cellfate.attribution.faithfulness import curves_of_order, importance_of_parts, parts_of
from cellfate.attribution.scoring import average_cells
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


def test_values_stand_in_the_order_of_the_parts():
    rows = pd.DataFrame({"windows_back": [0, 0, 1, 1], "channel": ["a", "b", "a", "b"], "value": [1.0, 2.0, 3.0, 4.0]})
    assert importance_of_parts(rows, ("a", "b"), True).tolist() == [3.0, 4.0, 1.0, 2.0]
    assert importance_of_parts(rows, ("a", "b"), False).tolist() == [7.0, 3.0]


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
