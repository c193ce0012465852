"""One table of what every attribution method is worth here: method by score."""

from typing import Final

import numpy as np
import pandas as pd

from cellfate.attribution.methods import ATTENTION, COMPARED, ROLLOUT, TIMING
from cellfate.attribution.settings import ExplanationSettings
from cellfate.core.tables import AttributionScores
from cellfate.statistics.bootstrap import summarise_group_means

HIGHER: Final = "higher"
LOWER: Final = "lower"
RANDOMISED: Final = "randomised_weights"
PERMUTED: Final = "label_permuted"
RETRAINED: Final = "retrained"
OVER_PERMUTED: Final = "retrained_over_permuted"
CHANCE: Final = "randomised_chance"
SEEDS: Final = "seed_stability"
ERROR: Final = "monte_carlo_error"
SIZE: Final = "value_size"
TRAINED: Final = (PERMUTED, RETRAINED, OVER_PERMUTED)
"""Scores that take models of comparison trainings."""
FAITHFUL: Final = {
    "deletion_gain": ("logit", HIGHER),
    "insertion_gain": ("logit", HIGHER),
    "deletion_over_shared": ("logit", HIGHER),
    "insertion_over_shared": ("logit", HIGHER),
    "deletion_over_matched": ("logit", HIGHER),
    "insertion_over_matched": ("logit", HIGHER),
    "deletion_over_mean": ("logit", HIGHER),
    "insertion_over_mean": ("logit", HIGHER),
    "over_reverse": ("logit", HIGHER),
    "cumulative_deletion": ("logit", HIGHER),
    "cumulative_preservation": ("logit", HIGHER),
    "alike_in_cells": ("correlation", LOWER),
    RANDOMISED: ("correlation", LOWER),
    CHANCE: ("correlation", LOWER),
    PERMUTED: ("correlation", LOWER),
    RETRAINED: ("correlation", HIGHER),
    OVER_PERMUTED: ("correlation", HIGHER),
    SEEDS: ("correlation", HIGHER),
    ERROR: ("logit", LOWER),
    SIZE: ("logit", HIGHER),
    "agreement": ("correlation", HIGHER),
}
"""Scores that need no truth: unit, and in which direction they are good."""
PLANTED: Final = {
    "window_auroc": ("auroc", HIGHER),
    "window_precision": ("share", HIGHER),
    "channel_hit": ("share", HIGHER),
}
"""Scores against what was planted in a simulation."""
NOT_TRAINED: Final = "no such model was trained: run pipeline comparison_trainings"
_NOT_NETWORK: Final = "the method does not explain the network"
_NO_SEED: Final = "the method draws nothing by chance"
_NO_PATHS: Final = "paths are not integrated again: a gradient at every step, landmark and network costs too much"
_NOBODY: Final = "no cell was explained"
_NO_ATTENTION: Final = "the model has no attention"
_ABSENT: Final = "the method was not applied"
_UNDEFINED: Final = "not defined in any cell"
_AGAIN: Final = (RANDOMISED, CHANCE, *TRAINED, SEEDS, ERROR, SIZE)
"""Scores that take values to be computed again."""
_KEYS: Final = ["method", "score"]


def score_attributions(
    faithfulness_cells: pd.DataFrame,
    agreement_cells: pd.DataFrame,
    sanity_cells: pd.DataFrame,
    explanation: ExplanationSettings,
) -> pd.DataFrame:
    """Average the scores that need no truth over cells.

    Parameters
    ----------
    faithfulness_cells, agreement_cells, sanity_cells
        Tables `AttributionCells` from `faithfulness.trace_faithfulness`, `agreement.compare_methods` and
        `sanity.check_sanity`.
    explanation
        Resamples, coverage, seed.

    Returns
    -------
    pandas.DataFrame
        Table `AttributionScores`, one row a method of `methods.COMPARED` and score, also where there is no value: then
        `reason` says why, and `n_failed` counts the cells that other methods were scored in. Scores of comparison
        trainings have none; `add_training_scores` fills them in.
    """
    tables = [table for table in (faithfulness_cells, agreement_cells, sanity_cells) if len(table)]
    return _tabulate(pd.concat(tables or [faithfulness_cells], ignore_index=True), FAITHFUL, explanation)


def add_training_scores(
    attribution_scores: pd.DataFrame, training_cells: pd.DataFrame, explanation: ExplanationSettings
) -> pd.DataFrame:
    """Put the scores of comparison trainings, from `sanity.compare_trainings`, in the place of their empty rows."""
    if training_cells.empty:
        return attribution_scores
    table = _tabulate(training_cells, {name: FAITHFUL[name] for name in TRAINED}, explanation)
    order = pd.MultiIndex.from_frame(attribution_scores[_KEYS])
    others = attribution_scores[~attribution_scores["score"].isin(TRAINED)]
    whole = pd.concat([others, table]).set_index(_KEYS).loc[order].reset_index()
    return AttributionScores.validate(whole[list(attribution_scores.columns)])


def add_planted_scores(
    attribution_scores: pd.DataFrame, planted_cells: pd.DataFrame, explanation: ExplanationSettings
) -> pd.DataFrame:
    """Add the scores against what was planted, from `known_answer.score_planted`, to the others."""
    table = _tabulate(planted_cells, PLANTED, explanation)
    return AttributionScores.validate(pd.concat([attribution_scores, table], ignore_index=True))


def average_cells(cells: pd.DataFrame, keys: list[str], explanation: ExplanationSettings) -> pd.DataFrame:
    """Average a value over cells, with an interval that draws whole groups.

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
    rows = []
    for key, part in cells.groupby(keys, sort=False):
        known = part[part["value"].notna()]
        groups_n = pd.factorize(known["group_id"])[0].astype(np.int64)
        values_n = known["value"].to_numpy(dtype=np.float64)
        resampling = (explanation.n_bootstrap, explanation.confidence, [explanation.seed, 4])
        rows.append((*key, *summarise_group_means(values_n, groups_n, *resampling), len(known), len(part) - len(known)))
    return pd.DataFrame(rows, columns=[*keys, "value", "low", "high", "n_cells", "n_failed"])


def _tabulate(
    cells: pd.DataFrame, scores: dict[str, tuple[str, str]], explanation: ExplanationSettings
) -> pd.DataFrame:
    """Average over cells, and give every method and score a row."""
    means = average_cells(cells, _KEYS, explanation).set_index(_KEYS)
    index = pd.MultiIndex.from_product([list(COMPARED), list(scores)], names=_KEYS)
    table = means.reindex(index).reset_index()
    asked = table["score"].map(cells.groupby("score")["landmark_id"].nunique())
    table["n_failed"] = table["n_failed"].fillna(asked).fillna(0).astype(int)
    groups = cells.dropna(subset=["value"]).groupby(_KEYS)["group_id"].nunique()
    table["n_groups"] = groups.reindex(index, fill_value=0).to_numpy()
    table["n_cells"] = table["n_cells"].fillna(0).astype(int)
    known, tried, present = _reasons(cells), set(means.index), set(cells["method"])
    reasons = [
        None
        if pd.notna(value)
        else known.get(key) or (_UNDEFINED if key in tried else _reason_against(key[0], key[1], present))
        for key, value in zip(index, table["value"], strict=True)
    ]
    units, better = zip(*(scores[name] for name in table["score"]), strict=True)
    return AttributionScores.validate(table.assign(unit=units, better=better, reason=pd.Series(reasons, dtype=object)))


def _reasons(cells: pd.DataFrame) -> dict[tuple[str, str], str]:
    """Commonest reason given in the cells of a method and score."""
    if "reason" not in cells:
        return {}
    given = cells.dropna(subset=["reason"])
    commonest = given.groupby(_KEYS, as_index=False)["reason"].agg(lambda reasons: reasons.mode().iloc[0])
    return {(row.method, row.score): row.reason for row in commonest.itertuples()}


def _reason_against(method: str, score: str, present: set[str]) -> str:
    """Say why a method was not scored; `present` are the methods that were, by some score."""
    if not present:
        return _NOBODY
    if method in (ATTENTION, ROLLOUT) and method not in present:
        return _NO_ATTENTION
    if method == TIMING and score in _AGAIN:
        return _NO_PATHS
    if score in (SEEDS, ERROR, SIZE):
        return _NO_SEED
    if not COMPARED[method].of_network:
        return _NOT_NETWORK
    return NOT_TRAINED if score in TRAINED else _ABSENT
