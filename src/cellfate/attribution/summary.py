"""Attention statistics over cells: medians with intervals per outcome and dose.

Shape suffixes: n cells, b bootstrap resamples, g groups.
"""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cellfate.attribution.settings import AttentionStatisticsSettings
from cellfate.attribution.statistics import compared_features, gather_cases
from cellfate.attribution.swaps import ALL_DOSES, swap_masks
from cellfate.core.tables import AttentionSummary

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


def summarise_attention_statistics(
    attention_statistics: pd.DataFrame,
    attention: pd.DataFrame,
    frame_features: pd.DataFrame,
    samples: pd.DataFrame,
    settings: AttentionStatisticsSettings,
) -> pd.DataFrame:
    """Summarise the statistics of all cells and test them against masks of other cells.

    Parameters
    ----------
    attention_statistics
        Table `AttentionStatistics` of `statistics.compare_top_attention_frames`.
    attention, frame_features, samples
        The tables it was made from.
    settings
        Bootstrap, swaps, seed.

    Returns
    -------
    pandas.DataFrame
        Table `AttentionSummary`.
    """
    features = compared_features(frame_features, settings)
    medians = summarise_effects(attention_statistics, settings)
    swapped = swap_masks(gather_cases(attention, frame_features, samples, features), features, settings)
    table = medians.merge(swapped, on=["outcome", "dose", "feature"], how="left", validate="one_to_one")
    return AttentionSummary.validate(table.astype({"p_swap": np.float64})[list(AttentionSummary.to_schema().columns)])


def summarise_effects(cells: pd.DataFrame, settings: AttentionStatisticsSettings) -> pd.DataFrame:
    """Take the median Cliff's delta over cells, with a bootstrap interval, per outcome, dose and feature.

    Parameters
    ----------
    cells
        One row a cell and feature: outcome, dose, feature, cliffs_delta, and where known p_corrected and group_id.
        Groups are resampled whole; without group_id each cell is a group of its own.
    settings
        Resamples, coverage, significance, seed.

    Returns
    -------
    pandas.DataFrame
        outcome, dose (or `all`), feature, median_delta, low, high, share_significant, n_cells (those with a delta);
        interval NaN where there is one group only.
    """
    generator = np.random.default_rng([settings.seed, 2])
    pooled = pd.concat([cells, cells.assign(dose=ALL_DOSES)])
    keys = ["outcome", "dose", "feature"]
    rows = [
        dict(zip(keys, key, strict=True)) | _summarise_group(part[part["cliffs_delta"].notna()], settings, generator)
        for key, part in pooled.groupby(keys, sort=True)
    ]
    return pd.DataFrame(rows, columns=[*keys, "median_delta", "low", "high", "share_significant", "n_cells"])


def _summarise_group(
    cells: pd.DataFrame, settings: AttentionStatisticsSettings, generator: np.random.Generator
) -> dict[str, object]:
    """Summarise the cells of one outcome, dose and feature that have a delta."""
    if cells.empty:
        return {"median_delta": np.nan, "low": np.nan, "high": np.nan, "share_significant": np.nan, "n_cells": 0}
    deltas = cells["cliffs_delta"].to_numpy(dtype=np.float64)
    groups = cells["group_id"] if "group_id" in cells else pd.Series(range(len(cells)))
    codes = np.asarray(pd.factorize(groups)[0], dtype=np.int64)
    tails = 100 * np.array([(1 - settings.confidence) / 2, (1 + settings.confidence) / 2])
    low, high = np.nan, np.nan
    if codes.max() > 0:
        low, high = np.percentile(bootstrap_medians(deltas, codes, settings.n_bootstrap, generator), tails)
    share = np.nan
    if "p_corrected" in cells:
        share = float((cells["p_corrected"].dropna() <= settings.significance).mean())
    return {
        "median_delta": float(np.median(deltas)),
        "low": float(low),
        "high": float(high),
        "share_significant": share,
        "n_cells": len(deltas),
    }


def bootstrap_medians(
    values_n: FloatArray, groups_n: IntArray, n_resamples: int, generator: np.random.Generator
) -> FloatArray:
    """Medians over resamples of whole groups with replacement, (B,).

    Parameters
    ----------
    values_n
        Values of the cells.
    groups_n
        Group of each cell, 0 to G - 1.
    """
    order = np.argsort(values_n, kind="stable")
    ordered, n_groups = values_n[order], int(groups_n.max()) + 1
    drawn_bg = generator.multinomial(n_groups, np.full(n_groups, 1 / n_groups), size=n_resamples)
    upto_bn = np.cumsum(drawn_bg[:, groups_n[order]], axis=1)
    total_b = upto_bn[:, -1:]
    below = ordered[(upto_bn > (total_b - 1) // 2).argmax(axis=1)]
    above = ordered[(upto_bn > total_b // 2).argmax(axis=1)]
    medians: FloatArray = (below + above) / 2
    return medians
