"""Paired differences of incidence scores."""

import numpy as np
import pandas as pd
import pytest

from cellfate.core.errors import InputError
from cellfate.core.tables import IncidenceComparisons
from cellfate.metrics import ScoreSettings
from cellfate.metrics.incidence_comparisons import compare_incidence
from cellfate.metrics.incidence_scoring import score_incidence
from tests.unit.metrics.incidence_tables import FIVE_H, FOLLOW_UP, forecast, list_landmarks, simulate

FEW = ScoreSettings(n_resamples=200)


def _models(landmarks, truth):
    """Ensemble and clock, and two references; those further on know less."""
    noise = np.random.default_rng(1).uniform(0.5, 1.5, truth.shape)
    models = pd.concat([forecast(landmarks, truth * noise / 2), forecast(landmarks, truth, predictor="ensemble")])
    references = [("track_age", np.full(truth.shape, 0.1)), ("handcrafted_and_age", truth[::-1])]
    return models, pd.concat([forecast(landmarks, values, predictor=name) for name, values in references])


def test_both_models_are_compared_with_every_reference_and_with_each_other():
    landmarks, truth = simulate()
    models, references = _models(landmarks, truth)
    table = IncidenceComparisons.validate(compare_incidence(models, references, landmarks, FOLLOW_UP, FEW))
    pairs = set(zip(table["predictor"], table["reference"], strict=True))
    expected = {(model, name) for model in ("ensemble", "clock") for name in ("track_age", "handcrafted_and_age")}
    assert pairs == expected | {("ensemble", "clock")}
    assert len(table) == 5 * 3 * 2 * 3
    with pytest.warns(UserWarning, match="calibration_slope"):  # of the constant
        scores = score_incidence(models, references, landmarks, FOLLOW_UP, FEW)
    estimates = scores[scores["condition"] == "all"].set_index(["predictor", "metric", "outcome", "within_h"])
    for row in table.itertuples():
        of = [
            estimates["estimate"][name, row.metric, row.outcome, row.within_h]
            for name in (row.predictor, row.reference)
        ]
        assert row.difference == pytest.approx(of[0] - of[1], abs=1e-12)
        assert row.low <= row.high
        assert row.n_samples == estimates["n_samples"][row.predictor, row.metric, row.outcome, row.within_h]
    better = table[(table["reference"] == "track_age") & (table["predictor"] == "ensemble")]
    assert (better[better["metric"] == "auroc"]["low"] > 0).all()
    assert (better[(better["metric"] == "brier") & (better["within_h"] > 2)]["high"] < 0).all()


def test_differences_are_paired():
    # The same forecasts under two names differ by nothing in every resample.
    landmarks, truth = simulate()
    table = compare_incidence(
        forecast(landmarks, truth), forecast(landmarks, truth, predictor="dose"), landmarks, FOLLOW_UP, FEW
    )
    assert (table[["difference", "low", "high"]] == 0).all(axis=None)


def test_predictors_of_different_landmarks_are_refused():
    landmarks, truth = simulate(n=40)
    fewer = forecast(landmarks.iloc[1:], truth[1:], predictor="dose")
    with pytest.raises(InputError, match=r"'dose' and 'clock' forecast different landmarks \('r0:0:0' is one of 1\)"):
        compare_incidence(forecast(landmarks, truth), fewer, landmarks, FOLLOW_UP, FEW)


def test_without_references_or_events_there_is_little_to_say():
    landmarks, truth = simulate(n=40)
    clock = forecast(landmarks, truth)
    assert IncidenceComparisons.validate(compare_incidence(clock, clock.iloc[:0], landmarks, FOLLOW_UP, FEW)).empty
    short = list_landmarks([1, 2], ["mitosis", "censored"], [0, 1], watchable_h=3.0)
    p = np.full((2, 1, 2), 0.2)
    table = compare_incidence(
        forecast(short, p, FIVE_H), forecast(short, p, FIVE_H, predictor="dose"), short, FIVE_H, FEW
    )
    assert table["difference"].isna().all()
    assert (table["n_samples"] == 0).all()
