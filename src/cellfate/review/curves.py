"""What is known of a cell over time, as one figure on one time axis: forecasts, reporters, measurements, explanations.

The figure is written as plotly's JSON itself: with plotly's classes it would take longer to make than to send.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cellfate.core.fates import OUTCOMES, probability_column
from cellfate.core.input_words import name_input
from cellfate.core.spot_features import SPOT_PREFIX
from cellfate.core.words import METHODS, name_feature, name_outcome, write_hours
from cellfate.plots.theme import COLOURS, SIGNED, colour_of
from cellfate.review.study import SHAPES, Study

LEFT_PX: Final = 118
RIGHT_PX: Final = 12
"""Space beside the panels; the page places the mark of the frame by it."""
READINGS: Final = ("classifier", "clock")
_ROW_PX: Final = 58
_GAP_PX: Final = 8
_USUAL: Final = (0.05, 0.95)
_REPORTER: Final = "intensity_"
_MOST_CURVES: Final = 6
_REPORTERS: Final = ("#56b4e9", "#e69f00", "#cc79a7", "#009e73", "#0072b2", "#d55e00")
"""Okabe and Ito; the channels of the film have the same."""


@dataclass(frozen=True)
class _Panel:
    title: str
    traces: list[dict[str, Any]]
    axis: dict[str, Any]


def draw_curves(study: Study, place: int, shown: tuple[int, int], *, with_forecasts: bool) -> dict[str, Any]:
    """Draw what is known of a cell over time.

    Parameters
    ----------
    study
        The study.
    place
        Place of the cell in its table of cells.
    shown
        First and last frame of the film: the ends of the time axis.
    with_forecasts
        Whether forecasts, and what these rest on, are drawn; the blind see measurements only.

    Returns
    -------
    dict
        A plotly figure, with the hours of the first and last frame in `layout.meta`. Without a panel it says so.
    """
    interval_h = float(study.find_recording(str(study.cells["recording_id"].iloc[place]))["frame_interval_min"]) / 60
    panels = [*_show_forecasts(study, place, interval_h)] if with_forecasts else []
    panels += _show_measured(study, place, interval_h)
    panels += _show_explained(study, place, interval_h) if with_forecasts else []
    return _stack(panels, (shown[0] * interval_h, shown[1] * interval_h))


def _show_forecasts(study: Study, place: int, interval_h: float) -> Iterator[_Panel]:
    rows = study.forecasts.rows(place)
    if rows.stop <= rows.start:
        return
    hours = study.forecasts.frames[rows] * interval_h
    names = [name for name in OUTCOMES if probability_column(name) in study.forecasts.columns]
    traces = [
        _line(name_outcome(name), hours, study.forecasts.columns[probability_column(name)][rows], colour_of(name))
        for name in names
    ]
    yield _Panel(f"forecast<br>within {write_hours(study.headline_h)}", traces, {"range": [-0.04, 1.04], "nticks": 3})


def _show_measured(study: Study, place: int, interval_h: float) -> Iterator[_Panel]:
    if study.features is None:
        return
    rows, columns = study.features.rows(place), study.features.columns
    hours = study.features.frames[rows] * interval_h
    reporters = [name for name in columns if name.startswith(_REPORTER)]
    groups = {
        "reporters<br>(5\u201395 %)": reporters,
        "measured<br>(5\u201395 %)": [name for name in SHAPES if name in columns],
        "tracker<br>(5\u201395 %)": [name for name in columns if name.startswith(SPOT_PREFIX)][:_MOST_CURVES],
    }
    for title, names in groups.items():
        traces = [
            _line(name_feature(name), hours, _scale(study, name, columns[name][rows]), _REPORTERS[i % len(_REPORTERS)])
            for i, name in enumerate(names)
        ]
        if traces and len(hours):
            yield _Panel(title, traces, {"nticks": 3})


def _scale(study: Study, name: str, values: NDArray[np.float32]) -> NDArray[np.float64]:
    low, high = study.usual(name, _USUAL)
    return (values.astype(np.float64) - low) / (high - low if high > low else np.nan)


def _show_explained(study: Study, place: int, interval_h: float) -> Iterator[_Panel]:
    for reading in READINGS:
        landmark = study.find_landmark(reading, place)
        if landmark is None:
            continue
        paid = study.read_explained(reading, "attention", landmark)
        if len(paid):
            hours = paid["frame"].to_numpy() * interval_h
            curve = _line("attention", hours, paid["attention"].to_numpy(), COLOURS["model"]) | {"fill": "tozeroy"}
            yield _Panel(
                f"attention<br>{reading}", [curve | {"showlegend": False}], {"rangemode": "tozero", "nticks": 3}
            )
        values = study.read_explained(reading, "attributions", landmark)
        for method in [
            name for name in ("shapley", "tree_shapley") if len(values) and (values["method"] == name).any()
        ]:
            title = f"{METHODS[method].removesuffix(' values')}<br>{reading}"
            yield _Panel(
                title,
                [_map(values[values["method"] == method], interval_h)],
                {"type": "category", "tickfont": {"size": 9}},
            )


def _map(values: pd.DataFrame, interval_h: float) -> dict[str, Any]:
    """Draw values of channels and windows as a map: red speaks for the explained outcome, blue against it."""
    channels = list(dict.fromkeys(values["channel"]))
    totals = values.groupby("channel")["value"].agg(lambda v: v.abs().sum()).reindex(channels)
    kept = [name for name in channels if name in set(totals.nlargest(_MOST_CURVES).index)]
    grid = values.pivot_table(index="channel", columns="window_first_frame", values="value").reindex(kept[::-1])
    starts = grid.columns.to_numpy()
    edges = np.append(starts, values["window_last_frame"].max() + 1) * interval_h
    reach = float(np.nanmax(np.abs(grid.to_numpy()))) or 1.0
    return {
        "type": "heatmap",
        "x": edges.tolist(),
        "y": [name_input(name) for name in kept[::-1]],
        "z": _plain(grid.to_numpy()),
        "zmin": -reach,
        "zmax": reach,
        "colorscale": SIGNED,
        "showscale": False,
        "hovertemplate": "%{y}: %{z:.3f}<extra></extra>",
    }


def _line(name: str, hours: NDArray[Any], values: NDArray[Any], colour: str) -> dict[str, Any]:
    line = {"color": colour, "width": 1.6}
    mode = (
        "lines" if np.isfinite(np.asarray(values, np.float64)).sum() > 1 else "markers"
    )  # a line of one point is none
    look = {"type": "scatter", "mode": mode, "name": _escape(name), "line": line, "connectgaps": False}
    return look | {"x": _plain(hours), "y": _plain(values), "hovertemplate": "%{y:.2f}"}


def _plain(values: NDArray[Any]) -> list[Any]:
    """Numbers for JSON, of four digits after the point; null for what is not known."""
    rounded = np.round(np.asarray(values, np.float64), 4)
    plain = rounded.astype(object)
    plain[~np.isfinite(rounded)] = None
    return list(plain.tolist())


def _escape(text: str) -> str:
    """Take the meaning out of what plotly would read as markup in a person's names."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _stack(panels: list[_Panel], hours: tuple[float, float]) -> dict[str, Any]:
    """Put panels above each other, on one time axis."""
    if not panels:
        return say_instead("Nothing is measured or forecast of this cell yet.", hours)
    n = len(panels)
    height = n * _ROW_PX + (n - 1) * _GAP_PX
    layout = _look(hours) | {"height": height + 44, "meta": {"hours": list(hours), "n_panels": n}}
    data: list[dict[str, Any]] = []
    notes: list[dict[str, Any]] = []
    for i, panel in enumerate(panels):
        key = "" if i == 0 else str(i + 1)
        top = 1 - i * (_ROW_PX + _GAP_PX) / height
        bottom = max(0.0, top - _ROW_PX / height)
        axis = {
            "domain": [bottom, top],
            "fixedrange": True,
            "zeroline": False,
            "showline": True,
            "linecolor": "#c3cad3",
        }
        layout[f"yaxis{key}"] = axis | panel.axis
        data += [trace | {"yaxis": f"y{key}"} for trace in panel.traces]
        notes += _name_panel(panel, top, bottom)
    return {"data": data, "layout": layout | {"annotations": notes}}


def say_instead(sentence: str, hours: tuple[float, float]) -> dict[str, Any]:
    """Make a figure that says a sentence where curves would be."""
    note = {"text": _escape(sentence), "showarrow": False, "xref": "paper", "yref": "paper"}
    layout = _look(hours) | {"height": _ROW_PX + 44, "meta": {"hours": list(hours), "n_panels": 0}}
    return {"data": [], "layout": layout | {"yaxis": {"visible": False}, "annotations": [note]}}


def _look(hours: tuple[float, float]) -> dict[str, Any]:
    """Layout that does not hang on the panels."""
    return {
        "margin": {"l": LEFT_PX, "r": RIGHT_PX, "t": 36, "b": 8},
        "font": {"family": "Inter, 'Helvetica Neue', Arial, sans-serif", "size": 11, "color": COLOURS["model"]},
        "showlegend": False,
        "dragmode": False,
        "hovermode": "x unified",
        "paper_bgcolor": "#ffffff",
        "plot_bgcolor": "#ffffff",
        "xaxis": {
            "range": list(hours),
            "fixedrange": True,
            "title": {"text": "hours since the first frame of the recording", "standoff": 2},
            "side": "top",
            "anchor": "y",
            "showline": True,
            "linecolor": "#c3cad3",
            "ticks": "outside",
            "zeroline": False,
        },
    }


def _name_panel(panel: _Panel, top: float, bottom: float) -> list[dict[str, Any]]:
    """Name a panel left of it, and each of its curves in its colour at the right end, instead of a legend."""
    at_left = {
        "xref": "paper",
        "yref": "paper",
        "showarrow": False,
        "xanchor": "left",
        "align": "left",
        "font": {"size": 11},
    }
    middle = (top + bottom) / 2
    shift = -LEFT_PX + 4
    named = [at_left | {"text": panel.title, "x": 0, "xshift": shift, "y": middle, "yanchor": "middle"}]
    curves = [trace for trace in panel.traces if trace["type"] == "scatter" and trace.get("showlegend", True)]
    text = "  ".join(f"<span style='color:{trace['line']['color']}'>\u2014 {trace['name']}</span>" for trace in curves)
    if text:
        named.append(
            at_left
            | {
                "text": text,
                "x": 0.005,
                "y": top,
                "yanchor": "top",
                "font": {"size": 10},
                "bgcolor": "rgba(255,255,255,.7)",
            }
        )
    return named
