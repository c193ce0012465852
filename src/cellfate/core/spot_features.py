"""Columns of spot features: numbers that the tracker measured of each spot, under the tracker's own names.

They are told apart from what is measured here by a prefix: a tracker's `area` and ours are two columns.
"""

from collections.abc import Iterable
from typing import Final

SPOT_PREFIX: Final = "tracker_"
"""What stands before the tracker's name in the columns of `Detections` and `FrameFeatures`."""
SPOT_KIND: Final = "float32"
"""Their type; NaN: not measured."""


def spot_column(name: str) -> str:
    """Name the column of a spot feature.

    Examples
    --------
    >>> spot_column("MEAN_INTENSITY_CH1")
    'tracker_MEAN_INTENSITY_CH1'
    """
    return f"{SPOT_PREFIX}{name}"


def list_spot_columns(columns: Iterable[object]) -> list[str]:
    """List the columns of spot features among those of a table, in their order."""
    return [str(column) for column in columns if str(column).startswith(SPOT_PREFIX)]


def list_spot_features(columns: Iterable[object]) -> tuple[str, ...]:
    """List the tracker's own names of the spot features among the columns of a table, in their order.

    Examples
    --------
    >>> list_spot_features(["frame", "area", "tracker_area"])
    ('area',)
    """
    return tuple(column.removeprefix(SPOT_PREFIX) for column in list_spot_columns(columns))
