"""What images add to a context, with intervals."""

from typing import Final

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from cellfate.core.tables import ADDED, EVERYTHING
from cellfate.core.words import (
    capitalise,
    label_metric,
    list_events,
    name_context,
    name_metric,
    show_count,
    write_hours,
)
from cellfate.plots.theme import SEQUENCE, finish, make_grid, say_nothing, whiskers

WORDS: Final = {"images": "images", "measurements": "measurements alone", "network": "the network, beside measurements"}
"""What is added, in words."""
_METRICS: Final = ("auroc", "auroc_within_time")
_SLOT_PX: Final = 46
_TITLE: Final = "What the images add"


def plot_added_value(added_value: pd.DataFrame, headline_h: float) -> go.Figure:
    """Draw what images, measurements and the network add to each context.

    Parameters
    ----------
    added_value
        Table `AddedValue`.
    headline_h
        Hours within which the scores of ranks are.

    Returns
    -------
    plotly.graph_objects.Figure
        Left the log-likelihood gained per event; then differences in AUROC over all landmarks and within the same time,
        a row an event. Dotted: nothing is added.
    """
    known = added_value.dropna(subset=["difference"])
    if known.empty:
        return say_nothing(f"{_TITLE} (n = 0 landmarks)", "No landmark of the test part was scored for it.")
    slots = list(dict.fromkeys(zip(known["context"], known["added"], strict=True)))
    slots = sorted(slots, key=lambda slot: (list(known["context"]).index(slot[0]), ADDED.index(slot[1])))
    events = list_events(known["outcome"])
    figure, inner_px = make_grid(
        max(1, len(events)), 1 + len(_METRICS), max(120, _SLOT_PX * len(slots)), 90, horizontal_spacing=0.04
    )
    first = known[(known["metric"] == "log_likelihood") & (known["outcome"] == EVERYTHING)]
    _add_panel(figure, first, slots, "Log-likelihood gained<br>(nats an event)", (1, 1))
    for row, event in enumerate(events, start=1):
        for column, metric in enumerate(_METRICS, start=2):
            of_panel = known[(known["metric"] == metric) & (known["outcome"] == event)]
            head = f"{label_metric(metric)},<br>{event} within {write_hours(headline_h)}"
            _add_panel(figure, of_panel, slots, head, (row, column), named=column == 2 and row > 1)
    n_landmarks, n_groups = (int(first[name].max()) for name in ("n_landmarks", "n_groups"))
    counted = f"{show_count(n_landmarks, 'landmark')} in {show_count(n_groups, 'group')}"
    head = f"Test part, n = {counted}. Differences with intervals; dotted is nothing added."
    return finish(figure, _TITLE, head, inner_px=inner_px, legend_rows=0, left_px=330, legend_gap_px=80, heads=False)


def _add_panel(
    figure: go.Figure,
    rows: pd.DataFrame,
    slots: list[tuple[str, str]],
    head: str,
    place: tuple[int, int],
    named: bool = False,
) -> None:
    """Add a panel of dots with intervals, one slot a context and what is added."""
    where = {"row": place[0], "col": place[1]}
    positions = [slots.index(slot) for slot in zip(rows["context"], rows["added"], strict=True)]
    colours = [SEQUENCE[ADDED.index(added) % len(SEQUENCE)] for added in rows["added"]]
    figure.add_scatter(
        x=rows["difference"],
        y=positions,
        error_x=whiskers(rows, "difference"),
        mode="markers",
        marker={"color": colours, "size": 9},
        showlegend=False,
        customdata=np.column_stack([rows[["low", "high", "n_landmarks", "n_groups"]]]),
        hovertemplate="%{x:.3f} (%{customdata[0]:.3f} to %{customdata[1]:.3f}), n = %{customdata[2]} landmarks in "
        "%{customdata[3]} groups<extra></extra>",
        **where,
    )
    figure.add_vline(x=0, line={"dash": "dot", "color": "#7b8794"}, **where)
    figure.update_xaxes(title={"text": head, "font": {"size": 12}}, **where)
    names = [f"{capitalise(WORDS[added])},<br>beside {name_context(context)}" for context, added in slots]
    shown = place[1] == 1 or named
    ticks = {"tickvals": list(range(len(slots))), "ticktext": names if shown else [""] * len(slots)}
    figure.update_yaxes(range=[len(slots) - 0.5, -0.5], **ticks, **where)


def name_gain(metric: str) -> str:
    """Name of a score of what is added, in a table."""
    return "log-likelihood gained per event" if metric == "log_likelihood" else name_metric(metric)
