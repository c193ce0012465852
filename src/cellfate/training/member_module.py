"""What every Lightning module of the house does alike: average weights, write down epochs, decide when to stop.

Everything random in a step follows from (seed, fold, epoch, place in the epoch), so an interrupted training that goes
on from the checkpoint of an epoch ends with the same weights.
"""

import copy
import logging
import sys
from abc import abstractmethod
from collections.abc import Callable, Iterator
from typing import Any, Protocol

import lightning
import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from cellfate.training.batches import Batch
from cellfate.training.sampling import Unit
from cellfate.training.settings import LOWER_IS_BETTER, FittingSettings

logger = logging.getLogger(__name__)

EpochRow = dict[str, float]
"""Scores of one epoch."""


class MemberData(Protocol):
    """The data of one fold, in batches."""

    @property
    def fold(self) -> int:
        """Number of the fold."""

    def training_plan(self, epoch: int) -> list[list[Unit]]:
        """Units of each batch of an epoch."""

    def training_batch(self, units: list[Unit], epoch: int, place: int) -> Batch:
        """Make the batch at a place of an epoch; the same arguments give the same batch."""

    def validation_plan(self) -> list[list[Unit]]:
        """Units of each validation batch, every sample once."""

    def validation_batch(self, units: list[Unit]) -> Batch:
        """Make a validation batch; nothing in it is random."""


class _Batches(Dataset[dict[str, Tensor]]):
    """Batches by place, made when they are asked for."""

    def __init__(self, n_batches: int, make: Callable[[int], Batch]) -> None:
        self._n_batches = n_batches
        self._make = make

    def __len__(self) -> int:
        return self._n_batches

    def __getitem__(self, place: int) -> dict[str, Tensor]:
        return {name: torch.from_numpy(np.ascontiguousarray(array)) for name, array in vars(self._make(place)).items()}


class MemberModule(lightning.LightningModule):
    """Trains a network on the data of one fold; what the loss is, the module of each network says.

    Parameters
    ----------
    network
        What is trained.
    data
        What it is trained on.
    settings
        How.
    """

    def __init__(self, network: nn.Module, data: MemberData, settings: FittingSettings) -> None:
        super().__init__()
        self.network = network
        averaged = settings.average_decay > 0
        self.average = copy.deepcopy(network).requires_grad_(False) if averaged else network
        self.epochs: list[EpochRow] = []
        self._batches = data
        self._fitting = settings
        self._training_losses: list[tuple[float, int]] = []
        self._metrics: dict[str, float] = {}

    @abstractmethod
    def batch_loss(self, batch: dict[str, Tensor]) -> tuple[Tensor, int]:
        """Mean loss of a training batch, and how many samples it is the mean of."""

    @abstractmethod
    def score_validation(self) -> dict[str, float]:
        """Metrics of what `validation_step` has collected, which is then forgotten."""

    @property
    def epoch(self) -> int:
        """The epoch that is running: the number of those finished."""
        return len(self.epochs)

    def train_dataloader(self) -> DataLoader[dict[str, Tensor]]:
        """Batches of the running epoch."""
        epoch, plan = self.epoch, self._batches.training_plan(self.epoch)
        batches = _Batches(len(plan), lambda place: self._batches.training_batch(plan[place], epoch, place))
        return DataLoader(batches, batch_size=None)

    def val_dataloader(self) -> DataLoader[dict[str, Tensor]]:
        """Batches of the validation part, the same every time."""
        plan = self._batches.validation_plan()
        return DataLoader(_Batches(len(plan), lambda i: self._batches.validation_batch(plan[i])), batch_size=None)

    def training_step(self, batch: dict[str, Tensor], batch_idx: int) -> Tensor:
        """Mean loss of a batch."""
        seed = np.random.SeedSequence([self._fitting.seed, self._batches.fold, self.epoch, batch_idx])
        torch.manual_seed(int(seed.generate_state(1)[0]))
        loss, size = self.batch_loss(batch)
        self._training_losses.append((float(loss.detach()), size))
        self.log("train_loss", loss.detach(), prog_bar=True, on_step=True, on_epoch=False, batch_size=size)
        return loss

    def on_train_batch_end(self, outputs: Any, batch: dict[str, Tensor], batch_idx: int) -> None:
        """Move the mean of the weights towards the new ones; early on it follows faster."""
        if self.average is self.network:
            return
        decay = min(self._fitting.average_decay, (1 + self.global_step) / (10 + self.global_step))
        with torch.no_grad():
            new = self.network.state_dict()
            for name, mean in self.average.state_dict().items():
                if mean.is_floating_point():
                    mean.lerp_(new[name], 1 - decay)
                else:
                    mean.copy_(new[name])

    def on_validation_epoch_end(self) -> None:
        """Score the validation part."""
        self._metrics = self.score_validation()
        for name, value in self._metrics.items():
            self.log(name, value, prog_bar=name == self._fitting.monitor)

    def on_train_epoch_end(self) -> None:
        """Write down the epoch, lower the learning rate on a plateau, stop when nothing gets better."""
        losses, sizes = np.array(self._training_losses).T
        self._training_losses.clear()
        groups = self.optimizers().param_groups  # type: ignore[union-attr]
        scores = {f"validation_{name}": value for name, value in self._metrics.items()}
        rate = float(groups[0]["lr"])
        row = {"train_loss": float(np.average(losses, weights=sizes)), **scores, "learning_rate": rate}
        self.epochs.append(row)
        if not sys.stdout.isatty():  # else the progress bar says it
            spelt = ", ".join(f"{name} {value:.3g}" for name, value in row.items())
            logger.info("Fold %d, epoch %d: %s", self._batches.fold, self.epoch - 1, spelt)
        factor = next_learning_rate(self.epochs, self._fitting) / rate
        for group in groups:
            group["lr"] *= factor
        self.trainer.should_stop = is_over(self.epochs, self._fitting)

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """Adam, with weight decay as the settings say."""
        kind = torch.optim.Adam if self._fitting.optimizer == "adam" else torch.optim.AdamW
        return kind(self.parameter_groups(), lr=self._fitting.learning_rate, weight_decay=self._fitting.weight_decay)

    def parameter_groups(self) -> list[dict[str, Any]]:
        """Name the parameters that learn, the first group at the learning rate of the settings."""
        return [{"params": list(self.network.parameters())}]

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Keep the epochs so far beside the weights."""
        checkpoint["epochs"] = [dict(row) for row in self.epochs]

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Take the epochs so far from a checkpoint."""
        self.epochs = [dict(row) for row in checkpoint["epochs"]]

    def run_validation(self) -> None:
        """Collect the validation part once more, by the weights as they are."""
        was_training = self.training
        self.eval()
        with torch.inference_mode():
            for place, batch in enumerate(self._batches_on_device()):
                self.validation_step(batch, place)
        self.train(was_training)

    def _batches_on_device(self) -> Iterator[dict[str, Tensor]]:
        for batch in self.val_dataloader():
            yield {name: tensor.to(self.device) for name, tensor in batch.items()}


def best_epoch(epochs: list[EpochRow], settings: FittingSettings) -> int:
    """Epoch with the best value of the monitored metric; the first of equals."""
    values = [epoch[f"validation_{settings.monitor}"] for epoch in epochs]
    best = min(values) if settings.monitor in LOWER_IS_BETTER else max(values)
    return values.index(best)


def is_over(epochs: list[EpochRow], settings: FittingSettings) -> bool:
    """Whether training ends here: all epochs are done, or the best is `patience_epochs` back."""
    if not epochs:
        return False
    waited = len(epochs) - 1 - best_epoch(epochs, settings)
    return len(epochs) >= settings.max_epochs or waited >= settings.patience_epochs


def next_learning_rate(epochs: list[EpochRow], settings: FittingSettings) -> float:
    """Learning rate of the next epoch: lowered whenever more than `plateau_epochs` pass without a better value."""
    rate, best, waited = settings.learning_rate, 0, 0
    for epoch in range(len(epochs)):
        if best_epoch(epochs[: epoch + 1], settings) == epoch:
            best, waited = epoch, 0
        else:
            waited += 1
        if waited > settings.plateau_epochs and epoch > best:
            rate, waited = rate * settings.plateau_factor, 0
    return rate
