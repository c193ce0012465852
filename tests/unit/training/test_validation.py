import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score, roc_auc_score

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


def test_an_absent_outcome_is_left_out_of_the_means():
    """Three outcomes, of which two occur: the same numbers as without the third, whose probability is 0."""
    probabilities, targets = np.array([[0.9, 0.1], [0.4, 0.6], [0.7, 0.3]]), np.array([0, 1, 1])
    padded = np.column_stack((probabilities, np.zeros(3)))
    assert validation_metrics(padded, targets) == validation_metrics(probabilities, targets)
