"""Fitting the classifier."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from cellfate.crops.digest import digest_data
from cellfate.models.fitted_member import FittedMember
from cellfate.models.settings import ModelSettings
from cellfate.training.checkpoints import run_folder
from cellfate.training.classifier_data import ClassifierInputs, FatedCells, open_classifier_folds
from cellfate.training.fitting import fit_members
from cellfate.training.fold_data import FoldData

if TYPE_CHECKING:
    from cellfate.training.classifier_module import ClassifierModule


def fit_classifier(given: ClassifierInputs) -> tuple[list[FittedMember], str]:
    """Fit one classifier in every fold of the splits, on the last landmarks of cells whose fate was seen.

    Parameters
    ----------
    given
        Crops, tables and settings.

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
    crops, network, training = given.crops, given.network, given.fitting
    folds = open_classifier_folds(given)
    asked = (given.fated, given.splits)
    measured = training.learns_features or network.sees_columns
    seen = (*asked, given.follow_ups, given.frame_features) if measured else asked
    folder = run_folder(digest_data(crops, *seen), training, network, given.features)
    build = partial(_build, settings=network, n_outcomes=given.fated["fate"].nunique())
    return fit_members(folds, build, folder), digest_data(crops, *asked)


def _build(data: FoldData[FatedCells], folder: Path, settings: ModelSettings, n_outcomes: int) -> "ClassifierModule":
    from cellfate.models.fate_classifier import FateClassifier
    from cellfate.training.classifier_module import ClassifierModule
    from cellfate.training.pretraining import teach_encoder

    shown = data.train.preprocessing
    network = FateClassifier(settings, shown.n_pixel_channels, n_outcomes, data.n_features, len(data.scales))
    return ClassifierModule(network, teach_encoder(network, data, folder))
