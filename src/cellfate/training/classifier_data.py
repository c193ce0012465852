"""The data the classifier is trained on in one fold: tracks of cells whose fate was seen, up to their last landmark.

Axes: n cells, k fates, b cells of a batch.
"""

import logging
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cellfate.cohort.landmarks import asks_which_fate
from cellfate.cohort.outcomes import balance_outcomes, competing_events
from cellfate.cohort.splits import select_part
from cellfate.core.errors import InputError
from cellfate.crops.preprocessing import Preprocessing
from cellfate.crops.store import CropStore
from cellfate.features.column_scales import MeasuredPreprocessing
from cellfate.features.measured_frames import FrameSource
from cellfate.features.settings import FeatureSettings
from cellfate.models.settings import ModelSettings
from cellfate.training.batch_plans import length_buckets
from cellfate.training.batches import Batch, CropCache, IntArray, ShownCells
from cellfate.training.fold_data import (
    FoldData,
    each_fold,
    fold_preprocessing,
    open_frames,
    open_reader,
)
from cellfate.training.measured_cells import (
    MeasuredCells,
    list_shown_frames,
    look_up_features,
    standardise_features,
)
from cellfate.training.settings import AugmentationSettings, TrainingSettings

logger = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class FatedCells(ShownCells):
    """Cells whose fate was seen.

    Attributes
    ----------
    settings : TrainingSettings
        How the classifier is fitted.
    targets_n : ndarray of int64
        Place of each cell's fate among the fates told apart.
    weights_n : ndarray of float64
        Weight of each cell that makes fates equal; mean 1.

    Where the network is taught frame features beside fates, `known` holds `features_nf`, as in `MeasuredCells`.
    """

    settings: TrainingSettings
    targets_n: IntArray
    weights_n: NDArray[np.float64]

    def plan_epoch(self, rng: np.random.Generator) -> list[IntArray]:
        """Draw the cells of an epoch and part them by length; one drawn twice is augmented apart each time."""
        n_drawn = self.settings.cells_per_epoch or len(self)
        if self.settings.balance == "sampling":
            drawn = rng.choice(len(self), size=n_drawn, p=self.weights_n / self.weights_n.sum())
        else:
            drawn = rng.permutation(len(self))[:n_drawn]
        batches = length_buckets(self.lengths_n[drawn], self.settings.max_frames_per_batch, rng)
        return [drawn[places] for places in batches]

    def batch(self, places_b: IntArray, rng: np.random.Generator | None = None) -> Batch:
        """Make a batch of cells, with `targets_b` and `weights_b`."""
        taught = {"targets_b": self.targets_n[places_b], "weights_b": self.weights_n[places_b]}
        return super().batch(places_b, rng) | taught


@dataclass(frozen=True, eq=False)
class ClassifierInputs:
    """What the classifier is fitted with.

    Attributes
    ----------
    crops : CropStore
        Crop store.
    landmarks, follow_ups, splits, normalisation, frame_features : DataFrame
        Tables `Landmarks`, `FollowUps`, `Splits`, `Normalisation`, `FrameFeatures`; follow-ups and features are for the
        pretraining, and for a network that reads columns.
    network : ModelSettings
        Architecture.
    training : TrainingSettings
        How to fit.
    features : FeatureSettings
        How cells are segmented, where the network sees their mask.
    """

    crops: CropStore
    landmarks: pd.DataFrame
    follow_ups: pd.DataFrame
    splits: pd.DataFrame
    normalisation: pd.DataFrame
    frame_features: pd.DataFrame
    network: ModelSettings
    training: TrainingSettings
    features: FeatureSettings

    @property
    def fated(self) -> pd.DataFrame:
        """Last landmarks of cells whose fate was seen."""
        return self.landmarks[asks_which_fate(self.landmarks)].reset_index(drop=True)

    @property
    def fitting(self) -> TrainingSettings:
        """How to fit, as far as it concerns what the network reads."""
        return self.training if self.network.sees_pixels else self.training.without_pixels()

    @cached_property
    def source(self) -> FrameSource:
        """Where the frames of cells are read."""
        return open_frames(self.crops, self.frame_features, self.follow_ups, self.network, None)


def open_classifier_folds(given: ClassifierInputs) -> list[FoldData[FatedCells]]:
    """Bring together what each fold of the classifier is trained on.

    Raises
    ------
    InputError
        If a fold lacks training or validation cells, or training cells of two fates, or if AUROC is to be monitored on
        validation cells of one fate.
    """
    crops, training, fated = given.crops, given.fitting, given.fated
    outcomes = competing_events(fated)
    reader = open_reader(given.source, crops, given.network, training, given.features)
    folds = []
    for fold, *tables in each_fold(fated, given.splits):
        about = given.normalisation, fold, crops.channels, given.network
        preprocessing = fold_preprocessing(*about, given.source, tables[0])
        followed = select_part(given.follow_ups, given.splits, fold, "train").reset_index(drop=True)
        features = standardise_features(given.frame_features, followed) if training.learns_features else None
        parts = []
        for name, cells in zip(("train", "validation"), tables, strict=True):
            _check_fates(fold, name, cells["fate"], training)
            targets_n = cells["fate"].map(outcomes.index).to_numpy(np.int64)
            taught = _know(cells, given.source, features) if name == "train" and training.feature_weight > 0 else {}
            about_fates = targets_n, balance_outcomes(targets_n)
            parts.append(FatedCells(cells, reader, preprocessing, training, *about_fates, known=taught))
        measured = None if features is None else _measure(given, followed, reader, preprocessing, features)
        folds.append(FoldData(fold, parts[0], parts[1], measured))
    return folds


def _know(cells: pd.DataFrame, source: FrameSource, features: pd.DataFrame | None) -> dict[str, list[NDArray[Any]]]:
    """Look up the features of each cell at each of its frames."""
    return {"features_nf": look_up_features(cells, list_shown_frames(cells, source), features)}


def _measure(
    given: ClassifierInputs,
    cells: pd.DataFrame,
    reader: CropCache,
    preprocessing: Preprocessing | MeasuredPreprocessing,
    features: pd.DataFrame,
) -> MeasuredCells:
    """Bring together what the encoder is pretrained on: all training cells, also those whose fate was not seen."""
    plain = given.fitting.augmentation.model_dump(include=set(AugmentationSettings.model_fields))
    settings = given.fitting.model_copy(update={"augmentation": AugmentationSettings(**plain)})  # shows all frames
    return MeasuredCells(cells, reader, preprocessing, settings, known=_know(cells, given.source, features))


def _check_fates(fold: int, part: str, fates: "pd.Series[str]", training: TrainingSettings) -> None:
    if len(set(fates)) > 1:
        return
    found = f"All {len(fates)} {part} cells of fold {fold} have the fate '{fates.iloc[0]}'"
    if part == "train":
        raise InputError(f"{found}, but cells of both fates are needed; give recordings with both or change the split.")
    if training.monitor == "auroc":
        raise InputError(f"{found}, so monitor 'auroc' is undefined; set monitor to 'log_loss', or give more cells.")
    logger.warning("%s; its validation metrics say little", found)
