"""Tiny trainings: settings small enough to train in a second, and the models they make."""

from pathlib import Path

import numpy as np

from cellfate.cohort.questions import list_questions
from cellfate.crops.normalisation import fit_normalisation
from cellfate.crops.settings import CropSettings
from cellfate.features.measurements import measure_cells
from cellfate.features.settings import FeatureSettings
from cellfate.models.settings import (
    BlendSettings,
    BoostingSettings,
    CausalSettings,
    ClockNetworkSettings,
    ModelSettings,
)
from cellfate.pipelines.model_training.nodes import train_classifier, train_clock_networks
from cellfate.prediction.boosting import boost_clock
from cellfate.prediction.records import ClassifierConfig, ClockConfig, MemberConfig, TrainedModel
from cellfate.training.settings import (
    AugmentationSettings,
    ClockTrainingSettings,
    TrackAugmentationSettings,
    TrainingSettings,
)
from tests.cases.crop_stores import TINY_FOLLOW_UP, TinyStudy, tiny_study

_SIZES = {
    "encoder_channels": (4, 8),
    "encoder_grid": 2,
    "embedding_size": 16,
    "n_layers": 1,
    "n_heads": 2,
    "feed_forward_size": 16,
}
TINY_MODEL = ModelSettings(**_SIZES)  # type: ignore[arg-type]
TINY_CLOCK = ClockNetworkSettings(
    **_SIZES,  # type: ignore[arg-type]
    intensity="above_background",
    causal=CausalSettings(history_frames=4, statistics_frames=(3,), hidden_size=8),
)
TINY_BLEND = BlendSettings(
    parts=("network", "boosting", "boosting_on_embeddings"),
    history_h=2.0,
    boosting=BoostingSettings(n_trees=3, min_samples_leaf=2),
)


def tiny_training(folder: Path, **changes: object) -> TrainingSettings:
    """One epoch of small batches."""
    settings = {
        "max_epochs": 1,
        "learning_rate": 5e-3,
        "average_decay": 0.5,
        "max_frames_per_batch": 60,
        "checkpoint_folder": str(folder / "checkpoints"),
        "augmentation": TrackAugmentationSettings(drop_end_share=0),
    }
    return TrainingSettings(**(settings | changes))  # type: ignore[arg-type]


def tiny_clock_training(folder: Path, **changes: object) -> ClockTrainingSettings:
    """One epoch of small batches after two passes of pretraining."""
    settings = {
        "max_epochs": 1,
        "learning_rate": 5e-3,
        "average_decay": 0.5,
        "max_frames_per_batch": 40,
        "pretraining_epochs": 2,
        "pretraining_frames": 20,
        "checkpoint_folder": str(folder / "checkpoints"),
        "augmentation": AugmentationSettings(),
    }
    return ClockTrainingSettings(**(settings | changes))  # type: ignore[arg-type]


def train_tiny_classifier(study: TinyStudy, folder: Path, model: ModelSettings = TINY_MODEL) -> TrainedModel:
    """Train the classifier on a study for one epoch."""
    questions = list_questions(study.follow_ups, study.landmarks, TINY_FOLLOW_UP)
    normalisation = fit_normalisation(study.crops, study.follow_ups, study.splits)
    tables = (study.follow_ups, study.landmarks, questions, study.splits, normalisation)
    return train_classifier(study.crops, *tables, TINY_FOLLOW_UP, model, tiny_training(folder))[0]


def train_tiny_clock(
    study: TinyStudy,
    folder: Path,
    network: ClockNetworkSettings = TINY_CLOCK,
    blend: BlendSettings = TINY_BLEND,
) -> TrainedModel:
    """Train the fate clock on a study for one epoch, boosters and all."""
    questions = list_questions(study.follow_ups, study.landmarks, TINY_FOLLOW_UP)
    normalisation = fit_normalisation(study.crops, study.follow_ups, study.splits)
    measured = measure_cells(study.crops, study.detections, FeatureSettings())
    tables = (study.follow_ups, questions, study.splits, normalisation, measured)
    settings = (TINY_FOLLOW_UP, network, tiny_clock_training(folder), FeatureSettings(), blend)
    networks, _ = train_clock_networks(study.crops, *tables, *settings)
    return boost_clock(study.landmarks, study.splits, measured, networks, study.crops)


def tiny_classifier(folder: Path, **study_arguments: object) -> tuple[TinyStudy, TrainedModel]:
    """A study (arguments of `tiny_study` may follow) and the classifier trained on it."""
    study = tiny_study(folder, **({"channels": 2, "size": 8} | study_arguments))  # type: ignore[arg-type]
    return study, train_tiny_classifier(study, folder)


def tiny_clock(folder: Path, **study_arguments: object) -> tuple[TinyStudy, TrainedModel]:
    """A study (arguments of `tiny_study` may follow) and the fate clock trained on it."""
    study = tiny_study(folder, **({"channels": 2, "size": 8} | study_arguments))  # type: ignore[arg-type]
    return study, train_tiny_clock(study, folder)


_ABOUT = {
    "events": ("apoptosis", "mitosis"),
    "follow_up": TINY_FOLLOW_UP,
    "channels": ("gfp",),
    "crops": CropSettings(height_px=8, width_px=8),
    "frame_interval_min": 30.0,
    "scheme": "grouped_holdout",
}


def untrained_model() -> TrainedModel:
    """A classifier with a made-up weight, for what only saves and loads."""
    member = MemberConfig(fold=0, mean=(100.0,), sd=(5.0,), best_epoch=0, n_epochs=1, n_train=4, n_validation=2)
    config = ClassifierConfig(**_ABOUT, architecture=TINY_MODEL, members=(member,), data_digest="0" * 64)  # type: ignore[arg-type]
    return TrainedModel(config, {"fold_0.head.bias": np.arange(3, dtype=np.float32)})


def model_without_members(kind: str) -> TrainedModel:
    """What a training leaves where the question of a `classifier` or `clock` is not asked."""
    if kind == "classifier":
        return TrainedModel(ClassifierConfig(**_ABOUT, architecture=TINY_MODEL, reason="not asked: a reason."), {})  # type: ignore[arg-type]
    settings = {"architecture": TINY_CLOCK, "features": FeatureSettings(), "blend": TINY_BLEND}
    return TrainedModel(ClockConfig(**_ABOUT, **settings, reason="not asked: a reason."), {})  # type: ignore[arg-type]
