"""One table of what every attribution method is worth here: method by score."""

from typing import Final

import pandas as pd

from cellfate.attribution.intervals import summarise_means
from cellfate.attribution.methods import ATTENTION, COMPARED, ROLLOUT
from cellfate.attribution.settings import ExplanationSettings
from cellfate.core.tables import AttributionScores

HIGHER: Final = "higher"
LOWER: Final = "lower"
FAITHFUL: Final = {
    "deletion_gain": ("logit", HIGHER),
    "insertion_gain": ("logit", HIGHER),
    "over_reverse": ("logit", HIGHER),
    "randomised_weights": ("correlation", LOWER),
    "label_permuted": ("correlation", LOWER),
    "retrained": ("correlation", HIGHER),
    "seed_stability": ("correlation", HIGHER),
    "agreement": ("correlation", HIGHER),
}
"""Scores that need no truth: unit, and in which direction they are good."""
PLANTED: Final = {
    "window_auroc": ("auroc", HIGHER),
    "window_precision": ("share", HIGHER),
    "channel_hit": ("share", HIGHER),
}
"""Scores against what was planted in a simulation."""
_NOT_NETWORK: Final = "the method does not explain the network"
_NO_SEED: Final = "the method draws nothing by chance"
_NOBODY: Final = "no cell was explained"
_NO_ATTENTION: Final = "the model has no attention"
_ABSENT: Final = "the method was not applied"
_UNDEFINED: Final = "not defined in any cell"


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
        sample_id, group_id, method, score, value, from `faithfulness.trace_faithfulness`, `agreement.compare_methods`
        and `sanity.check_sanity`.
    explanation
        Resamples, coverage, seed.

    Returns
    -------
    pandas.DataFrame
        Table `AttributionScores`, one row a method of `methods.COMPARED` and score, also where there is no value: then
        `reason` says why, and `n_failed` counts the cells that other methods were scored in.
    """
    cells = pd.concat([faithfulness_cells, agreement_cells, sanity_cells], ignore_index=True)
    return _tabulate(cells, FAITHFUL, explanation)


def add_planted_scores(
    attribution_scores: pd.DataFrame, planted_cells: pd.DataFrame, explanation: ExplanationSettings
) -> pd.DataFrame:
    """Add the scores against what was planted, from `known_answer.score_planted`, to the others."""
    table = _tabulate(planted_cells, PLANTED, explanation)
    return AttributionScores.validate(pd.concat([attribution_scores, table], ignore_index=True))


def _tabulate(
    cells: pd.DataFrame, scores: dict[str, tuple[str, str]], explanation: ExplanationSettings
) -> pd.DataFrame:
    """Average over cells, and give every method and score a row."""
    means = summarise_means(cells, ["method", "score"], explanation).set_index(["method", "score"])
    index = pd.MultiIndex.from_product([list(COMPARED), list(scores)], names=["method", "score"])
    table = means.reindex(index).reset_index()
    asked = table["score"].map(cells.groupby("score")["sample_id"].nunique())
    table["n_failed"] = table["n_failed"].fillna(asked).fillna(0).astype(int)
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
    commonest = given.groupby(["method", "score"], as_index=False)["reason"].agg(lambda reasons: reasons.mode().iloc[0])
    return {(row.method, row.score): row.reason for row in commonest.itertuples()}


def _reason_against(method: str, score: str, present: set[str]) -> str:
    """Say why a method was not scored; `present` are the methods that were, by some score."""
    if not present:
        return _NOBODY
    if method in (ATTENTION, ROLLOUT) and method not in present:
        return _NO_ATTENTION
    if score == "seed_stability":
        return _NO_SEED
    return _ABSENT if COMPARED[method].of_network else _NOT_NETWORK
