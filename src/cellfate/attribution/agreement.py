"""Agreement: whether two methods put the parts of what is shown into the same order."""

from itertools import combinations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cellfate.attribution.gathering import towards_forecast
from cellfate.attribution.methods import COMPARED
from cellfate.attribution.random_networks import is_constant
from cellfate.attribution.scoring import average_cells
from cellfate.attribution.settings import ExplanationSettings
from cellfate.core.tables import AttributionAgreement, AttributionCells
from cellfate.statistics.effect_sizes import rank_correlation


def compare_methods(attributions: pd.DataFrame, explanation: ExplanationSettings) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Rank correlation of every two methods over the parts at each landmark.

    Two methods of the network that tell channels apart are compared over windows and channels, others over windows. A
    value counts by how much it speaks for what was forecast; shares of attention count as they are.

    Parameters
    ----------
    attributions
        Table of `gathering.gather_attributions`.
    explanation
        Resamples, coverage, seed.

    Returns
    -------
    cells : pandas.DataFrame
        Table `AttributionCells`, score `agreement`: mean correlation with all other methods.
    table : pandas.DataFrame
        Table `AttributionAgreement`, each pair once.
    """
    values = attributions.assign(value=towards_forecast(attributions))
    present = [name for name in COMPARED if (values["method"] == name).any()]
    compared = [_compare(values, one, other) for one, other in combinations(present, 2)]
    if not compared:
        return AttributionCells.empty(), AttributionAgreement.empty()
    pairs = pd.concat(compared, ignore_index=True)
    means = average_cells(pairs, ["method", "other"], explanation).rename(columns={"value": "rank_correlation"})
    both = pd.concat([pairs, pairs.rename(columns={"method": "other", "other": "method"})])
    cells = both.groupby(["landmark_id", "group_id", "method"], sort=False, as_index=False)["value"].mean()
    return cells.assign(score="agreement"), AttributionAgreement.validate(means.drop(columns="n_failed"))


def _compare(values: pd.DataFrame, one: str, other: str) -> pd.DataFrame:
    """Correlate two methods at every landmark."""
    by_channel = COMPARED[one].by_image_channel and COMPARED[other].by_image_channel
    parts = ["windows_back", "channel"] if by_channel else ["windows_back"]
    first, second = (values[values["method"] == name] for name in (one, other))
    return correlate_parts(first, second, parts).assign(method=one, other=other)


def correlate_parts(first: pd.DataFrame, second: pd.DataFrame, parts: list[str]) -> pd.DataFrame:
    """Spearman's rank correlation of the values of two methods at each landmark: landmark_id, group_id, value.

    `parts` are the columns that tell the parts apart; values are summed over what they do not tell apart. NaN where
    either method gives all parts the same, but for what is rounded off, or with fewer than three parts.
    """
    keys = ["landmark_id", "group_id"]
    sums = [table.groupby([*keys, *parts], sort=False)["value"].sum() for table in (first, second)]
    both = pd.concat(sums, axis=1, join="inner")
    rows = [(*key, _correlate(*part.to_numpy(np.float64).T)) for key, part in both.groupby(keys, sort=False)]
    return pd.DataFrame(rows, columns=[*keys, "value"])


def _correlate(first_p: NDArray[np.float64], second_p: NDArray[np.float64]) -> float:
    unordered = is_constant(first_p) or is_constant(second_p)
    return float("nan") if unordered else rank_correlation(first_p, second_p)
