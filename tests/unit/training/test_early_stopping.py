import math

import pytest
from pydantic import ValidationError

from cellfate.training.early_stopping import best_epoch, is_over, next_learning_rate
from tests.cases.trainings import tiny_training


def test_stop_and_learning_rate_follow_the_monitored_metric(tmp_path):
    training = tiny_training(tmp_path, max_epochs=20, patience_epochs=4, plateau_epochs=1, learning_rate=1.0)
    losses = [5.0, 4.0, 4.5, 4.2, 4.1, 4.3]
    epochs = [{"validation_log_loss": loss, "validation_auroc": -loss} for loss in losses]
    assert best_epoch(epochs, training) == 1
    assert [is_over(epochs[:n], training) for n in range(7)] == [False] * 6 + [True]
    assert [next_learning_rate(epochs[:n], training) for n in range(7)] == [1, 1, 1, 1, 0.5, 0.5, 0.25]
    upwards = tiny_training(tmp_path, monitor="auroc")
    assert best_epoch(epochs, upwards) == 1


def test_an_epoch_whose_metric_is_undefined_is_never_the_best(tmp_path):
    training = tiny_training(tmp_path)
    epochs = [{"validation_log_loss": loss} for loss in (math.nan, 2.0, math.nan, 1.0)]
    assert [best_epoch(epochs[:n], training) for n in (1, 2, 3, 4)] == [0, 1, 1, 3]


def test_all_epochs_end_a_training(tmp_path):
    epochs = [{"validation_log_loss": loss} for loss in (3.0, 2.0)]
    assert is_over(epochs, tiny_training(tmp_path, max_epochs=2))
    assert not is_over(epochs, tiny_training(tmp_path, max_epochs=3))


def test_a_plateau_that_outlasts_the_patience_is_named(tmp_path):
    with pytest.raises(ValidationError, match="plateau_epochs 9 is not less than patience_epochs 5"):
        tiny_training(tmp_path, plateau_epochs=9, patience_epochs=5)
