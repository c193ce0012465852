"""The saved model and its use: model folder, preprocessing, forecasts; the production door, without Kedro.

Torch is imported by the functions that compute, not here.
"""

from typing import Any

from cellfate.prediction.model_folder import load_model_folder, save_model_folder
from cellfate.prediction.predictor import Predictor
from cellfate.prediction.records import ClassifierConfig, ClockConfig, MemberConfig, TrainedModel

__all__ = [
    "ClassifierConfig",
    "ClockConfig",
    "MemberConfig",
    "Predictor",
    "TrainedModel",
    "load_model_folder",
    "save_model_folder",
]


def __getattr__(name: str) -> Any:
    if name in ("FatePredictor", "ClockPredictor"):
        raise ImportError(
            f"{name} is gone; cellfate.Predictor.from_folder(path) reads any model folder and forecasts with it."
        )
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
