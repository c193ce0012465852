"""Forecasts of single cells, aligned at the event: a heat map of all cells, and commitments to the right call."""

from collections.abc import Collection, Iterable, Mapping
from typing import Final

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from numpy.typing import NDArray
from plotly.subplots import make_subplots

from cellfate.core.fates import EVENTS, NONE, probability_column
from cellfate.core.predictors import CLOCK_PREDICTORS, choose_leading, label_predictor, order_predictors
from cellfate.core.tables import CELL
from cellfate.core.words import capitalise, list_events, list_words, show_count, write_hours
from cellfate.plots.theme import COLOURS, at_question, colour_predictor, finish, make_grid, say_nothing

MOST_CELLS: Final = 400
MOST_COLUMNS: Final = 200
"""A panel of more cells, or of more steps of time, is thinned to so many."""
_GAP_PX: Final = 95
_PANEL_PX: Final = 260
_SCALE: Final = [[0.0, "#fbf7ea"], [0.35, "#e0bf55"], [0.7, "#8d4f63"], [1.0, "#1f2933"]]
_BLANK: Final = "#d5dbe2"
_MARK: Final = "diamond-open"
_NOBODY: Final = "No cell of the test part ended in an event."


def plot_forecast_heatmap(
    forecasts: pd.DataFrame, follow_ups: pd.DataFrame, within_h: float, events: Collection[str] = EVENTS
) -> go.Figure:
    """Draw the forecasts of all test cells that ended in an event, one row a cell, aligned at their event.

    Parameters
    ----------
    forecasts
        Table `Forecasts`; the test part of the leading predictor is drawn.
    follow_ups
        Table `FollowUps`.
    within_h
        Horizon of the forecast, in hours after the frame.
    events
        Events whose forecast is drawn, a row of panels each.

    Returns
    -------
    plotly.graph_objects.Figure
        One column of panels a fate, cells sorted by how long they were forecast. Frames without a forecast are grey:
        before the cell was old enough, and in the guard before the event.
    """
    title = f"Forecast of each event within {write_hours(within_h)}, cell by cell"
    rows = _align_at_event(forecasts, follow_ups, within_h)
    fates = list_events(rows["fate"])
    names = [name for name in list_events(events) if probability_column(name) in rows]
    if not fates or not names:
        return say_nothing(f"{title} (n = 0 cells)", _NOBODY)
    panels = {fate: _lay_out(rows[rows["fate"] == fate]) for fate in fates}
    heads = [f"{capitalise(name)}; {_head(fate, panels[fate])}" for name in names for fate in fates]
    look = {"subplot_titles": heads, "horizontal_spacing": 0.07}
    figure, inner_px = make_grid(len(names), len(fates), _PANEL_PX, _GAP_PX, **look)
    for row, name in enumerate(names, start=1):
        for column, fate in enumerate(fates, start=1):
            _add_heatmap(figure, panels[fate], name, (row, column))
    subtitle = (
        f"n = {show_count(len(rows.drop_duplicates(CELL)), 'cell')} of the test part, "
        f"{label_predictor(str(rows['predictor'].iloc[0]))}. Grey: no forecast, the cell is too young or so near its "
        "event that frames are not shown."
    )
    finish(figure, title, subtitle, inner_px=inner_px, legend_rows=0)
    bar = {"title": {"text": "forecast<br>(0 to 1)"}, "thickness": 12, "len": 0.6}
    axis = {"colorscale": _SCALE, "cmin": 0, "cmax": 1, "colorbar": bar}
    return figure.update_yaxes(ticks="").update_layout(coloraxis=axis, plot_bgcolor=_BLANK)


def _align_at_event(forecasts: pd.DataFrame, follow_ups: pd.DataFrame, within_h: float) -> pd.DataFrame:
    """Add fate and hours before the event to the test forecasts of the leading predictor."""
    tested = at_question(forecasts[forecasts["part"] == "test"], within_h)
    tested = tested[tested["predictor"] == choose_leading(tested["predictor"])]
    ended = follow_ups[follow_ups["fate"].isin(EVENTS) & follow_ups["event_frame"].notna()]
    rows = tested.merge(ended[[*CELL, "fate", "event_frame", "frame_interval_min"]], on=CELL, validate="many_to_one")
    frames = rows["event_frame"].astype("float64") - rows["frame"]
    return rows.assign(hours=frames * rows["frame_interval_min"] / 60)


def _lay_out(rows: pd.DataFrame) -> pd.DataFrame:
    """Add `row` (place of the cell, the longest first), `column` and `step_h` (steps of time); cells may be thinned."""
    lengths = rows.groupby(CELL)["hours"].max().reset_index().sort_values(["hours", *CELL], ascending=False)
    every = max(1, -(-len(lengths) // MOST_CELLS))
    kept = lengths[CELL].iloc[::every].reset_index(drop=True).rename_axis("row").reset_index()
    step_h = max(float(rows["frame_interval_min"].median()) / 60, float(rows["hours"].max()) / MOST_COLUMNS)
    column = (rows["hours"] / step_h).round().astype(int)
    return rows.assign(column=column, step_h=step_h, n_cells=len(lengths), every=every).merge(kept, on=CELL)


def _head(fate: str, panel: pd.DataFrame) -> str:
    every = int(panel["every"].iloc[0])
    thinned = f", 1 of {every} drawn" if every > 1 else ""
    return f"cells that ended in {fate} (n = {int(panel['n_cells'].iloc[0]):,}{thinned})"


def _add_heatmap(figure: go.Figure, panel: pd.DataFrame, name: str, place: tuple[int, int]) -> None:
    share_nt = _fill_grid(panel, probability_column(name))
    step_h = float(panel["step_h"].iloc[0])
    where = {"row": place[0], "col": place[1]}
    figure.add_heatmap(
        x=np.arange(share_nt.shape[1]) * step_h,
        y=np.arange(len(share_nt)),
        z=share_nt,
        coloraxis="coloraxis",
        hoverongaps=False,
        hovertemplate="%{x:.1f} h before the event: %{z:.2f}<extra></extra>",
        **where,
    )
    limits = [(share_nt.shape[1] - 0.5) * step_h, 0]
    figure.update_xaxes(title_text="Time before the event (h)", range=limits, showgrid=False, **where)
    title = "Cells, the longest on top" if place[1] == 1 else None
    limits = [len(share_nt) - 0.5, -0.5]
    figure.update_yaxes(title_text=title, range=limits, showticklabels=False, showgrid=False, **where)


def _fill_grid(panel: pd.DataFrame, column: str) -> NDArray[np.float32]:
    """Mean forecast by cell and step of time; NaN where there is none."""
    means = panel.groupby(["row", "column"])[column].mean()
    grid = np.full((int(panel["row"].max()) + 1, int(panel["column"].max()) + 1), np.nan, dtype=np.float32)
    grid[means.index.get_level_values("row"), means.index.get_level_values("column")] = means.round(3)
    return grid


def plot_commitments(commitments: pd.DataFrame, shuffled: pd.DataFrame, events: Collection[str] = EVENTS) -> go.Figure:
    """Draw commitments: looking back from the last frame shown, since when the call was right and stayed so.

    Parameters
    ----------
    commitments, shuffled
        Tables `Commitments`, and `ShuffledCommitments` of the same cells.
    events
        Events that are shown; cells that ended in another one are not drawn.

    Returns
    -------
    plotly.graph_objects.Figure
        One panel a fate, one colour a predictor, dashed with the frames of each cell in random order; the share is of
        all cells of that fate. Under each panel stands how many were not called right at the last frame shown, how many
        of these were called the other event, and how many were called right from their first forecast on: those are
        marked on the curve, as their commitment is earlier. Over them stands how many cells without an event are called
        one.
    """
    title = "Commitments: since when the call was right, looking back from the last frame shown"
    fates = [fate for fate in list_events(commitments["fate"]) if fate in events]
    if not fates:
        return say_nothing(f"{title} (n = 0 cells)", _NOBODY)
    predictors = choose_called(commitments["predictor"])
    n_cells = commitments.drop_duplicates(CELL).groupby("fate").size()
    heads = [f"{capitalise(fate)} (n = {n_cells[fate]:,} cells)" for fate in fates]
    figure = make_subplots(1, len(fates), subplot_titles=heads, horizontal_spacing=0.1)
    for column, fate in enumerate(fates, start=1):
        of_fate = commitments[commitments["fate"] == fate]
        hours = of_fate["hours_before_event"].dropna()
        limits_h = (float(hours.max()), float(hours.min())) if len(hours) else (1.0, 0.0)
        for predictor in predictors:
            chance = shuffled[(shuffled["fate"] == fate) & (shuffled["predictor"] == predictor)]
            _add_shuffled(figure, chance, predictor, limits_h, column)
            _add_curve(figure, of_fate[of_fate["predictor"] == predictor], predictor, limits_h, column)
        figure.add_hline(y=0.5, line={"dash": "dot", "color": COLOURS["reference"]}, row=1, col=column)
        _add_never(figure, of_fate, predictors, column)
        figure.update_xaxes(title_text="Time before the event (h)", range=[1.03 * limits_h[0], 0], row=1, col=column)
    look = {"mode": "lines", "line": {"color": COLOURS["model"], "width": 1.2, "dash": "dash"}}
    _name_in_legend(figure, "frames of each cell in random order: chance", look)
    if any(len(trace.x) for trace in figure.data if trace.mode == "markers"):
        edge = {"color": COLOURS["model"], "width": 2}
        look = {"mode": "markers", "marker": {"color": COLOURS["model"], "symbol": _MARK, "size": 9, "line": edge}}
        _name_in_legend(figure, "right from its first forecast on: since when is not known", look)
    figure.update_yaxes(title_text="Share right from then on (0 to 1)", range=[-0.02, 1.02])
    within = list_words(write_hours(hours) for hours in sorted(set(commitments["within_h"])))
    subtitle = (
        f"n = {int(n_cells.reindex(fates).sum()):,} test cells with an event; a call is the likeliest outcome within "
        f"{within}, none included. {_write_others(commitments, predictors)}"
    )
    gap_px = 80 + 17 * (len(predictors) + 1)
    legend_rows = 2 + (len(predictors) + 1) // 3
    return finish(figure, title, subtitle, inner_px=340, legend_gap_px=gap_px, legend_rows=legend_rows)


def choose_called(predictors: Iterable[str]) -> list[str]:
    """Choose the predictors whose calls are shown: those of the fate clock or, without any, all."""
    ordered = order_predictors(predictors)
    return [name for name in ordered if name in CLOCK_PREDICTORS] or ordered


def _add_curve(
    figure: go.Figure, rows: pd.DataFrame, predictor: str, limits_h: tuple[float, float], column: int
) -> None:
    """Add the share of cells, counted up from the earliest commitment of any predictor to the last one, with marks."""
    right = _select_right(rows).sort_values("hours_before_event", ascending=False)
    hours, first = right["hours_before_event"].to_numpy(float), right["from_first"].to_numpy(bool)
    share = np.arange(len(hours) + 1) / max(1, len(rows))
    colour = colour_predictor(predictor)
    figure.add_scatter(
        x=hours[first],
        y=share[1:][first],
        mode="markers",
        marker={"color": colour, "symbol": _MARK, "size": 9, "line": {"color": colour, "width": 2}},
        legendgroup=predictor,
        showlegend=False,
        hovertemplate="%{x:.1f} h before or earlier: right from its first forecast on<extra></extra>",
        row=1,
        col=column,
    )
    figure.add_scatter(
        x=[limits_h[0], *hours, limits_h[1]],
        y=[*share, share[-1]],
        mode="lines",
        line={"color": colour, "width": 2.2, "shape": "hv"},
        name=label_predictor(predictor),
        legendgroup=predictor,
        showlegend=column == 1,
        hovertemplate="%{x:.1f} h before: %{y:.2f}",
        row=1,
        col=column,
    )


def _select_right(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows of cells that were called right at the last frame shown, before an event that was seen."""
    return rows[rows["call"] == rows["fate"]].dropna(subset=["hours_before_event"])


def _add_shuffled(
    figure: go.Figure, rows: pd.DataFrame, predictor: str, limits_h: tuple[float, float], column: int
) -> None:
    """Add the mean curve of the cells with their frames in random order."""
    hours = _select_right(rows)["hours_before_event"].sort_values(ascending=False).to_numpy(float)
    within = hours[(hours <= limits_h[0]) & (hours >= limits_h[1])]
    n_before = int((hours > limits_h[0]).sum())
    share = (n_before + np.arange(len(within) + 1)) / max(1, len(rows))
    figure.add_scatter(
        x=[limits_h[0], *within, limits_h[1]],
        y=[*share, share[-1]],
        mode="lines",
        line={"color": colour_predictor(predictor), "width": 1.2, "shape": "hv", "dash": "dash"},
        legendgroup=predictor,
        showlegend=False,
        hovertemplate="%{x:.1f} h before: %{y:.2f} in random order<extra></extra>",
        row=1,
        col=column,
    )


def _write_others(commitments: pd.DataFrame, predictors: list[str]) -> str:
    """Write in how many cells without an event the call is one all the same."""
    others = commitments[~commitments["fate"].isin(EVENTS)]
    counted = [
        f"{int((others.loc[others['predictor'] == name, 'call'] != NONE).sum()):,} ({label_predictor(name)})"
        for name in predictors
    ]
    n_cells = show_count(len(others.drop_duplicates(CELL)), "cell")
    return f"Of {n_cells} without an event, called one at the last frame shown: {list_words(counted)}."


def _name_in_legend(figure: go.Figure, name: str, look: Mapping[str, object]) -> None:
    """Name what all predictors have once, in the legend."""
    figure.add_scatter(x=[None], y=[None], name=name, row=1, col=1, **look)


def _add_never(figure: go.Figure, rows: pd.DataFrame, predictors: list[str], column: int) -> None:
    """Write under a panel how many cells each predictor did not call right at the end, or did from the first on."""
    lines = ["not right at the last frame shown:"]
    for predictor in predictors:
        of_predictor = rows[rows["predictor"] == predictor]
        n_wrong = int((of_predictor["call"] != of_predictor["fate"]).sum())
        n_other = n_wrong - int((of_predictor["call"] == NONE).sum())
        n_first = int(_select_right(of_predictor)["from_first"].sum())
        marked = f"; marked: {n_first:,}" if n_first else ""
        words = (
            f"{label_predictor(predictor)}: {n_wrong:,} of {len(of_predictor):,}, {n_other:,} called the other event"
            f"{marked}"
        )
        lines.append(f"<span style='color:{colour_predictor(predictor)}'>{words}</span>")
    figure.add_annotation(
        text="<br>".join(lines),
        x=0,
        y=0,
        yshift=-62,
        xref="x domain",
        yref="y domain",
        xanchor="left",
        yanchor="top",
        align="left",
        showarrow=False,
        font={"size": 12},
        row=1,
        col=column,
    )
