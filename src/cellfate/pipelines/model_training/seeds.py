"""Nodes that train both models again from further seeds, and keep what these would have forecast."""

import logging
from collections.abc import Callable

import pandas as pd

from cellfate.cohort.settings import FollowUpSettings
from cellfate.core.predictors import BOOSTING
from cellfate.core.tables import FRAME, SeedForecasts
from cellfate.crops.store import CropStore
from cellfate.features.settings import ContextSettings, FeatureSettings
from cellfate.models.settings import BlendSettings, ClockNetworkSettings, ModelSettings
from cellfate.pipelines.model_training.nodes import train_classifier, train_clock_networks
from cellfate.prediction.boosting import boost_clock
from cellfate.prediction.forecasts import forecast_classifier, forecast_clock
from cellfate.prediction.tempering import temper_classifier
from cellfate.prediction.weighing import weigh_blend
from cellfate.training.settings import ClockTrainingSettings, SeedSettings, TrainingSettings

logger = logging.getLogger(__name__)


def repeat_classifier(
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
    seeds: SeedSettings,
) -> pd.DataFrame:
    """Train the classifier from every seed but the first, its temperatures included, and forecast the test cells.

    Parameters
    ----------
    crops, follow_ups, landmarks, questions, splits, normalisation, frame_features
        As of `train_classifier`, and the settings that follow.
    seeds
        How many seeds, the first included.

    Returns
    -------
    DataFrame
        Table `SeedForecasts`; without rows where there is one seed, or the question is not asked.
    """
    tables = (crops, follow_ups, landmarks, questions, splits, normalisation, frame_features)

    def forecast(seed: int) -> pd.DataFrame:
        reseeded = training.model_copy(update={"seed": seed, "num_nodes": 1})
        trained, _ = train_classifier(*tables, follow_up, model, reseeded, features)
        tempered = temper_classifier(crops, landmarks, splits, trained, frame_features)
        return forecast_classifier(crops, landmarks, splits, tempered, frame_features)

    return _forecast_each(forecast, training.seed, seeds, landmarks)


def repeat_clock(
    detections: pd.DataFrame,
    landmarks: pd.DataFrame,
    crops: CropStore,
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
    seeds: SeedSettings,
) -> pd.DataFrame:
    """Train the fate clock from every seed but the first, its blend included, and forecast the test cells.

    Parameters
    ----------
    detections, landmarks
        Tables of the same names.
    crops, follow_ups, questions, splits, normalisation, frame_features
        As of `train_clock_networks`, and the settings that follow.
    seeds
        How many seeds, the first included.

    Returns
    -------
    DataFrame
        Table `SeedForecasts` of the network and the blend. Boosting draws nothing: it is the same from every seed.
    """
    tables = (crops, follow_ups, questions, splits, normalisation, frame_features)

    def forecast(seed: int) -> pd.DataFrame:
        reseeded = training.model_copy(update={"seed": seed, "num_nodes": 1})
        networks, _ = train_clock_networks(*tables, follow_up, network, reseeded, features, blend, context)
        boosted = boost_clock(landmarks, splits, frame_features, networks, crops)
        trained = weigh_blend(landmarks, splits, frame_features, boosted, crops)
        forecasts = forecast_clock(crops, detections, follow_ups, splits, frame_features, trained)
        return forecasts[forecasts["predictor"] != BOOSTING]

    return _forecast_each(forecast, training.seed, seeds, landmarks)


def _forecast_each(
    forecast: Callable[[int], pd.DataFrame], first: int, seeds: SeedSettings, landmarks: pd.DataFrame
) -> pd.DataFrame:
    """Forecast by a training from every seed after the first; rows that no score reads are left out."""
    asked = pd.MultiIndex.from_frame(landmarks.assign(frame=landmarks["last_frame"])[FRAME])
    tables = []
    for number in range(1, seeds.n_seeds):
        logger.info("Training %d of %d, from seed %d", number + 1, seeds.n_seeds, first + number)
        made = forecast(first + number)
        scored = (made["part"] == "test") & pd.MultiIndex.from_frame(made[FRAME]).isin(asked)
        tables.append(made[scored].assign(seed=first + number))
    return SeedForecasts.validate(pd.concat(tables, ignore_index=True)) if tables else SeedForecasts.empty()
