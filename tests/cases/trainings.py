"""What a training is given, and settings small enough to train in a second."""

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from cellfate.cohort.outcomes import competing_events
from cellfate.cohort.settings import SplitSettings
from cellfate.crops.normalisation import fit_normalisation
from cellfate.features.measurements import measure_cells
from cellfate.features.settings import FeatureSettings
from cellfate.models.fitted_member import FittedMember
from cellfate.models.settings import CausalSettings, ClockNetworkSettings, ModelSettings
from cellfate.training import fit_classifier, fit_clock
from cellfate.training.batches import ShownCells
from cellfate.training.classifier_data import ClassifierInputs, open_classifier_folds
from cellfate.training.clock_data import ClockInputs, open_clock_folds
from cellfate.training.fold_data import FoldData
from cellfate.training.settings import ClockTrainingSettings, TrackAugmentationSettings, TrainingSettings
from tests.cases.crop_stores import TINY_FOLLOW_UP, TinyStudy, tiny_study

TINY_MODEL = ModelSettings(
    encoder_channels=(4, 8), encoder_grid=2, embedding_size=16, n_layers=1, n_heads=2, feed_forward_size=16
)
TINY_CLOCK = ClockNetworkSettings(
    **TINY_MODEL.model_dump(exclude={"intensity", "mask_channel"}),
    intensity="above_background",
    causal=CausalSettings(history_frames=4, statistics_frames=(3,), hidden_size=8),
)
SMALL = {"max_epochs": 3, "learning_rate": 5e-3, "average_decay": 0.5}


@dataclass(frozen=True, eq=False)
class TrainableStudy(TinyStudy):
    """A study with what is measured on its pixels."""

    normalisation: pd.DataFrame
    frame_features: pd.DataFrame

    def classifier_inputs(self, training: TrainingSettings, network: ModelSettings = TINY_MODEL) -> ClassifierInputs:
        """What the fitting of the classifier is given."""
        tables = (self.landmarks, self.follow_ups, self.splits, self.normalisation, self.frame_features)
        return ClassifierInputs(self.crops, *tables, network, training, FeatureSettings())

    def clock_inputs(self, training: ClockTrainingSettings) -> ClockInputs:
        """What the fitting of the clock is given."""
        tables = (self.follow_ups, self.splits, self.normalisation, self.frame_features)
        settings = (competing_events(self.follow_ups), TINY_FOLLOW_UP, TINY_CLOCK, training, FeatureSettings())
        return ClockInputs(self.crops, *tables, *settings)  # type: ignore[arg-type]

    def fit(self, training: TrainingSettings | ClockTrainingSettings) -> list[FittedMember]:
        """Fit the classifier or the clock."""
        if isinstance(training, TrainingSettings):
            return fit_classifier(self.classifier_inputs(training))[0]
        return fit_clock(self.clock_inputs(training))[0]

    def open_folds(self, training: TrainingSettings | ClockTrainingSettings) -> list[FoldData[ShownCells]]:
        """Bring together what each fold is trained on."""
        if isinstance(training, TrainingSettings):
            return open_classifier_folds(self.classifier_inputs(training))  # type: ignore[return-value]
        return open_clock_folds(self.clock_inputs(training))  # type: ignore[return-value]


def trainable_study(folder: Path, scheme: str = "grouped_folds", **store: float) -> TrainableStudy:
    """Two channels, crops of 8 x 8 px, two folds; the second channel tells the fate, one cell in five is censored."""
    sizes = {"n_recordings": 6, "channels": 2, "size": 8, "n_frames": 12, **store}
    splits = SplitSettings(scheme=scheme, n_folds=2, validation_share=0.4)  # type: ignore[arg-type]
    study = tiny_study(folder, splits=splits, **sizes)
    normalisation = fit_normalisation(study.crops, study.follow_ups, study.splits)
    return TrainableStudy(
        **vars(study),
        normalisation=normalisation,
        frame_features=measure_cells(study.crops, study.detections, FeatureSettings()),
    )


def tiny_training(folder: Path, **changes: object) -> TrainingSettings:
    """Three epochs of small batches."""
    settings = {
        "max_frames_per_batch": 60,
        "checkpoint_folder": str(folder / "checkpoints"),
        "augmentation": TrackAugmentationSettings(drop_end_share=0),
    }
    return TrainingSettings(**(SMALL | settings | changes))  # type: ignore[arg-type]


def tiny_clock_training(folder: Path, **changes: object) -> ClockTrainingSettings:
    """Three epochs of small batches after two passes of pretraining."""
    settings = {
        "max_frames_per_batch": 40,
        "pretraining_epochs": 2,
        "pretraining_frames": 20,
        "checkpoint_folder": str(folder / "checkpoints"),
    }
    return ClockTrainingSettings(**(SMALL | settings | changes))  # type: ignore[arg-type]
