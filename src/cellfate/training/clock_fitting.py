"""Fitting the networks of the fate clock."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from cellfate.cohort.settings import FollowUpSettings
from cellfate.crops.digest import digest_data
from cellfate.crops.store import CropStore
from cellfate.features.settings import FeatureSettings
from cellfate.models.fitted_member import FittedMember
from cellfate.models.settings import ClockNetworkSettings, shows_mask
from cellfate.training.checkpoints import read_weights, run_folder
from cellfate.training.clock_data import FollowedCells, open_clock_folds
from cellfate.training.fitting import fit_members
from cellfate.training.fold_data import FoldData
from cellfate.training.settings import ClockTrainingSettings

if TYPE_CHECKING:
    from cellfate.training.clock_module import ClockModule


def fit_clock(
    crops: CropStore,
    follow_ups: pd.DataFrame,
    splits: pd.DataFrame,
    normalisation: pd.DataFrame,
    frame_features: pd.DataFrame,
    events: Sequence[str],
    follow_up: FollowUpSettings,
    network: ClockNetworkSettings,
    training: ClockTrainingSettings,
    features: FeatureSettings,
) -> tuple[list[FittedMember], str]:
    """Fit one network of the fate clock in every fold of the splits, on every frame of every followed cell.

    Parameters
    ----------
    crops
        Crop store.
    follow_ups, splits, normalisation, frame_features
        Tables `FollowUps`, `Splits`, `Normalisation`, `FrameFeatures`.
    events
        All events that compete, in order.
    follow_up
        Bins of time, and events that are shown.
    network
        Architecture.
    training
        How to fit.
    features
        How cells are segmented, where the network sees their mask.

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
    tables = (follow_ups, splits, normalisation, frame_features)
    folds = open_clock_folds(crops, *tables, events, follow_up, network, training, features)
    data_digest = digest_data(crops, follow_ups, splits, frame_features)
    folder = run_folder(data_digest, training, network, follow_up, features)
    sizes = len(crops.channels) + shows_mask(network), len(follow_up.edges_h) - 1, len(events)
    return fit_members(folds, partial(_build, settings=network, sizes=sizes), folder), data_digest


def _build(
    data: FoldData[FollowedCells],
    checkpoint: Path | None,
    settings: ClockNetworkSettings,
    sizes: tuple[int, int, int],
) -> "ClockModule":
    """Pretrain the encoder, or take it from the checkpoint; embed all crops if it is not to learn any more."""
    import torch

    from cellfate.models.fate_clock import FateClock
    from cellfate.training.clock_module import ClockModule
    from cellfate.training.pretraining import embed_cells, pretrain_encoder

    network = FateClock(settings, *sizes, data.train.n_features).to("cuda" if torch.cuda.is_available() else "cpu")
    if checkpoint is None:
        pretrain_encoder(network, data)
    else:
        weights = read_weights(checkpoint, "network")
        network.load_state_dict({name: torch.from_numpy(value) for name, value in weights.items()})
    if data.train.settings.encoder_rate == 0:
        data = embed_cells(network, data)
    return ClockModule(network, data)
