"""Time counted back from the event, or from the last frame shown, and bands over cells."""

from collections.abc import Iterable
from dataclasses import dataclass

import pandas as pd
import plotly.graph_objects as go

from cellfate.core.fates import NONE, OUTCOMES
from cellfate.plots.theme import colour_of, translucent

FEWEST_CELLS = 5
"""Cells under which no median is drawn."""


@dataclass(frozen=True)
class Alignment:
    """What hour 0 is.

    Attributes
    ----------
    at_event
        True: the event. False: the last frame shown, because not every sample has an event.
    title
        Axis title with unit.
    """

    at_event: bool
    title: str


def choose_alignment(samples: pd.DataFrame) -> Alignment:
    """Align at the event when the fate of every sample is an event, else at the last frame shown.

    Parameters
    ----------
    samples
        Table `Samples`: outcome, event_frame.
    """
    fated = samples["event_frame"].notna() & (samples["outcome"] != NONE)
    if len(samples) > 0 and bool(fated.all()):
        return Alignment(at_event=True, title="Hours before the event")
    return Alignment(at_event=False, title="Hours before the last frame shown")


def count_back(rows: pd.DataFrame, samples: pd.DataFrame, alignment: Alignment) -> pd.DataFrame:
    """Add `outcome` and `hours` (counted back from hour 0) to rows of samples that have a `frame`.

    Parameters
    ----------
    rows
        sample_id, frame and more.
    samples
        Table `Samples`.
    alignment
        What hour 0 is.
    """
    end = "event_frame" if alignment.at_event else "last_frame"
    facts = samples[["sample_id", "outcome", "frame_interval_min", end]].rename(columns={end: "end_frame"})
    joined = rows.merge(facts, on="sample_id", validate="many_to_one")
    frames = joined["end_frame"].astype("float64") - joined["frame"]
    return joined.assign(hours=(frames * joined["frame_interval_min"] / 60.0).round(4))


def present_outcomes(samples: pd.DataFrame) -> list[str]:
    """List the outcomes of samples in the fixed order."""
    found = set(samples["outcome"].dropna())
    return [outcome for outcome in OUTCOMES if outcome in found]


def quartiles_by(rows: pd.DataFrame, x: str, y: str) -> pd.DataFrame:
    """Median and quartiles of a column at each x: columns x, low, median, high, n; x of too few cells are left out."""
    grouped = rows.dropna(subset=[y]).groupby(x)[y]
    shares = {"low": 0.25, "median": 0.5, "high": 0.75}
    table = pd.DataFrame({name: grouped.quantile(share) for name, share in shares.items()} | {"n": grouped.size()})
    return table[table["n"] >= FEWEST_CELLS].reset_index(names=x)


def band_traces(
    x: Iterable[float], table: pd.DataFrame, name: str, *, position: int = 0, legend: bool = True, unit: str = ""
) -> list[go.Scatter]:
    """Draw a median as a line and its quartiles as a band; the table has low, median, high and n."""
    x = list(x)
    colour = colour_of(name.split(" ")[0], position)
    band = go.Scatter(
        x=x + x[::-1],
        y=list(table["high"]) + list(table["low"])[::-1],
        fill="toself",
        fillcolor=translucent(colour, 0.18),
        line={"width": 0},
        hoverinfo="skip",
        showlegend=False,
        legendgroup=name,
    )
    line = go.Scatter(
        x=x,
        y=table["median"],
        mode="lines",
        line={"color": colour, "width": 2},
        name=name,
        legendgroup=name,
        showlegend=legend,
        customdata=table["n"],
        hovertemplate=f"%{{x:.1f}} h before: %{{y:.3g}} {unit}<br>%{{customdata}} cells<extra>{name}</extra>",
    )
    return [band, line]
