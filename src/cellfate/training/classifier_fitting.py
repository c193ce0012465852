"""Fitting the classifier."""

from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from cellfate.cohort.landmarks import asks_which_fate
from cellfate.crops.digest import digest_data
from cellfate.crops.store import CropStore
from cellfate.models.fitted_member import FittedMember
from cellfate.models.settings import ModelSettings
from cellfate.training.checkpoints import run_folder
from cellfate.training.classifier_data import FatedCells, open_classifier_folds
from cellfate.training.fitting import fit_members
from cellfate.training.fold_data import FoldData
from cellfate.training.settings import TrainingSettings

if TYPE_CHECKING:
    from cellfate.training.classifier_module import ClassifierModule


def fit_classifier(
    crops: CropStore,
    landmarks: pd.DataFrame,
    splits: pd.DataFrame,
    normalisation: pd.DataFrame,
    model: ModelSettings,
    training: TrainingSettings,
) -> tuple[list[FittedMember], str]:
    """Fit one classifier in every fold of the splits, on the last landmarks of cells whose fate was seen.

    Parameters
    ----------
    crops
        Crop store.
    landmarks, splits, normalisation
        Tables `Landmarks`, `Splits`, `Normalisation`.
    model
        Architecture.
    training
        How to fit.

    Returns
    -------
    members : list of FittedMember
        One a fold, in the order of the folds.
    data_digest : str
        SHA-256 over crops, landmarks trained on and splits.

    Raises
    ------
    InputError
        If a fold lacks cells or fates, or a checkpoint is damaged.
    """
    fated = landmarks[asks_which_fate(landmarks)].reset_index(drop=True)
    folds = open_classifier_folds(crops, fated, splits, normalisation, model, training)
    data_digest = digest_data(crops, fated, splits)

    def build(data: FoldData[FatedCells], checkpoint: Path | None) -> "ClassifierModule":
        from cellfate.models.fate_classifier import FateClassifier
        from cellfate.training.classifier_module import ClassifierModule

        return ClassifierModule(FateClassifier(model, len(crops.channels), fated["fate"].nunique()), data)

    return fit_members(folds, build, run_folder(data_digest, training, model)), data_digest
