"""Calibration slope and intercept against scikit-learn and statsmodels, and where there is none."""

import numpy as np
import pytest
import statsmodels.api as sm
from sklearn.linear_model import LogisticRegression

from cellfate.statistics.bootstrap import draw_groups
from cellfate.statistics.calibration_slope import N_BINS, calibration_intercept, calibration_slope

ONE = np.ones((1, 1))


def _case(n, seed=0, slope=1.0, n_groups=10, decimals=6):
    rng = np.random.default_rng(seed)
    logit = rng.normal(-1, 1.2, n)
    positive = rng.random(n) < 1 / (1 + np.exp(-slope * logit))
    return np.round(1 / (1 + np.exp(-logit)), decimals), positive, np.arange(n) % n_groups, rng.uniform(0.5, 3, n)


def _expected(p, positive, weights):
    p = np.clip(p, 1e-7, 1 - 1e-7)
    model = LogisticRegression(C=np.inf, tol=1e-10, max_iter=1000)
    return model.fit(np.log(p / (1 - p))[:, None], positive, sample_weight=weights).coef_[0, 0]


def test_the_slope_of_the_data_equals_scikit_learn_with_weights():
    p, positive, groups, weights = _case(3000)
    p[:3] = [0.0, 1.0, 1e-12]  # clipped
    slope = calibration_slope(p, positive, groups, draw_groups(10, 5, 0), weights)[0]
    assert slope == pytest.approx(_expected(p, positive, weights), rel=1e-6)
    plain = calibration_slope(p, positive, groups, draw_groups(10, 5, 0))[0]
    assert plain == pytest.approx(_expected(p, positive, None), rel=1e-6)
    assert plain != pytest.approx(slope, rel=1e-3)


def test_slopes_of_resamples_are_exact_where_few_forecasts_differ_and_close_where_many_do():
    counts = draw_groups(10, 12, 1)
    for decimals, tolerance_in_sd in ((2, 1e-5), (6, 0.1)):
        p, positive, groups, weights = _case(4000, decimals=decimals)
        assert (len(np.unique(p)) > N_BINS) == (decimals == 6)
        slopes = calibration_slope(p, positive, groups, counts, weights)
        expected = [_expected(p, positive, weights * row[groups]) for row in counts]
        np.testing.assert_allclose(slopes, expected, atol=tolerance_in_sd * np.std(expected))


@pytest.mark.parametrize("slope", [0.5, 1.0, 2.0])
def test_forecasts_that_are_too_sure_have_a_slope_below_one(slope):
    p, positive, groups, _ = _case(40_000, seed=3, slope=slope)
    # Standard error about .02.
    assert calibration_slope(p, positive, groups, draw_groups(10, 0, 0))[0] == pytest.approx(slope, abs=0.08)


def test_the_slope_is_nan_where_it_is_undefined():
    groups = np.zeros(6, int)
    p, happened = np.array([0.1, 0.2, 0.3, 0.6, 0.7, 0.8]), np.array([0, 1, 0, 1, 0, 1], bool)
    assert np.isfinite(calibration_slope(p, happened, groups, ONE)[0])
    undefined = {
        "nothing happened": (p, np.zeros(6, bool)),
        "everything did": (p, np.ones(6, bool)),
        "equal forecasts": (np.full(6, 0.4), happened),
        "one threshold parts them": (p, np.array([0, 0, 0, 1, 1, 1], bool)),
        "one threshold parts them, ties on it": (np.array([0.1, 0.2, 0.5, 0.5, 0.7, 0.8]), p > 0.4),
        "no landmark": (np.array([]), np.array([], bool)),
    }
    for why, (forecasts, outcome) in undefined.items():
        assert np.isnan(calibration_slope(forecasts, outcome, groups[: len(outcome)], ONE)[0]), why


def test_resamples_without_a_slope_are_nan_and_leave_the_others_alone():
    p, positive, groups, _ = _case(400, n_groups=4)
    positive = positive & (groups > 0)
    counts = np.array([[1.0, 1, 1, 1], [4, 0, 0, 0], [0, 0, 0, 0], [0, 2, 1, 1]])
    slopes = calibration_slope(p, positive, groups, counts)
    assert np.isnan(slopes).tolist() == [False, True, True, False]


def _expected_intercept(p, positive, weights):
    p = np.clip(p, 1e-7, 1 - 1e-7)
    family, offset = sm.families.Binomial(), np.log(p / (1 - p))
    model = sm.GLM(positive.astype(float), np.ones(len(p)), family=family, offset=offset, freq_weights=weights)
    return model.fit(tol=1e-12).params[0]


def test_the_intercept_equals_statsmodels_with_weights_of_the_data_and_of_resamples():
    counts = draw_groups(10, 12, 1)
    for decimals, tolerance_in_sd in ((2, 1e-5), (6, 0.02)):
        p, positive, groups, weights = _case(4000, decimals=decimals)
        found = calibration_intercept(p**1.3, positive, groups, counts, weights)
        expected = [_expected_intercept(p**1.3, positive, weights * row[groups]) for row in counts]
        assert found[0] == pytest.approx(expected[0], abs=1e-8)
        np.testing.assert_allclose(found, expected, atol=tolerance_in_sd * np.std(expected))


def test_the_intercept_by_hand_and_where_it_is_undefined():
    # One forecast of 1/2 for all, 3 of 4 happen: 3 times the odds.
    happened, groups = np.array([True, True, True, False]), np.zeros(4, int)
    assert calibration_intercept(np.full(4, 0.5), happened, groups, ONE)[0] == pytest.approx(np.log(3))
    sure = calibration_intercept(np.array([1.0, 1.0, 0.0, 0.0]), happened, groups, ONE)[0]
    assert np.isfinite(sure)
    for outcome in (np.ones(4, bool), np.zeros(4, bool)):
        assert np.isnan(calibration_intercept(np.full(4, 0.5), outcome, groups, ONE)[0])
    assert np.isnan(calibration_intercept(np.array([]), np.array([], bool), groups[:0], ONE)[0])
    undrawn = calibration_intercept(np.full(4, 0.5), happened, np.array([0, 0, 1, 1]), np.array([[1.0, 1], [0, 0]]))
    assert np.isnan(undrawn).tolist() == [False, True]
