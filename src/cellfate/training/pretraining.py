"""What an encoder is taught before fates or hazards: to tell frame features of single crops.

Its state is kept every few minutes and at its end, so an interrupted pretraining goes on to the same weights.

Shape suffixes: n packed frames or crops, f features, p pairs of crops, d embedding.
"""

import logging
import math
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple, cast

import numpy as np
import torch
from torch import Tensor, nn

from cellfate.core.errors import InputError
from cellfate.models.frame_encoders import FrameNetwork
from cellfate.training.batch_plans import mixed_batches
from cellfate.training.batches import Batch, FloatArray, IntArray
from cellfate.training.checkpoints import (
    LAST,
    PRETRAINING,
    CheckpointClock,
    read_checkpoint,
    read_weights,
    write_checkpoint,
)
from cellfate.training.fold_data import Cells, FoldData
from cellfate.training.kernels import mixed_precision, set_up_kernels
from cellfate.training.launching import is_further_machine
from cellfate.training.randomness import random_stream
from cellfate.training.settings import FittingSettings

logger = logging.getLogger(__name__)

POOL_FRAMES = 4096
"""Crops that are shuffled together; bounds memory."""
N_VIEWS = 4
"""Views of every training crop that are embedded when the encoder no longer learns."""


class CropDraw(NamedTuple):
    """Crops of a step."""

    done: float
    """Share of the pass that is over."""
    frames_nchw: FloatArray
    """Prepared, augmented crops: those drawn, then, for the time arrow, later ones of the same cells."""
    features_nf: FloatArray
    """Standardised features of those drawn."""
    pairs_p2: IntArray
    """Places in `frames_nchw` of an earlier and a later frame of one cell; no row without the time arrow."""


def teach_encoder(network: FrameNetwork, data: FoldData[Cells], folder: Path) -> FoldData[Cells]:
    """Pretrain the encoder, or take it from a checkpoint of the training that goes on; it is moved to the GPU if any.

    Parameters
    ----------
    network
        Its encoder and its feature layer are changed.
    data
        The fold's data; its settings say how.
    folder
        Where the fold keeps its checkpoints.

    Returns
    -------
    FoldData
        The same, with embeddings instead of crops if the encoder is not to learn any more.
    """
    network.to("cuda" if torch.cuda.is_available() else "cpu")
    set_up_kernels(network, data.settings)
    learns = data.settings.encoder_rate > 0
    if not (folder / LAST).is_file():
        pretrain_encoder(network, data, folder)
    elif not learns:
        weights = read_weights(folder / LAST, "network")
        network.load_state_dict({name: torch.from_numpy(value) for name, value in weights.items()})
    return data if learns else embed_cells(network, data)


def pretrain_encoder(network: FrameNetwork, data: FoldData[Cells], folder: Path) -> float:
    """Teach the encoder to tell features of single crops, drawn over all training cells in random order.

    Parameters
    ----------
    network
        Its encoder and its feature layer are changed.
    data
        The fold's data; its settings say passes, batch size and learning rate.
    folder
        Where the fold keeps its checkpoints; a pretraining that was interrupted goes on from there.

    Returns
    -------
    float
        Mean squared error of the last pass, in units of the features' variance; NaN without a pass.

    Raises
    ------
    InputError
        If the error is no longer a number, or the checkpoint is damaged.
    """
    settings = data.settings
    if network.features is None or not settings.pretraining_epochs:
        return float("nan")
    lessons = _Lessons(network, data, folder / PRETRAINING)
    lessons.restore()
    clock = CheckpointClock(settings.checkpoint_minutes)
    for epoch in range(lessons.epoch, settings.pretraining_epochs):
        n_done = len(lessons.errors)
        for draw in islice(draw_crops(data, epoch), n_done, None):  # those before an interruption are drawn again
            lessons.take(draw)
            if clock.is_due:
                lessons.keep()
                clock.restart()
        lessons.end_pass()
    lessons.keep()
    return lessons.error


class _Lessons:
    """An encoder with the layers that teach it, and how far it has come.

    Attributes
    ----------
    epoch : int
        Pass that is running.
    errors : list of float
        Mean squared error of each of its batches so far.
    error : float
        Their mean over the pass before; NaN before the first has ended.
    """

    def __init__(self, network: FrameNetwork, data: FoldData[Cells], path: Path) -> None:
        self._network, self._settings, self._fold, self._path = network, data.settings, data.fold, path
        self._device = next(network.parameters()).device
        self._arrow = nn.Linear(network.size, 1, bias=False).to(self._device)
        assert network.features is not None, "the network was built without the auxiliary task"
        self._parts = nn.ModuleList((network.encoder, network.features, self._arrow))
        rate, decay = self._settings.pretraining_rate, self._settings.weight_decay
        self._optimizer = torch.optim.AdamW(self._parts.parameters(), lr=rate, weight_decay=decay)
        network.train()
        self.epoch, self.error = 0, float("nan")
        self.errors: list[float] = []

    def take(self, draw: CropDraw) -> None:
        """Make a step."""
        progress = (self.epoch + draw.done) / self._settings.pretraining_epochs
        for group in self._optimizer.param_groups:
            group["lr"] = self._settings.pretraining_rate * (1 + math.cos(math.pi * progress)) / 2
        features_nf = torch.from_numpy(draw.features_nf).to(self._device)
        pairs_p2 = torch.from_numpy(draw.pairs_p2).to(self._device)
        with mixed_precision(self._settings, self._device):
            embeddings_nd = self._network.encode(torch.from_numpy(draw.frames_nchw).to(self._device))
            error = feature_loss(self._network.tell_features(embeddings_nd[: len(features_nf)]), features_nf)
            later = arrow_loss(self._arrow, embeddings_nd[:, : self._network.size], pairs_p2)
        loss = error + self._settings.time_arrow_weight * later
        if not math.isfinite(loss.item()):
            raise InputError(
                f"The loss is {loss.item()} in batch {len(self.errors)} of pass {self.epoch} of the pretraining of "
                f"fold {self._fold}, where a number was expected; lower pretraining_rate "
                f"(now {self._settings.pretraining_rate:g})."
            )
        self._optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        self._optimizer.step()
        self.errors.append(error.item())

    def end_pass(self) -> None:
        """Go on to the next pass."""
        self.error = float(np.mean(self.errors))
        logger.info("Fold %d, pretraining, pass %d: error %.3f", self._fold, self.epoch, self.error)
        self.errors, self.epoch = [], self.epoch + 1

    def keep(self) -> None:
        """Write all of this to the checkpoint."""
        if is_further_machine(self._settings):  # the first writes the same
            return
        state = {"parts": self._parts.state_dict(), "optimizer": self._optimizer.state_dict()}
        write_checkpoint(state | {"epoch": self.epoch, "errors": self.errors, "error": self.error}, self._path)

    def restore(self) -> None:
        """Take all of this from the checkpoint, if there is one."""
        if not self._path.is_file():
            return
        state: dict[str, Any] = read_checkpoint(self._path)
        self._parts.load_state_dict(state["parts"])
        self._optimizer.load_state_dict(state["optimizer"])
        self.epoch, self.errors, self.error = state["epoch"], state["errors"], state["error"]
        logger.info("The pretraining goes on in pass %d after %d batches", self.epoch, len(self.errors))


def draw_crops(data: FoldData[Cells], epoch: int) -> Iterator[CropDraw]:
    """Draw all training crops once, in random order.

    Crops are shuffled within pools of whole cells, so that memory is bounded whatever the number of cells.
    """
    settings, cells = data.settings, data.measured
    assert cells is not None, "the data hold no measured cells"
    rng = random_stream(settings.seed, "pretraining", data.fold, epoch)
    pools = mixed_batches(cells.lengths_n, POOL_FRAMES, rng)
    for number, pool in enumerate(pools):
        batch = cells.batch(pool, rng)
        order = rng.permutation(len(batch["frames_nchw"]))
        for start in range(0, len(order), settings.pretraining_frames):
            done = (number + start / len(order)) / len(pools)
            yield _draw(batch, order[start : start + settings.pretraining_frames], done, settings)


def feature_loss(told_nf: Tensor, features_nf: Tensor) -> Tensor:
    """Mean squared error over the features that were measured; 0 where none was."""
    known_nf = ~features_nf.isnan()
    errors_nf = (told_nf - features_nf.nan_to_num()).square() * known_nf
    return errors_nf.sum() / known_nf.sum().clamp(min=1)


def arrow_loss(arrow: nn.Linear, embeddings_nd: Tensor, pairs_p2: Tensor) -> Tensor:
    """Mean cross-entropy of telling the later of two frames from the earlier; 0 without pairs.

    What is told is a linear function of the difference of two embeddings, so exchanging the frames exchanges the
    answer, and they need not be shuffled.
    """
    if not len(pairs_p2):
        return embeddings_nd.new_zeros(())
    forward_p = arrow(embeddings_nd[pairs_p2[:, 1]] - embeddings_nd[pairs_p2[:, 0]])[:, 0]
    return nn.functional.softplus(-forward_p.to(embeddings_nd.dtype)).mean()


def embed_cells(network: FrameNetwork, data: FoldData[Cells]) -> FoldData[Cells]:
    """Embed all crops once, for an encoder that no longer learns: training crops in several views."""

    def encode(frames_nchw: FloatArray) -> FloatArray:
        frames = torch.from_numpy(np.ascontiguousarray(frames_nchw)).to(next(network.parameters()).device)
        with torch.no_grad():
            return cast(FloatArray, network.encode(frames).cpu().numpy())

    network.encoder.eval()
    streams = [random_stream(data.settings.seed, "views", data.fold, view) for view in range(N_VIEWS)]
    train = replace(data.train, views=[data.train.embed(encode, rng) for rng in streams])
    return replace(data, train=train, validation=replace(data.validation, views=[data.validation.embed(encode)]))


def _draw(batch: Batch, drawn_n: IntArray, done: float, settings: FittingSettings) -> CropDraw:
    """Take the crops drawn and, for the time arrow, later frames of the same cells where there are such."""
    features_nf = batch["features_nf"][drawn_n]
    if settings.time_arrow_weight == 0:
        return CropDraw(done, batch["frames_nchw"][drawn_n], features_nf, np.zeros((0, 2), np.int64))
    cells_n = np.repeat(np.arange(len(batch["lengths_b"])), batch["lengths_b"])
    later_n = np.minimum(drawn_n + settings.time_arrow_frames, len(cells_n) - 1)
    gap_n = batch["positions_n"][later_n] - batch["positions_n"][drawn_n]
    paired_n = (cells_n[later_n] == cells_n[drawn_n]) & (gap_n == settings.time_arrow_frames)
    pairs_p2 = np.stack((np.flatnonzero(paired_n), len(drawn_n) + np.arange(paired_n.sum())), axis=1)
    frames_nchw = batch["frames_nchw"][np.concatenate((drawn_n, later_n[paired_n]))]
    return CropDraw(done, frames_nchw, features_nf, pairs_p2)
