"""Paired differences by hand, and the sum of a run."""

import json

import numpy as np
import pandas as pd
import pytest

from cellfate.core.errors import InputError
from cellfate.core.tables import Comparisons
from cellfate.metrics import BaselineSettings, ScoreSettings, compare_predictors, score_predictions, summarise_scores
from cellfate.metrics.comparisons import best_reference
from tests.unit.metrics.tables import make_predictions, make_samples, simulate

FEW = ScoreSettings(n_resamples=300)


def _row(table, metric, reference):
    return table[(table["metric"] == metric) & (table["reference"] == reference)].iloc[0]


def test_a_predictor_minus_itself_is_zero_in_every_resample():
    samples, p = simulate(n=120)
    table = compare_predictors(
        make_predictions(samples, p), make_predictions(samples, p, predictor="dose"), samples, FEW
    )
    assert (Comparisons.validate(table)[["difference", "low", "high"]] == 0).all(axis=None)


def test_pairing_by_hand():
    # Two groups alike in the model; the reference misses one of two apoptoses of group b only. Resamples draw a twice,
    # both, or b twice (chances 1/4, 1/2, 1/4), where recall of apoptosis differs by 0, 1/4, 1/2 and balanced accuracy
    # by half of that.
    samples = make_samples(["apoptosis", "apoptosis", "mitosis"] * 2, groups=list("aaabbb"))
    model = make_predictions(samples, [0.9, 0.8, 0.1] * 2)
    reference = make_predictions(samples, [0.9, 0.8, 0.1, 0.9, 0.4, 0.1], predictor="dose")
    table = compare_predictors(model, reference, samples, FEW)
    row = _row(table, "balanced_accuracy", "dose")
    assert (row["difference"], row["low"], row["high"]) == pytest.approx((0.125, 0.0, 0.25))
    assert (row["n_samples"], row["n_groups"]) == (6, 2)


def test_paired_intervals_are_narrower_than_the_spread_of_both_suggests():
    samples, p = simulate(n=600, group_spread=1.5)
    weaker = np.clip(p + np.random.default_rng(1).normal(0, 0.05, len(p)), 0.01, 0.99)
    model, reference = make_predictions(samples, p), make_predictions(samples, weaker, predictor="dose")
    difference = _row(compare_predictors(model, reference, samples, FEW), "auroc", "dose")
    alone = score_predictions(model, reference, samples, FEW)
    alone = alone[(alone["metric"] == "auroc") & (alone["condition"] == "all")]
    assert difference["difference"] == pytest.approx(-np.diff(alone["estimate"])[0])
    assert difference["high"] - difference["low"] < 0.5 * (alone["high"] - alone["low"]).mean()


def test_the_best_trivial_baseline_is_marked_for_each_metric():
    samples, p = simulate()
    rng = np.random.default_rng(0)
    references = {"dose": rng.random(len(p)), "track_length": 0.3 * rng.random(len(p)) + 0.7 * p, "handcrafted": p}
    tables = [make_predictions(samples, q, predictor=name) for name, q in references.items()]
    table = compare_predictors(make_predictions(samples, p), pd.concat(tables), samples, FEW)
    best = table[table["best_trivial"]]
    assert best["reference"].tolist() == ["track_length"] * 4  # the handcrafted features are not trivial
    assert best["metric"].tolist() == ["balanced_accuracy", "auroc", "average_precision", "brier"]
    assert table.loc[table["metric"] == "average_precision", "outcome"].unique().tolist() == ["apoptosis"]


def test_lower_is_better_for_losses():
    assert best_reference("brier", {"dose": 0.4, "track_length": 0.5}) == "dose"
    assert best_reference("auroc", {"dose": 0.4, "track_length": 0.5, "handcrafted": 0.9}) == "track_length"
    assert best_reference("auroc", {"handcrafted": 0.9, "dose": np.nan}) is None


def test_different_samples_are_refused():
    samples, p = simulate(n=40)
    fewer = make_predictions(samples, p, predictor="dose").iloc[1:]
    with pytest.raises(InputError, match="'s00000' is one of 1"):
        compare_predictors(make_predictions(samples, p), fewer, samples, FEW)


def test_without_baselines_there_is_nothing_to_compare():
    samples, p = simulate(n=40)
    model = make_predictions(samples, p)
    assert Comparisons.validate(compare_predictors(model, model.iloc[:0], samples, FEW)).empty


def test_the_sum_of_a_run_is_plain_json_with_its_settings():
    samples, p = simulate()
    model, reference = make_predictions(samples, p), make_predictions(samples, 1 - p, predictor="dose")
    metrics = score_predictions(model, reference, samples, FEW)
    comparisons = compare_predictors(model, reference, samples, FEW)
    found = json.loads(json.dumps(summarise_scores(metrics, comparisons, FEW, BaselineSettings()), allow_nan=False))
    assert set(found["scores"]) == {"cellfate", "dose"}
    assert len(found["scores"]["cellfate"]["recall_apoptosis"]) == 3
    assert found["n_samples"] == 400
    assert found["over_best_trivial"]["auroc"]["reference"] == "dose"
    assert found["settings"]["scores"]["n_resamples"] == 300
