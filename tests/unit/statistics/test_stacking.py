"""Weights of unlike forecasts: planted ones are found, useless parts are left out, and the error is that of groups."""

import numpy as np
import pytest
import statsmodels.api as sm

from cellfate.statistics.incidence import UNOBSERVED
from cellfate.statistics.stacking import _mean_by_group, fit_weights, log_loss, stack_parts

N_GROUPS = 40


def draw(log_odds_nke: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Labels of which these log odds are true; what follows an event is not observed."""
    with_none = np.concatenate((np.zeros((*log_odds_nke.shape[:2], 1)), log_odds_nke), axis=2)
    noise = rng.gumbel(size=with_none.shape)
    labels = (with_none + noise).argmax(axis=2)
    before = np.cumsum(labels > 0, axis=1) - (labels > 0)
    return np.where(before > 0, UNOBSERVED, labels)


def parts_of(n: int, rng: np.random.Generator, n_parts: int = 2, n_events: int = 2) -> np.ndarray:
    return rng.normal(-2.0, 1.0, size=(n_parts, n, 4, n_events))


def groups_of(n: int) -> np.ndarray:
    return np.arange(n) % N_GROUPS


@pytest.mark.parametrize("truth", [(1.0, 0.0), (0.7, 0.3), (0.0, 1.0), (0.2, 0.5, 0.3)])
def test_planted_weights_are_found(truth):
    rng = np.random.default_rng(1)
    parts = parts_of(20_000, rng, len(truth))
    labels = draw(np.tensordot(truth, parts, axes=1), rng)
    assert fit_weights(parts, labels) == pytest.approx(truth, abs=0.03)


def test_weights_are_the_best_of_a_grid_and_keep_their_bound():
    rng = np.random.default_rng(2)
    parts = parts_of(300, rng)
    labels = draw(0.4 * parts[0] + 0.6 * parts[1], rng)
    grid = np.linspace(0, 1, 1001)
    losses = [log_loss((1 - w) * parts[0] + w * parts[1], labels).mean() for w in grid]
    best = grid[int(np.argmin(losses))]
    assert fit_weights(parts, labels)[1] == pytest.approx(best, abs=2e-3)
    assert best > 0.25
    assert fit_weights(parts, labels, most=0.25) == pytest.approx([0.75, 0.25], abs=1e-6)
    assert stack_parts(parts, labels, groups_of(300), groups_of(300), 0.25).weights_p[1] <= 0.25


def test_the_log_loss_is_that_of_the_labels_by_hand():
    log_odds = np.log(np.array([[[0.2, 0.3], [0.1, 0.4]]]) / 0.5)  # .2 and .3 beside .5; .1 and .4 beside .5
    assert log_loss(log_odds, np.array([[0, 2]])) == pytest.approx([-np.log(0.5) - np.log(0.4)])
    assert log_loss(log_odds, np.array([[1, UNOBSERVED]])) == pytest.approx([-np.log(0.2)])
    assert log_loss(log_odds, np.array([[UNOBSERVED, UNOBSERVED]])) == [0.0]


def test_the_error_of_the_gain_is_that_of_clusters():
    """As statsmodels gives it for a mean with errors that are dependent within groups."""
    rng = np.random.default_rng(3)
    groups = rng.integers(0, 12, size=300)
    values = rng.normal(size=12)[groups] + rng.normal(size=300)
    fitted = sm.OLS(values, np.ones(300)).fit(cov_type="cluster", cov_kwds={"groups": groups})
    assert _mean_by_group(values, groups) == pytest.approx((fitted.params[0], fitted.bse[0]), rel=1e-9)
    assert np.isnan(_mean_by_group(values, np.zeros(300))[1])


def simulate(seed: int, share: float, n: int = 400) -> tuple[float, float]:
    """Weight of a second part of which the truth holds a share, and its excess loss on other cells over the best."""
    rng = np.random.default_rng(seed)
    parts, elsewhere = parts_of(n, rng, n_events=1), parts_of(4000, rng, n_events=1)
    labels = draw(np.tensordot((1 - share, share), parts, axes=1), rng)
    found = stack_parts(parts, labels, groups_of(n), groups_of(n)).weights_p
    seen = draw(np.tensordot((1 - share, share), elsewhere, axes=1), rng)
    losses = [log_loss(np.tensordot(w, elsewhere, axes=1), seen).mean() for w in (found, (1.0, 0.0), (0.0, 1.0))]
    return float(found[1]), losses[0] - min(losses[1:])


def test_a_useless_part_is_mostly_left_out_and_never_hurts_much():
    drawn = np.array([simulate(seed, 0.0) for seed in range(60)])
    assert (drawn[:, 0] == 0).mean() >= 0.75
    assert drawn[:, 0].max() < 0.3
    assert drawn[:, 1].mean() <= 0.002
    assert drawn[:, 1].max() <= 0.02


def test_a_useful_part_is_taken():
    drawn = np.array([simulate(seed, 0.5) for seed in range(20)])
    assert (drawn[:, 0] > 0.2).mean() >= 0.95
    assert drawn[:, 1].mean() < 0


@pytest.mark.parametrize("units", [np.zeros(50), np.arange(50)])
def test_what_cannot_be_judged_leaves_the_first_part_alone(units):
    parts = parts_of(50, np.random.default_rng(6))
    labels = np.full((50, 4), UNOBSERVED) if units.any() else np.zeros((50, 4), dtype=int)
    found = stack_parts(parts, labels, units, units)
    assert found.weights_p.tolist() == [1.0, 0.0]
    assert np.isnan(found.gain)


def test_the_loss_in_a_fold_does_not_choose_its_weights():
    """Labels of one unit by the second part only: judged without them, the gain of the unit comes from the others."""
    rng = np.random.default_rng(7)
    parts = parts_of(600, rng, n_events=1)
    units = np.repeat(np.arange(5), 120)
    labels = draw(parts[0], rng)
    labels[units == 4] = draw(parts[1], rng)[units == 4]
    gain = stack_parts(parts, labels, np.arange(600), units).gain
    outside = np.zeros(600)
    for unit in range(5):
        held = units == unit
        weights = fit_weights(parts[:, ~held], labels[~held])
        outside[held] = log_loss(parts[0], labels)[held] - log_loss(np.tensordot(weights, parts, axes=1), labels)[held]
    assert gain == pytest.approx(outside.mean(), abs=1e-6)
