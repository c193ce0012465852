"""The Lightning module of the classifier: its loss and its validation metrics.

Shape suffixes: b cells of a batch, n cells of the validation part, k logits.
"""

import torch
from torch import Tensor, nn

from cellfate.models.fate_classifier import FateClassifier
from cellfate.training.member_module import MemberModule, embed_batch
from cellfate.training.processes import LossTerm
from cellfate.training.settings import TrainingSettings
from cellfate.training.validation import validation_metrics


class ClassifierModule(MemberModule):
    """Trains a classifier on the data of one fold; see `MemberModule`."""

    network: FateClassifier
    average: FateClassifier
    settings: TrainingSettings

    def batch_loss(self, batch: dict[str, Tensor]) -> list[LossTerm]:
        """Mean loss of the cells of a batch, and the weighted error of the auxiliary task."""
        embeddings_nd = embed_batch(self.network, batch)
        losses_b = cell_losses(_read(self.network, embeddings_nd, batch), batch["targets_b"])
        if self.settings.balance == "loss_weights":
            losses_b = losses_b * batch["weights_b"].to(losses_b)
        return [LossTerm(losses_b.mean(), len(losses_b)), *self.feature_terms(embeddings_nd, batch)]

    def judge(self, batch: dict[str, Tensor]) -> tuple[Tensor, ...]:
        """Logits and fates of the cells of a batch."""
        return forward_batch(self.average, batch), batch["targets_b"]

    def score(self, *judged: Tensor) -> dict[str, float]:
        """Log loss, balanced accuracy and AUROC of the validation part."""
        logits_nk, targets_n = judged
        if logits_nk.shape[1] == 1:
            logits_nk = torch.cat((logits_nk, torch.zeros_like(logits_nk)), dim=1)
        return validation_metrics(logits_nk.double().softmax(dim=1).numpy(), targets_n.numpy())


def forward_batch(network: FateClassifier, batch: dict[str, Tensor]) -> Tensor:
    """Logits (B, K) of the cells of a batch."""
    return _read(network, embed_batch(network, batch), batch)


def _read(network: FateClassifier, embeddings_nd: Tensor, batch: dict[str, Tensor]) -> Tensor:
    return network.classify(embeddings_nd, batch["positions_n"], batch["lengths_b"])


def cell_losses(logits_bk: Tensor, targets_b: Tensor) -> Tensor:
    """Loss of each cell: binary cross-entropy of the first outcome for one logit, else cross-entropy."""
    if logits_bk.shape[1] == 1:
        positive_b = (targets_b == 0).to(logits_bk.dtype)
        return nn.functional.binary_cross_entropy_with_logits(logits_bk[:, 0], positive_b, reduction="none")
    return nn.functional.cross_entropy(logits_bk, targets_b, reduction="none")
