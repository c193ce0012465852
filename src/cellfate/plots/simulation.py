"""A look at simulated recordings: frames by channel, and the true reporters of example cells by fate.

Array suffixes: t time, c channel, y row, x column.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from numpy.typing import NDArray
from plotly.subplots import make_subplots

from cellfate.core.fates import EVENTS
from cellfate.core.tables import CELL
from cellfate.plots.strip_frames import write_png
from cellfate.plots.theme import apply_theme, colour_of

N_EXAMPLES = 6
"""Cells drawn of each fate."""
_ROW_PX = 190
_BLACK_WHITE = (1.0, 99.7)
"""Percentiles of a channel's pixels that are drawn black and white."""


def draw_recording(
    images_tcyx: NDArray[np.uint16],
    hours: NDArray[np.float64],
    channels: Sequence[str],
    reporter_traces: pd.DataFrame,
    windows_h: Mapping[str, tuple[float, float]],
) -> go.Figure:
    """Draw frames of one recording, and beside each channel its true level in example cells before their events.

    Parameters
    ----------
    images_tcyx : ndarray, shape (T, C, Y, X)
        Frames of one recording, camera counts.
    hours : ndarray, shape (T,)
        Their times, in hours.
    channels : sequence of str
        Names of the channels.
    reporter_traces : DataFrame
        recording_id, cell_id, fate, hours_before_event and one column a channel.
    windows_h : mapping of str to (float, float)
        By channel: start and end, in hours before the event, of the time in which the channel decides fates.

    Returns
    -------
    plotly.graph_objects.Figure
        One row a channel.
    """
    n_times = len(hours)
    examples = _choose_examples(reporter_traces)
    figure = make_subplots(
        rows=len(channels),
        cols=n_times + 1,
        column_widths=[1.0] * n_times + [2.2],
        horizontal_spacing=0.02,
        vertical_spacing=0.05,
        column_titles=[f"{hour:.0f} h" for hour in hours] + ["true level, example cells"],
    )
    n_cells = reporter_traces.groupby(CELL).ngroups
    n_recordings = reporter_traces["recording_id"].nunique()
    title = f"Simulated recordings (n = {n_recordings} recordings, {n_cells} cells)"
    apply_theme(figure, title=title, height_px=_ROW_PX * len(channels) + 150)
    for row, channel in enumerate(channels, start=1):
        _add_images(figure, images_tcyx[:, row - 1], row, channel)
        _add_traces(figure, examples, channel, windows_h.get(channel), row, n_times + 1)
    figure.update_xaxes(title_text="hours before the event", row=len(channels), col=n_times + 1)
    return figure.update_layout(legend={"y": -0.14}, margin={"t": 80})


def _choose_examples(traces: pd.DataFrame) -> dict[str, list[pd.DataFrame]]:
    """Take the first cells of each fate."""
    return {
        fate: [
            cell.assign(hours=-cell["hours_before_event"])
            for _, cell in list(traces[traces["fate"] == fate].groupby(CELL))[:N_EXAMPLES]
        ]
        for fate in EVENTS
    }


def _add_images(figure: go.Figure, images_tyx: NDArray[np.uint16], row: int, channel: str) -> None:
    low, high = np.percentile(images_tyx, _BLACK_WHITE)
    for column, image_yx in enumerate(images_tyx, start=1):
        grey_yx = np.clip((image_yx - low) / max(high - low, 1), 0, 1) * 255
        figure.add_trace(go.Image(source=write_png(grey_yx.astype(np.uint8)), hoverinfo="skip"), row=row, col=column)
        figure.update_xaxes(showticklabels=False, ticks="", showline=False, row=row, col=column)
        figure.update_yaxes(showticklabels=False, ticks="", showline=False, row=row, col=column)
    figure.update_yaxes(title_text=channel, row=row, col=1)


def _add_traces(
    figure: go.Figure,
    examples: dict[str, list[pd.DataFrame]],
    channel: str,
    window_h: tuple[float, float] | None,
    row: int,
    column: int,
) -> None:
    for fate, cells in examples.items():
        for i, cell in enumerate(cells):
            figure.add_scatter(
                x=cell["hours"],
                y=cell[channel],
                mode="lines",
                line={"color": colour_of(fate), "width": 1.3},
                opacity=0.75,
                name=f"{fate} ({len(cells)} cells)",
                legendgroup=fate,
                showlegend=row == 1 and i == 0,
                row=row,
                col=column,
            )
    if window_h is not None:
        figure.add_vrect(
            x0=-window_h[0], x1=-window_h[1], fillcolor=colour_of("marked"), opacity=0.15, line_width=0,
            annotation_text="decides", annotation_position="top left", row=row, col=column,
        )  # fmt: skip
    figure.update_yaxes(title_text="level (usual: 1)", rangemode="tozero", side="right", row=row, col=column)
