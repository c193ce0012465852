"""What attributions are worth: method by score, deletion and insertion, agreement, randomised weights."""

from typing import Any, Final

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from cellfate.core.attribution_thresholds import ABOUT_CELL, ABOUT_MODEL, FEW_EXPLAINED, check_scores
from cellfate.core.words import name_method, name_score, show_count
from cellfate.plots.theme import SIGNED, band, colour_method, finish, say_nothing, whiskers

_VERDICTS: Final = [[0.0, "#edb9ab"], [0.5, "#f2f2ef"], [1.0, "#a5cbd8"]]
"""Fails, not decided, passes."""


def plot_attribution_scores(attribution_scores: pd.DataFrame) -> go.Figure:
    """Draw every method by every score that a verdict rests on: the number, and whether it passes as a colour.

    Parameters
    ----------
    attribution_scores
        Table `AttributionScores`. Methods and scores without any value are left out.
    """
    title = "What each attribution is worth"
    attribution_scores = attribution_scores[attribution_scores["score"].isin([*ABOUT_MODEL, *ABOUT_CELL])]
    known = attribution_scores.dropna(subset=["value"])
    if known.empty:
        return say_nothing(f"{title} (n = 0 cells)", "No method could be scored.")
    kept = attribution_scores["score"].isin(known["score"]) & attribution_scores["method"].isin(known["method"])
    shown = attribution_scores[kept]
    methods, scores = list(dict.fromkeys(shown["method"])), list(dict.fromkeys(shown["score"]))
    cells = shown.assign(goodness=_grade(shown), text=[_write(row) for row in shown.itertuples()])
    cells = cells.assign(hover=[_explain(row) for row in shown.itertuples()])
    grids = {
        name: cells.pivot_table(index="method", columns="score", values=name, aggfunc="first", dropna=False).reindex(
            index=methods, columns=scores
        )
        for name in ("goodness", "text", "hover")
    }
    figure = go.Figure(
        go.Heatmap(
            z=grids["goodness"].to_numpy(dtype=float),
            x=[name_score(score) for score in scores],
            y=[name_method(method) for method in methods],
            text=grids["text"].fillna("").to_numpy(),
            customdata=grids["hover"].fillna("").to_numpy(),
            texttemplate="%{text}",
            hovertemplate="%{y}<br>%{x}<br>%{customdata}<extra></extra>",
            colorscale=_VERDICTS,
            zmin=0,
            zmax=1,
            showscale=False,
            xgap=3,
            ygap=3,
        )
    )
    figure.update_yaxes(autorange="reversed", ticks="")
    figure.update_xaxes(side="top", ticks="", tickangle=-30)
    n_groups = int(known["n_groups"].max())
    few = f"; grey: too few groups ({n_groups}) to tell" if n_groups < FEW_EXPLAINED else ""
    n = show_count(known["n_cells"].max(), "cell")
    subtitle = f"n = {n} at most; blue passes, red fails{few}."
    finish(figure, title, subtitle, inner_px=44 * len(methods), legend_gap_px=10, legend_rows=0, left_px=230)
    return figure.update_layout(margin={"t": 190, "r": 90}, height=figure.layout.height + 190 - figure.layout.margin.t)


def _grade(scores: pd.DataFrame) -> list[float]:
    """Grade scores: 1 passes, 0 fails, 0.5 is not decided; NaN where there is no value."""
    passed = {method: check_scores(part) for method, part in scores.groupby("method")}
    keys = zip(scores["method"], scores["score"], scores["value"], strict=True)
    return [float("nan") if pd.isna(value) else float(passed[name].get(score, 0.5)) for name, score, value in keys]


def _write(row: Any) -> str:
    """Write a score's value."""
    return "" if pd.isna(row.value) else f"{round(row.value, 2) + 0.0:.2f}"  # no -0.00


def _explain(row: Any) -> str:
    """Write a score's value, interval and cells, or why there is none."""
    if pd.isna(row.value):
        return str(row.reason)
    interval = "" if pd.isna(row.low) else f" [{row.low:.2f}, {row.high:.2f}]"
    return f"{row.value:.3f}{interval} {row.unit}, {row.n_cells} cells; {row.better} is better"


def plot_faithfulness(faithfulness_curves: pd.DataFrame) -> go.Figure:
    """Draw the forecast while parts are removed (left) and put back (right), method by method.

    Parameters
    ----------
    faithfulness_curves
        Table `FaithfulnessCurves`.
    """
    if faithfulness_curves.empty:
        return say_nothing("Deletion and insertion (n = 0 cells)", "No landmark was explained.")
    heads = ("Removed, most important first", "Put back, most important first")
    figure = make_subplots(cols=2, shared_yaxes=True, horizontal_spacing=0.04, subplot_titles=heads)
    methods = list(dict.fromkeys(faithfulness_curves["method"]))
    for method in methods:
        of_method = faithfulness_curves[faithfulness_curves["method"] == method]
        for column, curve in enumerate(("deletion", "insertion"), start=1):
            rows = of_method[(of_method["curve"] == curve) & (of_method["order"] == "own")]
            _add_curve(figure, rows, method, column)
    _add_random(figure, faithfulness_curves)
    figure.update_xaxes(title="Share of the parts", range=[0, 1])
    figure.update_yaxes(title="Log odds above the base rate", col=1)
    n_cells = show_count(faithfulness_curves["n_cells"].max(), "cell")
    subtitle = f"n = {n_cells}, mean and interval; dashed: parts in random order."
    return finish(figure, "Deletion and insertion", subtitle, inner_px=320, legend_rows=2)


def _add_curve(figure: go.Figure, rows: pd.DataFrame, method: str, column: int) -> None:
    """Add one method's curve and its band."""
    colour, name = colour_method(method), name_method(method)
    facts = {"legendgroup": name, "name": name}
    figure.add_trace(band(rows["share"], rows["low"], rows["high"], colour, 0.1, **facts), row=1, col=column)
    figure.add_scatter(
        x=rows["share"], y=rows["value"], mode="lines", line={"color": colour, "width": 2}, showlegend=column == 1,
        row=1, col=column, **facts,
    )  # fmt: skip


def _add_random(figure: go.Figure, curves: pd.DataFrame) -> None:
    """Add the random orders: one line for windows, one for channels in windows."""
    random = curves[curves["order"] == "random"]
    for column, curve in enumerate(("deletion", "insertion"), start=1):
        drawn: list[np.ndarray] = []
        for _, rows in random[random["curve"] == curve].groupby("method", sort=False):
            values = rows["value"].to_numpy()
            if any(np.allclose(values, other) for other in drawn):
                continue
            drawn.append(values)
            figure.add_scatter(
                x=rows["share"], y=values, mode="lines", line={"color": "#8a8f98", "dash": "dash"},
                name="Random order", legendgroup="random", showlegend=column == 1 and len(drawn) == 1,
                row=1, col=column,
            )  # fmt: skip


def plot_agreement(attribution_agreement: pd.DataFrame) -> go.Figure:
    """Draw the mean rank correlation of every two methods.

    Parameters
    ----------
    attribution_agreement
        Table `AttributionAgreement`.
    """
    if attribution_agreement.empty or attribution_agreement["rank_correlation"].isna().all():
        return say_nothing("Agreement between methods (n = 0 cells)", "Fewer than two methods were compared.")
    known = attribution_agreement.dropna(subset=["rank_correlation"])
    both = pd.concat([known, known.rename(columns={"method": "other", "other": "method"})])
    methods = list(dict.fromkeys([*known["method"], *known["other"]]))
    grid = both.pivot_table(index="method", columns="other", values="rank_correlation", dropna=False)
    correlations = grid.reindex(index=methods, columns=methods).to_numpy(dtype=float)
    names = [name_method(method) for method in methods]
    text = np.where(np.isnan(correlations), "", np.char.mod("%.2f", np.nan_to_num(correlations)))
    figure = go.Figure(
        go.Heatmap(
            z=correlations, x=names, y=names, text=text, texttemplate="%{text}", colorscale=SIGNED,
            reversescale=True, zmin=-1, zmax=1, xgap=2, ygap=2, showscale=False,
        )
    )  # fmt: skip
    figure.update_yaxes(autorange="reversed", ticks="")
    figure.update_xaxes(ticks="", tickangle=-30)
    n_cells = show_count(attribution_agreement["n_cells"].max(), "cell")
    subtitle = f"n = {n_cells}, mean rank correlation over the parts of a cell."
    inner_px = 44 * len(methods)
    return finish(
        figure, "Agreement between methods", subtitle, inner_px=inner_px, legend_gap_px=130, legend_rows=0, left_px=230
    )


def plot_randomised_weights(randomised_weights: pd.DataFrame) -> go.Figure:
    """Draw how much of each attribution is left as layers are randomised from the head down.

    Parameters
    ----------
    randomised_weights
        Table `RandomisedWeights`.
    """
    if randomised_weights.empty:
        return say_nothing("Randomised weights (n = 0 cells)", "No landmark was explained again.")
    stages = randomised_weights.drop_duplicates("stage").sort_values("stage")
    figure = go.Figure()
    for method, rows in randomised_weights.dropna(subset=["rank_correlation"]).groupby("method", sort=False):
        ordered = rows.sort_values("stage")
        figure.add_scatter(
            x=ordered["stage"],
            y=ordered["rank_correlation"],
            error_y=whiskers(ordered, "rank_correlation", colour_method(str(method))),
            mode="lines+markers",
            line={"color": colour_method(str(method))},
            name=name_method(str(method)),
        )
    figure.add_hline(y=0, line={"color": "#8a8f98", "dash": "dot"})
    figure.update_xaxes(tickvals=stages["stage"], ticktext=stages["layer"], title="Layer randomised last")
    figure.update_yaxes(title="Rank correlation with the trained model", range=[-1.05, 1.05])
    subtitle = f"n = {show_count(randomised_weights['n_cells'].max(), 'cell')}, mean and interval."
    return finish(figure, "Randomised weights", subtitle, inner_px=300, legend_gap_px=80, legend_rows=2, heads=False)
