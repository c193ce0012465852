"""One look for every figure: colours by meaning, heads with counts, intervals, legends."""

import textwrap
from typing import Any, Final

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from cellfate.core.predictors import (
    BLEND,
    BOOSTING,
    BOOSTING_ON_EMBEDDINGS,
    CLASSIFIER,
    HANDCRAFTED_AGE_AND_TIME,
    MEASUREMENTS,
    NETWORK,
    ON_OTHER_BACKGROUND,
    TRUTH,
)
from cellfate.core.words import METHODS, show_count

COLOURS: Final = {
    "apoptosis": "#c8553d",
    "mitosis": "#2a7f9e",
    "none": "#8a8f98",
    "censored": "#b9bec6",
    "unscored": "#d9cbb0",
    "marked": "#c9a227",
    "model": "#1f2933",
    "reference": "#a9b1bc",
}
"""Colour-blind safe; one colour, one meaning, in every figure."""

PREDICTOR_COLOURS: Final = {
    CLASSIFIER: "#1f2933",
    BLEND: "#6a4c93",
    NETWORK: "#a489c9",
    BOOSTING: "#588157",
    BOOSTING_ON_EMBEDDINGS: "#a3b18a",
    MEASUREMENTS: "#8a9a2b",
    HANDCRAFTED_AGE_AND_TIME: "#31572c",
    ON_OTHER_BACKGROUND: "#5b6672",
    "age_and_time": "#c9a227",
    "track_age": "#b56576",
    "recording_time": "#e0a458",
    "length_and_dose": "#7d4f2a",
    "track_length": "#b08968",
    "dose": "#8a8f98",
    "position": "#495867",
    TRUTH: "#000000",
}
"""Colour of each predictor, the same in every figure; none is the colour of a fate."""

SEQUENCE: Final = ("#1f2933", "#c9a227", "#6a4c93", "#588157", "#b56576", "#7d4f2a", "#8a8f98", "#7fb7be")
"""Colours of things that have no colour of their own (channels, folds, methods), in order; none is that of a fate."""

SIGNED: Final = [[0.0, "#2a7f9e"], [0.5, "#f7f7f5"], [1.0, "#c8553d"]]
"""Diverging scale: for the explained outcome red, against it blue."""
STRENGTH: Final = [[0.0, "#f7f7f5"], [1.0, "#1f2933"]]
"""Scale from nothing to much."""

INTERVAL: Final = "#7b8794"
"""Colour of the intervals of dots that have colours of their own."""

_UNKNOWN_PREDICTORS: Final = ("#9d4edd", "#4f772d", "#936639")
_HEAD_WIDTH: Final = 120
"""Most letters in a line under a title: more would be cut off on a narrow page."""
_LEGEND_ROW_PX: Final = 24
_TITLE: Final = {
    "x": 0,
    "xanchor": "left",
    "xref": "container",
    "y": 1,
    "yanchor": "top",
    "yref": "container",
    "pad": {"l": 12, "t": 14},
    "font": {"size": 16},
}


def colour_of(name: str, position: int = 0) -> str:
    """Colour of a fate or outcome by name; of anything else by its position."""
    return COLOURS.get(name, SEQUENCE[position % len(SEQUENCE)])


def colour_predictor(name: str) -> str:
    """Colour of a predictor; one that is not known has a colour by the letters of its name."""
    return PREDICTOR_COLOURS.get(name, _UNKNOWN_PREDICTORS[sum(map(ord, name)) % len(_UNKNOWN_PREDICTORS)])


def colour_method(method: str) -> str:
    """Colour of an attribution method: the same in every figure."""
    return SEQUENCE[list(METHODS).index(method) % len(SEQUENCE)] if method in METHODS else SEQUENCE[-1]


def translucent(colour: str, opacity: float) -> str:
    """Write a `#rrggbb` colour as `rgba(...)` with an opacity in 0..1, for interval bands."""
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red},{green},{blue},{opacity})"


def write_title(title: str, subtitle: str = "") -> str:
    """Write a title with smaller lines under it."""
    lines = textwrap.wrap(subtitle, _HEAD_WIDTH)
    return "<br>".join([title, *(f"<span style='font-size:12px'>{line}</span>" for line in lines)])


def write_counts(rows: pd.DataFrame) -> str:
    """Write the most landmarks, cells and groups that stand behind any row of a table.

    Examples
    --------
    >>> write_counts(pd.DataFrame({"n_landmarks": [120], "n_cells": [80], "n_groups": [1]}))
    'n = 120 landmarks of 80 cells in 1 group'
    """
    most = {name: 0 if rows.empty else rows[name].max() for name in rows.columns if str(name).startswith("n_")}
    of_cells = f" of {show_count(most['n_cells'], 'cell')}" if "n_cells" in most else ""
    return f"n = {show_count(most['n_landmarks'], 'landmark')}{of_cells} in {show_count(most['n_groups'], 'group')}"


def apply_theme(figure: go.Figure, *, title: str, height_px: int = 420) -> go.Figure:
    """Give a figure the house look. The figure is changed and returned."""
    figure.update_layout(
        template="plotly_white",
        title={"text": title, **_TITLE},
        font={"family": "Inter, 'Helvetica Neue', Arial, sans-serif", "size": 13, "color": "#1f2933"},
        height=height_px,
        margin={"l": 70, "r": 30, "t": 60, "b": 60},
        legend={"orientation": "h", "yanchor": "top", "y": -0.2, "x": 0},
        colorway=list(SEQUENCE),
    )
    figure.update_xaxes(showline=True, linecolor="#c3cad3", ticks="outside", zeroline=False)
    figure.update_yaxes(showline=True, linecolor="#c3cad3", ticks="outside", zeroline=False)
    return figure


def make_grid(n_rows: int, n_columns: int, panel_px: int, gap_px: int, **look: Any) -> tuple[go.Figure, int]:
    """Make a figure of rows of panels, and give the height of all rows with the gaps between them, in pixels."""
    inner_px = n_rows * panel_px + (n_rows - 1) * gap_px
    spacing = gap_px / inner_px if n_rows > 1 else 0
    return make_subplots(n_rows, n_columns, vertical_spacing=spacing, **look), inner_px


def finish(
    figure: go.Figure,
    title: str,
    subtitle: str,
    *,
    inner_px: int,
    legend_gap_px: int = 60,
    legend_rows: int = 1,
    left_px: int = 70,
    heads: bool = True,
) -> go.Figure:
    """Give a figure of panels its title, its height and a legend under its axes.

    Parameters
    ----------
    figure
        Changed and returned.
    title, subtitle
        What is shown; how much stands behind it.
    inner_px
        Height between the top of the first panel and the bottom of the last, in pixels.
    legend_gap_px
        Space under the panels for ticks and axis titles, in pixels.
    legend_rows
        Rows that the legend will need; 0: there is none.
    left_px
        Space for the ticks at the left, in pixels.
    heads
        Whether panels have heads over them.
    """
    words = write_title(title, subtitle)
    top_px = 30 + 19 * (1 + words.count("<br>")) + 22 * heads
    bottom_px = legend_gap_px + 10 + _LEGEND_ROW_PX * legend_rows
    apply_theme(figure, title=words, height_px=inner_px + top_px + bottom_px)
    margin = {"t": top_px, "b": bottom_px, "l": left_px}
    return figure.update_layout(margin=margin, legend={"y": -legend_gap_px / inner_px}, showlegend=legend_rows > 0)


def band(
    x: "pd.Series[float]",
    low: "pd.Series[float]",
    high: "pd.Series[float]",
    colour: str,
    opacity: float = 0.18,
    **look: Any,
) -> go.Scatter:
    """Fill what lies between two curves; where one is not defined the band has no corner."""
    known = low.notna() & high.notna()
    return go.Scatter(
        x=[*x[known], *x[known][::-1]],
        y=[*high[known], *low[known][::-1]],
        mode="lines",
        fill="toself",
        fillcolor=translucent(colour, opacity),
        line={"width": 0},
        hoverinfo="skip",
        showlegend=False,
        **look,
    )


def whiskers(rows: pd.DataFrame, value: str, colour: str = INTERVAL) -> dict[str, object]:
    """Interval of each row as plotly's error bars."""
    return {
        "type": "data",
        "symmetric": False,
        "array": (rows["high"] - rows[value]).to_numpy(float),
        "arrayminus": (rows[value] - rows["low"]).to_numpy(float),
        "color": colour,
        "thickness": 1.8,
        "width": 0,
    }


def at_question(rows: pd.DataFrame, within_h: float | None) -> pd.DataFrame:
    """Rows of a table about one question: what happens within so many hours or, with None, which fate comes."""
    hours = rows["within_h"]
    return rows[hours.isna() if within_h is None else np.isclose(hours.astype(float), within_h)]


def say_nothing(title: str, words: str) -> go.Figure:
    """Make a figure that says in words why there is nothing to draw; `is_empty` knows it."""
    figure = apply_theme(go.Figure(), title=title, height_px=160)
    figure.add_annotation(text=words, showarrow=False)
    return figure.update_xaxes(visible=False).update_yaxes(visible=False).update_layout(meta={"empty": True})


def is_empty(figure: go.Figure) -> bool:
    """Whether a figure only says that there is nothing to draw; a page leaves it out."""
    return bool((figure.layout.meta or {}).get("empty"))
