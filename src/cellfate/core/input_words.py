"""Words for what networks are shown: channels of images, columns of measurements, and columns of context."""

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Final

from cellfate.core.spot_features import SPOT_PREFIX
from cellfate.core.tables import FRAME, FrameFeatures
from cellfate.core.words import name_feature

_CONTEXT: Final = {
    "recording_h": "hours filmed",
    "treated_h": "hours treated",
    "neighbors": "neighbours",
    "dose_amount": "dose",
    "mother_cycle_h": "mother's life (h)",
    "sister_alive": "sister alive",
    "sister_divided_h": "sister divided (h)",
    "sister_died_h": "sister died (h)",
}
"""Columns of context, by the names that `features.context.describe_context` gives them."""


def is_column(name: str) -> bool:
    """Tell a column of measurements or of context from a channel of an image."""
    by_channel = ("intensity_", "texture_", "rate_intensity_")
    return name.startswith((SPOT_PREFIX, "dose_", *by_channel)) or name in _CONTEXT or name in _list_measured()


@lru_cache(maxsize=1)
def _list_measured() -> frozenset[str]:
    """Columns of table `FrameFeatures` that every study has; asked late, its schema imports much."""
    return frozenset(FrameFeatures.to_schema().columns) - frozenset(FRAME)


def name_input(name: str) -> str:
    """Name a channel or a column in a figure.

    Examples
    --------
    >>> name_input("h2b"), name_input("tracker_red_since_on_h"), name_input("recording_h"), name_input("intensity_p53")
    ('h2b', 'red since on (h)', 'hours filmed', 'p53, measured')
    """
    if not is_column(name):
        return name
    if name.startswith("intensity_"):
        return f"{name_feature(name)}, measured"
    named = _CONTEXT.get(name, name_feature(name.removeprefix(SPOT_PREFIX)).replace("_", " "))
    return re.sub(r" h$", " (h)", named)


def name_inputs(names: Iterable[str]) -> str:
    """One word for some of them: channel, column, or input where there are both.

    Examples
    --------
    >>> name_inputs(["h2b", "mask"]), name_inputs(["tracker_red"]), name_inputs(["h2b", "tracker_red"])
    ('channel', 'column', 'input')
    """
    kinds = {is_column(name) for name in names}
    return "input" if len(kinds) > 1 else "column" if kinds == {True} else "channel"
