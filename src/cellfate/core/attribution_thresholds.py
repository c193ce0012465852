"""What a score of an attribution must reach: figures colour by it, the report gives its two verdicts by it."""

from typing import Final

import pandas as pd

from cellfate.core.words import METHOD_SCORES

FOUND_AUROC: Final = 0.8
"""Least area over frames at which planted hours count as found."""
CHANGED_CORRELATION: Final = 0.5
"""Rank correlation with the trained model's values under which random networks have changed an attribution."""
SMALL_ERROR: Final = 0.25
"""Largest Monte Carlo standard error of the values of a cell, beside their root mean square: a sixteenth of their
squares is then chance."""
LEAST_GAIN: Final = 0.02
"""Least gain in logits over other orders: a smaller one moves no probability by more than half a percent, and where a
forecast hardly differs from cell to cell thousandths can lie above 0 beyond their interval."""

FEW_EXPLAINED: Final = 10
"""Groups of explained cells under which nothing is said of them on the mean. A score of an attribution is a mean over
cells; from 10 groups on, 91 to 95 % of the intervals of such a mean hold it (`tests/unit/statistics`)."""

OVER_RANDOM: Final = ("deletion_gain", "insertion_gain", "deletion_over_shared", "insertion_over_shared")
"""Scores above 0 where an order is better than random ones: needed for a verdict about the model."""
OVER_OTHERS: Final = ("deletion_over_matched", "insertion_over_matched", "deletion_over_mean", "insertion_over_mean")
"""Scores above 0 where an order is better than those of other cells: needed for a verdict about this cell."""
COMPARED: Final = (*OVER_RANDOM, *OVER_OTHERS, "retrained_over_permuted")
"""Scores that say that one thing is better than another, by the lower bound of their interval, and of orders by
`LEAST_GAIN` too: nothing is said of them under `FEW_EXPLAINED` groups."""
ABOUT_MODEL: Final = (*OVER_RANDOM, "randomised_weights", "retrained_over_permuted", "window_auroc")
"""Scores that the verdict about the model rests on."""
ABOUT_CELL: Final = (*OVER_OTHERS, "monte_carlo_error")
"""Scores that the verdict about this cell rests on, beside the other verdict."""


def check_scores(scores: pd.DataFrame) -> dict[str, bool]:
    """Tell of the scores of one method, rows of `AttributionScores`, that have a threshold and a value who passes.

    Those of `COMPARED` are left out where cells of fewer than `FEW_EXPLAINED` groups were explained.
    """
    table = scores.set_index("score")[["value", "low"]].astype(float)
    value, low = (table[name].reindex(list(METHOD_SCORES)) for name in ("value", "low"))
    passed = {
        **{score: low[score] > 0 and value[score] >= LEAST_GAIN for score in (*OVER_RANDOM, *OVER_OTHERS)},
        "retrained_over_permuted": low["retrained_over_permuted"] > 0,
        "randomised_weights": value["randomised_weights"] < CHANGED_CORRELATION,
        "monte_carlo_error": value["monte_carlo_error"] <= SMALL_ERROR * value["value_size"],
        "window_auroc": value["window_auroc"] >= FOUND_AUROC,
    }
    few = set(scores.loc[scores["n_groups"] < FEW_EXPLAINED, "score"]) & set(COMPARED)
    return {score: bool(passes) for score, passes in passed.items() if pd.notna(value[score]) and score not in few}
