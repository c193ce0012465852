"""Nodes of the `explainability` pipeline that join two rooms: where a model is explained, and whether it may be."""

import pandas as pd

from cellfate.attribution.explained_landmarks import choose_explained_landmarks
from cellfate.attribution.settings import ExplanationSettings
from cellfate.crops.store import CropStore
from cellfate.features.measured_frames import FrameSource
from cellfate.prediction.records import TrainedModel
from cellfate.prediction.trained_on import check_trained_on


def choose_tested_landmarks(
    shown: FrameSource,
    landmarks: pd.DataFrame,
    splits: pd.DataFrame,
    model: TrainedModel,
    explanation: ExplanationSettings,
    crops: CropStore | None = None,
    follow_ups: pd.DataFrame | None = None,
    frame_features: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Choose the landmarks at which a model of this study is explained; see `choose_explained_landmarks`.

    Parameters
    ----------
    shown, landmarks, splits, model, explanation
        As there.
    crops
        Crops of the study; None where there are no images.
    follow_ups, frame_features
        Fate clock: what else it was trained on.

    Raises
    ------
    InputError
        If the model was trained on other data: cells that test now may have trained it.
    """
    if model.config.members:
        asked, *measured = [table for table in (follow_ups, frame_features) if table is not None] or [landmarks]
        check_trained_on(model, crops, asked, splits, *measured)
    return choose_explained_landmarks(shown, landmarks, splits, model, explanation)
