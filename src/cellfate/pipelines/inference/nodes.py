"""Nodes of the `inference` pipeline: what is done to new recordings follows from the model, not from parameters."""

import pandas as pd

from cellfate.imaging.records import RecordingFolder
from cellfate.imaging.settings import RecordingSettings
from cellfate.metrics.scoring import score_inference
from cellfate.metrics.settings import ScoreSettings
from cellfate.prediction.fate_predictor import FatePredictor, check_recording
from cellfate.prediction.records import TrainedModel
from cellfate.sequences.crops import CropPlan, plan_crops
from cellfate.sequences.samples import make_open_samples
from cellfate.sequences.store import CropStore


def cut_new_crops(
    folder: RecordingFolder,
    recordings: pd.DataFrame,
    frame_files: pd.DataFrame,
    detections: pd.DataFrame,
    model: TrainedModel,
    settings: RecordingSettings,
) -> CropPlan:
    """Plan crops of the model's size, once every recording has the model's channels and frame interval.

    Raises
    ------
    InputError
        If a recording has not.
    """
    for row in recordings.itertuples(index=False):
        channels = tuple(str(row.channels).split("|"))
        check_recording(model.config, str(row.recording_id), channels, float(str(row.frame_interval_min)))
    return plan_crops(folder, recordings, frame_files, detections, model.config.crops, settings)


def make_new_samples(
    crops: CropStore, recordings: pd.DataFrame, cells: pd.DataFrame, model: TrainedModel
) -> pd.DataFrame:
    """Make samples as those the model was trained on; fates need not be known.

    Raises
    ------
    InputError
        If no cell is long enough.
    """
    return make_open_samples(crops, recordings, cells, model.config.samples)


def predict_fates(crops: CropStore, samples: pd.DataFrame, model: TrainedModel) -> pd.DataFrame:
    """Predict every sample: sample_id, recording_id, cell_id, last_frame, call, one probability an outcome."""
    return FatePredictor(model).predict_samples(crops, samples)


def score_known_outcomes(fate_table: pd.DataFrame, samples: pd.DataFrame, scores: ScoreSettings) -> pd.DataFrame:
    """Score the fate table where fates are known: table `Metrics`, without rows where none is."""
    return score_inference(fate_table.drop(columns=["recording_id", "cell_id", "last_frame"]), samples, scores)
