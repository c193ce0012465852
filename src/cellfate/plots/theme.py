"""One look for every figure: colours by meaning, sizes, fonts."""

from typing import Final

import plotly.graph_objects as go

COLOURS: Final = {
    "apoptosis": "#c8553d",
    "mitosis": "#2a7f9e",
    "none": "#8a8f98",
    "censored": "#8a8f98",
    "undecided": "#c9a227",
    "model": "#1f2933",
    "reference": "#a9b1bc",
}
"""Colour-blind safe; one colour, one meaning, in every figure."""

SEQUENCE: Final = ("#1f2933", "#2a7f9e", "#c8553d", "#c9a227", "#6a4c93", "#588157", "#8a8f98", "#b56576")
"""Colours of things that have no colour of their own (channels, predictors, features), in order."""


def colour_of(name: str, position: int = 0) -> str:
    """Colour of a fate or outcome by name; of anything else by its position."""
    return COLOURS.get(name, SEQUENCE[position % len(SEQUENCE)])


def translucent(colour: str, opacity: float) -> str:
    """Write a `#rrggbb` colour as `rgba(...)` with an opacity in 0..1, for interval bands."""
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red},{green},{blue},{opacity})"


def apply_theme(figure: go.Figure, *, title: str, height_px: int = 420) -> go.Figure:
    """Give a figure the house look. The figure is changed and returned."""
    figure.update_layout(
        template="plotly_white",
        title={"text": title, "x": 0, "xanchor": "left", "xref": "container", "pad": {"l": 12}, "font": {"size": 16}},
        font={"family": "Inter, 'Helvetica Neue', Arial, sans-serif", "size": 13, "color": "#1f2933"},
        height=height_px,
        margin={"l": 70, "r": 30, "t": 60, "b": 60},
        legend={"orientation": "h", "yanchor": "top", "y": -0.2, "x": 0},
        colorway=list(SEQUENCE),
    )
    figure.update_xaxes(showline=True, linecolor="#c3cad3", ticks="outside", zeroline=False)
    figure.update_yaxes(showline=True, linecolor="#c3cad3", ticks="outside", zeroline=False)
    return figure


def say_nothing(title: str, words: str) -> go.Figure:
    """Make a figure that says in words why there is nothing to draw."""
    figure = apply_theme(go.Figure(), title=title, height_px=160)
    figure.add_annotation(text=words, showarrow=False)
    return figure.update_xaxes(visible=False).update_yaxes(visible=False)
