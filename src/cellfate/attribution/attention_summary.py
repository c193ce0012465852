"""Attention statistics over cells: medians with intervals, and a valid test against the attention of other cells.

Neighbouring frames of a cell are alike, so permuting frames is no fair null. Here the attention masks of other cells
are laid on a cell, of the same outcome, dose and like length, aligned at the event: if attention only followed the
clock, they would fit it as well as its own. Cells of one group share more than a clock, so the masks come from other
groups, and groups are resampled whole. Shape suffixes: t frames of a cell, f features, j cells of a stratum, b frames
back from the event.
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
from cellfate.statistics.bootstrap import (
    draw_groups,
    mean_by_group,
    number_groups,
    p_of_zero,
    summarise_group_medians,
)
from cellfate.statistics.effect_sizes import cliffs_delta
from cellfate.statistics.permutation_tests import correct_p_values

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
KEYS = ["outcome", "dose", "feature"]
_ROUNDING = 1e-12
"""Nothing under this is an excess: equal deltas differ by less once they are averaged."""


def summarise_attention_statistics(
    attention_statistics: pd.DataFrame,
    attention: pd.DataFrame,
    frame_features: pd.DataFrame,
    explained_landmarks: pd.DataFrame,
    settings: AttentionStatisticsSettings,
) -> pd.DataFrame:
    """Summarise the statistics of all cells and test them against the masks of other cells.

    Parameters
    ----------
    attention_statistics
        Table of `attention_statistics.compare_top_attention_frames`.
    attention, frame_features, explained_landmarks
        The tables it was made from.
    settings
        Bootstrap, strangers, seed.

    Returns
    -------
    pandas.DataFrame
        Table `AttentionSummary`. All its p values are one family, since the report shows all of them: they are
        corrected together by Benjamini and Hochberg 1995.
    """
    if attention_statistics.empty:
        return AttentionSummary.empty()
    features = compared_features(frame_features, settings)
    medians = summarise_effects(attention_statistics, settings)
    cases = gather_cases(attention, frame_features, explained_landmarks, features)
    table = medians.merge(compare_with_strangers(cases, features, settings), on=KEYS, how="left", validate="one_to_one")
    p_swap = table["p_swap"].to_numpy(np.float64)
    table = table.assign(p_swap=p_swap, p_swap_corrected=correct_p_values(p_swap))
    return AttentionSummary.validate(table[list(AttentionSummary.to_schema().columns)])


def summarise_effects(cells: pd.DataFrame, settings: AttentionStatisticsSettings) -> pd.DataFrame:
    """Take the median Cliff's delta over cells, with a bootstrap interval, per outcome, dose and feature.

    Parameters
    ----------
    cells
        One row a cell and feature: outcome, dose, feature, cliffs_delta, and where known group_id. Groups are
        resampled whole; without group_id each cell is a group of its own.
    settings
        Resamples, coverage, seed.

    Returns
    -------
    pandas.DataFrame
        outcome, dose, feature, median_delta, low, high, share_same_sign, n_cells (those with a delta), n_groups. Dose
        `all` is all doses together; where there is one dose it stands for that one. The interval is NaN where there
        is one group only, the share where the median is 0.
    """
    apart = cells if len(set(cells["dose"])) > 1 else cells.head(0)
    pooled = pd.concat([apart, cells.assign(dose=EVERYTHING)])
    rows = [
        (*key, *_summarise_group(part[part["cliffs_delta"].notna()], settings))
        for key, part in pooled.groupby(KEYS, sort=True)
    ]
    return pd.DataFrame(rows, columns=[*KEYS, "median_delta", "low", "high", "share_same_sign", "n_cells", "n_groups"])


def _summarise_group(
    cells: pd.DataFrame, settings: AttentionStatisticsSettings
) -> tuple[float, float, float, float, int, int]:
    """Median, its interval, share of cells with its sign, numbers of cells and groups, of those that have a delta."""
    deltas_n = cells["cliffs_delta"].to_numpy(dtype=np.float64)
    groups = cells["group_id"] if "group_id" in cells else pd.Series(range(len(cells)))
    groups_n = pd.factorize(groups)[0].astype(np.int64)
    resampling = (settings.n_bootstrap, settings.confidence, [settings.seed, 2])
    median = summarise_group_medians(deltas_n, groups_n, *resampling)
    has_sign = np.isfinite(median.estimate) and median.estimate != 0
    share = float((np.sign(deltas_n) == np.sign(median.estimate)).mean()) if has_sign else np.nan
    return *median, share, len(deltas_n), len(set(groups_n))


def compare_with_strangers(
    cases: Sequence[AttentionCase], features: tuple[str, ...], settings: AttentionStatisticsSettings
) -> pd.DataFrame:
    """Test Cliff's delta under the cells' own masks against that under masks of other cells.

    Parameters
    ----------
    cases
        Cells, from `attention_statistics.gather_cases`.
    features
        Names of their features.
    settings
        Strangers, fewest cells, resamples, seed.

    Returns
    -------
    pandas.DataFrame
        outcome, dose (or `all`), feature, excess (mean over cells, see `excess_over_strangers`) and p_swap, the
        two-sided p of no excess, groups resampled whole. NaN where fewer than `min_swap_cells` cells have an excess,
        or where they are of one group.
    """
    usable = [case for case in cases if reason_against(case, settings.min_frames) is None]
    rows: list[tuple[str, str, str, float, float]] = []
    for outcome in sorted({case.outcome for case in usable}):
        by_dose: dict[str, list[AttentionCase]] = {}
        for case in usable:
            if case.outcome == outcome:
                by_dose.setdefault(case.dose, []).append(case)
        excess = {dose: excess_over_strangers(of_dose, settings.n_strangers) for dose, of_dose in by_dose.items()}
        groups = {dose: [case.group_id for case in of_dose] for dose, of_dose in by_dose.items()}
        excess[EVERYTHING] = np.concatenate(list(excess.values()))
        groups[EVERYTHING] = [group for of_dose in groups.values() for group in of_dose]
        for dose, excess_jf in excess.items():
            tested = [
                _test_excess(excess_j, np.array(groups[dose], dtype=object), settings) for excess_j in excess_jf.T
            ]
            rows += [(outcome, dose, feature, *found) for feature, found in zip(features, tested, strict=True)]
    return pd.DataFrame(rows, columns=[*KEYS, "excess", "p_swap"])


def excess_over_strangers(cases: Sequence[AttentionCase], n_strangers: int) -> FloatArray:
    """Cliff's delta of every cell under its own mask, less the mean of those under masks of strangers, (J, F).

    Strangers are the cells of other groups that are nearest in length. Their masks are laid on by frames before the
    event; frames for which a stranger has none are not of top attention.

    Parameters
    ----------
    cases
        Cells of one outcome and dose.
    n_strangers
        Most strangers of a cell.

    Returns
    -------
    numpy.ndarray
        -2 to 2; NaN where there is no stranger, or none whose mask parts the frames in which the feature is known.
    """
    masks_jb = _lay_back(cases)
    lengths_j = np.array([len(case.top_t) for case in cases])
    groups_j = np.array([case.group_id for case in cases])
    excess = []
    for number, case in enumerate(cases):
        others = np.flatnonzero(groups_j != case.group_id)
        nearest = np.argsort(np.abs(lengths_j[others] - lengths_j[number]), kind="stable")[:n_strangers]
        masks = masks_jb[[number, *others[nearest]]][:, case.frames_back_t]
        own_f, *strange_mf = cliffs_delta(case.values_tf, masks)
        excess.append(own_f - _mean_of_known(np.reshape(strange_mf, (-1, len(own_f)))))
    excess_jf = np.stack(excess)
    return np.where(np.abs(excess_jf) < _ROUNDING, 0.0, excess_jf)


def _lay_back(cases: Sequence[AttentionCase]) -> BoolArray:
    """Masks of top attention over frames before the event, (J, B)."""
    farthest = max(int(case.frames_back_t.max()) for case in cases) + 1
    masks_jb = np.zeros((len(cases), farthest), dtype=bool)
    for mask_b, case in zip(masks_jb, cases, strict=True):
        mask_b[case.frames_back_t[case.top_t]] = True
    return masks_jb


def _mean_of_known(values_mf: FloatArray) -> FloatArray:
    """Mean over rows without the NaN; NaN where all are."""
    known_mf = ~np.isnan(values_mf)
    mean_f: FloatArray = np.nansum(values_mf, axis=0) / np.where(known_mf.any(axis=0), known_mf.sum(axis=0), np.nan)
    return mean_f


def _test_excess(
    excess_j: FloatArray, groups_j: NDArray[np.object_], settings: AttentionStatisticsSettings
) -> tuple[float, float]:
    """Mean excess of a feature, and its two-sided p; both NaN under `min_swap_cells` cells."""
    known_j = ~np.isnan(excess_j)
    if known_j.sum() < settings.min_swap_cells:
        return np.nan, np.nan
    groups_n = number_groups(groups_j[known_j])
    n_groups = int(groups_n.max()) + 1
    counts_rg = draw_groups(n_groups, settings.n_bootstrap, [settings.seed, 1])
    mean_r = mean_by_group(excess_j[known_j], groups_n, counts_rg)
    return float(mean_r[0]), p_of_zero(mean_r, n_groups)
