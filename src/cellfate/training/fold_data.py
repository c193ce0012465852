"""The data of one fold, in batches: drawn anew each epoch, the same for the same seed."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Generic, TypeVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cellfate.cohort.splits import select_part
from cellfate.core.errors import InputError
from cellfate.crops.preprocessing import Preprocessing
from cellfate.crops.store import CropStore
from cellfate.features.measurements import find_masks
from cellfate.features.settings import FeatureSettings
from cellfate.models.settings import NetworkSettings
from cellfate.training.batch_plans import length_buckets
from cellfate.training.batches import Batch, CropCache, IntArray, ShownCells
from cellfate.training.measured_cells import MeasuredCells
from cellfate.training.randomness import random_stream
from cellfate.training.settings import FittingSettings

Cells = TypeVar("Cells", bound=ShownCells)


@dataclass(frozen=True, eq=False)
class FoldData(Generic[Cells]):
    """What one member is trained and validated on.

    Attributes
    ----------
    fold : int
        Number of the fold.
    train, validation : ShownCells
        Its cells.
    measured : MeasuredCells, optional
        Training cells that the encoder is pretrained on; None where there is no pretraining.
    """

    fold: int
    train: Cells
    validation: Cells
    measured: MeasuredCells | None = None

    @property
    def n_features(self) -> int:
        """Features that the encoder learns to tell; 0: none."""
        return 0 if self.measured is None else self.measured.n_features

    @property
    def settings(self) -> FittingSettings:
        """How the member is fitted."""
        return self.train.settings

    def training_plan(self, epoch: int) -> list[IntArray]:
        """Places of the cells of each batch of an epoch."""
        return self.train.plan_epoch(random_stream(self.settings.seed, "plan", self.fold, epoch))

    def training_batch(self, places_b: IntArray, epoch: int, number: int) -> Batch:
        """Make a batch of an epoch; the same arguments give the same batch."""
        return self.train.batch(places_b, random_stream(self.settings.seed, "batch", self.fold, epoch, number))

    def validation_plan(self) -> list[IntArray]:
        """Places of the cells of each validation batch, every one once."""
        return length_buckets(self.validation.lengths_n, self.settings.max_frames_per_batch)


def each_fold(cells: pd.DataFrame, splits: pd.DataFrame) -> Iterator[tuple[int, pd.DataFrame, pd.DataFrame]]:
    """Give number, training rows and validation rows of every fold, of a table with one row a cell.

    Raises
    ------
    InputError
        If a part has no row.
    """
    for fold in sorted(int(fold) for fold in splits["fold"].unique()):
        train, validation = (
            select_part(cells, splits, fold, part).reset_index(drop=True) for part in ("train", "validation")
        )
        if train.empty or validation.empty:
            lacking = "train" if train.empty else "validation"
            raise InputError(f"Fold {fold} has no {lacking} cells; give more cells or change the shares of the split.")
        yield fold, train, validation


def open_crops(
    crops: CropStore, network: NetworkSettings, training: FittingSettings, features: FeatureSettings
) -> CropCache:
    """Open the crops for a training, with masks where the network sees them."""
    segment = partial(find_masks, channels=crops.channels, features=features) if network.mask_channel else None
    return CropCache(crops, training.cache_limit_mb, segment)


def fold_preprocessing(
    normalisation: pd.DataFrame, fold: int, channels: tuple[str, ...], network: NetworkSettings
) -> Preprocessing:
    """Preprocessing of one fold's crops, as the network's settings ask for; see `fold_statistics`."""
    return Preprocessing(*fold_statistics(normalisation, fold, channels), network.intensity, network.mask_channel)


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
        raise InputError(
            f"Table normalisation has no row of fold {fold} and channel {missing[0]}; run data_processing again, "
            "so that it belongs to these crops and splits."
        )
    ordered = rows.loc[list(channels)]
    return ordered["mean"].to_numpy(np.float64), ordered["sd"].to_numpy(np.float64)
