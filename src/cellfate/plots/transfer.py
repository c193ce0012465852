"""Whether forecasts hold for cells like those that tested: observed over expected and slope, between their limits."""

from typing import Final

import pandas as pd
import plotly.graph_objects as go

from cellfate.core.predictors import choose_leading, label_predictor
from cellfate.core.words import (
    EMPTY,
    TRANSFER_LIMITS,
    capitalise,
    label_metric,
    list_events,
    name_dose,
    order_doses,
    show_count,
    write_hours,
)
from cellfate.plots.theme import COLOURS, at_question, colour_of, finish, make_grid, say_nothing, translucent, whiskers

_SLOT_PX: Final = 34
_TITLE: Final = "Do forecasts hold where they were tested?"


def plot_transfer(transfer: pd.DataFrame, headline_h: float) -> go.Figure:
    """Draw observed over expected and calibration slope of the leading predictor, of all test cells and by condition.

    Parameters
    ----------
    transfer
        Table `Transfer`.
    headline_h
        Hours within which the events happen.

    Returns
    -------
    plotly.graph_objects.Figure
        One row of panels an event, one row a condition; shaded is what lies within the limits.
    """
    rows = at_question(transfer, headline_h)
    rows = rows[rows["predictor"] == choose_leading(rows["predictor"])]
    rows = rows[rows[list(TRANSFER_LIMITS)].notna().any(axis=1)]
    if rows.empty:
        return say_nothing(f"{_TITLE} (n = 0 landmarks)", "Of no event can it be said how much was forecast.")
    events, conditions = list_events(rows["outcome"]), _order(rows)
    panel_px = max(110, _SLOT_PX * len(conditions))
    figure, inner_px = make_grid(len(events), len(TRANSFER_LIMITS), panel_px, 90, horizontal_spacing=0.06)
    for number, event in enumerate(events, start=1):
        of_event = rows[rows["outcome"] == event].set_index("condition").reindex(conditions)
        for column, metric in enumerate(TRANSFER_LIMITS, start=1):
            _add_panel(figure, of_event, metric, event, (number, column))
    widest = rows[rows["kind"] == "all"]
    n_landmarks, n_groups = (int(widest[name].max()) for name in ("n_landmarks", "n_groups"))
    counted = f"{show_count(n_landmarks, 'landmark')} in {show_count(n_groups, 'group')}"
    predictor = label_predictor(str(rows["predictor"].iloc[0]))
    subtitle = f"{predictor}, n = {counted}. Lines are intervals, shaded the limits; open: cannot be told."
    title = f"{_TITLE} Events within {write_hours(headline_h)}"
    return finish(figure, title, subtitle, inner_px=inner_px, legend_rows=0, left_px=150, heads=False)


def _order(rows: pd.DataFrame) -> list[str]:
    """All cells first, then doses from low to high, then recordings."""
    found = {str(kind): set(part["condition"].astype(str)) for kind, part in rows.groupby("kind")}
    doses = order_doses(found.get("dose", set()))
    return [*found.get("all", ()), *doses, *sorted(found.get("recording", set()))]


def _add_panel(figure: go.Figure, rows: pd.DataFrame, metric: str, event: str, place: tuple[int, int]) -> None:
    """Add one score of an event, a row a condition."""
    where = {"row": place[0], "col": place[1]}
    shown = rows.rename(columns={f"{metric}_low": "low", f"{metric}_high": "high"})
    fills = ["white" if verdict == "cannot be told" else colour_of(event) for verdict in shown["verdict"]]
    figure.add_scatter(
        x=shown[metric],
        y=list(range(len(shown))),
        error_x=whiskers(shown, metric),
        mode="markers",
        marker={"color": fills, "size": 9, "line": {"color": colour_of(event), "width": 1.8}},
        showlegend=False,
        customdata=shown[["low", "high", "n_event_groups", "verdict"]].astype(object).fillna(EMPTY),
        hovertemplate="%{x:.2f} (%{customdata[0]:.2f} to %{customdata[1]:.2f}), %{customdata[2]} groups: "
        "%{customdata[3]}<extra></extra>",
        **where,
    )
    least, most = TRANSFER_LIMITS[metric]
    figure.add_vrect(x0=least, x1=most, fillcolor=translucent(COLOURS["reference"], 0.2), line_width=0, **where)
    figure.add_vline(x=1, line={"dash": "dot", "color": COLOURS["reference"]}, **where)
    figure.update_xaxes(title_text=label_metric(metric, event), **where)
    names = [capitalise(name_dose(str(condition))) for condition in shown.index]
    ticks = {"tickvals": list(range(len(names))), "ticktext": names if place[1] == 1 else [""] * len(names)}
    figure.update_yaxes(range=[len(names) - 0.5, -0.5], showgrid=False, **ticks, **where)
