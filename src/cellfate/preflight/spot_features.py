"""Checks of spot features: values that nobody could know in the frame they stand in.

A tracker's tables also hold what was computed when all of a track was there: its duration, its number of spots, its
mean. Such a value says at the first frame how long the cell will be followed, and so when it divides or dies.
"""

import pandas as pd

from cellfate.core.spot_features import SPOT_PREFIX, list_spot_columns
from cellfate.core.tables import CELL, FRAME
from cellfate.preflight.findings import list_findings
from cellfate.preflight.settings import PreflightSettings

_FEWEST_CELLS = 3
"""Cells of a recording from which on a feature is told; fewer can be so by chance."""
_OF_TRACK = "has one value on all spots of each of {} cells, and not the same on all cells"
_COUNTS_DOWN = "comes to {:g} at the end of each of {} tracks, which end in different frames"
_SENTENCE = (
    "the spot feature {feature} {how}, as where a value is computed from the whole track, also from what comes after a "
    "forecast; leave it out of tracks.spot_features unless it was known in each frame (docs/tracks.md, Spot features)"
)


def check_spot_features(detections: pd.DataFrame, settings: PreflightSettings) -> list[pd.DataFrame]:
    """Find spot features that are constant over every track, or count to its end: a row a recording and feature."""
    cases = [
        {"recording_id": recording_id, "feature": column.removeprefix(SPOT_PREFIX), **found}
        for column in list_spot_columns(detections.columns)
        for recording_id, spots in detections.dropna(subset=column).groupby("recording_id")
        for found in [_find_of_track(spots.sort_values(FRAME, kind="stable"), column)]
        if found
    ]
    table = pd.DataFrame(cases, columns=["recording_id", "feature", "how", "value"]).assign(limit=_FEWEST_CELLS)
    return [list_findings(table, "spot_feature", _SENTENCE, settings.max_rows_a_check)]


def _find_of_track(spots: pd.DataFrame, column: str) -> dict[str, object]:
    """Say how the values of one recording, ordered by cell and frame, follow from whole tracks; empty if not."""
    cells = spots.groupby(CELL).agg(
        n=(column, "size"), low=(column, "min"), high=(column, "max"), end=(column, "last"), last=("frame", "max")
    )
    cells = cells[cells["n"] > 1]
    if len(cells) < _FEWEST_CELLS:
        return {}
    if (cells["low"] == cells["high"]).all() and _differ(cells["low"]):
        return {"how": _OF_TRACK.format(len(cells)), "value": len(cells)}
    steps = spots.groupby(CELL)[column].diff().dropna()
    goes_one_way = (steps > 0).all() or (steps < 0).all()
    if goes_one_way and not _differ(cells["end"]) and _differ(cells["last"]):
        return {"how": _COUNTS_DOWN.format(cells["end"].iloc[0], len(cells)), "value": len(cells)}
    return {}


def _differ(values: pd.Series) -> bool:
    return bool((values != values.iloc[0]).any())
