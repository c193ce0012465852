"""Forecast against observed incidence in bins."""

import numpy as np
import pytest

from cellfate.core.tables import IncidenceCalibration
from cellfate.metrics import ScoreSettings
from cellfate.metrics.incidence_calibration import calibrate_incidence
from cellfate.statistics.aalen_johansen import aalen_johansen
from tests.unit.metrics.incidence_tables import FIVE_H, FOLLOW_UP, forecast, list_landmarks, simulate

FEW = ScoreSettings(n_resamples=100, calibration_bins=5)


def _calibrate(landmarks, values, follow_up=FOLLOW_UP, scores=FEW):
    incidence = forecast(landmarks, values, follow_up)
    return IncidenceCalibration.validate(
        calibrate_incidence(incidence, incidence.iloc[:0], landmarks, follow_up, scores)
    )


def test_bins_by_hand():
    # Lower bin: of 4, one dies at 1 h, one is lost at 2 h, of the 2 left one divides at 3 h: 1/4 and 3/4 * 1/2.
    # Upper bin: both die by 5 h; the third is not watchable for 5 h.
    landmarks = list_landmarks(
        [1, 2, 3, 6, 4, 5, 1],
        ["apoptosis", "censored", "mitosis", "censored", "apoptosis", "apoptosis", "mitosis"],
        groups=[0, 0, 1, 1, 0, 1, 1],
        watchable_h=[9, 9, 9, 9, 9, 9, 4],
    )
    p = np.array([[0.1, 0.4]] * 4 + [[0.8, 0.2]] * 2 + [[0.9, 0.1]])[:, None]
    table = _calibrate(landmarks, p, FIVE_H).set_index(["outcome", "bin"])
    assert table["observed"].to_dict() == pytest.approx(
        {("apoptosis", 0): 0.25, ("apoptosis", 1): 1.0, ("mitosis", 0): 0.0, ("mitosis", 1): 0.375}
    )
    assert table["mean_probability"].tolist() == pytest.approx([0.1, 0.8, 0.2, 0.4])
    assert table["n_samples"].tolist() == [4, 2, 2, 4]
    assert (table["n_groups"] == 2).all()


def test_observed_is_the_aalen_johansen_estimate_of_the_bin_with_an_interval_around_it():
    landmarks, truth = simulate(n=600)
    table = _calibrate(landmarks, truth)
    assert len(table) == 3 * 2 * 5
    for h, within_h in enumerate(FOLLOW_UP.report_h):
        scored = (landmarks["watchable_h"] >= within_h - 1e-6).to_numpy()
        rows = table[(table["within_h"] == within_h) & (table["outcome"] == "mitosis")]
        assert rows["n_samples"].sum() == scored.sum()
        top = scored & (truth[:, h, 1] > np.quantile(truth[scored, h, 1], 0.8))
        event = landmarks["fate"].map({"censored": 0, "apoptosis": 1, "mitosis": 2})
        expected = aalen_johansen(landmarks["time_h"][top], event[top], 2).at([within_h])[0, 1]
        assert rows["observed"].iloc[-1] == pytest.approx(expected)
    assert ((table["low"] <= table["observed"]) & (table["observed"] <= table["high"])).all()


def test_forecasts_that_are_right_lie_on_the_diagonal_although_cells_are_lost():
    landmarks, truth = simulate(n=30_000, seed=5)
    table = _calibrate(landmarks, truth)
    # At least 3000 landmarks a bin, about half of them lost: standard error at most .012.
    np.testing.assert_allclose(table["observed"], table["mean_probability"], atol=0.05)
    assert (table["observed"] - table["mean_probability"]).abs().mean() < 0.01


def test_a_horizon_beyond_every_recording_has_no_rows():
    landmarks = list_landmarks([1, 2], ["mitosis", "censored"], [0, 1], watchable_h=3.0)
    assert _calibrate(landmarks, np.full((2, 1, 2), 0.2), FIVE_H).empty
