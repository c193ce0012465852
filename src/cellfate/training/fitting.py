"""Fitting one member a fold with the Lightning Trainer."""

import logging
import math
import pickle
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cellfate.cohort.settings import SampleSettings
from cellfate.core.errors import InputError
from cellfate.crops.digest import digest_data
from cellfate.crops.store import CropStore
from cellfate.models.fitted_member import FittedMember
from cellfate.models.settings import ModelSettings
from cellfate.statistics.thresholds import choose_threshold
from cellfate.training.batches import SequenceReader
from cellfate.training.checkpoints import (
    BEST,
    LAST,
    clear_run,
    fit_or_take_back,
    run_folder,
)
from cellfate.training.fold_data import FoldData, open_fold
from cellfate.training.settings import LOWER_IS_BETTER, FittingSettings, TrainingSettings
from cellfate.training.validation import validation_metrics

logger = logging.getLogger(__name__)


def fit_members(
    crops: CropStore,
    samples: pd.DataFrame,
    splits: pd.DataFrame,
    normalisation: pd.DataFrame,
    sample_settings: SampleSettings,
    model: ModelSettings,
    training: TrainingSettings,
) -> tuple[list[FittedMember], str]:
    """Fit one network in every fold of the splits.

    An unfinished training with the same data and settings goes on from its checkpoints to the same result; a finished
    one leaves none and starts anew.

    Parameters
    ----------
    crops
        Crop store.
    samples, splits, normalisation
        Tables of the same names.
    sample_settings
        What made the samples.
    model
        Architecture.
    training
        How to fit.

    Returns
    -------
    members : list of FittedMember
        One a fold, in the order of the folds.
    data_digest : str
        SHA-256 over crops, samples and splits.

    Raises
    ------
    InputError
        If a fold lacks samples or outcomes, or the settings do not fit the samples.
    """
    check_settings(sample_settings, training)
    reader = SequenceReader(crops, samples, training.cache_limit_mb)
    numbers = sorted(splits["fold"].unique().tolist())
    tables = (samples, splits, normalisation)
    folds = [open_fold(k, reader, *tables, crops.channels, sample_settings, training, model) for k in numbers]
    data_digest = digest_data(crops, samples, splits)
    folder = run_folder(data_digest, [sample_settings], model, training, len(folds))
    sizes = len(crops.channels), len(sample_settings.outcomes)
    members = [
        fit_or_take_back(data.fold, folder / f"fold_{data.fold}", partial(fit_fold, data, model, *sizes, training))
        for data in folds
    ]
    clear_run(folder)
    return members, data_digest


def fit_fold(
    data: FoldData, model: ModelSettings, n_channels: int, n_outcomes: int, training: TrainingSettings, folder: Path
) -> FittedMember:
    """Fit the network of one fold; from its last checkpoint, if there is one.

    Parameters
    ----------
    data
        Samples of the fold.
    model
        Architecture.
    n_channels, n_outcomes
        Channels of a frame, possible outcomes.
    training
        How to fit.
    folder
        Checkpoints of this fold.

    Returns
    -------
    FittedMember
        With the weights of the best epoch.
    """
    from cellfate.models.fate_classifier import FateClassifier
    from cellfate.training.fate_module import FateModule

    _check_monitor(data, training)
    with fork_seeded(training, data.fold):
        module = FateModule(FateClassifier(model, n_channels, n_outcomes), data, training)
        logger.info(
            "Fold %d: %d training and %d validation samples, %d parameters",
            data.fold,
            len(data.train.samples),
            len(data.validation.samples),
            sum(parameter.numel() for parameter in module.network.parameters()),
        )
        run_trainer(module, training, folder)
        return _member_of(module, data, training, folder, n_outcomes)


def history_table(members: list[FittedMember]) -> pd.DataFrame:
    """One row a fold and epoch: train_loss, validation metrics, learning_rate, and whether its weights were kept."""
    tables = [
        pd.DataFrame(member.epochs).assign(
            fold=member.fold,
            epoch=np.arange(len(member.epochs)),
            kept=np.arange(len(member.epochs)) == member.best_epoch,
        )
        for member in members
    ]
    history = pd.concat(tables, ignore_index=True)
    first = ["fold", "epoch"]
    return history[[*first, *(column for column in history.columns if column not in first)]]


def check_settings(sample_settings: SampleSettings, training: TrainingSettings) -> None:
    """Check that training settings make sense for the kind of samples.

    Raises
    ------
    InputError
        If ends would be dropped from landmark samples.
    """
    dropped = training.augmentation.drop_end_share
    if sample_settings.kind == "landmark" and dropped > 0:
        message = (
            f"training.augmentation.drop_end_share is {dropped:g} but samples.kind is 'landmark', whose outcome "
            "counts from the last frame; set drop_end_share to 0."
        )
        raise InputError(message)


def _check_monitor(data: FoldData, training: TrainingSettings) -> None:
    n_present = len(set(data.validation.targets_n.tolist()))
    if n_present > 1:
        return
    if training.monitor == "auroc":
        message = (
            f"All {len(data.validation.targets_n)} validation samples of fold {data.fold} have one outcome, so monitor "
            "'auroc' is undefined; set monitor to 'log_loss', or give more cells."
        )
        raise InputError(message)
    warnings.warn(
        f"All validation samples of fold {data.fold} have one outcome; its validation metrics say little.", stacklevel=2
    )


def run_trainer(module: Any, training: FittingSettings, folder: Path) -> None:
    """Train from the start or from the last checkpoint; nothing is done if that one was the end."""
    import lightning

    from cellfate.training.member_module import is_over

    last = folder / LAST
    if last.is_file():
        epochs = read_checkpoint(last)["epochs"]
        logger.info("An unfinished training goes on after epoch %d (%s)", len(epochs) - 1, last)
        if is_over(epochs, training):
            return
    with _quiet_lightning():
        trainer = lightning.Trainer(
            accelerator="auto",
            devices=1,
            precision=training.precision,
            max_epochs=training.max_epochs,
            gradient_clip_val=training.gradient_clip,
            reload_dataloaders_every_n_epochs=1,
            callbacks=_checkpoint_callbacks(training, folder),
            enable_progress_bar=sys.stdout.isatty(),
            enable_model_summary=False,
            num_sanity_val_steps=0,
            logger=False,
        )
        trainer.fit(module, ckpt_path=str(last) if last.is_file() else None, weights_only=True)


def read_checkpoint(path: Path) -> dict[str, Any]:
    """Read a checkpoint as tensors and plain values; nothing in it is executed.

    Raises
    ------
    InputError
        If the file is damaged.
    """
    import torch

    try:
        return dict(torch.load(path, map_location="cpu", weights_only=True))
    except (RuntimeError, EOFError, OSError, pickle.UnpicklingError) as error:
        message = f"The checkpoint {path} is damaged and cannot be read; delete its folder to start the training again."
        raise InputError(message) from error


def _checkpoint_callbacks(training: FittingSettings, folder: Path) -> list[Any]:
    """One checkpoint of the best epoch; then one of the last, so that resuming finds both or repeats the epoch."""
    from lightning.pytorch.callbacks import ModelCheckpoint

    common: dict[str, Any] = {"dirpath": folder, "save_on_train_epoch_end": True, "enable_version_counter": False}
    mode = "min" if training.monitor in LOWER_IS_BETTER else "max"
    best = ModelCheckpoint(filename=Path(BEST).stem, monitor=training.monitor, mode=mode, **common)
    return [best, ModelCheckpoint(filename=Path(LAST).stem, **common)]


@contextmanager
def fork_seeded(training: FittingSettings, fold: int) -> Iterator[None]:
    """Compute meanwhile with the settings' threads, and with random numbers that follow from seed and fold alone."""
    import torch

    with torch.random.fork_rng(), _threads(training.threads):
        torch.manual_seed(int(np.random.SeedSequence([training.seed, fold]).generate_state(1)[0]))
        yield


@contextmanager
def _threads(n_threads: int | None) -> Iterator[None]:
    """Compute with so many CPU threads meanwhile; None changes nothing."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(n_threads or before)
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


def _member_of(module: Any, data: FoldData, training: TrainingSettings, folder: Path, n_outcomes: int) -> FittedMember:
    """Take the best epoch's weights, score them and choose the threshold."""
    from cellfate.training.member_module import best_epoch

    epochs = read_checkpoint(folder / LAST)["epochs"]
    module.load_state_dict(read_checkpoint(folder / BEST)["state_dict"])
    probabilities_nk = module.validation_probabilities()
    targets_n = data.validation.targets_n
    metrics = validation_metrics(probabilities_nk, targets_n)
    weights: dict[str, NDArray[Any]] = {
        name: np.array(tensor.detach().cpu().numpy()) for name, tensor in module.average.state_dict().items()
    }
    best = best_epoch(epochs, training)
    logger.info("Fold %d: epoch %d of %d kept, %s", data.fold, best, len(epochs), _spell(metrics))
    return FittedMember(
        fold=data.fold,
        weights=weights,
        epochs=epochs,
        best_epoch=best,
        threshold=_or_none(choose_threshold(probabilities_nk[:, 0], targets_n == 0)) if n_outcomes == 2 else None,
        validation={name: _or_none(value) for name, value in metrics.items()},
        n_train=len(data.train.samples),
        n_validation=len(data.validation.samples),
    )


def _or_none(value: float) -> float | None:
    """Make a number that JSON can hold: None instead of NaN."""
    return None if math.isnan(value) else value


def _spell(metrics: dict[str, float]) -> str:
    return ", ".join(f"{name} {value:.3f}" for name, value in metrics.items())
