"""Time counted back from the event, or from the last frame shown, and bands over cells."""

from dataclasses import dataclass

import pandas as pd
import plotly.graph_objects as go

from cellfate.core.fates import NONE
from cellfate.plots.theme import band, colour_of

FEWEST_CELLS = 5
"""Cells under which no median is drawn."""


@dataclass(frozen=True)
class Alignment:
    """What hour 0 is.

    Attributes
    ----------
    at_event
        True: the event. False: the last frame shown, because not every landmark has an event.
    title
        Axis title with unit.
    """

    at_event: bool
    title: str


def choose_alignment(landmarks: pd.DataFrame) -> Alignment:
    """Align at the event when the outcome of every landmark is an event, else at the last frame shown.

    Parameters
    ----------
    landmarks
        Table `Landmarks` with the column `outcome`.
    """
    fated = landmarks["event_frame"].notna() & (landmarks["outcome"] != NONE)
    if len(landmarks) > 0 and bool(fated.all()):
        return Alignment(at_event=True, title="Time before the event (h)")
    return Alignment(at_event=False, title="Time before the last frame shown (h)")


def count_back(rows: pd.DataFrame, landmarks: pd.DataFrame, alignment: Alignment) -> pd.DataFrame:
    """Add `outcome` and `hours` (counted back from hour 0) to rows of landmarks that have a `frame`.

    Parameters
    ----------
    rows
        landmark_id, frame and more.
    landmarks
        Table `Landmarks` with the column `outcome`.
    alignment
        What hour 0 is.
    """
    end = "event_frame" if alignment.at_event else "last_frame"
    facts = landmarks[["landmark_id", "outcome", "frame_interval_min", end]].rename(columns={end: "end_frame"})
    joined = rows.merge(facts, on="landmark_id", validate="many_to_one")
    frames = joined["end_frame"].astype("float64") - joined["frame"]
    return joined.assign(hours=(frames * joined["frame_interval_min"] / 60.0).round(4))


def quartiles_by(rows: pd.DataFrame, x: str, y: str) -> pd.DataFrame:
    """Median and quartiles of a column at each x: columns x, low, median, high, n; x of too few cells are left out."""
    grouped = rows.dropna(subset=[y]).groupby(x)[y]
    shares = {"low": 0.25, "median": 0.5, "high": 0.75}
    table = pd.DataFrame({name: grouped.quantile(share) for name, share in shares.items()} | {"n": grouped.size()})
    return table[table["n"] >= FEWEST_CELLS].reset_index(names=x)


def band_traces(
    table: pd.DataFrame, name: str, *, position: int = 0, legend: bool = True, unit: str = ""
) -> list[go.Scatter]:
    """Draw a median over hours as a line and its quartiles as a band; the table is one of `quartiles_by`."""
    colour = colour_of(name.split(" ")[0], position)
    line = go.Scatter(
        x=table["hours"],
        y=table["median"],
        mode="lines",
        line={"color": colour, "width": 2},
        name=name,
        legendgroup=name,
        showlegend=legend,
        customdata=table["n"],
        hovertemplate=f"%{{x:.1f}} h before: %{{y:.3g}} {unit}<br>%{{customdata}} cells<extra>{name}</extra>",
    )
    return [band(table["hours"], table["low"], table["high"], colour, legendgroup=name), line]
