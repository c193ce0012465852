"""Scores of the fate clock beside references, and their paired differences."""

from typing import Final

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from cellfate.core.tables import EVERYTHING
from cellfate.plots.incidence_words import (
    colour_predictor,
    count_landmarks,
    finish,
    list_events,
    order_predictors,
    whiskers,
    write_hours,
)
from cellfate.plots.theme import COLOURS, say_nothing
from cellfate.plots.words import name_predictor

SHOWN: Final = {"auroc": "AUROC", "average_precision": "Average precision", "brier": "Brier score"}
"""Metrics that are drawn, one column of panels each."""
_AXES: Final = {
    "auroc": "AUROC (0 to 1)",
    "average_precision": "Average precision (0 to 1)",
    "brier": "Brier score (0 is perfect)",
}
_IN_TEXT: Final = SHOWN | {"average_precision": "average precision"}
_SYMBOLS: Final = ("circle", "square", "diamond", "triangle-up", "cross")
_SLOT_PX: Final = 11
"""Height of one interval of a reference, in pixels."""


def plot_incidence_scores(incidence_metrics: pd.DataFrame) -> go.Figure:
    """Draw the scores of every predictor by event and horizon, over all doses, with their intervals.

    Parameters
    ----------
    incidence_metrics
        Table `IncidenceMetrics`.

    Returns
    -------
    plotly.graph_objects.Figure
        One row of panels an event, one column a metric, one colour a predictor. Under each horizon stand the landmarks
        that the event followed in time. Dotted: one and the same forecast for all.
    """
    rows = incidence_metrics[incidence_metrics["condition"] == EVERYTHING]
    events = list_events(rows["outcome"])
    metrics = [metric for metric in SHOWN if metric in set(rows["metric"])]
    if not events or not metrics:
        return say_nothing("Scores of the forecasts (n = 0 landmarks)", "No landmark of the test part was scored.")
    figure = _make_panels(events, metrics, gap_px=110, panel_px=260)
    predictors = order_predictors(rows["predictor"])
    for row, event in enumerate(events, start=1):
        for column, metric in enumerate(metrics, start=1):
            of_panel = rows[(rows["outcome"] == event) & (rows["metric"] == metric)]
            _add_score_panel(figure, of_panel, predictors, metric, (row, column))
    subtitle = f"{count_landmarks(rows)}; lines are clustered intervals, dotted is one forecast for all"
    inner_px = 260 * len(events) + 110 * (len(events) - 1)
    return finish(figure, "Scores on the test part", subtitle, inner_px=inner_px, legend_gap_px=90, legend_rows=2)


def _make_panels(events: list[str], metrics: list[str], gap_px: int, panel_px: int) -> go.Figure:
    inner_px = panel_px * len(events) + gap_px * (len(events) - 1)
    return make_subplots(
        len(events),
        len(metrics),
        subplot_titles=[f"{SHOWN[metric]}, {event}" for event in events for metric in metrics],
        horizontal_spacing=0.09,
        vertical_spacing=gap_px / inner_px if len(events) > 1 else 0,
    )


def _add_score_panel(
    figure: go.Figure, rows: pd.DataFrame, predictors: list[str], metric: str, place: tuple[int, int]
) -> None:
    where = {"row": place[0], "col": place[1]}
    horizons = sorted(set(rows["within_h"]))
    counts = rows.groupby("within_h")[["n_events", "n_samples"]].max().reindex(horizons)
    _add_one_forecast(figure, counts, metric, where)
    for position, predictor in enumerate(predictors):
        of_predictor = rows[rows["predictor"] == predictor].set_index("within_h").reindex(horizons)
        shift = (position - (len(predictors) - 1) / 2) * 0.8 / len(predictors)
        colour = colour_predictor(predictor)
        figure.add_scatter(
            x=[place + shift for place in range(len(horizons))],
            y=of_predictor["estimate"],
            error_y=whiskers(of_predictor, "estimate", colour),
            mode="markers",
            marker={"color": colour, "size": 8},
            name=name_predictor(predictor),
            legendgroup=predictor,
            showlegend=place == (1, 1),
            customdata=of_predictor[["low", "high", "n_groups"]],
            hovertemplate="%{y:.3f} (%{customdata[0]:.3f} to %{customdata[1]:.3f}) in %{customdata[2]} groups",
            **where,
        )
    ticks = [
        f"{write_hours(hours)}<br>{n_events:,} of {n_samples:,}"
        for hours, n_events, n_samples in counts.itertuples(name=None)
    ]
    limits = [-0.5, len(horizons) - 0.5]
    title = "Horizon; below: landmarks with the event"
    figure.update_xaxes(title_text=title, range=limits, tickvals=list(range(len(horizons))), ticktext=ticks, **where)
    figure.update_yaxes(title_text=_AXES[metric], rangemode="normal" if metric == "auroc" else "tozero", **where)


def _add_one_forecast(figure: go.Figure, counts: pd.DataFrame, metric: str, where: dict[str, int]) -> None:
    """Add at each horizon a dotted line where one and the same forecast for all landmarks would be."""
    share = (counts["n_events"] / counts["n_samples"]).to_numpy(float)
    levels = {"auroc": np.full(len(share), 0.5), "average_precision": share, "brier": share * (1 - share)}[metric]
    points = [(x, level) for place, level in enumerate(levels) for x in (place - 0.45, place + 0.45, None)]
    figure.add_scatter(
        x=[x for x, _ in points],
        y=[level for _, level in points],
        mode="lines",
        line={"dash": "dot", "color": COLOURS["reference"], "width": 2},
        showlegend=False,
        hovertemplate="one forecast for all: %{y:.3f}<extra></extra>",
        **where,
    )


def plot_incidence_comparisons(incidence_comparisons: pd.DataFrame, headline_h: float | None = None) -> go.Figure:
    """Draw the paired differences between clock or ensemble and every reference.

    Parameters
    ----------
    incidence_comparisons
        Table `IncidenceComparisons`.
    headline_h
        Only this horizon is drawn at first, the others on a click in the legend; null: all are drawn.

    Returns
    -------
    plotly.graph_objects.Figure
        One row of panels an event, one column a metric, one row in them a reference; colours are predictors, symbols
        horizons.
    """
    rows = incidence_comparisons
    events = list_events(rows["outcome"])
    metrics = [metric for metric in SHOWN if metric in set(rows["metric"])]
    if not events or not metrics:
        return say_nothing("Paired differences (n = 0 landmarks)", "No two predictors were compared.")
    references = order_predictors(rows["reference"])
    series = [(p, h) for p in order_predictors(rows["predictor"]) for h in sorted(set(rows["within_h"]))]
    panel_px = max(120, (_SLOT_PX * len(series) + 10) * len(references))
    figure = _make_panels(events, metrics, gap_px=130, panel_px=panel_px)
    for row, event in enumerate(events, start=1):
        for column, metric in enumerate(metrics, start=1):
            of_panel = rows[(rows["outcome"] == event) & (rows["metric"] == metric)]
            _add_difference_panel(figure, of_panel, references, series, headline_h, (row, column))
            side = "left" if metric == "brier" else "right"
            text = f"Difference in {_IN_TEXT[metric]}<br>({side} of 0: better than the reference)"
            figure.update_xaxes(title_text=text, row=row, col=column)
    inner_px = panel_px * len(events) + 130 * (len(events) - 1)
    figure.update_yaxes(title_text="Minus this reference", col=1)
    subtitle = f"{count_landmarks(rows)}; lines are paired clustered intervals"
    title = "Paired differences to each reference, same landmarks"
    legend_rows = 1 + len(series) // 4
    finish(figure, title, subtitle, inner_px=inner_px, legend_gap_px=75, legend_rows=legend_rows)
    return figure.update_layout(margin={"l": 230})


def _add_difference_panel(
    figure: go.Figure,
    rows: pd.DataFrame,
    references: list[str],
    series: list[tuple[str, float]],
    headline_h: float | None,
    place: tuple[int, int],
) -> None:
    where = {"row": place[0], "col": place[1]}
    horizons = sorted({hours for _, hours in series})
    for position, (predictor, hours) in enumerate(series):
        of_series = rows[(rows["predictor"] == predictor) & np.isclose(rows["within_h"], hours)]
        shift = (position - (len(series) - 1) / 2) * 0.8 / len(series)
        colour = colour_predictor(predictor)
        figure.add_scatter(
            x=of_series["difference"],
            y=[references.index(name) + shift for name in of_series["reference"]],
            error_x=whiskers(of_series, "difference", colour),
            mode="markers",
            marker={"color": colour, "size": 8, "symbol": _SYMBOLS[horizons.index(hours) % len(_SYMBOLS)]},
            name=f"{name_predictor(predictor)}, {write_hours(hours)}",
            legendgroup=f"{predictor} {hours}",
            showlegend=place == (1, 1),
            visible=True if headline_h is None or np.isclose(hours, headline_h) else "legendonly",
            customdata=of_series[["low", "high", "n_samples", "n_groups"]],
            hovertemplate="%{x:.3f} (%{customdata[0]:.3f} to %{customdata[1]:.3f}), "
            "n = %{customdata[2]} landmarks in %{customdata[3]} groups",
            **where,
        )
    figure.add_vline(x=0, line={"dash": "dot", "color": COLOURS["model"], "width": 1.5}, **where)
    names = [name_predictor(name).replace(" (", "<br>(").replace(", ", ",<br>") for name in references]
    ticks = names if place[1] == 1 else [""] * len(names)
    limits = [len(references) - 0.5, -0.5]
    figure.update_yaxes(range=limits, tickvals=list(range(len(references))), ticktext=ticks, showgrid=False, **where)
