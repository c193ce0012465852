"""The fate clock of a study without images: boosted hazards on traces, without a network."""

from importlib.metadata import version

import pandas as pd

from cellfate.cohort.outcomes import competing_events
from cellfate.cohort.questions import WITHIN_HOURS, is_asked, why_not
from cellfate.cohort.settings import FollowUpSettings
from cellfate.core.errors import InputError
from cellfate.core.predictors import BOOSTING
from cellfate.core.spot_features import list_spot_features
from cellfate.core.words import order_doses
from cellfate.crops.digest import digest_data
from cellfate.features.settings import ContextSettings, FeatureSettings
from cellfate.models.settings import BlendSettings, ClockNetworkSettings
from cellfate.prediction.records import ClockConfig, MemberConfig, TrainedModel


def prepare_clock(
    follow_ups: pd.DataFrame,
    questions: pd.DataFrame,
    splits: pd.DataFrame,
    frame_features: pd.DataFrame,
    follow_up: FollowUpSettings,
    blend: BlendSettings,
    context: ContextSettings,
) -> TrainedModel:
    """Describe a fate clock without networks; its boosted hazards come later.

    Parameters
    ----------
    follow_ups, questions, splits, frame_features
        Tables of the same names.
    follow_up, blend, context
        Settings.

    Returns
    -------
    TrainedModel
        One member a fold, without weights; none, with the reason, where it is not asked what happens within hours.

    Raises
    ------
    InputError
        If the blend has parts that read images.
    """
    reading = [part for part in blend.parts if part != BOOSTING]
    if reading:
        raise InputError(
            f"blend.parts names {reading[0]}, a network that reads images, but there are none (recordings.layout is "
            "'traces'); set blend.parts to [boosting].",
            "blend.parts",
        )
    members = tuple(_describe_fold(int(str(fold)), rows) for fold, rows in splits.groupby("fold"))
    asked = is_asked(questions, WITHIN_HOURS)
    config = ClockConfig(
        architecture=ClockNetworkSettings(),
        events=competing_events(follow_ups),
        follow_up=follow_up,
        channels=(),
        frame_interval_min=float(follow_ups["frame_interval_min"].median()),
        scheme=str(splits["scheme"].iloc[0]),
        members=members if asked else (),
        reason="" if asked else why_not(questions, WITHIN_HOURS),
        features=FeatureSettings(),
        context=context,
        doses=tuple(order_doses(follow_ups["dose"])),
        spot_features=list_spot_features(frame_features.columns),
        blend=blend,
        data_digest=digest_data(None, follow_ups, splits, frame_features),
        versions={name: version(name) for name in ("cellfate", "lightgbm", "numpy")},
    )
    return TrainedModel(config, {})


def _describe_fold(fold: int, splits: pd.DataFrame) -> MemberConfig:
    n_train, n_validation = ((splits["part"] == part).sum() for part in ("train", "validation"))
    counts = {"n_train": int(n_train), "n_validation": int(n_validation)}
    return MemberConfig(fold=fold, mean=(), sd=(), best_epoch=0, n_epochs=0, **counts)
