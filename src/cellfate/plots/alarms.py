"""Alarms: on the tracks of single cells, what they catch at every threshold, and what acting on them is worth."""

from collections.abc import Collection
from typing import Final

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from cellfate.core.fates import ANSWERS, CENSORED, EVENTS, FALSE, RIGHT, UNKNOWN
from cellfate.core.predictors import choose_leading, label_predictor, order_predictors
from cellfate.core.tables import CELL, EVERYTHING
from cellfate.core.words import capitalise, list_events, show_count, write_hours
from cellfate.plots.theme import COLOURS, INTERVAL, at_question, band, colour_predictor, finish, make_grid, say_nothing

MOST_CELLS: Final = 60
"""A panel of more cells is thinned to so many."""
SYMBOLS: Final = {RIGHT: "circle", FALSE: "x", UNKNOWN: "circle-open"}
_ANSWERS: Final = {
    RIGHT: "right: the event followed in time",
    FALSE: "false: it did not",
    UNKNOWN: "not known: not watched for so long",
}
_TRACK: Final = "#d5dbe2"
_ROW_PX: Final = 7
_PANEL_PX: Final = 330
_GAP_PX: Final = 90
_DOTTED: Final = {"dash": "dot", "color": COLOURS["reference"], "width": 1.5}
_FALSE: Final = "False alarms in 100 hours of forecasts of a cell"
_NOBODY: Final = "No cell of the test part was forecast at frames on end."


def plot_alarms(
    alarms: pd.DataFrame,
    forecasts: pd.DataFrame,
    follow_ups: pd.DataFrame,
    within_h: float,
    events: Collection[str] = EVENTS,
) -> go.Figure:
    """Draw the alarms of the leading predictor on the tracks of the tested cells, one row a cell.

    Parameters
    ----------
    alarms, forecasts, follow_ups
        Tables `Alarms`, `Forecasts` and `FollowUps`.
    within_h
        Hours within which an alarm must come true.
    events
        Events whose cells and alarms are drawn.

    Returns
    -------
    plotly.graph_objects.Figure
        A panel for the cells of each fate, their ends at the right edge: of an event, or where the cell was last seen.
        A line is the time in which the cell is forecast. Alarms have the colour of their event, and a symbol for what
        came of them. Cells with an alarm come first, the earliest on top; of more than `MOST_CELLS` every n-th is
        drawn.
    """
    title = "Alarms, cell by cell"
    tracks = _list_tracks(forecasts, follow_ups, within_h)
    fates = [fate for fate in (*list_events(events), CENSORED) if fate in set(tracks["fate"])]
    if not fates:
        return say_nothing(f"{title} (n = 0 cells)", _NOBODY)
    leading = tracks["predictor"].iloc[0]
    raised = alarms[(alarms["predictor"] == leading) & alarms["outcome"].isin(list(events))]
    panels = {fate: _choose_cells(tracks[tracks["fate"] == fate], raised) for fate in fates}
    heads = [_head(fate, tracks, panels[fate]) for fate in fates]
    figure = make_subplots(1, len(fates), subplot_titles=heads, horizontal_spacing=0.05)
    for column, cells in enumerate(panels.values(), start=1):
        _add_tracks(figure, cells, column)
        _add_alarms(figure, cells.merge(raised, on=CELL, suffixes=("", "_of_alarm")), column)
    _name_alarms(figure, raised)
    figure.update_xaxes(title_text="Time before the end (h)", autorange="reversed", showgrid=False)
    figure.update_yaxes(title_text="Cells, the earliest alarm on top", row=1, col=1)
    n_rows = max(len(cells) for cells in panels.values())
    figure.update_yaxes(showticklabels=False, showgrid=False, range=[n_rows, -1])
    counts = raised["answer"].value_counts()
    said = ", ".join(f"{int(counts.get(answer, 0)):,} {words.split(':')[0]}" for answer, words in _ANSWERS.items())
    subtitle = (
        f"n = {show_count(len(tracks), 'cell')} of the test part, {label_predictor(leading)}; "
        f"{show_count(len(raised), 'alarm')} ({said}). The end is the event or, without one, where the cell was last "
        f"seen; an alarm must come true within {write_hours(within_h)}."
    )
    finish(figure, title, subtitle, inner_px=max(200, _ROW_PX * (n_rows + 1)), legend_rows=2)
    return figure.update_yaxes(ticks="", showline=False)


def _list_tracks(forecasts: pd.DataFrame, follow_ups: pd.DataFrame, within_h: float) -> pd.DataFrame:
    """One row a tested cell that the leading predictor forecasts: its end, and from when to when it is forecast (h)."""
    tested = at_question(forecasts[forecasts["part"] == "test"], within_h)
    tested = tested[tested["predictor"] == choose_leading(tested["predictor"])]
    spans = tested.groupby(["predictor", *CELL])["frame"].agg(["min", "max"]).reset_index()
    cells = spans.merge(follow_ups[[*CELL, "fate", "end_frame", "frame_interval_min"]], on=CELL, validate="one_to_one")
    frame_h = cells["frame_interval_min"] / 60
    return cells.assign(
        from_h=(cells["end_frame"] - cells["min"]) * frame_h,
        to_h=(cells["end_frame"] - cells["max"]) * frame_h,
        frame_h=frame_h,
    )


def _choose_cells(tracks: pd.DataFrame, raised: pd.DataFrame) -> pd.DataFrame:
    """Put cells in order, those whose first alarm comes earliest before the end first; add `row`; thin them."""
    first = raised.groupby(CELL)["frame"].min().rename("first_alarm").reset_index()
    cells = tracks.merge(first, on=CELL, how="left")
    cells = cells.assign(alarm_h=(cells["end_frame"] - cells["first_alarm"]) * cells["frame_h"])
    cells = cells.sort_values(["alarm_h", "from_h", *CELL], ascending=[False, False, True, True])
    every = -(-len(cells) // MOST_CELLS)
    thinned = cells.iloc[:: max(1, every)].reset_index(drop=True)
    return thinned.assign(row=np.arange(len(thinned)))


def _head(fate: str, tracks: pd.DataFrame, drawn: pd.DataFrame) -> str:
    n_cells = int((tracks["fate"] == fate).sum())
    thinned = f", {len(drawn)} drawn" if len(drawn) < n_cells else ""
    name = "No event seen" if fate == CENSORED else capitalise(fate)
    return f"{name} (n = {n_cells:,}{thinned})"


def _add_tracks(figure: go.Figure, cells: pd.DataFrame, column: int) -> None:
    """Add a line for the time in which each cell is forecast, and a tick at its end in the colour of its fate."""
    spans = cells[["from_h", "to_h"]].assign(gap=np.nan).to_numpy().ravel()
    figure.add_scatter(
        x=spans,
        y=np.repeat(cells["row"], 3),
        mode="lines",
        line={"color": _TRACK, "width": 2.5},
        hoverinfo="skip",
        showlegend=False,
        row=1,
        col=column,
    )
    figure.add_scatter(
        x=np.zeros(len(cells)),
        y=cells["row"],
        mode="markers",
        marker={"symbol": "line-ns-open", "size": 6, "color": COLOURS[cells["fate"].iloc[0]], "line": {"width": 2}},
        text=cells["recording_id"] + ", cell " + cells["cell_id"].astype(str),
        hovertemplate="%{text}<extra></extra>",
        showlegend=False,
        row=1,
        col=column,
    )


def _add_alarms(figure: go.Figure, rows: pd.DataFrame, column: int) -> None:
    for (event, answer), of_kind in rows.groupby(["outcome", "answer"]):
        figure.add_scatter(
            x=(of_kind["end_frame"] - of_kind["frame"]) * of_kind["frame_h"],
            y=of_kind["row"],
            mode="markers",
            marker=_mark(str(event), str(answer)),
            text=of_kind["recording_id"] + ", cell " + of_kind["cell_id"].astype(str),
            customdata=of_kind["incidence"],
            hovertemplate=f"%{{text}}: {event}, %{{customdata:.2f}}, %{{x:.1f}} h before the end<extra></extra>",
            showlegend=False,
            row=1,
            col=column,
        )


def _mark(event: str, answer: str) -> dict[str, object]:
    open_px = 1.5 if answer == UNKNOWN else 0
    return {"symbol": SYMBOLS[answer], "size": 8, "color": COLOURS[event], "line": {"width": open_px}}


def _name_alarms(figure: go.Figure, raised: pd.DataFrame) -> None:
    """Name in the legend every event and answer that there is."""
    for event in list_events(raised["outcome"]):
        found = set(raised.loc[raised["outcome"] == event, "answer"])
        for answer in (answer for answer in ANSWERS if answer in found):
            name = f"alarm of {event}, {_ANSWERS[answer]}"
            figure.add_scatter(x=[None], y=[None], mode="markers", marker=_mark(event, answer), name=name, row=1, col=1)


def plot_alarm_curves(alarm_summary: pd.DataFrame, within_h: float) -> go.Figure:
    """Draw what alarms catch and how often they are right, at every threshold; the chosen one is marked.

    Parameters
    ----------
    alarm_summary
        Table `AlarmSummary`.
    within_h
        Hours within which an alarm must come true.

    Returns
    -------
    plotly.graph_objects.Figure
        A row of panels an event: left the share of events foretold against false alarms in 100 hours, right the share
        of alarms that is right against the threshold. Dots are the threshold that the costs give, with intervals.
    """
    title = "What alarms catch, and how often they are right"
    rows = alarm_summary[alarm_summary["condition"] == EVERYTHING]
    events = list_events(rows["outcome"])
    if not events:
        return say_nothing(f"{title} (n = 0 cells)", _NOBODY)
    figure, inner_px = make_grid(len(events), 2, _PANEL_PX, _GAP_PX, horizontal_spacing=0.1)
    for row, event in enumerate(events, start=1):
        for predictor in order_predictors(rows["predictor"]):
            part = rows[(rows["outcome"] == event) & (rows["predictor"] == predictor)]
            _add_points(figure, _pair(part, "false_per_100_h", "share_foretold"), predictor, (row, 1))
            _add_points(figure, _pair(part, None, "predictive_value"), predictor, (row, 2))
        limits = [float(rows["threshold"].min()), float(rows["threshold"].max())]
        figure.add_scatter(
            x=limits, y=limits, mode="lines", line=_DOTTED, hoverinfo="skip", showlegend=False, row=row, col=2
        )
        figure.update_xaxes(title_text=_FALSE, rangemode="tozero", row=row, col=1)
        figure.update_yaxes(title_text=f"Share of {event} foretold (0 to 1)", row=row, col=1)
        figure.update_xaxes(title_text="Threshold", row=row, col=2)
        figure.update_yaxes(title_text=f"Share of alarms of {event} right (0 to 1)", row=row, col=2)
    figure.update_yaxes(range=[-0.02, 1.02])
    chosen = rows.loc[rows["chosen"], "threshold"].iloc[0]
    behind = rows[rows["metric"] == "share_foretold"].groupby("outcome")["n"].max().reindex(events)
    counts = "; ".join(f"{int(n):,} cells with {event}" for event, n in behind.items())
    subtitle = (
        f"n = {show_count(rows['n_cells'].max(), 'cell')} of the test part ({counts}). Lines run through the "
        f"thresholds; dots: {chosen:.2g}, which the costs give. An alarm is right if the event follows within "
        f"{write_hours(within_h)}. Dotted: as many right as the threshold says."
    )
    return finish(figure, title, subtitle, inner_px=inner_px, legend_rows=2, heads=False)


def _pair(rows: pd.DataFrame, across: str | None, up: str) -> pd.DataFrame:
    """One row a threshold: `x` (another measure, or the threshold) and `y`, with the ends of both intervals."""
    by_threshold = rows[rows["metric"] == up].set_index("threshold").sort_index()
    pairs = by_threshold[["estimate", "low", "high", "chosen"]].rename(columns={"estimate": "y"})
    if across is None:
        return pairs.assign(x=pairs.index, x_low=np.nan, x_high=np.nan).reset_index()
    other = rows[rows["metric"] == across].set_index("threshold")
    return pairs.assign(x=other["estimate"], x_low=other["low"], x_high=other["high"]).reset_index()


def _add_points(figure: go.Figure, pairs: pd.DataFrame, predictor: str, place: tuple[int, int]) -> None:
    colour, where = colour_predictor(predictor), {"row": place[0], "col": place[1]}
    figure.add_scatter(
        x=pairs["x"],
        y=pairs["y"],
        mode="lines",
        line={"color": colour, "width": 2},
        name=label_predictor(predictor),
        legendgroup=predictor,
        showlegend=place == (1, 1),
        text=pairs["threshold"],
        hovertemplate="threshold %{text:.3g}: %{y:.2f} at %{x:.2f}",
        **where,
    )
    dot = pairs[pairs["chosen"]]
    bars = {"type": "data", "symmetric": False, "color": colour, "thickness": 1.4, "width": 0}
    figure.add_scatter(
        x=dot["x"],
        y=dot["y"],
        error_y={**bars, "array": dot["high"] - dot["y"], "arrayminus": dot["y"] - dot["low"]},
        error_x={**bars, "array": dot["x_high"] - dot["x"], "arrayminus": dot["x"] - dot["x_low"]},
        mode="markers",
        marker={"color": colour, "size": 10},
        legendgroup=predictor,
        showlegend=False,
        hovertemplate="the chosen threshold: %{y:.2f}<extra></extra>",
        **where,
    )


def plot_net_benefit(net_benefit: pd.DataFrame) -> go.Figure:
    """Draw decision curves: the net benefit of acting on forecasts at every threshold, of acting always and never.

    Parameters
    ----------
    net_benefit
        Table `NetBenefit`.

    Returns
    -------
    plotly.graph_objects.Figure
        A panel an event, benefits in 100 forecasts; with the interval of the leading predictor.
    """
    title = "Decision curve: what acting on the forecasts is worth"
    rows = net_benefit[net_benefit["condition"] == EVERYTHING]
    rows = rows.assign(**{name: 100 * rows[name] for name in ("net_benefit", "low", "high", "for_all")})
    events = list_events(rows.loc[rows["net_benefit"].notna(), "outcome"])
    if not events:
        return say_nothing(f"{title} (n = 0 forecasts)", _NOBODY)
    figure = make_subplots(1, max(2, len(events)), horizontal_spacing=0.1)
    for column, event in enumerate(events, start=1):
        of_event = rows[rows["outcome"] == event]
        _add_benefits(figure, of_event, column)
        top = max(float(of_event[["net_benefit", "high", "for_all"]].max().max()), 0.1)
        name = f"Net benefit, {event}, in 100 forecasts"
        figure.update_yaxes(title_text=name, range=[-top, 1.05 * top], row=1, col=column)
        figure.update_xaxes(title_text="Threshold", row=1, col=column)
    subtitle = (
        f"n = {show_count(rows['n_forecasts'].max(), 'forecast')} of test cells at frames on end, at most "
        f"{show_count(rows['n_groups'].max(), 'group')}. Right flags less wrong ones, each counted t / (1 - t) "
        "at the threshold t. Vertical: the threshold that the costs give."
    )
    return finish(figure, title, subtitle, inner_px=_PANEL_PX, legend_rows=2, heads=False)


def _add_benefits(figure: go.Figure, rows: pd.DataFrame, column: int) -> None:
    where = {"row": 1, "col": column}
    leading = choose_leading(rows["predictor"])
    of_leading = rows[rows["predictor"] == leading].sort_values("threshold")
    figure.add_trace(
        band(of_leading["threshold"], of_leading["low"], of_leading["high"], colour_predictor(str(leading))), **where
    )
    for predictor in order_predictors(rows["predictor"]):
        part = rows[rows["predictor"] == predictor].sort_values("threshold")
        look = {"color": colour_predictor(predictor), "width": 2.4 if predictor == leading else 1.5}
        _add_line(figure, part, "net_benefit", label_predictor(predictor), look, column)
    _add_line(figure, of_leading, "for_all", "acting always", {"color": INTERVAL, "dash": "dash"}, column)
    nothing = of_leading.assign(nothing=0.0)
    _add_line(figure, nothing, "nothing", "acting never", {"color": COLOURS["model"], "width": 1}, column)
    figure.add_vline(x=float(rows.loc[rows["chosen"], "threshold"].iloc[0]), line=_DOTTED, **where)


def _add_line(
    figure: go.Figure, rows: pd.DataFrame, value: str, name: str, look: dict[str, object], column: int
) -> None:
    figure.add_scatter(
        x=rows["threshold"],
        y=rows[value],
        mode="lines",
        line=look,
        name=name,
        legendgroup=name,
        showlegend=column == 1,
        hovertemplate="%{y:.2f} at threshold %{x:.3g}",
        row=1,
        col=column,
    )
