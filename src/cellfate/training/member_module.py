"""What the Lightning modules of the house do alike: average weights, write down epochs, decide when to stop.

Everything random in a step follows from the seed, the fold, the epoch and the place in it, so an interrupted training
that goes on from a checkpoint, of an epoch or within one, ends with the same weights.
"""

import copy
import logging
import math
import sys
from abc import abstractmethod
from collections.abc import Callable, Iterator
from typing import Any

import lightning
import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler

from cellfate.core.errors import InputError
from cellfate.models.frame_encoders import FrameNetwork
from cellfate.training.batches import Batch
from cellfate.training.early_stopping import EpochRow, best_epoch, is_over, next_learning_rate
from cellfate.training.fold_data import FoldData
from cellfate.training.pretraining import feature_loss
from cellfate.training.randomness import torch_seed
from cellfate.training.settings import FittingSettings

logger = logging.getLogger(__name__)


class _Batches(Dataset[dict[str, Tensor]]):
    """Batches by number, made when they are asked for."""

    def __init__(self, n_batches: int, make: Callable[[int], Batch]) -> None:
        self._n_batches = n_batches
        self._make = make

    def __len__(self) -> int:
        return self._n_batches

    def __getitem__(self, number: int) -> dict[str, Tensor]:
        return {name: torch.from_numpy(np.ascontiguousarray(array)) for name, array in self._make(number).items()}


class _Rest(Sampler[int]):
    """Numbers of the batches of an epoch that are still to come; as long as the whole epoch, as Lightning counts."""

    def __init__(self, n_done: int, n_batches: int) -> None:
        self._n_done = n_done
        self._n_batches = n_batches

    def __len__(self) -> int:
        return self._n_batches

    def __iter__(self) -> Iterator[int]:
        return iter(range(self._n_done, self._n_batches))


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
        self._training_losses: list[tuple[float, int]] = []
        self._judged: list[tuple[Tensor, ...]] = []
        self._metrics: dict[str, float] = {}

    @abstractmethod
    def batch_loss(self, batch: dict[str, Tensor]) -> tuple[Tensor, int]:
        """Mean loss of a training batch, and of how many cells or frames it is the mean."""

    def feature_error(self, embeddings_nd: Tensor, batch: dict[str, Tensor]) -> Tensor | float:
        """Weighted error of telling the features of a batch's frames; 0 where the network is not taught them."""
        if self.settings.feature_weight == 0:
            return 0.0
        told_nf = self.network.tell_features(embeddings_nd)
        return self.settings.feature_weight * feature_loss(told_nf, batch["features_nf"])

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

    def train_dataloader(self) -> DataLoader[dict[str, Tensor]]:
        """Batches of the running epoch; those that were done before the training was interrupted are left out."""
        epoch, plan = self.epoch, self.data.training_plan(self.epoch)
        batches = _Batches(len(plan), lambda number: self.data.training_batch(plan[number], epoch, number))
        return DataLoader(batches, batch_size=None, sampler=_Rest(len(self._training_losses), len(plan)))

    def val_dataloader(self) -> DataLoader[dict[str, Tensor]]:
        """Batches of the validation part, the same every time."""
        plan = self.data.validation_plan()
        return DataLoader(_Batches(len(plan), lambda i: self.data.validation.batch(plan[i])), batch_size=None)

    def training_step(self, batch: dict[str, Tensor], batch_idx: int) -> Tensor:
        """Mean loss of a batch."""
        torch.manual_seed(torch_seed(self.settings.seed, "step", self.data.fold, self.epoch, batch_idx))
        loss, size = self.batch_loss(batch)
        value = float(loss.detach())
        if not math.isfinite(value):
            raise self._divergence(f"The loss is {value} in batch {batch_idx}")
        self._training_losses.append((value, size))
        self.log("train_loss", loss.detach(), prog_bar=True, on_step=True, on_epoch=False, batch_size=size)
        return loss

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
        self._judged.append(tuple(of_batch.cpu() for of_batch in self.judge(batch)))

    def on_validation_epoch_end(self) -> None:
        """Score the validation part."""
        self._metrics = self.score(*(torch.cat(parts) for parts in zip(*self._judged, strict=True)))
        self._judged.clear()
        self.log(self.settings.monitor, self._metrics[self.settings.monitor], prog_bar=True)

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
            logger.info("Fold %d, epoch %d: %s", self.data.fold, self.epoch - 1, spelt)
        factor = next_learning_rate(self.epochs, self.settings) / rate
        for group in groups:
            group["lr"] *= factor
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
        return [{"params": rest}, {"params": encoder, "lr": share * self.settings.learning_rate}]

    def check_weights(self) -> None:
        """Check, before they are kept, that all weights are numbers.

        Raises
        ------
        InputError
            If one is not.
        """
        if not all(bool(value.isfinite().all()) for value in self.network.state_dict().values()):
            raise self._divergence(f"Weights are not finite after {len(self._training_losses)} batches")

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
        checkpoint["training_losses"] = [list(batch) for batch in self._training_losses]

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Take the epochs so far, and the losses of the running one, from a checkpoint."""
        self.epochs = [dict(row) for row in checkpoint["epochs"]]
        self._training_losses = [(loss, size) for loss, size in checkpoint["training_losses"]]


def embed_batch(network: FrameNetwork, batch: dict[str, Tensor]) -> Tensor:
    """Embed the frames of a batch, or take the embeddings of an encoder that does not learn."""
    return batch["embeddings_nd"] if "embeddings_nd" in batch else network.encode(batch["frames_nchw"])
