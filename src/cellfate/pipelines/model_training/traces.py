"""The fate clock of a study without images: its network reads columns of measurements."""

import pandas as pd

from cellfate.cohort.settings import FollowUpSettings
from cellfate.core.tables import Normalisation
from cellfate.features.settings import ContextSettings, FeatureSettings
from cellfate.models.settings import BlendSettings, ClockNetworkSettings
from cellfate.pipelines.model_training.nodes import train_clock_networks
from cellfate.prediction.records import TrainedModel
from cellfate.training.settings import ClockTrainingSettings


def train_trace_networks(
    follow_ups: pd.DataFrame,
    questions: pd.DataFrame,
    splits: pd.DataFrame,
    frame_features: pd.DataFrame,
    follow_up: FollowUpSettings,
    network: ClockNetworkSettings,
    training: ClockTrainingSettings,
    blend: BlendSettings,
    context: ContextSettings,
) -> tuple[TrainedModel, pd.DataFrame]:
    """Train the fate clock's network where there are no images; see `train_clock_networks`.

    Parameters
    ----------
    follow_ups, questions, splits, frame_features
        Tables of the same names.
    follow_up, network, training, blend, context
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
        If the network reads images, or a fold lacks cells or events.
    """
    tables = (follow_ups, questions, splits, Normalisation.empty(), frame_features)
    return train_clock_networks(None, *tables, follow_up, network, training, FeatureSettings(), blend, context)
