"""Fitting one member of the fate clock a fold."""

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cellfate.cohort.settings import FollowUpSettings
from cellfate.crops.digest import digest_data
from cellfate.crops.store import CropStore
from cellfate.features.measurements import find_masks
from cellfate.features.settings import FeatureSettings
from cellfate.models.fitted_member import FittedMember
from cellfate.models.settings import ModelSettings, shows_mask
from cellfate.training.batches import SequenceReader
from cellfate.training.checkpoints import BEST, LAST, clear_run, fit_or_take_back, run_folder
from cellfate.training.clock_data import ClockData, open_clock_fold
from cellfate.training.fitting import fork_seeded, read_checkpoint, run_trainer
from cellfate.training.settings import ClockTrainingSettings

_AUXILIARY = "features."
"""Weights of the auxiliary task, which a finished member has no use for."""


def fit_clock_members(
    crops: CropStore,
    follow_ups: pd.DataFrame,
    splits: pd.DataFrame,
    normalisation: pd.DataFrame,
    frame_features: pd.DataFrame,
    follow_up: FollowUpSettings,
    model: ModelSettings,
    training: ClockTrainingSettings,
    features: FeatureSettings,
) -> tuple[list[FittedMember], str]:
    """Fit one network in every fold of the splits; an unfinished training goes on from its checkpoints.

    Parameters
    ----------
    crops
        Crop store.
    follow_ups, splits, normalisation, frame_features
        Tables `FollowUps`, `Splits`, `Normalisation`, `FrameFeatures`.
    follow_up
        Events and bins of time.
    model
        Architecture, in the causal reading.
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
        If a fold lacks cells, or an event in training.
    """
    numbers = sorted(splits["fold"].unique().tolist())
    segment = partial(find_masks, channels=crops.channels, features=features) if shows_mask(model) else None
    reader = SequenceReader(crops, follow_ups, training.cache_limit_mb, segment)
    tables = (follow_ups, splits, normalisation, frame_features)
    folds = [open_clock_fold(k, crops, reader, *tables, follow_up, model, training) for k in numbers]
    data_digest = digest_data(crops, follow_ups, splits, frame_features)
    folder = run_folder(data_digest, [follow_up, features], model, training, len(folds))
    n_channels = len(crops.channels) + shows_mask(model)
    fit = partial(fit_clock_fold, model=model, n_channels=n_channels, follow_up=follow_up, training=training)
    members = [fit_or_take_back(data.fold, folder / f"fold_{data.fold}", partial(fit, data)) for data in folds]
    clear_run(folder)
    return members, data_digest


def fit_clock_fold(
    data: ClockData,
    folder: Path,
    model: ModelSettings,
    n_channels: int,
    follow_up: FollowUpSettings,
    training: ClockTrainingSettings,
) -> FittedMember:
    """Fit the network of one fold; from its last checkpoint, if there is one.

    Parameters
    ----------
    data
        Follow-ups of the fold.
    folder
        Checkpoints of this fold.
    model
        Architecture.
    n_channels
        Channels of a prepared frame, a mask channel included.
    follow_up
        Events and bins of time.
    training
        How to fit.

    Returns
    -------
    FittedMember
        With the weights of the best epoch.
    """
    import torch

    from cellfate.models.fate_clock import FateClock
    from cellfate.training.clock_module import ClockModule, embed_frames, pretrain_encoder

    with fork_seeded(training, data.fold):
        sizes = len(follow_up.edges_h) - 1, len(follow_up.events), data.n_features
        network = FateClock(model, n_channels, *sizes).to("cuda" if torch.cuda.is_available() else "cpu")
        if (folder / LAST).is_file():
            network.load_state_dict(_network_of(read_checkpoint(folder / LAST)))
        else:
            pretrain_encoder(network, data, training)
        if training.encoder_rate == 0:
            data = data.with_views(lambda frames_nchw: embed_frames(network, frames_nchw))
        module = ClockModule(network, data, training)
        run_trainer(module, training, folder)
        return _member_of(module, data, training, folder)


def _network_of(checkpoint: dict[str, Any]) -> dict[str, Any]:
    """Weights of the network in a checkpoint of its module."""
    prefix = "network."
    state = checkpoint["state_dict"].items()
    return {name.removeprefix(prefix): value for name, value in state if name.startswith(prefix)}


def _member_of(module: Any, data: ClockData, training: ClockTrainingSettings, folder: Path) -> FittedMember:
    """Take the weights of the best epoch."""
    from cellfate.training.member_module import best_epoch

    epochs = read_checkpoint(folder / LAST)["epochs"]
    module.load_state_dict(read_checkpoint(folder / BEST)["state_dict"])
    best = best_epoch(epochs, training)
    state = module.average.state_dict()
    return FittedMember(
        fold=data.fold,
        weights={k: np.array(v.detach().cpu().numpy()) for k, v in state.items() if not k.startswith(_AUXILIARY)},
        epochs=epochs,
        best_epoch=best,
        threshold=None,
        validation={"log_loss": epochs[best]["validation_log_loss"]},
        n_train=len(data.train.follow_ups),
        n_validation=len(data.validation.follow_ups),
    )
