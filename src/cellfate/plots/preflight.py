"""The preflight as a picture: what was found where, what there is, and how good the frames are.

It stays legible from one recording to hundreds: recordings become columns without names, conditions beyond ten are
put together, and where lines of single recordings would hide each other, their median is drawn and what lies far from
it.
"""

from typing import Any, Final

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from cellfate.core.fates import FATES
from cellfate.core.tables import PREFLIGHT_ERRORS, PREFLIGHT_WARNINGS
from cellfate.core.words import order_doses, show_count
from cellfate.plots.theme import COLOURS, SEQUENCE, apply_theme, say_nothing, translucent, write_title

CHECKS: Final = {
    "folder": "Folder cannot be read",
    "recording": "Recording cannot be opened",
    "unreadable_frame": "Frame cannot be decoded",
    "not_finite": "Pixels are no numbers",
    "tracks": "Tracks contradict themselves",
    "other_image": "Tracks of an image of another size",
    "swapped": "x and y look swapped",
    "absent_frame": "Cell in a frame that is not there",
    "outside": "Cell outside the image",
    "duplicate": "Cell twice in a frame",
    "no_cells": "No cells",
    "same_images": "Copy of another recording",
    "missing_frames": "Frames left out",
    "uneven_times": "Frames unevenly spaced",
    "pixel_sides": "Pixels not square",
    "side_file": "File of the set missing",
    "unmatched_file": "Images whose names do not match",
    "other_facts": "Files contradict each other",
    "unread_sheet": "Sheet that is not read",
    "off_cells": "Tracks do not lie on cells",
    "times": "Times taken for frames",
    "first_frame": "No cell in frame 0",
    "untracked": "Spots of no track as a cell",
    "crowded": "Cells in one corner",
    "one_frame": "Tracks of one frame",
    "few_fates": "Fates of few cells",
    "early_end": "No cell in the second half",
    "switch_outside": "Switch outside the life of a cell",
    "never_switches": "Reporter that never switches",
    "short_cell": "Cells between two frames",
    "event_apart": "Event away from its track",
    "watched_apart": "End of watching away from its track",
    "late_daughters": "Daughters begin late",
    "merge": "Tracks cut where they merge",
    "nearest_links": "Spots linked by nearness",
    "missing_parent": "Parents without a track",
    "spot_feature": "Spot features of whole tracks",
    "coinciding": "Two cells at one place",
    "empty_frame": "Empty frame",
    "focus": "Out of focus",
    "saturation": "Saturated frame",
    "jump": "Jump in a track",
    "short_daughter": "Daughter of one frame",
    "gap": "Gap in a track",
    "border": "Crop leaves the image",
}
"""What a check is called."""

WHOLE_FOLDER: Final = "whole folder"
"""The recording of findings that are of the folder."""
MOST_NAMES: Final = 30
"""More recordings than this are columns without names."""
MOST_CONDITIONS: Final = 10
"""More conditions than this are put together, the rarest first."""
_SHADES: Final = {"error": ("#f3d9d2", COLOURS["apoptosis"]), "warning": ("#f6edd0", COLOURS["marked"])}
_ROW_PX: Final = 24
_MOST_HEAT_PX: Final = 390
_PANEL_PX: Final = 300
_GAP_PX: Final = 120
_TOP_PX: Final = 96
_BOTTOM_PX: Final = 70
_MOST_BINS: Final = 24


def name_check(check: str) -> str:
    """Name of a check on a figure and in a table."""
    return CHECKS.get(check, check.replace("_", " "))


def plot_preflight(
    preflight_findings: pd.DataFrame,
    preflight_summary: pd.DataFrame,
    preflight_cells: pd.DataFrame,
    frame_quality: pd.DataFrame,
) -> go.Figure:
    """Draw what the preflight found.

    Parameters
    ----------
    preflight_findings
        Table `PreflightFindings`.
    preflight_summary
        Table `PreflightSummary`.
    preflight_cells
        Table `PreflightCells`.
    frame_quality
        Table `FrameQuality`.

    Returns
    -------
    plotly.graph_objects.Figure
        Above, the findings of each check and recording; in the middle, fates per condition and lengths of tracks;
        below, focus, spread and saturation of the frames looked at, where there are images.
    """
    title = "Preflight: recordings, tracks and frames before anything is used"
    if preflight_summary.empty and preflight_findings.empty:
        return say_nothing(f"{title} (n = 0 recordings)", "No recording was looked at.")
    checks = [name for name in CHECKS if name in set(preflight_findings["check"])]
    heat_px = min(_ROW_PX * max(3, len(checks)) + 20, _MOST_HEAT_PX)
    n_below = 2 if len(frame_quality) else 1
    figure = _make_panels(heat_px, n_below)
    apply_theme(figure, title=_write_head(title, preflight_summary, frame_quality, preflight_findings))
    _add_findings(figure, preflight_findings, preflight_summary, checks)
    _add_fates(figure, preflight_cells)
    _add_lengths(figure, preflight_cells)
    if len(frame_quality):
        _add_quality(figure, frame_quality)
    return _place_legends(figure, heat_px, n_below)


def _make_panels(heat_px: int, n_below: int) -> go.Figure:
    inner_px = _inner_px(heat_px, n_below)
    return make_subplots(
        rows=1 + n_below,
        cols=6,
        specs=[
            [{"colspan": 6}, *[None] * 5],
            [{"colspan": 3}, None, None, {"colspan": 3}, None, None],
            [{"colspan": 2}, None, {"colspan": 2}, None, {"colspan": 2}, None],
        ][: 1 + n_below],
        row_heights=[heat_px / inner_px, *[_PANEL_PX / inner_px] * n_below],
        vertical_spacing=_GAP_PX / inner_px,
        horizontal_spacing=0.075,
    )


def _inner_px(heat_px: int, n_below: int) -> int:
    """Height of all panels with the gaps between them."""
    return heat_px + n_below * (_PANEL_PX + _GAP_PX)


def _write_head(title: str, summary: pd.DataFrame, quality: pd.DataFrame, findings: pd.DataFrame) -> str:
    """Write the title with what there is, and how much was found in the colours of the findings."""
    looked = f" ({len(quality[['recording_id', 'frame']].drop_duplicates()):,} looked at)" if len(quality) else ""
    counts = findings.groupby("severity")["n_cases"].sum()
    found = ", ".join(
        f"<span style='color:{dark}'>■</span> {show_count(counts.get(severity, 0), severity)}"
        for severity, (_, dark) in _SHADES.items()
    )
    there = (
        f"n = {show_count(len(summary), 'recording')}, {show_count(summary['n_frames'].sum(), 'frame')}"
        f"{looked}, {show_count(summary['n_cells'].sum(), 'cell')}"
    )
    return f"{write_title(title, there)}<br><span style='font-size:12px'>{found}</span>"


def _add_findings(figure: go.Figure, findings: pd.DataFrame, summary: pd.DataFrame, checks: list[str]) -> None:
    """Draw the number of findings, one row a check and one column a recording, errors in another colour."""
    named = findings.assign(recording_id=findings["recording_id"].fillna(WHOLE_FOLDER))
    names = [*summary["recording_id"], *({WHOLE_FOLDER} & set(named["recording_id"]))]
    counts = named.pivot_table("n_cases", "check", "recording_id", aggfunc="sum", fill_value=0)
    counts = counts.reindex(index=checks, columns=names, fill_value=0)
    most = max(2, int(counts.to_numpy().max(initial=0)))
    for severity, members in (("error", PREFLIGHT_ERRORS), ("warning", PREFLIGHT_WARNINGS)):
        rows = [check for check in checks if check in members]
        if rows:
            figure.add_trace(_heat(counts.loc[rows], severity, most), row=1, col=1)
    few = len(names) <= MOST_NAMES
    if checks and few:
        figure.add_trace(_numbers(counts), row=1, col=1)
    if not checks:
        middle = {"x": 0.5, "y": 0.5, "xref": "x domain", "yref": "y domain"}
        figure.add_trace(go.Scatter(x=[], y=[], showlegend=False), row=1, col=1)  # an axis without a trace is not drawn
        figure.add_annotation(text="Nothing was found", showarrow=False, **middle)
    labels = [name_check(check) for check in checks]
    ticks = {"tickvals": names, "ticktext": [_shorten(name) for name in names]} if few else {"showticklabels": False}
    what = f"recordings (n = {len(summary):,})" if len(summary) != 1 else "recording (n = 1)"
    figure.update_xaxes(title=what, type="category", showgrid=False, ticks="", **ticks, row=1, col=1)
    figure.update_yaxes(
        categoryorder="array", categoryarray=labels[::-1], type="category", showgrid=False, ticks="", row=1, col=1
    )
    if not checks:
        figure.update_xaxes(showticklabels=False, row=1, col=1)
        figure.update_yaxes(showticklabels=False, row=1, col=1)


def _shorten(name: str) -> str:
    return name if len(name) <= 14 else f"{name[:6]}…{name[-7:]}"


def _numbers(counts: pd.DataFrame) -> go.Scatter:
    """Write the counts into the fields: text of heat maps is left out by plotly in some fields."""
    places = [(name, check) for check in counts.index for name in counts.columns if counts.loc[check, name]]
    return go.Scatter(
        x=[name for name, _ in places],
        y=[name_check(check) for _, check in places],
        text=[f"{counts.loc[check, name]:,}" for name, check in places],
        mode="text",
        textfont={"size": 11, "color": "#1f2933"},
        hoverinfo="skip",
        showlegend=False,
    )


def _heat(counts: pd.DataFrame, severity: str, most: int) -> go.Heatmap:
    light, dark = _SHADES[severity]
    values = counts.to_numpy(dtype=float)
    shown = np.where(values > 0, np.log10(values, where=values > 0, out=np.zeros_like(values)), np.nan)
    return go.Heatmap(
        z=shown,
        x=list(counts.columns),
        y=[name_check(check) for check in counts.index],
        customdata=values,
        zmin=0,
        zmax=np.log10(most),
        colorscale=[[0, light], [1, dark]],
        showscale=False,
        xgap=2 if counts.shape[1] <= MOST_NAMES else 0,
        ygap=2,
        hovertemplate="%{x}, %{y}: %{customdata:,.0f}<extra>" + severity + "</extra>",
    )


def _add_fates(figure: go.Figure, cells: pd.DataFrame) -> None:
    """Draw the cells of each fate, one bar a condition and dose."""
    counts = _count_fates(cells)
    for fate in (fate for fate in FATES if counts[fate].any()):
        bars = go.Bar(
            x=counts[fate],
            y=list(counts.index),
            orientation="h",
            name=f"{fate} (n = {int(counts[fate].sum()):,})",
            legendgroup=fate,
            legend="legend",
            marker={"color": COLOURS[fate]},
            hovertemplate="%{y}: %{x} " + fate + "<extra></extra>",
        )
        figure.add_trace(bars, row=2, col=1)
    figure.update_layout(barmode="stack")
    figure.update_xaxes(title="cells", rangemode="tozero", row=2, col=1)
    figure.update_yaxes(autorange="reversed", type="category", row=2, col=1)


def _count_fates(cells: pd.DataFrame) -> pd.DataFrame:
    """Count cells by condition and fate, doses from low to high; rare conditions together."""
    doses = order_doses(cells["dose"])
    labels = cells["condition"].str.slice(0, 18) + ", " + cells["dose"].str.slice(0, 18)
    common = labels.value_counts().index[:MOST_CONDITIONS]
    n_others = labels.nunique() - len(common)
    labels = labels.where(labels.isin(common), f"{n_others} others")
    rank = cells["dose"].map(doses.index).where(labels != f"{n_others} others", len(doses))
    counts = pd.crosstab(labels, cells["fate"]).reindex(columns=list(FATES), fill_value=0)
    order = rank.groupby(labels).min().sort_values(kind="stable").index
    return counts.reindex(order)


def _add_lengths(figure: go.Figure, cells: pd.DataFrame) -> None:
    """Draw how long tracks are, by fate, in bins shared by all fates."""
    longest = max(1, int(cells["n_frames"].max())) if len(cells) else 1
    width = max(1, -(-longest // 40))
    edges = np.arange(0, longest + width + 1, width) + 0.5
    for fate in (fate for fate in FATES if (cells["fate"] == fate).any()):
        lengths = cells.loc[cells["fate"] == fate, "n_frames"]
        counts, _ = np.histogram(lengths, bins=edges)
        steps = go.Scatter(
            x=np.repeat(edges, 2)[1:-1],
            y=np.repeat(counts, 2),
            mode="lines",
            line={"color": COLOURS[fate], "width": 2},
            fill="tozeroy",
            fillcolor=translucent(COLOURS[fate], 0.1),
            name=fate,
            legendgroup=fate,
            showlegend=False,
            hovertemplate="%{x:.0f} frames: %{y} cells<extra>" + fate + "</extra>",
        )
        figure.add_trace(steps, row=2, col=4)
    what = "cells" if width == 1 else f"cells in {width} frames of length"
    figure.update_xaxes(title="track length (frames)", row=2, col=4)
    figure.update_yaxes(title=what, rangemode="tozero", row=2, col=4)


def _add_quality(figure: go.Figure, quality: pd.DataFrame) -> None:
    """Draw focus, spread and saturation over time, a colour a channel and a thin line a recording."""
    usual = quality.groupby(["recording_id", "channel"])[["focus", "spread"]].transform("median")
    shown = quality.assign(
        focus=quality["focus"] / usual["focus"],
        spread=quality["spread"] / usual["spread"].where(usual["spread"] > 0),
        saturated_share=100 * quality["saturated_share"],
    )
    panels = (
        ("focus", 1, "focus (share of the recording's median)"),
        ("spread", 3, "spread of pixels (share of the median)"),
        ("saturated_share", 5, "saturated pixels (%)"),
    )
    for column, place, title in panels:
        for position, channel in enumerate(dict.fromkeys(shown["channel"])):
            rows = shown[shown["channel"] == channel].dropna(subset=[column])
            few = rows["recording_id"].nunique() <= MOST_NAMES
            colour = SEQUENCE[position % len(SEQUENCE)]
            for number, trace in enumerate([_lines(rows, column)] if few else _bands(rows, column)):
                trace.update(_look(channel, rows, colour, faint=few), showlegend=place == 1 and number == 0)
                figure.add_trace(trace, row=3, col=place)
        figure.update_xaxes(title="frame", row=3, col=place)
        figure.update_yaxes(title={"text": title, "standoff": 4}, rangemode="tozero", row=3, col=place)


def _lines(rows: pd.DataFrame, column: str) -> go.Scatter:
    """Draw a thin line a recording, all in one trace: a null between two recordings parts them."""
    rows = rows.sort_values(["recording_id", "frame"])
    ends = rows.drop_duplicates("recording_id", keep="last").assign(**{column: np.nan})
    joined = pd.concat([rows, ends]).sort_values(["recording_id", "frame"], kind="stable")
    return go.Scatter(x=joined["frame"], y=joined[column], text=joined["recording_id"], mode="lines+markers")


def _bands(rows: pd.DataFrame, column: str) -> list[go.Scatter]:
    """Draw the median over recordings, and every frame that is beyond the 5th or 95th percentile."""
    width = max(1, -(-(int(rows["frame"].max()) + 1) // _MOST_BINS))
    binned = rows.assign(middle=rows["frame"] // width * width + (width - 1) / 2)
    groups = binned.groupby("middle")[column]
    beyond = binned[~binned[column].between(groups.transform("quantile", 0.05), groups.transform("quantile", 0.95))]
    medians = groups.median()
    return [
        go.Scatter(x=medians.index, y=medians, mode="lines", line={"width": 2.5}, text=["median"] * len(medians)),
        go.Scatter(x=beyond["frame"], y=beyond[column], mode="markers", text=beyond["recording_id"]),
    ]


def _look(channel: str, rows: pd.DataFrame, colour: str, *, faint: bool) -> dict[str, Any]:
    """Give all traces of a channel one colour and one line in the legend."""
    return {
        "line": {"color": translucent(colour, 0.45 if faint else 1), "width": 1 if faint else 2.5},
        "marker": {"color": translucent(colour, 0.8 if faint else 0.35), "size": 4},
        "name": f"{channel} (n = {show_count(rows['recording_id'].nunique(), 'recording')})",
        "legendgroup": f"channel {channel}",
        "legend": "legend2",
        "hovertemplate": "%{text}, frame %{x}: %{y:.3g}<extra>" + channel + "</extra>",
    }


def _place_legends(figure: go.Figure, heat_px: int, n_below: int) -> go.Figure:
    """Put the legends of fates and of channels right above their panels, and give the figure its height."""
    inner_px = _inner_px(heat_px, n_below)
    tops_px = {"legend": heat_px + _GAP_PX, "legend2": heat_px + _PANEL_PX + 2 * _GAP_PX}
    places = {
        name: {"orientation": "h", "x": 0, "xanchor": "left", "y": 1 - top / inner_px, "yanchor": "bottom"}
        for name, top in list(tops_px.items())[:n_below]
    }
    figure.update_yaxes(automargin=True)
    margin = {"t": _TOP_PX, "b": _BOTTOM_PX, "l": 70, "r": 30}
    return figure.update_layout(**places, margin=margin, height=inner_px + _TOP_PX + _BOTTOM_PX)
