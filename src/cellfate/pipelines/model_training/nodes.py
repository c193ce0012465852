"""Nodes of the `model_training` pipeline."""

from importlib.metadata import version

import numpy as np
import pandas as pd

from cellfate.attribution.settings import ExplanationSettings
from cellfate.cohort.settings import SampleSettings
from cellfate.crops.store import CropStore
from cellfate.models.settings import ModelSettings
from cellfate.prediction.records import ModelConfig, TrainedModel, describe_member, join_weights
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


def permute_outcomes(
    samples: pd.DataFrame, splits: pd.DataFrame, explanation: ExplanationSettings
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Permute the outcomes of the first fold's training samples, and of its validation samples.

    Parameters
    ----------
    samples, splits
        Tables of the same names.
    explanation
        Seed.

    Returns
    -------
    permuted_samples : DataFrame
        Table `Samples`; outcomes change hands within a part, so that each is as common as before.
    first_fold_splits : DataFrame
        Table `Splits` of the first fold.
    """
    first = splits[splits["fold"] == splits["fold"].min()].reset_index(drop=True)
    generator = np.random.default_rng([explanation.seed, 5])
    outcomes = samples.set_index("sample_id")["outcome"].copy()
    for part in ("train", "validation"):
        ids = first.loc[first["part"] == part, "sample_id"]
        known = ids[outcomes[ids].notna().to_numpy()]
        outcomes[known] = generator.permutation(outcomes[known].to_numpy())
    return samples.assign(outcome=outcomes.to_numpy()), first


def reseed_training(training: TrainingSettings) -> TrainingSettings:
    """Give the settings of a training that starts from other weights and draws other samples."""
    return training.model_copy(update={"seed": training.seed + 1})
