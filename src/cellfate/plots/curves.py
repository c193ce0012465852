"""Operating curves, calibration and the confusion matrix; of either question."""

from typing import Final

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from cellfate.core.predictors import BLEND, CLASSIFIER, choose_leading, label_predictor, order_predictors
from cellfate.core.tables import EVERYTHING
from cellfate.core.words import (
    capitalise,
    list_events,
    list_outcomes,
    list_words,
    name_asked,
    name_metric,
    name_question,
    show_count,
    show_score,
)
from cellfate.plots.theme import COLOURS, at_question, colour_predictor, finish, make_grid, say_nothing, whiskers

CALIBRATION: Final = ("calibration_slope", "calibration_intercept", "observed_over_expected", "brier_skill")
"""Metrics that say whether probabilities can be taken at their word."""
_PANEL_PX: Final = 340
_GAP_PX: Final = 90
_DOTTED: Final = {"dash": "dot", "color": COLOURS["reference"]}
_LIMITS: Final = [-0.02, 1.02]


def plot_operating_curves(operating_curves: pd.DataFrame, within_h: float | None = None) -> go.Figure:
    """Draw ROC and precision-recall curves of every predictor, one row of panels an event.

    Parameters
    ----------
    operating_curves
        Table `OperatingCurves`.
    within_h
        Hours within which something happens; None: which fate comes, of which the first event is drawn.

    Returns
    -------
    plotly.graph_objects.Figure
        The models and the best measured reference first; the others are in the legend.
    """
    title = f"Operating curves: {name_question(within_h)}"
    rows = at_question(operating_curves, within_h)
    events = _shown_events(rows, within_h)
    if not events:
        return say_nothing(f"{title} (n = 0 landmarks)", "No landmark of the test part was scored.")
    figure, inner_px = make_grid(len(events), 2, _PANEL_PX, _GAP_PX, horizontal_spacing=0.1)
    counts = []
    for row, event in enumerate(events, start=1):
        of_event = rows[rows["outcome"] == event]
        n_positive, n_negative = (int(of_event[name].max()) for name in ("n_positive", "n_negative"))
        counts.append(f"{n_positive:,} with {name_asked(event, within_h)} against {n_negative:,} others")
        for predictor in order_predictors(of_event["predictor"]):
            of_predictor = of_event[of_event["predictor"] == predictor]
            _add_curve(figure, of_predictor, predictor, ("false_positive_rate", "recall"), (row, 1))
            _add_curve(figure, of_predictor, predictor, ("recall", "precision"), (row, 2))
        share = n_positive / max(1, n_positive + n_negative)
        for column, ends in ((1, [0, 1]), (2, [share, share])):
            line = {"mode": "lines", "line": _DOTTED, "hoverinfo": "skip", "showlegend": False}
            figure.add_scatter(x=[0, 1], y=ends, row=row, col=column, **line)
        figure.update_xaxes(title_text=f"Share of others called ({event})", row=row, col=1)
        figure.update_yaxes(title_text=f"Recall of {event}", row=row, col=1)
        figure.update_xaxes(title_text=f"Recall of {event}", row=row, col=2)
        figure.update_yaxes(title_text=f"Precision of {event}", row=row, col=2)
    figure.update_xaxes(range=_LIMITS).update_yaxes(range=_LIMITS)
    subtitle = f"Left ROC, right precision and recall; n = {'; '.join(counts)}, landmarks of the test part."
    return finish(figure, title, subtitle, inner_px=inner_px, legend_rows=2, heads=False)


def _shown_events(rows: pd.DataFrame, within_h: float | None) -> list[str]:
    """List the events of a question that get a panel: of two fates the second mirrors the first."""
    return list_events(rows["outcome"])[: 1 if within_h is None else None]


def _add_curve(
    figure: go.Figure, points: pd.DataFrame, predictor: str, axes: tuple[str, str], place: tuple[int, int]
) -> None:
    leads = predictor in (CLASSIFIER, BLEND)
    figure.add_scatter(
        x=points[axes[0]],
        y=points[axes[1]],
        mode="lines",
        line={"color": colour_predictor(predictor), "width": 2.6 if leads else 1.5, "shape": "vh"},
        name=label_predictor(predictor),
        legendgroup=predictor,
        showlegend=place == (1, 1),
        hovertemplate="%{y:.2f} at %{x:.2f}",
        row=place[0],
        col=place[1],
    )


def plot_calibration(calibration: pd.DataFrame, metrics: pd.DataFrame, within_h: float | None = None) -> go.Figure:
    """Draw the observed share against the mean forecast over bins of equal mass, one panel an event.

    Parameters
    ----------
    calibration, metrics
        Tables `Calibration` and `Metrics`.
    within_h
        As in `plot_operating_curves`.

    Returns
    -------
    plotly.graph_objects.Figure
        The models that answer the question; other predictors are in the legend and appear on a click.
    """
    title = f"Calibration: {name_question(within_h)}"
    rows = at_question(calibration, within_h)
    events = _shown_events(rows, within_h)
    if not events:
        return say_nothing(f"{title} (n = 0 landmarks)", "No landmark of the test part was scored.")
    predictors = order_predictors(rows["predictor"])
    shown = [name for name in predictors if name in (CLASSIFIER, BLEND)] or predictors[:1]
    figure = make_subplots(1, max(2, len(events)), horizontal_spacing=0.1)
    for column, event in enumerate(events, start=1):
        of_event = rows[rows["outcome"] == event]
        for predictor in predictors:
            of_predictor = of_event[of_event["predictor"] == predictor].sort_values("mean_probability")
            _add_points(figure, of_predictor, predictor, predictor in shown, column)
        _add_diagonal(figure, of_event, column)
        asked = name_asked(event, within_h)
        figure.update_xaxes(title_text=f"Mean forecast of {asked} (0 to 1)", row=1, col=column)
        figure.update_yaxes(title_text=f"Share with {asked} (0 to 1)", row=1, col=column)
    of_leading = rows[rows["predictor"] == choose_leading(rows["predictor"])]
    n_landmarks = int(of_leading.groupby("outcome")["n_landmarks"].sum().max())
    subtitle = (
        f"n = {show_count(n_landmarks, 'landmark')} of the test part, cells lost in these hours included, at most "
        f"{show_count(rows['n_groups'].max(), 'group')} a bin; observed by Aalen-Johansen; lines are intervals."
        f"{_say_calibration(at_question(metrics, within_h), events)}"
    )
    return finish(figure, title, subtitle, inner_px=_PANEL_PX, legend_rows=2, heads=False)


def _say_calibration(scored: pd.DataFrame, events: list[str]) -> str:
    """Write slope, intercept, and observed over expected of the leading predictor, with intervals."""
    leading = choose_leading(scored["predictor"])
    rows = scored[(scored["predictor"] == leading) & (scored["condition"] == EVERYTHING)]
    said = []
    for event in events:
        of_event = rows[rows["outcome"] == event].set_index("metric")[["estimate", "low", "high"]]
        known = [(metric, of_event.loc[metric].to_numpy(float)) for metric in CALIBRATION if metric in of_event.index]
        words = [f"{name_metric(metric)} {show_score(*values)}" for metric, values in known]
        said += [f"{capitalise(event)}: {list_words(words)}."] if words else []
    return f" {label_predictor(str(leading))}. {' '.join(said)}" if said else ""


def _add_points(figure: go.Figure, rows: pd.DataFrame, predictor: str, is_shown: bool, column: int) -> None:
    colour = colour_predictor(predictor)
    figure.add_scatter(
        x=rows["mean_probability"],
        y=rows["observed"],
        error_y=whiskers(rows, "observed", colour),
        mode="lines+markers",
        line={"color": colour, "width": 1},
        marker={"color": colour, "size": 9},
        name=label_predictor(predictor),
        legendgroup=predictor,
        showlegend=column == 1,
        visible=True if is_shown else "legendonly",
        customdata=rows[["n_landmarks", "n_groups"]],
        hovertemplate="forecast %{x:.3f}, observed %{y:.3f}, n = %{customdata[0]} in %{customdata[1]} groups",
        row=1,
        col=column,
    )


def _add_diagonal(figure: go.Figure, rows: pd.DataFrame, column: int) -> None:
    """Add the line on which forecasts come true, over all that any predictor needs."""
    most = float(np.nanmax(rows[["mean_probability", "observed", "high"]].to_numpy(float), initial=0.05))
    end = min(1.0, 1.05 * most)
    look = {"mode": "lines", "line": _DOTTED, "hoverinfo": "skip", "showlegend": False}
    figure.add_scatter(x=[0, end], y=[0, end], row=1, col=column, **look)
    limits = [-0.02 * end, 1.02 * end]
    figure.update_xaxes(range=limits, row=1, col=column)
    figure.update_yaxes(range=limits, row=1, col=column)


def plot_confusion(confusion: pd.DataFrame) -> go.Figure:
    """Draw which fate came, by which was called: the classifier, and the fate clock on the same cells.

    Parameters
    ----------
    confusion
        Table `Confusion`.

    Returns
    -------
    plotly.graph_objects.Figure
        One panel a model, and one for the classifier's threshold tuned on the validation part; colour and percentage
        are shares of the true outcome, so the diagonal is recall.
    """
    title = "Called and true fate"
    found = set(zip(confusion["predictor"], confusion["threshold"], strict=True))
    names = {"headline": "likeliest outcome", "tuned": "tuned threshold"}
    wanted = [(CLASSIFIER, "headline"), (CLASSIFIER, "tuned"), (BLEND, "headline")]
    panels = [key for key in wanted if key in found] or sorted(found)[:1]
    if not panels:
        return say_nothing(f"{title} (n = 0 cells)", "No cell of the test part was called.")
    outcomes = list_outcomes(confusion["outcome"])
    heads = [f"{label_predictor(predictor)}, {names[threshold]}" for predictor, threshold in panels]
    figure = make_subplots(1, len(panels), subplot_titles=heads, horizontal_spacing=0.09, shared_yaxes=True)
    is_panel = [(confusion["predictor"] == name) & (confusion["threshold"] == kind) for name, kind in panels]
    for column, rows in enumerate((confusion[is_here] for is_here in is_panel), start=1):
        _add_confusion(figure, rows, outcomes, column)
    n_cells = int(confusion.loc[is_panel[0], "n_landmarks"].sum())
    subtitle = f"n = {show_count(n_cells, 'cell')} of the test part, each at its last frame shown."
    figure.update_xaxes(title_text="Called fate", showline=False, ticks="").update_yaxes(title_text="True fate", col=1)
    figure.update_yaxes(autorange="reversed", showline=False, ticks="")
    return finish(figure, title, subtitle, inner_px=90 * max(2, len(outcomes)), legend_rows=0)


def _add_confusion(figure: go.Figure, rows: pd.DataFrame, outcomes: list[str], column: int) -> None:
    by_pair = rows.set_index(["outcome", "call"]).reindex([(t, c) for t in outcomes for c in outcomes])
    share_kk = by_pair["share"].to_numpy(float).reshape(len(outcomes), -1)
    counts_kk = by_pair["n_landmarks"].fillna(0).to_numpy(int).reshape(len(outcomes), -1)
    figure.add_heatmap(
        x=[capitalise(outcome) for outcome in outcomes],
        y=[f"{outcome}<br>n = {n:,}" for outcome, n in zip(outcomes, counts_kk.sum(axis=1), strict=True)],
        z=share_kk,
        text=[
            [f"{n:,}" if np.isnan(share) else f"{n:,}<br>{share:.0%}" for n, share in zip(counts, shares, strict=True)]
            for counts, shares in zip(counts_kk, share_kk, strict=True)
        ],
        texttemplate="%{text}",
        textfont={"size": 15},
        zmin=0,
        zmax=1,
        colorscale=[[0, "#f4f6f8"], [1, COLOURS["mitosis"]]],
        showscale=False,
        hovertemplate="true %{y}, called %{x}: %{text}<extra></extra>",
        row=1,
        col=column,
    )
