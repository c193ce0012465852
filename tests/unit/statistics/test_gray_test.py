"""Gray's statistic: by hand, against R's cmprsk, against a log-rank test, and with delayed entry."""

import numpy as np
import pytest
from sksurv.compare import compare_survival

from cellfate.statistics.gray_test import UnitCounts, count_units, gray_statistics

LEUKAEMIA = [
    (0, 13, 2), (0, 1, 1), (0, 72, 0), (0, 7, 2), (0, 8, 2), (1, 67, 0), (0, 9, 2), (0, 5, 2), (1, 70, 0), (1, 4, 0),
    (1, 7, 0), (1, 68, 0), (0, 1, 2), (1, 10, 2), (1, 7, 2), (1, 3, 1), (1, 4, 1), (1, 4, 1), (1, 3, 1), (1, 3, 1),
    (0, 22, 2), (1, 8, 1), (1, 2, 2), (0, 0, 2), (0, 0, 1), (0, 35, 0), (1, 35, 0), (0, 4, 2), (0, 14, 2), (0, 26, 2),
    (0, 3, 2), (1, 2, 0), (1, 8, 0), (1, 32, 0), (0, 12, 1),
]  # fmt: skip
"""Disease, month and status (1 relapse, 2 death, 0 censored) of 35 patients after a transplant; many tie."""


def counts_of(time, event, of_interest=1, entered=None):
    entered = np.full(len(time), -1.0) if entered is None else np.asarray(entered, dtype=float)
    return count_units(entered, np.asarray(time, float), np.asarray(event), of_interest, np.arange(len(time)))


def statistic(group, time, event, of_interest=1, entered=None):
    labels = np.asarray(group)
    return gray_statistics(counts_of(time, event, of_interest, entered), labels[None], labels.max() + 1)[0]


def test_it_is_that_of_cmprsk_with_ties():
    group, time, event = np.array(LEUKAEMIA).T
    # R 4, cmprsk::cuminc(time, event, group)$Tests
    assert statistic(group, time, event, 1) == pytest.approx(1.30163454362, abs=1e-10)
    assert statistic(group, time, event, 2) == pytest.approx(7.08227802511, abs=1e-10)


def test_it_is_that_of_cmprsk_for_three_groups():
    rng = np.random.default_rng(1)
    group, time, event = rng.integers(0, 3, 90), rng.integers(1, 15, 90), rng.integers(0, 3, 90)
    assert statistic(group, time, event, 1) == pytest.approx(0.347305638166, abs=1e-10)
    assert statistic(group, time, event, 2) == pytest.approx(0.046063432386, abs=1e-10)


def test_four_cells_by_hand():
    """Of two cells of a, one dies at 1 h and one at 3 h; of two of b, one divides at 2 h, one dies at 4 h.

    At risk of death, divided ones included, are of a 2, 1, 0 and of b 2, 2, 2 at 1, 3, 4 h; the score of a is
    1 - 2/4 + 1 - 1/3 + 0 = 7/6.
    """
    counts = counts_of([1, 3, 2, 4], [1, 1, 2, 1])
    labels = np.array([0, 0, 1, 1])
    assert counts.at_risk.sum(axis=0).tolist() == [4, 3, 2, 1]
    # Variance: n / S are 2 and 2 (b: 2 at 4 h), weights 1, 0, 1, 0; the pooled incidence is 1/4, 1/4, 1/2, 1; what is
    # ahead of a is 1/3 at 1 and 2 h. Deaths: ((5/6)^2 + 1 + (13/12)^2 + 1) / 8; the division: (1.5 / 3)^2 / 2^2.
    variance = 557 / 1152 + 1 / 16
    assert gray_statistics(counts, labels[None], 2)[0] == pytest.approx((7 / 6) ** 2 / variance, rel=1e-9)
    assert statistic([0, 0, 1, 1], [1, 3, 2, 4], [1, 1, 2, 1]) == pytest.approx(2.4928457869634)  # cmprsk


def test_without_competing_and_lost_cells_it_is_near_a_log_rank_test():
    rng = np.random.default_rng(5)
    group = rng.integers(0, 2, 4000)
    time = rng.exponential(1 + 0.08 * group).round(6)
    log_rank, _ = compare_survival(np.array([*zip(np.ones(4000, bool), time, strict=True)], dtype="?,f8"), group)
    assert statistic(group, time, np.ones(4000, int)) == pytest.approx(log_rank, rel=0.06)  # variances differ


def test_cells_that_enter_late_are_at_risk_from_then_on():
    counts = counts_of([2.0, 3.0, 3.0], [1, 1, 0], entered=[0.0, 2.0, 1.0])
    assert counts.at_risk.tolist() == [[1, 0], [0, 1], [1, 1]]
    # Under no difference, cells that are only seen late do not look as if they lived longer.
    rng = np.random.default_rng(2)
    found = []
    for _ in range(300):
        group = rng.integers(0, 2, 400)
        time, event = rng.exponential(2, 400), rng.integers(1, 3, 400)
        entered = np.where(group == 1, rng.uniform(0, 2, 400), -1.0)
        seen = time > entered
        found.append(statistic(group[seen], time[seen], event[seen], 1, entered[seen]))
    assert np.mean(np.array(found) > 3.841) == pytest.approx(0.05, abs=0.035)  # 300 draws: sd .013


def test_an_event_that_never_comes_or_meets_one_condition_only_has_no_statistic():
    assert np.isnan(statistic([0, 1], [1, 2], [2, 0]))
    assert np.isnan(statistic([0, 1], [1, 5], [1, 0], entered=[0, 3]))


def test_many_assignments_are_each_as_alone():
    group, time, event = np.array(LEUKAEMIA).T
    rng = np.random.default_rng(0)
    assigned = rng.permuted(np.tile(group, (40, 1)), axis=1)
    alone = [statistic(row, time, event) for row in assigned]
    np.testing.assert_allclose(gray_statistics(counts_of(time, event), assigned, 2), alone)
    units = UnitCounts(*(np.add.reduceat(of, range(0, 35, 5)) for of in counts_of(time, event)))
    whole = np.repeat(np.array([0, 1, 1, 0, 1, 0, 0]), 5)
    assert gray_statistics(units, whole[None, ::5], 2)[0] == pytest.approx(statistic(whole, time, event))
