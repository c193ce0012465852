"""Trainings that processes share: what they do beside training, so that a test sees it."""

import os
import signal
import sys
from pathlib import Path
from typing import Any, Self

import torch
from safetensors.torch import save_file

from cellfate.models.fate_classifier import FateClassifier
from cellfate.models.fate_clock import FateClock
from cellfate.training.classifier_module import ClassifierModule
from cellfate.training.clock_module import ClockModule
from cellfate.training.fold_data import FoldData
from cellfate.training.member_module import MemberModule
from cellfate.training.processes import own_rank
from tests.cases.killed_trainings import WEIGHTS, list_arrays
from tests.cases.trainings import TINY_CLOCK, TINY_MODEL, tiny_clock_training, trainable_study


class _Frozen(MemberModule):
    """Normalises by running statistics, drops nothing, and keeps the gradients of its first step."""

    gradients: Path

    def train(self, mode: bool = True) -> Self:
        super().train(mode)
        self.network.eval()
        return self

    def on_before_optimizer_step(self, optimizer: Any) -> None:
        if not self.gradients.exists() and own_rank() == 0:
            save_file(list_gradients(self), self.gradients)


class FrozenClassifier(_Frozen, ClassifierModule):
    """A classifier."""


class FrozenClock(_Frozen, ClockModule):
    """A fate clock."""


class DyingClassifier(ClassifierModule):
    """The second process is killed in the second epoch, if the first machine's disk has no file that forbids it."""

    spared: Path

    def training_step(self, batch: dict[str, torch.Tensor], batch_idx: int) -> torch.Tensor:
        if own_rank() == 1 and self.epoch == 1 and not self.spared.exists():
            os.kill(os.getpid(), signal.SIGKILL)
        return super().training_step(batch, batch_idx)


def list_gradients(module: MemberModule) -> dict[str, torch.Tensor]:
    """Gradients of the weights that have one."""
    return {name: value.grad for name, value in module.network.named_parameters() if value.grad is not None}


def build_classifier(kind: type[ClassifierModule], data: FoldData[Any]) -> ClassifierModule:
    """A small classifier."""
    return kind(FateClassifier(TINY_MODEL, 2, 2), data)


def build_clock(kind: type[ClockModule], data: FoldData[Any]) -> ClockModule:
    """A small fate clock of two channels and the mask."""
    return kind(FateClock(TINY_CLOCK, 3, 4, 2, data.n_features), data)


if __name__ == "__main__":  # one machine of two, which meet here
    folder = Path(sys.argv[1])
    study = trainable_study(folder / f"study_{os.environ['NODE_RANK']}", scheme="grouped_holdout")
    members = study.fit(tiny_clock_training(folder, num_nodes=2, threads=1, max_frames_per_batch=20))
    from safetensors.numpy import save_file as save_arrays

    save_arrays(list_arrays(members), folder / f"{os.environ['NODE_RANK']}_{WEIGHTS}")
