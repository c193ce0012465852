"""What all cells have in common, and what is special about one."""

import numpy as np
import pandas as pd

from cellfate.plots.common_values import plot_common_values, plot_own_values
from cellfate.plots.theme import is_empty


def tables() -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Values of three cells in two windows of one channel; of the last one the other outcome was forecast."""
    values = {"a": (1.0, 3.0), "b": (1.0, 5.0), "c": (-4.0, -4.0)}
    shapley = pd.DataFrame(
        {"landmark_id": name, "method": "shapley", "channel": "p53", "windows_back": back, "value": value}
        for name, of_cell in values.items()
        for back, value in zip((1, 0), of_cell, strict=True)
    ).assign(window_h=2.0, explained_outcome="apoptosis")
    towards = shapley.assign(towards=np.where(shapley["landmark_id"] == "c", -1.0, 1.0))
    landmarks = pd.DataFrame(
        {"landmark_id": list("abc"), "recording_id": "001", "cell_id": [1, 2, 3],
         "outcome": ["apoptosis", "apoptosis", "mitosis"], "lead_time_h": 1.0, "event_frame": 9}
    ).astype({"event_frame": "Int64"})  # fmt: skip
    return shapley, towards, landmarks


def test_the_mean_is_of_what_speaks_for_the_forecast_and_its_share_of_the_variance_is_told():
    figure = plot_common_values(*tables())
    np.testing.assert_allclose(figure.data[0].z, [[2.0, 4.0]])
    # 1 1 4 and 3 5 4 about 3: squares 4 4 1 0 4 1; their means 2 and 4: 1 each
    assert f"{100 * 6 / 14:.0f} % of the values' variance is this mean" in figure.layout.title.text


def test_special_is_a_cell_less_the_mean_of_the_others():
    figure = plot_own_values(*tables())
    panels = [trace.z.tolist() for trace in figure.data]
    assert panels == [[[1 - 2.5, 3 - 4.5]], [[1 - 2.5, 5 - 3.5]], [[4 - 1.0, 4 - 4.0]]]
    heads = [note.text for note in figure.layout.annotations if note.text]
    assert heads == ["001, cell 1: apoptosis", "001, cell 2: apoptosis", "001, cell 3: mitosis"]


def test_without_cells_the_figures_say_so():
    shapley, towards, landmarks = tables()
    assert is_empty(plot_common_values(shapley.head(0), towards.head(0), landmarks))
    assert is_empty(plot_own_values(shapley.head(2), towards, landmarks))
