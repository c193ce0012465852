"""The variance between seeds is added as it should be: by hand, and so that the intervals hold a known truth."""

import numpy as np
import pytest
from scipy import stats

from cellfate.statistics.bootstrap import draw_groups, summarise
from cellfate.statistics.seeds import summarise_seeds, widen

N_GROUPS = 9
SCORES = np.array([0.5, 0.6, 0.7])
"""Three seeds: mean .6, variance .01."""


def spread(center, size=0.02):
    """Estimate, and resamples that are normal around it."""
    return np.concatenate([[center], center + size * stats.norm.ppf(np.linspace(0, 1, 100_001)[1:-1])])


def test_the_variance_between_seeds_counts_whole_for_another_training_and_a_third_for_their_mean():
    found = summarise_seeds(np.stack([spread(score) for score in SCORES]), 0.95, N_GROUPS)
    assert (found.mean, found.sd) == pytest.approx((0.6, 0.1))
    # Between groups: resamples of 9 groups spread by .02, independent samples by sqrt(9 / 8) .02: a variance of .00045.
    for low, high, of_seeds in (
        (found.another_low, found.another_high, 0.01 + 0.01 / 3),
        (found.average_low, found.average_high, 0.01 / 3),
    ):
        total = 0.00045 + of_seeds
        freedom = total**2 / (0.00045**2 / 8 + of_seeds**2 / 2)  # Welch and Satterthwaite
        arm = stats.t.ppf(0.975, freedom) * np.sqrt(total)
        assert (low, high) == pytest.approx((0.6 - arm, 0.6 + arm), abs=1e-4)
    assert found.another_high - 0.6 == pytest.approx(0.475, abs=0.01)  # t of 2.1 degrees: 4.14, times .117


def test_welch_and_satterthwaite_as_scipy_has_it():
    # The same sum of two variances stands behind the t test of two samples of unequal variance.
    a, b = np.array([1.0, 2.0, 4.0, 7.0, 1.5]), np.array([3.0, 9.0, 4.0])
    interval = stats.ttest_ind(a, b, equal_var=False).confidence_interval(0.95)
    arm = stats.t.ppf(0.975, 4) * a.std(ddof=1) / np.sqrt(5)
    assert widen(arm, 5, b.var(ddof=1) / 3, 3, 0.95) == pytest.approx((interval.high - interval.low) / 2)


def test_equal_seeds_add_nothing_and_either_arm_is_widened_by_itself():
    skewed = np.concatenate([[0.9], np.linspace(0.6, 0.95, 500)])
    alike = summarise_seeds(np.stack([skewed] * 3), 0.95, N_GROUPS)
    bootstrap = summarise(skewed, 0.95, N_GROUPS)
    assert alike == pytest.approx((0.9, 0.0, *bootstrap[1:], *bootstrap[1:]))
    apart = summarise_seeds(np.stack([skewed - 0.01, skewed, skewed + 0.01]), 0.95, N_GROUPS)
    assert apart.average_low < bootstrap.low
    assert apart.another_low < apart.average_low
    assert apart.average_high - 0.9 < 0.9 - apart.average_low


def test_an_interval_is_never_narrower_than_that_of_the_groups():
    # Two groups have one degree of freedom and t 12.7; the sum has more, but knows no more.
    assert widen(12.7, 2, 0.5, 3, 0.95) == 12.7
    assert widen(-0.1, 9, 0.0, 3, 0.95) == 0.0


def test_no_interval_with_two_seeds_or_one_group():
    two = summarise_seeds(np.stack([spread(0.5), spread(0.6)]), 0.95, N_GROUPS)
    assert two[:2] == pytest.approx((0.55, 0.1 / np.sqrt(2)))
    assert np.isnan(two[2:]).all()
    one_group = summarise_seeds(np.stack([spread(score) for score in SCORES]), 0.95, 1)
    assert one_group[:2] == pytest.approx((0.6, 0.1))
    assert np.isnan(one_group[2:]).all()
    assert np.isnan(summarise_seeds(spread(0.5)[None], 0.95, N_GROUPS)[1:]).all()


def held_truths(n_seeds, n_draws=1000, sd_groups=1.0, sd_seeds=0.3, n_groups=20):
    """Share of intervals that hold the score of another training, and the mean over trainings, by what is added."""
    rng = np.random.default_rng(5)
    held = {"another": 0, "average": 0, "another, without seeds": 0, "another, divided": 0}
    for draw in range(n_draws):
        of_groups, seeds = rng.normal(0, sd_groups, n_groups), rng.normal(0, sd_seeds, n_seeds + 1)
        counts_rg = draw_groups(n_groups, 300, draw)
        values_sr = (of_groups + seeds[:n_seeds, None]) @ counts_rg.T / n_groups
        found = summarise_seeds(values_sr, 0.95, n_groups)
        alone = summarise(values_sr[0], 0.95, n_groups)
        held["another"] += found.another_low <= seeds[n_seeds] <= found.another_high
        held["average"] += found.average_low <= 0 <= found.average_high
        held["another, without seeds"] += alone.low <= seeds[n_seeds] <= alone.high
        held["another, divided"] += found.average_low <= seeds[n_seeds] <= found.average_high
    return {name: n / n_draws for name, n in held.items()}


@pytest.mark.parametrize("n_seeds", [3, 5])
def test_intervals_hold_the_known_truth_as_often_as_they_say(n_seeds):
    # Groups and seeds matter alike: between means of 20 groups .22, between seeds .3. 1,000 draws have a standard error
    # of .007; few degrees of freedom are only nearly those of a t distribution, and cost .02.
    held = held_truths(n_seeds)
    assert 0.92 < held["another"] < 0.98
    assert 0.92 < held["average"] < 0.98
    assert held["another, without seeds"] < 0.8
    assert held["another, divided"] < 0.9
