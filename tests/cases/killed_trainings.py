"""A training in a process of its own, which kills itself: `python -m tests.cases.killed_trainings FOLDER MOMENT`."""

import os
import signal
import sys
from pathlib import Path
from typing import Any, Final

import numpy as np
from safetensors.numpy import save_file

from cellfate.models.fitted_member import FittedMember
from cellfate.training import checkpoints, epoch_checkpoints, fitting, pretraining
from cellfate.training.member_module import MemberModule
from cellfate.training.settings import ClockTrainingSettings
from tests.cases.trainings import tiny_clock_training, trainable_study

MOMENTS: Final[dict[str, tuple[Any, str, int]]] = {
    "in the second pass of the pretraining": (pretraining._Lessons, "take", 7),
    "while a checkpoint is written": (checkpoints.os, "fsync", 6),
    "in the middle of an epoch": (MemberModule, "training_step", 7),
    "in the validation": (MemberModule, "validation_step", 1),
    "before the checkpoint of an epoch": (epoch_checkpoints, "write_checkpoint", 1),
    "after the last epoch of a fold": (fitting, "read_weights", 0),
}
"""Whose function kills the process instead of doing anything, after it was called so often."""
WEIGHTS: Final = "members.safetensors"


def kept_often(folder: Path) -> ClockTrainingSettings:
    """A clock whose encoder is pretrained and learns on, with a checkpoint after every batch, of five in an epoch."""
    changes = {
        "schedule": "cosine",
        "warmup_epochs": 1.5,
        "max_frames_per_batch": 20,
        "checkpoint_minutes": 1e-9,
        "encoder_rate": 0.5,
        "feature_weight": 0.1,
    }
    return tiny_clock_training(folder, threads=1, **changes)


def list_arrays(members: list[FittedMember]) -> dict[str, Any]:
    """Weights and epochs of all members."""
    arrays = {f"{member.fold}.{name}": value for member in members for name, value in member.weights.items()}
    epochs = {f"{member.fold}.epochs": np.array([list(row.values()) for row in member.epochs]) for member in members}
    return arrays | epochs


def plan_death(owner: Any, name: str, n_times: int) -> None:
    """Have a function kill the process after so many calls."""
    function, calls = getattr(owner, name), iter(range(n_times))

    def dies(*arguments: Any, **named: Any) -> Any:
        if next(calls, None) is None:
            os.kill(os.getpid(), signal.SIGKILL)
        return function(*arguments, **named)

    setattr(owner, name, dies)


if __name__ == "__main__":
    folder, moment = Path(sys.argv[1]), sys.argv[2]
    study = trainable_study(folder / "study")
    if moment in MOMENTS:
        plan_death(*MOMENTS[moment])
    save_file(list_arrays(study.fit(kept_often(folder))), folder / WEIGHTS)
