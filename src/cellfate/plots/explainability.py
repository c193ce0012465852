"""What a forecast rests on: occlusion and Shapley values."""

from itertools import pairwise
from typing import Final

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from cellfate.plots.aligned_time import choose_alignment, present_outcomes
from cellfate.plots.theme import apply_theme, colour_of

SIGNED: Final = [[0.0, "#2a7f9e"], [0.5, "#f7f7f5"], [1.0, "#c8553d"]]
"""Diverging scale: for the explained outcome red, against it blue."""
STRENGTH: Final = [[0.0, "#f7f7f5"], [1.0, "#1f2933"]]


def plot_occlusion(occlusion: pd.DataFrame, samples: pd.DataFrame) -> go.Figure:
    """Draw what is lost without a time window (left) and without a channel (right), per outcome.

    Parameters
    ----------
    occlusion
        Table `Attributions` of `attribution.occlude_inputs`.
    samples
        Table `Samples`, those of `occlusion` at least.
    """
    shown = samples[samples["sample_id"].isin(occlusion["sample_id"])]
    rows = occlusion.merge(shown[["sample_id", "outcome"]], on="sample_id", validate="many_to_one")
    figure = make_subplots(
        cols=2,
        column_widths=[0.6, 0.4],
        horizontal_spacing=0.12,
        subplot_titles=["Without a time window", "Without a channel"],
    )
    labels = window_labels(occlusion, shown)
    for position, outcome in enumerate(present_outcomes(shown)):
        windows, channels = _occlusion_boxes(rows[rows["outcome"] == outcome], outcome, position, labels)
        figure.add_trace(windows, row=1, col=1)
        figure.add_trace(channels, row=1, col=2)
    figure.add_hline(y=0, line={"color": "#a9b1bc", "width": 1})
    figure.update_layout(boxmode="group")
    in_time = {"categoryorder": "array", "categoryarray": labels[::-1], "tickfont": {"size": 11}, "tickangle": -35}
    figure.update_xaxes(**in_time, title=_window_title(shown), col=1)
    figure.update_xaxes(title="Channel", col=2)
    figure.update_yaxes(title=f"Lost log odds of {_explained(occlusion)} (logit)", col=1)
    figure.update_yaxes(title="Lost log odds (logit)", col=2)
    title = "Occlusion: what the forecast loses when an input is absent"
    return apply_theme(figure, title=title, height_px=480).update_layout(legend={"y": -0.42})


def _occlusion_boxes(rows: pd.DataFrame, outcome: str, position: int, labels: list[str]) -> tuple[go.Box, go.Box]:
    """Boxes of one outcome: over time windows, and over channels."""
    windows = rows[rows["method"] == "occlusion_window"].sort_values("windows_back", ascending=False)
    channels = rows[rows["method"] == "occlusion_channel"]
    name = f"{outcome} (n = {rows['sample_id'].nunique()})"
    look = {
        "name": name,
        "legendgroup": name,
        "offsetgroup": outcome,
        "marker": {"color": colour_of(outcome, position), "size": 3},
    }
    hours = windows["windows_back"].map(labels.__getitem__)
    return go.Box(x=hours, y=windows["value"], **look), go.Box(
        x=channels["channel"], y=channels["value"], showlegend=False, **look
    )


def plot_shapley(shapley: pd.DataFrame, samples: pd.DataFrame) -> go.Figure:
    """Draw mean Shapley values of time windows and channels per outcome: their size, and their sign.

    Parameters
    ----------
    shapley
        Table `Attributions` of `attribution.compute_shapley_values`.
    samples
        Table `Samples`, those of `shapley` at least.
    """
    shown = samples[samples["sample_id"].isin(shapley["sample_id"])]
    rows = shapley.merge(shown[["sample_id", "outcome"]], on="sample_id", validate="many_to_one")
    rows = rows.assign(size=rows["value"].abs())
    outcomes, channels = present_outcomes(shown), list(dict.fromkeys(shapley["channel"]))
    labels = window_labels(shapley, shown)
    counts = rows.groupby("outcome")["sample_id"].nunique()
    titles = [f"{what}, {o} (n = {counts[o]})" for what in ("mean |value|", "mean value") for o in outcomes]
    figure = make_subplots(
        rows=2,
        cols=max(1, len(outcomes)),
        shared_xaxes=True,
        shared_yaxes=True,
        vertical_spacing=0.16,
        horizontal_spacing=0.05,
        subplot_titles=titles or None,
    )
    for row, column_name in ((1, "size"), (2, "value")):
        for column, outcome in enumerate(outcomes, start=1):
            means = _window_means(rows[rows["outcome"] == outcome], column_name, channels, len(labels))
            heat = go.Heatmap(
                x=labels[::-1],
                y=channels,
                z=means,
                coloraxis=f"coloraxis{row}",
                hovertemplate="%{y}, %{x} h: %{z:.3f} logit<extra></extra>",
            )
            figure.add_trace(heat, row=row, col=column)
    _add_colour_scales(figure, rows, channels, len(labels))
    figure.update_xaxes(title=_window_title(shown), row=2)
    figure.update_xaxes(type="category", tickfont={"size": 11}, tickangle=-35)
    figure.update_yaxes(type="category", autorange="reversed")
    title = f"Shapley values of time windows and channels for the log odds of {_explained(shapley)}"
    return apply_theme(figure, title=title, height_px=360 + 50 * len(channels)).update_layout(
        margin={"l": 100, "t": 80}
    )


def window_labels(attributions: pd.DataFrame, samples: pd.DataFrame) -> list[str]:
    """Name time windows by their hours before hour 0, the last window first; the earliest is open.

    When samples are aligned at the event, the hours between the last frame shown and the event are added.
    """
    width = float(attributions["window_h"].iloc[0]) if len(attributions) else 1.0
    n_windows = int(attributions["windows_back"].max()) + 1 if len(attributions) else 0
    lead = float(samples["lead_time_h"].median()) if choose_alignment(samples).at_event else 0.0
    edges = lead + width * np.arange(n_windows + 1)
    labels = [f"{high:g}-{low:g}" for low, high in pairwise(edges)]
    return [*labels[:-1], f"over {edges[-2]:g}"] if n_windows else []


def _window_title(samples: pd.DataFrame) -> str:
    """Axis title of time windows."""
    title = choose_alignment(samples).title
    return f"Time window<br>({title[0].lower()}{title[1:]})"


def _explained(attributions: pd.DataFrame) -> str:
    """Outcome whose log odds were explained."""
    return str(attributions["explained_outcome"].iloc[0]) if len(attributions) else "the first outcome"


def _window_means(rows: pd.DataFrame, column: str, channels: list[str], n_windows: int) -> np.ndarray:
    """Mean over samples, channels down and windows across, the earliest window first; NaN where no sample has one."""
    means = rows.pivot_table(index="channel", columns="windows_back", values=column, aggfunc="mean")
    return means.reindex(index=channels, columns=range(n_windows)[::-1]).to_numpy(dtype=np.float64)


def _add_colour_scales(figure: go.Figure, rows: pd.DataFrame, channels: list[str], n_windows: int) -> None:
    """Give the two rows of heat maps a scale each: from 0 up, and symmetric about 0."""
    parts = [part for _, part in rows.groupby("outcome")]
    size, signed = (
        max((np.nanmax(np.abs(_window_means(part, column, channels, n_windows))) for part in parts), default=1.0)
        for column in ("size", "value")
    )
    bar = {"len": 0.42, "thickness": 12, "nticks": 4, "title": {"text": "logit", "side": "top"}}
    figure.update_layout(
        coloraxis={"colorscale": STRENGTH, "cmin": 0, "cmax": size, "colorbar": {**bar, "y": 0.79}},
        coloraxis2={"colorscale": SIGNED, "cmin": -signed, "cmax": signed, "colorbar": {**bar, "y": 0.2}},
    )
