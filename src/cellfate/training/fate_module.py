"""The Lightning module of the fate classifier: its loss and its validation metrics.

Shape suffixes: n packed frames, m packed frames of samples, b samples, k logits.
"""

from typing import cast

import torch
from torch import Tensor, nn

from cellfate.models.fate_classifier import FateClassifier
from cellfate.training.fold_data import FoldData
from cellfate.training.member_module import MemberModule
from cellfate.training.settings import TrainingSettings
from cellfate.training.validation import FloatArray, validation_metrics


class FateModule(MemberModule):
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

    network: FateClassifier
    average: FateClassifier

    def __init__(self, network: FateClassifier, data: FoldData, settings: TrainingSettings) -> None:
        super().__init__(network, data, settings)
        self._data = data
        self._settings = settings
        self._logits: list[Tensor] = []
        self._rows: list[Tensor] = []

    def batch_loss(self, batch: dict[str, Tensor]) -> tuple[Tensor, int]:
        """Mean loss of the samples of a batch."""
        logits_bk = forward_batch(self.network, batch)
        rows = batch["rows_b"].cpu().numpy()
        targets_b = torch.from_numpy(self._data.train.targets_n[rows]).to(logits_bk.device)
        losses_b = sample_losses(logits_bk, targets_b)
        if self._settings.balance == "loss_weights":
            losses_b = losses_b * torch.from_numpy(self._data.weights_n[rows]).to(losses_b)
        return losses_b.mean(), len(rows)

    def validation_step(self, batch: dict[str, Tensor], batch_idx: int) -> None:
        """Collect the logits of a batch."""
        self._logits.append(forward_batch(self.average, batch).float().cpu())
        self._rows.append(batch["rows_b"].cpu())

    def score_validation(self) -> dict[str, float]:
        """Score the validation part."""
        return validation_metrics(self._collect(), self._data.validation.targets_n)

    def validation_probabilities(self) -> FloatArray:
        """Probabilities (N, outcomes) of the validation samples, in their order, by the weights as they are."""
        self.run_validation()
        return self._collect()

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
