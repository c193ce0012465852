"""Tiny trainings: a store, its tables, and settings small enough to train in a second."""

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from cellfate.models.settings import ModelSettings
from cellfate.sequences.normalisation import fit_normalisation
from cellfate.sequences.samples import make_samples
from cellfate.sequences.settings import SampleSettings, SplitSettings
from cellfate.sequences.splits import split_samples
from cellfate.sequences.store import CropStore
from cellfate.training.settings import AugmentationSettings, TrainingSettings
from tests.cases.crop_stores import tiny_store

TINY_MODEL = ModelSettings(
    encoder_channels=(4, 8), encoder_grid=2, embedding_size=16, n_layers=1, n_heads=2, feed_forward_size=16
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
