"""What the Lightning modules of the house do alike: average weights, write down epochs, decide when to stop.

Everything random in a step follows from the seed, the fold, the epoch and the place in it, so an interrupted training
that goes on from a checkpoint, of an epoch or within one, ends with the same weights.
"""

import copy
import logging
import math
import sys
import time
from abc import abstractmethod
from typing import Any

import lightning
import numpy as np
import torch
from torch import Tensor

from cellfate.core.errors import InputError
from cellfate.models.frame_encoders import FrameNetwork
from cellfate.training.batches import Batch
from cellfate.training.early_stopping import EpochRow, best_epoch, is_over, step_learning_rate
from cellfate.training.fold_data import FoldData
from cellfate.training.loading import BatchLoader
from cellfate.training.pretraining import feature_loss
from cellfate.training.processes import (
    LossTerm,
    add_terms,
    count_processes,
    deal_batches,
    gather_all,
    own_rank,
    share_buffers,
)
from cellfate.training.randomness import torch_seed
from cellfate.training.settings import FittingSettings

logger = logging.getLogger(__name__)

_SHARE = "share"
"""Of a group of weights, the part of the learning rate at which they learn."""


class _Speed:
    """Real frames a second of training, the reading of batches included, since it was made."""

    def __init__(self) -> None:
        self._started, self._n_frames = time.monotonic(), 0
        self.frames_per_s = 0.0

    def add(self, n_frames: int) -> None:
        """Count the frames of a batch that is done."""
        self._n_frames += n_frames
        self.frames_per_s = self._n_frames / max(time.monotonic() - self._started, 1e-9)


class MemberModule(lightning.LightningModule):
    """Trains a network on the data of one fold; what the loss is, the module of each network says.

    Parameters
    ----------
    network
        What is trained.
    data
        What it is trained on, and how.
    """

    unused: tuple[str, ...] = ("features.",)
    """Beginnings of the names of weights that a finished member has no use for."""

    def __init__(self, network: FrameNetwork, data: FoldData[Any]) -> None:
        super().__init__()
        self.network = network
        self.data = data
        self.settings: FittingSettings = data.settings
        averaged = self.settings.average_decay > 0
        self.average = copy.deepcopy(network).requires_grad_(False) if averaged else network
        self.epochs: list[EpochRow] = []
        self.frames_per_s: list[float] = []
        self._speed = _Speed()
        self._training_losses: list[tuple[float, int]] = []
        self._own_validation: list[int] = []
        self._judged: list[tuple[int, tuple[Tensor, ...]]] = []
        self._metrics: dict[str, float] = {}

    @abstractmethod
    def batch_loss(self, batch: dict[str, Tensor]) -> list[LossTerm]:
        """Parts of the loss of a training batch; the first is the mean over its cells or frames."""

    def feature_terms(self, embeddings_nd: Tensor, batch: dict[str, Tensor]) -> list[LossTerm]:
        """Give the weighted error of telling the features of a batch's frames, where the network is taught them."""
        if self.settings.feature_weight == 0:
            return []
        told_nf, features_nf = self.network.tell_features(embeddings_nd), batch["features_nf"]
        error = feature_loss(told_nf, features_nf)
        return [LossTerm(error, features_nf.isfinite().sum(), self.settings.feature_weight)]

    @abstractmethod
    def judge(self, batch: dict[str, Tensor]) -> tuple[Tensor, ...]:
        """Give what `score` needs of a validation batch, by the averaged weights; one row a cell or frame."""

    @abstractmethod
    def score(self, *judged: Tensor) -> dict[str, float]:
        """Metrics of the validation part, from what `judge` said of all its batches."""

    @property
    def epoch(self) -> int:
        """The epoch that is running: the number of those finished."""
        return len(self.epochs)

    @property
    def is_best(self) -> bool:
        """Whether the last epoch finished is the best so far."""
        return best_epoch(self.epochs, self.settings) == len(self.epochs) - 1

    @property
    def n_batches_done(self) -> int:
        """Steps of the running epoch that are done."""
        return len(self._training_losses)

    def train_dataloader(self) -> BatchLoader:
        """Batches of the running epoch for this process; those done before an interruption are left out.

        Raises
        ------
        InputError
            If there are fewer cells than processes.
        """
        epoch, n_processes, rank = self.epoch, count_processes(), own_rank()
        steps = deal_batches(self.data.training_plan(epoch), n_processes)
        if not steps:
            raise InputError(
                f"An epoch of fold {self.data.fold} has fewer training cells than the {n_processes} processes that "
                "train it; lower devices or num_nodes."
            )

        def make(number: int) -> Batch:
            return self.data.training_batch(steps[number][rank], epoch, number * n_processes + rank)

        return BatchLoader(make, len(steps), self.n_batches_done, self.settings.loading_threads)

    def val_dataloader(self) -> BatchLoader:
        """Batches of the validation part for this process, the same every time."""
        plan, n_processes = self.data.validation_plan(), count_processes()
        n_shared = len(plan) + -len(plan) % n_processes  # all have as many, so that some judge one again
        numbers = [number % len(plan) for number in range(own_rank(), n_shared, n_processes)]
        self._own_validation = numbers

        def make(place: int) -> Batch:
            batch: Batch = self.data.validation.batch(plan[numbers[place]])
            return batch

        return BatchLoader(make, len(numbers), n_threads=self.settings.loading_threads)

    def on_train_start(self) -> None:
        """Measure speed from here, where a training goes on within an epoch."""
        self._speed = _Speed()

    def on_train_epoch_start(self) -> None:
        """Measure the speed of the epoch."""
        self._speed = _Speed()

    def on_train_batch_start(self, batch: dict[str, Tensor], batch_idx: int) -> None:
        """Set the learning rate of the step."""
        rate = step_learning_rate(self.epochs, batch_idx, int(self.trainer.num_training_batches), self.settings)
        for group in self.optimizers().param_groups:  # type: ignore[union-attr]
            group["lr"] = group.get(_SHARE, 1.0) * rate

    def training_step(self, batch: dict[str, Tensor], batch_idx: int) -> Tensor:
        """Mean loss of a batch."""
        number = batch_idx * count_processes() + own_rank()
        torch.manual_seed(torch_seed(self.settings.seed, "step", self.data.fold, self.epoch, number))
        loss, value, size = add_terms(self.batch_loss(batch))
        if not math.isfinite(value):
            raise self._divergence(f"The loss is {value} in batch {batch_idx}")
        self._training_losses.append((value, size))
        for name, said in (("train_loss", value), ("frames_per_s", count_processes() * self._speed.frames_per_s)):
            self.log(name, said, prog_bar=True, on_step=True, on_epoch=False, batch_size=size)
        return loss

    def on_train_batch_end(self, outputs: Any, batch: dict[str, Tensor], batch_idx: int) -> None:
        """Count the frames of the batch."""
        self._speed.add(int(batch["lengths_b"].sum()))

    def optimizer_step(self, *arguments: Any, **named: Any) -> None:
        """Make a step, and move the mean of the weights towards the new ones; early on it follows faster."""
        super().optimizer_step(*arguments, **named)
        if self.average is self.network:
            return
        n_steps = 1 + self.global_step  # Lightning counts this one afterwards
        decay = min(self.settings.average_decay, (1 + n_steps) / (10 + n_steps))
        with torch.no_grad():
            new = self.network.state_dict()
            for name, mean in self.average.state_dict().items():
                if mean.is_floating_point():
                    mean.lerp_(new[name], 1 - decay)
                else:
                    mean.copy_(new[name])

    def validation_step(self, batch: dict[str, Tensor], batch_idx: int) -> None:
        """Judge a batch of the validation part."""
        judged = tuple(of_batch.cpu() for of_batch in self.judge(batch))
        self._judged.append((self._own_validation[batch_idx], judged))

    def on_validation_epoch_start(self) -> None:
        """Have all processes judge by the same running statistics."""
        share_buffers(self.network)
        if self.average is not self.network:
            share_buffers(self.average)

    def on_validation_epoch_end(self) -> None:
        """Score the validation part, of all processes together."""
        judged = dict(one for of_process in gather_all(self._judged) for one in of_process)
        in_order = (judged[number] for number in sorted(judged))
        self._metrics = self.score(*(torch.cat(parts) for parts in zip(*in_order, strict=True)))
        self._judged.clear()
        self.log(self.settings.monitor, self._metrics[self.settings.monitor], prog_bar=True)

    def on_train_epoch_end(self) -> None:
        """Write down the epoch, and stop when nothing gets better."""
        losses, sizes = np.array(self._training_losses).T
        self._training_losses.clear()
        scores = {f"validation_{name}": value for name, value in self._metrics.items()}
        rate = float(self.optimizers().param_groups[0]["lr"])  # type: ignore[union-attr]
        row = {"train_loss": float(np.average(losses, weights=sizes)), **scores, "learning_rate": rate}
        self.epochs.append(row)
        self.frames_per_s.append(sum(gather_all(self._speed.frames_per_s)))
        if not sys.stdout.isatty() and own_rank() == 0:  # else the progress bar says it
            spelt = ", ".join(f"{name} {value:.3g}" for name, value in row.items())
            about = (self.data.fold, self.epoch - 1, spelt, self.frames_per_s[-1])
            logger.info("Fold %d, epoch %d: %s, %.0f frames/s", *about)
        self.trainer.should_stop = is_over(self.epochs, self.settings)

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """Adam, with weight decay as the settings say."""
        kind = torch.optim.Adam if self.settings.optimizer == "adam" else torch.optim.AdamW
        return kind(self.parameter_groups(), lr=self.settings.learning_rate, weight_decay=self.settings.weight_decay)

    def parameter_groups(self) -> list[dict[str, Any]]:
        """Let the encoder learn at its own share of the learning rate; without one, not at all."""
        encoder = list(self.network.encoder.parameters())  # in order: a checkpoint tells them apart by place alone
        rest = [value for name, value in self.network.named_parameters() if not name.startswith("encoder.")]
        share = self.settings.encoder_rate
        if share == 0 or not encoder:
            return [{"params": rest}]
        return [{"params": rest}, {"params": encoder, "lr": share * self.settings.learning_rate, _SHARE: share}]

    def check_weights(self) -> None:
        """Check, before they are kept, that all weights are numbers.

        Raises
        ------
        InputError
            If one is not.
        """
        if not all(bool(value.isfinite().all()) for value in self.network.state_dict().values()):
            raise self._divergence(f"Weights are not finite after {self.n_batches_done} batches")

    def _divergence(self, found: str) -> InputError:
        return InputError(
            f"{found} of epoch {self.epoch} of fold {self.data.fold}, where numbers were expected; lower learning_rate "
            "(now "
            f"{self.settings.learning_rate:g}) or gradient_clip ({self.settings.gradient_clip:g}), or set precision to "
            "32-true. The last good checkpoint is kept."
        )

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Keep the epochs so far, and the losses of the running one, beside the weights."""
        checkpoint["epochs"] = [dict(row) for row in self.epochs]
        checkpoint["frames_per_s"] = list(self.frames_per_s)
        checkpoint["training_losses"] = [list(batch) for batch in self._training_losses]

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Take the epochs so far, and the losses of the running one, from a checkpoint."""
        self.epochs = [dict(row) for row in checkpoint["epochs"]]
        self.frames_per_s = list(checkpoint["frames_per_s"])
        self._training_losses = [(loss, size) for loss, size in checkpoint["training_losses"]]


def embed_batch(network: FrameNetwork, batch: dict[str, Tensor]) -> Tensor:
    """Embed the frames of a batch, or take the embeddings of an encoder that does not learn."""
    return batch["embeddings_nd"] if "embeddings_nd" in batch else network.encode(batch["frames_nchw"])
