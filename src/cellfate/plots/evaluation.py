"""Scores of the model beside the baselines: overall, as paired differences, by dose, and as a confusion matrix."""

from typing import Final

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from cellfate.core.fates import OUTCOMES
from cellfate.core.predictors import MODEL
from cellfate.core.tables import EVERYTHING, WITHIN_DOSES
from cellfate.plots.theme import COLOURS, apply_theme, colour_of
from cellfate.plots.words import colour_predictor, name_metric, name_predictor, order_doses, write_counts, write_title

_SHOWN: Final = ("balanced_accuracy", "auroc", "average_precision", "brier")
_ROW_PX: Final = 34
_DOT_PX: Final = 10


def plot_scores(metrics: pd.DataFrame) -> go.Figure:
    """Draw the scores of every predictor with their intervals.

    Parameters
    ----------
    metrics
        Table `Metrics`.

    Returns
    -------
    plotly.graph_objects.Figure
        One panel a metric, one row a predictor; a dotted line where knowing nothing would be (balanced accuracy,
        AUROC).
    """
    rows = metrics[metrics["condition"] == EVERYTHING]
    outcomes = _outcomes(rows)
    panels = [(metric, _outcome_of(metric, outcomes)) for metric in _SHOWN]
    predictors = list(dict.fromkeys(rows["predictor"]))
    figure = make_subplots(1, len(panels), shared_yaxes=True, horizontal_spacing=0.03)
    for column, (metric, outcome) in enumerate(panels, start=1):
        of_panel = rows[(rows["metric"] == metric) & (rows["outcome"] == outcome)]
        for position, predictor in enumerate(predictors):
            row = of_panel[of_panel["predictor"] == predictor]
            _add_whisker(
                figure, row, "estimate", name_predictor(predictor), colour_predictor(predictor, position), column
            )
        chance = {"balanced_accuracy": 1 / max(2, len(outcomes)), "auroc": 0.5}.get(metric)
        if chance is not None:
            figure.add_vline(x=chance, line={"dash": "dot", "color": COLOURS["reference"]}, row=1, col=column)
        figure.update_xaxes(title_text=_wrap(name_metric(metric, outcome)), row=1, col=column)
    _order_rows(figure, [name_predictor(name) for name in predictors])
    title = write_title("Scores on the test part", f"{_count(rows)}; lines are clustered intervals, dotted is chance")
    return apply_theme(figure, title=title, height_px=190 + _ROW_PX * max(2, len(predictors))).update_layout(
        margin={"t": 80, "l": 200, "b": 80}
    )


def plot_comparisons(comparisons: pd.DataFrame) -> go.Figure:
    """Draw the paired differences between the model and every baseline.

    Parameters
    ----------
    comparisons
        Table `Comparisons` with `outcome` and `best_trivial`.

    Returns
    -------
    plotly.graph_objects.Figure
        One panel a metric, one row a baseline; filled: the best baseline that sees no image.
    """
    panels = list(dict.fromkeys(zip(comparisons["metric"], comparisons["outcome"], strict=True)))
    references = list(dict.fromkeys(comparisons["reference"]))
    figure = make_subplots(1, max(1, len(panels)), shared_yaxes=True, horizontal_spacing=0.03)
    for column, (metric, outcome) in enumerate(panels, start=1):
        of_panel = comparisons[(comparisons["metric"] == metric) & (comparisons["outcome"] == outcome)]
        for row in of_panel.index:
            best = bool(of_panel.loc[row, "best_trivial"])
            name = name_predictor(str(of_panel.loc[row, "reference"]))
            colour = COLOURS["apoptosis"] if best else COLOURS["model"]
            _add_whisker(figure, of_panel.loc[[row]], "difference", name, colour, column, filled=best)
        figure.add_vline(x=0, line={"dash": "dot", "color": COLOURS["model"]}, row=1, col=column)
        text = f"Difference in<br>{_wrap(_uncapitalise(name_metric(metric, outcome)))}"
        figure.update_xaxes(title_text=text, range=_range_with_zero(of_panel), row=1, col=column)
    _order_rows(figure, [name_predictor(name) for name in references])
    n = comparisons.iloc[0] if len(comparisons) else {"n_samples": 0, "n_groups": 0}
    counts = write_counts(int(n["n_samples"]), int(n["n_groups"]))
    legend = "lines are paired clustered intervals; filled: the best baseline that sees no image"
    title = write_title("Model minus each baseline, same samples", f"{counts}; {legend}")
    return apply_theme(figure, title=title, height_px=205 + _ROW_PX * max(2, len(references))).update_layout(
        margin={"t": 80, "l": 200, "b": 80}
    )


def plot_confusion(confusion: pd.DataFrame) -> go.Figure:
    """Draw what the model called, by what was true.

    Parameters
    ----------
    confusion
        Table of `metrics.count_confusions`; the rows of the model are drawn.

    Returns
    -------
    plotly.graph_objects.Figure
        One panel a threshold; colour and percentage are shares of the true outcome, so the diagonal is recall.
    """
    rows = confusion[confusion["predictor"] == MODEL]
    names = {"headline": "Threshold .5", "tuned": "Threshold chosen on validation"}
    outcomes = [outcome for outcome in OUTCOMES if outcome in set(rows["outcome"])]
    if len(outcomes) > 2:
        names["headline"] = "Likeliest outcome"
    thresholds = list(dict.fromkeys(rows["threshold"]))
    figure = make_subplots(
        1, max(1, len(thresholds)), subplot_titles=[names[t] for t in thresholds], horizontal_spacing=0.12
    )
    for column, threshold in enumerate(thresholds, start=1):
        _add_confusion(figure, rows[rows["threshold"] == threshold], outcomes, column)
    n_samples = int(rows.loc[rows["threshold"] == "headline", "n_samples"].sum())
    title = write_title("Confusion matrix of the model", f"n = {n_samples:,} samples of the test part")
    height_px = 200 + 90 * max(2, len(outcomes))
    return apply_theme(figure, title=title, height_px=height_px).update_layout(margin={"t": 110})


def _add_confusion(figure: go.Figure, rows: pd.DataFrame, outcomes: list[str], column: int) -> None:
    by_pair = rows.set_index(["outcome", "call"]).reindex([(t, c) for t in outcomes for c in outcomes])
    share_kk = by_pair["share"].to_numpy(float).reshape(len(outcomes), -1)
    counts_kk = by_pair["n_samples"].to_numpy(int).reshape(len(outcomes), -1)
    figure.add_heatmap(
        x=outcomes,
        y=[f"{outcome}<br>n = {n:,}" for outcome, n in zip(outcomes, counts_kk.sum(axis=1), strict=True)],
        z=share_kk,
        text=[
            [f"{n:,}<br>{share:.0%}" for n, share in zip(counts, shares, strict=True)]
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
    figure.update_xaxes(title_text="Called outcome", showline=False, ticks="", row=1, col=column)
    figure.update_yaxes(
        title_text="True outcome" if column == 1 else None,
        autorange="reversed",
        showline=False,
        ticks="",
        row=1,
        col=column,
    )


def plot_dose_scores(metrics: pd.DataFrame) -> go.Figure:
    """Draw the model's scores in each dose, and within doses.

    Parameters
    ----------
    metrics
        Table `Metrics`.

    Returns
    -------
    plotly.graph_objects.Figure
        Left: balanced accuracy and recall of each outcome. Right: AUROC. With a single dose only the overall scores.
    """
    rows = metrics[metrics["predictor"] == MODEL]
    conditions = order_doses(set(rows["condition"]) - {EVERYTHING, WITHIN_DOSES})
    conditions += [name for name in (WITHIN_DOSES, EVERYTHING) if name in set(rows["condition"])]
    labels = {name: _label_condition(rows, name) for name in conditions}
    figure = make_subplots(1, 2, subplot_titles=["Calls at the headline threshold", "Ranking"], horizontal_spacing=0.1)
    outcomes = _outcomes(rows)
    series = [("balanced_accuracy", EVERYTHING), *(("recall", outcome) for outcome in outcomes)]
    for position, (metric, outcome) in enumerate(series):
        colour = COLOURS["model"] if outcome == EVERYTHING else colour_of(outcome)
        shift = (position - (len(series) - 1) / 2) * 0.22
        _add_column(figure, rows, (metric, outcome), conditions, colour, 1, shift)
    _add_column(figure, rows, ("auroc", EVERYTHING), conditions, COLOURS["mitosis"], 2, 0.0)
    panels = ((1, "Balanced accuracy, recall", 1 / max(2, len(outcomes))), (2, "AUROC", 0.5))
    for column, text, chance in panels:
        figure.add_hline(y=chance, line={"dash": "dot", "color": COLOURS["reference"]}, row=1, col=column)
        figure.update_yaxes(title_text=text, range=[-0.02, 1.04], row=1, col=column)
        figure.update_xaxes(
            title_text="Dose", tickvals=list(range(len(conditions))), ticktext=[labels[c] for c in conditions],
            row=1, col=column,
        )  # fmt: skip
    title = write_title("Scores of the model by dose", f"{_count(rows[rows['condition'] == EVERYTHING])}")
    return apply_theme(figure, title=title, height_px=460).update_layout(
        margin={"t": 100, "b": 140}, legend={"y": -0.42}
    )


def _label_condition(rows: pd.DataFrame, condition: str) -> str:
    total = rows[(rows["condition"] == condition) & (rows["outcome"] == EVERYTHING)]
    name = {WITHIN_DOSES: "mean within<br>doses", EVERYTHING: "all"}.get(condition, condition)
    return f"{name}<br>n = {int(total['n_samples'].max()):,}"


def _add_column(
    figure: go.Figure,
    rows: pd.DataFrame,
    key: tuple[str, str],
    conditions: list[str],
    colour: str,
    column: int,
    shift: float,
) -> None:
    """Add one metric over all conditions, moved sideways so that intervals stay apart."""
    of_key = rows[(rows["metric"] == key[0]) & (rows["outcome"] == key[1])].set_index("condition").reindex(conditions)
    figure.add_scatter(
        x=[position + shift for position in range(len(conditions))],
        y=of_key["estimate"],
        error_y=_whiskers(of_key, "estimate"),
        mode="markers",
        marker={"color": colour, "size": _DOT_PX - 1},
        name=name_metric(*key),
        customdata=of_key[["n_samples", "n_groups"]],
        hovertemplate="%{y:.3f}, n = %{customdata[0]} samples in %{customdata[1]} groups",
        row=1,
        col=column,
    )


def _add_whisker(
    figure: go.Figure, row: pd.DataFrame, value: str, name: str, colour: str, column: int, *, filled: bool = True
) -> None:
    """Add one dot with its interval."""
    if row.empty or row[value].isna().all():
        return
    figure.add_scatter(
        x=row[value],
        y=[name],
        error_x=_whiskers(row, value),
        mode="markers",
        marker={"color": colour if filled else "white", "size": _DOT_PX, "line": {"color": colour, "width": 2}},
        showlegend=False,
        customdata=row[["low", "high"]],
        hovertemplate=f"{name}: %{{x:.3f}} (%{{customdata[0]:.3f}} to %{{customdata[1]:.3f}})<extra></extra>",
        row=1,
        col=column,
    )
    figure.data[-1].error_x.color = colour


def _range_with_zero(rows: pd.DataFrame) -> list[float] | None:
    """Range of an axis that holds all intervals, and zero not at its edge; null (automatic) where none is defined."""
    bounds = rows[["difference", "low", "high"]].to_numpy(float)
    if np.isnan(bounds).all():
        return None
    low, high = min(0.0, float(np.nanmin(bounds))), max(0.0, float(np.nanmax(bounds)))
    margin = 0.08 * max(high - low, 0.01)
    return [low - margin, high + margin]


def _whiskers(rows: pd.DataFrame, value: str) -> dict[str, object]:
    return {
        "type": "data",
        "symmetric": False,
        "array": (rows["high"] - rows[value]).to_numpy(),
        "arrayminus": (rows[value] - rows["low"]).to_numpy(),
        "thickness": 2,
        "width": 0,
    }


def _order_rows(figure: go.Figure, names: list[str]) -> None:
    """Put the first name on top, in every panel."""
    figure.update_yaxes(
        categoryorder="array", categoryarray=names, autorange="reversed", tickmode="array", tickvals=names
    )


def _outcomes(rows: pd.DataFrame) -> list[str]:
    return [outcome for outcome in OUTCOMES if outcome in set(rows["outcome"])]


def _outcome_of(metric: str, outcomes: list[str]) -> str:
    """Class whose average precision is drawn: of two outcomes the positive one, which stands first."""
    if metric == "average_precision" and len(outcomes) == 2:
        return outcomes[0]
    return EVERYTHING


def _count(rows: pd.DataFrame) -> str:
    total = rows[rows["outcome"] == EVERYTHING]
    if total.empty:
        return write_counts(0, 0)
    return write_counts(*(int(total[column].max()) for column in ("n_samples", "n_groups", "n_cells")))


def _uncapitalise(text: str) -> str:
    return text if text.startswith(("AUROC", "Brier")) else text[:1].lower() + text[1:]


def _wrap(text: str) -> str:
    """Break an axis title before what narrows it down, so that titles of neighbouring panels stay apart."""
    return text.replace(" of ", "<br>of ").replace(" (", "<br>(")
