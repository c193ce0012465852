"""What really became of the cells by dose, and what was forecast for them."""

from collections.abc import Iterable
from typing import Final

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from cellfate.core.predictors import CLOCK, ENSEMBLE
from cellfate.core.tables import EVERYTHING
from cellfate.plots.incidence_words import (
    HAPPENED,
    choose_leading,
    colour_predictor,
    finish,
    list_events,
    order_predictors,
    whiskers,
    write_hours,
)
from cellfate.plots.theme import COLOURS, say_nothing, translucent
from cellfate.plots.words import name_predictor, order_doses

_DOSES: Final = {
    "Control": "#8a8f98",
    "Low": "#c9a227",
    "Medium": "#b56576",
    "High": "#6a4c93",
    EVERYTHING: COLOURS["model"],
}
"""Colours of doses, none that of a fate; other doses have colours by their place."""
_OTHERS: Final = ("#588157", "#b08968", "#9d4edd", "#4f772d")
_N_TICKS: Final = 5
_LINE_SHARE: Final = 0.07
"""Height of a line of numbers under the curves, as a share of the curves' height."""


def list_doses(doses: Iterable[str]) -> list[str]:
    """List different doses from low to high, and last all of them together, where there is more than one.

    Examples
    --------
    >>> list_doses(["all", "High", "Control", "High"])
    ['Control', 'High', 'all']
    """
    found = set(doses)
    single = order_doses(found - {EVERYTHING})
    return [*single, EVERYTHING] if EVERYTHING in found and len(single) != 1 else single


def name_dose(dose: str) -> str:
    """Name of a dose on a figure."""
    return "all doses" if dose == EVERYTHING else dose


def colour_dose(dose: str, position: int) -> str:
    """Colour of a dose by name; of one that is not known by its place."""
    return _DOSES.get(dose, _OTHERS[position % len(_OTHERS)])


def plot_observed_incidence(observed_incidence: pd.DataFrame) -> go.Figure:
    """Draw the share of cells that met each event by each hour, by dose (Aalen-Johansen).

    Parameters
    ----------
    observed_incidence
        Table `ObservedIncidence`.

    Returns
    -------
    plotly.graph_objects.Figure
        One panel an event, one colour a dose, bands are intervals; under the curves the cells still watched.
    """
    events = list_events(observed_incidence["outcome"])
    if not events:
        return say_nothing("Observed incidence by dose (n = 0 cells)", "No cell was followed.")
    doses = list_doses(observed_incidence["dose"])
    titles = [f"{HAPPENED[event].capitalize()}" for event in events]
    figure = make_subplots(1, len(events), subplot_titles=titles, horizontal_spacing=0.1)
    for column, event in enumerate(events, start=1):
        of_event = observed_incidence[observed_incidence["outcome"] == event]
        top = _find_top(of_event)
        for position, dose in enumerate(doses):
            rows = of_event[of_event["dose"] == dose].sort_values("time_h")
            _add_steps(figure, rows, dose, colour_dose(dose, position), column)
            _add_at_risk(figure, rows, colour_dose(dose, position), -top * (0.1 + _LINE_SHARE * position), column)
        marks = [mark for mark in np.arange(0, 1.01, 0.2 if top > 0.45 else 0.05).round(2).tolist() if mark <= top]
        limits = [-top * (0.1 + _LINE_SHARE * len(doses)), top]
        figure.update_yaxes(title_text="Share of cells (0 to 1)", range=limits, tickvals=marks, row=1, col=column)
    figure.update_xaxes(title_text="Hours since the first landmark (h)")
    subtitle = f"{_count_cells(observed_incidence)}; bands are clustered intervals; numbers below: cells still watched"
    return finish(figure, "Observed incidence of each event (Aalen-Johansen)", subtitle, inner_px=380)


def _count_cells(rows: pd.DataFrame) -> str:
    """Write the cells and groups of all doses together."""
    by_dose = rows.groupby("dose")[["n_cells", "n_groups"]].max()
    totals = by_dose[by_dose.index == EVERYTHING] if EVERYTHING in by_dose.index else by_dose
    return f"n = {int(totals['n_cells'].sum()):,} cells in {int(totals['n_groups'].sum())} groups"


def _find_top(rows: pd.DataFrame) -> float:
    """Choose the end of an axis from 0 that holds all curves and their bands."""
    most = float(np.nanmax(rows[["incidence", "high"]].to_numpy(float), initial=0.05))
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
        the mean forecast of a predictor: ensemble and clock at first, references on a click in the legend.
    """
    events = list_events(dose_incidence["outcome"])
    if not events:
        return say_nothing("Killed and divided fraction by dose (n = 0 cells)", "No cell of the test part was scored.")
    horizons = sorted(set(dose_incidence["within_h"]))
    figure = make_subplots(
        len(events),
        len(horizons),
        subplot_titles=[f"{HAPPENED[e].capitalize()} within {write_hours(h)}" for e in events for h in horizons],
        vertical_spacing=0.2,
        horizontal_spacing=0.08,
    )
    for row, event in enumerate(events, start=1):
        for column, hours in enumerate(horizons, start=1):
            is_here = (dose_incidence["outcome"] == event) & np.isclose(dose_incidence["within_h"], hours)
            _add_dose_panel(figure, dose_incidence[is_here], (row, column))
        figure.update_yaxes(title_text=f"Share {HAPPENED[event]}<br>(0 to 1)", row=row, col=1)
    figure.update_yaxes(rangemode="tozero")
    leading = dose_incidence[dose_incidence["predictor"] == choose_leading(dose_incidence["predictor"])]
    subtitle = (
        f"{_count_cells(leading)}; hours count from a cell's "
        "first landmark; lines are clustered intervals of the observed"
    )
    title, inner_px = "Fraction of cells by dose: forecast and observed", 260 * len(events) + 80
    return finish(figure, title, subtitle, inner_px=inner_px, legend_gap_px=85, legend_rows=2)


def _add_dose_panel(figure: go.Figure, rows: pd.DataFrame, place: tuple[int, int]) -> None:
    if rows.empty:
        return
    where = {"row": place[0], "col": place[1]}
    predictors = order_predictors(rows["predictor"])
    doses = list_doses(rows["dose"])
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
            mode="markers",
            marker={"color": colour_predictor(predictor), "size": 9, "line": {"color": "white", "width": 1}},
            name=name_predictor(predictor),
            legendgroup=predictor,
            showlegend=place == (1, 1),
            visible=True if predictor in (ENSEMBLE, CLOCK) else "legendonly",
            hovertemplate=f"{name_predictor(predictor)}: forecast %{{y:.3f}}<extra></extra>",
            **where,
        )
    ticks = [f"{name_dose(str(dose))}<br>n = {n:,.0f}" for dose, n in observed["n_cells"].items()]
    figure.update_xaxes(title_text="Dose (n cells)", tickvals=list(range(len(doses))), ticktext=ticks, **where)
