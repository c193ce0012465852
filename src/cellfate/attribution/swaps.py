"""A valid test of attention statistics: masks swapped between cells.

Neighbouring frames of a cell are alike, so permuting frames is no fair null. Here the attention mask of one cell is
laid on another cell of the same outcome, dose and like length, aligned at the event: if attention only followed the
clock, it would fit a stranger as well as its own cell. Shape suffixes: t frames of a sample, f features, j cells of a
stratum, r swaps.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cellfate.attribution.settings import AttentionStatisticsSettings
from cellfate.attribution.statistics import AttentionCase, reason_against, two_sided_p
from cellfate.statistics.effect_sizes import cliffs_delta

FloatArray = NDArray[np.float64]
ALL_DOSES = "all"


def swap_masks(
    cases: Sequence[AttentionCase], features: tuple[str, ...], settings: AttentionStatisticsSettings
) -> pd.DataFrame:
    """Test the median Cliff's delta of every outcome, dose and feature against masks of other cells.

    Parameters
    ----------
    cases
        Samples, from `statistics.gather_cases`.
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
    rows: list[dict[str, object]] = []
    for outcome in sorted({case.outcome for case in usable}):
        of_outcome = [case for case in usable if case.outcome == outcome]
        observed_by_dose, null_by_dose = {}, {}
        for dose in sorted({case.dose for case in of_outcome}):
            of_dose = [case for case in of_outcome if case.dose == dose]
            observed_by_dose[dose], null_by_dose[dose] = _swap_within(of_dose, settings, generator)
        observed_by_dose[ALL_DOSES] = np.concatenate(list(observed_by_dose.values()))
        null_by_dose[ALL_DOSES] = np.concatenate(list(null_by_dose.values()), axis=1)
        for dose, observed_jf in observed_by_dose.items():
            p_values = _p_of_medians(observed_jf, null_by_dose[dose], settings.min_swap_cells)
            rows += [
                {"outcome": outcome, "dose": dose, "feature": feature, "p_swap": p}
                for feature, p in zip(features, p_values, strict=True)
            ]
    return pd.DataFrame(rows, columns=["outcome", "dose", "feature", "p_swap"])


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
