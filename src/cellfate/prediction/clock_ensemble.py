"""The ensemble of the fate clock: what its parts see of a frame, and how their hazards are blended.

Array suffixes: n landmarks, k bins of time, e events.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cellfate.core.errors import InputError
from cellfate.crops.store import CellSequence, CropStore
from cellfate.features.landmarks import describe_landmarks
from cellfate.models.settings import EnsemblePart
from cellfate.prediction.clock_member import ClockMember

FloatArray = NDArray[np.float64]

LEAST_HAZARD = 1e-5
"""Hazards are clipped to this before their log odds are taken; one part that is too sure does not rule the others."""


def read_landmarks(crops: CropStore, landmarks: pd.DataFrame, member: ClockMember) -> tuple[FloatArray, pd.DataFrame]:
    """Read the network at landmarks; every cell is encoded once.

    Parameters
    ----------
    crops
        Crop store of the cells.
    landmarks
        Table `Landmarks`, or any table with its keys (`recording_id`, `cell_id`, `first_frame`, `last_frame`).
    member
        Which network.

    Returns
    -------
    hazards_nke : ndarray of float64
        Of the network, in the order of the rows.
    inputs : DataFrame
        What boosted hazards on embeddings are given, indexed as `landmarks`.

    Raises
    ------
    InputError
        If a landmark has no crop.
    """
    hazards: list[FloatArray] = [np.zeros(0)] * len(landmarks)
    inputs: list[NDArray[np.float32]] = [np.zeros(0, np.float32)] * len(landmarks)
    table = landmarks.reset_index(drop=True)
    for (recording_id, cell_id), rows in table.groupby(["recording_id", "cell_id"], sort=False):
        first, last = int(rows["first_frame"].min()), int(rows["last_frame"].max())
        sequence = crops.read(str(recording_id), int(str(cell_id)), first, last)
        places = _places(sequence, rows["last_frame"].to_numpy(np.int64))
        reading = member.read_cell(sequence)
        for row, place in zip(rows.index, places, strict=True):
            hazards[row], inputs[row] = reading.hazards_tke[place], reading.inputs_ti[place]
    columns = [f"input_{i}" for i in range(len(inputs[0]))]
    return np.stack(hazards), pd.DataFrame(np.stack(inputs), columns=columns, index=landmarks.index)


def _places(sequence: CellSequence, frames_n: NDArray[np.int64]) -> NDArray[np.int64]:
    """Find frames among those of a cell."""
    places_n = np.searchsorted(sequence.frame_numbers_t, frames_n)
    found = sequence.frame_numbers_t[np.minimum(places_n, len(sequence.frame_numbers_t) - 1)] == frames_n
    if not found.all():
        message = (
            f"Cell {sequence.cell_id} of recording {sequence.recording_id} has no crop in frame "
            f"{int(frames_n[~found][0])}; run data_processing again, so that crops and tracks belong together."
        )
        raise InputError(message)
    return places_n


def part_inputs(
    part: EnsemblePart,
    embedded: pd.DataFrame,
    frame_features: pd.DataFrame,
    landmarks: pd.DataFrame,
    history_h: float,
) -> pd.DataFrame:
    """Give what the boosted hazards of a part see: embeddings, or handcrafted features, of the last hours."""
    if part == "boosting_on_embeddings":
        return embedded
    return describe_landmarks(frame_features, landmarks, history_h)


def blend_hazards(parts: Sequence[FloatArray]) -> FloatArray:
    """Blend hazards by the mean of their log odds against nothing happening.

    Parameters
    ----------
    parts
        Hazards (n, k, e) of every part.

    Returns
    -------
    ndarray of float64, shape (n, k, e)
        Over the events they sum to less than 1.

    Examples
    --------
    >>> blend_hazards([np.array([[[0.2]]]), np.array([[[0.8]]])]).round(3).tolist()
    [[[0.5]]]
    """
    log_odds = np.mean([_log_odds(hazards_nke) for hazards_nke in parts], axis=0)
    odds_nke = np.exp(log_odds)
    return np.asarray(odds_nke / (1 + odds_nke.sum(axis=-1, keepdims=True)), dtype=np.float64)


def _log_odds(hazards_nke: FloatArray) -> FloatArray:
    none_nk1 = np.maximum(1 - hazards_nke.sum(axis=-1, keepdims=True), LEAST_HAZARD)
    return np.asarray(np.log(np.maximum(hazards_nke, LEAST_HAZARD) / none_nk1), dtype=np.float64)
