"""What the model looks at in every cell, and what is special about one: the mean of Shapley values, and the rest."""

from typing import Final

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from cellfate.core.input_words import name_input
from cellfate.core.words import show_count, show_percent
from cellfate.plots.attributions import NAMES_PX, join_outcomes, window_labels, window_title
from cellfate.plots.theme import SIGNED, finish, make_grid, say_nothing

_PARTS: Final = ["towards", "channel", "windows_back"]
_FORECASTS: Final = {1.0: "Forecast above the base rate", -1.0: "Forecast below it"}
"""What was forecast, by `towards`: cells of either are averaged apart, since their values have opposite signs."""
_ROW_TITLES: Final = {1.0: "Above the<br>base rate", -1.0: "Below the<br>base rate"}
_ROW_PX: Final = 26
_GAP_PX: Final = 46
_CELLS_EACH: Final = 3
"""Example cells of each forecast."""


def plot_common_values(
    shapley: pd.DataFrame, attributions: pd.DataFrame, explained_landmarks: pd.DataFrame
) -> go.Figure:
    """Draw the mean over cells of each channel in each time window, apart for forecasts above and below the base rate.

    Parameters
    ----------
    shapley
        Table `Attributions` of Shapley values, with `windows_back`, `window_h` and `explained_outcome`.
    attributions
        Table of all methods; its `towards` says what was forecast of each cell.
    explained_landmarks
        Table `Landmarks` with `outcome` and `lead_time_h`: those of `shapley` at least.
    """
    title = "What the model looks at in every cell"
    if shapley.empty:
        return say_nothing(f"{title} (n = 0 cells)", "No landmark was explained.")
    rows, shown = _join_forecasts(shapley, attributions, explained_landmarks)
    labels, channels = window_labels(shapley, shown), list(dict.fromkeys(shapley["channel"]))
    parts = [(name, rows[rows["towards"] == towards]) for towards, name in _FORECASTS.items()]
    parts = [(name, part) for name, part in parts if len(part)]
    look = {"shared_yaxes": True, "horizontal_spacing": 0.05}
    figure = make_subplots(cols=len(parts), subplot_titles=[_head(name, part) for name, part in parts], **look)
    for column, (_, part) in enumerate(parts, start=1):
        means = part.pivot_table(index="channel", columns="windows_back", values="value", sort=False)
        figure.add_trace(_heat(means, labels, channels), row=1, col=column)
    subtitle = (
        f"Shapley values, mean (n = {show_count(rows['landmark_id'].nunique(), 'cell')}): red speaks for "
        f"{shapley['explained_outcome'].iloc[0]}. Per cent: share of the variance of these cells' values that is their "
        "mean."
    )
    figure.update_xaxes(title=window_title(shown))
    return _finish(figure, title, subtitle, _ROW_PX * max(3, len(channels)))


def plot_own_values(shapley: pd.DataFrame, attributions: pd.DataFrame, explained_landmarks: pd.DataFrame) -> go.Figure:
    """Draw, for the first cells of each forecast, their values less the mean of all other cells of that forecast.

    Parameters
    ----------
    shapley, attributions, explained_landmarks
        As in `plot_common_values`; cells come in the order of the landmarks, which is one of chance. A cell alone with
        its forecast has no panel.
    """
    title = "What is special about a cell"
    rows, shown = _join_forecasts(shapley, attributions, explained_landmarks)
    by_part = rows.groupby(_PARTS)["value"]
    others = (by_part.transform("sum") - rows["value"]) / (by_part.transform("size") - 1).replace(0, np.nan)
    rows = rows.assign(special=rows["value"] - others).dropna(subset="special")
    if rows.empty:
        return say_nothing(f"{title} (n = 0 cells)", "No two cells with the same forecast were explained.")
    forecasts = [towards for towards in _FORECASTS if (rows["towards"] == towards).any()]
    cells = {towards: _choose(rows[rows["towards"] == towards], shown) for towards in forecasts}
    labels, channels = window_labels(shapley, shown), list(dict.fromkeys(shapley["channel"]))
    figure, inner_px = make_grid(
        len(forecasts), _CELLS_EACH, _ROW_PX * max(3, len(channels)), _GAP_PX, shared_xaxes=True, shared_yaxes=True,
        horizontal_spacing=0.04, subplot_titles=[name for towards in forecasts for name in _name(cells[towards])],
    )  # fmt: skip
    for row, towards in enumerate(forecasts, start=1):
        for column, landmark_id in enumerate(cells[towards]["landmark_id"], start=1):
            of_cell = rows[rows["landmark_id"] == landmark_id]
            wide = of_cell.pivot_table(index="channel", columns="windows_back", values="special", sort=False)
            figure.add_trace(_heat(wide, labels, channels), row=row, col=column)
        figure.update_yaxes(title={"text": _ROW_TITLES[towards]}, row=row, col=1)
    subtitle = (
        f"Shapley values less the mean of the other cells of that forecast (n = "
        f"{show_count(rows['landmark_id'].nunique(), 'cell')}): red speaks more for "
        f"{shapley['explained_outcome'].iloc[0]} than there."
    )
    figure.update_xaxes(title=window_title(shown), row=len(forecasts))
    return _finish(figure, title, subtitle, inner_px)


def _join_forecasts(
    shapley: pd.DataFrame, attributions: pd.DataFrame, explained_landmarks: pd.DataFrame
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Values with the side of the base rate on which each forecast lies, and the landmarks that have some."""
    towards = attributions.groupby("landmark_id")["towards"].first()
    rows, shown = join_outcomes(shapley, explained_landmarks)
    return rows.assign(towards=rows["landmark_id"].map(towards)), shown


def _head(name: str, part: pd.DataFrame) -> str:
    """Head of a panel of means: its cells, and how much of the variance of their values is their mean."""
    total = float(part["value"].var(ddof=0))
    common = float(part.groupby(_PARTS)["value"].transform("mean").var(ddof=0))
    share = show_percent(common / total if total > 0 else float("nan"))
    return f"{name} (n = {show_count(part['landmark_id'].nunique(), 'cell')}, {share})"


def _choose(rows: pd.DataFrame, shown: pd.DataFrame) -> pd.DataFrame:
    """Choose the first landmarks that have values."""
    return shown[shown["landmark_id"].isin(rows["landmark_id"])].head(_CELLS_EACH)


def _name(chosen: pd.DataFrame) -> list[str]:
    """Heads of the panels of one forecast; empty where there are fewer cells than panels."""
    heads = [f"{row.recording_id}, cell {row.cell_id}: {row.outcome}" for row in chosen.itertuples()]
    return heads + [""] * (_CELLS_EACH - len(heads))


def _heat(wide: pd.DataFrame, labels: list[str], channels: list[str]) -> go.Heatmap:
    """Heat map of channels down and windows across, the earliest first."""
    values = wide.reindex(index=channels, columns=range(len(labels))[::-1]).to_numpy(dtype=np.float64)
    return go.Heatmap(
        x=labels[::-1],
        y=[name_input(name) for name in channels],
        z=values,
        coloraxis="coloraxis",
        hovertemplate="%{y}, %{x} h: %{z:.3f} logit<extra></extra>",
    )


def _finish(figure: go.Figure, title: str, subtitle: str, inner_px: int) -> go.Figure:
    """Give all panels one scale, symmetric about 0, and the figure its head."""
    largest = max((np.nanmax(np.abs(trace.z)) for trace in figure.data), default=1.0)
    bar = {"thickness": 12, "nticks": 4, "title": {"text": "logit", "side": "top"}}
    figure.update_layout(coloraxis={"colorscale": SIGNED, "cmin": -largest, "cmax": largest, "colorbar": bar})
    figure.update_xaxes(type="category", tickfont={"size": 11}, tickangle=-35)
    figure.update_yaxes(type="category", autorange="reversed")
    finish(figure, title, subtitle, inner_px=inner_px, legend_rows=0, legend_gap_px=90, left_px=NAMES_PX)
    return figure.update_yaxes(tickfont={"size": 11})
