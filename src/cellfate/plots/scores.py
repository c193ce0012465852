"""Scores of every predictor, their paired differences, and scores by dose; of either question.

Of what happens within some hours the headline horizon is drawn at first and the others on a click in the legend.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from cellfate.core.predictors import choose_leading, label_predictor, order_predictors
from cellfate.core.tables import EVERYTHING, WITHIN_DOSES
from cellfate.core.words import (
    FEW_GROUPS,
    LOWER_IS_BETTER,
    capitalise,
    label_metric,
    list_events,
    list_outcomes,
    name_metric,
    name_question,
    order_doses,
    say_too_few,
    write_hours,
)
from cellfate.plots.theme import (
    COLOURS,
    at_question,
    colour_of,
    colour_predictor,
    finish,
    make_grid,
    say_nothing,
    whiskers,
    write_counts,
)

_METRICS: Final = ("auroc", "average_precision", "brier")
_SYMBOLS: Final = ("circle", "square", "diamond", "triangle-up", "cross")
_DOSE_SYMBOLS: Final = {"auroc": "diamond", "average_precision": "square"}
_GAPS_PX: Final = {"estimate": 112, "difference": 140}
"""Space between two rows of panels of scores, and of differences, in pixels."""
_SLOT_PX: Final = 13
_NAMES_PX: Final = 200
_NOTHING: Final = "No landmark of the test part was scored."


@dataclass(frozen=True)
class Panel:
    """A panel of dots: one metric of one outcome, at a place of the grid."""

    metric: str
    outcome: str
    row: int
    column: int

    @property
    def place(self) -> dict[str, int]:
        """Row and column as plotly takes them."""
        return {"row": self.row, "col": self.column}


@dataclass(frozen=True)
class Series:
    """Dots of one colour scheme in every panel: those of a predictor (None: of all) at a horizon (None: which fate)."""

    predictor: str | None
    hours: float | None
    symbol: str
    shown: bool

    @property
    def name(self) -> str:
        """What the legend calls it."""
        hours = [] if self.hours is None else [f"within {write_hours(self.hours)}"]
        return ", ".join([*([label_predictor(self.predictor)] if self.predictor else []), *hours])


def plot_scores(metrics: pd.DataFrame, within_h: float | None = None) -> go.Figure:
    """Draw the scores of every predictor over all doses, with their intervals.

    Parameters
    ----------
    metrics
        Table `Metrics`.
    within_h
        Hours within which something happens that are drawn first; None: scores of which fate comes.

    Returns
    -------
    plotly.graph_objects.Figure
        One row a predictor, one column of panels a metric and, within hours, one row of panels an event. Dotted: one
        and the same forecast for all.
    """
    title = f"Scores: {name_question(within_h)}"
    rows = _of_question(metrics[metrics["condition"] == EVERYTHING], within_h)
    panels = _list_panels(rows, within_h)
    if not panels:
        return say_nothing(f"{title} (n = 0 landmarks)", _NOTHING)
    predictors = order_predictors(rows["predictor"])
    series = [Series(None, hours, symbol, shown) for hours, symbol, shown in _list_horizons(rows, within_h)]
    figure, inner_px = _make_axes(panels, len(predictors), len(series), "estimate", within_h)
    for panel in panels:
        of_panel = _of_panel(rows, panel)
        for position, one in enumerate(series):
            of_series = at_question(of_panel, one.hours)
            _add_one_forecast(figure, of_series, one, panel, len(predictors))
            _add_dots(figure, of_series, "estimate", predictors, one, _shift(position, len(series)), panel)
        of = panel.outcome if within_h is None else EVERYTHING
        text = label_metric(panel.metric, of).replace(" of ", "<br>of ").replace(" (", "<br>(")
        figure.update_xaxes(title_text=text, **panel.place)
    _name_rows(figure, [label_predictor(name) for name in predictors])
    return finish(
        figure,
        title,
        f"Test part, {_count(rows, within_h)}. Lines are intervals, dotted is one forecast for all.",
        inner_px=inner_px,
        legend_rows=int(within_h is not None),
        left_px=_NAMES_PX,
        legend_gap_px=80,
        heads=within_h is not None,
    )


def plot_comparisons(comparisons: pd.DataFrame, within_h: float | None = None) -> go.Figure:
    """Draw the paired differences between the models and every reference.

    Parameters
    ----------
    comparisons
        Table `Comparisons`.
    within_h
        As in `plot_scores`.

    Returns
    -------
    plotly.graph_objects.Figure
        Panels as in `plot_scores`; one row a reference, colours are predictors. Filled: the best without measurements.
    """
    title = f"Differences: {name_question(within_h)}"
    rows = _of_question(comparisons, within_h)
    panels = _list_panels(rows, within_h)
    if not panels:
        return say_nothing(f"{title} (n = 0 landmarks)", "No two predictors were compared.")
    references = order_predictors(rows["reference"])
    series = [
        Series(predictor, hours, symbol, shown)
        for predictor in order_predictors(rows["predictor"])
        for hours, symbol, shown in _list_horizons(rows, within_h)
    ]
    drawn_h = next(one.hours for one in series if one.shown)
    few = _say_few(at_question(rows, drawn_h))
    figure, inner_px = _make_axes(panels, len(references), len(series), "difference", within_h)
    for panel in panels:
        of_panel = _of_panel(rows, panel)
        for position, one in enumerate(series):
            of_series = at_question(of_panel[of_panel["predictor"] == one.predictor], one.hours)
            _add_dots(figure, of_series, "difference", references, one, _shift(position, len(series)), panel)
        figure.add_vline(x=0, line={"dash": "dot", "color": COLOURS["model"], "width": 1.5}, **panel.place)
        side = "left" if panel.metric in LOWER_IS_BETTER else "right"
        sense = "(model minus reference)" if few else f"({side} of 0: better)"
        figure.update_xaxes(title_text=f"Difference in<br>{name_metric(panel.metric)}<br>{sense}", **panel.place)
    _name_rows(figure, [label_predictor(name) for name in references])
    return finish(
        figure,
        title,
        f"Each model minus the reference named at the left, {write_counts(at_question(rows, drawn_h))}. Lines are "
        f"paired intervals; filled: the highest reference without measurements.{few}",
        inner_px=inner_px,
        legend_rows=1 + (len(series) - 1) // 4,
        left_px=_NAMES_PX,
        legend_gap_px=100,
        heads=within_h is not None,
    )


def plot_dose_scores(metrics: pd.DataFrame, within_h: float | None = None) -> go.Figure:
    """Draw the scores of the leading predictor at each dose, and their mean within doses.

    Parameters
    ----------
    metrics
        Table `Metrics`.
    within_h
        Hours within which something happens; None: which fate comes.

    Returns
    -------
    plotly.graph_objects.Figure
        One panel a metric; colours are outcomes, all of them together are dark.
    """
    rows = at_question(metrics, within_h)
    rows = rows[rows["predictor"] == choose_leading(rows["predictor"])]
    title = f"Scores by dose: {name_question(within_h)}"
    panels = _list_dose_panels(rows, within_h)
    conditions = order_doses(rows["condition"])
    if rows.empty or not panels:
        return say_nothing(f"{title} (n = 0 landmarks)", _NOTHING)
    if len({*conditions} - {WITHIN_DOSES, EVERYTHING}) < 2:
        return say_nothing(title, "There is one dose: its scores are those of all cells.")
    figure = make_subplots(1, len(panels), horizontal_spacing=0.09)
    for column, (text, keys, chance) in enumerate(panels, start=1):
        for position, key in enumerate(keys):
            _add_doses(figure, rows, key, conditions, _shift(position, len(keys)), column)
        figure.update_yaxes(title_text=text, range=[-0.02, 1.04], row=1, col=column)
        if chance is not None:
            line = {"dash": "dot", "color": COLOURS["reference"]}
            figure.add_hline(y=chance, line=line, row=1, col=column)
    most = rows.groupby("condition")["n_landmarks"].max()
    names = {WITHIN_DOSES: "within<br>doses", EVERYTHING: "all"}
    labels = [f"{names.get(name, name)}<br>n = {most[name]:,}" for name in conditions]
    figure.update_xaxes(title_text="Dose (n landmarks)", tickvals=list(range(len(conditions))), ticktext=labels)
    everything = rows[rows["condition"] == EVERYTHING]
    subtitle = f"{label_predictor(str(rows['predictor'].iloc[0]))}, test part, {write_counts(everything)}."
    return finish(figure, title, subtitle, inner_px=300, legend_gap_px=105, heads=False)


def _say_few(compared: pd.DataFrame) -> str:
    """Say that groups are too few to tell predictors apart, of the outcome that fewest hold; empty: they are not."""
    if compared.empty or compared["n_event_groups"].min() >= FEW_GROUPS:
        return ""
    fewest = compared.iloc[int(compared["n_event_groups"].to_numpy().argmin())]
    return f" {say_too_few(int(fewest['n_event_groups']), str(fewest['outcome']))}"


def _of_question(rows: pd.DataFrame, within_h: float | None) -> pd.DataFrame:
    """Rows of the question, of every horizon."""
    return rows[rows["within_h"].isna() if within_h is None else rows["within_h"].notna()]


def _list_horizons(rows: pd.DataFrame, within_h: float | None) -> list[tuple[float | None, str, bool]]:
    """Horizons with their symbols, and whether they are drawn at first."""
    if within_h is None:
        return [(None, _SYMBOLS[0], True)]
    hours = sorted(set(rows["within_h"].astype(float)))
    headline = within_h if np.isclose(hours, within_h).any() else hours[0]
    return [(h, _SYMBOLS[n % len(_SYMBOLS)], bool(np.isclose(h, headline))) for n, h in enumerate(hours)]


def _list_panels(rows: pd.DataFrame, within_h: float | None) -> list[Panel]:
    """Panels that hold something; those of which fate comes stand in one row, the first event is its positive."""
    events = list_events(rows["outcome"])
    wanted: list[list[tuple[str, str]]] = [[(metric, event) for metric in _METRICS] for event in events]
    if within_h is None:
        first = events[0] if events else EVERYTHING
        calls, ranks = ("balanced_accuracy", EVERYTHING), [("auroc", first), ("average_precision", first)]
        wanted = [[calls, *ranks, ("brier", EVERYTHING)]]
    found = set(zip(rows["metric"], rows["outcome"], strict=True))
    kept = [[key for key in row if key in found] for row in wanted]
    return [
        Panel(metric, outcome, row, column)
        for row, keys in enumerate((keys for keys in kept if keys), start=1)
        for column, (metric, outcome) in enumerate(keys, start=1)
    ]


def _make_axes(
    panels: list[Panel], n_names: int, n_series: int, value: str, within_h: float | None
) -> tuple[go.Figure, int]:
    """Make the axes and give their height in pixels."""
    n_rows, n_columns = max(panel.row for panel in panels), max(panel.column for panel in panels)
    shown = n_series if within_h is None else max(2, n_series)
    panel_px = max(90, n_names * (14 + _SLOT_PX * shown))
    heads = None if within_h is None else [capitalise(panel.outcome) for panel in panels]
    sizes = (n_rows, n_columns, panel_px, _GAPS_PX[value])
    return make_grid(*sizes, shared_yaxes=True, horizontal_spacing=0.03, subplot_titles=heads)


def _of_panel(rows: pd.DataFrame, panel: Panel) -> pd.DataFrame:
    return rows[(rows["metric"] == panel.metric) & (rows["outcome"] == panel.outcome)]


def _shift(position: int, n: int) -> float:
    """Place of one of n dots beside each other, as a share of a row."""
    return (position - (n - 1) / 2) * 0.7 / n


def _add_dots(
    figure: go.Figure, rows: pd.DataFrame, value: str, names: list[str], series: Series, shift: float, panel: Panel
) -> None:
    """Add the dots of one series: those of predictors in their colours, or the differences of one to references."""
    column = "predictor" if series.predictor is None else "reference"
    known = rows.dropna(subset=[value])
    colours = [colour_predictor(str(name)) for name in known["predictor"]]
    filled = known["best_trivial"].astype(bool) if "best_trivial" in known else pd.Series(True, index=known.index)
    fills = [colour if full else "white" for colour, full in zip(colours, filled, strict=True)]
    own = colour_predictor(series.predictor) if series.predictor else COLOURS["reference"]
    figure.add_scatter(
        x=known[value],
        y=[names.index(name) + shift for name in known[column]],
        error_x=whiskers(known, value),
        mode="markers",
        marker={"color": fills, "size": 9, "symbol": series.symbol, "line": {"color": colours, "width": 1.8}},
        name=series.name,
        legendgroup=series.name,
        showlegend=False,
        visible=True if series.shown else "legendonly",
        customdata=np.column_stack([known[["low", "high", "n_landmarks", "n_groups"]], known[column]]),
        hovertemplate="%{customdata[4]}: %{x:.3f} (%{customdata[0]:.3f} to %{customdata[1]:.3f}), "
        "n = %{customdata[2]} landmarks in %{customdata[3]} groups<extra></extra>",
        **panel.place,
    )
    if series.name and panel.row == panel.column == 1:
        look = {"color": own, "size": 9, "symbol": series.symbol}
        shown = True if series.shown else "legendonly"
        figure.add_scatter(
            x=[None], y=[None], mode="markers", marker=look, name=series.name, legendgroup=series.name, visible=shown
        )


def _add_one_forecast(figure: go.Figure, rows: pd.DataFrame, series: Series, panel: Panel, n_names: int) -> None:
    """Add a dotted line where one and the same forecast for all landmarks would be."""
    level = find_chance(panel.metric, rows)
    if level is None:
        return
    figure.add_scatter(
        x=[level, level],
        y=[-0.5, n_names - 0.5],
        mode="lines",
        line={"dash": "dot", "color": COLOURS["reference"], "width": 1.6},
        legendgroup=series.name,
        showlegend=False,
        visible=True if series.shown else "legendonly",
        hovertemplate="one forecast for all: %{x:.3f}<extra></extra>",
        **panel.place,
    )


def find_chance(metric: str, rows: pd.DataFrame) -> float | None:
    """Find what a metric is for one and the same forecast for all; None where that is not known.

    Parameters
    ----------
    metric
        Name of the metric.
    rows
        Rows of table `Metrics` of one outcome and question; average precision and Brier score depend on their share of
        events.
    """
    if rows.empty or rows["n_landmarks"].max() == 0 or metric in ("auroc", "balanced_accuracy"):
        return 0.5 if metric in ("auroc", "balanced_accuracy") else None
    of_one = (rows["outcome"] != EVERYTHING).all()
    share = float((rows["n_events"] / rows["n_landmarks"]).max())
    return {"average_precision": share, "brier": share * (1 - share)}.get(metric) if of_one else None


def _name_rows(figure: go.Figure, names: list[str]) -> None:
    """Put the first name on top, in every panel; only the first column is named."""
    limits, places = [len(names) - 0.5, -0.5], list(range(len(names)))
    figure.update_yaxes(range=limits, tickvals=places, ticktext=names, showgrid=False)


def _count(rows: pd.DataFrame, within_h: float | None) -> str:
    """Write how much was scored and how many events of each kind it holds."""
    asked = at_question(rows, within_h)
    of_first = asked[asked["predictor"] == choose_leading(asked["predictor"])]
    events = of_first.groupby("outcome")["n_events"].max()
    by = "" if within_h is None else "followed by "
    found = ", ".join(f"{int(events[event]):,} {by}{event}" for event in list_events(events.index))
    return f"{write_counts(of_first)} ({found})"


def _list_dose_panels(
    rows: pd.DataFrame, within_h: float | None
) -> list[tuple[str, list[tuple[str, str]], float | None]]:
    """Axis title, metrics with outcomes, and chance of each panel."""
    outcomes, events = list_outcomes(rows["outcome"]), list_events(rows["outcome"])
    if within_h is None:
        calls = [("balanced_accuracy", EVERYTHING), *(("recall", outcome) for outcome in outcomes)]
        return [("Balanced accuracy, recall", calls, 0.5), ("AUROC", [("auroc", o) for o in events[:1]], 0.5)]
    ranks = [("auroc", 0.5), ("average_precision", None)]
    found = set(rows["metric"])
    return [
        (label_metric(metric), [(metric, o) for o in events], chance) for metric, chance in ranks if metric in found
    ]


def _add_doses(
    figure: go.Figure, rows: pd.DataFrame, key: tuple[str, str], conditions: list[str], shift: float, column: int
) -> None:
    """Add one metric over all doses, moved sideways so that intervals stay apart."""
    metric, outcome = key
    of_key = rows[(rows["metric"] == metric) & (rows["outcome"] == outcome)].set_index("condition").reindex(conditions)
    colour = COLOURS["model"] if outcome == EVERYTHING else colour_of(outcome)
    figure.add_scatter(
        x=[position + shift for position in range(len(conditions))],
        y=of_key["estimate"],
        error_y=whiskers(of_key, "estimate", colour),
        mode="markers",
        marker={"color": colour, "size": 9, "symbol": _DOSE_SYMBOLS.get(metric, _SYMBOLS[0])},
        name=label_metric(metric, outcome),
        customdata=of_key[["n_landmarks", "n_groups"]],
        hovertemplate="%{y:.3f}, n = %{customdata[0]} landmarks in %{customdata[1]} groups",
        row=1,
        col=column,
    )
