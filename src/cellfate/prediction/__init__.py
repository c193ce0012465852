"""The saved model and its use: model folder, preprocessing, prediction; the production door, without Kedro.

Torch is imported by the functions that compute, not here.
"""

from cellfate.prediction.embeddings import SampleEmbeddings, embed_samples
from cellfate.prediction.fate_predictor import FatePredictor
from cellfate.prediction.fold_model import FoldModel, load_fold
from cellfate.prediction.model_folder import load_model_folder, save_model_folder
from cellfate.prediction.records import MemberConfig, ModelConfig, TrainedModel
from cellfate.prediction.samples import check_trained_on, predict_samples

__all__ = [
    "FatePredictor",
    "FoldModel",
    "MemberConfig",
    "ModelConfig",
    "SampleEmbeddings",
    "TrainedModel",
    "check_trained_on",
    "embed_samples",
    "load_fold",
    "load_model_folder",
    "predict_samples",
    "save_model_folder",
]
