"""Embeddings of landmarks: every frame of a cell is encoded once, whatever the number of landmarks it is shown at."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from cellfate.core.errors import InputError
from cellfate.crops.digest import CellReader
from cellfate.prediction.classifier_member import load_classifier_member
from cellfate.prediction.member import FloatArray, IntArray, Member
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
    frame_numbers : list of ndarray of int64, shape (T,)
        Frames of the recording.
    """

    landmark_ids: tuple[str, ...]
    embeddings: Sequence[FloatArray]
    positions: Sequence[IntArray]
    frame_numbers: Sequence[IntArray]


def embed_landmarks(crops: CellReader, landmarks: pd.DataFrame, model: TrainedModel, fold: int) -> LandmarkEmbeddings:
    """Encode the frames that are shown at landmarks with the classifier's member of one fold.

    Parameters
    ----------
    crops
        Crops of the landmarks' cells.
    landmarks
        Table `Landmarks`, or some of its rows.
    model, fold
        Which network.

    Returns
    -------
    LandmarkEmbeddings
        In the order of the rows.

    Raises
    ------
    InputError
        If a landmark has no frames in the store, or its crops are not what the model was trained on.
    """
    member = load_classifier_member(model, fold)
    found: dict[str, tuple[FloatArray, IntArray]] = {}
    for (recording_id, cell_id), rows in landmarks.groupby(["recording_id", "cell_id"], sort=False):
        found.update(_embed_cell(crops, str(recording_id), int(str(cell_id)), rows, member))
    landmark_ids = tuple(landmarks["landmark_id"])
    frame_numbers = [found[landmark_id][1] for landmark_id in landmark_ids]
    return LandmarkEmbeddings(
        landmark_ids=landmark_ids,
        embeddings=[found[landmark_id][0] for landmark_id in landmark_ids],
        positions=[frames_t - frames_t[0] for frames_t in frame_numbers],
        frame_numbers=frame_numbers,
    )


def _embed_cell(
    crops: CellReader, recording_id: str, cell_id: int, rows: pd.DataFrame, member: Member
) -> dict[str, tuple[FloatArray, IntArray]]:
    """Embeddings and frame numbers of the landmarks of one cell."""
    first, last = int(rows["first_frame"].min()), int(rows["last_frame"].max())
    sequence = crops.read(recording_id, cell_id, first, last, with_masks=False)
    frames_t, embeddings_td = sequence.frame_numbers_t, member.encode(member.prepare(sequence))
    found = {}
    for landmark_id, start, stop in zip(rows["landmark_id"], rows["first_frame"], rows["last_frame"], strict=True):
        kept = slice(int(np.searchsorted(frames_t, start)), int(np.searchsorted(frames_t, stop, side="right")))
        if kept.start == kept.stop:
            message = (
                f"Landmark {landmark_id} has no crops in frames {start} to {stop}; run data_processing again, "
                "so that crops and landmarks belong together."
            )
            raise InputError(message)
        found[landmark_id] = embeddings_td[kept], frames_t[kept]
    return found
