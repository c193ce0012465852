"""What differs in the frames of most attention: effect sizes by outcome and dose, a panel each."""

from math import ceil
from typing import Any, Final

import pandas as pd
import plotly.graph_objects as go

from cellfate.core.tables import EVERYTHING
from cellfate.core.words import list_outcomes, name_dose, name_feature, order_doses, show_count
from cellfate.plots.theme import COLOURS, colour_of, finish, make_grid, say_nothing, whiskers

_SIGNIFICANT: Final = 0.05
_EFFECT_BANDS: Final = ((0.147, "#f4f5f7"), (0.33, "#e9ecf0"), (0.474, "#dde2e8"), (1.0, "#d0d7df"))
"""Ends of negligible, small, medium and large |Cliff's delta| (Romano et al. 2006), with a shade each."""
_COLUMNS: Final = 5
_FEATURE_PX: Final = 20
_GAP_PX: Final = 70
_SHARE_AT: Final = 1.38
_RANGE: Final = (-1.08, 1.75)
"""Where the share of cells is written, beyond the largest delta, and what an axis spans to hold it."""
_FOUND, _NOT_FOUND, _UNTESTED, _TRAINED = "circle", "circle-open", "square-open", "diamond-open"
_LEGEND: Final = {
    _FOUND: "more than attention of other cells gives (corrected p at most .05)",
    _NOT_FOUND: "not told from it",
    _UNTESTED: "not tested: too few cells, or one group",
    _TRAINED: "cells trained on",
}


def plot_effect_sizes(attention_summary: pd.DataFrame, training_summary: pd.DataFrame) -> go.Figure:
    """Draw the median Cliff's delta of every feature with its interval and the share of cells with its sign.

    A panel for each outcome and dose, all doses together first, over bands of effect size. Cells that the model was
    trained on are diamonds, without a verdict, and wait for a click on the legend.

    Parameters
    ----------
    attention_summary, training_summary
        Tables `AttentionSummary` of test and of training cells.
    """
    title = "What differs in the frames of most attention"
    tested, trained = (table.dropna(subset=["median_delta"]) for table in (attention_summary, training_summary))
    if tested.empty:
        return say_nothing(f"{title} (n = 0 cells)", "No cell is long enough to be compared.")
    pooled = tested[tested["dose"] == EVERYTHING]
    sizes = pooled["median_delta"].abs().groupby(pooled["feature"]).max()
    features = list(sizes.sort_values(ascending=False, kind="stable").index)
    panels, n_columns = _list_panels(tested)
    n_rows = ceil(len(panels) / n_columns)
    look: dict[str, Any] = {"shared_yaxes": True, "horizontal_spacing": 0.012}
    heads = ["" if panel is None else _head(tested, *panel) for panel in panels]
    figure, inner_px = make_grid(n_rows, n_columns, _FEATURE_PX * len(features), _GAP_PX, subplot_titles=heads, **look)
    for number, panel in enumerate(panels):
        if panel is not None:
            place = {"row": number // n_columns + 1, "col": number % n_columns + 1}
            of_test, of_training = (_pick(table, *panel) for table in (tested, trained))
            _draw_panel(figure, of_test, of_training, features, place)
    figure.update_annotations(font={"size": 12})
    figure.update_xaxes(title={"text": "Cliff's delta, median", "standoff": 4, "font": {"size": 12}}, row=n_rows)
    figure.add_traces([_legend_dot(symbol, name) for symbol, name in _LEGEND.items()])
    n_cells = int(pooled.groupby("outcome")["n_cells"].max().sum())
    subtitle = (
        f"n = {show_count(n_cells, 'cell')} of the test part; lines are intervals. Shades: an effect is negligible, "
        "small (from .15), medium (from .33) or large (from .47). Per cent: cells with the sign of the median."
    )
    figure = finish(figure, title, subtitle, inner_px=inner_px, left_px=170, legend_rows=2)
    for column in range(2, n_columns + 1):
        figure.update_yaxes(ticks="", col=column)
    return figure


def _list_panels(tested: pd.DataFrame) -> tuple[list[tuple[str, str] | None], int]:
    """List outcome and dose of each panel, row by row, None where a place stays free; and the number of columns."""
    outcomes = list_outcomes(tested["outcome"])
    doses = [EVERYTHING, *order_doses(set(tested["dose"]) - {EVERYTHING})]
    if len(doses) == 1:
        return [(outcome, EVERYTHING) for outcome in outcomes], len(outcomes)
    n_columns = min(len(doses), _COLUMNS)
    free = -len(doses) % n_columns
    return [panel for outcome in outcomes for panel in ([(outcome, dose) for dose in doses] + [None] * free)], n_columns


def _pick(table: pd.DataFrame, outcome: str, dose: str) -> pd.DataFrame:
    """Rows of one panel."""
    return table[(table["outcome"] == outcome) & (table["dose"] == dose)]


def _head(tested: pd.DataFrame, outcome: str, dose: str) -> str:
    """Head of a panel: outcome, dose and number of cells."""
    of_panel = _pick(tested, outcome, dose)
    n_cells, n_groups = (int(of_panel[name].max()) if len(of_panel) else 0 for name in ("n_cells", "n_groups"))
    return f"{outcome}, {name_dose(dose)}<br>n = {n_cells} in {show_count(n_groups, 'group')}"


def _draw_panel(
    figure: go.Figure, tested: pd.DataFrame, trained: pd.DataFrame, features: list[str], place: dict[str, int]
) -> None:
    """Draw bands, dots with intervals, and shares of one outcome and dose."""
    look: dict[str, Any] = {"exclude_empty_subplots": False, "layer": "below", **place}
    inner = 0.0
    for outer, shade in _EFFECT_BANDS:
        for left, right in ((inner, outer), (-outer, -inner)):
            figure.add_vrect(x0=left, x1=right, fillcolor=shade, line_width=0, **look)
        inner = outer
    figure.add_vline(x=0, line={"color": COLOURS["reference"], "width": 1}, **look)
    for part, is_trained in ((tested, False), (trained[trained["feature"].isin(features)], True)):
        figure.add_trace(_dots(part, features, is_trained=is_trained), **place)
    shares = go.Scatter(
        x=[_SHARE_AT] * len(tested),
        y=[features.index(feature) for feature in tested["feature"]],
        text=["" if pd.isna(share) else f"{share:.0%}" for share in tested["share_same_sign"]],
        mode="text",
        textfont={"size": 10},
        hoverinfo="skip",
        showlegend=False,
    )
    figure.add_trace(shares, **place)
    ticks = {"tickvals": [-1, -0.5, 0, 0.5, 1], "ticktext": ["-1", "", "0", "", "1"]}
    figure.update_xaxes(range=_RANGE, **ticks, **place)
    names = [name_feature(feature) for feature in features]
    span = [len(features) - 0.5, -0.5]
    figure.update_yaxes(tickvals=list(range(len(features))), ticktext=names, range=span, **place)


def _dots(part: pd.DataFrame, features: list[str], *, is_trained: bool) -> go.Scatter:
    """Dots with intervals of one panel; those of training cells wait for a click on the legend."""
    colour = colour_of(part["outcome"].iloc[0]) if len(part) else COLOURS["reference"]
    below = 0.25 if is_trained else 0.0
    return go.Scatter(
        x=part["median_delta"],
        y=[features.index(feature) + below for feature in part["feature"]],
        mode="markers",
        legendgroup=_TRAINED if is_trained else None,
        showlegend=False,
        visible="legendonly" if is_trained else True,
        marker={"size": 8, "color": colour, "symbol": [_TRAINED if is_trained else _mark(p) for p in _p_of(part)]},
        error_x=whiskers(part, "median_delta", colour),
        customdata=[_say(row, is_trained=is_trained) for row in part.to_dict("records")],
        hovertemplate="%{customdata}<extra></extra>",
    )


def _p_of(part: pd.DataFrame) -> list[float]:
    return [float(p) for p in part["p_swap_corrected"]]


def _mark(p_corrected: float) -> str:
    """Symbol of a verdict."""
    if pd.isna(p_corrected):
        return _UNTESTED
    return _FOUND if p_corrected <= _SIGNIFICANT else _NOT_FOUND


def _say(row: dict[Any, Any], *, is_trained: bool) -> str:
    """Words of a dot: its numbers, and what they are of."""
    delta = f"{name_feature(row['feature'])}: {row['median_delta']:.2f} [{row['low']:.2f}, {row['high']:.2f}]"
    said = [delta, show_count(int(row["n_cells"]), "cell") + (" trained on" if is_trained else "")]
    if not pd.isna(row["share_same_sign"]):
        said.append(f"{row['share_same_sign']:.0%} of them with this sign")
    if not is_trained and not pd.isna(row["p_swap"]):
        said.append(f"{row['excess']:+.2f} over masks of other cells, corrected p {row['p_swap_corrected']:.3f}")
    return "<br>".join(said)


def _legend_dot(symbol: str, name: str) -> go.Scatter:
    """Explain a symbol in the legend."""
    is_trained = symbol == _TRAINED
    return go.Scatter(
        x=[None],
        y=[None],
        mode="markers",
        name=name,
        legendgroup=_TRAINED if is_trained else symbol,
        visible="legendonly" if is_trained else True,
        marker={"size": 8, "color": COLOURS["model"], "symbol": symbol},
    )
