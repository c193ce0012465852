"""Nodes of the `inference` pipeline: what is done to new recordings follows from the model, not from parameters."""

import pandas as pd

from cellfate.cohort.samples import make_open_samples
from cellfate.crops.store import CropStore
from cellfate.metrics.scoring import score_inference
from cellfate.metrics.settings import ScoreSettings
from cellfate.prediction.fate_predictor import FatePredictor
from cellfate.prediction.records import TrainedModel
from cellfate.tracks.exporting import join_forecasts


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


def export_tracks(
    detections: pd.DataFrame, cells: pd.DataFrame, fate_table: pd.DataFrame, model: TrainedModel
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Put forecasts beside the tracks, for a spreadsheet and for viewers: table `TrackForecasts`, twice."""
    whole_track = model.config.samples.kind == "whole_track"
    table = join_forecasts(detections, cells, fate_table, whole_track=whole_track)
    return table, table
