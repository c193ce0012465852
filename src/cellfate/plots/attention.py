"""Attention over time: over cells, per outcome and dose, and cell by cell."""

from typing import Any, Final

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from cellfate.core.tables import EVERYTHING
from cellfate.core.words import capitalise, list_outcomes, order_doses, show_count
from cellfate.plots.aligned_time import FEWEST_CELLS, band_traces, choose_alignment, count_back, quartiles_by
from cellfate.plots.theme import COLOURS, colour_of, finish, say_nothing

BRIGHTEST_PERCENTILE: Final = 99.0
"""Percentile of attention over its even spread that is drawn darkest (percent)."""


def plot_attention(attention: pd.DataFrame, explained_landmarks: pd.DataFrame) -> go.Figure:
    """Draw attention over time: median and quartiles over cells, per outcome and dose.

    Parameters
    ----------
    attention
        Table `Attention`.
    explained_landmarks
        Table `Landmarks` with the column `outcome`: those of `attention` at least.
    """
    title = "Attention over time"
    shown = explained_landmarks[explained_landmarks["landmark_id"].isin(attention["landmark_id"])]
    if shown.empty:
        return say_nothing(f"{title} (n = 0 cells)", "The model has no attention that could be read.")
    alignment = choose_alignment(shown)
    rows = count_back(attention, shown, alignment).merge(shown[["landmark_id", "dose"]], on="landmark_id")
    lengths = rows.groupby("landmark_id")["frame"].transform("size")
    rows = rows.assign(percent=100 * rows["attention"], even=100 * (1 - rows["class_token"]) / lengths)
    most = shown.groupby("dose")["outcome"].agg(lambda outcomes: outcomes.value_counts().max())
    drawn = order_doses(most[most >= FEWEST_CELLS].index) if len(most) > 1 else []
    panels = [EVERYTHING, *drawn]
    counts = shown["dose"].value_counts()
    heads = ["All doses" if dose == EVERYTHING else f"{dose} (n = {counts[dose]})" for dose in panels]
    figure = make_subplots(cols=len(panels), shared_yaxes=True, horizontal_spacing=0.02, subplot_titles=heads)
    for column, dose in enumerate(panels, start=1):
        part = rows if dose == EVERYTHING else rows[rows["dose"] == dose]
        for position, outcome in enumerate(list_outcomes(shown["outcome"])):
            _add_outcome(figure, part[part["outcome"] == outcome], outcome, position, column)
    figure.update_xaxes(title=alignment.title.replace(" the ", "<br>the "), autorange="reversed")
    figure.update_yaxes(title="Attention of a frame (% of a cell's)", rangemode="tozero", col=1)
    token = 100 * float(attention.drop_duplicates("landmark_id")["class_token"].mean())
    kept = f"; the class token keeps {token:.1f} % on average" if token else ""
    subtitle = f"n = {show_count(len(shown), 'cell')}, median and quartiles{kept}."
    return finish(figure, title, subtitle, inner_px=280, legend_gap_px=80, legend_rows=2)


def _add_outcome(figure: go.Figure, rows: pd.DataFrame, outcome: str, position: int, column: int) -> None:
    """Add the band of one outcome, and what an even spread would give; the legend is that of the first panel."""
    table = quartiles_by(rows, "hours", "percent")
    if table.empty:
        return
    name = f"{outcome} (n = {rows['landmark_id'].nunique()})" if column == 1 else outcome
    traces = band_traces(table, name, position=position, unit="%", legend=column == 1)
    even = rows.groupby("hours")["even"].mean().reindex(table["hours"])
    dotted = go.Scatter(
        x=even.index,
        y=even,
        mode="lines",
        line={"color": colour_of(outcome, position), "dash": "dot", "width": 1.3},
        name=f"{outcome}: if spread evenly",
        showlegend=column == 1,
    )
    for trace in (*traces, dotted):
        figure.add_trace(trace.update(legendgroup=outcome), row=1, col=column)


def plot_attention_cells(attention: pd.DataFrame, explained_landmarks: pd.DataFrame) -> go.Figure:
    """Draw the attention of every cell as a row of a heat map, the longest at the top, a panel an outcome.

    Attention is drawn in units of an even spread over the frames of the cell, not rescaled per cell otherwise.

    Parameters
    ----------
    attention, explained_landmarks
        As in `plot_attention`.
    """
    title = "Attention, cell by cell"
    shown = explained_landmarks[explained_landmarks["landmark_id"].isin(attention["landmark_id"])]
    if shown.empty:
        return say_nothing(f"{title} (n = 0 cells)", "The model has no attention that could be read.")
    alignment = choose_alignment(shown)
    rows = count_back(attention, shown, alignment)
    size = rows.groupby("landmark_id")["frame"].transform("size")
    rows = rows.assign(times_even=rows["attention"] * size / (1 - rows["class_token"]).clip(lower=1e-9))
    outcomes = list_outcomes(shown["outcome"])
    counts = shown["outcome"].value_counts()
    heads = [f"{capitalise(outcome)} (n = {counts[outcome]} cells)" for outcome in outcomes]
    figure = make_subplots(cols=len(outcomes), horizontal_spacing=0.06, subplot_titles=heads)
    for column, outcome in enumerate(outcomes, start=1):
        figure.add_trace(_heat_map(rows[rows["outcome"] == outcome]), row=1, col=column)
    figure.update_xaxes(title=alignment.title, autorange="reversed")
    figure.update_yaxes(showticklabels=False, showgrid=False, autorange="reversed")
    figure.update_yaxes(title="Cells, the longest on top", col=1)
    bar: dict[str, Any] = {"title": {"text": "times an<br>even spread"}, "thickness": 12, "len": 0.9}
    highest = max(1.1, float(np.percentile(rows["times_even"], BRIGHTEST_PERCENTILE)))
    scale = [[0.0, COLOURS["marked"]], [1 / highest, "#f7f7f5"], [1.0, COLOURS["model"]]]  # 1 is neither
    figure.update_layout(coloraxis={"colorscale": scale, "cmin": 0, "cmax": highest, "colorbar": bar})
    subtitle = f"n = {show_count(len(shown), 'cell')} of the test part."
    return finish(figure, title, subtitle, inner_px=330, legend_rows=0).update_yaxes(ticks="")


def _heat_map(rows: pd.DataFrame) -> go.Heatmap:
    """Lay the cells of one outcome under each other, ordered by how long they were shown; gaps stay empty."""
    table = rows.pivot_table(index="landmark_id", columns="hours", values="times_even")
    longest_first = rows.groupby("landmark_id")["hours"].agg(np.ptp).sort_values(ascending=False, kind="stable").index
    table = table.loc[longest_first]
    return go.Heatmap(
        x=table.columns,
        y=list(range(len(table))),
        z=table.to_numpy(),
        coloraxis="coloraxis",
        customdata=np.broadcast_to(np.asarray(table.index)[:, None], table.shape),
        hovertemplate="%{customdata}, %{x:.1f} h before: %{z:.2f} times an even spread<extra></extra>",
        hoverongaps=False,
    )
