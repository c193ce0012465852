"""Input that no score can be made of: NaN with its reason, one warning, never a number that looks like a score."""

import warnings

import numpy as np
import pytest

from cellfate.core.tables import Metrics
from cellfate.metrics.scoring import score_forecasts
from cellfate.metrics.settings import ScoreSettings
from cellfate.metrics.undefined import ALL_EQUAL, NOTHING_KNOWN, ONE_GROUP, PARTED
from tests.unit.metrics.tables import FIVE_H, fated, forecast, say_which, simulate_fates, watched

FEW = ScoreSettings(n_resamples=100)


def score(forecasts, landmarks, follow_up=FIVE_H):
    """Scores by metric, outcome and condition, and what was warned of."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        table = Metrics.validate(score_forecasts(forecasts, landmarks, follow_up, FEW))
    assert len(caught) <= 1
    assert (table["estimate"].isna() <= table["reason"].notna()).all()
    assert (table["low"].isna() == table["reason"].notna()).all()
    return table.set_index(["metric", "outcome", "condition"]), [str(warning.message) for warning in caught]


def test_a_fate_that_no_test_cell_met():
    landmarks = fated(["mitosis"] * 8 + ["apoptosis"], groups=list("aabbccdde"))
    scores, caught = score(say_which(landmarks[:8], np.linspace(0, 1, 8)), landmarks)
    assert "stay NaN" in caught[0]
    assert scores.loc[("auroc", "apoptosis", "all"), "reason"] == "no landmark with apoptosis"
    assert scores.loc[("auroc", "mitosis", "all"), "reason"] == "every landmark with mitosis"
    assert scores.loc[("balanced_accuracy", "all", "all"), "reason"] == "no landmark with apoptosis"
    of_events = scores[scores.index.get_level_values("outcome") != "all"]
    ranked = of_events.index.get_level_values("metric").isin(["recall", "precision", "f1"])
    assert of_events.loc[~ranked, "estimate"].isna().all()


def test_a_fate_that_is_absent_from_one_dose():
    landmarks = fated(
        ["mitosis", "apoptosis"] * 6 + ["mitosis"] * 8, list("aabbccddeeffgghhiijj"), ["Low"] * 12 + ["High"] * 8
    )
    scores, caught = score(say_which(landmarks, np.linspace(0.1, 0.9, 20)), landmarks)
    assert "High" in caught[0]
    high = scores.xs("High", level="condition")
    assert high.loc[("brier", "apoptosis"), "reason"] == "no landmark with apoptosis"
    assert np.isnan(high.loc[("brier", "apoptosis"), "estimate"])
    assert np.isfinite(scores.loc[("auroc", "apoptosis", "within_dose"), "estimate"])  # of the dose that has both


def test_a_single_group_has_scores_but_no_intervals():
    landmarks, p = simulate_fates(n=60, n_groups=1, doses=("Low",))
    scores, caught = score(say_which(landmarks, p), landmarks)
    assert not caught
    assert scores["estimate"].notna().all()
    assert scores["low"].isna().all()
    assert (scores["reason"] == ONE_GROUP).all()


def test_an_event_that_one_group_holds_has_no_interval():
    landmarks = fated(["apoptosis", "mitosis"] + ["mitosis"] * 8, groups=list("aabbccddee"))
    scores, _ = score(say_which(landmarks, np.linspace(0.9, 0.1, 10)), landmarks)
    row = scores.loc[("auroc", "apoptosis", "all")]
    assert (row["estimate"], row["n_groups"], row["n_event_groups"], row["reason"]) == (1.0, 5, 1, ONE_GROUP)


def test_forecasts_that_are_all_equal_rank_nothing():
    landmarks, _ = simulate_fates(n=60, n_groups=10, doses=("Low",))
    scores, _ = score(say_which(landmarks, np.full(60, 0.5)), landmarks)
    assert scores.loc[("auroc", "apoptosis", "all"), ["estimate", "low", "high"]].tolist() == [0.5] * 3
    assert scores.loc[("calibration_slope", "apoptosis", "all"), "reason"] == ALL_EQUAL
    assert scores.loc[("precision", "mitosis", "all"), "reason"] == "mitosis is never called"  # the first of equals is


@pytest.mark.parametrize("right", [True, False])
def test_probabilities_of_0_and_1(right):
    landmarks, _ = simulate_fates(n=60, n_groups=10, doses=("Low",))
    died = (landmarks["fate"] == "apoptosis").to_numpy()
    scores, _ = score(say_which(landmarks, np.where(died == right, 1.0, 0.0)), landmarks)
    assert scores.loc[("auroc", "apoptosis", "all"), "estimate"] == float(right)
    assert scores.loc[("calibration_slope", "apoptosis", "all"), "reason"] == PARTED
    # The logarithm is that of 1e-7 where the forecast was sure and wrong: finite, and no worse than that.
    assert scores.loc[("log_loss", "all", "all"), "estimate"] == pytest.approx(0 if right else -np.log(1e-7), abs=1e-6)


def test_a_horizon_beyond_every_recording():
    landmarks = watched([1, 2, 3], ["mitosis", "apoptosis", "censored"], [0, 0, 1], 3.0)
    scores, caught = score(forecast(landmarks, np.full((3, 1, 2), 0.2), FIVE_H), landmarks)
    assert scores["estimate"].isna().all()
    assert (scores["reason"] == NOTHING_KNOWN).all()
    assert len(caught) == 1
