"""Tracks drawn on frames: whether file, axes and unit are right is seen at a glance."""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from numpy.typing import NDArray

from cellfate.core.fates import FATES
from cellfate.core.tables import CELL
from cellfate.core.words import show_count
from cellfate.plots.preflight import name_check
from cellfate.plots.strip_frames import write_png
from cellfate.plots.theme import COLOURS, finish, make_grid, say_nothing

MOST_NUMBERS: Final = 40
"""With more cells than this in a frame their numbers are shown under the mouse only."""
_PANEL_PX: Final = {1: 640, 2: 470, 3: 320}
"""Height of a panel, by the number of panels beside each other."""
_GAP_PX: Final = 64
_HEAD_PX: Final = 16
_BARE: Final[dict[str, Any]] = {"showgrid": False, "showline": False, "ticks": "", "showticklabels": False}
_MOST_FOUND: Final = 2
_LONGEST_NAME: Final = 24
_FARTHEST: Final = 1.0
"""Positions outside the image are drawn up to this many heights or widths from it."""
_COLOURS: Final = {**COLOURS, "censored": "#f2f4f7", "unscored": "#e8cf8f"}
"""Grey dots are not seen on a grey image."""


def plot_tracks(
    recordings: pd.DataFrame,
    images: Mapping[str, NDArray[np.uint8]],
    marks: pd.DataFrame,
    findings: pd.DataFrame,
    n_recordings: int,
) -> go.Figure:
    """Draw the tracks of each recording on one of its frames.

    Parameters
    ----------
    recordings
        One row a recording that is drawn, in order: recording_id, frame, height_px, width_px.
    images
        By recording, the frame as grey values, shape (Y, X); it may be smaller than the camera's.
    marks
        recording_id, cell_id, frame, y_px, x_px (px of the camera's image) and fate of the cells in these frames, and
        of the frames before as far as ways are drawn.
    findings
        Table `PreflightFindings`, the gravest first: the first two of a recording stand over its panel.
    n_recordings
        How many recordings there are.

    Returns
    -------
    plotly.graph_objects.Figure
        A panel a recording: a dot a cell in the colour of its fate, its number, and its way up to there.
    """
    title = "Tracks on the images"
    if recordings.empty:
        return say_nothing(title, "No frame could be read.")
    n_columns = min(3, len(recordings))
    n_rows = -(-len(recordings) // n_columns)
    heads = [_write_head(row, marks, findings) for row in recordings.to_dict("records")]
    figure, inner_px = make_grid(
        n_rows, n_columns, _PANEL_PX[n_columns], _GAP_PX, subplot_titles=heads, horizontal_spacing=0.03
    )
    for place, row in enumerate(recordings.to_dict("records")):
        where = {"row": place // n_columns + 1, "col": place % n_columns + 1}
        name = str(row["recording_id"])
        own = marks[marks["recording_id"] == name]
        _draw_image(figure, images[name], own, row["height_px"], row["width_px"], where)
        _draw_ways(figure, own, where)
        _draw_cells(figure, own[own["frame"] == row["frame"]], where)
    _list_fates(figure, marks)
    figure.update_annotations(font_size=12)
    chosen = "" if n_recordings == len(recordings) else ", those with findings first"
    n_cells = len(marks[CELL].drop_duplicates())
    counts = f"n = {len(recordings)} of {show_count(n_recordings, 'recording')}{chosen}, {show_count(n_cells, 'cell')}"
    what = "Of each recording the frame with the most cells among those looked at; lines are the ten frames before."
    figure = finish(figure, title, f"{counts}. {what}", inner_px=inner_px, legend_gap_px=30, left_px=20)
    figure.update_xaxes(**_BARE).update_yaxes(**_BARE)
    top_px = figure.layout.margin.t + _HEAD_PX  # heads of panels have two lines
    return figure.update_layout(
        plot_bgcolor="#e9ecf0", margin={"r": 20, "t": top_px}, height=figure.layout.height + _HEAD_PX
    )


def _write_head(row: dict[Any, Any], marks: pd.DataFrame, findings: pd.DataFrame) -> str:
    name = str(row["recording_id"])
    here = (marks["recording_id"] == name) & (marks["frame"] == row["frame"])
    own = findings[findings["recording_id"] == name]
    found = [f"{name_check(check)} ({count:,})" for check, count in own[["check", "n_cases"]].to_numpy().tolist()]
    more = ", …" if len(found) > _MOST_FOUND else ""
    shown = name if len(name) <= _LONGEST_NAME else f"{name[: _LONGEST_NAME - 1]}…"
    first = f"{shown}, frame {row['frame']}, {show_count(int(here.sum()), 'cell')}"
    return f"{first}<br>{', '.join(found[:_MOST_FOUND])}{more}"


def _draw_image(
    figure: go.Figure,
    image_yx: NDArray[np.uint8],
    own: pd.DataFrame,
    height: int,
    width: int,
    where: dict[str, int],
) -> None:
    """Draw the image; the panel shows all of it, and what lies beside it as far as cells do."""
    look = {"sizing": "stretch", "layer": "below", "xanchor": "left", "yanchor": "top"}
    figure.add_layout_image(source=write_png(image_yx), x=-0.5, y=-0.5, sizex=width, sizey=height, **look, **where)
    ranges = {}
    for axis, size in (("x", width), ("y", height)):
        places = own[f"{axis}_px"].clip(-_FARTHEST * size, (1 + _FARTHEST) * size)
        ends = [min(-0.5, places.min(skipna=True)), max(size - 0.5, places.max(skipna=True))] if len(own) else None
        ranges[axis] = ends or [-0.5, size - 0.5]
    figure.update_xaxes(range=ranges["x"], constrain="domain", **where)
    x_axis = next(figure.select_xaxes(**where)).plotly_name.replace("axis", "")
    figure.update_yaxes(range=ranges["y"][::-1], constrain="domain", scaleanchor=x_axis, **where)


def _draw_ways(figure: go.Figure, own: pd.DataFrame, where: dict[str, int]) -> None:
    """Draw the ways of all cells in one trace: a null between two cells parts them."""
    ordered = own.sort_values(["cell_id", "frame"])
    ends = ordered.drop_duplicates("cell_id", keep="last").assign(y_px=np.nan, x_px=np.nan)
    joined = pd.concat([ordered, ends]).sort_values(["cell_id", "frame"], kind="stable")
    figure.add_scatter(
        x=joined["x_px"].round(1),
        y=joined["y_px"].round(1),
        mode="lines",
        line={"color": COLOURS["marked"], "width": 1},
        hoverinfo="skip",
        showlegend=False,
        **where,
    )


def _draw_cells(figure: go.Figure, here: pd.DataFrame, where: dict[str, int]) -> None:
    numbered = len(here) <= MOST_NUMBERS
    for fate in (fate for fate in FATES if (here["fate"] == fate).any()):
        cells = here[here["fate"] == fate]
        figure.add_scatter(
            x=cells["x_px"].round(1),
            y=cells["y_px"].round(1),
            text=cells["cell_id"].astype("str"),
            mode="markers+text" if numbered else "markers",
            textposition="top right",
            textfont={"size": 10, "color": "#ffffff"},
            marker={"color": _COLOURS[fate], "size": 7, "line": {"color": "#1f2933", "width": 1}},
            legendgroup=fate,
            showlegend=False,
            hovertemplate="cell %{text}<br>x %{x:.1f} px, y %{y:.1f} px<extra>" + fate + "</extra>",
            **where,
        )


def _list_fates(figure: go.Figure, marks: pd.DataFrame) -> None:
    """Put each fate into the legend once, whichever panels show it."""
    cells = marks.drop_duplicates(CELL)["fate"].value_counts()
    for fate in (fate for fate in FATES if fate in cells.index):
        marker = {"color": _COLOURS[fate], "size": 9, "line": {"color": "#1f2933", "width": 1}}
        name = f"{fate} (n = {cells[fate]:,})"
        figure.add_scatter(x=[None], y=[None], mode="markers", marker=marker, name=name, legendgroup=fate)
