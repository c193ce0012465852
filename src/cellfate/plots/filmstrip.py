"""Film strips: frames of example cells in time, with curves under them: the attention they got, or what was forecast.

Array suffixes: t frame, c channel, h row, w column.
"""

import base64
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray
from plotly.subplots import make_subplots

from cellfate.plots.theme import COLOURS, apply_theme, colour_of, say_nothing, translucent

CHANNEL_HEIGHT_PX = 44
ATTENTION_HEIGHT_PX = 60
CURVES_HEIGHT_PX = 100
LEGEND_PX = 30
TITLE_GAP_PX = 60
STRIP_GAP_PX = 4
AXIS_GAP_PX = 46
SMALL = {"size": 11}


@dataclass(frozen=True, eq=False)
class StripCurve:
    """A line under the frames: one value in 0..1 a frame, for example the forecast of an event.

    Parameters
    ----------
    name
        What the line is of; an outcome has its own colour.
    hours, values
        Time in hours, as `FilmStrip.hours_t`, and value of each frame.
    threshold
        Drawn as a dotted line of the same colour; NaN: none.
    """

    name: str
    hours: NDArray[np.float64]
    values: NDArray[np.float64]
    threshold: float = math.nan


@dataclass(frozen=True, eq=False)
class FilmStrip:
    """One example cell: the frames to draw, and attention or other curves over all frames of its input.

    Parameters
    ----------
    kind
        Why the cell is shown, for example "right and sure"; one row of the figure.
    outcome
        What really followed; one column of the figure.
    title
        One line over the strip.
    channels
        Names of the channels.
    frames_tchw
        Frames to draw, camera dtype.
    inside_thw
        Whether a pixel lies within the image; pixels outside are drawn transparent.
    hours_t
        Time of each drawn frame in hours; 0 is the last frame of the input, earlier frames are negative.
    step_h
        Time between two drawn frames in hours.
    attention_hours, attention
        Time in hours and attention (share, 0..1) of every frame of the input; empty where not computed.
    curves
        Drawn in the place of the attention where there are any, on one axis from 0 to 1.
    mark_h
        Time in hours of an upright line through the curves; NaN: none.
    """

    kind: str
    outcome: str
    title: str
    channels: tuple[str, ...]
    frames_tchw: NDArray[np.generic]
    inside_thw: NDArray[np.bool_]
    hours_t: NDArray[np.float64]
    step_h: float
    attention_hours: NDArray[np.float64]
    attention: NDArray[np.float64]
    curves: tuple[StripCurve, ...] = ()
    mark_h: float = math.nan


def draw_film_strips(strips: Sequence[FilmStrip], brightness_percentiles: tuple[float, float]) -> go.Figure:
    """Draw example cells: one column an outcome, one row a kind of example.

    Parameters
    ----------
    strips
        Cells to draw; at most one is drawn for each pair of outcome and kind.
    brightness_percentiles
        Percentiles of a channel over all strips that are drawn black and white (percent). One scale serves all cells,
        so that brightness can be compared between them.

    Returns
    -------
    plotly.graph_objects.Figure
        Images embedded as PNG; time axes in hours.
    """
    if not strips:
        return say_nothing("Example cells (n = 0 cells)", "There is no test sample to show.")
    kinds = list(dict.fromkeys(strip.kind for strip in strips))
    outcomes = list(dict.fromkeys(strip.outcome for strip in strips))
    figure = _make_panels(strips, kinds, outcomes)
    limits = brightness_limits(strips, brightness_percentiles)
    for strip in strips:
        row, column = 2 * kinds.index(strip.kind) + 1, outcomes.index(strip.outcome) + 1
        _add_frames(figure, strip, limits, row, column)
        if strip.curves:
            _add_curves(figure, strip, row + 1, column)
        else:
            _add_attention(figure, strip, row + 1, column)
        _name_time(figure, strip, row + 1, column)
    return figure


def brightness_limits(
    strips: Sequence[FilmStrip], brightness_percentiles: tuple[float, float]
) -> dict[str, tuple[float, float]]:
    """Grey values drawn black and white, per channel, over the pixels of all strips that lie in the image."""
    limits = {}
    for channel in dict.fromkeys(name for strip in strips for name in strip.channels):
        pixels = np.concatenate(
            [
                strip.frames_tchw[:, strip.channels.index(channel)][strip.inside_thw]
                for strip in strips
                if channel in strip.channels
            ]
        )
        low, high = np.percentile(pixels, brightness_percentiles) if pixels.size else (0.0, 1.0)
        limits[channel] = (float(low), float(max(high, low + 1e-6)))
    return limits


def encode_frame(
    frame_chw: NDArray[np.generic],
    inside_hw: NDArray[np.bool_],
    channels: Sequence[str],
    limits: dict[str, tuple[float, float]],
) -> str:
    """One frame as a PNG data URI: channels under each other in grey, what lies outside the image transparent.

    Parameters
    ----------
    frame_chw
        Pixels, any number type.
    inside_hw
        Whether a pixel lies in the image.
    channels
        Name of each channel, in the order of the first axis.
    limits
        Grey values drawn black and white, per channel.

    Returns
    -------
    str
        `data:image/png;base64,...`, an image of `C * (H + 1)` rows and `W + 1` columns: a transparent pixel parts
        the channels, and the frame from the next.
    """
    from imagecodecs import png_encode

    low_high = np.array([limits[channel] for channel in channels])[:, :, None, None]
    scaled = (frame_chw.astype(np.float64) - low_high[:, 0]) / (low_high[:, 1] - low_high[:, 0])
    grey = (np.clip(scaled, 0, 1) * 255).round().astype(np.uint8)
    opaque = np.broadcast_to(np.where(inside_hw, 255, 0).astype(np.uint8), grey.shape)
    edged = np.pad(np.stack([grey, opaque], axis=-1), ((0, 0), (0, 1), (0, 1), (0, 0)))
    rows = edged.reshape(-1, edged.shape[2], 2)
    encoded = base64.b64encode(bytes(png_encode(np.ascontiguousarray(rows)))).decode("ascii")
    return f"data:image/png;base64,{encoded}"


def _make_panels(strips: Sequence[FilmStrip], kinds: list[str], outcomes: list[str]) -> go.Figure:
    strip_px = CHANNEL_HEIGHT_PX * max(len(strip.channels) for strip in strips)
    has_curves = any(strip.curves for strip in strips)
    under_px = CURVES_HEIGHT_PX if has_curves else ATTENTION_HEIGHT_PX
    panel_px = strip_px + TITLE_GAP_PX + under_px + AXIS_GAP_PX
    inner_px = len(kinds) * panel_px
    figure = make_subplots(rows=2 * len(kinds), cols=len(outcomes), horizontal_spacing=0.1)
    for place in range(len(kinds)):
        top = 1 - (place * panel_px + TITLE_GAP_PX) / inner_px
        middle = top - strip_px / inner_px
        low = middle - (under_px + STRIP_GAP_PX) / inner_px
        figure.update_yaxes(domain=[middle, top], row=2 * place + 1)
        figure.update_yaxes(domain=[low, middle - STRIP_GAP_PX / inner_px], row=2 * place + 2)
    title = f"Example cells: one column an outcome, one row a kind of example (n = {len(strips)} cells)"
    apply_theme(figure, title=title, height_px=inner_px + 80 + LEGEND_PX * has_curves)
    margin = {"t": 50 + LEGEND_PX * has_curves, "b": 20, "l": 100, "r": 15}
    figure.update_layout(showlegend=has_curves, margin=margin)
    return figure.update_layout(legend={"y": 1 + 2 / inner_px, "yanchor": "bottom"})


def _add_frames(
    figure: go.Figure, strip: FilmStrip, limits: dict[str, tuple[float, float]], row: int, column: int
) -> None:
    n_channels = len(strip.channels)
    for frame_chw, inside_hw, hour in zip(strip.frames_tchw, strip.inside_thw, strip.hours_t, strict=True):
        figure.add_layout_image(
            source=encode_frame(frame_chw, inside_hw, strip.channels, limits),
            x=hour,
            y=n_channels / 2,
            sizex=strip.step_h,
            sizey=n_channels,
            xanchor="center",
            yanchor="middle",
            sizing="contain",
            layer="below",
            row=row,
            col=column,
        )
    _set_strip_axes(figure, strip, row, column)
    _add_strip_title(figure, strip.title, row, column)


def _add_strip_title(figure: go.Figure, title: str, row: int, column: int) -> None:
    figure.add_annotation(
        text=title,
        x=0,
        y=1,
        xref="x domain",
        yref="y domain",
        xanchor="left",
        yanchor="bottom",
        showarrow=False,
        align="left",
        font={"size": 12},
        row=row,
        col=column,
    )


def _set_strip_axes(figure: go.Figure, strip: FilmStrip, row: int, column: int) -> None:
    """Name the channels beside the frames; unseen dots give the panel a trace, without which its axes are not drawn."""
    n_channels, hours = len(strip.channels), list(strip.hours_t)
    unseen = {"mode": "markers", "opacity": 0, "hoverinfo": "skip", "showlegend": False}
    figure.add_scatter(x=hours, y=[0] * len(hours), **unseen, row=row, col=column)
    figure.update_xaxes(range=_hours_range(strip), visible=False, fixedrange=True, row=row, col=column)
    figure.update_yaxes(
        range=[n_channels, 0],
        tickvals=[position + 0.5 for position in range(n_channels)],
        ticktext=list(strip.channels),
        showgrid=False,
        showline=False,
        ticks="",
        fixedrange=True,
        row=row,
        col=column,
    )


def _add_attention(figure: go.Figure, strip: FilmStrip, row: int, column: int) -> None:
    colour = colour_of(strip.outcome)
    figure.add_scatter(
        x=strip.attention_hours,
        y=strip.attention,
        mode="lines+markers",
        marker={"size": 3},
        line={"color": colour, "width": 1.5},
        fill="tozeroy",
        fillcolor=translucent(colour, 0.18),
        hovertemplate="%{x:.1f} h: attention %{y:.3f}<extra></extra>",
        row=row,
        col=column,
    )
    if strip.attention.size:
        figure.add_hline(y=float(strip.attention.mean()), line={"dash": "dot", "width": 1}, row=row, col=column)
    title = {"text": "attention", "standoff": 4, "font": SMALL}
    figure.update_yaxes(title=title, tickfont=SMALL, rangemode="tozero", nticks=3, row=row, col=column)


def _add_curves(figure: go.Figure, strip: FilmStrip, row: int, column: int) -> None:
    """Add every curve with its threshold; a curve stands in the legend once."""
    named = {trace.name for trace in figure.data}
    for position, curve in enumerate(strip.curves):
        colour = colour_of(curve.name, position)
        figure.add_scatter(
            x=curve.hours,
            y=curve.values,
            mode="lines",
            line={"color": colour, "width": 2},
            name=curve.name,
            legendgroup=curve.name,
            showlegend=curve.name not in named,
            hovertemplate=f"%{{x:.1f}} h: {curve.name} %{{y:.2f}}<extra></extra>",
            row=row,
            col=column,
        )
        if not math.isnan(curve.threshold):
            line = {"dash": "dot", "width": 1.3, "color": colour}
            figure.add_hline(y=curve.threshold, line=line, row=row, col=column)
    if not math.isnan(strip.mark_h):
        figure.add_vline(x=strip.mark_h, line={"color": COLOURS["model"], "width": 1.3}, row=row, col=column)
    title = {"text": "forecast", "standoff": 4, "font": SMALL}
    figure.update_yaxes(title=title, tickfont=SMALL, range=[-0.04, 1.04], tickvals=[0, 0.5, 1], row=row, col=column)


def _name_time(figure: go.Figure, strip: FilmStrip, row: int, column: int) -> None:
    title = {"text": "time (h), 0 is the last frame used", "standoff": 4, "font": SMALL}
    figure.update_xaxes(range=_hours_range(strip), title=title, tickfont=SMALL, row=row, col=column)


def _hours_range(strip: FilmStrip) -> list[float]:
    first = min([*strip.hours_t, *strip.attention_hours, *(hour for curve in strip.curves for hour in curve.hours)])
    return [float(first) - strip.step_h / 2, strip.step_h / 2]
