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
    crops, network, training = given.crops, given.network, given.training
    folds = open_classifier_folds(given)
    asked = (given.fated, given.splits)
    seen = (*asked, given.follow_ups, given.frame_features) if training.learns_features else asked
    folder = run_folder(digest_data(crops, *seen), training, network, given.features)
    sizes = len(crops.channels) + network.mask_channel, given.fated["fate"].nunique()
    return fit_members(folds, partial(_build, settings=network, sizes=sizes), folder), digest_data(crops, *asked)


def _build(
    data: FoldData[FatedCells], checkpoint: Path | None, settings: ModelSettings, sizes: tuple[int, int]
) -> "ClassifierModule":
    from cellfate.models.fate_classifier import FateClassifier
    from cellfate.training.classifier_module import ClassifierModule
    from cellfate.training.pretraining import teach_encoder

    network = FateClassifier(settings, *sizes, data.n_features)
    return ClassifierModule(network, teach_encoder(network, data, checkpoint))
