"""Permutation tests: p values as SciPy has them, fair draws, corrections."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.multitest import multipletests

from cellfate.statistics.permutation_tests import (
    correct_by_holm,
    correct_p_values,
    count_assignments,
    draw_subsets,
    list_assignments,
    permutation_p_value,
)


@pytest.mark.parametrize("shift", [0.0, 0.8, -2.0])
def test_p_value_is_scipys(shift: float) -> None:
    from scipy.stats import permutation_test

    rng = np.random.default_rng(4)
    values = rng.normal(size=40)
    top = np.zeros(40, dtype=bool)
    top[rng.choice(40, 4, replace=False)] = True
    values[top] += shift
    ours = permutation_p_value(values, top, draw_subsets(40, 4, 20_000, np.random.default_rng(0)))
    theirs = permutation_test(
        (values[top], values[~top]),
        lambda x, y, axis: x.mean(axis=axis) - y.mean(axis=axis),
        vectorized=True,
        n_resamples=20_000,
        rng=np.random.default_rng(1),
    ).pvalue
    # two runs of 20,000: four standard errors of the difference of two Monte-Carlo p values
    assert ours == pytest.approx(theirs, abs=4 * 2 * np.sqrt(2 * theirs / 2 * (1 - theirs / 2) / 20_000) + 1e-4)


def test_the_smallest_p_is_two_in_n_plus_one() -> None:
    values = np.r_[np.zeros(95), np.full(5, 100.0)] + np.random.default_rng(0).normal(size=100)
    top = np.arange(100) >= 95
    assert permutation_p_value(values, top, draw_subsets(100, 5, 999, np.random.default_rng(0))) == 2 / 1000


def test_subsets_are_drawn_evenly_and_without_repeats() -> None:
    drawn = draw_subsets(5, 2, 20_000, np.random.default_rng(0))
    assert (drawn[:, 0] != drawn[:, 1]).all()
    pairs = np.unique(np.sort(drawn, axis=1), axis=0, return_counts=True)[1]
    assert len(pairs) == 10
    np.testing.assert_allclose(pairs, 2000, rtol=0.1)


def test_correction_leaves_nan_out() -> None:
    corrected = correct_p_values(np.array([0.01, np.nan, 0.04, 0.03]))
    np.testing.assert_allclose(corrected, [0.03, np.nan, 0.04, 0.04])


def test_nothing_is_corrected_where_nothing_was_tested() -> None:
    assert np.isnan(correct_p_values(np.full(3, np.nan))).all()


@settings(max_examples=30, deadline=None)
@given(p=st.lists(st.sampled_from([0.0001, 0.01, 0.02, 0.04, 0.3, 1.0]), min_size=1, max_size=8))
def test_holm_equals_statsmodels_and_leaves_nan_alone(p):
    expected = multipletests(p, method="holm")[1]
    np.testing.assert_allclose(correct_by_holm(np.array(p)), expected)
    with_nan = correct_by_holm(np.array([np.nan, *p]))
    assert np.isnan(with_nan[0])
    np.testing.assert_allclose(with_nan[1:], expected)


def test_all_ways_to_deal_labels_out_are_listed_once():
    labels, strata = np.array([0, 0, 1, 1, 2, 1]), np.array([0, 0, 0, 0, 1, 1])
    listed = list_assignments(labels, strata, 100, np.random.default_rng(0))
    assert len(listed) == count_assignments(labels, strata) == 12  # 4! / (2! 2!) times 2
    assert len({tuple(row) for row in listed.tolist()}) == 12
    assert {tuple(sorted(row[:4])) for row in listed.tolist()} == {(0, 0, 1, 1)}
    assert {tuple(sorted(row[4:])) for row in listed.tolist()} == {(1, 2)}
    apart = list_assignments(labels[[4, 0, 1, 5, 2, 3]], strata[[4, 0, 1, 5, 2, 3]], 100, np.random.default_rng(0))
    assert {tuple(sorted(row[[0, 3]])) for row in apart} == {(1, 2)}  # strata need not stand together


def test_of_too_many_ways_some_are_drawn_behind_the_labels_as_they_are():
    labels, strata = np.repeat([0, 1], 10), np.zeros(20, dtype=int)
    drawn = list_assignments(labels, strata, 500, np.random.default_rng(0))
    assert count_assignments(labels, strata) == 184_756
    assert len(drawn) == 501
    assert drawn[0].tolist() == labels.tolist()
    assert (drawn.sum(axis=1) == 10).all()
    assert drawn[1:].mean(axis=0) == pytest.approx(np.full(20, 0.5), abs=0.1)
