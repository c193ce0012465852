"""The Lightning module: one step of training, one of validation, and when to stop.

Everything random in a step follows from (seed, fold, epoch, place in the epoch), so an interrupted training that goes
on from the checkpoint of an epoch ends with the same weights.

Shape suffixes: n packed frames, m packed frames of samples, b samples, k logits.
"""

import copy
import logging
import sys
from collections.abc import Callable, Iterator
from typing import Any, cast

import lightning
import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from cellfate.models.fate_classifier import FateClassifier
from cellfate.training.batches import Batch
from cellfate.training.fold_data import FoldData
from cellfate.training.settings import LOWER_IS_BETTER, TrainingSettings
from cellfate.training.validation import FloatArray, validation_metrics

logger = logging.getLogger(__name__)

EpochRow = dict[str, float]
"""Scores of one epoch."""


class _Batches(Dataset[dict[str, Tensor]]):
    """Batches by place, made when they are asked for."""

    def __init__(self, n_batches: int, make: Callable[[int], Batch]) -> None:
        self._n_batches = n_batches
        self._make = make

    def __len__(self) -> int:
        return self._n_batches

    def __getitem__(self, place: int) -> dict[str, Tensor]:
        return {name: torch.from_numpy(np.ascontiguousarray(array)) for name, array in vars(self._make(place)).items()}


class FateModule(lightning.LightningModule):
    """Trains a fate classifier on the data of one fold.

    Parameters
    ----------
    network
        What is trained.
    data
        What it is trained on.
    settings
        How.
    """

    def __init__(self, network: FateClassifier, data: FoldData, settings: TrainingSettings) -> None:
        super().__init__()
        self.network = network
        averaged = settings.average_decay > 0
        self.average = copy.deepcopy(network).requires_grad_(False) if averaged else network
        self.epochs: list[EpochRow] = []
        self._data = data
        self._settings = settings
        self._training_losses: list[tuple[float, int]] = []
        self._logits: list[Tensor] = []
        self._rows: list[Tensor] = []
        self._metrics: dict[str, float] = {}

    @property
    def epoch(self) -> int:
        """The epoch that is running: the number of those finished."""
        return len(self.epochs)

    def train_dataloader(self) -> DataLoader[dict[str, Tensor]]:
        """Batches of the running epoch."""
        epoch, plan = self.epoch, self._data.training_plan(self.epoch)
        batches = _Batches(len(plan), lambda place: self._data.training_batch(plan[place], epoch, place))
        return DataLoader(batches, batch_size=None)

    def val_dataloader(self) -> DataLoader[dict[str, Tensor]]:
        """Batches of the validation part, the same every time."""
        plan = self._data.validation_plan()
        return DataLoader(_Batches(len(plan), lambda i: self._data.validation_batch(plan[i])), batch_size=None)

    def training_step(self, batch: dict[str, Tensor], batch_idx: int) -> Tensor:
        """Mean loss of a batch."""
        seed = np.random.SeedSequence([self._settings.seed, self._data.fold, self.epoch, batch_idx])
        torch.manual_seed(int(seed.generate_state(1)[0]))
        logits_bk = forward_batch(self.network, batch)
        rows = batch["rows_b"].cpu().numpy()
        targets_b = torch.from_numpy(self._data.train.targets_n[rows]).to(logits_bk.device)
        losses_b = sample_losses(logits_bk, targets_b)
        if self._settings.balance == "loss_weights":
            losses_b = losses_b * torch.from_numpy(self._data.weights_n[rows]).to(losses_b)
        loss = losses_b.mean()
        self._training_losses.append((float(loss.detach()), len(rows)))
        self.log("train_loss", loss.detach(), prog_bar=True, on_step=True, on_epoch=False, batch_size=len(rows))
        return loss

    def on_train_batch_end(self, outputs: Any, batch: dict[str, Tensor], batch_idx: int) -> None:
        """Move the mean of the weights towards the new ones; early on it follows faster."""
        if self.average is self.network:
            return
        decay = min(self._settings.average_decay, (1 + self.global_step) / (10 + self.global_step))
        with torch.no_grad():
            new = self.network.state_dict()
            for name, mean in self.average.state_dict().items():
                if mean.is_floating_point():
                    mean.lerp_(new[name], 1 - decay)
                else:
                    mean.copy_(new[name])

    def validation_step(self, batch: dict[str, Tensor], batch_idx: int) -> None:
        """Collect the logits of a batch."""
        self._logits.append(forward_batch(self.average, batch).float().cpu())
        self._rows.append(batch["rows_b"].cpu())

    def on_validation_epoch_end(self) -> None:
        """Score the validation part."""
        probabilities_nk = self._collect()
        self._metrics = validation_metrics(probabilities_nk, self._data.validation.targets_n)
        for name, value in self._metrics.items():
            self.log(name, value, prog_bar=name == self._settings.monitor)

    def on_train_epoch_end(self) -> None:
        """Write down the epoch, lower the learning rate on a plateau, stop when nothing gets better."""
        losses, sizes = np.array(self._training_losses).T
        self._training_losses.clear()
        group = self.optimizers().param_groups[0]  # type: ignore[union-attr]
        scores = {f"validation_{name}": value for name, value in self._metrics.items()}
        row = {"train_loss": float(np.average(losses, weights=sizes)), **scores, "learning_rate": float(group["lr"])}
        self.epochs.append(row)
        if not sys.stdout.isatty():  # else the progress bar says it
            spelt = ", ".join(f"{name} {value:.3g}" for name, value in row.items())
            logger.info("Fold %d, epoch %d: %s", self._data.fold, self.epoch - 1, spelt)
        group["lr"] = next_learning_rate(self.epochs, self._settings)
        self.trainer.should_stop = is_over(self.epochs, self._settings)

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """Adam, with weight decay as the settings say."""
        kind = torch.optim.Adam if self._settings.optimizer == "adam" else torch.optim.AdamW
        return kind(
            self.network.parameters(), lr=self._settings.learning_rate, weight_decay=self._settings.weight_decay
        )

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Keep the epochs so far beside the weights."""
        checkpoint["epochs"] = [dict(row) for row in self.epochs]

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Take the epochs so far from a checkpoint."""
        self.epochs = [dict(row) for row in checkpoint["epochs"]]

    def validation_probabilities(self) -> FloatArray:
        """Probabilities (N, outcomes) of the validation samples, in their order, by the weights as they are."""
        was_training = self.training
        self.eval()
        with torch.inference_mode():
            for place, batch in enumerate(self._batches_on_device()):
                self.validation_step(batch, place)
        self.train(was_training)
        return self._collect()

    def _batches_on_device(self) -> Iterator[dict[str, Tensor]]:
        for batch in self.val_dataloader():
            yield {name: tensor.to(self.device) for name, tensor in batch.items()}

    def _collect(self) -> FloatArray:
        """Probabilities of what `validation_step` has collected, in the order of the samples."""
        logits_nk, rows_n = torch.cat(self._logits).double(), torch.cat(self._rows)
        self._logits.clear()
        self._rows.clear()
        if logits_nk.shape[1] == 1:
            logits_nk = torch.cat((logits_nk, torch.zeros_like(logits_nk)), dim=1)
        return cast(FloatArray, logits_nk.softmax(dim=1)[rows_n.argsort()].numpy())


def forward_batch(network: FateClassifier, batch: dict[str, Tensor]) -> Tensor:
    """Logits of the samples of a batch; a frame that several samples share is encoded once."""
    embeddings_nd = network.encode(batch["frames_nchw"])
    embeddings_md = embeddings_nd.index_select(0, batch["gather_m"])
    logits_bk, _ = network.classify(embeddings_md, batch["positions_m"], batch["lengths_b"])
    return logits_bk


def sample_losses(logits_bk: Tensor, targets_b: Tensor) -> Tensor:
    """Loss of each sample: binary cross-entropy of the first outcome for one logit, else cross-entropy."""
    if logits_bk.shape[1] == 1:
        positive_b = (targets_b == 0).to(logits_bk.dtype)
        return nn.functional.binary_cross_entropy_with_logits(logits_bk[:, 0], positive_b, reduction="none")
    return nn.functional.cross_entropy(logits_bk, targets_b, reduction="none")


def best_epoch(epochs: list[EpochRow], settings: TrainingSettings) -> int:
    """Epoch with the best value of the monitored metric; the first of equals."""
    values = [epoch[f"validation_{settings.monitor}"] for epoch in epochs]
    best = min(values) if settings.monitor in LOWER_IS_BETTER else max(values)
    return values.index(best)


def is_over(epochs: list[EpochRow], settings: TrainingSettings) -> bool:
    """Whether training ends here: all epochs are done, or the best is `patience_epochs` back."""
    if not epochs:
        return False
    waited = len(epochs) - 1 - best_epoch(epochs, settings)
    return len(epochs) >= settings.max_epochs or waited >= settings.patience_epochs


def next_learning_rate(epochs: list[EpochRow], settings: TrainingSettings) -> float:
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
