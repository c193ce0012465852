"""A few families as trees in time: who descends from whom, how each ended, and what was forecast on the way."""

from collections.abc import Collection, Iterator
from typing import Final

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from cellfate.core.fates import EVENTS, probability_column
from cellfate.core.predictors import choose_leading, label_predictor
from cellfate.core.tables import CELL
from cellfate.core.words import capitalise, list_events, show_count, write_hours
from cellfate.plots.theme import COLOURS, at_question, finish, make_grid, say_nothing

MOST_FAMILIES: Final = 4
LEAST_CELLS: Final = 3
"""A family of fewer cells, less than a mother and two daughters, is no tree."""
MOST_CELLS: Final = 31
"""A family of more cells, five generations, would be too dense to read."""
_LEAF_PX: Final = 16
_LEAST_PX: Final = 130
_GAP_PX: Final = 95
_SCALE: Final = [[0.0, "#f0e6c0"], [0.35, "#e0bf55"], [0.7, "#8d4f63"], [1.0, "#1f2933"]]
_ENDS: Final = {"apoptosis": "x", "mitosis": "diamond", "censored": "circle-open", "unscored": "circle-open"}
Family = tuple[str, str]
"""Recording and lineage."""


def plot_families(
    forecasts: pd.DataFrame,
    cells: pd.DataFrame,
    recordings: pd.DataFrame,
    within_h: float,
    events: Collection[str] = EVENTS,
) -> go.Figure:
    """Draw the largest families of the test part as trees, coloured by forecast.

    Parameters
    ----------
    forecasts
        Table `Forecasts`; the test part of the leading predictor is drawn.
    cells, recordings
        Tables `Cells` and `Recordings`.
    within_h
        Horizon of the forecast, in hours after the frame.
    events
        Events that are shown; death is drawn where it is among them, else the first.

    Returns
    -------
    plotly.graph_objects.Figure
        A panel a family: those in which most different events were met first, then those of most cells.
    """
    shown = [event for event in list_events(events) if probability_column(event) in forecasts]
    title = f"Families, by the forecast within {write_hours(within_h)}"
    tested = at_question(forecasts[forecasts["part"] == "test"], within_h)
    tested = tested[tested["predictor"] == choose_leading(tested["predictor"])]
    chosen = choose_families(cells, tested)
    if not chosen or not shown:
        return say_nothing(f"{title} (n = 0 families)", "No family of a mother and two daughters was forecast.")
    event = "apoptosis" if "apoptosis" in shown else shown[0]
    members = cells.merge(recordings[["recording_id", "frame_interval_min"]], on="recording_id")
    panels = [lay_out(members[_is_of(members, family)]) for family in chosen]
    panel_px = max(_LEAST_PX, _LEAF_PX * max(int(panel["row"].max()) + 1 for panel in panels))
    heads = [f"{lineage}: {show_count(len(panel), 'cell')}" for (_, lineage), panel in zip(chosen, panels, strict=True)]
    figure, inner_px = make_grid(len(panels), 1, panel_px, _GAP_PX, subplot_titles=heads, shared_xaxes=True)
    figure.update_xaxes(showticklabels=True).update_yaxes(ticks="")
    told: set[str] = set()
    for row, panel in enumerate(panels, start=1):
        for trace in _draw(panel, tested, event, told):
            figure.add_trace(trace, row=row, col=1)
        limits = [panel["row"].max() + 0.8, -0.8]
        figure.update_yaxes(title_text="Cells", showticklabels=False, showgrid=False, range=limits, row=row, col=1)
    figure.update_xaxes(title_text="Time since the first frame (h)", row=len(panels), col=1)
    subtitle = (
        f"n = {show_count(sum(map(len, panels)), 'cell')} of {show_count(len(panels), 'family', 'families')} of the "
        f"test part, {label_predictor(str(tested['predictor'].iloc[0]))}; those with most different ends first, then "
        "the largest. A line is a cell, its daughters begin where it divides; thin grey: no forecast."
    )
    finish(figure, title, subtitle, inner_px=inner_px, left_px=40)
    bar = {"title": {"text": f"{capitalise(event)}<br>(0 to 1)"}, "thickness": 12, "len": 0.6}
    return figure.update_layout(coloraxis={"colorscale": _SCALE, "cmin": 0, "cmax": 1, "colorbar": bar})


def choose_families(cells: pd.DataFrame, tested: pd.DataFrame) -> list[Family]:
    """Choose families by how many different events they met, then by how many cells they have, then by name.

    Parameters
    ----------
    cells
        Table `Cells`.
    tested
        Rows of table `Forecasts`; families without any are not chosen, whatever is forecast in the others.
    """
    known = cells.dropna(subset=["lineage_id"])
    listed = known.assign(event=known["fate"].where(known["fate"].isin(EVENTS)))
    listed["forecast"] = pd.MultiIndex.from_frame(listed[CELL]).isin(pd.MultiIndex.from_frame(tested[CELL]))
    counted = listed.groupby(["recording_id", "lineage_id"]).agg(
        n_cells=("cell_id", "size"), n_events=("event", "nunique"), forecast=("forecast", "any")
    )
    fit = counted[counted["forecast"] & counted["n_cells"].between(LEAST_CELLS, MOST_CELLS)].reset_index()
    ordered = fit.sort_values(
        ["n_events", "n_cells", "recording_id", "lineage_id"], ascending=[False, False, True, True]
    )
    return [(str(a), str(b)) for a, b in ordered[["recording_id", "lineage_id"]].head(MOST_FAMILIES).to_numpy()]


def lay_out(family: pd.DataFrame) -> pd.DataFrame:
    """Give each cell of a family its hours and its row: daughters beside each other, a mother between hers.

    Parameters
    ----------
    family
        Rows of table `Cells`, with `frame_interval_min`.

    Returns
    -------
    DataFrame
        With `begin_h` and `end_h`, hours since the first frame, and `row`, from 0 at the top.
    """
    hours = family["frame_interval_min"] / 60
    laid = family.assign(
        begin_h=family["first_frame"] * hours,
        end_h=family["event_frame"].fillna(family["last_frame"]).astype(float) * hours,
    ).sort_values(["first_frame", "cell_id"])
    daughters = laid.groupby("parent_id")["cell_id"].apply(list).to_dict()
    rows: dict[int, float] = {}
    n_leaves = 0
    roots = laid.loc[~laid["parent_id"].isin(laid["cell_id"]), "cell_id"].tolist()
    waiting = [(cell, False) for cell in reversed(roots)]
    while waiting:
        cell, below_done = waiting.pop()
        below = daughters.get(cell, [])
        if not below:
            rows[cell], n_leaves = float(n_leaves), n_leaves + 1
        elif below_done:
            rows[cell] = float(np.mean([rows[daughter] for daughter in below]))
        else:
            waiting += [(cell, True), *((daughter, False) for daughter in reversed(below))]
    return laid.assign(row=laid["cell_id"].map(rows))


def _is_of(cells: pd.DataFrame, family: Family) -> "pd.Series[bool]":
    return (cells["recording_id"] == family[0]) & (cells["lineage_id"] == family[1])


def _draw(panel: pd.DataFrame, tested: pd.DataFrame, event: str, told: set[str]) -> Iterator[go.Scatter]:
    """Lines of the tree, forecasts on them, and the ends; a fate is in the legend once."""
    x, y = _list_corners(panel)
    line = {"color": COLOURS["censored"], "width": 1.5}
    yield go.Scatter(x=x, y=y, mode="lines", line=line, hoverinfo="skip", showlegend=False)
    about = panel[[*CELL, "row", "frame_interval_min"]]
    found = tested[[*CELL, "frame", probability_column(event)]].merge(about, on=CELL)
    yield go.Scatter(
        x=found["frame"] * found["frame_interval_min"] / 60,
        y=found["row"],
        mode="markers",
        marker={"symbol": "square", "size": 7, "color": found[probability_column(event)], "coloraxis": "coloraxis"},
        customdata=found["cell_id"],
        hovertemplate="cell %{customdata}, %{x:.1f} h: %{marker.color:.2f}<extra></extra>",
        showlegend=False,
    )
    for fate, rows in panel.groupby("fate"):
        name = str(fate)
        look = {"symbol": _ENDS[name], "size": 10, "color": COLOURS[name], "line": {"width": 1.5}}
        yield go.Scatter(
            x=rows["end_h"],
            y=rows["row"],
            mode="markers",
            marker=look,
            name=name,
            legendgroup=name,
            showlegend=name not in told,
            hovertemplate=f"{name} at %{{x:.1f}} h<extra></extra>",
        )
        told.add(name)


def _list_corners(panel: pd.DataFrame) -> tuple[list[float], list[float]]:
    """Corners of the lines of a tree: each cell, and the step to it from its mother; a NaN parts two lines."""
    cells = panel[["cell_id", "parent_id", "begin_h", "end_h", "row"]].astype("float64").to_numpy()
    ends = {cell: (end_h, row) for cell, _, _, end_h, row in cells}
    x: list[float] = []
    y: list[float] = []
    for _, parent, begin_h, end_h, row in cells:
        x, y = [*x, begin_h, end_h, np.nan], [*y, row, row, np.nan]
        if parent in ends:
            x, y = [*x, ends[parent][0], begin_h, np.nan], [*y, ends[parent][1], row, np.nan]
    return x, y
