"""Film strips: frames of example cells in time, with curves under them: attention, forecasts, what was measured.

Array suffixes: t frame, c channel, h row, w column.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray
from plotly.subplots import make_subplots

from cellfate.plots.strip_frames import encode_frame, encode_relevance
from cellfate.plots.theme import COLOURS, apply_theme, colour_of, say_nothing, translucent

CHANNEL_HEIGHT_PX: Final = 44
LEGEND_PX: Final = 30
TITLE_GAP_PX: Final = 60
STRIP_GAP_PX: Final = 4
AXIS_GAP_PX: Final = 46
SMALL: Final = {"size": 11}
STRONGEST_PERCENTILE: Final = 99.5
"""Percentile of a strip's pixel relevance that is drawn in full colour (percent)."""


@dataclass(frozen=True, eq=False)
class StripCurve:
    """A line under the frames.

    Parameters
    ----------
    name
        What the line is of; an outcome has its own colour.
    hours, values
        Time in hours, as `FilmStrip.hours_t`, and value of each frame.
    threshold
        Drawn as a dotted line of the same colour; NaN: none.
    filled
        Fill the area down to 0.
    """

    name: str
    hours: NDArray[np.float64]
    values: NDArray[np.float64]
    threshold: float = math.nan
    filled: bool = False


@dataclass(frozen=True, eq=False)
class StripPanel:
    """Curves that share one axis under the frames.

    Parameters
    ----------
    title
        What the axis shows, with its unit.
    curves
        The lines; none: the panel says so.
    height_px
        Height of the panel.
    ends
        Ends of the axis; None: as the curves need.
    legend
        Whether the curves stand in the legend; not when the title says what they are.
    mark_h
        Time in hours of an upright line; NaN: none.
    """

    title: str
    curves: tuple[StripCurve, ...]
    height_px: int = 60
    ends: tuple[float, float] | None = None
    legend: bool = True
    mark_h: float = math.nan


@dataclass(frozen=True, eq=False)
class FilmStrip:
    """One example cell: the frames to draw, and the panels of curves under them.

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
    relevance_tchw
        What each pixel speaks for, of the frames drawn and of all channels; None: not drawn.
    panels
        From top to bottom; all strips of a figure have as many, of the same heights.
    """

    kind: str
    outcome: str
    title: str
    channels: tuple[str, ...]
    frames_tchw: NDArray[np.generic]
    inside_thw: NDArray[np.bool_]
    hours_t: NDArray[np.float64]
    step_h: float
    relevance_tchw: NDArray[np.float32] | None = None
    panels: tuple[StripPanel, ...] = field(default=())

    @property
    def rows(self) -> list[str]:
        """Names of the rows of pictures."""
        again = [] if self.relevance_tchw is None else [f"{name}, for" for name in self.channels]
        return [*self.channels, *again]


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
    figure = _lay_out(strips, kinds, outcomes)
    limits = brightness_limits(strips, brightness_percentiles)
    n_rows = 1 + len(strips[0].panels)
    for strip in strips:
        row, column = n_rows * kinds.index(strip.kind) + 1, outcomes.index(strip.outcome) + 1
        _add_pictures(figure, strip, limits, row, column)
        for place, panel in enumerate(strip.panels, start=1):
            _add_panel(figure, strip, panel, row + place, column)
        _name_time(figure, strip, row, column)
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


def _lay_out(strips: Sequence[FilmStrip], kinds: list[str], outcomes: list[str]) -> go.Figure:
    """Make the axes: of every kind a row of pictures with the panels under it."""
    panels = strips[0].panels
    heights = [CHANNEL_HEIGHT_PX * max(len(strip.rows) for strip in strips), *(panel.height_px for panel in panels)]
    kind_px = TITLE_GAP_PX + sum(heights) + STRIP_GAP_PX * len(panels) + AXIS_GAP_PX
    inner_px = len(kinds) * kind_px
    figure = make_subplots(rows=len(heights) * len(kinds), cols=len(outcomes), horizontal_spacing=0.1)
    for place in range(len(kinds)):
        top_px = inner_px - place * kind_px - TITLE_GAP_PX
        for number, height in enumerate(heights):
            domain = [(top_px - height) / inner_px, top_px / inner_px]
            figure.update_yaxes(domain=domain, row=len(heights) * place + number + 1)
            top_px -= height + STRIP_GAP_PX
    has_legend = any(panel.legend for panel in panels)
    title = f"Example cells: one column an outcome, one row a kind of example (n = {len(strips)} cells)"
    apply_theme(figure, title=title, height_px=inner_px + 80 + LEGEND_PX * has_legend)
    margin = {"t": 50 + LEGEND_PX * has_legend, "b": 20, "l": 100, "r": 15}
    figure.update_layout(showlegend=has_legend, margin=margin)
    return figure.update_layout(legend={"y": 1 + 2 / inner_px, "yanchor": "bottom"})


def _add_pictures(
    figure: go.Figure, strip: FilmStrip, limits: dict[str, tuple[float, float]], row: int, column: int
) -> None:
    n_channels = len(strip.channels)
    for place, hour in enumerate(strip.hours_t):
        grey = encode_frame(strip.frames_tchw[place], strip.inside_thw[place], strip.channels, limits)
        _add_picture(figure, strip, grey, hour, n_channels / 2, row, column)
    if strip.relevance_tchw is not None and strip.relevance_tchw.size:
        strongest = float(np.percentile(np.abs(strip.relevance_tchw), STRONGEST_PERCENTILE))
        for relevance_chw, hour in zip(strip.relevance_tchw, strip.hours_t, strict=True):
            coloured = encode_relevance(relevance_chw, strongest)
            _add_picture(figure, strip, coloured, hour, n_channels * 1.5, row, column)
    _set_strip_axes(figure, strip, row, column)
    _add_strip_title(figure, strip.title, row, column)


def _add_picture(
    figure: go.Figure, strip: FilmStrip, source: str, hour: float, middle: float, row: int, column: int
) -> None:
    figure.add_layout_image(
        source=source,
        x=hour,
        y=middle,
        sizex=strip.step_h,
        sizey=len(strip.channels),
        xanchor="center",
        yanchor="middle",
        sizing="contain",
        layer="below",
        row=row,
        col=column,
    )


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
    """Name the channels beside the frames."""
    rows = strip.rows
    _add_unseen(figure, strip, row, column)
    figure.update_xaxes(range=_hours_range(strip), visible=False, fixedrange=True, row=row, col=column)
    figure.update_yaxes(
        range=[len(rows), 0],
        tickvals=[position + 0.5 for position in range(len(rows))],
        ticktext=rows,
        tickfont=SMALL,
        showgrid=False,
        showline=False,
        ticks="",
        fixedrange=True,
        row=row,
        col=column,
    )


def _add_unseen(figure: go.Figure, strip: FilmStrip, row: int, column: int) -> None:
    """Give a panel dots that are not seen: without a trace its axes are not drawn."""
    unseen = {"mode": "markers", "opacity": 0, "hoverinfo": "skip", "showlegend": False}
    figure.add_scatter(x=strip.hours_t, y=[0] * len(strip.hours_t), **unseen, row=row, col=column)


def _add_panel(figure: go.Figure, strip: FilmStrip, panel: StripPanel, row: int, column: int) -> None:
    """Add the curves of a panel; each stands in the legend once."""
    named = {trace.name for trace in figure.data if trace.showlegend}
    if not panel.curves:
        _add_unseen(figure, strip, row, column)
    for position, curve in enumerate(panel.curves):
        colour = colour_of(curve.name if panel.legend else strip.outcome, position)
        figure.add_scatter(
            x=curve.hours,
            y=curve.values,
            mode="lines",
            line={"color": colour, "width": 1.8},
            fill="tozeroy" if curve.filled else None,
            fillcolor=translucent(colour, 0.18),
            name=curve.name,
            legendgroup=curve.name,
            showlegend=panel.legend and curve.name not in named,
            hovertemplate=f"%{{x:.1f}} h: {curve.name} %{{y:.3g}}<extra></extra>",
            row=row,
            col=column,
        )
        if not math.isnan(curve.threshold):
            line = {"dash": "dot", "width": 1.3, "color": colour}
            figure.add_hline(y=curve.threshold, line=line, row=row, col=column)
    if not math.isnan(panel.mark_h):
        figure.add_vline(x=panel.mark_h, line={"color": COLOURS["model"], "width": 1.3}, row=row, col=column)
    title = {"text": panel.title, "standoff": 4, "font": SMALL}
    figure.update_yaxes(title=title, tickfont=SMALL, nticks=3, row=row, col=column)
    if panel.ends is not None:
        figure.update_yaxes(range=list(panel.ends), tickvals=[0, 0.5, 1], row=row, col=column)


def _name_time(figure: go.Figure, strip: FilmStrip, row: int, column: int) -> None:
    """Give all panels of a strip one time axis, named under the lowest."""
    for place in range(1, len(strip.panels) + 1):
        lowest = place == len(strip.panels)
        title = {"text": "time (h), 0 is the last frame used" if lowest else "", "standoff": 4, "font": SMALL}
        figure.update_xaxes(
            range=_hours_range(strip), title=title, tickfont=SMALL, showticklabels=lowest, row=row + place, col=column
        )


def _hours_range(strip: FilmStrip) -> list[float]:
    drawn = [hour for panel in strip.panels for curve in panel.curves for hour in curve.hours]
    return [float(min([*strip.hours_t, *drawn])) - strip.step_h / 2, strip.step_h / 2]
