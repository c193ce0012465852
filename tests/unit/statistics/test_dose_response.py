"""Log-logistic curves: published ones, planted ones, and what four doses can tell."""

import numpy as np
import pytest

from cellfate.statistics.dose_response import Curve, fit_log_logistic, log_logistic

ROOTS_CM = [
    7.58, 8, 8.3286, 7.25, 7.375, 7.9625, 8.3556, 6.9143, 7.75, 6.8714, 6.45, 5.9222, 1.925, 2.8857, 4.2333, 1.1875,
    0.8571, 1.0571, 0.6875, 0.525, 0.825, 0.25, 0.22, 0.44,
]  # fmt: skip
"""Roots of ryegrass under ferulic acid (Inderjit, Streibig & Olofsdotter 2002), the example of R's drc."""
ACID_MM = np.repeat([0, 0, 0.94, 1.88, 3.75, 7.5, 15, 30], 3)


def test_it_is_that_of_drc():
    (found,) = fit_log_logistic(ACID_MM, np.array(ROOTS_CM)[None] / 10, np.ones(24))
    expected = Curve(0.77930, 0.04814, 3.05796, 2.98222)  # drm(rootl ~ conc, fct = LL.4())
    assert found == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize("planted", [Curve(0.1, 0.8, 1.0, 1.5), Curve(0.7, 0.05, 2.0, 3.0)])
def test_a_planted_curve_is_found_in_counts_of_cells(planted):
    dose, n = np.array([0, 0.1, 0.3, 1, 3, 10.0]), 4000
    shares = np.random.default_rng(0).binomial(n, log_logistic(dose, planted), (40, 6)) / n
    found = np.array(fit_log_logistic(dose, shares, np.full(6, float(n))))
    np.testing.assert_allclose(found.mean(axis=0), planted, rtol=0.1, atol=0.01)


def test_of_four_doses_the_slope_is_1():
    dose, planted = np.array([0, 0.3, 1, 3.0]), Curve(0.1, 0.8, 0.7, 1.0)
    (found,) = fit_log_logistic(dose, log_logistic(dose, planted)[None], np.ones(4))
    assert found == pytest.approx(planted, rel=1e-4)
    steep = log_logistic(dose, planted._replace(slope=4.0))
    assert fit_log_logistic(dose, steep[None], np.ones(4))[0].slope == pytest.approx(1, abs=1e-5)


def test_what_was_not_seen_is_not_fitted_and_doses_weigh_as_their_cells():
    dose = np.array([0, 1, 2, 4, 8.0])
    shares = log_logistic(dose, Curve(0.1, 0.9, 2.0, 2.0))[None]
    assert np.isnan(fit_log_logistic(dose, np.where(dose == 2, np.nan, shares), np.ones(5))[0]).all()
    odd = np.where(dose == 8, 0.3, shares)
    (few,) = fit_log_logistic(dose, odd, np.array([100, 100, 100, 100, 0.01]))
    assert few.half_dose == pytest.approx(2.0, rel=0.05)
