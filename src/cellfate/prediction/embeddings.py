"""Embeddings of what the classifier is shown at landmarks."""

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from cellfate.core.errors import InputError
from cellfate.crops.digest import CellReader
from cellfate.prediction.classifier_member import load_classifier_member
from cellfate.prediction.member import FloatArray, IntArray
from cellfate.prediction.records import TrainedModel


@dataclass(frozen=True, eq=False)
class LandmarkEmbeddings:
    """Embedded landmarks, in the order they were given.

    Attributes
    ----------
    landmark_ids : tuple of str
        Landmarks.
    embeddings : list of ndarray of float32, shape (T, D)
        One array a landmark, one row a tracked frame up to it.
    positions : list of ndarray of int64, shape (T,)
        Frame number minus the first frame number.
    """

    landmark_ids: tuple[str, ...]
    embeddings: Sequence[FloatArray]
    positions: Sequence[IntArray]


def embed_landmarks(crops: CellReader, landmarks: pd.DataFrame, model: TrainedModel, fold: int) -> LandmarkEmbeddings:
    """Encode the frames that are shown at landmarks with the classifier's member of one fold.

    Parameters
    ----------
    crops
        Crops of the landmarks' cells.
    landmarks
        Rows of table `Landmarks`.
    model, fold
        Which network.

    Raises
    ------
    InputError
        If a landmark has no frames in the store, or its crops are not what the model was trained on.
    """
    member = load_classifier_member(model, fold)
    embeddings, positions = [], []
    with_masks = member.config.architecture.sees_mask
    columns = ["landmark_id", "recording_id", "cell_id", "first_frame", "last_frame"]
    for landmark_id, recording_id, cell_id, first, last in landmarks[columns].itertuples(index=False):
        sequence = crops.read(recording_id, cell_id, first, last, with_masks)
        if not len(sequence.frame_numbers_t):
            raise InputError(
                f"Landmark {landmark_id} has no crops in frames {first} to {last}; run data_processing again, "
                "so that crops and landmarks belong together."
            )
        embeddings.append(member.encode(member.prepare(sequence)))
        positions.append(sequence.frame_numbers_t - sequence.frame_numbers_t[0])
    return LandmarkEmbeddings(tuple(landmarks["landmark_id"]), embeddings, positions)
