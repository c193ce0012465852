"""The Lightning module of the fate clock's network: the likelihood of competing risks, and the auxiliary task.

Shape suffixes: n packed frames, k bins of time, e events, d embedding.
"""

import torch
from torch import Tensor, nn

from cellfate.models.fate_clock import FateClock
from cellfate.statistics.incidence import UNOBSERVED
from cellfate.training.member_module import MemberModule, embed_batch
from cellfate.training.processes import LossTerm
from cellfate.training.settings import ClockTrainingSettings


class ClockModule(MemberModule):
    """Trains the network of a fate clock on the data of one fold; see `MemberModule`."""

    network: FateClock
    average: FateClock
    settings: ClockTrainingSettings

    def batch_loss(self, batch: dict[str, Tensor]) -> list[LossTerm]:
        """Negative log likelihood a frame, and the weighted error of the auxiliary task."""
        embeddings_nd = embed_batch(self.network, batch)
        losses_n = frame_losses(_read(self.network, embeddings_nd, batch), batch["labels_nk"])
        return [LossTerm(losses_n.mean(), len(losses_n)), *self.feature_terms(embeddings_nd, batch)]

    def judge(self, batch: dict[str, Tensor]) -> tuple[Tensor, ...]:
        """Losses of a batch's frames."""
        logits_nke = _read(self.average, embed_batch(self.average, batch), batch)
        return (frame_losses(logits_nke, batch["labels_nk"]),)

    def score(self, *judged: Tensor) -> dict[str, float]:
        """Mean negative log likelihood a frame of the validation part."""
        (losses_n,) = judged
        return {"log_loss": float(losses_n.double().mean())}


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


def _read(network: FateClock, embeddings_nd: Tensor, batch: dict[str, Tensor]) -> Tensor:
    """Hazard log odds (N, K, E) of a batch whose frames are embedded."""
    return network.read(embeddings_nd, batch["positions_n"], batch["lengths_b"], batch["ages_na"])
