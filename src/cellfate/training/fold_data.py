"""The data of one fold, in batches: drawn anew each epoch, the same for the same seed."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Generic, TypeVar, cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cellfate.cohort.splits import select_part
from cellfate.core.errors import InputError
from cellfate.crops.preprocessing import Preprocessing
from cellfate.crops.store import CropStore
from cellfate.features.column_scales import ColumnScale, MeasuredPreprocessing, fit_column_scales
from cellfate.features.context import Context
from cellfate.features.measured_frames import FrameSource, MeasuredFrames, choose_columns
from cellfate.features.measurements import find_masks
from cellfate.features.settings import FeatureSettings
from cellfate.models.settings import ClockNetworkSettings, NetworkSettings
from cellfate.training.batch_plans import length_buckets
from cellfate.training.batches import Batch, CropCache, IntArray, ShownCells
from cellfate.training.measured_cells import MeasuredCells
from cellfate.training.randomness import random_stream
from cellfate.training.settings import FittingSettings

Cells = TypeVar("Cells", bound=ShownCells)
"""Where the frames of cells are read."""


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
    def scales(self) -> tuple[ColumnScale, ...]:
        """Columns of measurements that are read, and how they are standardised."""
        shown = self.train.preprocessing
        return shown.scales if isinstance(shown, MeasuredPreprocessing) else ()

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


def open_frames(
    crops: CropStore | None,
    frame_features: pd.DataFrame,
    cells: pd.DataFrame,
    network: NetworkSettings,
    context: Context | None,
) -> FrameSource:
    """Open what the network reads: crops, measurements of the cells, or both.

    Parameters
    ----------
    crops
        Crop store; None where there are no images.
    frame_features, cells, context
        As of `MeasuredFrames`.
    network
        Says what is read.

    Raises
    ------
    InputError
        If the network reads images and there are none, or columns that were not measured.
    """
    group = "clock_network" if isinstance(network, ClockNetworkSettings) else "model"
    if network.sees_pixels and crops is None:
        raise InputError(
            f"{group}.encoder is {network.encoder}, which reads images, but there are none (recordings.layout is "
            "'traces'); set it to features.",
            f"{group}.encoder",
        )
    if not network.sees_columns:
        return cast(CropStore, crops)
    columns = choose_columns(frame_features, network.columns, f"{group}.columns")
    return MeasuredFrames(frame_features, cells, columns, context, crops if network.sees_pixels else None)


def open_reader(
    source: FrameSource,
    crops: CropStore | None,
    network: NetworkSettings,
    training: FittingSettings,
    features: FeatureSettings,
) -> CropCache:
    """Read for a training, with masks where the network sees them."""
    segment = None
    if network.sees_mask and crops is not None:
        segment = partial(find_masks, channels=crops.channels, features=features)
    return CropCache(source, training.cache_limit_mb, segment)


def fold_preprocessing(
    normalisation: pd.DataFrame,
    fold: int,
    channels: tuple[str, ...],
    network: NetworkSettings,
    source: FrameSource,
    train: pd.DataFrame,
) -> Preprocessing | MeasuredPreprocessing:
    """Preprocessing of one fold's frames, as the network's settings ask for, fitted to its training cells."""
    statistics = fold_statistics(normalisation, fold, channels)
    pixels = Preprocessing(*statistics, network.intensity, network.mask_channel) if network.sees_pixels else None
    if isinstance(source, MeasuredFrames):
        return MeasuredPreprocessing(fit_column_scales(source, train), pixels)
    assert pixels is not None, "crops are read for their pixels"
    return pixels


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
