"""The production door: a saved model, new cells, a fate table. No Kedro."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cellfate.cohort.samples import make_open_samples
from cellfate.core.errors import InputError
from cellfate.crops.store import CellSequence, CropStore
from cellfate.imaging.settings import RecordingSettings
from cellfate.prediction.fold_model import load_fold
from cellfate.prediction.model_folder import load_model_folder
from cellfate.prediction.new_recordings import check_recording, check_store, open_new_cells
from cellfate.prediction.records import ModelConfig, TrainedModel
from cellfate.prediction.samples import predict_probabilities, probability_columns
from cellfate.tracks.settings import TrackSettings


class FatePredictor:
    """Predicts fates with a trained model; with several members, their mean probability.

    Parameters
    ----------
    model
        The trained model.

    Examples
    --------
    >>> predictor = FatePredictor.from_folder(Path("fate_model"))  # doctest: +SKIP
    >>> predictor.predict_recordings(Path("new_recordings"), settings)  # doctest: +SKIP
    """

    def __init__(self, model: TrainedModel) -> None:
        self.model = model

    @classmethod
    def from_folder(cls, path: Path | str) -> "FatePredictor":
        """Load the model from its folder.

        Raises
        ------
        InputError
            If the folder is missing, incomplete or does not fit together.
        """
        return cls(load_model_folder(Path(path)))

    @property
    def config(self) -> ModelConfig:
        """Description of the model."""
        return self.model.config

    def predict_sequences(self, sequences: Sequence[CellSequence]) -> pd.DataFrame:
        """Predict cells given as crops, each from all its frames.

        Parameters
        ----------
        sequences
            Cells with at least one frame each.

        Returns
        -------
        DataFrame
            recording_id, cell_id, last_frame, call and `p_<outcome>`, in the order given.

        Raises
        ------
        InputError
            If channels, crop size or frame interval are not the model's, or a cell has no frames.
        """
        for sequence in sequences:
            self._check_sequence(sequence)
        probabilities_bk = np.mean([self._predict(sequences, fold) for fold in self.config.folds], axis=0)
        head = {
            "recording_id": pd.Series([sequence.recording_id for sequence in sequences], dtype=str),
            "cell_id": np.array([sequence.cell_id for sequence in sequences], dtype=np.int64),
            "last_frame": np.array([sequence.frame_numbers_t[-1] for sequence in sequences], dtype=np.int64),
        }
        return pd.DataFrame(head | probability_columns(probabilities_bk, self.config.outcomes))

    def predict_samples(self, crops: CropStore, samples: pd.DataFrame) -> pd.DataFrame:
        """Predict samples of a crop store.

        Parameters
        ----------
        crops
            Crop store, cut with the model's crop size.
        samples
            Table `Samples`; outcomes are not looked at.

        Returns
        -------
        DataFrame
            sample_id, recording_id, cell_id, last_frame, call and `p_<outcome>`, in the order of the samples.

        Raises
        ------
        InputError
            If channels, crop size or frame interval are not the model's.
        """
        check_store(self.config, crops, samples)
        members = [predict_probabilities(crops, samples, self.model, fold) for fold in self.config.folds]
        columns = probability_columns(np.mean(members, axis=0), self.config.outcomes)
        head = samples[["sample_id", "recording_id", "cell_id", "last_frame"]].reset_index(drop=True)
        return head.assign(**columns)

    def predict_recordings(
        self,
        root: Path | str,
        settings: RecordingSettings,
        scratch: Path | str | None = None,
        tracks: TrackSettings | None = None,
    ) -> pd.DataFrame:
        """Predict every cell of a folder of recordings with tracks.

        Parameters
        ----------
        root
            Folder of the recordings.
        settings
            How they are laid out.
        scratch
            Folder for the crops while they are needed; the system's own when not given.
        tracks
            Format of their tracks; the one that belongs to the layout when not given.

        Returns
        -------
        DataFrame
            As `predict_samples`.

        Raises
        ------
        InputError
            If recordings or tracks cannot be used, or are not what the model was trained on.
        """
        with open_new_cells(root, settings, self.model, scratch, tracks) as new:
            samples = make_open_samples(new.crops, new.recordings, new.cells, self.config.samples)
            return self.predict_samples(new.crops, samples)

    def _predict(self, sequences: Sequence[CellSequence], fold: int) -> NDArray[np.float64]:
        member = load_fold(self.model, fold)
        embeddings = [member.encode(member.prepare(sequence)) for sequence in sequences]
        positions = [sequence.frame_numbers_t - sequence.frame_numbers_t[0] for sequence in sequences]
        return member.probabilities(embeddings, positions)

    def _check_sequence(self, sequence: CellSequence) -> None:
        check_recording(self.config, sequence.recording_id, sequence.channels, sequence.frame_interval_min)
        if len(sequence.frame_numbers_t) == 0:
            message = f"Cell {sequence.cell_id} of recording {sequence.recording_id} has no frames; leave it out."
            raise InputError(message)
