"""What really became of the cells by dose, and what was forecast for them."""

from typing import Any, Final

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from cellfate.core.amounts import read_amount
from cellfate.core.predictors import BLEND, NETWORK, label_predictor, order_predictors
from cellfate.core.tables import EVERYTHING
from cellfate.core.words import (
    HAPPENED,
    capitalise,
    list_events,
    name_dose,
    order_doses,
    show_count,
    write_hours,
)
from cellfate.plots.theme import (
    COLOURS,
    colour_of,
    colour_predictor,
    finish,
    make_grid,
    say_nothing,
    translucent,
    whiskers,
)

_DOSES: Final = {
    "Control": "#8a8f98",
    "Low": "#c9a227",
    "Medium": "#b56576",
    "High": "#6a4c93",
    EVERYTHING: COLOURS["model"],
}
"""Colours of doses, none that of a fate; other doses have colours by their place."""
_OTHERS: Final = ("#588157", "#b08968", "#9d4edd", "#4f772d", "#1f2933", "#c9a227", "#7fb7be", "#b56576")
_N_TICKS: Final = 5
_LINE_SHARE: Final = 0.07
"""Height of a line of numbers under the curves, as a share of the curves' height."""
_LEAST_TOP: Final = 0.05
"""Least end of an axis of shares: smaller ones would look as if they were something."""
_PANEL_PX: Final = 240
_GAP_PX: Final = 110
_MANY_DOSES: Final = 5
"""From so many bars in a panel on, their names are small: turned ones would reach into the next panel."""


def _list_doses(rows: pd.DataFrame) -> list[str]:
    """List doses from low to high, and last all of them together, where there is more than one."""
    doses = order_doses(rows["dose"])
    return doses[:1] if len(doses) == 2 and EVERYTHING in doses else doses


def _colour_dose(dose: str, position: int) -> str:
    """Colour of a dose by name; of one that is not known by its place."""
    return _DOSES.get(dose, _OTHERS[position % len(_OTHERS)])


def plot_conditions(condition_incidence: pd.DataFrame) -> go.Figure:
    """Draw the share of cells that met each event by each hour of the recordings, by condition and dose.

    Parameters
    ----------
    condition_incidence
        Table `ConditionIncidence`.

    Returns
    -------
    plotly.graph_objects.Figure
        One panel an event, one colour a condition and dose, bands are intervals; under the curves the cells still
        watched.
    """
    curves = condition_incidence["curve"].drop_duplicates().to_list()
    title = "Observed incidence of each event (Aalen-Johansen)"
    events = list_events(condition_incidence["outcome"])
    if not events:
        return say_nothing(f"{title} (n = 0 cells)", "No cell met an event.")
    heads = [f"Cells that {HAPPENED[event]}" for event in events]
    figure = make_subplots(1, len(events), subplot_titles=heads, horizontal_spacing=0.1)
    for column, event in enumerate(events, start=1):
        of_event = condition_incidence[condition_incidence["outcome"] == event]
        top = _find_top(of_event, "incidence")
        for position, curve in enumerate(curves):
            rows = of_event[of_event["curve"] == curve].sort_values("time_h")
            _add_steps(figure, rows, curve, _colour_dose(curve, position), column)
            _add_at_risk(figure, rows, _colour_dose(curve, position), -top * (0.1 + _LINE_SHARE * position), column)
        marks = [mark for mark in np.arange(0, 1.01, 0.2 if top > 0.45 else 0.05).round(2).tolist() if mark <= top]
        limits = [-top * (0.1 + _LINE_SHARE * len(curves)), top]
        figure.update_yaxes(title_text="Share of cells (0 to 1)", range=limits, tickvals=marks, row=1, col=column)
    since = condition_incidence["since"].iloc[0]
    last_h = float(condition_incidence["time_h"].max())
    figure.update_xaxes(title_text=f"Time since the {since} (h)", range=[0, 1.03 * last_h or 1])
    n_cells = condition_incidence.groupby("curve")["n_cells"].max().sum()
    subtitle = f"All parts, n = {show_count(n_cells, 'cell')}; bands are intervals; below: cells watched at that hour."
    return finish(figure, title, subtitle, inner_px=380, legend_rows=2)


def _count_cells(rows: pd.DataFrame) -> str:
    """Write the cells and groups of all doses together."""
    by_dose = rows.groupby("dose")[["n_cells", "n_groups"]].max()
    totals = by_dose[by_dose.index == EVERYTHING] if EVERYTHING in by_dose.index else by_dose
    return f"n = {show_count(totals['n_cells'].sum(), 'cell')} in {show_count(totals['n_groups'].sum(), 'group')}"


def _find_top(rows: pd.DataFrame, column: str) -> float:
    """Choose the end of an axis from 0 that holds all values and their intervals."""
    most = float(np.nanmax(rows[[column, "high"]].to_numpy(float), initial=_LEAST_TOP))
    return min(1.02, 1.1 * most)


def _add_steps(figure: go.Figure, rows: pd.DataFrame, dose: str, colour: str, column: int) -> None:
    """Add a curve in steps, and its interval as a band in steps; the band is left out where it is not defined."""
    look = {"mode": "lines", "legendgroup": dose, "row": 1, "col": column}
    known = rows.dropna(subset=["low", "high"])
    band = {"line": {"width": 0, "shape": "hv"}, "hoverinfo": "skip", "showlegend": False, **look}
    figure.add_scatter(x=known["time_h"], y=known["low"], **band)
    figure.add_scatter(x=known["time_h"], y=known["high"], fill="tonexty", fillcolor=translucent(colour, 0.15), **band)
    n_cells, n_groups = (int(rows[name].max()) if len(rows) else 0 for name in ("n_cells", "n_groups"))
    figure.add_scatter(
        x=rows["time_h"],
        y=rows["incidence"],
        line={"color": colour, "width": 2.2, "shape": "hv"},
        name=f"{name_dose(dose)} (n = {n_cells:,} cells, {n_groups} groups)",
        showlegend=column == 1,
        customdata=rows["n_at_risk"],
        hovertemplate="%{x:.1f} h: %{y:.3f}, %{customdata} cells still watched",
        **look,
    )


def _add_at_risk(figure: go.Figure, rows: pd.DataFrame, colour: str, y: float, column: int) -> None:
    """Write under the curves how many cells were still watched, at evenly spaced hours."""
    if rows.empty:
        return
    hours = np.linspace(0, float(rows["time_h"].max()), _N_TICKS)
    place = np.searchsorted(rows["time_h"].to_numpy(float), hours - 1e-9).clip(0, len(rows) - 1)
    figure.add_scatter(
        x=hours,
        y=[y] * len(hours),
        text=[f"{n:,}" for n in rows["n_at_risk"].to_numpy()[place]],
        mode="text",
        textposition=["middle right", *["middle center"] * (_N_TICKS - 1)],  # the first would stand on the axis
        textfont={"color": colour, "size": 11},
        hoverinfo="skip",
        showlegend=False,
        row=1,
        col=column,
    )


def plot_dose_incidence(dose_incidence: pd.DataFrame) -> go.Figure:
    """Draw the killed and the divided fraction of each dose: forecast beside observed.

    Parameters
    ----------
    dose_incidence
        Table `DoseIncidence`.

    Returns
    -------
    plotly.graph_objects.Figure
        One row of panels an event, one column a horizon. A bar is observed (Aalen-Johansen) with its interval; a dot is
        the mean forecast of a predictor: blend and network at first, references on a click in the legend.
    """
    title = "Fraction of cells by dose: forecast and observed"
    events = list_events(dose_incidence["outcome"])
    if not events:
        return say_nothing(f"{title} (n = 0 cells)", "No cell of the test part was scored.")
    horizons = sorted(set(dose_incidence["within_h"]))
    heads = [f"{capitalise(HAPPENED[event])} within {write_hours(hours)}" for event in events for hours in horizons]
    look = {"subplot_titles": heads, "horizontal_spacing": 0.08}
    figure, inner_px = make_grid(len(events), len(horizons), _PANEL_PX, _GAP_PX, **look)
    for row, event in enumerate(events, start=1):
        for column, hours in enumerate(horizons, start=1):
            is_here = (dose_incidence["outcome"] == event) & np.isclose(dose_incidence["within_h"], hours)
            _add_dose_panel(figure, dose_incidence[is_here], (row, column))
        figure.update_yaxes(title_text="Share of cells (0 to 1)", row=row, col=1)
    of_first = dose_incidence[dose_incidence["predictor"] == order_predictors(dose_incidence["predictor"])[0]]
    subtitle = f"Test part, {_count_cells(of_first)}; hours count from a cell's first landmark; lines are intervals."
    return finish(figure, title, subtitle, inner_px=inner_px, legend_gap_px=80, legend_rows=2)


def _add_dose_panel(figure: go.Figure, rows: pd.DataFrame, place: tuple[int, int]) -> None:
    if rows.empty:
        return
    where = {"row": place[0], "col": place[1]}
    predictors = order_predictors(rows["predictor"])
    doses = _list_doses(rows)
    observed = rows[rows["predictor"] == predictors[0]].set_index("dose").reindex(doses)
    figure.add_bar(
        x=list(range(len(doses))),
        y=observed["observed"],
        error_y=whiskers(observed, "observed", COLOURS["model"]),
        width=0.8,
        marker={"color": "#e3e7ec"},
        name="Observed (Aalen-Johansen)",
        legendgroup="observed",
        showlegend=place == (1, 1),
        hovertemplate="observed %{y:.3f}<extra></extra>",
        **where,
    )
    for position, predictor in enumerate(predictors):
        of_predictor = rows[rows["predictor"] == predictor].set_index("dose").reindex(doses)
        shift = (position - (len(predictors) - 1) / 2) * 0.7 / len(predictors)
        figure.add_scatter(
            x=[x + shift for x in range(len(doses))],
            y=of_predictor["forecast"],
            error_y=_forecast_whiskers(of_predictor),
            mode="markers",
            marker={"color": colour_predictor(predictor), "size": 9, "line": {"color": "white", "width": 1}},
            name=label_predictor(predictor),
            legendgroup=predictor,
            showlegend=place == (1, 1),
            visible=True if predictor in (BLEND, NETWORK) or len(predictors) == 1 else "legendonly",
            hovertemplate=f"{label_predictor(predictor)}: forecast %{{y:.3f}}<extra></extra>",
            **where,
        )
    ticks = [f"{name_dose(str(dose))}<br>n = {n:,.0f}" for dose, n in observed["n_cells"].items()]
    figure.update_xaxes(title_text="Dose (n cells)", tickvals=list(range(len(doses))), ticktext=ticks, **where)
    figure.update_xaxes(tickangle=0, tickfont={"size": 11 if len(doses) < _MANY_DOSES else 9}, **where)
    figure.update_yaxes(range=[0, max(_find_top(rows, "observed"), _find_top(rows, "forecast"))], **where)


def _forecast_whiskers(rows: pd.DataFrame) -> dict[str, object] | None:
    """Intervals of the mean forecasts; None in tables of earlier versions."""
    if "forecast_low" not in rows:
        return None
    ends = {"forecast_low": "low", "forecast_high": "high"}
    return whiskers(rows.drop(columns=["low", "high"]).rename(columns=ends), "forecast")


def plot_dose_response(dose_response: pd.DataFrame, condition_summary: pd.DataFrame) -> go.Figure:
    """Draw the incidence observed at each dose, and the log-logistic curve through it.

    Parameters
    ----------
    dose_response, condition_summary
        Tables `DoseResponse` and `ConditionSummary`.

    Returns
    -------
    plotly.graph_objects.Figure
        One panel an event, one colour a condition; a band across marks the interval of the half-way dose. Cells without
        treatment stand at the left edge of the axis, which is logarithmic.
    """
    title = "Response to the dose"
    events = list_events(dose_response["outcome"])
    if not events:
        return say_nothing(f"{title} (n = 0 doses)", "No condition was given in four doses.")
    heads = [f"Cells that {HAPPENED[event]}" for event in events]
    figure = make_subplots(1, len(events), subplot_titles=heads, horizontal_spacing=0.1)
    for column, event in enumerate(events, start=1):
        fits = dose_response[dose_response["outcome"] == event]
        for position, (_, fit) in enumerate(fits.iterrows()):
            _add_response(figure, fit, condition_summary, colour_of(str(fit["condition"]), position), column)
        figure.update_yaxes(title_text="Share of cells (0 to 1)", rangemode="tozero", row=1, col=column)
    units = sorted(set(dose_response["unit"]) - {""})
    figure.update_xaxes(title_text=f"Dose ({', '.join(units)})" if units else "Dose", type="log")
    by_h = write_hours(float(dose_response["by_h"].max()))
    n = f"n = {show_count(dose_response['n_cells'].max(), 'cell')}"
    return finish(
        figure, title, f"Observed by {by_h}, {n}; lines are intervals, shaded that of the half-way dose.", inner_px=320
    )


def _add_response(figure: go.Figure, fit: "pd.Series[Any]", summary: pd.DataFrame, colour: str, column: int) -> None:
    """Add the points and the curve of one condition."""
    points = summary[summary["outcome"] == fit["outcome"]]
    points = points.assign(amount=[read_amount(dose, str(fit["unit"])) for dose in points["dose"]])
    ours = (points["condition"] == fit["condition"]) | (fit["condition"] == EVERYTHING) | (points["amount"] == 0)
    points = points[ours & points["amount"].notna()]
    given = points.loc[points["amount"] > 0, "amount"]
    if given.empty:
        return
    edge = float(given.min()) / 10
    amounts = np.geomspace(edge, float(given.max()) * 2, 100)
    half = fit["middle"]
    share = fit["bottom"] + (fit["top"] - fit["bottom"]) / (1 + (half / amounts) ** fit["slope"])
    name = "all" if fit["condition"] == EVERYTHING else str(fit["condition"])
    look = {"legendgroup": name, "row": 1, "col": column}
    figure.add_scatter(x=amounts, y=share, mode="lines", line={"color": colour}, name=name, showlegend=False, **look)
    figure.add_scatter(
        x=points["amount"].clip(lower=edge),
        y=points["incidence"],
        error_y=whiskers(points, "incidence", colour),
        mode="markers",
        marker={"color": colour, "size": 9},
        name=name,
        showlegend=column == 1,
        customdata=points["dose"],
        hovertemplate="%{customdata}: %{y:.3f}<extra></extra>",
        **look,
    )
    if pd.notna(fit["half_low"]) and pd.notna(fit["half_high"]):
        band = {"fillcolor": translucent(colour, 0.12), "line_width": 0, "row": 1, "col": column}
        figure.add_vrect(x0=fit["half_low"], x1=fit["half_high"], **band)
