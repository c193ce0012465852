"""Small tables of explanations and their scores, made by hand."""

import numpy as np
import pandas as pd

from cellfate.attribution.methods import COMPARED
from cellfate.attribution.scoring import FAITHFUL, PLANTED
from cellfate.core.predictors import CLASSIFIER, ON_OTHER_BACKGROUND

GOOD = {
    "deletion_gain": (1.5, 1.2, 1.8),
    "insertion_gain": (0.9, 0.5, 1.2),
    "deletion_over_shared": (1.0, 0.8, 1.2),
    "insertion_over_shared": (0.6, 0.4, 0.8),
    "deletion_over_matched": (0.5, 0.3, 0.7),
    "insertion_over_matched": (0.4, 0.2, 0.6),
    "deletion_over_mean": (0.3, 0.1, 0.5),
    "insertion_over_mean": (0.2, 0.1, 0.3),
    "over_reverse": (2.4, 2.0, 2.8),
    "cumulative_deletion": (0.8, 0.6, 1.0),
    "cumulative_preservation": (0.5, 0.4, 0.6),
    "alike_in_cells": (0.6, 0.5, 0.7),
    "randomised_weights": (0.1, -0.1, 0.3),
    "randomised_chance": (0.2, 0.1, 0.3),
    "label_permuted": (0.2, 0.0, 0.4),
    "retrained": (0.7, 0.6, 0.8),
    "retrained_over_permuted": (0.5, 0.3, 0.7),
    "seed_stability": (0.9, 0.8, 0.95),
    "monte_carlo_error": (0.1, 0.08, 0.12),
    "value_size": (0.8, 0.7, 0.9),
    "agreement": (0.5, 0.4, 0.6),
    "window_auroc": (0.9, 0.85, 0.95),
    "window_precision": (0.8, 0.7, 0.9),
    "channel_hit": (0.95, 0.9, 1.0),
}


def attribution_scores(**changes: dict[str, tuple[float, float, float]]) -> pd.DataFrame:
    """Table `AttributionScores` in which every method is good at everything, but for the changes by method."""
    rows = []
    for method in COMPARED:
        of_method = {**GOOD, **changes.get(method, {})}
        for score, (unit, better) in {**FAITHFUL, **PLANTED}.items():
            value, low, high = of_method[score]
            rows.append(
                {
                    "method": method,
                    "score": score,
                    "value": value,
                    "low": low,
                    "high": high,
                    "unit": unit,
                    "better": better,
                    "n_cells": 30,
                    "n_groups": 20,
                    "n_failed": 0,
                    "reason": "not for this method" if np.isnan(value) else None,
                }
            )
    return pd.DataFrame(rows)


def background_swap() -> pd.DataFrame:
    """Table `Metrics` before and after the surroundings are swapped."""
    predictors = {CLASSIFIER: 0.9, ON_OTHER_BACKGROUND: 0.55}
    return pd.DataFrame(
        [
            {
                "predictor": name,
                "within_h": np.nan,
                "metric": metric,
                "outcome": "all",
                "condition": "all",
                "estimate": value,
                "low": value - 0.1,
                "high": value + 0.1,
                "n_cells": 20,
                "n_landmarks": 20,
                "n_events": 20,
                "n_groups": 5,
                "n_event_groups": 5,
                "reason": None,
            }
            for name, value in predictors.items()
            for metric in ("balanced_accuracy", "auroc")
        ]
    )


def shapley_values() -> pd.DataFrame:
    """Shapley values at one landmark: p53 in the last but one window has nearly all."""
    return pd.DataFrame(
        {
            "landmark_id": "a:1:7",
            "method": "shapley",
            "window_first_frame": [0, 0, 4, 4],
            "window_last_frame": [3, 3, 7, 7],
            "channel": ["circadian", "p53"] * 2,
            "value": [0.1, 0.7, -0.1, 0.1],
            "unit": "logit",
            "windows_back": [1, 1, 0, 0],
            "window_h": 2.0,
        }
    )


def tree_shapley_values() -> pd.DataFrame:
    """Values of a boosting: the area has three quarters of their size."""
    values = shapley_values().head(2)
    return values.assign(
        method="tree_shapley", channel=["shape", "p53"], feature=["area", "intensity_p53"], value=[-0.3, 0.1],
        boosting_auroc=0.8,
    )  # fmt: skip
