"""Means over cells with intervals that resample whole groups.

Array suffixes: n cells, b bootstrap resamples, g groups.
"""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cellfate.attribution.settings import ExplanationSettings

FloatArray = NDArray[np.float64]


def summarise_means(cells: pd.DataFrame, keys: list[str], explanation: ExplanationSettings) -> pd.DataFrame:
    """Average a value over cells, with a percentile interval of a bootstrap that draws groups.

    Parameters
    ----------
    cells
        `keys`, `group_id` and `value`, one row a cell and key; NaN where it is not defined.
    keys
        Columns that tell the means apart.
    explanation
        Resamples, coverage, seed.

    Returns
    -------
    pandas.DataFrame
        keys, value, low, high, n_cells (with a value), n_failed (without one). The interval is NaN with one group only.
    """
    rows = [
        dict(zip(keys, key, strict=True)) | _mean_of(part, explanation) for key, part in cells.groupby(keys, sort=False)
    ]
    return pd.DataFrame(rows, columns=[*keys, "value", "low", "high", "n_cells", "n_failed"])


def _mean_of(cells: pd.DataFrame, explanation: ExplanationSettings) -> dict[str, Any]:
    """Mean, interval and numbers of cells of one key."""
    known = cells[cells["value"].notna()]
    values_n = known["value"].to_numpy(dtype=np.float64)
    groups_n, names = pd.factorize(known["group_id"])
    low = high = np.nan
    if len(names) > 1:
        means_b = bootstrap_means(values_n, groups_n.astype(np.int64), explanation.n_bootstrap, explanation.seed)
        tail = 50 * (1 - explanation.confidence)
        low, high = np.percentile(means_b, [tail, 100 - tail])
    return {
        "value": float(values_n.mean()) if len(known) else np.nan,
        "low": float(low),
        "high": float(high),
        "n_cells": len(known),
        "n_failed": len(cells) - len(known),
    }


def bootstrap_means(values_n: FloatArray, groups_n: NDArray[np.int64], n_resamples: int, seed: int) -> FloatArray:
    """Means over resamples of whole groups with replacement, (B,).

    Parameters
    ----------
    values_n
        Values of the cells.
    groups_n
        Group of each cell, 0 to G - 1, none without a cell.
    n_resamples, seed
        Number of resamples, and their seed.
    """
    n_groups = int(groups_n.max()) + 1
    generator = np.random.default_rng([seed, 4])
    counts_bg = generator.multinomial(n_groups, np.full(n_groups, 1 / n_groups), size=n_resamples)
    sums_g, sizes_g = np.bincount(groups_n, values_n), np.bincount(groups_n)
    means: FloatArray = (counts_bg @ sums_g) / (counts_bg @ sizes_g)
    return means
