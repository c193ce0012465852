"""Forecast against observed share in bins, of both questions."""

import numpy as np
import pytest

from cellfate.core.tables import Calibration
from cellfate.metrics import ScoreSettings, calibrate_forecasts
from cellfate.statistics.aalen_johansen import aalen_johansen
from tests.unit.metrics.tables import (
    FIVE_H,
    FOLLOW_UP,
    fated,
    forecast,
    half_die,
    say_which,
    simulate_hazards,
    watched,
)

FEW = ScoreSettings(n_resamples=100, calibration_bins=5)


def _calibrate(forecasts, landmarks, follow_up=FOLLOW_UP, scores=FEW):
    return Calibration.validate(calibrate_forecasts(forecasts, landmarks, follow_up, scores))


def test_which_fate_that_is_forecast_rightly_lies_on_the_diagonal():
    rng = np.random.default_rng(5)
    p = rng.random(30_000)
    landmarks = fated(np.where(rng.random(30_000) < p, *FIVE_H.events), groups=rng.integers(50, size=30_000))
    table = _calibrate(say_which(landmarks, p), landmarks, scores=ScoreSettings(n_resamples=200))
    assert table["outcome"].tolist() == ["apoptosis"] * 15 + ["mitosis"] * 15
    assert table["n_landmarks"].tolist() == [2000] * 30
    # 2000 landmarks a bin: standard error at most .011.
    np.testing.assert_allclose(table["observed"], table["mean_probability"], atol=0.04)
    assert ((table["low"] < table["observed"]) & (table["observed"] < table["high"])).all()


def test_shares_of_which_fate_by_hand():
    landmarks = fated(["apoptosis", "mitosis", "mitosis", "apoptosis", "apoptosis"], groups=list("aabab"))
    table = _calibrate(say_which(landmarks, [0.2, 0.2, 0.2, 0.9, 0.9]), landmarks)
    died = table[table["outcome"] == "apoptosis"]
    assert died["observed"].tolist() == [pytest.approx(1 / 3), 1.0]
    # Upper bin: a and b have one each, and both die; lower bin: a alone has one that dies.
    assert died.iloc[0][["low", "high"]].isna().all()
    assert died.iloc[1][["low", "high"]].tolist() == [1.0, 1.0]


def test_bins_within_hours_by_hand():
    # Lower bin: of 4, one dies at 1 h, one is lost at 2 h, of the 2 left one divides at 3 h: 1/4 and 3/4 * 1/2.
    # Upper bin: both die by 5 h; the third is not watchable for 5 h.
    landmarks = watched(
        [1, 2, 3, 6, 4, 5, 1],
        ["apoptosis", "censored", "mitosis", "censored", "apoptosis", "apoptosis", "mitosis"],
        groups=[0, 0, 1, 1, 0, 1, 1],
        watchable_h=[9, 9, 9, 9, 9, 9, 4],
    )
    p = np.array([[0.1, 0.4]] * 4 + [[0.8, 0.2]] * 2 + [[0.9, 0.1]])[:, None]
    table = _calibrate(forecast(landmarks, p, FIVE_H), landmarks, FIVE_H).set_index(["outcome", "bin"])
    assert table["observed"].to_dict() == pytest.approx(
        {("apoptosis", 0): 0.25, ("apoptosis", 1): 1.0, ("mitosis", 0): 0.0, ("mitosis", 1): 0.375}
    )
    assert table["mean_probability"].tolist() == pytest.approx([0.1, 0.8, 0.2, 0.4])
    assert table["n_landmarks"].tolist() == [4, 2, 2, 4]
    assert (table["n_groups"] == 2).all()


def test_observed_is_the_aalen_johansen_estimate_of_the_bin_with_an_interval_around_it():
    landmarks, truth = simulate_hazards(n=600, doses=("Low",))
    table = _calibrate(forecast(landmarks, truth), landmarks)
    assert len(table) == 3 * 2 * 5
    for h, within_h in enumerate(FOLLOW_UP.report_h):
        scored = (landmarks["watchable_h"] >= within_h - 1e-6).to_numpy()
        rows = table[(table["within_h"] == within_h) & (table["outcome"] == "mitosis")]
        assert rows["n_landmarks"].sum() == scored.sum()
        top = scored & (truth[:, h, 1] > np.quantile(truth[scored, h, 1], 0.8))
        event = landmarks["fate"].map({"censored": 0, "apoptosis": 1, "mitosis": 2})
        expected = aalen_johansen(landmarks["time_h"][top], event[top], 2, [within_h])[0, 0, 1]
        assert rows["observed"].iloc[-1] == pytest.approx(expected)
    assert ((table["low"] <= table["observed"]) & (table["observed"] <= table["high"])).all()


def test_forecasts_that_are_right_lie_on_the_diagonal_although_cells_are_lost():
    landmarks, truth = simulate_hazards(n=30_000, seed=5)
    table = _calibrate(forecast(landmarks, truth), landmarks)
    # At least 3000 landmarks a bin, about half of them lost: standard error at most .012.
    np.testing.assert_allclose(table["observed"], table["mean_probability"], atol=0.05)
    assert (table["observed"] - table["mean_probability"]).abs().mean() < 0.01


def test_a_right_forecast_of_the_event_that_is_shown_is_calibrated_although_half_of_the_cells_die():
    only = FIVE_H.model_copy(update={"events": ("mitosis",)})
    landmarks = half_die()
    right = np.tile([0.365, 0.447], (1000, 1, 1))
    (row,) = _calibrate(forecast(landmarks, right, only), landmarks, only).to_dict("records")
    assert row["outcome"] == "mitosis"
    assert row["observed"] == pytest.approx(0.447, abs=1e-12)  # .684 if the dying cells were lost where they die
    assert row["mean_probability"] == pytest.approx(0.447)


def test_a_horizon_beyond_every_recording_has_no_rows():
    landmarks = watched([1, 2], ["mitosis", "censored"], [0, 1], watchable_h=3.0)
    assert _calibrate(forecast(landmarks, np.full((2, 1, 2), 0.2), FIVE_H), landmarks, FIVE_H).empty
