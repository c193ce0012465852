"""Temperatures against scikit-learn and by hand, and what speaks against one."""

import numpy as np
import pytest
import statsmodels.api as sm
from scipy.special import expit, logit
from sklearn.calibration import CalibratedClassifierCV
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold

from cellfate.statistics.temperature import MOST, choose_temperature, fit_temperature


def _case(too_sure, n=600, n_groups=12, seed=0):
    """Log odds that are `too_sure` times those by which things happen."""
    rng = np.random.default_rng(seed)
    true_n = rng.normal(0, 1.5, n)
    return too_sure * true_n, rng.random(n) < expit(true_n), np.arange(n) % n_groups


@pytest.mark.parametrize("too_sure", [0.4, 1.0, 3.0])
def test_the_temperature_is_that_of_scikit_learn(too_sure):
    log_odds, happened, _ = _case(too_sure)
    as_it_is = LogisticRegression()  # decides by the log odds themselves; scikit-learn scales -x and x, twice as far
    as_it_is.classes_, as_it_is.coef_, as_it_is.intercept_ = np.array([0, 1]), np.ones((1, 1)) / 2, np.zeros(1)
    scaled = CalibratedClassifierCV(FrozenEstimator(as_it_is), method="temperature")
    scaled.fit(log_odds[:, None], happened.astype(int))
    expected = scaled.predict_proba(log_odds[:, None])[:, 1]
    found = fit_temperature(log_odds, happened)
    np.testing.assert_allclose(log_odds / found, logit(expected), rtol=1e-4, atol=1e-4)  # its tolerance
    assert found == pytest.approx(too_sure, rel=0.2)  # standard error about .08


def test_a_temperature_has_bounds_where_likelihood_has_none():
    log_odds = np.array([-2.0, -1.0, 1.0, 2.0])
    assert fit_temperature(log_odds, log_odds > 0) == 1 / MOST
    assert fit_temperature(log_odds, log_odds < 0) == MOST


def test_slope_and_loss_are_of_groups_that_did_not_fit_the_temperature():
    log_odds, happened, groups = _case(2.5)
    found = choose_temperature(log_odds, happened, groups)
    after = np.zeros_like(log_odds)
    for others, held_out in GroupKFold(5).split(log_odds, groups=groups):
        logistic = sm.GLM(happened[others], log_odds[others], family=sm.families.Binomial()).fit()  # no intercept
        after[held_out] = logistic.params[0] * log_odds[held_out]
    for each, slope, loss in (
        (log_odds, found.slope_before, found.log_loss_before),
        (after, found.slope_after, found.log_loss_after),
    ):
        logistic = sm.GLM(happened, sm.add_constant(each), family=sm.families.Binomial()).fit()
        assert slope == pytest.approx(logistic.params[1], rel=1e-5)
        p = expit(each)
        assert loss == pytest.approx(-np.log(np.where(happened, p, 1 - p)).mean(), rel=1e-5)
    assert found.reason == ""
    assert found.temperature == fit_temperature(log_odds, happened)
    assert abs(found.slope_after - 1) < 0.1 < abs(found.slope_before - 1)
    assert found.log_loss_after < found.log_loss_before


def test_a_temperature_that_helps_only_the_groups_it_was_fitted_to_is_not_used():
    """Forecasts that are right: what is fitted is chance, and in most studies does harm elsewhere."""
    found = [choose_temperature(*_case(1.0, n=40, n_groups=8, seed=seed)) for seed in range(40)]
    assert sum(not each.reason for each in found) < 20
    assert {each.reason for each in found} > {""}
    for each in found:
        nearer = abs(each.slope_after - 1) < abs(each.slope_before - 1)
        assert ("the calibration slope comes no nearer to 1" in each.reason) == (not nearer)
        assert ("log loss rises" in each.reason) == (each.log_loss_after > each.log_loss_before)


def test_what_cannot_be_fitted_says_why():
    log_odds, happened, groups = _case(2.0, n=30, n_groups=3)
    cases = {
        "it takes two groups, and there is one": (log_odds, happened, 0 * groups),
        "it takes two groups, and there is none": (log_odds[:0], happened[:0], groups[:0]),
        "one of the two outcomes is absent, or in too few groups to leave some out": (log_odds, groups == 0, groups),
    }
    for reason, case in cases.items():
        found = choose_temperature(*case)
        assert found.reason == reason
        assert np.isnan(found[:5]).all()
    nothing = choose_temperature(log_odds, np.zeros(30, bool), groups)
    assert nothing.reason == "one of the two outcomes is absent, or in too few groups to leave some out"


def test_forecasts_that_part_the_outcomes_or_are_all_alike_have_no_temperature_that_is_used():
    log_odds, _, groups = _case(1.0, n=60)
    parted, alike = (
        choose_temperature(log_odds, log_odds > 0.1, groups),
        choose_temperature(np.full(60, 0.3), log_odds > 0, groups),
    )
    for found in (parted, alike):
        assert found.reason == "the calibration slope is not defined"
        assert np.isfinite(found.log_loss_before)
