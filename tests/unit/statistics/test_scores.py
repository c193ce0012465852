"""Scores against scikit-learn, with and without weights, and against numbers worked by hand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as reference

from cellfate.statistics import scores as score

ONE = np.ones((1, 1))


def _case(k, seed, n=60):
    rng = np.random.default_rng(seed)
    truth = rng.permutation(np.arange(n) % k)
    # Rounded, so that scores tie.
    p = np.round(rng.dirichlet(np.ones(k), n) + 0.6 * np.eye(k)[truth], 1) + 0.01
    return truth, p / p.sum(axis=1, keepdims=True), rng.integers(4, size=n)


def _counts(seed):
    """The data themselves, and one weighting in which no group is lost."""
    return np.vstack([np.ones(4), np.random.default_rng(seed).integers(1, 4, 4)]).astype(float)


def _average_precision(*given_values):
    return score.auroc_and_average_precision(*given_values)[1]


@pytest.mark.parametrize("k", [2, 3])
@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_scores_of_calls_equal_scikit_learn_with_weights(k, seed):
    truth, p, groups = _case(k, seed)
    calls, counts = p.argmax(axis=1), _counts(seed)
    confusion = score.count_confusion(truth, calls, groups, counts, k)
    for r, weights in enumerate(counts[:, groups]):
        labels = {"labels": range(k), "average": None, "sample_weight": weights, "zero_division": np.nan}
        np.testing.assert_allclose(confusion[r], reference.confusion_matrix(truth, calls, sample_weight=weights))
        np.testing.assert_allclose(score.recall(confusion)[r], reference.recall_score(truth, calls, **labels))
        np.testing.assert_allclose(score.precision(confusion)[r], reference.precision_score(truth, calls, **labels))
        np.testing.assert_allclose(score.f1(confusion)[r], reference.f1_score(truth, calls, **labels))
        assert score.balanced_accuracy(confusion)[r] == pytest.approx(
            reference.balanced_accuracy_score(truth, calls, sample_weight=weights)
        )
        assert score.macro_f1(confusion)[r] == pytest.approx(
            reference.f1_score(truth, calls, average="macro", sample_weight=weights)
        )
        assert score.matthews(confusion)[r] == pytest.approx(
            reference.matthews_corrcoef(truth, calls, sample_weight=weights)
        )


@pytest.mark.parametrize("k", [2, 3])
@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_scores_of_probabilities_equal_scikit_learn_with_weights(k, seed):
    truth, p, groups = _case(k, seed)
    counts = _counts(seed)
    log_loss, brier = score.log_loss(truth, p, groups, counts), score.brier(truth, p, groups, counts)
    for r, weights in enumerate(counts[:, groups]):
        assert log_loss[r] == pytest.approx(reference.log_loss(truth, p, sample_weight=weights))
        squared = [
            reference.brier_score_loss(truth == c, p[:, c], sample_weight=weights, scale_by_half=True) for c in range(k)
        ]
        assert brier[r] == pytest.approx(sum(squared))
        for c in range(k):
            auroc = score.auroc(p[:, c], truth == c, groups, counts)
            precision = score.auroc_and_average_precision(p[:, c], truth == c, groups, counts)[1]
            assert auroc[r] == pytest.approx(reference.roc_auc_score(truth == c, p[:, c], sample_weight=weights))
            assert precision[r] == pytest.approx(
                reference.average_precision_score(truth == c, p[:, c], sample_weight=weights)
            )


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_scores_with_a_weight_a_sample_equal_scikit_learn(seed):
    truth, p, groups = _case(2, seed)
    counts, own = _counts(seed), np.random.default_rng(seed).uniform(0.2, 5, len(truth))
    of_class = (p[:, 0], truth == 0, groups, counts, own)
    auroc, precision = score.auroc_and_average_precision(*of_class)
    np.testing.assert_array_equal(auroc, score.auroc(*of_class))
    brier = score.binary_brier(*of_class)
    for r, drawn in enumerate(counts[:, groups]):
        weights = {"sample_weight": drawn * own}
        assert auroc[r] == pytest.approx(reference.roc_auc_score(truth == 0, p[:, 0], **weights))
        assert precision[r] == pytest.approx(reference.average_precision_score(truth == 0, p[:, 0], **weights))
        assert brier[r] == pytest.approx(reference.brier_score_loss(truth == 0, p[:, 0], **weights))


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_a_weight_of_two_equals_listing_a_landmark_twice(seed):
    truth, p, groups = _case(2, seed)
    counts, own = _counts(seed), np.random.default_rng(seed).integers(0, 3, len(truth))
    listed = np.repeat(np.arange(len(truth)), own)
    for function in (score.auroc, _average_precision, score.binary_brier):
        weighted = function(p[:, 0], truth == 0, groups, counts, own.astype(float))
        np.testing.assert_allclose(weighted, function(p[listed, 0], truth[listed] == 0, groups[listed], counts))


def test_many_negatives_between_positives_are_one_block_and_change_nothing():
    rng = np.random.default_rng(0)
    scores_n, positive = rng.random(2000), rng.random(2000) < 0.02
    assert score._rank_blocks(scores_n, positive).max() <= 2 * positive.sum()
    groups = np.zeros(2000, int)
    auroc, precision = score.auroc_and_average_precision(scores_n, positive, groups, ONE)
    assert auroc[0] == pytest.approx(reference.roc_auc_score(positive, scores_n), rel=1e-12)
    assert precision[0] == pytest.approx(reference.average_precision_score(positive, scores_n), rel=1e-12)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_drawing_a_group_twice_equals_listing_its_landmarks_twice(seed):
    truth, p, groups = _case(2, seed)
    counts = np.array([[2.0, 0.0, 1.0, 3.0]])
    listed = np.repeat(np.arange(len(truth)), counts[0, groups].astype(int))
    # Bins of the calibration error belong to the data as they are, so it is not in this list.
    for function, first in (
        (score.auroc, (p[:, 0], truth == 0)),
        (_average_precision, (p[:, 0], truth == 0)),
        (score.brier, (truth, p)),
        (score.log_loss, (truth, p)),
    ):
        weighted = function(*first, groups, counts)[0]
        repeated = function(*(a[listed] for a in first), np.zeros(len(listed), int), ONE)[0]
        assert weighted == pytest.approx(repeated)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000), shift=st.floats(-3, 3))
def test_ranks_ignore_monotone_changes_and_mirror_with_the_classes(seed, shift):
    truth, p, groups = _case(2, seed)
    counts = _counts(seed)
    auroc = score.auroc(p[:, 0], truth == 0, groups, counts)
    np.testing.assert_allclose(auroc, score.auroc(np.exp(p[:, 0] + shift), truth == 0, groups, counts))
    np.testing.assert_allclose(auroc, score.auroc(p[:, 1], truth == 1, groups, counts))


def test_long_tables_are_weighted_in_blocks_of_rows(monkeypatch):
    truth, p, groups = _case(2, 1)
    counts = np.random.default_rng(0).integers(0, 3, (50, 4)).astype(float)
    whole = score.auroc(p[:, 0], truth == 0, groups, counts)
    monkeypatch.setattr(score, "_MOST_WEIGHTS", 7 * len(truth))
    np.testing.assert_array_equal(whole, score.auroc(p[:, 0], truth == 0, groups, counts))


def test_undefined_scores_are_nan_and_not_zero():
    truth, calls = np.array([1, 1, 1]), np.array([1, 1, 1])
    p = np.array([[0.2, 0.8]] * 3)
    groups = np.zeros(3, int)
    confusion = score.count_confusion(truth, calls, groups, ONE, 2)
    assert np.isnan(score.recall(confusion)[0, 0])
    assert np.isnan(score.precision(confusion)[0, 0])
    assert np.isnan(score.balanced_accuracy(confusion)[0])
    assert np.isnan(score.matthews(confusion)[0])
    assert np.isnan(score.auroc(p[:, 0], truth == 0, groups, ONE)[0])
    assert np.isnan(score.auroc_and_average_precision(p[:, 0], truth == 0, groups, ONE)[1][0])
    # among cells of one fate there is nothing to tell apart, and an average precision of 1 would look like a score
    assert np.isnan(score.auroc_and_average_precision(p[:, 0], truth == 1, groups, ONE)).all()
    empty = np.array([], dtype=int)
    assert np.isnan(score.auroc(empty.astype(float), empty == 0, empty, ONE)[0])
    assert np.isnan(score.calibration_error(empty.astype(float), empty == 0, empty, ONE, 15)[0])


def test_calibration_error_by_hand():
    # Two bins: .1 .1 | .8 .8. Frequencies 0 and .5: distances .1 and .3, equal mass -> .2.
    p, positive = np.array([0.1, 0.1, 0.8, 0.8]), np.array([False, False, True, False])
    assert score.calibration_error(p, positive, np.zeros(4, int), ONE, 2)[0] == pytest.approx(0.2)
    # Drawing only the group of the lower bin leaves its distance.
    groups = np.array([0, 0, 1, 1])
    assert score.calibration_error(p, positive, groups, np.array([[2.0, 0.0]]), 2)[0] == pytest.approx(0.1)


def test_weighted_calibration_error_by_hand():
    # Lower bin: weights 1 and 3, frequency 0, distance .1. Upper: weights 3 and 1, frequency .75, distance .05.
    p, positive = np.array([0.1, 0.1, 0.8, 0.8]), np.array([False, False, True, False])
    weights = np.array([1.0, 3.0, 3.0, 1.0])
    assert score.calibration_error(p, positive, np.zeros(4, int), ONE, 2, weights)[0] == pytest.approx(0.075)


def test_bins_hold_equal_mass_and_keep_equal_probabilities_together():
    assert np.bincount(score.equal_mass_bins(np.linspace(0, 1, 1500), 15)).tolist() == [100] * 15
    assert score.equal_mass_bins(np.array([0.3] * 9 + [0.7]), 15).tolist() == [0] * 9 + [1]
    assert score.equal_mass_bins(np.full(10, 0.4), 15).tolist() == [0] * 10


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 1000))
def test_brier_skill_and_observed_over_expected_with_weights(seed):
    rng = np.random.default_rng(seed)
    p, weights, groups = rng.random(60), rng.uniform(0.5, 3, 60), np.arange(60) % 6
    positive = rng.random(60) < p
    share = np.average(positive, weights=weights)
    worst = reference.brier_score_loss(positive, np.full(60, share), sample_weight=weights)
    expected = 1 - reference.brier_score_loss(positive, p, sample_weight=weights) / worst
    each = (groups, np.ones((1, 6)), weights)
    assert score.brier_skill(p, positive, *each)[0] == pytest.approx(expected)
    assert score.brier_skill(np.full(60, share), positive, *each)[0] == pytest.approx(0, abs=1e-12)
    assert score.observed_over_expected(p, positive, *each)[0] == pytest.approx(share / np.average(p, weights=weights))


def test_brier_skill_and_observed_over_expected_by_hand_and_where_they_are_undefined():
    # Brier (.04 + .04 + .16 + .64) / 4 = .22; of one forecast of 3/4 for all, 3/16: 1 - .22 * 16 / 3.
    p, positive, groups = np.array([0.8, 0.8, 0.6, 0.8]), np.array([True, True, True, False]), np.zeros(4, int)
    assert score.brier_skill(p, positive, groups, ONE)[0] == pytest.approx(1 - 0.22 * 16 / 3)
    assert score.observed_over_expected(p, positive, groups, ONE)[0] == pytest.approx(1.0)
    for outcome in (np.ones(4, bool), np.zeros(4, bool)):
        assert np.isnan(score.brier_skill(p, outcome, groups, ONE)[0])
    assert np.isnan(score.observed_over_expected(np.zeros(4), positive, groups, ONE)[0])


def test_auroc_within_strata_counts_pairs_of_the_same_stratum():
    scores = np.array([0.9, 0.1, 0.2, 0.8, 0.3, 0.7])
    positive = np.array([True, False, True, True, False, False])
    strata = np.array([0, 0, 1, 1, 1, 2])
    # stratum 0: .9 over .1; stratum 1: .2 under .3, .8 over .3; stratum 2 has no pair
    found = score.auroc_within(scores, positive, strata, np.arange(6), np.ones((1, 6)))
    assert found == pytest.approx([2 / 3])
    weighted = score.auroc_within(
        scores, positive, strata, np.arange(6), np.ones((1, 6)), np.array([3, 1, 1, 1, 1, 1.0])
    )
    assert weighted == pytest.approx([4 / 5])
    without_zero = score.auroc_within(scores, positive, strata, np.arange(6), np.array([[0, 1, 1, 1, 1, 1.0]]))
    assert without_zero == pytest.approx([1 / 2])
    assert np.isnan(score.auroc_within(scores, positive, np.arange(6), np.arange(6), np.ones((1, 6)))).all()


def test_a_score_that_only_tells_strata_apart_is_worth_one_half_within_them():
    rng = np.random.default_rng(0)
    strata = rng.integers(0, 5, 4000)
    positive = rng.random(4000) < strata / 6
    groups, counts = np.arange(4000) % 10, np.ones((1, 10))
    assert score.auroc(strata.astype(float), positive, groups, counts)[0] > 0.7
    assert score.auroc_within(strata.astype(float), positive, strata, groups, counts)[0] == 0.5
