"""The saved model and its use: model folder, preprocessing, prediction; the production door, without Kedro.

Torch is imported by the functions that compute, not here.
"""

from cellfate.prediction.clock_forecasts import forecast_incidence
from cellfate.prediction.clock_predictor import ClockPredictor
from cellfate.prediction.embeddings import SampleEmbeddings, embed_samples
from cellfate.prediction.fate_predictor import FatePredictor
from cellfate.prediction.fold_model import FoldModel, load_fold
from cellfate.prediction.model_folder import load_clock_folder, load_model_folder, save_model_folder
from cellfate.prediction.records import ClockConfig, MemberConfig, ModelConfig, TrainedClock, TrainedModel
from cellfate.prediction.samples import check_trained_on, predict_samples

__all__ = [
    "ClockConfig",
    "ClockPredictor",
    "FatePredictor",
    "FoldModel",
    "MemberConfig",
    "ModelConfig",
    "SampleEmbeddings",
    "TrainedClock",
    "TrainedModel",
    "check_trained_on",
    "embed_samples",
    "forecast_incidence",
    "load_clock_folder",
    "load_fold",
    "load_model_folder",
    "predict_samples",
    "save_model_folder",
]
