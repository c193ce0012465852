"""Nodes of the `model_training` pipeline: what is fitted (training) becomes what is used (prediction)."""

from importlib.metadata import version
from typing import Any

import pandas as pd

from cellfate.cohort.landmarks import asks_which_fate
from cellfate.cohort.outcomes import competing_events
from cellfate.cohort.questions import WHICH_FATE, WITHIN_HOURS, is_asked, why_not
from cellfate.cohort.settings import FollowUpSettings
from cellfate.core.spot_features import list_spot_features
from cellfate.core.tables import TrainingHistory
from cellfate.core.words import order_doses
from cellfate.crops.digest import digest_cells
from cellfate.crops.store import CropStore
from cellfate.features.settings import ContextSettings, FeatureSettings
from cellfate.models.fitted_member import FittedMember
from cellfate.models.settings import BlendSettings, ClockNetworkSettings, ModelSettings
from cellfate.prediction.records import ClassifierConfig, ClockConfig, TrainedModel, describe_member, join_weights
from cellfate.prediction.trained_on import digest_seen
from cellfate.training.classifier_data import ClassifierInputs
from cellfate.training.classifier_fitting import fit_classifier
from cellfate.training.clock_data import ClockInputs
from cellfate.training.clock_fitting import fit_clock
from cellfate.training.fitting import history_table
from cellfate.training.fold_data import fold_statistics
from cellfate.training.settings import ClockTrainingSettings, FittingSettings, TrainingSettings

_HELPED = "this machine only helped another to train"
VERSIONED = ("cellfate", "torch", "lightning", "lightgbm", "monai", "numpy")


def train_classifier(
    crops: CropStore,
    follow_ups: pd.DataFrame,
    landmarks: pd.DataFrame,
    questions: pd.DataFrame,
    splits: pd.DataFrame,
    normalisation: pd.DataFrame,
    frame_features: pd.DataFrame,
    follow_up: FollowUpSettings,
    model: ModelSettings,
    training: TrainingSettings,
    features: FeatureSettings,
) -> tuple[TrainedModel, pd.DataFrame]:
    """Train one classifier a fold on the whole tracks of cells whose fate was seen.

    Parameters
    ----------
    crops
        Crop store.
    follow_ups, landmarks, questions, splits, normalisation, frame_features
        Tables of the same names.
    follow_up, model, training, features
        Settings.

    Returns
    -------
    model : TrainedModel
        One member a fold; none, with the reason, where it is not asked which fate comes.
    history : DataFrame
        Table `TrainingHistory`.

    Raises
    ------
    InputError
        If a fold lacks cells or fates, or the settings do not fit the cells.
    """
    about = _describe(crops, follow_ups, splits, follow_up, training) | {"architecture": model, "features": features}
    if not is_asked(questions, WHICH_FATE):
        return TrainedModel(ClassifierConfig(**about, reason=why_not(questions, WHICH_FATE)), {}), _no_history()
    tables = (landmarks, follow_ups, splits, normalisation, frame_features)
    members, data_digest = fit_classifier(ClassifierInputs(crops, *tables, model, training, features))
    if not members:
        return TrainedModel(ClassifierConfig(**about, reason=_HELPED), {}), _no_history()
    config = ClassifierConfig(
        **about, members=_members(members, normalisation, about["channels"]), data_digest=data_digest
    )
    taught = follow_ups if training.learns_features else landmarks[asks_which_fate(landmarks)]
    seen = digest_seen(crops, taught, splits)
    return TrainedModel(config, join_weights(members), trained_on=seen), history_table(members)


def train_clock_networks(
    crops: CropStore | None,
    follow_ups: pd.DataFrame,
    questions: pd.DataFrame,
    splits: pd.DataFrame,
    normalisation: pd.DataFrame,
    frame_features: pd.DataFrame,
    follow_up: FollowUpSettings,
    network: ClockNetworkSettings,
    training: ClockTrainingSettings,
    features: FeatureSettings,
    blend: BlendSettings,
    context: ContextSettings,
) -> tuple[TrainedModel, pd.DataFrame]:
    """Train the fate clock's network in every fold, on every followed cell; its boosted hazards come later.

    Parameters
    ----------
    crops
        Crop store; None where there are no images.
    follow_ups, questions, splits, normalisation, frame_features
        Tables of the same names.
    follow_up, network, training, features, blend, context
        Settings.

    Returns
    -------
    model : TrainedModel
        One member a fold, without boosters; none, with the reason, where it is not asked what happens within hours.
    history : DataFrame
        Table `TrainingHistory`.

    Raises
    ------
    InputError
        If a fold lacks cells or events, or the settings do not fit the cells.
    """
    about = _describe(crops, follow_ups, splits, follow_up, training)
    about |= {"architecture": network, "features": features, "blend": blend, "context": context}
    about["doses"] = tuple(order_doses(follow_ups["dose"]))
    about |= {"spot_features": list_spot_features(frame_features.columns)}
    if not is_asked(questions, WITHIN_HOURS):
        return TrainedModel(ClockConfig(**about, reason=why_not(questions, WITHIN_HOURS)), {}), _no_history()
    tables = (follow_ups, splits, normalisation, frame_features)
    given = ClockInputs(crops, *tables, about["events"], follow_up, network, training, features, context)
    members, data_digest = fit_clock(given)
    if not members:
        return TrainedModel(ClockConfig(**about, reason=_HELPED), {}), _no_history()
    config = ClockConfig(**about, members=_members(members, normalisation, about["channels"]), data_digest=data_digest)
    # boosting is fitted to all of them for new recordings
    seen = frozenset(digest_cells(crops, follow_ups))
    return TrainedModel(config, join_weights(members), trained_on=seen), history_table(members)


def reseed_training(training: TrainingSettings) -> TrainingSettings:
    """Give the settings of a training, on this machine alone, that starts from other weights and draws other cells."""
    return training.model_copy(update={"seed": training.seed + 1, "num_nodes": 1})


def _describe(
    crops: CropStore | None,
    follow_ups: pd.DataFrame,
    splits: pd.DataFrame,
    follow_up: FollowUpSettings,
    training: FittingSettings,
) -> dict[str, Any]:
    """Describe the data and settings a model comes from, as the folder of either kind does."""
    return {
        "channels": () if crops is None else crops.channels,
        "crops": None if crops is None else crops.settings,
        "events": competing_events(follow_ups),
        "follow_up": follow_up,
        "frame_interval_min": float(follow_ups["frame_interval_min"].median()),
        "scheme": str(splits["scheme"].iloc[0]),
        "training": training.model_dump(mode="json", exclude={"checkpoint_folder"}),
        "versions": {name: version(name) for name in VERSIONED},
    }


def _members(members: list[FittedMember], normalisation: pd.DataFrame, channels: tuple[str, ...]) -> tuple[Any, ...]:
    return tuple(describe_member(member, *fold_statistics(normalisation, member.fold, channels)) for member in members)


def _no_history() -> pd.DataFrame:
    return TrainingHistory.empty()
