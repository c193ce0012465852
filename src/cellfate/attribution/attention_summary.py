"""Attention statistics over cells: medians with intervals, and a valid test that swaps masks between cells.

Neighbouring frames of a cell are alike, so permuting frames is no fair null. Here the attention mask of one cell is
laid on another cell of the same outcome, dose and like length, aligned at the event: if attention only followed the
clock, it would fit a stranger as well as its own cell. Shape suffixes: t frames of a cell, f features, j cells of a
stratum, r swaps.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cellfate.attribution.attention_statistics import (
    AttentionCase,
    compared_features,
    gather_cases,
    reason_against,
)
from cellfate.attribution.settings import AttentionStatisticsSettings
from cellfate.core.tables import EVERYTHING, AttentionSummary
from cellfate.statistics.bootstrap import summarise_group_medians
from cellfate.statistics.effect_sizes import cliffs_delta
from cellfate.statistics.permutation_tests import correct_p_values, two_sided_p

FloatArray = NDArray[np.float64]
KEYS = ["outcome", "dose", "feature"]


def summarise_attention_statistics(
    attention_statistics: pd.DataFrame,
    attention: pd.DataFrame,
    frame_features: pd.DataFrame,
    explained_landmarks: pd.DataFrame,
    settings: AttentionStatisticsSettings,
) -> pd.DataFrame:
    """Summarise the statistics of all cells and test them against masks of other cells.

    Parameters
    ----------
    attention_statistics
        Table of `attention_statistics.compare_top_attention_frames`.
    attention, frame_features, explained_landmarks
        The tables it was made from.
    settings
        Bootstrap, swaps, seed.

    Returns
    -------
    pandas.DataFrame
        Table `AttentionSummary`; p of the swaps are corrected over all its rows.
    """
    if attention_statistics.empty:
        return AttentionSummary.empty()
    features = compared_features(frame_features, settings)
    medians = summarise_effects(attention_statistics, settings)
    cases = gather_cases(attention, frame_features, explained_landmarks, features)
    table = medians.merge(swap_masks(cases, features, settings), on=KEYS, how="left", validate="one_to_one")
    p_swap = table["p_swap"].to_numpy(np.float64)
    table = table.assign(p_swap=p_swap, p_swap_corrected=correct_p_values(p_swap))
    return AttentionSummary.validate(table[list(AttentionSummary.to_schema().columns)])


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
    pooled = pd.concat([cells, cells.assign(dose=EVERYTHING)])
    rows = [
        (*key, *_summarise_group(part[part["cliffs_delta"].notna()], settings))
        for key, part in pooled.groupby(KEYS, sort=True)
    ]
    return pd.DataFrame(rows, columns=[*KEYS, "median_delta", "low", "high", "share_significant", "n_cells"])


def _summarise_group(
    cells: pd.DataFrame, settings: AttentionStatisticsSettings
) -> tuple[float, float, float, float, int]:
    """Median, its interval, share of significant cells and number of cells, of those that have a delta."""
    deltas_n = cells["cliffs_delta"].to_numpy(dtype=np.float64)
    groups = cells["group_id"] if "group_id" in cells else pd.Series(range(len(cells)))
    groups_n = pd.factorize(groups)[0].astype(np.int64)
    resampling = (settings.n_bootstrap, settings.confidence, [settings.seed, 2])
    share = np.nan
    if "p_corrected" in cells:
        share = float((cells["p_corrected"].dropna() <= settings.significance).mean())
    return *summarise_group_medians(deltas_n, groups_n, *resampling), share, len(deltas_n)


def swap_masks(
    cases: Sequence[AttentionCase], features: tuple[str, ...], settings: AttentionStatisticsSettings
) -> pd.DataFrame:
    """Test the median Cliff's delta of every outcome, dose and feature against masks of other cells.

    Parameters
    ----------
    cases
        Cells, from `attention_statistics.gather_cases`.
    features
        Names of their features.
    settings
        Swaps, fewest cells, size of a length bin, seed.

    Returns
    -------
    pandas.DataFrame
        outcome, dose (or `all`), feature, p_swap: two-sided, NaN where fewer than `min_swap_cells` cells have a value.
    """
    usable = [case for case in cases if reason_against(case, settings.min_frames) is None]
    generator = np.random.default_rng([settings.seed, 1])
    rows: list[tuple[str, str, str, float]] = []
    for outcome in sorted({case.outcome for case in usable}):
        of_outcome = [case for case in usable if case.outcome == outcome]
        by_dose = {
            dose: _swap_within([case for case in of_outcome if case.dose == dose], settings, generator)
            for dose in sorted({case.dose for case in of_outcome})
        }
        observed, null = zip(*by_dose.values(), strict=True)
        by_dose[EVERYTHING] = np.concatenate(observed), np.concatenate(null, axis=1)
        for dose, (observed_jf, null_rjf) in by_dose.items():
            p_values = _p_of_medians(observed_jf, null_rjf, settings.min_swap_cells)
            rows += [(outcome, dose, feature, p) for feature, p in zip(features, p_values, strict=True)]
    return pd.DataFrame(rows, columns=[*KEYS, "p_swap"])


def length_bins(lengths: Sequence[int], bin_cells: int) -> list[NDArray[np.int64]]:
    """Part cells in order of length into bins of about `bin_cells`."""
    order = np.argsort(np.asarray(lengths), kind="stable")
    return list(np.array_split(order, max(1, len(order) // bin_cells)))


def _swap_within(
    cases: Sequence[AttentionCase], settings: AttentionStatisticsSettings, generator: np.random.Generator
) -> tuple[FloatArray, FloatArray]:
    """Deltas with the cells' own masks (J, F), and with masks swapped within length bins (R, J, F)."""
    observed, null = [], []
    for members in length_bins([len(case.top_t) for case in cases], settings.length_bin_cells):
        deltas_jjf = crossed_deltas([cases[member] for member in members])
        own = np.arange(len(members))
        observed.append(deltas_jjf[own, own])
        partners = generator.permuted(np.tile(own, (settings.n_swaps, 1)), axis=1)
        null.append(deltas_jjf[own, partners])
    return np.concatenate(observed), np.concatenate(null, axis=1)


def crossed_deltas(cases: Sequence[AttentionCase]) -> FloatArray:
    """Cliff's delta of every cell's features under every cell's mask, (J cells, J masks, F).

    Masks are laid on by frames before the event. Frames for which the other cell has none are not of top attention.
    """
    farthest = max(int(case.frames_back_t.max()) for case in cases) + 1
    masks = np.zeros((len(cases), farthest), dtype=bool)
    for mask, case in zip(masks, cases, strict=True):
        mask[case.frames_back_t[case.top_t]] = True
    return np.stack([cliffs_delta(case.values_tf, masks[:, case.frames_back_t]) for case in cases])


def _p_of_medians(observed_jf: FloatArray, null_rjf: FloatArray, min_cells: int) -> FloatArray:
    """Two-sided p of the median over cells, one a feature; NaN under `min_cells` cells."""
    p_values = np.full(observed_jf.shape[1], np.nan)
    for feature, observed in enumerate(observed_jf.T):
        known = ~np.isnan(observed)
        if known.sum() >= min_cells:
            null = np.nanmedian(null_rjf[:, known, feature], axis=1)
            p_values[feature] = two_sided_p(null[~np.isnan(null)], float(np.median(observed[known])), slack=1e-12)
    return p_values
