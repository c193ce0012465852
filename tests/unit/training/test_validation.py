import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import balanced_accuracy_score, roc_auc_score

from cellfate.statistics.thresholds import choose_threshold
from cellfate.training.validation import validation_metrics


def test_metrics_agree_with_hand_and_scikit_learn():
    rng = np.random.default_rng(0)
    first = rng.uniform(size=40)
    probabilities, targets = np.column_stack((first, 1 - first)), (rng.uniform(size=40) < 0.3).astype(int)
    metrics = validation_metrics(probabilities, targets)
    losses = [-np.log(probabilities[targets == k, k]).mean() for k in (0, 1)]
    assert metrics["log_loss"] == pytest.approx(np.mean(losses))
    assert metrics["balanced_accuracy"] == pytest.approx(balanced_accuracy_score(targets, probabilities.argmax(axis=1)))
    assert metrics["auroc"] == pytest.approx(roc_auc_score(targets == 0, first))


def test_one_outcome_has_no_auroc():
    metrics = validation_metrics(np.array([[0.9, 0.1], [0.4, 0.6]]), np.array([0, 0]))
    assert np.isnan(metrics["auroc"])
    assert metrics["balanced_accuracy"] == 0.5


@pytest.mark.parametrize(
    ("values", "positive", "expected"),
    [
        ([0.1, 0.2, 0.8, 0.9], [0, 0, 1, 1], 0.5),
        ([0.1, 0.2, 0.3, 0.4], [0, 0, 1, 1], 0.25),
        ([0.1, 0.2, 0.3, 0.9], [0, 1, 1, 1], 0.15),
        ([0.4, 0.4, 0.4], [0, 1, 1], np.nan),
        ([0.1, 0.9], [1, 1], np.nan),
    ],
)
def test_thresholds_by_hand(values, positive, expected):
    assert choose_threshold(np.array(values), np.array(positive, bool)) == pytest.approx(expected, nan_ok=True)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=2, max_size=12))
def test_no_threshold_is_better(cells):
    probability, positive = (np.array(column) for column in zip(*cells, strict=True))
    if positive.all() or not positive.any() or len(set(probability)) < 2:
        return

    def score(threshold):
        called = probability >= threshold
        return called[positive].mean() - called[~positive].mean()

    # one that calls all or none positive is not asked for, so the others lie between the extremes
    others = np.unique(probability)[1:]
    assert score(choose_threshold(probability, positive)) >= max(map(score, others)) - 1e-9
