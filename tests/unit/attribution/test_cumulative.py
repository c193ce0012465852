"""Cumulative deletion by hand, where parts that speak for and against the forecast cancel."""

from itertools import permutations

import numpy as np
import pandas as pd
import pytest

from cellfate.attribution.cumulative import areas_of_moves
from cellfate.attribution.faithfulness import parts_of, tabulate_gains, trace_orders
from cellfate.attribution.methods import OCCLUSION_WINDOW, SHAPLEY
from cellfate.attribution.other_cells import gather_cells
from cellfate.attribution.settings import ExplanationSettings
from tests.unit.attribution.test_faithfulness import additive, curves_of_order

TRUE, WRONG = [2.0, -2.0, 0.0], [2.0, 0.0, 1.0]
"""What three windows say in truth, and what somebody claims: that the second is idle and the third speaks for it."""


def scored(weights_tc: list[list[float]], values: np.ndarray, method: str, n_random: int = 19) -> dict[str, float]:
    """Scores of values of one cell, from its earliest window on, whose weights are known."""
    settings = ExplanationSettings(n_windows=len(weights_tc), n_random_orders=n_random)
    shown = additive(weights_tc)
    shown.landmark_id, shown.group_id = "a", "g"
    backs, channels = np.arange(len(weights_tc))[::-1], shown.channels if method == SHAPLEY else ("all",)
    table = pd.DataFrame(
        {"landmark_id": "a", "method": method, "windows_back": np.repeat(backs, len(channels)), "towards": 1.0}
    ).assign(channel=list(channels) * len(backs), value=np.ravel(values))
    landmarks = pd.DataFrame({"landmark_id": ["a"], "outcome": "mitosis", "shown_from": 0, "last_frame": 2})
    held = gather_cells(table, landmarks, shown.channels, settings)
    cells = tabulate_gains(list(trace_orders([shown], held, table, settings)))
    return cells.set_index("score")["value"].to_dict()


def test_deletion_cannot_tell_what_cancels_and_cumulative_deletion_can() -> None:
    weights = [[weight] for weight in TRUE]
    true, wrong = (scored(weights, np.array(values), OCCLUSION_WINDOW) for values in (TRUE, WRONG))
    # by deletion both remove the first part, then the idle one: 0, -2, -2, 0
    assert true["deletion_gain"] == wrong["deletion_gain"]
    # by size the truth removes 2, -2, 0: sums 0, 2, 4, 4, area 8/3; the claim 2, 0, -2: sums 0, 2, 2, 4, area 2.
    # random orders have half of all moves, 2: of a sum an order and its reverse do so together
    assert true["cumulative_deletion"] == pytest.approx(2 / 3)
    assert wrong["cumulative_deletion"] == pytest.approx(0)
    # from the smallest on: 0, -2, 2 and sums 0, 0, 2, 4, area 4/3; and -2, 0, 2 with sums 0, 2, 2, 4, area 2
    assert true["cumulative_preservation"] == pytest.approx(2 / 3)
    assert wrong["cumulative_preservation"] == pytest.approx(0)


def test_by_size_of_values_deletion_prefers_the_wrong_order() -> None:
    shown = additive([[weight] for weight in TRUE])
    parts = parts_of(shown, False)

    def deleted(values: list[float]) -> tuple[float, float]:
        curves = np.array(curves_of_order(shown, parts, np.argsort(-np.abs(values), kind="stable"), 1.0))
        return float(np.trapezoid(curves[0], dx=1 / 3)), float(areas_of_moves(curves)[0])

    (true_area, true_moved), (wrong_area, wrong_moved) = deleted(TRUE), deleted(WRONG)
    assert (true_area, wrong_area) == (pytest.approx(-2 / 3), pytest.approx(-4 / 3))  # less would be better
    assert true_moved > wrong_moved


def test_channels_go_one_by_one_so_that_they_do_not_cancel_within_a_step() -> None:
    weights = [[3.0, -3.0], [1.0, 0.0]]
    values = scored(weights, np.array(weights), SHAPLEY)
    # moves 3, 3, 1, 0: sums 0, 3, 6, 7, 7, area 19.5 / 4; half of 7 in random orders. Both channels of the first window
    # in one step would not move the forecast
    assert values["cumulative_deletion"] == pytest.approx(19.5 / 4 - 3.5)
    alone = scored(weights, np.array(weights), SHAPLEY, n_random=1)  # of a sum, one random order gives the mean of all
    assert alone["cumulative_deletion"] == pytest.approx(values["cumulative_deletion"])


def test_no_order_of_a_sum_is_better_than_that_of_its_sizes_and_all_orders_have_half_on_the_mean() -> None:
    weights = np.array([1.5, -4.0, 0.5, 2.0, -1.0])
    shown = additive(weights[:, None])
    parts = parts_of(shown, False)
    areas = np.array([areas_of_moves(np.array(curves_of_order(shown, parts, np.array(order), 1.0)))
                      for order in permutations(range(5))])  # fmt: skip
    own = areas_of_moves(np.array(curves_of_order(shown, parts, np.argsort(-np.abs(weights)), 1.0)))
    assert own[0] == pytest.approx(areas[:, 0].max())
    assert own[1] == pytest.approx(areas[:, 1].min())
    assert areas.mean() == pytest.approx(np.abs(weights).sum() / 2)


def test_beyond_the_first_landmarks_no_order_is_walked_part_by_part_and_the_scores_say_so() -> None:
    settings = ExplanationSettings(n_windows=2, max_cumulative_landmarks=1)
    names, opened = ["a", "b"], [additive([[1.0], [2.0]]) for _ in range(2)]
    for name, shown in zip(names, opened, strict=True):
        shown.landmark_id, shown.group_id = name, "g"
    table = pd.DataFrame(
        {"landmark_id": np.repeat(names, 2), "method": OCCLUSION_WINDOW, "windows_back": [1, 0] * 2, "towards": 1.0}
    ).assign(channel="all", value=[1.0, 2.0] * 2)
    landmarks = pd.DataFrame({"landmark_id": names, "outcome": "mitosis", "shown_from": 0, "last_frame": 1})
    held = gather_cells(table, landmarks, ("a",), settings)
    cells = tabulate_gains(list(trace_orders(opened, held, table, settings)))
    walked = cells[cells["score"] == "cumulative_deletion"].set_index("landmark_id")
    # 2 and 1: sums 0, 2, 3, area 3.5 / 2, against half of 3
    assert walked.loc["a", "value"] == pytest.approx(0.25)
    assert np.isnan(walked.loc["b", "value"])
    assert "max_cumulative_landmarks" in walked.loc["b", "reason"]
