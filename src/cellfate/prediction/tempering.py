"""The temperature of each member of the classifier: on validation cells, and only where it helps there."""

import logging
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from cellfate.cohort.landmarks import asks_which_fate
from cellfate.cohort.splits import select_part
from cellfate.crops.digest import CellReader
from cellfate.crops.store import CropStore
from cellfate.prediction.classifier_member import load_classifier_member
from cellfate.prediction.embeddings import embed_landmarks
from cellfate.prediction.records import MemberTemperature, TrainedModel, describe_temperature
from cellfate.prediction.shown_frames import show_frames
from cellfate.statistics.temperature import choose_temperature

logger = logging.getLogger(__name__)


def temper_classifier(
    crops: CropStore,
    landmarks: pd.DataFrame,
    splits: pd.DataFrame,
    model: TrainedModel,
    frame_features: pd.DataFrame | None = None,
) -> TrainedModel:
    """Choose what the log odds of each member are divided by.

    Parameters
    ----------
    crops, landmarks, splits
        Crop store and tables of the same names.
    model
        Classifier trained on these; temperatures that it has do not matter.
    frame_features
        Table of that name, where the network reads columns of it.

    Returns
    -------
    TrainedModel
        The same with `temperature` in the description of every member, chosen on the fold's own validation cells; see
        `statistics.temperature.choose_temperature`. A model without members is given back as it is.
    """
    bare = _with_temperatures(model, [None] * len(model.classifier_config.members))
    fated = landmarks[asks_which_fate(landmarks)]
    shown = crops if frame_features is None else show_frames(model.config, crops, frame_features, fated)
    chosen = [_choose(shown, select_part(fated, splits, fold, "validation"), bare, fold) for fold in bare.config.folds]
    for fold, temperature in zip(bare.config.folds, chosen, strict=True):
        logger.info("Classifier, fold %d: %s", fold, describe_temperature(temperature))
    return _with_temperatures(model, chosen) if chosen else model


def _choose(crops: CellReader, shown: pd.DataFrame, model: TrainedModel, fold: int) -> MemberTemperature:
    embedded = embed_landmarks(crops, shown, model, fold)
    member = load_classifier_member(model, fold)
    log_odds_n = member.logits(embedded.embeddings, embedded.positions)[:, 0].astype(np.float64)
    happened_n = (shown["fate"] == model.config.events[0]).to_numpy(bool)
    found = choose_temperature(log_odds_n, happened_n, shown["group_id"].to_numpy(object))
    known = {name: None if value != value else value for name, value in found._asdict().items()}
    return MemberTemperature(**known, n_groups=shown["group_id"].nunique())


def _with_temperatures(model: TrainedModel, temperatures: Sequence[MemberTemperature | None]) -> TrainedModel:
    config = model.classifier_config
    members = tuple(
        member.model_copy(update={"temperature": temperature})
        for member, temperature in zip(config.members, temperatures, strict=True)
    )
    return replace(model, config=config.model_copy(update={"members": members}))
