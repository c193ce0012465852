"""Nodes of the `model_training` pipeline."""

from importlib.metadata import version

import pandas as pd

from cellfate.models.settings import ModelSettings
from cellfate.prediction.records import ModelConfig, TrainedModel, describe_member, join_weights
from cellfate.sequences.settings import SampleSettings
from cellfate.sequences.store import CropStore
from cellfate.training.fitting import fit_members, history_table
from cellfate.training.fold_data import fold_statistics
from cellfate.training.settings import TrainingSettings

VERSIONED = ("cellfate", "torch", "lightning", "monai", "numpy")


def train_model(
    crops: CropStore,
    samples: pd.DataFrame,
    splits: pd.DataFrame,
    normalisation: pd.DataFrame,
    recordings: pd.DataFrame,
    sample_settings: SampleSettings,
    model: ModelSettings,
    training: TrainingSettings,
) -> tuple[TrainedModel, pd.DataFrame]:
    """Train one member a fold and put them together with everything needed to use them.

    Parameters
    ----------
    crops
        Crop store.
    samples, splits, normalisation, recordings
        Tables of the same names.
    sample_settings
        What made the samples.
    model
        Architecture.
    training
        How to fit.

    Returns
    -------
    model : TrainedModel
        One member a fold.
    history : DataFrame
        One row a fold and epoch.

    Raises
    ------
    InputError
        If a fold lacks samples or outcomes, or the settings do not fit the samples.
    """
    members, data_digest = fit_members(crops, samples, splits, normalisation, sample_settings, model, training)
    config = ModelConfig(
        architecture=model,
        channels=crops.channels,
        outcomes=sample_settings.outcomes,
        samples=sample_settings,
        crops=crops.settings,
        frame_interval_min=float(recordings["frame_interval_min"].median()),
        scheme=str(splits["scheme"].iloc[0]),
        members=tuple(
            describe_member(member, *fold_statistics(normalisation, member.fold, crops.channels)) for member in members
        ),
        training=training.model_dump(mode="json", exclude={"checkpoint_folder"}),
        data_digest=data_digest,
        versions={name: version(name) for name in VERSIONED},
    )
    return TrainedModel(config, join_weights(members)), history_table(members)
