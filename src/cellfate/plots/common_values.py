"""What the model looks at in every cell, and what is special about one: the mean of Shapley values, and the rest."""

from typing import Final

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from cellfate.core.words import list_outcomes, show_count, show_percent
from cellfate.plots.attributions import join_outcomes, window_labels, window_title
from cellfate.plots.theme import SIGNED, finish, say_nothing

_PARTS: Final = ["channel", "windows_back"]
_ROW_PX: Final = 26
_GAP_PX: Final = 46
_CELLS_EACH: Final = 3
"""Example cells of each outcome."""


def plot_common_values(
    shapley: pd.DataFrame, attributions: pd.DataFrame, explained_landmarks: pd.DataFrame
) -> go.Figure:
    """Draw the mean over cells of how much each channel in each time window speaks for what was forecast.

    Parameters
    ----------
    shapley
        Table `Attributions` of Shapley values, with `windows_back` and `window_h`.
    attributions
        Table of all methods; its `towards` says what was forecast of each cell.
    explained_landmarks
        Table `Landmarks` with `outcome` and `lead_time_h`: those of `shapley` at least.
    """
    title = "What the model looks at in every cell"
    if shapley.empty:
        return say_nothing(f"{title} (n = 0 cells)", "No landmark was explained.")
    rows, shown = _speak_for_forecast(shapley, attributions, explained_landmarks)
    means = rows.pivot_table(index="channel", columns="windows_back", values="value", sort=False)
    figure = go.Figure(_heat(means, window_labels(shapley, shown), list(dict.fromkeys(shapley["channel"]))))
    subtitle = (
        f"Shapley values, n = {show_count(len(shown), 'cell')}, mean: red speaks for what was forecast. "
        f"{show_percent(_common_share(rows))} of the values' variance is this mean."
    )
    figure.update_xaxes(title=window_title(shown))
    return _finish(figure, title, subtitle, _ROW_PX * max(3, len(means)))


def plot_own_values(shapley: pd.DataFrame, attributions: pd.DataFrame, explained_landmarks: pd.DataFrame) -> go.Figure:
    """Draw, for the first cells of each outcome, their values less the mean of the values of all other cells.

    Parameters
    ----------
    shapley, attributions, explained_landmarks
        As in `plot_common_values`; cells come in the order of the landmarks, which is one of chance.
    """
    title = "What is special about a cell"
    if shapley["landmark_id"].nunique() < 2:
        return say_nothing(f"{title} (n = 0 cells)", "Fewer than two cells were explained.")
    rows, shown = _speak_for_forecast(shapley, attributions, explained_landmarks)
    by_part = rows.groupby(_PARTS)["value"]
    others = (by_part.transform("sum") - rows["value"]) / (by_part.transform("size") - 1).replace(0, np.nan)
    rows = rows.assign(special=rows["value"] - others)
    outcomes, channels = list_outcomes(shown["outcome"]), list(dict.fromkeys(shapley["channel"]))
    cells = {outcome: shown.loc[shown["outcome"] == outcome, "landmark_id"].head(_CELLS_EACH) for outcome in outcomes}
    row_px = _ROW_PX * max(3, len(channels))
    inner_px = len(outcomes) * (row_px + _GAP_PX) - _GAP_PX
    figure = make_subplots(
        rows=len(outcomes), cols=_CELLS_EACH, shared_xaxes=True, shared_yaxes=True, horizontal_spacing=0.04,
        vertical_spacing=_GAP_PX / inner_px if len(outcomes) > 1 else 0.0,
        subplot_titles=[
            name for outcome in outcomes for name in _name_cells(shown, cells[outcome], outcome)
        ],
    )  # fmt: skip
    labels = window_labels(shapley, shown)
    for row, outcome in enumerate(outcomes, start=1):
        for column, landmark_id in enumerate(cells[outcome], start=1):
            of_cell = rows[rows["landmark_id"] == landmark_id]
            wide = of_cell.pivot_table(index="channel", columns="windows_back", values="special", sort=False)
            figure.add_trace(_heat(wide, labels, channels), row=row, col=column)
    subtitle = (
        f"Shapley values less the mean of the other cells (n = {show_count(len(shown), 'cell')}): red speaks more for "
        "what was forecast than there."
    )
    figure.update_xaxes(title=window_title(shown), row=len(outcomes))
    return _finish(figure, title, subtitle, inner_px)


def _speak_for_forecast(
    shapley: pd.DataFrame, attributions: pd.DataFrame, explained_landmarks: pd.DataFrame
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Values with the sign of what was forecast, and the landmarks that have some."""
    towards = attributions.groupby("landmark_id")["towards"].first()
    rows, shown = join_outcomes(shapley, explained_landmarks)
    return rows.assign(value=rows["value"] * rows["landmark_id"].map(towards)), shown


def _common_share(rows: pd.DataFrame) -> float:
    """Share of the variance of the values over cells and parts that lies in the mean of each part."""
    total = float(rows["value"].var(ddof=0))
    common = float(rows.groupby(_PARTS)["value"].transform("mean").var(ddof=0))
    return common / total if total > 0 else float("nan")


def _name_cells(shown: pd.DataFrame, chosen: pd.Series, outcome: str) -> list[str]:
    """Heads of the panels of one outcome; empty where there are fewer cells than panels."""
    names = shown.set_index("landmark_id").loc[chosen]
    heads = [f"{row.recording_id}, cell {row.cell_id}: {outcome}" for row in names.itertuples()]
    return heads + [""] * (_CELLS_EACH - len(heads))


def _heat(wide: pd.DataFrame, labels: list[str], channels: list[str]) -> go.Heatmap:
    """Heat map of channels down and windows across, the earliest first."""
    values = wide.reindex(index=channels, columns=range(len(labels))[::-1]).to_numpy(dtype=np.float64)
    return go.Heatmap(
        x=labels[::-1],
        y=channels,
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
    finish(figure, title, subtitle, inner_px=inner_px, legend_rows=0, legend_gap_px=90, left_px=100)
    return figure.update_yaxes(tickfont={"size": 11})
