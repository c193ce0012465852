"""Confusion tables by hand, operating curves against scikit-learn."""

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics as reference

from cellfate.core.tables import Confusion, OperatingCurves
from cellfate.metrics.confusion import count_confusions
from cellfate.metrics.curves import trace_curves
from cellfate.metrics.forecasts import read_forecasts
from tests.unit.metrics.tables import FIVE_H, fated, forecast, say_which, simulate_fates, simulate_hazards, watched


def test_confusion_counts_by_hand():
    landmarks = fated(["apoptosis", "apoptosis", "mitosis", "mitosis", "mitosis"])
    table = Confusion.validate(count_confusions(say_which(landmarks, [0.9, 0.4, 0.1, 0.2, 0.7]), landmarks, FIVE_H))
    assert table["n_landmarks"].tolist() == [1, 1, 1, 2]
    assert table["share"].tolist() == pytest.approx([1 / 2, 1 / 2, 1 / 3, 2 / 3])
    assert set(table["threshold"]) == {"headline"}


def test_confusion_at_the_tuned_threshold_is_of_which_fate_only():
    landmarks, p = simulate_fates(n=60)
    squeezed = [say_which(landmarks, p / 10, part=part) for part in ("validation", "test")]
    within = forecast(landmarks.assign(regular=True), np.full((60, 1, 2), 0.2), FIVE_H)
    table = count_confusions(pd.concat([*squeezed, within]), landmarks.assign(regular=True), FIVE_H)
    called = table.pivot_table(index="threshold", columns="call", values="n_landmarks", aggfunc="sum")
    assert called.loc["headline"].tolist() == [0, 60]
    assert called.loc["tuned", "apoptosis"] > 10
    assert set(table["predictor"]) == {"classifier"}


def test_operating_curves_agree_with_scikit_learn():
    landmarks, p = simulate_fates()
    p = np.round(p, 2)
    table = OperatingCurves.validate(trace_curves(say_which(landmarks, p), landmarks, FIVE_H))
    curve = table[table["outcome"] == "apoptosis"]
    _assert_equal_to_scikit_learn(curve, landmarks["fate"] == "apoptosis", p, np.ones(len(p)))


def test_operating_curves_within_hours_weigh_landmarks():
    landmarks, truth = simulate_hazards()
    forecasts = forecast(landmarks, np.round(truth[:, 1:2], 2), FIVE_H)
    known = read_forecasts(forecasts, landmarks, FIVE_H)[0].known()
    assert len(set(known.weights_n)) > 5
    curve = trace_curves(forecasts, landmarks, FIVE_H).query("outcome == 'mitosis'")
    _assert_equal_to_scikit_learn(curve, known.truth_n == 1, known.probabilities_nk[:, 1], known.weights_n)
    assert curve["n_positive"].iloc[0] == (known.truth_n == 1).sum()


@pytest.mark.parametrize("seed", [4, 5, 6, 8])
def test_a_predictor_that_ranks_an_event_last_has_curves_within_0_and_1(seed):
    """Weights summed in two ways differed by their rounding, and 1 + 2e-16 was refused by the table."""
    landmarks, truth = simulate_hazards(seed=seed)
    table = trace_curves(forecast(landmarks, 0.5 - truth[:, 1:2] / 2, FIVE_H), landmarks, FIVE_H)
    OperatingCurves.validate(table)
    for _, curve in table.groupby("outcome"):
        assert (curve[["recall", "false_positive_rate"]].diff().iloc[1:] >= 0).all(axis=None)


def _assert_equal_to_scikit_learn(curve, happened, p, weights):
    weighted = {"sample_weight": weights, "drop_intermediate": False}
    fpr, recall, thresholds = reference.roc_curve(happened, p, **weighted)
    np.testing.assert_allclose(curve["false_positive_rate"], fpr)
    np.testing.assert_allclose(curve["recall"], recall)
    np.testing.assert_allclose(curve["threshold"], thresholds)
    precision, _, _ = reference.precision_recall_curve(happened, p, **weighted)
    np.testing.assert_allclose(curve["precision"].to_numpy()[1:], precision[::-1][1:])
    assert np.isnan(curve["precision"].iloc[0])


def test_an_event_without_positives_has_no_curve():
    landmarks = watched([1, 9, 9], ["mitosis", "censored", "apoptosis"], [0, 0, 1])
    table = trace_curves(forecast(landmarks, np.full((3, 1, 2), 0.2), FIVE_H), landmarks, FIVE_H)
    assert set(table["outcome"]) == {"mitosis"}
    nothing = trace_curves(forecast(landmarks, np.full((3, 1, 2), 0.2), FIVE_H).iloc[:0], landmarks, FIVE_H)
    assert OperatingCurves.validate(nothing).empty
