"""Conformal thresholds by hand and beside the quantile of single landmarks; how often sets hold a known truth."""

import numpy as np
import pytest

from cellfate.statistics.conformal import fewest_groups, find_threshold, leave_groups_out, list_members


def test_groups_weigh_the_same_however_many_landmarks_they_have():
    # Group 0 has 90 landmarks of score .1; nine others one each, .2 to 1: each group has 1 / 11.
    scores = np.concatenate([np.full(90, 0.1), np.arange(2, 11) / 10])
    groups = np.concatenate([np.zeros(90, int), np.arange(1, 10)])
    assert find_threshold(scores, groups, np.ones(99), 0.9) == 1.0
    assert find_threshold(scores, groups, np.ones(99), 0.5) == pytest.approx(0.6)  # 6 of 11 groups reach it


def test_weights_count_within_a_group_only():
    groups, scores = np.repeat(np.arange(10), 2), np.tile([0.1, 0.8], 10)
    heavy = np.tile([9.0, 1.0], 10)  # .1 has 9 / 10 of each group: 9 / 11 in all
    assert find_threshold(scores, groups, heavy, 0.8) == 0.1
    assert find_threshold(scores, groups, np.ones(20), 0.8) == 0.8
    assert find_threshold(scores, groups, heavy * np.repeat(np.arange(1, 11), 2), 0.8) == 0.1
    assert find_threshold(scores, groups, np.tile([0.0, 1.0], 10), 0.5) == 0.8


@pytest.mark.parametrize("level", [0.8, 0.9, 0.95])
def test_single_landmarks_give_the_quantile_of_split_conformal_prediction(level):
    scores = np.random.default_rng(0).random(37)
    rank = int(np.ceil(38 * level - 1e-9))
    assert find_threshold(scores, np.arange(37), np.ones(37), level) == np.sort(scores)[rank - 1]


@pytest.mark.parametrize(("level", "fewest"), [(0.9, 9), (0.95, 19)])
def test_it_takes_so_many_groups_with_a_known_landmark(level, fewest):
    assert fewest_groups(level) == fewest
    groups = np.arange(fewest)
    assert find_threshold(np.ones(fewest), groups, np.ones(fewest), level) == 1
    assert np.isnan(find_threshold(np.ones(fewest), groups, (groups > 0).astype(float), level))
    assert np.isnan(find_threshold(np.ones(0), groups[:0], np.ones(0), level))
    assert np.isnan(leave_groups_out(np.ones(fewest), groups, np.ones(fewest), level)).all()
    more = np.arange(fewest + 1)
    assert (leave_groups_out(np.ones(fewest + 1), more, np.ones(fewest + 1), level) == 1).all()


def test_sets_are_never_empty_take_ties_in_and_hold_everything_without_a_threshold():
    p = np.array([[0.4, 0.4, 0.2], [1.0, 0.0, 0.0], [0.5, 0.5, 0.0]])
    assert list_members(p, np.array([0.0, 0.0, 0.5])).sum(axis=1).tolist() == [1, 1, 2]
    assert list_members(p, np.full(3, np.nan)).all()


@pytest.mark.parametrize("n_groups", [9, 20])
def test_a_landmark_of_a_new_group_is_held_at_the_level_and_one_drawn_from_all_landmarks_is_not(n_groups):
    rng, held, held_pooled = np.random.default_rng(1), [], []
    for _ in range(1500):
        sizes = rng.integers(1, 40, n_groups + 1)
        shifts = rng.normal(0, 2, n_groups + 1) - (sizes > 20)  # groups differ, large ones are easier
        scores = np.concatenate([shift + rng.normal(size=size) for shift, size in zip(shifts, sizes, strict=True)])
        groups = np.repeat(np.arange(n_groups + 1), sizes)
        told, new = groups < n_groups, groups == n_groups
        threshold = find_threshold(scores[told], groups[told], np.ones(told.sum()), 0.9)
        held.append(np.mean(scores[new] <= threshold))
        held_pooled.append(np.mean(scores[new] <= np.quantile(scores[told], 0.9)))
    error = np.std(held) / np.sqrt(len(held))
    assert 0.9 - 2 * error <= np.mean(held) <= 0.97
    assert np.mean(held_pooled) < 0.9 - 2 * error
