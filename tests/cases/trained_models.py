"""Models that tiny trainings make."""

from pathlib import Path

import numpy as np

from cellfate.cohort.questions import list_questions
from cellfate.crops.normalisation import fit_normalisation
from cellfate.crops.settings import CropSettings
from cellfate.features.measurements import measure_cells
from cellfate.features.settings import ContextSettings, FeatureSettings
from cellfate.models.settings import BlendSettings, BoostingSettings, ClockNetworkSettings, ModelSettings
from cellfate.pipelines.model_training.nodes import train_classifier, train_clock_networks
from cellfate.prediction.boosting import boost_clock
from cellfate.prediction.records import ClassifierConfig, ClockConfig, MemberConfig, TrainedModel
from cellfate.prediction.tempering import temper_classifier
from cellfate.prediction.weighing import weigh_blend
from tests.cases.crop_stores import TINY_FOLLOW_UP, TinyStudy, tiny_study
from tests.cases.trainings import TINY_CLOCK, TINY_MODEL, tiny_clock_training, tiny_training

TINY_BLEND = BlendSettings(
    parts=("network", "boosting", "boosting_on_embeddings"),
    history_h=2.0,
    boosting=BoostingSettings(n_trees=3, min_samples_leaf=2),
)


def train_tiny_classifier(study: TinyStudy, folder: Path, model: ModelSettings = TINY_MODEL) -> TrainedModel:
    """Train the classifier on a study for one epoch, temperatures and all."""
    questions = list_questions(study.follow_ups, study.landmarks, TINY_FOLLOW_UP)
    normalisation = fit_normalisation(study.crops, study.follow_ups, study.splits)
    measured = measure_cells(study.crops, study.detections, FeatureSettings())
    tables = (study.follow_ups, study.landmarks, questions, study.splits, normalisation, measured)
    settings = (TINY_FOLLOW_UP, model, tiny_training(folder, max_epochs=1), FeatureSettings())
    trained, _ = train_classifier(study.crops, *tables, *settings)
    return temper_classifier(study.crops, study.landmarks, study.splits, trained, measured)


def train_tiny_clock(
    study: TinyStudy,
    folder: Path,
    network: ClockNetworkSettings = TINY_CLOCK,
    blend: BlendSettings = TINY_BLEND,
    context: ContextSettings = ContextSettings(),  # noqa: B008  # frozen
) -> TrainedModel:
    """Train the fate clock on a study for one epoch, boosters and all."""
    questions = list_questions(study.follow_ups, study.landmarks, TINY_FOLLOW_UP)
    normalisation = fit_normalisation(study.crops, study.follow_ups, study.splits)
    measured = measure_cells(study.crops, study.detections, FeatureSettings())
    tables = (study.follow_ups, questions, study.splits, normalisation, measured)
    settings = (TINY_FOLLOW_UP, network, tiny_clock_training(folder, max_epochs=1), FeatureSettings(), blend, context)
    networks, _ = train_clock_networks(study.crops, *tables, *settings)
    boosted = boost_clock(study.landmarks, study.splits, measured, networks, study.crops)
    return weigh_blend(study.landmarks, study.splits, measured, boosted, study.crops)


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
