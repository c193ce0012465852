"""The data the classifier is trained on in one fold: tracks of cells whose fate was seen, up to their last landmark.

Axes: n cells, k fates, b cells of a batch.
"""

import logging
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cellfate.cohort.outcomes import balance_outcomes, competing_events
from cellfate.core.errors import InputError
from cellfate.crops.store import CropStore
from cellfate.models.settings import ModelSettings
from cellfate.training.batch_plans import length_buckets
from cellfate.training.batches import Batch, CropCache, IntArray, ShownCells
from cellfate.training.fold_data import FoldData, each_fold, fold_preprocessing
from cellfate.training.settings import TrainingSettings

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


def open_classifier_folds(
    crops: CropStore,
    landmarks: pd.DataFrame,
    splits: pd.DataFrame,
    normalisation: pd.DataFrame,
    model: ModelSettings,
    training: TrainingSettings,
) -> list[FoldData[FatedCells]]:
    """Bring together what each fold of the classifier is trained on; see `classifier_fitting.fit_classifier`.

    Raises
    ------
    InputError
        If a fold lacks training or validation cells, or training cells of two fates, or if AUROC is to be monitored on
        validation cells of one fate.
    """
    outcomes = competing_events(landmarks)
    reader = CropCache(crops, training.cache_limit_mb)
    folds = []
    for fold, *tables in each_fold(landmarks, splits):
        preprocessing = fold_preprocessing(normalisation, fold, crops.channels, model)
        parts = []
        for name, cells in zip(("train", "validation"), tables, strict=True):
            _check_fates(fold, name, cells["fate"], training)
            targets_n = cells["fate"].map(outcomes.index).to_numpy(np.int64)
            weights_n = balance_outcomes(targets_n)
            parts.append(FatedCells(cells, reader, preprocessing, training, targets_n, weights_n))
        folds.append(FoldData(fold, parts[0], parts[1]))
    return folds


def _check_fates(fold: int, part: str, fates: "pd.Series[str]", training: TrainingSettings) -> None:
    if len(set(fates)) > 1:
        return
    found = f"All {len(fates)} {part} cells of fold {fold} have the fate '{fates.iloc[0]}'"
    if part == "train":
        raise InputError(f"{found}, but cells of both fates are needed; give recordings with both or change the split.")
    if training.monitor == "auroc":
        raise InputError(f"{found}, so monitor 'auroc' is undefined; set monitor to 'log_loss', or give more cells.")
    logger.warning("%s; its validation metrics say little", found)
