"""Fitting one member a fold, of whatever model, with the Lightning Trainer.

An unfinished training with the same data and settings goes on from its checkpoints to the same result; a finished one
leaves none and starts anew.
"""

import logging
import math
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from cellfate.core.errors import InputError
from cellfate.core.tables import TrainingHistory
from cellfate.models.fitted_member import FittedMember
from cellfate.training.checkpoints import (
    BEST,
    LAST,
    clear_run,
    load_member,
    read_checkpoint,
    read_weights,
    save_member,
    tell_unfinished,
)
from cellfate.training.early_stopping import best_epoch, is_over
from cellfate.training.fold_data import Cells, FoldData
from cellfate.training.launching import fit_in_processes, is_further_machine
from cellfate.training.randomness import torch_seed
from cellfate.training.settings import FittingSettings

if TYPE_CHECKING:
    from cellfate.training.member_module import MemberModule

logger = logging.getLogger(__name__)

Build = Callable[[FoldData[Cells], Path], "MemberModule"]
"""Makes the module of a fold; it is told the folder of the checkpoints that the training will go on from."""


def fit_members(folds: Sequence[FoldData[Cells]], build: Build[Cells], folder: Path) -> list[FittedMember]:
    """Fit one network in every fold.

    Parameters
    ----------
    folds
        Data of each fold.
    build
        Makes a fold's module.
    folder
        Where the run keeps its checkpoints; removed in the end.

    Returns
    -------
    list of FittedMember
        One a fold, in the order of the folds, with the weights of its best epoch; of the folds of `only_folds`, where
        those are given; none on a further machine, which only helps.

    Raises
    ------
    InputError
        If a checkpoint is damaged, the loss is no longer a number, there is no such fold, or a process was ended.
    """
    members = []
    tell_unfinished(folder)
    chosen = _choose_folds(folds)
    for data in chosen:
        of_fold = folder / f"fold_{data.fold}"
        member = load_member(of_fold)
        if member is not None:
            logger.info("Fold %d was finished before; its member is taken back from %s", data.fold, of_fold)
        elif is_further_machine(data.settings):
            _train(data, build, of_fold)
            continue
        else:
            member = _fit_member(data, build, of_fold)
            save_member(member, of_fold)
        members.append(member)
    if all(data.settings.only_folds is None and not is_further_machine(data.settings) for data in folds):
        clear_run(folder)
    return members


def _choose_folds(folds: Sequence[FoldData[Cells]]) -> list[FoldData[Cells]]:
    there = [data.fold for data in folds]
    chosen = [data for data in folds if data.fold in (data.settings.only_folds or there)]
    asked = {fold for data in folds for fold in data.settings.only_folds or ()}
    if missing := sorted(asked - set(there)):
        raise InputError(f"only_folds names fold {missing[0]}, but the splits have {there}; correct it.")
    return chosen


def history_table(members: Sequence[FittedMember]) -> pd.DataFrame:
    """Tell how each member's training went, as table `TrainingHistory`; empty where there is no member."""
    rows = [
        {"fold": member.fold, "epoch": epoch, **row, "frames_per_s": speed, "kept": epoch == member.best_epoch}
        for member in members
        for epoch, (row, speed) in enumerate(zip(member.epochs, member.frames_per_s, strict=True))
    ]
    return TrainingHistory.validate(pd.DataFrame(rows)) if rows else TrainingHistory.empty()


def _train(data: FoldData[Cells], build: Build[Cells], folder: Path) -> "MemberModule":
    """Train until the end; what came of it is in the folder."""
    with _fork_seeded(data.settings, data.fold):
        module = build(data, folder)
        n_parameters = sum(parameter.numel() for parameter in module.network.parameters())
        sizes = (data.fold, len(data.train), len(data.validation), n_parameters)
        logger.info("Fold %d: %d training and %d validation cells, %d parameters", *sizes)
        _run_trainer(module, folder)
    return module


def _fit_member(data: FoldData[Cells], build: Build[Cells], folder: Path) -> FittedMember:
    module = _train(data, build, folder)
    state = read_checkpoint(folder / LAST)
    epochs = state["epochs"]
    best = best_epoch(epochs, data.settings)
    logger.info("Fold %d: epoch %d of %d kept", data.fold, best, len(epochs))
    scores = {name: value for name, value in epochs[best].items() if name.startswith("validation_")}
    weights = read_weights(folder / BEST, "average")
    return FittedMember(
        fold=data.fold,
        weights={name: value for name, value in weights.items() if not name.startswith(module.unused)},
        epochs=epochs,
        frames_per_s=state["frames_per_s"],
        best_epoch=best,
        validation={k.removeprefix("validation_"): None if math.isnan(v) else v for k, v in scores.items()},
        n_train=len(data.train),
        n_validation=len(data.validation),
        columns=[scale.model_dump() for scale in data.scales],
    )


def _run_trainer(module: "MemberModule", folder: Path) -> None:
    """Train from the start or from the last checkpoint; nothing is done if that one was the end."""
    last, training = folder / LAST, module.settings
    if last.is_file():
        state = read_checkpoint(last)
        epochs, n_batches = state["epochs"], len(state["training_losses"])
        logger.info("An unfinished training goes on in epoch %d after %d batches (%s)", len(epochs), n_batches, last)
        if is_over(epochs, training):
            return
    if training.devices * training.num_nodes == 1:
        fit_module(module, folder)
    else:
        fit_in_processes(fit_module, module, folder)


def fit_module(module: "MemberModule", folder: Path) -> None:
    """Train with Lightning in this process, which may be one of several that train together."""
    import lightning
    from lightning.fabric.plugins.environments.lightning import LightningEnvironment
    from lightning.pytorch.strategies import DDPStrategy
    from torch import cuda

    from cellfate.training.epoch_checkpoints import EpochCheckpoints, WholeCheckpointIO

    last, training = folder / LAST, module.settings
    together = training.devices * training.num_nodes > 1
    unused = training.encoder_rate == 0 or module.network.features is not None
    # without a GPU every process normalises by its own frames; the running statistics are those of the first
    parallel: dict[str, Any] = {
        "strategy": DDPStrategy(find_unused_parameters=unused, broadcast_buffers=False),
        "num_nodes": training.num_nodes,
        "sync_batchnorm": cuda.is_available(),
        "use_distributed_sampler": False,
    }
    with _quiet_lightning():
        trainer = lightning.Trainer(
            accelerator="auto",
            devices=training.devices,
            precision=training.precision,
            max_epochs=training.max_epochs,
            gradient_clip_val=training.gradient_clip,
            reload_dataloaders_every_n_epochs=1,
            callbacks=[EpochCheckpoints(folder, training.checkpoint_minutes)],
            plugins=[WholeCheckpointIO(), LightningEnvironment()],  # not what it takes a cluster's variables for
            enable_progress_bar=sys.stdout.isatty(),
            enable_model_summary=False,
            num_sanity_val_steps=0,
            logger=False,
            **(parallel if together else {}),
        )
        trainer.fit(module, ckpt_path=str(last) if last.is_file() else None, weights_only=True)


@contextmanager
def _fork_seeded(training: FittingSettings, fold: int) -> Iterator[None]:
    """Compute meanwhile with the settings' threads, and with random numbers that follow from seed and fold alone."""
    import torch

    before = torch.get_num_threads()
    with torch.random.fork_rng():
        torch.manual_seed(torch_seed(training.seed, "weights", fold))
        torch.set_num_threads(training.threads or before)
        try:
            yield
        finally:
            torch.set_num_threads(before)


@contextmanager
def _quiet_lightning() -> Iterator[None]:
    """Silence what Lightning says about hardware and data loaders of which nothing is wrong here."""
    talk = logging.getLogger("lightning.pytorch")
    level = talk.level
    talk.setLevel(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", module="lightning.*")
            yield
    finally:
        talk.setLevel(level)
