"""Embeddings of samples: every frame of a cell is encoded once, whatever the number of samples it is part of."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from cellfate.core.errors import InputError
from cellfate.crops.store import CropStore
from cellfate.prediction.fold_model import FloatArray, FoldModel, IntArray, load_fold
from cellfate.prediction.records import TrainedModel


@dataclass(frozen=True, eq=False)
class SampleEmbeddings:
    """Embedded samples, in the order they were given.

    Attributes
    ----------
    sample_ids : tuple of str
        Samples.
    embeddings : list of ndarray of float32, shape (T, D)
        One array a sample, one row a tracked frame.
    positions : list of ndarray of int64, shape (T,)
        Frame number minus the sample's first frame number.
    frame_numbers : list of ndarray of int64, shape (T,)
        Frames of the recording.
    """

    sample_ids: tuple[str, ...]
    embeddings: Sequence[FloatArray]
    positions: Sequence[IntArray]
    frame_numbers: Sequence[IntArray]


def embed_samples(crops: CropStore, samples: pd.DataFrame, model: TrainedModel, fold: int) -> SampleEmbeddings:
    """Encode the frames of samples with the member of one fold.

    Parameters
    ----------
    crops
        Crop store of the samples' cells.
    samples
        Table `Samples`, or some of its rows.
    model, fold
        Which network.

    Returns
    -------
    SampleEmbeddings
        In the order of the rows.

    Raises
    ------
    InputError
        If a sample has no frames in the store, or its crops are not what the model was trained on.
    """
    member = load_fold(model, fold)
    found: dict[str, tuple[FloatArray, IntArray]] = {}
    for (recording_id, cell_id), rows in samples.groupby(["recording_id", "cell_id"], sort=False):
        found.update(_embed_cell(crops, str(recording_id), int(str(cell_id)), rows, member))
    sample_ids = tuple(samples["sample_id"])
    frame_numbers = [found[sample_id][1] for sample_id in sample_ids]
    return SampleEmbeddings(
        sample_ids=sample_ids,
        embeddings=[found[sample_id][0] for sample_id in sample_ids],
        positions=[frames_t - frames_t[0] for frames_t in frame_numbers],
        frame_numbers=frame_numbers,
    )


def _embed_cell(
    crops: CropStore, recording_id: str, cell_id: int, rows: pd.DataFrame, member: FoldModel
) -> dict[str, tuple[FloatArray, IntArray]]:
    """Embeddings and frame numbers of the samples of one cell."""
    first, last = int(rows["first_frame"].min()), int(rows["last_frame"].max())
    sequence = crops.read(recording_id, cell_id, first, last)
    frames_t, embeddings_td = sequence.frame_numbers_t, member.encode(member.prepare(sequence))
    found = {}
    for sample_id, start, stop in zip(rows["sample_id"], rows["first_frame"], rows["last_frame"], strict=True):
        kept = slice(int(np.searchsorted(frames_t, start)), int(np.searchsorted(frames_t, stop, side="right")))
        if kept.start == kept.stop:
            message = (
                f"Sample {sample_id} has no crops in frames {start} to {stop}; run data_processing again, "
                "so that crops and samples belong together."
            )
            raise InputError(message)
        found[sample_id] = embeddings_td[kept], frames_t[kept]
    return found
