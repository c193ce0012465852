"""What a forecast rests on: occlusion and Shapley values, of either reading."""

from itertools import pairwise
from typing import Final

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from cellfate.core.input_words import name_input, name_inputs
from cellfate.core.words import ABSENT, list_outcomes, show_count
from cellfate.plots.aligned_time import choose_alignment
from cellfate.plots.theme import SIGNED, STRENGTH, colour_of, finish, say_nothing

_ROW_PX: Final = 26
_GAP_PX: Final = 40
NAMES_PX: Final = 120
"""Left margin, for the names of channels or columns."""


def plot_occlusion(occlusion: pd.DataFrame, explained_landmarks: pd.DataFrame) -> go.Figure:
    """Draw what is lost without a time window (left) and without a channel (right), per outcome.

    Parameters
    ----------
    occlusion
        Table `Attributions` of occlusion, with `windows_back`, `window_h` and `explained_outcome`.
    explained_landmarks
        Table `Landmarks` with `outcome` and `lead_time_h`: those of `occlusion` at least.
    """
    title = "Occlusion: what the forecast loses without an input"
    rows, shown = join_outcomes(occlusion, explained_landmarks)
    if shown.empty:
        return say_nothing(f"{title} (n = 0 cells)", "No landmark was explained.")
    named = name_inputs(occlusion.loc[occlusion["method"] == "occlusion_channel", "channel"])
    heads = ["Without a time window", f"Without a {named}"]
    figure = make_subplots(cols=2, column_widths=[0.6, 0.4], horizontal_spacing=0.12, subplot_titles=heads)
    labels = window_labels(occlusion, shown)
    for position, outcome in enumerate(list_outcomes(shown["outcome"])):
        windows, channels = _occlusion_boxes(rows[rows["outcome"] == outcome], outcome, position, labels)
        figure.add_trace(windows, row=1, col=1)
        figure.add_trace(channels, row=1, col=2)
    figure.add_hline(y=0, line={"color": "#a9b1bc", "width": 1})
    figure.update_layout(boxmode="group")
    in_time = {"categoryorder": "array", "categoryarray": labels[::-1], "tickfont": {"size": 11}, "tickangle": -35}
    figure.update_xaxes(**in_time, title=window_title(shown), col=1)
    figure.update_xaxes(title=named.capitalize(), tickfont={"size": 11}, col=2)
    figure.update_yaxes(title="Lost log odds (logit)")
    subtitle = _write_subtitle(occlusion, shown, "above 0 an input speaks")
    return finish(figure, title, subtitle, inner_px=320, legend_gap_px=100)


def join_outcomes(attributions: pd.DataFrame, landmarks: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Add the outcome to attributions; the landmarks that have some."""
    shown = landmarks[landmarks["landmark_id"].isin(attributions["landmark_id"])]
    return attributions.merge(shown[["landmark_id", "outcome"]], on="landmark_id", validate="many_to_one"), shown


def _occlusion_boxes(rows: pd.DataFrame, outcome: str, position: int, labels: list[str]) -> tuple[go.Box, go.Box]:
    """Boxes of one outcome: over time windows, and over channels."""
    windows = rows[rows["method"] == "occlusion_window"].sort_values("windows_back", ascending=False)
    channels = rows[rows["method"] == "occlusion_channel"]
    name = f"{outcome} (n = {rows['landmark_id'].nunique()})"
    look = {
        "name": name,
        "legendgroup": name,
        "offsetgroup": outcome,
        "marker": {"color": colour_of(outcome, position), "size": 3},
    }
    hours = windows["windows_back"].map(labels.__getitem__)
    return go.Box(x=hours, y=windows["value"], **look), go.Box(
        x=channels["channel"].map(name_input), y=channels["value"], showlegend=False, **look
    )


def plot_shapley(shapley: pd.DataFrame, explained_landmarks: pd.DataFrame) -> go.Figure:
    """Draw mean Shapley values of time windows and channels per outcome: their size, and their sign.

    Parameters
    ----------
    shapley
        Table `Attributions` of Shapley values, with `windows_back`, `window_h` and `explained_outcome`.
    explained_landmarks
        As in `plot_occlusion`.
    """
    title = f"Shapley values of {name_inputs(shapley['channel'])}s and time windows"
    rows, shown = join_outcomes(shapley, explained_landmarks)
    if shown.empty:
        return say_nothing(f"{title} (n = 0 cells)", "No landmark was explained.")
    rows = rows.assign(size=rows["value"].abs())
    outcomes, channels = list_outcomes(shown["outcome"]), list(dict.fromkeys(shapley["channel"]))
    labels = window_labels(shapley, shown)
    counts = rows.groupby("outcome")["landmark_id"].nunique()
    inner_px = 2 * _ROW_PX * max(3, len(channels)) + _GAP_PX
    figure = make_subplots(
        rows=2,
        cols=len(outcomes),
        shared_xaxes=True,
        shared_yaxes=True,
        vertical_spacing=_GAP_PX / inner_px,
        horizontal_spacing=0.05,
        subplot_titles=[f"{what}, {o} (n = {counts[o]})" for what in ("mean size", "mean") for o in outcomes],
    )
    for row, column_name in ((1, "size"), (2, "value")):
        for column, outcome in enumerate(outcomes, start=1):
            means = _window_means(rows[rows["outcome"] == outcome], column_name, channels, len(labels))
            heat = go.Heatmap(
                x=labels[::-1],
                y=[name_input(name) for name in channels],
                z=means,
                coloraxis=f"coloraxis{row}",
                hovertemplate="%{y}, %{x} h: %{z:.3f} logit<extra></extra>",
            )
            figure.add_trace(heat, row=row, col=column)
    _add_colour_scales(figure, rows, channels, len(labels))
    figure.update_xaxes(title=window_title(shown), row=2)
    figure.update_xaxes(type="category", tickfont={"size": 11}, tickangle=-35)
    figure.update_yaxes(type="category", autorange="reversed")
    subtitle = _write_subtitle(shapley, shown, "red speaks")
    finish(figure, title, subtitle, inner_px=inner_px, legend_rows=0, legend_gap_px=90, left_px=NAMES_PX)
    return figure.update_yaxes(tickfont={"size": 11})


def window_labels(attributions: pd.DataFrame, landmarks: pd.DataFrame) -> list[str]:
    """Name time windows by their hours before hour 0, the last window first; the earliest is open.

    When landmarks are aligned at the event, the hours between the last frame shown and the event are added.
    """
    if attributions.empty:
        return []
    width, n_windows = float(attributions["window_h"].iloc[0]), int(attributions["windows_back"].max()) + 1
    lead = float(landmarks["lead_time_h"].median()) if choose_alignment(landmarks).at_event else 0.0
    edges = lead + width * np.arange(n_windows + 1)
    labels = [f"{high:g}-{low:g}" for low, high in pairwise(edges)]
    return [*labels[:-1], f"over {edges[-2]:g}"]


def window_title(landmarks: pd.DataFrame) -> str:
    """Axis title of time windows: hours before the event, or before the landmark."""
    return f"Time window<br>({choose_alignment(landmarks).title[5:-4]}, h)"


def _write_subtitle(attributions: pd.DataFrame, landmarks: pd.DataFrame, speaks: str) -> str:
    """Name the outcome whose log odds were explained and what speaks for it, n, and what stands for an absent part."""
    absent = attributions.attrs.get("settings", {}).get("absent")
    given = f" Absent parts are given {ABSENT[absent]}." if absent else ""
    mask = " The mask is the outline of the cell." if (attributions["channel"] == "mask").any() else ""
    return (
        f"Log odds of {attributions['explained_outcome'].iloc[0]}: {speaks} for it. n = "
        f"{show_count(len(landmarks), 'cell')} of the test part.{given}{mask}"
    )


def _window_means(rows: pd.DataFrame, column: str, channels: list[str], n_windows: int) -> np.ndarray:
    """Mean over landmarks, channels down and windows across, the earliest first; NaN where no landmark has one."""
    means = rows.pivot_table(index="channel", columns="windows_back", values=column, aggfunc="mean")
    return means.reindex(index=channels, columns=range(n_windows)[::-1]).to_numpy(dtype=np.float64)


def _add_colour_scales(figure: go.Figure, rows: pd.DataFrame, channels: list[str], n_windows: int) -> None:
    """Give the two rows of heat maps a scale each: from 0 up, and symmetric about 0."""
    parts = [part for _, part in rows.groupby("outcome")]
    size, signed = (
        max((np.nanmax(np.abs(_window_means(part, column, channels, n_windows))) for part in parts), default=1.0)
        for column in ("size", "value")
    )
    bar = {"len": 0.46, "thickness": 12, "nticks": 4, "title": {"text": "logit", "side": "top"}}
    figure.update_layout(
        coloraxis={"colorscale": STRENGTH, "cmin": 0, "cmax": size, "colorbar": {**bar, "y": 0.8}},
        coloraxis2={"colorscale": SIGNED, "cmin": -signed, "cmax": signed, "colorbar": {**bar, "y": 0.2}},
    )
