"""Whether forecast incidence comes true: forecast against observed."""

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from cellfate.plots.incidence_words import (
    choose_leading,
    colour_predictor,
    finish,
    list_events,
    order_predictors,
    whiskers,
    write_hours,
)
from cellfate.plots.theme import COLOURS, say_nothing
from cellfate.plots.words import name_predictor


def plot_incidence_calibration(incidence_calibration: pd.DataFrame, headline_h: float) -> go.Figure:
    """Draw observed against forecast incidence over bins of equal mass, one panel an event.

    Parameters
    ----------
    incidence_calibration
        Table `IncidenceCalibration`.
    headline_h
        Horizon that is drawn, in hours after the landmark.

    Returns
    -------
    plotly.graph_objects.Figure
        The ensemble (or, without one, the clock); other predictors are in the legend and appear on a click.
    """
    rows = incidence_calibration[np.isclose(incidence_calibration["within_h"], headline_h)]
    events = list_events(rows["outcome"])
    if not events:
        return say_nothing("Calibration (n = 0 landmarks)", "No landmark of the test part was scored.")
    leading = choose_leading(rows["predictor"])
    figure = make_subplots(1, len(events), subplot_titles=events, horizontal_spacing=0.1)
    for column, event in enumerate(events, start=1):
        of_event = rows[rows["outcome"] == event]
        for predictor in order_predictors(rows["predictor"]):
            of_predictor = of_event[of_event["predictor"] == predictor].sort_values("mean_probability")
            _add_points(figure, of_predictor, predictor, predictor == leading, column)
        _add_diagonal(figure, of_event, column)
        within = write_hours(headline_h)
        figure.update_xaxes(title_text=f"Mean forecast of {event} within {within} (0 to 1)", row=1, col=column)
        figure.update_yaxes(title_text=f"Share with {event} within {within} (0 to 1)", row=1, col=column)
    counts = rows[rows["predictor"] == leading].groupby("outcome")["n_samples"].sum()
    n_groups = int(rows["n_groups"].max())
    subtitle = f"n = {int(counts.max()):,} landmarks in at most {n_groups} groups a bin; observed by Aalen-Johansen; "
    title = f"Forecast and observed incidence within {write_hours(headline_h)}"
    return finish(figure, title, subtitle + "lines are clustered intervals", inner_px=400, legend_rows=2)


def _add_points(figure: go.Figure, rows: pd.DataFrame, predictor: str, is_leading: bool, column: int) -> None:
    colour = colour_predictor(predictor)
    figure.add_scatter(
        x=rows["mean_probability"],
        y=rows["observed"],
        error_y=whiskers(rows, "observed", colour),
        mode="lines+markers",
        line={"color": colour, "width": 1},
        marker={"color": colour, "size": 9},
        name=name_predictor(predictor),
        legendgroup=predictor,
        showlegend=column == 1,
        visible=True if is_leading else "legendonly",
        customdata=rows[["n_samples", "n_groups"]],
        hovertemplate="forecast %{x:.3f}, observed %{y:.3f}, n = %{customdata[0]} in %{customdata[1]} groups",
        row=1,
        col=column,
    )


def _add_diagonal(figure: go.Figure, rows: pd.DataFrame, column: int) -> None:
    """Add the line on which forecasts come true, over all that any predictor needs."""
    most = float(np.nanmax(rows[["mean_probability", "observed", "high"]].to_numpy(float), initial=0.05))
    end = min(1.0, 1.05 * most)
    line = {"dash": "dot", "color": COLOURS["reference"]}
    figure.add_scatter(
        x=[0, end], y=[0, end], mode="lines", line=line, hoverinfo="skip", showlegend=False, row=1, col=column
    )
    limits = [-0.02 * end, 1.02 * end]
    figure.update_xaxes(range=limits, row=1, col=column)
    figure.update_yaxes(range=limits, row=1, col=column)
