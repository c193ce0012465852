"""The epoch to keep, when to lower the learning rate and when to stop: all by one validation metric."""

from collections.abc import Sequence

import numpy as np

from cellfate.core.words import LOWER_IS_BETTER
from cellfate.training.settings import FittingSettings

EpochRow = dict[str, float]
"""Training loss, validation metrics and learning rate of one epoch."""


def best_epoch(epochs: Sequence[EpochRow], settings: FittingSettings) -> int:
    """Epoch with the best value of the monitored metric; the first of equals, and none that is NaN if any is not."""
    values = np.array([epoch[f"validation_{settings.monitor}"] for epoch in epochs])
    losses = values if settings.monitor in LOWER_IS_BETTER else -values
    return int(np.where(np.isnan(losses), np.inf, losses).argmin())


def is_over(epochs: Sequence[EpochRow], settings: FittingSettings) -> bool:
    """Whether training ends here: all epochs are done, or the best is `patience_epochs` back."""
    if not epochs:
        return False
    waited = len(epochs) - 1 - best_epoch(epochs, settings)
    return len(epochs) >= settings.max_epochs or waited >= settings.patience_epochs


def next_learning_rate(epochs: Sequence[EpochRow], settings: FittingSettings) -> float:
    """Learning rate of the next epoch: lowered whenever more than `plateau_epochs` pass without a better value."""
    rate, waited = settings.learning_rate, 0
    for epoch in range(len(epochs)):
        waited = 0 if best_epoch(epochs[: epoch + 1], settings) == epoch else waited + 1
        if waited > settings.plateau_epochs:
            rate, waited = rate * settings.plateau_factor, 0
    return rate
