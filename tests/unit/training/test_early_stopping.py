import math

import pytest
from pydantic import ValidationError

from cellfate.training.early_stopping import best_epoch, is_over, step_learning_rate
from tests.cases.trainings import tiny_training


def test_stop_and_learning_rate_follow_the_monitored_metric(tmp_path):
    training = tiny_training(tmp_path, max_epochs=20, patience_epochs=4, plateau_epochs=1, learning_rate=1.0)
    losses = [5.0, 4.0, 4.5, 4.2, 4.1, 4.3]
    epochs = [{"validation_log_loss": loss, "validation_auroc": -loss} for loss in losses]
    assert best_epoch(epochs, training) == 1
    assert [is_over(epochs[:n], training) for n in range(7)] == [False] * 6 + [True]
    assert [step_learning_rate(epochs[:n], 1, 4, training) for n in range(7)] == [1, 1, 1, 1, 0.5, 0.5, 0.25]
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


def test_the_learning_rate_rises_in_the_warm_up_and_falls_as_a_cosine(tmp_path):
    training = tiny_training(tmp_path, schedule="cosine", warmup_epochs=1.5, max_epochs=4, learning_rate=2.0)
    done = [[{"validation_log_loss": 1.0}] * n for n in range(4)]
    rates = [step_learning_rate(epochs, batch, 2, training) for epochs in done for batch in (0, 1)]
    past = [2 * (1 + math.cos(math.pi * share)) / 2 for share in (0, 0.2, 0.4, 0.6, 0.8)]
    assert rates == pytest.approx([2 / 3, 4 / 3, 2, *past])


def test_a_warm_up_comes_before_a_plateau(tmp_path):
    training = tiny_training(tmp_path, warmup_epochs=0.5, learning_rate=1.0, plateau_epochs=0, patience_epochs=5)
    assert [step_learning_rate([], batch, 8, training) for batch in range(5)] == [0.25, 0.5, 0.75, 1, 1]
    worse = [{"validation_log_loss": loss} for loss in (1.0, 2.0)]
    assert step_learning_rate(worse, 0, 8, training) == 0.5


def test_a_warm_up_that_never_ends_is_named(tmp_path):
    with pytest.raises(ValidationError, match="warmup_epochs 3 is not less than max_epochs 3"):
        tiny_training(tmp_path, warmup_epochs=3)


def test_a_cosine_asks_nothing_of_the_plateau(tmp_path):
    assert tiny_training(tmp_path, schedule="cosine", plateau_epochs=9, patience_epochs=5).schedule == "cosine"
