"""Gradient times input: what a first-order estimate says would be lost if a part were absent.

The gradient of the log odds times the input, less what stands in for it, is the slope of occlusion at the input
(Shrikumar et al. 2017). Summed over the pixels of a window and channel it is comparable with the other methods; left
as it is, it shows where in a frame.
"""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cellfate.attribution.explained_landmarks import show_landmarks
from cellfate.attribution.explained_models import view_model
from cellfate.attribution.games import whole_subset
from cellfate.attribution.methods import GRADIENT, LOGIT
from cellfate.attribution.opening import OpenedLandmark, open_landmarks
from cellfate.attribution.settings import ExplanationSettings
from cellfate.attribution.windows import name_players
from cellfate.features.measured_frames import FrameSource
from cellfate.prediction.records import TrainedModel


def gradient_times_input(opened: OpenedLandmark) -> pd.DataFrame:
    """Attribute the log odds at a landmark to windows and channels by gradient times input.

    Returns
    -------
    pandas.DataFrame
        Columns of `Attributions` but `landmark_id`, one row a window and channel, in logits.
    """
    return sum_pixels(opened, pixel_relevance(opened)).assign(method=GRADIENT)


def sum_pixels(opened: OpenedLandmark, relevance_tchw: NDArray[np.floating]) -> pd.DataFrame:
    """Sum relevance over windows and the pixels of channels, or numbers of columns: a row each, `value` and `unit`."""
    values_tc = opened.game.inputs.sum(relevance_tchw)
    values_wc = np.stack([values_tc[opened.windows.window_of_t == w].sum(axis=0) for w in range(len(opened.windows))])
    return name_players(opened.windows, opened.channels).assign(value=values_wc.ravel(), unit=LOGIT)


def pixel_relevance(opened: OpenedLandmark) -> NDArray[np.float32]:
    """Gradient times input, less what stands in for it, of every pixel, (T, C, H, W), in logits."""
    game = opened.game
    gradients_tchw = opened.member.input_gradients(opened.frames_tchw, game.positions_t, game.outcome_number)
    relevance: NDArray[np.float32] = gradients_tchw * (opened.frames_tchw - opened.stand_ins.mean_tchw)
    return relevance


def attribute_pixels(
    crops: FrameSource, landmarks: pd.DataFrame, model: TrainedModel, explanation: ExplanationSettings
) -> dict[str, NDArray[np.float32]]:
    """Attribute the log odds of the explained event to every pixel, to be drawn beside the frames.

    Parameters
    ----------
    crops
        Reads what the networks are shown of cells.
    landmarks
        Table `Landmarks` with `fold`, the member that explains each, and `reference_log_odds`, `stand_ins` and
        `stand_in_weights`, as of `explained_landmarks.choose_explained_landmarks`.
    model, explanation
        Classifier or fate clock, and what is explained of it.

    Returns
    -------
    dict of str to ndarray
        By landmark_id, but where nothing can stand in, in logits, float32 (T, C, H, W); positive speaks for the event.
        Frames are those tracked and shown.
    """
    if landmarks.empty or not model.config.members:
        return {}
    view = view_model(model, explanation)
    if explanation.absent == "other_cells":
        landmarks = landmarks[landmarks["stand_ins"].map(len) > 0]
    shown = show_landmarks(crops, landmarks, view)
    opened = open_landmarks(crops, shown, view, whole_subset, "Attributing pixels")
    return {landmark.landmark_id: pixel_relevance(landmark) for landmark in opened}
