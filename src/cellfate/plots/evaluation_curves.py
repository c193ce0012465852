"""Curves of the evaluation: operating curves, reliability, and scores of shortened inputs."""

from typing import Final

import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from cellfate.core.fates import OUTCOMES
from cellfate.core.predictors import MODEL
from cellfate.plots.theme import COLOURS, apply_theme, colour_of, translucent
from cellfate.plots.words import colour_predictor, name_metric, name_predictor, write_counts, write_title

_EXPERIMENTS: Final = {"remove_last": "Last frames removed", "keep_last": "Only the last frames kept"}
_COHORTS: Final = {"fixed": "same samples at every point", "shrinking": "all samples with a frame left"}
_DIAGONAL: Final = {"x": [0, 1], "y": [0, 1], "mode": "lines", "hoverinfo": "skip", "showlegend": False}


def plot_roc(operating_curves: pd.DataFrame, metrics: pd.DataFrame) -> go.Figure:
    """Draw ROC curves: of the positive outcome for every predictor; of each outcome of three for the model.

    Parameters
    ----------
    operating_curves
        Table of `metrics.trace_curves`.
    metrics
        Table `Metrics`, for the areas in the legend.

    Returns
    -------
    plotly.graph_objects.Figure
    """
    figure = go.Figure()
    figure.add_scatter(**_DIAGONAL, line={"dash": "dot", "color": COLOURS["reference"]})
    for name, colour, points in _choose_curves(operating_curves):
        figure.add_scatter(
            x=points["false_positive_rate"],
            y=points["recall"],
            mode="lines",
            line={"color": colour, "width": 3 if points["predictor"].iloc[0] == MODEL else 1.7},
            name=f"{name} {_write_score(metrics, points, 'auroc')}",
            hovertemplate="recall %{y:.2f}, false positives %{x:.2f}",
        )
    figure.update_xaxes(title_text="False positive rate", range=[-0.01, 1.01])
    figure.update_yaxes(title_text="Recall", range=[-0.01, 1.01])
    return _finish_curves(figure, "ROC curves, AUROC with interval", operating_curves)


def plot_precision_recall(operating_curves: pd.DataFrame, metrics: pd.DataFrame) -> go.Figure:
    """Draw precision-recall curves of the same outcomes as `plot_roc`; dotted: the share of positives.

    Parameters
    ----------
    operating_curves
        Table of `metrics.trace_curves`.
    metrics
        Table `Metrics`, for the average precisions in the legend.

    Returns
    -------
    plotly.graph_objects.Figure
    """
    figure = go.Figure()
    for name, colour, points in _choose_curves(operating_curves):
        figure.add_scatter(
            x=points["recall"],
            y=points["precision"],
            mode="lines",
            line={"color": colour, "width": 3 if points["predictor"].iloc[0] == MODEL else 1.7, "shape": "vh"},
            name=f"{name} {_write_score(metrics, points, 'average_precision')}",
            hovertemplate="precision %{y:.2f}, recall %{x:.2f}",
        )
        share = points["n_positive"].iloc[0] / (points["n_positive"].iloc[0] + points["n_negative"].iloc[0])
        figure.add_hline(y=share, line={"dash": "dot", "color": COLOURS["reference"], "width": 1})
    figure.update_xaxes(title_text="Recall", range=[-0.01, 1.01])
    figure.update_yaxes(title_text="Precision", range=[-0.01, 1.01])
    return _finish_curves(figure, "Precision and recall, average precision with interval", operating_curves)


def _choose_curves(curves: pd.DataFrame) -> list[tuple[str, str, pd.DataFrame]]:
    """Name, colour and points of the curves to draw."""
    outcomes = _outcomes(curves)
    if len(outcomes) > 2:
        of_model = curves[curves["predictor"] == MODEL]
        return [(f"Model, {name}", colour_of(name), of_model[of_model["outcome"] == name]) for name in outcomes]
    of_positive = curves[curves["outcome"] == outcomes[0]] if outcomes else curves
    return [
        (name_predictor(str(predictor)), colour_predictor(str(predictor), position), points)
        for position, (predictor, points) in enumerate(of_positive.groupby("predictor", sort=False))
    ]


def _write_score(metrics: pd.DataFrame, points: pd.DataFrame, metric: str) -> str:
    """Write a score with its interval; AUROC is not given by class."""
    rows = metrics[
        (metrics["predictor"] == points["predictor"].iloc[0])
        & (metrics["metric"] == metric)
        & (metrics["condition"] == "all")
        & metrics["outcome"].isin([points["outcome"].iloc[0], "all"])
    ]
    of_class = rows[rows["outcome"] != "all"]
    row = of_class if len(of_class) else rows
    if row.empty or row["estimate"].isna().all():
        return ""
    low, high = row["low"].iloc[0], row["high"].iloc[0]
    interval = "" if pd.isna(low) or pd.isna(high) else f" ({low:.2f} to {high:.2f})"
    return f"{row['estimate'].iloc[0]:.2f}{interval}"


def _finish_curves(figure: go.Figure, title: str, curves: pd.DataFrame) -> go.Figure:
    outcomes = _outcomes(curves)
    row = curves[curves["outcome"] == outcomes[0]].iloc[0] if outcomes else {"n_positive": 0, "n_negative": 0}
    n_positive, n_negative = int(row["n_positive"]), int(row["n_negative"])
    if len(outcomes) > 2:
        counts = f"each outcome against the rest, n = {n_positive + n_negative:,} samples"
    else:
        of = f" of {outcomes[0]}" if outcomes else ""
        counts = f"n = {n_positive:,} samples{of} against {n_negative:,} others"
    apply_theme(figure, title=write_title(title, counts), height_px=520)
    legend = {"orientation": "v", "x": 1.02, "y": 1, "yanchor": "top", "xanchor": "left"}
    return figure.update_layout(margin={"t": 80}, legend=legend)


def plot_reliability(calibration: pd.DataFrame) -> go.Figure:
    """Draw how often forecasts came true, over bins of equal mass.

    Parameters
    ----------
    calibration
        Table of `metrics.measure_calibration`.

    Returns
    -------
    plotly.graph_objects.Figure
        The model with its intervals; baselines are in the legend and appear on a click.
    """
    figure = go.Figure()
    figure.add_scatter(**_DIAGONAL, line={"dash": "dot", "color": COLOURS["reference"]})
    outcomes = _outcomes(calibration)
    for position, ((predictor, outcome), rows) in enumerate(calibration.groupby(["predictor", "outcome"], sort=False)):
        is_model = predictor == MODEL
        colour = colour_of(str(outcome)) if len(outcomes) > 1 else colour_predictor(str(predictor), position)
        figure.add_scatter(
            x=rows["mean_probability"],
            y=rows["frequency"],
            error_y={
                "type": "data",
                "symmetric": False,
                "array": rows["high"] - rows["frequency"],
                "arrayminus": rows["frequency"] - rows["low"],
                "width": 0,
            },
            mode="lines+markers",
            line={"color": colour, "width": 1},
            marker={"color": colour, "size": 9},
            name=f"{name_predictor(str(predictor))}, {outcome}",
            visible=True if is_model else "legendonly",
            customdata=rows[["n_samples", "n_groups"]],
            hovertemplate="forecast %{x:.2f}, came true %{y:.2f}, n = %{customdata[0]} in %{customdata[1]} groups",
        )
    figure.update_xaxes(title_text="Mean forecast probability", range=[-0.02, 1.02])
    figure.update_yaxes(title_text="Share that came true", range=[-0.02, 1.02])
    of_model = calibration[calibration["predictor"] == MODEL]
    n_bins = int(of_model["bin"].max()) + 1 if len(of_model) else 0
    n_samples = int(of_model.groupby("outcome")["n_samples"].sum().max()) if len(of_model) else 0
    subtitle = f"n = {n_samples:,} samples in {n_bins} bins of equal mass; bars are clustered intervals"
    apply_theme(figure, title=write_title("Reliability of the probabilities", subtitle), height_px=520)
    return figure.update_layout(margin={"t": 80})


def plot_masking(masking_curves: pd.DataFrame) -> go.Figure:
    """Draw scores of shortened inputs: balanced accuracy and recall of every outcome, with the samples at each point.

    Parameters
    ----------
    masking_curves
        Table `MaskingCurves`.

    Returns
    -------
    plotly.graph_objects.Figure
        Columns: frames removed from the end, frames kept at the end. Rows: the fixed and the shrinking cohort.
        Under the points stand the numbers of samples, by outcome; a dotted line where knowing nothing would be.
    """
    panels = [(experiment, cohort) for cohort in _COHORTS for experiment in _EXPERIMENTS]
    figure = make_subplots(
        len(_COHORTS),
        len(_EXPERIMENTS),
        subplot_titles=[f"{_EXPERIMENTS[experiment]}, {_COHORTS[cohort]}" for experiment, cohort in panels],
        vertical_spacing=0.16,
        horizontal_spacing=0.09,
    )
    for index, (experiment, cohort) in enumerate(panels):
        rows = masking_curves[(masking_curves["experiment"] == experiment) & (masking_curves["cohort"] == cohort)]
        place = (index // len(_EXPERIMENTS) + 1, index % len(_EXPERIMENTS) + 1)
        _add_masking_panel(figure, rows, place)
        figure.update_xaxes(title_text=f"{_EXPERIMENTS[experiment]} (frames)", row=place[0], col=place[1])
        figure.update_yaxes(
            title_text="Score", range=[-0.24, 1.04], tickvals=[0, 0.25, 0.5, 0.75, 1], row=place[0], col=place[1]
        )
    total = masking_curves[masking_curves["metric"] == "balanced_accuracy"]
    n_samples, n_groups = (int(total[c].max()) if len(total) else 0 for c in ("n_samples", "n_groups"))
    title = write_title(
        "Shortened inputs",
        f"{write_counts(n_samples, n_groups)}; bands are clustered intervals; below: samples by outcome",
    )
    apply_theme(figure, title=title, height_px=820)
    return figure.update_layout(margin={"t": 110}, legend={"y": -0.1})


def _add_masking_panel(figure: go.Figure, rows: pd.DataFrame, place: tuple[int, int]) -> None:
    _add_band(figure, rows[rows["metric"] == "balanced_accuracy"], COLOURS["model"], "balanced_accuracy", "all", place)
    outcomes = _outcomes(rows)
    for position, outcome in enumerate(outcomes):
        of_outcome = rows[(rows["metric"] == "recall") & (rows["outcome"] == outcome)]
        _add_band(figure, of_outcome, colour_of(outcome), "recall", outcome, place)
        figure.add_scatter(
            x=of_outcome["k_frames"],
            y=[-0.08 - 0.07 * position] * len(of_outcome),
            text=[f"{n:,}" for n in of_outcome["n_samples"]],
            mode="text",
            textfont={"color": colour_of(outcome), "size": 11},
            showlegend=False,
            hoverinfo="skip",
            row=place[0],
            col=place[1],
        )
    chance = 1 / max(2, len(outcomes))
    figure.add_hline(y=chance, line={"dash": "dot", "color": COLOURS["reference"]}, row=place[0], col=place[1])


def _add_band(
    figure: go.Figure, rows: pd.DataFrame, colour: str, metric: str, outcome: str, place: tuple[int, int]
) -> None:
    """Add a line with its interval band; gaps stay where it is undefined."""
    known = rows.dropna(subset=["low", "high"])
    figure.add_scatter(
        x=[*known["k_frames"], *known["k_frames"][::-1]],
        y=[*known["high"], *known["low"][::-1]],
        fill="toself",
        fillcolor=translucent(colour, 0.13),
        line={"width": 0},
        mode="lines",
        showlegend=False,
        hoverinfo="skip",
        legendgroup=f"{metric} {outcome}",
        row=place[0],
        col=place[1],
    )
    figure.add_scatter(
        x=rows["k_frames"],
        y=rows["estimate"],
        mode="lines+markers",
        line={"color": colour, "width": 2.5 if metric == "balanced_accuracy" else 1.7},
        name=name_metric(metric, outcome),
        legendgroup=f"{metric} {outcome}",
        showlegend=place == (1, 1),
        customdata=rows[["n_samples", "n_groups"]],
        hovertemplate="k = %{x}: %{y:.3f}, n = %{customdata[0]} in %{customdata[1]} groups",
        row=place[0],
        col=place[1],
    )


def _outcomes(rows: pd.DataFrame) -> list[str]:
    return [outcome for outcome in OUTCOMES if outcome in set(rows["outcome"])]
