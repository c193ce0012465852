"""The data of one fold: its samples, outcomes, batches; drawn anew each epoch, the same for the same seed."""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cellfate.cohort.settings import SampleSettings
from cellfate.core.errors import InputError
from cellfate.crops.preprocessing import Preprocessing
from cellfate.models.settings import ModelSettings, shows_mask
from cellfate.training.batches import Batch, BatchMaker, SequenceReader
from cellfate.training.sampling import Unit, outcome_weights, plan_all, plan_epoch
from cellfate.training.settings import TrainingSettings

IntArray = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Part:
    """Samples of one part of a fold.

    Attributes
    ----------
    samples : DataFrame
        Table `Samples`.
    targets_n : ndarray of int64
        Index of each sample's outcome.
    maker : BatchMaker
        Makes batches of the samples.
    """

    samples: pd.DataFrame
    targets_n: IntArray
    maker: BatchMaker


@dataclass(frozen=True, eq=False)
class FoldData:
    """What one member is trained and validated on.

    Attributes
    ----------
    fold : int
        Number of the fold.
    train, validation : Part
        Samples.
    weights_n : ndarray of float64
        Weight of each training sample that makes outcomes equal; mean 1.
    settings : TrainingSettings
        How samples are drawn and augmented.
    """

    fold: int
    train: Part
    validation: Part
    weights_n: NDArray[np.float64]
    settings: TrainingSettings

    def training_plan(self, epoch: int) -> list[list[Unit]]:
        """Units of each batch of an epoch."""
        rng = np.random.default_rng([self.settings.seed, self.fold, epoch])
        return plan_epoch(self.train.samples, self.weights_n, self.settings, rng)

    def training_batch(self, units: list[Unit], epoch: int, place: int) -> Batch:
        """Make the batch at a place of an epoch; the same arguments give the same batch."""
        rng = np.random.default_rng([self.settings.seed, self.fold, epoch, place])
        return self.train.maker.make(units, rng)

    def validation_plan(self) -> list[list[Unit]]:
        """Units of each validation batch, every sample once."""
        return plan_all(self.validation.samples, self.settings.max_frames_per_batch)

    def validation_batch(self, units: list[Unit]) -> Batch:
        """Make a validation batch; nothing in it is random."""
        return self.validation.maker.make(units, np.random.default_rng(0))


def open_fold(
    fold: int,
    reader: SequenceReader,
    samples: pd.DataFrame,
    splits: pd.DataFrame,
    normalisation: pd.DataFrame,
    channels: tuple[str, ...],
    sample_settings: SampleSettings,
    training: TrainingSettings,
    model: ModelSettings,
) -> FoldData:
    """Bring together what one fold is trained on.

    Parameters
    ----------
    fold
        Number of the fold.
    reader
        Source of pixels.
    samples, splits, normalisation
        Tables of all folds.
    channels
        Channels of the crops, in order.
    sample_settings, training, model
        Settings.

    Returns
    -------
    FoldData

    Raises
    ------
    InputError
        If the fold lacks training or validation samples, or training samples of two outcomes.
    """
    preprocessing = fold_preprocessing(normalisation, fold, channels, model)
    whole_track = sample_settings.kind == "whole_track"
    parts = {}
    for name in ("train", "validation"):
        members = splits.loc[(splits["fold"] == fold) & (splits["part"] == name), "sample_id"]
        chosen = samples[samples["sample_id"].isin(members)].reset_index(drop=True)
        targets_n = _targets(chosen, sample_settings.outcomes)
        _check_part(fold, name, targets_n, sample_settings.outcomes)
        first_n, last_n = (chosen[column].to_numpy(np.int64) for column in ("first_frame", "last_frame"))
        parts[name] = Part(chosen, targets_n, BatchMaker(reader, first_n, last_n, preprocessing, whole_track))
    train = parts["train"]
    augmented = replace(train, maker=replace(train.maker, augmentation=training.augmentation))
    weights_n = outcome_weights(train.targets_n, len(sample_settings.outcomes))
    return FoldData(fold, augmented, parts["validation"], weights_n, training)


def fold_preprocessing(
    normalisation: pd.DataFrame, fold: int, channels: tuple[str, ...], model: ModelSettings
) -> Preprocessing:
    """Preprocessing of one fold's crops, as the model's settings ask for; see `fold_statistics`."""
    return Preprocessing(*fold_statistics(normalisation, fold, channels), model.intensity, shows_mask(model))


def fold_statistics(
    normalisation: pd.DataFrame, fold: int, channels: tuple[str, ...]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean and standard deviation of each channel, in order, of one fold.

    Raises
    ------
    InputError
        If a channel is missing.
    """
    rows = normalisation[normalisation["fold"] == fold].set_index("channel")
    missing = [channel for channel in channels if channel not in rows.index]
    if missing:
        message = (
            f"Table normalisation has no row of fold {fold} and channel {missing[0]}; run data_processing again, "
            "so that it belongs to these crops and splits."
        )
        raise InputError(message)
    ordered = rows.loc[list(channels)]
    return ordered["mean"].to_numpy(np.float64), ordered["sd"].to_numpy(np.float64)


def _targets(samples: pd.DataFrame, outcomes: tuple[str, ...]) -> IntArray:
    places = samples["outcome"].map({outcome: k for k, outcome in enumerate(outcomes)})
    if places.isna().any():
        row = samples[places.isna()].iloc[0]
        message = (
            f"Sample {row['sample_id']} has outcome {row['outcome']!r}, but the sample settings expect one of "
            f"{list(outcomes)}; run data_processing again with these settings."
        )
        raise InputError(message)
    return np.asarray(places, dtype=np.int64)


def _check_part(fold: int, name: str, targets_n: IntArray, outcomes: tuple[str, ...]) -> None:
    if len(targets_n) == 0:
        message = f"Fold {fold} has no {name} samples; give more cells or change the shares of the split."
        raise InputError(message)
    present = sorted(set(targets_n.tolist()))
    if name == "train" and len(present) < 2:
        message = (
            f"All {len(targets_n)} training samples of fold {fold} have the outcome '{outcomes[present[0]]}', but at "
            f"least two of {list(outcomes)} are needed; give recordings with both or change the split."
        )
        raise InputError(message)
