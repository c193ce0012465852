"""Film strips: frames of example cells in time; under them forecasts, attributions and what was measured, on one axis.

Array suffixes: t frame, c channel, h row, w column.
"""

import math
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from numpy.typing import NDArray
from plotly.subplots import make_subplots

from cellfate.core.input_words import name_input
from cellfate.core.words import show_count
from cellfate.plots.strip_frames import encode_frame, encode_relevance
from cellfate.plots.theme import COLOURS, SIGNED, apply_theme, colour_of, say_nothing, translucent

CHANNEL_PX: Final = {1: 84, 2: 44}
"""Height of a channel's picture, by how many strips stand beside each other."""
LINE_PX: Final = 16
GAP_PX: Final = 10
AXIS_GAP_PX: Final = 46
LEGEND_PX: Final = 30
_NAMES_A_ROW: Final = 7
"""Names of curves in a row of the legend."""
SMALL: Final = {"size": 11}
TITLE_WIDTH: Final = 50
"""Most letters in a line over a strip: more would be cut off where two strips stand beside each other."""
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
    level
        Drawn as a dotted line of the same colour; NaN: none.
    filled
        Fill the area down to 0.
    """

    name: str
    hours: NDArray[np.float64]
    values: NDArray[np.float64]
    level: float = math.nan
    filled: bool = False


@dataclass(frozen=True, eq=False)
class StripPanel:
    """What shares one axis under the frames: curves, or a map of values over channels and time windows.

    Parameters
    ----------
    title
        What the axis shows, with its unit.
    curves
        The lines.
    height_px
        Height of the panel.
    ends
        Ends of the axis; None: as the curves need.
    legend
        Whether the curves stand in the legend; not when the title says what they are.
    values
        Rows of table `Attributions` with `first_h` and `last_h`, the hours at which a window begins and ends; then the
        panel is a map.
    """

    title: str
    curves: tuple[StripCurve, ...] = ()
    height_px: int = 60
    ends: tuple[float, float] | None = None
    legend: bool = True
    values: pd.DataFrame | None = None

    @property
    def has_data(self) -> bool:
        """Whether there is anything to draw."""
        return any(curve.values.size for curve in self.curves) or (self.values is not None and len(self.values) > 0)


@dataclass(frozen=True, eq=False)
class FilmStrip:
    """One example cell: the frames to draw, and the panels under them.

    Parameters
    ----------
    title
        Lines over the strip, the first in bold.
    outcome
        What really followed; the colour of curves that have none of their own.
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
    link
        Address at which the cell can be looked at, a last line over it; empty: there is none.
    """

    title: tuple[str, ...]
    outcome: str
    channels: tuple[str, ...]
    frames_tchw: NDArray[np.generic]
    inside_thw: NDArray[np.bool_]
    hours_t: NDArray[np.float64]
    step_h: float
    relevance_tchw: NDArray[np.float32] | None = None
    panels: tuple[StripPanel, ...] = field(default=())
    link: str = ""

    @property
    def rows(self) -> list[str]:
        """Names of the rows of pictures."""
        again = [] if self.relevance_tchw is None else [f"{name}, for" for name in self.channels]
        return [*self.channels, *again]

    @property
    def range_h(self) -> list[float]:
        """Ends of the time axis, in hours."""
        drawn = [hour for panel in self.panels for curve in panel.curves for hour in curve.hours]
        return [float(min([*self.hours_t, *drawn])) - self.step_h / 2, self.step_h / 2]


def draw_film_strips(
    strips: Sequence[FilmStrip],
    brightness_percentiles: tuple[float, float],
    *,
    n_columns: int = 2,
    title: str = "Example cells",
    planted_h: tuple[float, float] | None = None,
) -> go.Figure:
    """Draw cells one after another, in rows of `n_columns`; panels for which no cell has anything are left out.

    Parameters
    ----------
    strips
        Cells to draw.
    brightness_percentiles
        Percentiles of a channel over all strips that are drawn black and white (percent). One scale serves all cells,
        so that brightness can be compared between them.
    n_columns
        Cells beside each other.
    title
        Title of the figure; n is added.
    planted_h
        Hours between which the answer was planted, framed in every panel; None: not known.

    Returns
    -------
    plotly.graph_objects.Figure
        Images embedded as PNG; time axes in hours.
    """
    if not strips:
        return say_nothing(f"{title} (n = 0 cells)", "There is no test cell to show.")
    kept = [n for n in range(len(strips[0].panels)) if any(len(s.panels) > n and s.panels[n].has_data for s in strips)]
    drawn = [replace(strip, panels=tuple(strip.panels[n] for n in kept)) for strip in strips]
    n_columns = min(n_columns, len(drawn))
    figure = _lay_out(drawn, n_columns, f"{title} (n = {show_count(len(strips), 'cell')})")
    limits = brightness_limits(drawn, brightness_percentiles)
    for number, strip in enumerate(drawn):
        row, column = (1 + len(kept)) * (number // n_columns) + 1, number % n_columns + 1
        _add_pictures(figure, strip, limits, {"row": row, "col": column})
        for place, panel in enumerate(strip.panels, start=1):
            _add_panel(figure, strip, panel, {"row": row + place, "col": column})
            if planted_h is not None:
                _mark_planted(figure, planted_h, panel, {"row": row + place, "col": column})
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


def _lay_out(strips: Sequence[FilmStrip], n_columns: int, title: str) -> go.Figure:
    """Make the axes: for every row of cells the pictures with the panels under them."""
    panels = strips[0].panels
    width = TITLE_WIDTH * (3 - min(n_columns, 2))
    lines = max(sum(len(_wrap(line, width)) for line in strip.title) + bool(strip.link) for strip in strips)
    # the row of pictures, one pixel high without any, carries the title
    pictures_px = max(1, CHANNEL_PX[min(n_columns, 2)] * max(len(strip.rows) for strip in strips))
    heights = [pictures_px, *(panel.height_px for panel in panels)]
    row_px = 12 + LINE_PX * lines + sum(heights) + GAP_PX * len(panels) + AXIS_GAP_PX
    n_rows = -(-len(strips) // n_columns)
    inner_px = n_rows * row_px
    # without pictures, maps have the names of many columns beside them
    spacing = 0.12 if any(strip.rows for strip in strips) else 0.2
    figure = make_subplots(rows=len(heights) * n_rows, cols=n_columns, horizontal_spacing=spacing)
    for place in range(n_rows):
        top_px = inner_px - place * row_px - 12 - LINE_PX * lines
        for number, height in enumerate(heights):
            domain = [max(0.0, (top_px - height) / inner_px), top_px / inner_px]
            figure.update_yaxes(domain=domain, row=len(heights) * place + number + 1)
            top_px -= height + GAP_PX
    named = {curve.name for strip in strips for panel in strip.panels if panel.legend for curve in panel.curves}
    legend_px = LEGEND_PX * -(-len(named) // _NAMES_A_ROW)
    apply_theme(figure, title=title, height_px=inner_px + 80 + legend_px)
    left_px = 105 if any(strip.rows for strip in strips) else 140
    figure.update_layout(showlegend=bool(named), margin={"t": 50 + legend_px, "b": 20, "l": left_px, "r": 15})
    for number, strip in enumerate(strips):
        where = {"row": len(heights) * (number // n_columns) + 1, "col": number % n_columns + 1}
        _add_title(figure, strip, width, where)
    return figure.update_layout(legend={"y": 1 + 2 / inner_px, "yanchor": "bottom"})


def _wrap(line: str, width: int) -> list[str]:
    return textwrap.wrap(line, width) or [""]


def _add_title(figure: go.Figure, strip: FilmStrip, width: int, where: dict[str, int]) -> None:
    """Write the lines over a strip, broken so that none is cut off."""
    first, *others = ("<br>".join(_wrap(line, width)) for line in strip.title)
    link = [f"<a href='{strip.link}'>look at it while cellfate review runs</a>"] if strip.link else []
    figure.add_annotation(
        text="<br>".join([f"<b>{first}</b>", *others, *link]),
        x=0,
        y=1,
        xref="x domain",
        yref="y domain",
        xanchor="left",
        yanchor="bottom",
        showarrow=False,
        align="left",
        font={"size": 12},
        **where,
    )


def _add_pictures(
    figure: go.Figure, strip: FilmStrip, limits: dict[str, tuple[float, float]], where: dict[str, int]
) -> None:
    n_channels = len(strip.channels)
    pictures = [
        (encode_frame(frame_chw, inside_hw, strip.channels, limits), hour, n_channels / 2)
        for frame_chw, inside_hw, hour in zip(strip.frames_tchw, strip.inside_thw, strip.hours_t, strict=True)
        if n_channels
    ]
    if strip.relevance_tchw is not None and strip.relevance_tchw.size:
        strongest = float(np.percentile(np.abs(strip.relevance_tchw), STRONGEST_PERCENTILE))
        pictures += [
            (encode_relevance(relevance_chw, strongest), hour, n_channels * 1.5)
            for relevance_chw, hour in zip(strip.relevance_tchw, strip.hours_t, strict=True)
        ]
    look = {"xanchor": "center", "yanchor": "middle", "sizing": "contain", "layer": "below"}
    for source, hour, middle in pictures:
        size = {"sizex": strip.step_h, "sizey": n_channels}
        figure.add_layout_image(source=source, x=float(hour), y=middle, **size, **look, **where)
    _add_unseen(figure, strip, where)
    figure.update_xaxes(range=strip.range_h, visible=False, fixedrange=True, **where)
    ticks = {"tickvals": [place + 0.5 for place in range(len(strip.rows))], "ticktext": strip.rows, "ticks": ""}
    bare = {"showgrid": False, "showline": False, "fixedrange": True, "zeroline": False}
    figure.update_yaxes(range=[max(1, len(strip.rows)), 0], tickfont=SMALL, **ticks, **bare, **where)


def _add_unseen(figure: go.Figure, strip: FilmStrip, where: dict[str, int]) -> None:
    """Give a panel dots that are not seen: without a trace its axes are not drawn."""
    unseen = {"mode": "markers", "opacity": 0, "hoverinfo": "skip", "showlegend": False}
    figure.add_scatter(x=strip.hours_t, y=[0] * len(strip.hours_t), **unseen, **where)


def _add_panel(figure: go.Figure, strip: FilmStrip, panel: StripPanel, where: dict[str, int]) -> None:
    """Add the curves of a panel, each once in the legend, or its map of values."""
    title = {"text": panel.title, "standoff": 4, "font": SMALL}
    figure.update_yaxes(title=title, tickfont=SMALL, nticks=3, **where)
    if not panel.has_data:
        _add_unseen(figure, strip, where)
        figure.update_yaxes(
            title_text=f"{panel.title}<br>(not computed)", showticklabels=False, showgrid=False, **where
        )
    if panel.values is not None:
        _add_map(figure, panel.values, where)
    named = {trace.name for trace in figure.data if trace.showlegend}
    for position, curve in enumerate(panel.curves):
        colour = colour_of(curve.name if panel.legend else strip.outcome, position)
        figure.add_scatter(
            x=curve.hours,
            y=curve.values,
            mode="lines" if np.isfinite(curve.values).sum() > 1 else "markers",  # one point has no line
            line={"color": colour, "width": 1.8},
            marker={"color": colour, "size": 6},
            fill="tozeroy" if curve.filled else None,
            fillcolor=translucent(colour, 0.18),
            name=curve.name,
            legendgroup=curve.name,
            showlegend=panel.legend and curve.name not in named,
            hovertemplate=f"%{{x:.1f}} h: {curve.name} %{{y:.3g}}<extra></extra>",
            **where,
        )
        if not math.isnan(curve.level):
            figure.add_hline(y=curve.level, line={"dash": "dot", "width": 1.3, "color": colour}, **where)
    if panel.ends is not None:
        figure.update_yaxes(range=list(panel.ends), tickvals=[0, 0.5, 1], **where)


def _add_map(figure: go.Figure, values: pd.DataFrame, where: dict[str, int]) -> None:
    """Draw values of channels as bars of colour, from the beginning to the end of each window; gaps stay empty."""
    if values.empty:
        return
    edges = sorted({*values["first_h"], *values["last_h"]})
    channels = list(dict.fromkeys(values["channel"]))
    grid = values.pivot_table(index="channel", columns="first_h", values="value")
    grid = grid.reindex(index=channels, columns=edges[:-1])
    reach = float(values["value"].abs().max()) or 1.0
    unit = str(values["unit"].iloc[0]) if "unit" in values else ""
    figure.add_heatmap(
        x=edges,
        y=[name_input(name) for name in channels],
        z=grid.to_numpy(),
        colorscale=SIGNED,
        zmin=-reach,
        zmax=reach,
        xgap=1,
        ygap=1,
        showscale=False,
        hovertemplate="%{y}, %{x:.1f} h: %{z:.3f} " + unit + "<extra></extra>",
        **where,
    )
    figure.update_yaxes(type="category", autorange="reversed", showgrid=False, nticks=None, **where)


def _mark_planted(figure: go.Figure, planted_h: tuple[float, float], panel: StripPanel, where: dict[str, int]) -> None:
    """Frame the planted hours of a panel."""
    colour = COLOURS["marked"]
    look: dict[str, Any] = {"layer": "above"}
    if panel.values is None:
        look = {"fillcolor": translucent(colour, 0.18), "layer": "below"}
    figure.add_vrect(x0=planted_h[0], x1=planted_h[1], line={"color": colour, "width": 2}, **look, **where)


def _name_time(figure: go.Figure, strip: FilmStrip, row: int, column: int) -> None:
    """Give all panels of a strip one time axis, named under the lowest."""
    for place in range(1, len(strip.panels) + 1):
        lowest = place == len(strip.panels)
        title = {"text": "time (h), 0 is the last frame shown" if lowest else "", "standoff": 4, "font": SMALL}
        look = {"tickfont": SMALL, "showticklabels": lowest, "ticks": "outside" if lowest else ""}
        figure.update_xaxes(range=strip.range_h, title=title, **look, row=row + place, col=column)
