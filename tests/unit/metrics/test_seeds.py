"""Scores over seeds by hand, who is held against whom, and what is said where seeds are few."""

import numpy as np
import pandas as pd
import pytest

from cellfate.core.errors import InputError
from cellfate.core.tables import SeedForecasts, SeedScores
from cellfate.metrics.scoring import score_forecasts
from cellfate.metrics.seeds import TWO_SEEDS, score_seeds
from cellfate.metrics.settings import ScoreSettings
from cellfate.statistics.bootstrap import draw_groups, mean_by_group
from cellfate.statistics.seeds import summarise_seeds
from tests.unit.metrics.tables import FIVE_H, FOLLOW_UP, fated, forecast, say_which, simulate_fates, simulate_hazards

FEW = ScoreSettings(n_resamples=300)
NONE = SeedForecasts.empty()


def of_seeds(*tables):
    """Table `SeedForecasts` of seeds 1, 2, ..."""
    return SeedForecasts.validate(pd.concat([table.assign(seed=1 + n) for n, table in enumerate(tables)]))


def score(forecasts, landmarks, classifier=NONE, clock=NONE, follow_up=FOLLOW_UP):
    return SeedScores.validate(score_seeds(forecasts, classifier, clock, landmarks, follow_up, FEW))


def row_of(table, metric, outcome="all", reference=None):
    own = table["reference"].isna() if reference is None else table["reference"] == reference
    (row,) = table[(table["metric"] == metric) & (table["outcome"] == outcome) & own].to_dict("records")
    return row


def test_by_hand_over_three_seeds():
    # Two groups alike. The first seed misses no apoptosis, the second one of four, the third two: recalls 1, .75, .5,
    # and all mitoses are right. Balanced accuracy 1, .875, .75; the mean .875, variance (.125^2 + .125^2) / 2.
    landmarks = fated(["apoptosis", "apoptosis", "mitosis"] * 2, groups=list("aaabbb"))
    missing = {0: [0.9, 0.9, 0.1] * 2, 1: [0.9, 0.9, 0.1, 0.9, 0.4, 0.1], 2: [0.9, 0.4, 0.1] * 2}
    kept, second, third = (say_which(landmarks, p) for p in missing.values())
    found = row_of(score(kept, landmarks, of_seeds(second, third)), "balanced_accuracy")
    assert (found["n_seeds"], found["kept"], found["mean"], found["sd"]) == pytest.approx((3, 1.0, 0.875, 0.125))
    # By group: a is .1, 1 and .75 right, b 1, .75 and .75; the mean over seeds resamples as that of its groups does.
    counts_rg = draw_groups(2, 300, FEW.seed)
    recalls_sr = np.stack(
        [
            mean_by_group(np.array(right, dtype=float), np.array([0, 0, 1, 1]), counts_rg)
            for right in ([1, 1, 1, 1], [1, 1, 1, 0], [1, 0, 1, 0])
        ]
    )
    expected = summarise_seeds((recalls_sr + 1) / 2, 0.95, 2)
    assert found["average_low"] == pytest.approx(expected.average_low)
    assert found["another_low"] == pytest.approx(max(0, expected.another_low))
    assert (found["average_high"], found["another_high"]) == (1.0, 1.0)  # no score is above 1
    assert pd.isna(found["reason"])


def test_the_kept_model_has_the_score_that_all_tables_have():
    landmarks, p = simulate_fates(n=200)
    noisy = [np.clip(p + np.random.default_rng(n).normal(0, 0.1, len(p)), 0.01, 0.99) for n in range(2)]
    kept = say_which(landmarks, p)
    table = score(kept, landmarks, of_seeds(*(say_which(landmarks, each) for each in noisy)))
    metrics = score_forecasts(kept, landmarks, FOLLOW_UP, FEW).query("condition == 'all'")
    both = table.merge(metrics, on=["metric", "outcome"], validate="one_to_one")
    assert len(both) == len(table) == 8
    np.testing.assert_array_equal(both["kept"], both["estimate"])
    widths = (table["another_high"] - table["another_low"]) / (table["average_high"] - table["average_low"])
    assert (widths[table["sd"] > 0] > 1).all()


def test_the_leading_predictor_is_held_against_the_best_reference_and_the_network_against_none():
    landmarks, truth = simulate_hazards()
    blurred = [truth + (0.2 - truth) * share for share in (0.1, 0.2, 0.3)]
    references = [forecast(landmarks, truth + (0.2 - truth) * 0.9, FOLLOW_UP, name) for name in ("boosting", "dose")]
    kept = [forecast(landmarks, blurred[0], FOLLOW_UP, name) for name in ("blend", "network")]
    clock = of_seeds(
        *(
            pd.concat([forecast(landmarks, each, FOLLOW_UP, name) for name in ("blend", "network")])
            for each in blurred[1:]
        )
    )
    table = score(pd.concat([*kept, *references]), landmarks, clock=clock)
    assert set(table["predictor"]) == {"blend", "network"}
    assert set(table.loc[table["reference"].notna(), "predictor"]) == {"blend"}
    assert set(table["within_h"]) == set(FOLLOW_UP.report_h)
    within = table[(table["predictor"] == "blend") & (table["within_h"] == 5.0)]
    own, held = (row_of(within, "brier", "mitosis", name) for name in (None, "boosting"))
    assert held["sd"] == pytest.approx(own["sd"])  # the reference is the same beside every seed
    assert held["mean"] - held["kept"] == pytest.approx(own["mean"] - own["kept"])
    assert held["mean"] < 0 < own["mean"]
    assert held["average_low"] < held["mean"] < held["average_high"]


def test_one_training_makes_no_rows_and_two_give_no_interval_and_say_why():
    landmarks, p = simulate_fates(n=120)
    kept = say_which(landmarks, p)
    assert score(kept, landmarks).empty
    table = score(kept, landmarks, of_seeds(say_which(landmarks, 1 - p)))
    assert (table["n_seeds"] == 2).all()
    assert (table["reason"] == TWO_SEEDS).all()
    assert table[["another_low", "another_high", "average_low", "average_high"]].isna().all(axis=None)
    assert row_of(table, "auroc", "apoptosis")["mean"] == pytest.approx(0.5)


def test_what_is_not_defined_says_why():
    landmarks = fated(["apoptosis"] * 6, groups=list("aabbcc"))
    same = say_which(landmarks, [0.9] * 6)
    table = score(same, landmarks, of_seeds(same, same))
    table = table[(table["metric"] != "brier") | (table["outcome"] != "all")]  # the squared distance to what came
    assert table[["mean", "another_low", "average_high"]].isna().all(axis=None)
    assert set(table["reason"]) == {"no landmark with mitosis", "every landmark with apoptosis"}
    one_group = fated(["apoptosis", "mitosis"], groups=["a", "a"])
    same = say_which(one_group, [0.9, 0.2])
    reasons = score(same, one_group, of_seeds(same, same))["reason"]
    assert set(reasons) == {"no interval: one group holds it all, or all of the outcome"}


def test_seeds_that_forecast_other_landmarks_are_refused():
    landmarks, truth = simulate_hazards()
    kept = forecast(landmarks, truth[:, [1]], FIVE_H)
    lacking = kept[kept["cell_id"] > 0]
    with pytest.raises(InputError, match="forecast different landmarks"):
        score(kept, landmarks, clock=of_seeds(lacking, lacking), follow_up=FIVE_H)
