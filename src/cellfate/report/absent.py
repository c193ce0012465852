"""Tables of the report that a study without images does not make, without rows, so that their chapters are left out."""

from collections.abc import Iterable
from typing import Final

import pandas as pd

from cellfate.core.tables import (
    AddedValue,
    Attributions,
    AttributionScores,
    Landmarks,
    Metrics,
    Reproduction,
    SeedScores,
    Table,
    TrainingHistory,
)
from cellfate.core.words import READINGS

_OF_READINGS: Final[dict[str, type[Table]]] = {
    "shapley": Attributions,
    "tree_shapley": Attributions,
    "attribution_scores": AttributionScores,
    "explained_landmarks": Landmarks,
    "history": TrainingHistory,
}
SCHEMAS: Final[dict[str, type[Table]]] = {
    "seed_scores": SeedScores,
    "added_value": AddedValue,
    "background_swap": Metrics,
    "reproduction": Reproduction,
    **{f"{reading}_{name}": schema for reading in READINGS for name, schema in _OF_READINGS.items()},
}
"""Schema of every table that may be absent, by catalog name."""


def leave_absent(names: Iterable[str]) -> dict[str, pd.DataFrame]:
    """Give tables without rows for those that no stage of a study makes.

    Parameters
    ----------
    names
        Catalog names, of `SCHEMAS`.
    """
    return {name: SCHEMAS[name].empty() for name in names}
