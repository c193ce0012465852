"""What a score of an attribution must reach: figures colour by it, the report names what passes."""

from typing import Final

import pandas as pd

from cellfate.core.words import METHOD_SCORES

FOUND_AUROC: Final = 0.8
"""Least area over frames at which planted hours count as found."""
CHANGED_CORRELATION: Final = 0.5
"""Rank correlation with the trained model's values under which randomised weights have changed an attribution."""

FEW_EXPLAINED: Final = 10
"""Groups of explained cells under which nothing is said of them on the mean. A score of an attribution is a mean over
cells; from 10 groups on, 91 to 95 % of the intervals of such a mean hold it (`tests/unit/statistics`)."""

COMPARED: Final = ("deletion_gain", "insertion_gain", "label_permuted")
"""Scores that say that one thing is better than another: nothing is said of them under `FEW_EXPLAINED` groups."""


def check_scores(scores: pd.DataFrame) -> dict[str, bool]:
    """Tell of the scores of one method, rows of `AttributionScores`, that have a threshold and a value who passes.

    Those of `COMPARED` are left out where cells of fewer than `FEW_EXPLAINED` groups were explained.
    """
    table = scores.set_index("score")[["value", "low"]].astype(float)
    value, low = (table[name].reindex(list(METHOD_SCORES)) for name in ("value", "low"))
    passed = {
        "deletion_gain": low["deletion_gain"] > 0,
        "insertion_gain": low["insertion_gain"] > 0,
        "randomised_weights": value["randomised_weights"] < CHANGED_CORRELATION,
        "label_permuted": value["label_permuted"] < value["retrained"],
        "window_auroc": value["window_auroc"] >= FOUND_AUROC,
    }
    value["label_permuted"] += 0 * value["retrained"]  # not known without the model trained again
    few = set(scores.loc[scores["n_groups"] < FEW_EXPLAINED, "score"]) & set(COMPARED)
    return {score: bool(passes) for score, passes in passed.items() if pd.notna(value[score]) and score not in few}
