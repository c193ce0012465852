"""One cell and all that is said of it: its frames, and under them reporters, attention and attributions on one axis.

Array suffixes: t frame, c channel.
"""

from collections.abc import Sequence
from typing import Final

import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from cellfate.plots.explainability import SIGNED
from cellfate.plots.filmstrip import CHANNEL_HEIGHT_PX, FilmStrip, StripCurve, brightness_limits
from cellfate.plots.strip_frames import encode_frame
from cellfate.plots.theme import SEQUENCE, apply_theme, colour_of, translucent
from cellfate.plots.words import name_method

ATTENTION: Final = "attention"
"""Name of the curve of a film strip that is drawn as attention."""
_CURVE_PX: Final = 110
_CHANNEL_PX: Final = 34
_GAP_PX: Final = 34
_MARGIN_PX: Final = 130


def plot_explained_cell(
    strip: FilmStrip,
    reporters: pd.DataFrame,
    attributions: pd.DataFrame,
    methods: Sequence[str],
    planted_h: tuple[float, float] | None = None,
    percentiles: tuple[float, float] = (0.5, 99.8),
) -> go.Figure:
    """Draw one cell: film strip, reporters, attention, and a heat map a method, over the hours before the last frame.

    Parameters
    ----------
    strip
        The frames to draw, the title and, as a curve named `attention`, the attention of every frame; no panel without.
    reporters
        One row a frame: hours (0 is the last frame shown, earlier ones are negative) and one column a channel; any unit
        a column, since each is drawn relative to its own mean.
    attributions
        Rows of table `Attributions` of this cell, with first_h and last_h: the hours at which each window begins and
        ends, on the same axis.
    methods
        Methods to draw as heat maps, in order; those that `attributions` lacks are left out.
    planted_h
        Hours between which the answer was planted; None: not known.
    percentiles
        Percentiles of a channel's pixels that are drawn black and white (percent).

    Returns
    -------
    plotly.graph_objects.Figure
        All panels share the time axis.
    """
    shown = [method for method in methods if (attributions["method"] == method).any()]
    rows_of = {
        method: list(dict.fromkeys(attributions.loc[attributions["method"] == method, "channel"])) for method in shown
    }
    n_curves = 1 + len(_attention_of(strip))
    heights = [CHANNEL_HEIGHT_PX * len(strip.channels), *[_CURVE_PX] * n_curves]
    heights += [_CHANNEL_PX * len(rows_of[method]) for method in shown]
    inner_px = sum(heights) + _GAP_PX * (len(heights) - 1)
    figure = make_subplots(
        rows=len(heights),
        shared_xaxes=True,
        row_heights=heights,
        vertical_spacing=_GAP_PX / inner_px,
        subplot_titles=[""] * (1 + n_curves) + [_head(method, attributions) for method in shown],
    )
    _add_frames(figure, strip, percentiles)
    _add_reporters(figure, reporters)
    for curve in _attention_of(strip):
        _add_attention(figure, curve, strip.outcome)
    for row, method in enumerate(shown, start=2 + n_curves):
        _add_values(figure, attributions[attributions["method"] == method], rows_of[method], row)
    if planted_h is not None:
        _mark_planted(figure, planted_h, 1 + n_curves, len(heights))
    first = min([*strip.hours_t, *reporters["hours"]])
    figure.update_xaxes(range=[float(first) - strip.step_h / 2, strip.step_h / 2])
    figure.update_xaxes(title="Time (h), 0 is the last frame used", row=len(heights), col=1)
    apply_theme(figure, title=strip.title, height_px=inner_px + 2 * _MARGIN_PX)
    return figure.update_layout(
        margin={"l": 110, "r": 30, "t": _MARGIN_PX, "b": _MARGIN_PX}, legend={"y": -60 / inner_px}
    )


def _add_frames(figure: go.Figure, strip: FilmStrip, percentiles: tuple[float, float]) -> None:
    """Put the frames at their hours, the channels under each other."""
    n_channels, limits = len(strip.channels), brightness_limits([strip], percentiles)
    for frame_chw, inside_hw, hour in zip(strip.frames_tchw, strip.inside_thw, strip.hours_t, strict=True):
        figure.add_layout_image(
            source=encode_frame(frame_chw, inside_hw, strip.channels, limits),
            x=float(hour), y=n_channels / 2, sizex=strip.step_h, sizey=n_channels, xanchor="center", yanchor="middle",
            sizing="contain", layer="above", row=1, col=1,
        )  # fmt: skip
    # an unseen trace, without which a panel of images has no axes
    figure.add_scatter(
        x=strip.hours_t, y=[0] * len(strip.hours_t), opacity=0, hoverinfo="skip", showlegend=False, row=1, col=1
    )
    ticks = {"tickvals": [place + 0.5 for place in range(n_channels)], "ticktext": list(strip.channels)}
    figure.update_yaxes(range=[n_channels, 0], showgrid=False, **ticks, row=1, col=1)
    figure.update_xaxes(showgrid=False, row=1, col=1)


def _add_reporters(figure: go.Figure, reporters: pd.DataFrame) -> None:
    """Draw every channel relative to its mean over the cell."""
    for place, channel in enumerate(name for name in reporters.columns if name != "hours"):
        figure.add_scatter(
            x=reporters["hours"], y=reporters[channel] / reporters[channel].mean(), mode="lines", name=str(channel),
            line={"color": SEQUENCE[place % len(SEQUENCE)]}, row=2, col=1,
        )  # fmt: skip
    figure.update_yaxes(title="level<br>(1: its mean)", row=2, col=1)


def _attention_of(strip: FilmStrip) -> list[StripCurve]:
    """Find the attention among the curves of a strip: one curve, or none where it was not read."""
    curves = [curve for panel in strip.panels for curve in panel.curves]
    return [curve for curve in curves if curve.name == ATTENTION and curve.values.size][:1]


def _add_attention(figure: go.Figure, curve: StripCurve, outcome: str) -> None:
    """Draw the attention of every frame, and what an even spread would be."""
    figure.add_scatter(
        x=curve.hours, y=curve.values, mode="lines+markers", marker={"size": 4}, fill="tozeroy",
        line={"color": colour_of(outcome)}, name=ATTENTION, showlegend=False, row=3, col=1,
    )  # fmt: skip
    figure.add_hline(y=float(curve.values.mean()), line={"dash": "dot", "width": 1}, row=3, col=1)
    figure.update_yaxes(title="attention<br>(share)", rangemode="tozero", row=3, col=1)


def _add_values(figure: go.Figure, values: pd.DataFrame, channels: list[str], row: int) -> None:
    """Draw the values of one method as bars of colour, from the beginning to the end of each window."""
    edges = sorted({*values["first_h"], *values["last_h"]})
    # a gap in the track begins no window, and stays empty
    grid = values.pivot_table(index="channel", columns="first_h", values="value").reindex(
        index=channels, columns=edges[:-1]
    )
    reach = _reach(values)
    figure.add_heatmap(
        x=edges, y=channels, z=grid.to_numpy(), colorscale=SIGNED, zmin=-reach, zmax=reach, xgap=1, ygap=1,
        hovertemplate="%{y}, %{x:.1f} h: %{z:.3f} " + str(values["unit"].iloc[0]) + "<extra></extra>", showscale=False,
        row=row, col=1,
    )  # fmt: skip
    figure.update_yaxes(type="category", autorange="reversed", row=row, col=1)


def _reach(values: pd.DataFrame) -> float:
    """Largest size of a method's values: what the strongest colour stands for."""
    return float(values["value"].abs().max()) or 1.0


def _head(method: str, values: pd.DataFrame) -> str:
    """Name a method, and say what its strongest colour stands for."""
    of_method = values[values["method"] == method]
    if (of_method["value"] == 0).all():
        return f"{name_method(method)} (all values are 0)"
    return f"{name_method(method)} (strongest colour: {_reach(of_method):.2g} {of_method['unit'].iloc[0]})"


def _mark_planted(figure: go.Figure, planted_h: tuple[float, float], last_curve: int, n_rows: int) -> None:
    """Frame the planted hours in every panel."""
    colour = colour_of("undecided")
    for row in range(2, n_rows + 1):
        look = {"fillcolor": translucent(colour, 0.18), "layer": "below"} if row <= last_curve else {"layer": "above"}
        figure.add_vrect(x0=planted_h[0], x1=planted_h[1], line={"color": colour, "width": 2}, row=row, col=1, **look)
