"""Figures of explanations and measurements: what is on them, of either reading."""

import numpy as np
import pandas as pd
import pytest

from cellfate.plots.aligned_time import choose_alignment
from cellfate.plots.attention import plot_attention, plot_attention_cells
from cellfate.plots.attributions import plot_occlusion, plot_shapley, window_labels
from cellfate.plots.features import plot_feature_association, plot_reporter_series
from cellfate.plots.theme import is_empty


def landmarks(n: int = 12, *, within: bool = False) -> pd.DataFrame:
    """Landmarks at frame 9, the event at frame 12; of what happens within some hours half meet no event."""
    outcomes = ["mitosis", "none" if within else "apoptosis"]
    fates = ["mitosis", "censored" if within else "apoptosis"]
    return pd.DataFrame(
        {
            "landmark_id": pd.Series([f"s{i}" for i in range(n)], dtype=str),
            "recording_id": "r",
            "dose": "Low",
            "cell_id": range(n),
            "outcome": [outcomes[i % 2] for i in range(n)],
            "fate": [fates[i % 2] for i in range(n)],
            "first_frame": 0,
            "last_frame": 9,
            "last": True,
            "event_frame": pd.array([pd.NA if within and i % 2 else 12 for i in range(n)], dtype="Int64"),
            "lead_time_h": [np.nan if within and i % 2 else 1.5 for i in range(n)],
            "frame_interval_min": 30.0,
        }
    )


def attention(table: pd.DataFrame) -> pd.DataFrame:
    rows = [(s, f, 0.09) for s in table["landmark_id"] for f in range(10)]
    paid = pd.DataFrame(rows, columns=["landmark_id", "frame", "attention"]).astype({"landmark_id": str})
    return paid.assign(hours_before_event=np.nan, class_token=0.1)


def attributions(table: pd.DataFrame) -> pd.DataFrame:
    rows = []
    for landmark in table["landmark_id"]:
        for back in range(3):
            rows.append((landmark, "occlusion_window", back, "all", 0.5))
            rows += [(landmark, "shapley", back, channel, 0.1 - 0.1 * back) for channel in ("a", "b")]
        rows += [(landmark, "occlusion_channel", 0, channel, 0.2) for channel in ("a", "b")]
    columns = ["landmark_id", "method", "windows_back", "channel", "value"]
    return pd.DataFrame(rows, columns=columns).assign(window_h=1.0, explained_outcome="apoptosis")


def names(figure):
    return [trace.name for trace in figure.data if trace.name]


def test_attention_is_aligned_at_the_event_and_shows_n():
    table = landmarks()
    figure = plot_attention(attention(table), table)
    assert figure.layout.xaxis.title.text == "Time before<br>the event (h)"
    assert {"apoptosis (n = 6)", "mitosis (n = 6)"} <= set(names(figure))
    line = next(trace for trace in figure.data if trace.name == "mitosis (n = 6)")
    assert (min(line.x), max(line.x)) == (1.5, 6.0)
    np.testing.assert_allclose(line.y, 9.0)


def test_attention_has_a_panel_a_dose_of_enough_cells():
    table = landmarks(24).assign(dose=["Low", "Low", "High", "High"] * 6)
    table.loc[table.index >= 22, "dose"] = "Control"
    figure = plot_attention(attention(table), table)
    assert [note.text for note in figure.layout.annotations] == ["All doses", "Low (n = 12)", "High (n = 10)"]
    assert len([trace for trace in figure.data if trace.showlegend]) == 4  # two outcomes, and what is even


def test_cells_stand_under_each_other_by_length_in_units_of_an_even_spread():
    table = landmarks()
    paid = attention(table)
    shorter = table["landmark_id"].iloc[0]
    paid = paid[(paid["landmark_id"] != shorter) | (paid["frame"] > 3)]
    figure = plot_attention_cells(paid, table)
    (drawn,) = [t for t, note in zip(figure.data, figure.layout.annotations, strict=True) if "Mitosis" in note.text]
    assert drawn.customdata[-1, 0] == shorter
    assert np.isnan(drawn.z[-1]).any()
    assert not np.isnan(drawn.z[0]).any()
    (low, _), (middle, colour), (high, _) = figure.layout.coloraxis.colorscale
    highest = figure.layout.coloraxis.cmax
    assert (low, middle * highest, high, colour) == (0, 1, 1, "#f7f7f5")
    np.testing.assert_allclose(drawn.z[0], 1.0)  # attention is spread evenly over the frames of a cell


def test_an_outcome_of_too_few_cells_for_a_line_has_no_legend():
    table = landmarks(8).assign(outcome=["mitosis"] * 6 + ["apoptosis"] * 2)
    assert [trace.name for trace in plot_attention(attention(table), table).data if trace.showlegend] == [
        "mitosis (n = 6)",
        "mitosis: if spread evenly",
    ]


def test_landmarks_without_an_event_are_aligned_at_the_last_frame():
    table = landmarks(within=True)
    figure = plot_attention(attention(table), table)
    assert figure.layout.xaxis.title.text == "Time before<br>the last frame shown (h)"
    assert "none (n = 6)" in names(figure)
    assert not choose_alignment(table).at_event


def test_windows_are_named_by_their_hours():
    table = landmarks()
    assert window_labels(attributions(table), table) == ["2.5-1.5", "3.5-2.5", "over 3.5"]
    assert window_labels(attributions(table), landmarks(within=True)) == ["1-0", "2-1", "over 2"]


def test_shapley_maps_show_size_and_sign():
    table = landmarks()
    figure = plot_shapley(attributions(table).query("method == 'shapley'"), table)
    maps = [trace for trace in figure.data if trace.type == "heatmap"]
    assert len(maps) == 4
    np.testing.assert_allclose(maps[0].z, [[0.1, 0.0, 0.1]] * 2, atol=1e-12)
    np.testing.assert_allclose(maps[2].z, [[-0.1, 0.0, 0.1]] * 2, atol=1e-12)
    assert any("apoptosis (n = 6)" in note.text for note in figure.layout.annotations)
    assert "(before the event, h)" in figure.layout.xaxis3.title.text


def test_occlusion_shows_windows_and_channels():
    table = landmarks()
    shown = attributions(table)
    shown.attrs["settings"] = {"absent": "mean_pixel"}
    figure = plot_occlusion(shown, table)
    assert set(figure.data[0].x) == {"2.5-1.5", "3.5-2.5", "over 3.5"}
    assert set(figure.data[1].x) == {"a", "b"}
    assert "Log odds of apoptosis: above 0 an input speaks for it. n = 12 cells" in figure.layout.title.text
    assert "Absent parts are given the mean" in figure.layout.title.text
    masked = attributions(table).replace({"channel": {"b": "mask"}})
    assert "outline" in plot_shapley(masked.query("method == 'shapley'"), table).layout.title.text
    assert "outline" not in figure.layout.title.text


def test_association_has_a_panel_a_feature_and_doses_wait_in_the_legend():
    rows = [
        ("area", dose, hour, "apoptosis", 0.7, 0.6, 0.8, 6, 6, None) for dose in ("all", "Low") for hour in (0.0, 1.0)
    ]
    rows.append(("perimeter", "all", 0.0, "apoptosis", np.nan, np.nan, np.nan, 2, 6, "fewer than 5 on a side"))
    columns = [
        "feature",
        "dose",
        "hours_before_end",
        "outcome",
        "auroc",
        "low",
        "high",
        "n_outcome",
        "n_other",
        "reason",
    ]
    figure = plot_feature_association(pd.DataFrame(rows, columns=columns))
    assert [note.text for note in figure.layout.annotations] == ["area"]
    lines = [trace for trace in figure.data if trace.mode == "lines" and trace.fill is None]
    assert [(line.name, line.visible) for line in lines] == [("all doses", True), ("Low", "legendonly")]
    assert "n = 12 landmarks" in figure.layout.title.text
    assert is_empty(plot_feature_association(pd.DataFrame(rows[-1:], columns=columns)))


@pytest.mark.parametrize("within", [False, True])
def test_reporters_are_drawn_of_cells_whose_fate_was_seen(within):
    table = landmarks(within=within)
    cells, frames = np.repeat(np.arange(12), 14), np.tile(np.arange(14), 12)
    features = pd.DataFrame({"recording_id": "r", "cell_id": cells, "frame": frames})
    features = features.assign(intensity_p53=1.0 * frames, area=2.0, circularity=1.0, eccentricity=0.5)
    figure = plot_reporter_series(features, table)
    assert figure.layout.yaxis.title.text == "p53 (counts)"
    line = next(trace for trace in figure.data if trace.name == "mitosis (n = 6)")
    assert list(line.y)[:3] == [9.0, 8.0, 7.0]  # the last frame shown is number 9
    assert f"n = {6 if within else 12} cells" in figure.layout.title.text
