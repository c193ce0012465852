"""The Lightning module of the fate clock: the likelihood of competing risks at every frame, and the auxiliary task.

Shape suffixes: n packed frames, k bins of time, e events, f features.
"""

import logging
import math
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn

from cellfate.models.fate_clock import FateClock
from cellfate.statistics.incidence import UNOBSERVED
from cellfate.training.clock_data import ClockData, FloatArray
from cellfate.training.member_module import MemberModule
from cellfate.training.settings import ClockTrainingSettings

logger = logging.getLogger(__name__)


class ClockModule(MemberModule):
    """Trains a fate clock on the data of one fold.

    Parameters
    ----------
    network
        What is trained.
    data
        What it is trained on.
    settings
        How.
    """

    network: FateClock
    average: FateClock

    def __init__(self, network: FateClock, data: ClockData, settings: ClockTrainingSettings) -> None:
        super().__init__(network, data, settings)
        self._settings = settings
        self._losses: list[Tensor] = []

    def parameter_groups(self) -> list[dict[str, Any]]:
        """Let the encoder learn at its own share of the learning rate; without one, not at all."""
        encoder = list(self.network.encoder.parameters())  # in order: a checkpoint tells them apart by place alone
        rest = [value for name, value in self.network.named_parameters() if not name.startswith("encoder.")]
        share = self._settings.encoder_rate
        if share == 0:
            return [{"params": rest}]
        return [{"params": rest}, {"params": encoder, "lr": share * self._settings.learning_rate}]

    def batch_loss(self, batch: dict[str, Tensor]) -> tuple[Tensor, int]:
        """Negative log likelihood a frame, and the weighted error of the auxiliary task."""
        embeddings_nd = self._embed(batch, self.network)
        loss = frame_losses(read_batch(self.network, embeddings_nd, batch), batch["labels_nk"]).mean()
        if self._settings.feature_weight > 0:
            error = feature_loss(self.network.tell_features(embeddings_nd), batch["features_nf"])
            loss = loss + self._settings.feature_weight * error
        return loss, len(embeddings_nd)

    def _embed(self, batch: dict[str, Tensor], network: FateClock) -> Tensor:
        """Embed the frames of a batch, or take the embeddings of an encoder that does not learn."""
        if self._settings.encoder_rate > 0:
            return network.encode(batch["frames_nchw"])
        return batch["embeddings_nd"]

    def validation_step(self, batch: dict[str, Tensor], batch_idx: int) -> None:
        """Collect the losses of a batch's frames."""
        logits_nke = read_batch(self.average, self._embed(batch, self.average), batch)
        self._losses.append(frame_losses(logits_nke, batch["labels_nk"]).double().cpu())

    def score_validation(self) -> dict[str, float]:
        """Mean negative log likelihood a frame of the validation part."""
        losses_n = torch.cat(self._losses)
        self._losses.clear()
        return {"log_loss": float(losses_n.mean())}


def read_batch(network: FateClock, embeddings_nd: Tensor, batch: dict[str, Tensor]) -> Tensor:
    """Hazard log odds (N, K, E) of a batch whose frames are embedded."""
    return network.read(embeddings_nd, batch["positions_m"], batch["lengths_b"], batch["ages_na"])


def frame_losses(logits_nke: Tensor, labels_nk: Tensor) -> Tensor:
    """Negative log likelihood of the competing risks at each frame, in nats, (N,).

    Every bin that was watched adds the logarithm of the probability of what was seen in it, given nothing before:
    the likelihood of discrete-time, cause-specific hazards (Tutz and Schmid 2016, chapter 8). A bin that was not
    watched to its end, after an event or a loss, adds nothing.
    """
    against_nk1 = torch.zeros_like(logits_nke[..., :1])
    scores_nck = torch.cat((against_nk1, logits_nke), dim=-1).movedim(-1, 1)
    losses_nk = nn.functional.cross_entropy(scores_nck, labels_nk, ignore_index=UNOBSERVED, reduction="none")
    return losses_nk.sum(dim=1)


def feature_loss(told_nf: Tensor, features_nf: Tensor) -> Tensor:
    """Mean squared error over the features that were measured; 0 where none was."""
    known_nf = ~features_nf.isnan()
    errors_nf = (told_nf - features_nf.nan_to_num()).square() * known_nf
    return errors_nf.sum() / known_nf.sum().clamp(min=1)


def pretrain_encoder(network: FateClock, data: ClockData, settings: ClockTrainingSettings) -> float:
    """Teach the encoder to tell handcrafted features of single crops, drawn over all training cells in random order.

    Parameters
    ----------
    network
        Its encoder and its feature layer are changed.
    data
        The fold's data.
    settings
        Passes, batch size, learning rate.

    Returns
    -------
    float
        Mean squared error of the last pass, in units of the features' variance; NaN without a pass.
    """
    if network.features is None or not settings.pretraining_epochs:
        return float("nan")
    if network.features is None or not settings.pretraining_epochs:
        return float("nan")
    device = next(network.parameters()).device
    arrow = nn.Linear(network.size, 1, bias=False).to(device)
    parts = (network.encoder, network.features, arrow)
    parameters = [parameter for part in parts for parameter in part.parameters()]
    optimizer = torch.optim.AdamW(parameters, lr=settings.pretraining_rate, weight_decay=settings.weight_decay)
    network.train()
    errors: list[float] = []
    for epoch in range(settings.pretraining_epochs):
        errors.clear()
        for draw in data.draw_crops(epoch):
            progress = (epoch + draw.done) / settings.pretraining_epochs
            for group in optimizer.param_groups:
                group["lr"] = settings.pretraining_rate * (1 + math.cos(math.pi * progress)) / 2
            embeddings_nd = network.encode(torch.from_numpy(draw.frames_nchw).to(device))
            features_nf = torch.from_numpy(draw.features_nf).to(device)
            error = feature_loss(network.tell_features(embeddings_nd[: len(features_nf)]), features_nf)
            pairs_p2 = torch.from_numpy(draw.pairs_p2).to(device)
            loss = error + settings.time_arrow_weight * arrow_loss(arrow, embeddings_nd, pairs_p2)
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            errors.append(error.item())
        logger.info("Fold %d, pretraining, pass %d: error %.3f", data.fold, epoch, np.mean(errors))
    return float(np.mean(errors))


def arrow_loss(arrow: nn.Linear, embeddings_nd: Tensor, pairs_p2: Tensor) -> Tensor:
    """Mean cross-entropy of telling the later of two frames from the earlier; 0 without pairs.

    What is told is a linear function of the difference of two embeddings, so exchanging the frames exchanges the
    answer, and they need not be shuffled.
    """
    if not len(pairs_p2):
        return embeddings_nd.new_zeros(())
    forward_p = arrow(embeddings_nd[pairs_p2[:, 1]] - embeddings_nd[pairs_p2[:, 0]])[:, 0]
    return nn.functional.softplus(-forward_p).mean()


def embed_frames(network: FateClock, frames_nchw: FloatArray) -> FloatArray:
    """Embed prepared crops (N, C, H, W) by the encoder as it is, as (N, D)."""
    device = next(network.parameters()).device
    network.encoder.eval()
    with torch.no_grad():
        return cast(
            FloatArray, network.encode(torch.from_numpy(np.ascontiguousarray(frames_nchw)).to(device)).cpu().numpy()
        )
