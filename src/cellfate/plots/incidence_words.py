"""What the figures of the fate clock share: predictors and their colours, hours in words, heads and legends."""

from collections.abc import Iterable
from typing import Final

import pandas as pd
import plotly.graph_objects as go

from cellfate.core.fates import APOPTOSIS, EVENTS, MITOSIS
from cellfate.core.predictors import CLOCK, ENSEMBLE, TRUTH
from cellfate.plots.theme import COLOURS, apply_theme
from cellfate.plots.words import write_counts, write_title

_COLOURS: Final = {
    ENSEMBLE: COLOURS["model"],
    CLOCK: "#6a4c93",
    "handcrafted_and_age": "#588157",
    "age_and_time": "#c9a227",
    "track_age": "#b56576",
    "dose": "#8a8f98",
    TRUTH: "#7d4f2a",
}
"""Colour of each predictor, the same in every figure; none is the colour of a fate."""

_OTHERS: Final = ("#b08968", "#4f772d", "#9d4edd", "#495867")

HAPPENED: Final = {APOPTOSIS: "killed (apoptosis)", MITOSIS: "divided (mitosis)"}
"""What a cell is after an event."""

_LEGEND_ROW_PX: Final = 24


def order_predictors(predictors: Iterable[str]) -> list[str]:
    """List different predictors: ensemble, clock, known references, others by name.

    Examples
    --------
    >>> order_predictors(["dose", "clock", "mine", "clock"])
    ['clock', 'dose', 'mine']
    """
    found = set(predictors)
    return [name for name in _COLOURS if name in found] + sorted(found - set(_COLOURS))


def choose_leading(predictors: Iterable[str]) -> str:
    """Choose the predictor that a figure of one predictor shows: the ensemble, else the clock, else the first.

    Examples
    --------
    >>> choose_leading(["dose", "clock"])
    'clock'
    """
    return order_predictors(predictors)[0]


def colour_predictor(name: str) -> str:
    """Colour of a predictor of the fate clock; one that is not listed has a colour by the letters of its name."""
    return _COLOURS.get(name, _OTHERS[sum(map(ord, name)) % len(_OTHERS)])


def list_events(outcomes: Iterable[str]) -> list[str]:
    """List the events among outcomes, in their fixed order."""
    found = set(outcomes)
    return [event for event in EVENTS if event in found]


def write_hours(hours: float) -> str:
    """Write hours without needless decimals.

    Examples
    --------
    >>> write_hours(5.0), write_hours(1.3333)
    ('5 h', '1.3 h')
    """
    return f"{round(hours, 1):g} h"


def count_landmarks(rows: pd.DataFrame) -> str:
    """Write the most landmarks, cells and groups that stand behind any of the rows."""
    n_cells = int(rows["n_cells"].max()) if "n_cells" in rows else None
    return write_counts(int(rows["n_samples"].max()), int(rows["n_groups"].max()), n_cells, what="landmarks")


def whiskers(rows: pd.DataFrame, value: str, colour: str) -> dict[str, object]:
    """Interval of each row as plotly's error bars."""
    return {
        "type": "data",
        "symmetric": False,
        "array": (rows["high"] - rows[value]).to_numpy(),
        "arrayminus": (rows[value] - rows["low"]).to_numpy(),
        "color": colour,
        "thickness": 1.8,
        "width": 0,
    }


def finish(
    figure: go.Figure, title: str, subtitle: str, *, inner_px: int, legend_gap_px: int = 60, legend_rows: int = 1
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
    """
    top_px, bottom_px = 100, legend_gap_px + 10 + _LEGEND_ROW_PX * legend_rows
    apply_theme(figure, title=write_title(title, subtitle), height_px=inner_px + top_px + bottom_px)
    figure.update_layout(margin={"t": top_px, "b": bottom_px}, legend={"y": -legend_gap_px / inner_px})
    return figure.update_layout(title={"y": 1, "yanchor": "top", "yref": "container", "pad": {"l": 12, "t": 14}})
