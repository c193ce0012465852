"""Explanations of many landmarks by the members of a trained model, whichever its reading.

Every function takes what reads the frames that networks are shown (`shown_frames.show_frames`), the table of
`explained_landmarks.choose_explained_landmarks`, the model, and what is explained of it; each landmark is explained by
the member of its fold. Without landmarks the tables are empty.
"""

import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from tqdm import tqdm

from cellfate.attribution.explained_landmarks import show_landmarks
from cellfate.attribution.explained_models import AttentiveMember, Landmark, ModelView, view_model
from cellfate.attribution.games import all_subsets, occlusion_subsets, whole_subset
from cellfate.attribution.gradients import gradient_times_input
from cellfate.attribution.integrated_gradients import temporal_integrated_gradients
from cellfate.attribution.methods import no_attributions
from cellfate.attribution.occlusion import occlude
from cellfate.attribution.opening import OpenedLandmark, open_landmarks
from cellfate.attribution.settings import ExplanationSettings
from cellfate.attribution.shapley import shapley_values
from cellfate.attribution.stand_ins import take_occlusion_stand_ins
from cellfate.attribution.tree_shapley import explain_boosting, no_trees
from cellfate.core.tables import Attention, Attributions
from cellfate.features.measured_frames import FrameSource
from cellfate.prediction.records import TrainedModel

ReadShares = Callable[
    [AttentiveMember, Sequence[NDArray[np.float32]], Sequence[NDArray[np.int64]]], list[NDArray[np.float32]]
]


def read_attention(
    crops: FrameSource, explained_landmarks: pd.DataFrame, model: TrainedModel, explanation: ExplanationSettings
) -> pd.DataFrame:
    """Read the attention at landmarks, as the model computed it.

    Of the classifier it is the pooling attention, the class-token row; of the fate clock the attention of the last
    layer at the last frame.

    Returns
    -------
    pandas.DataFrame
        Table `Attention`, one row a landmark and frame; empty for a model without attention. `hours_before_event` is
        NaN where the cell has no event.
    """
    asked = (crops, explained_landmarks, model, explanation)
    return _read_shares(*asked, lambda member, *of: member.attention(*of), "Reading attention")


def read_rollout(
    crops: FrameSource, explained_landmarks: pd.DataFrame, model: TrainedModel, explanation: ExplanationSettings
) -> pd.DataFrame:
    """Read the attention at landmarks rolled out through all layers of the model (Abnar and Zuidema 2020).

    Returns
    -------
    pandas.DataFrame
        Table `Attention`, as of `read_attention`.
    """
    asked = (crops, explained_landmarks, model, explanation)
    return _read_shares(*asked, lambda member, *of: member.rollout(*of), "Rolling out")


def _read_shares(
    crops: FrameSource,
    landmarks: pd.DataFrame,
    model: TrainedModel,
    explanation: ExplanationSettings,
    read: ReadShares,
    title: str,
) -> pd.DataFrame:
    """Read shares at all landmarks, one row a landmark and frame."""
    if landmarks.empty:
        return Attention.empty()
    view = view_model(model, explanation)
    rows = tqdm(landmarks.to_dict("records"), desc=title, disable=None)
    parts = [part for row in rows for part in _shares_at(crops, row, view, read)]
    return Attention.validate(pd.concat(parts, ignore_index=True)) if parts else Attention.empty()


def _shares_at(crops: FrameSource, landmark: Landmark, view: ModelView, read: ReadShares) -> Iterator[pd.DataFrame]:
    """Shares of the frames shown at one landmark; nothing where its member has no attention."""
    member = view.member_for(landmark)
    if not isinstance(member, AttentiveMember):
        return
    shown = (landmark["recording_id"], landmark["cell_id"], landmark["shown_from"], landmark["last_frame"])
    sequence = crops.read(*shown)
    frames_t = sequence.frame_numbers_t
    shares_s = read(member, [member.encode(member.prepare(sequence))], [frames_t - frames_t[0]])[0]
    event: float = np.nan if pd.isna(landmark["event_frame"]) else float(landmark["event_frame"])
    yield pd.DataFrame(
        {
            "landmark_id": landmark["landmark_id"],
            "frame": frames_t,
            "hours_before_event": (event - frames_t) * float(landmark["frame_interval_min"]) / 60.0,
            "attention": shares_s[1:].astype(np.float64),
            "class_token": float(shares_s[0]),
        }
    )


def occlude_inputs(
    crops: FrameSource, explained_landmarks: pd.DataFrame, model: TrainedModel, explanation: ExplanationSettings
) -> pd.DataFrame:
    """Occlude time windows, channels and channels in time windows at the landmarks marked `occluded`.

    Returns
    -------
    pandas.DataFrame
        Table `Attributions` (and `windows_back`, `window_h`, `explained_outcome`), methods `occlusion_window`,
        `occlusion_channel` and `occlusion_window_channel`; the value is f(x) - f(x without it) in logits.
    """

    def explain(opened: OpenedLandmark) -> pd.DataFrame:
        return occlude(opened.game, opened.windows, opened.channels, explanation.occluded_windows)

    chosen = explained_landmarks[explained_landmarks["occluded"]]
    asked = crops, take_occlusion_stand_ins(chosen), model, explanation
    return _explain_each(*asked, occlusion_subsets, explain, "Occluding inputs")


def compute_shapley_values(
    crops: FrameSource, explained_landmarks: pd.DataFrame, model: TrainedModel, explanation: ExplanationSettings
) -> pd.DataFrame:
    """Shapley values of (time window x channel) at the landmarks marked `shapley`.

    Returns
    -------
    pandas.DataFrame
        Table `Attributions` (and `windows_back`, `window_h`, `explained_outcome`), method `shapley`, with `prediction`
        and `baseline`; the values at a landmark add up to their difference within 1e-4, in logits.

    Raises
    ------
    InputError
        When there are more than 6 channels of pixels: every frame is encoded under each subset of them.
    """

    def explain(opened: OpenedLandmark) -> pd.DataFrame:
        seed = zlib.crc32(f"{explanation.seed}:{opened.landmark_id}".encode())
        return shapley_values(opened.game, opened.windows, opened.channels, explanation.n_permutations, seed)

    chosen = explained_landmarks[explained_landmarks["shapley"]]
    if chosen.empty:
        return no_attributions(prediction=np.float64, baseline=np.float64)
    return _explain_each(crops, chosen, model, explanation, all_subsets, explain, "Shapley values")


def attribute_gradients(
    crops: FrameSource, explained_landmarks: pd.DataFrame, model: TrainedModel, explanation: ExplanationSettings
) -> pd.DataFrame:
    """Gradient times input, and integrated gradients, at the landmarks marked `shapley`, by window and channel.

    Returns
    -------
    pandas.DataFrame
        Table `Attributions`, methods `gradient_x_input` and `timing`, in logits.
    """

    def explain(opened: OpenedLandmark) -> pd.DataFrame:
        return pd.concat([gradient_times_input(opened), temporal_integrated_gradients(opened, explanation)])

    chosen = explained_landmarks[explained_landmarks["shapley"]]
    return _explain_each(crops, chosen, model, explanation, whole_subset, explain, "Gradients")


def attribute_trees(
    crops: FrameSource,
    frame_features: pd.DataFrame,
    landmarks: pd.DataFrame,
    splits: pd.DataFrame,
    explained_landmarks: pd.DataFrame,
    model: TrainedModel,
    explanation: ExplanationSettings,
) -> pd.DataFrame:
    """Explain a boosting on measurements that is asked what the model is asked; see `tree_shapley.explain_boosting`.

    Parameters
    ----------
    crops
        Reads what the networks are shown of cells.
    frame_features, landmarks, splits
        Tables `FrameFeatures`, `Landmarks` and `Splits`.
    explained_landmarks, model, explanation
        Table of `explained_landmarks.choose_explained_landmarks`, and what that was given.

    Returns
    -------
    pandas.DataFrame
        Table `Attributions`.
    """
    if not explained_landmarks["shapley"].any():
        return no_trees()
    view = view_model(model, explanation)
    answered = show_landmarks(crops, view.answer(landmarks), view)
    table = explain_boosting(frame_features, answered, splits, explained_landmarks, view.outcome, explanation)
    return table.assign(explained_outcome=view.explained, window_h=explanation.window_h)


def _explain_each(
    crops: FrameSource,
    landmarks: pd.DataFrame,
    model: TrainedModel,
    explanation: ExplanationSettings,
    subsets: Callable[[int], Iterable[int]],
    explain: Callable[[OpenedLandmark], pd.DataFrame],
    title: str,
) -> pd.DataFrame:
    """Explain landmarks one by one; the table carries the settings that made it in its `attrs`."""
    if landmarks.empty:
        return no_attributions()
    view = view_model(model, explanation)
    opened = open_landmarks(crops, landmarks, view, subsets, title)
    parts = [explain(landmark).assign(landmark_id=landmark.landmark_id) for landmark in opened]
    table = Attributions.validate(pd.concat(parts, ignore_index=True))
    table = table.assign(explained_outcome=view.explained, window_h=explanation.window_h)
    table.attrs["settings"] = explanation.model_dump(mode="json")
    return table
