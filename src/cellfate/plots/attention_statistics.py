"""Features in frames of much attention: effect sizes over cells, and series over time."""

from math import ceil
from typing import Final

import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from cellfate.plots.aligned_time import band_traces, choose_alignment, count_back, present_outcomes, quartiles_by
from cellfate.plots.theme import apply_theme, colour_of

ALL_DOSES: Final = "all"
SIGNIFICANT: Final = 0.05
EFFECT_BANDS: Final = (
    (0.0, 0.147, "negligible", "#f4f5f7"),
    (0.147, 0.33, "small", "#e9ecf0"),
    (0.33, 0.474, "medium", "#dde2e8"),
    (0.474, 1.0, "large", "#d0d7df"),
)
"""Sizes of |Cliff's delta| (Romano et al. 2006), with a shade each."""
UNITS: Final = {
    "area": "px²",
    "perimeter": "px",
    "equivalent_diameter": "px",
}
COLUMNS: Final = 3


def plot_effect_sizes(attention_summary: pd.DataFrame, training_summary: pd.DataFrame) -> go.Figure:
    """Draw the median Cliff's delta of every feature per outcome, all doses together, over bands of effect size.

    A filled dot is a delta that masks of other cells do not give (p_swap at most .05); an open one is not, or untested.
    Cells that the model was trained on stand apart, as diamonds, and wait for a click on the legend.

    Parameters
    ----------
    attention_summary, training_summary
        Tables `AttentionSummary` of test and of training cells.
    """
    pooled, trained = (
        table[table["dose"] == ALL_DOSES].dropna(subset=["median_delta"])
        for table in (attention_summary, training_summary)
    )
    features = list(dict.fromkeys(pooled["feature"]))
    outcomes = present_outcomes(pooled)
    figure = go.Figure()
    for low, high, name, shade in EFFECT_BANDS:
        for left, right in ((low, high), (-high, -low)):
            figure.add_vrect(x0=left, x1=right, fillcolor=shade, line_width=0, layer="below")
        figure.add_annotation(
            x=(low + high) / 2, y=1.0, yref="paper", yanchor="bottom", text=name, showarrow=False, font={"size": 11}
        )
    for position, outcome in enumerate(outcomes):
        part = pooled[pooled["outcome"] == outcome]
        figure.add_trace(_effect_dots(part, features, outcome, position, len(outcomes)))
    for position, outcome in enumerate(outcomes):
        part = trained[(trained["outcome"] == outcome) & trained["feature"].isin(features)]
        dots = _effect_dots(part, features, outcome, position, len(outcomes))
        symbols = [symbol.replace("circle", "diamond") for symbol in dots.marker.symbol]
        name = f"{dots.name}, trained on"
        figure.add_trace(dots.update(name=name, visible="legendonly", marker={"symbol": symbols, "size": 7}))
    figure.add_vline(x=0, line={"color": "#a9b1bc", "width": 1})
    if not features:
        figure.add_annotation(x=0, y=0.5, yref="paper", text="No sample is long enough to be compared", showarrow=False)
    figure.update_xaxes(
        title="Median Cliff's delta over cells: frames of top attention against the rest", range=[-1, 1]
    )
    places = {
        "tickmode": "array",
        "tickvals": list(range(len(features))),
        "ticktext": [label_of(f, unit=False) for f in features],
    }
    figure.update_yaxes(**places, range=[len(features) - 0.5, -0.5])
    title = "What differs in the frames of top attention (filled: p ≤ .05 against masks of other cells)"
    return apply_theme(figure, title=title, height_px=200 + 42 * max(1, len(features))).update_layout(
        margin={"l": 170, "t": 80}, legend={"y": -80 / (60 + 42 * max(1, len(features)))}
    )


def _effect_dots(part: pd.DataFrame, features: list[str], outcome: str, position: int, n_outcomes: int) -> go.Scatter:
    """Dots with intervals of one outcome, beside those of the others."""
    colour = colour_of(outcome, position)
    found = part["p_swap"].notna() & (part["p_swap"] <= SIGNIFICANT)
    offset = 0.3 * (position - (n_outcomes - 1) / 2)
    return go.Scatter(
        x=part["median_delta"],
        y=[features.index(feature) + offset for feature in part["feature"]],
        mode="markers",
        name=f"{outcome} (n = {int(part['n_cells'].max()) if len(part) else 0} cells)",
        marker={"size": 10, "color": colour, "symbol": ["circle" if yes else "circle-open" for yes in found]},
        error_x={
            "type": "data",
            "symmetric": False,
            "array": part["high"] - part["median_delta"],
            "arrayminus": part["median_delta"] - part["low"],
            "color": colour,
            "thickness": 1.5,
        },
        customdata=part[["feature", "low", "high", "p_swap", "n_cells"]].to_numpy(),
        hovertemplate="%{customdata[0]}: %{x:.2f} [%{customdata[1]:.2f}, %{customdata[2]:.2f}], "
        "p_swap %{customdata[3]:.3f}, n = %{customdata[4]}<extra></extra>",
    )


def plot_reporter_series(frame_features: pd.DataFrame, samples: pd.DataFrame) -> go.Figure:
    """Draw reporters and shape over time, aligned at the event, per outcome: median and quartiles over cells.

    Parameters
    ----------
    frame_features
        Table `FrameFeatures`.
    samples
        Table `Samples`; the frames of these samples are drawn.
    """
    alignment = choose_alignment(samples)
    reporters = [str(name) for name in frame_features.columns if str(name).startswith("intensity_")]
    features = [*reporters, "area", "circularity", "eccentricity"]
    keys = ["recording_id", "cell_id"]
    bounds = samples[["sample_id", *keys, "first_frame", "last_frame"]]
    rows = frame_features[[*keys, "frame", *features]].merge(bounds, on=keys)
    rows = rows[rows["frame"].between(rows["first_frame"], rows["last_frame"])]
    rows = count_back(rows[["sample_id", "frame", *features]], samples, alignment)
    n_rows = ceil(len(features) / COLUMNS)
    figure = make_subplots(rows=n_rows, cols=COLUMNS, horizontal_spacing=0.08, vertical_spacing=0.22 / n_rows)
    for number, feature in enumerate(features):
        row, column = number // COLUMNS + 1, number % COLUMNS + 1
        for position, outcome in enumerate(present_outcomes(samples)):
            part = rows[rows["outcome"] == outcome]
            name = f"{outcome} (n = {part['sample_id'].nunique()})"
            table = quartiles_by(part, "hours", feature)
            traces = band_traces(table["hours"], table, name, position=position, legend=number == 0)
            figure.add_traces(traces, rows=row, cols=column)
        figure.update_yaxes(title={"text": label_of(feature), "standoff": 4}, row=row, col=column)
        title = alignment.title if number + COLUMNS >= len(features) else None
        figure.update_xaxes(autorange="reversed", title=title, row=row, col=column)
    title = "Reporters and shape over time: median and quartiles over cells"
    return apply_theme(figure, title=title, height_px=120 + 240 * n_rows)


def label_of(feature: str, *, unit: bool = True) -> str:
    """Name a feature for an axis, with its unit where it has one."""
    name = "neighbours" if feature == "n_neighbors" else feature.removeprefix("intensity_").replace("_", " ")
    unit_name = "counts" if feature.startswith("intensity_") else UNITS.get(feature)
    return f"{name} ({unit_name})" if unit and unit_name else name
