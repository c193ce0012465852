"""What all cells have in common, and what is special about one."""

import numpy as np
import pandas as pd

from cellfate.plots.common_values import plot_common_values, plot_own_values
from cellfate.plots.theme import is_empty


def tables() -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Values of four cells in two windows of one channel; of the last two the forecast lies below the base rate."""
    values = {"a": (1.0, 3.0), "b": (1.0, 5.0), "c": (-4.0, -4.0), "d": (-2.0, 0.0)}
    shapley = pd.DataFrame(
        {"landmark_id": name, "method": "shapley", "channel": "p53", "windows_back": back, "value": value}
        for name, of_cell in values.items()
        for back, value in zip((1, 0), of_cell, strict=True)
    ).assign(window_h=2.0, explained_outcome="apoptosis")
    towards = shapley.assign(towards=np.where(shapley["landmark_id"] < "c", 1.0, -1.0))
    landmarks = pd.DataFrame(
        {"landmark_id": list("abcd"), "recording_id": "001", "cell_id": [1, 2, 3, 4],
         "outcome": ["apoptosis", "mitosis", "mitosis", "mitosis"], "lead_time_h": 1.0, "event_frame": 9}
    ).astype({"event_frame": "Int64"})  # fmt: skip
    return shapley, towards, landmarks


def heads(figure) -> list[str]:
    return [note.text for note in figure.layout.annotations if note.text]


def test_means_are_apart_for_forecasts_above_and_below_and_tell_their_share_of_the_variance():
    figure = plot_common_values(*tables())
    assert [trace.z.tolist() for trace in figure.data] == [[[1.0, 4.0]], [[-3.0, -2.0]]]
    # 1 3 1 5 about 2.5: squares 2.25 .25 2.25 6.25, of their means 2.25 each; likewise below 2.25 2.25 .25 6.25, .25
    above, below = f"{100 * 9 / 11:.0f} %", f"{100 * 1 / 11:.0f} %"
    assert heads(figure) == [
        f"Forecast above the base rate (n = 2 cells, {above})",
        f"Forecast below it (n = 2 cells, {below})",
    ]
    assert "red speaks for apoptosis" in figure.layout.title.text


def test_a_forecast_that_no_cell_has_gets_no_panel():
    shapley, towards, landmarks = tables()
    above = shapley[shapley["landmark_id"] < "c"]
    assert len(plot_common_values(above, towards, landmarks).data) == 1
    assert len(plot_own_values(above, towards, landmarks).data) == 2


def test_special_is_a_cell_less_the_mean_of_the_others_of_its_forecast():
    figure = plot_own_values(*tables())
    panels = [trace.z.tolist() for trace in figure.data]
    assert panels == [[[0.0, -2.0]], [[0.0, 2.0]], [[-2.0, -4.0]], [[2.0, 4.0]]]
    assert heads(figure) == [
        "001, cell 1: apoptosis",
        "001, cell 2: mitosis",
        "001, cell 3: mitosis",
        "001, cell 4: mitosis",
    ]
    assert len({trace.xaxis for trace in figure.data}) == 4


def test_without_cells_the_figures_say_so():
    shapley, towards, landmarks = tables()
    assert is_empty(plot_common_values(shapley.head(0), towards.head(0), landmarks))
    assert is_empty(plot_own_values(shapley.head(0), towards.head(0), landmarks))
    one_each = shapley[shapley["landmark_id"].isin(["a", "c"])]
    assert is_empty(plot_own_values(one_each, towards, landmarks))
