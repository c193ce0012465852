"""Tiny trainings: a store, its tables, and settings small enough to train in a second."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from cellfate.cohort.follow_ups import follow_cells, list_landmarks
from cellfate.cohort.samples import make_samples
from cellfate.cohort.settings import FollowUpSettings, SampleSettings, SplitSettings
from cellfate.cohort.splits import split_follow_ups, split_samples
from cellfate.crops.normalisation import fit_normalisation
from cellfate.crops.settings import CropSettings
from cellfate.crops.store import CellSequence, CropStore
from cellfate.features.measurements import measure_cells
from cellfate.features.settings import FeatureSettings
from cellfate.models.settings import BoostingSettings, CausalSettings, EnsembleSettings, ModelSettings
from cellfate.pipelines.fate_clock.nodes import boost_clock, train_clock
from cellfate.prediction.records import MemberConfig, ModelConfig, TrainedClock, TrainedModel
from cellfate.training.settings import AugmentationSettings, ClockTrainingSettings, TrainingSettings
from tests.cases.crop_stores import tiny_store

TINY_MODEL = ModelSettings(
    encoder_channels=(4, 8), encoder_grid=2, embedding_size=16, n_layers=1, n_heads=2, feed_forward_size=16
)

TINY_CLOCK = TINY_MODEL.model_copy(
    update={
        "intensity": "above_background",
        "causal": CausalSettings(history_frames=4, statistics_frames=(3,), hidden_size=8),
    }
)
TINY_FOLLOW_UP = FollowUpSettings(horizon_h=3.0, report_h=(2.0, 3.0), headline_h=2.0, min_frames=3, stride_frames=2)
TINY_ENSEMBLE = EnsembleSettings(
    parts=("network", "boosting_on_features", "boosting_on_embeddings"),
    history_h=2.0,
    boosting=BoostingSettings(n_trees=3, min_samples_leaf=2),
)


@dataclass(frozen=True)
class TinyStudy:
    """What a training is given."""

    crops: CropStore
    recordings: pd.DataFrame
    samples: pd.DataFrame
    splits: pd.DataFrame
    normalisation: pd.DataFrame
    sample_settings: SampleSettings


def tiny_study(folder: Path, kind: str = "whole_track", scheme: str = "grouped_holdout", **store: float) -> TinyStudy:
    """Two channels, crops of 8 x 8 px; the second channel tells the fate."""
    sizes = {"n_recordings": 8, "channels": 2, "size": 8, "n_frames": 12, **store}
    crops, recordings, detections, cells = tiny_store(folder, **sizes)  # type: ignore[arg-type]
    landmarks = {"history_frames": 4, "stride_frames": 2, "horizon_h": 1.5} if kind == "landmark" else {}
    sample_settings = SampleSettings(kind=kind, **landmarks)  # type: ignore[arg-type]
    samples, _ = make_samples(crops, recordings, cells, sample_settings)
    split = SplitSettings(scheme=scheme, n_folds=2, test_share=0.25, validation_share=0.4)  # type: ignore[arg-type]
    splits = split_samples(samples, cells, detections, split)
    normalisation = fit_normalisation(crops, samples, splits)
    return TinyStudy(crops, recordings, samples, splits, normalisation, sample_settings)


def tiny_training(folder: Path, **changes: object) -> TrainingSettings:
    """Three epochs of small batches."""
    settings = {
        "max_epochs": 3,
        "learning_rate": 5e-3,
        "average_decay": 0.5,
        "max_frames_per_batch": 60,
        "checkpoint_folder": str(folder / "checkpoints"),
        "augmentation": AugmentationSettings(drop_end_share=0),
    }
    return TrainingSettings(**(settings | changes))  # type: ignore[arg-type]


@dataclass(frozen=True)
class TinyClockStudy:
    """What a training of the fate clock is given, and what it is scored on."""

    crops: CropStore
    recordings: pd.DataFrame
    follow_ups: pd.DataFrame
    landmarks: pd.DataFrame
    splits: pd.DataFrame
    normalisation: pd.DataFrame
    frame_features: pd.DataFrame

    def read_cell(self, row: int = 0) -> CellSequence:
        """Read all crops of the cell of one follow-up."""
        cell = self.follow_ups.iloc[row]
        return self.crops.read(cell["recording_id"], int(cell["cell_id"]))

    @property
    def tables(self) -> tuple[pd.DataFrame, ...]:
        """What `fit_clock_members` is given after the crops."""
        return self.follow_ups, self.splits, self.normalisation, self.frame_features


def tiny_clock_study(folder: Path, scheme: str = "grouped_folds", **store: float) -> TinyClockStudy:
    """Two channels, crops of 8 x 8 px, two folds; the second channel tells the fate, one cell in five is censored."""
    sizes = {"n_recordings": 6, "channels": 2, "size": 8, "n_frames": 12, **store}
    crops, recordings, detections, cells = tiny_store(folder, **sizes)  # type: ignore[arg-type]
    follow_ups, _ = follow_cells(crops, recordings, cells, TINY_FOLLOW_UP)
    landmarks = list_landmarks(crops, recordings, follow_ups, TINY_FOLLOW_UP)
    split = SplitSettings(scheme=scheme, n_folds=2, validation_share=0.4)  # type: ignore[arg-type]
    splits = split_follow_ups(follow_ups, cells, detections, split)
    normalisation = fit_normalisation(crops, follow_ups, splits)
    features = measure_cells(crops, detections, FeatureSettings())
    return TinyClockStudy(crops, recordings, follow_ups, landmarks, splits, normalisation, features)


def tiny_clock_training(folder: Path, **changes: object) -> ClockTrainingSettings:
    """Three epochs of small batches after two passes of pretraining."""
    settings = {
        "max_epochs": 3,
        "learning_rate": 5e-3,
        "average_decay": 0.5,
        "max_frames_per_batch": 40,
        "pretraining_epochs": 2,
        "pretraining_frames": 20,
        "checkpoint_folder": str(folder / "checkpoints"),
        "augmentation": AugmentationSettings(drop_end_share=0),
    }
    return ClockTrainingSettings(**(settings | changes))  # type: ignore[arg-type]


def tiny_clock(folder: Path) -> tuple[TinyClockStudy, TrainedClock]:
    """A study and the clock trained on it for one epoch, boosters and all."""
    study = tiny_clock_study(folder)
    training = tiny_clock_training(folder, max_epochs=1)
    settings = (TINY_FOLLOW_UP, TINY_CLOCK, training, FeatureSettings(), TINY_ENSEMBLE)
    networks, _ = train_clock(study.crops, *study.tables, *settings)
    tables = (study.follow_ups, study.landmarks, study.splits, study.frame_features)
    return study, boost_clock(study.crops, *tables, networks)


def untrained_model() -> TrainedModel:
    """A classifier with a made-up weight, for what only saves and loads."""
    member = MemberConfig(fold=0, mean=(100.0,), sd=(5.0,), best_epoch=0, n_epochs=1, n_train=4, n_validation=2)
    config = ModelConfig(
        architecture=ModelSettings(),
        channels=("gfp",),
        outcomes=("apoptosis", "mitosis"),
        samples=SampleSettings(kind="whole_track"),
        crops=CropSettings(height_px=8, width_px=8),
        frame_interval_min=30.0,
        scheme="grouped_holdout",
        members=(member,),
        data_digest="0" * 64,
    )
    return TrainedModel(config, {"fold_0.head.bias": np.arange(3, dtype=np.float32)})
