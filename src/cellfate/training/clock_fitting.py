"""Fitting the networks of the fate clock."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from cellfate.crops.digest import digest_data
from cellfate.models.fitted_member import FittedMember
from cellfate.models.settings import ClockNetworkSettings
from cellfate.training.checkpoints import run_folder
from cellfate.training.clock_data import ClockInputs, FollowedCells, open_clock_folds
from cellfate.training.fitting import fit_members
from cellfate.training.fold_data import FoldData

if TYPE_CHECKING:
    from cellfate.training.clock_module import ClockModule


def fit_clock(given: ClockInputs) -> tuple[list[FittedMember], str]:
    """Fit one network of the fate clock in every fold of the splits, on every frame of every followed cell.

    Parameters
    ----------
    given
        Crops, tables and settings.

    Returns
    -------
    members : list of FittedMember
        One a fold, in the order of the folds.
    data_digest : str
        SHA-256 over crops, follow-ups, splits and features.

    Raises
    ------
    InputError
        If a fold lacks cells, or in training an event that is shown, or a checkpoint is damaged.
    """
    crops, network = given.crops, given.network
    folds = open_clock_folds(given)
    data_digest = digest_data(crops, given.follow_ups, given.splits, given.frame_features)
    folder = run_folder(data_digest, given.fitting, network, given.follow_up, given.features, given.context)
    sizes = len(given.follow_up.edges_h) - 1, len(given.events)
    return fit_members(folds, partial(_build, settings=network, sizes=sizes), folder), data_digest


def _build(
    data: FoldData[FollowedCells],
    folder: Path,
    settings: ClockNetworkSettings,
    sizes: tuple[int, int],
) -> "ClockModule":
    from cellfate.models.fate_clock import FateClock
    from cellfate.training.clock_module import ClockModule
    from cellfate.training.pretraining import teach_encoder

    n_channels = data.train.preprocessing.n_pixel_channels
    network = FateClock(settings, n_channels, *sizes, data.n_features, len(data.scales))
    return ClockModule(network, teach_encoder(network, data, folder))
