"""Counts in words, for the answers of reporting checklists."""

import pandas as pd

from cellfate.core.fates import FATES
from cellfate.core.words import list_words, order_doses


def count_values(values: pd.Series) -> str:
    """Count different values: "Low 3, High 4"."""
    counts = values.value_counts()
    return ", ".join(f"{name} {counts[name]:,}" for name in order_doses(counts.index))


def count_fates(cells: pd.DataFrame) -> str:
    """Count cells by fate."""
    counts = cells["fate"].value_counts()
    return ", ".join(f"{counts[fate]:,} {fate}" for fate in FATES if counts.get(fate))


def list_distinct(column: pd.Series) -> str:
    """List the different values of a column."""
    return list_words(f"{value:g}" if isinstance(value, float) else str(value) for value in sorted({*column.dropna()}))
