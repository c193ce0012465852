"""The epoch to keep, the learning rate of every step, and when to stop."""

import math
from collections.abc import Sequence

import numpy as np

from cellfate.core.words import LOWER_IS_BETTER
from cellfate.training.settings import FittingSettings

EpochRow = dict[str, float]
"""Training loss, validation metrics and learning rate of one epoch."""


def best_epoch(epochs: Sequence[EpochRow], settings: FittingSettings) -> int:
    """Epoch with the best value of the monitored metric; the first of equals, and none that is NaN if any is not."""
    return int(np.argmin(_monitored_losses(epochs, settings)))


def is_over(epochs: Sequence[EpochRow], settings: FittingSettings) -> bool:
    """Whether training ends here: all epochs are done, or the best is `patience_epochs` back."""
    if not epochs:
        return False
    waited = len(epochs) - 1 - best_epoch(epochs, settings)
    return len(epochs) >= settings.max_epochs or waited >= settings.patience_epochs


def step_learning_rate(epochs: Sequence[EpochRow], batch: int, n_batches: int, settings: FittingSettings) -> float:
    """Learning rate of a step: it rises in the warm-up, and falls by the schedule.

    Parameters
    ----------
    epochs
        Those that are finished.
    batch, n_batches
        Number of the step in the running epoch, and how many that has.
    settings
        Schedule.

    Returns
    -------
    float
        Above 0. The warm-up is linear, up to the whole rate at its last step; the cosine begins after it.
    """
    begun, over = len(epochs) + batch / n_batches, len(epochs) + (batch + 1) / n_batches
    risen = min(1.0, over / settings.warmup_epochs) if settings.warmup_epochs else 1.0
    if settings.schedule == "plateau":
        return risen * _plateau_rate(epochs, settings)
    passed = max(0.0, begun - settings.warmup_epochs) / (settings.max_epochs - settings.warmup_epochs)
    return risen * settings.learning_rate * (1 + math.cos(math.pi * passed)) / 2


def _plateau_rate(epochs: Sequence[EpochRow], settings: FittingSettings) -> float:
    """Learning rate that was lowered whenever more than `plateau_epochs` passed without a better value."""
    rate, waited, best = settings.learning_rate, 0, math.inf
    for epoch, loss in enumerate(_monitored_losses(epochs, settings)):
        waited = 0 if loss < best or epoch == 0 else waited + 1
        best = min(best, loss)
        if waited > settings.plateau_epochs:
            rate, waited = rate * settings.plateau_factor, 0
    return rate


def _monitored_losses(epochs: Sequence[EpochRow], settings: FittingSettings) -> list[float]:
    """Give the monitored metric of each epoch, so that less is better; infinite where it is NaN."""
    sign = 1 if settings.monitor in LOWER_IS_BETTER else -1
    values = (sign * epoch[f"validation_{settings.monitor}"] for epoch in epochs)
    return [math.inf if math.isnan(value) else value for value in values]
