"""The production door: a saved model, new cells, a fate table. No Kedro."""

import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cellfate.core.errors import InputError
from cellfate.imaging.records import RecordingFolder
from cellfate.imaging.settings import RecordingSettings
from cellfate.prediction.fold_model import load_fold
from cellfate.prediction.model_folder import load_model_folder
from cellfate.prediction.records import ModelConfig, TrainedModel
from cellfate.prediction.samples import predict_probabilities, probability_columns
from cellfate.sequences.crops import plan_crops
from cellfate.sequences.samples import make_open_samples
from cellfate.sequences.store import CellSequence, CropStore, write_crops

INTERVAL_TOLERANCE = 0.01
"""Frame intervals that differ by less than this share are the same."""


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
        self._check_store(crops, samples)
        members = [predict_probabilities(crops, samples, self.model, fold) for fold in self.config.folds]
        columns = probability_columns(np.mean(members, axis=0), self.config.outcomes)
        head = samples[["sample_id", "recording_id", "cell_id", "last_frame"]].reset_index(drop=True)
        return head.assign(**columns)

    def predict_recordings(
        self, root: Path | str, settings: RecordingSettings, scratch: Path | str | None = None
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

        Returns
        -------
        DataFrame
            As `predict_samples`.

        Raises
        ------
        InputError
            If recordings or tracks cannot be used, or are not what the model was trained on.
        """
        from cellfate.imaging.opening import open_recordings
        from cellfate.tracks.importing import import_tracks

        folder = RecordingFolder(Path(root))
        recordings, frame_files, _ = open_recordings(folder, settings)
        detections, cells, _ = import_tracks(folder, recordings, frame_files, settings)
        with tempfile.TemporaryDirectory(dir=scratch) as work:
            plan = plan_crops(folder, recordings, frame_files, detections, self.config.crops, settings)
            write_crops(Path(work) / "crops.zarr", plan, self.config.crops)
            crops = CropStore(Path(work) / "crops.zarr")
            samples = make_open_samples(crops, recordings, cells, self.config.samples)
            return self.predict_samples(crops, samples)

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

    def _check_store(self, crops: CropStore, samples: pd.DataFrame) -> None:
        for recording_id, rows in samples.groupby("recording_id"):
            check_recording(self.config, str(recording_id), crops.channels, float(rows["frame_interval_min"].iloc[0]))
        found = (crops.settings.height_px, crops.settings.width_px)
        expected = (self.config.crops.height_px, self.config.crops.width_px)
        if found != expected:
            message = (
                f"Crop store {crops.path} has crops of {found[0]} x {found[1]} px but the model was trained on "
                f"{expected[0]} x {expected[1]} px; cut the crops with the model's settings."
            )
            raise InputError(message)


def check_recording(
    config: ModelConfig, recording_id: str, channels: tuple[str, ...], frame_interval_min: float
) -> None:
    """Check that a recording has the channels and the frame interval a model was trained on.

    Raises
    ------
    InputError
        If it has not.
    """
    if channels != config.channels:
        message = (
            f"The model was trained on channels ({', '.join(config.channels)}) but recording {recording_id} has "
            f"({', '.join(channels)}); give recordings with these channels in this order, or train a model on yours."
        )
        raise InputError(message)
    if abs(frame_interval_min / config.frame_interval_min - 1) > INTERVAL_TOLERANCE:
        message = (
            f"The model was trained on a frame every {config.frame_interval_min:g} min but recording {recording_id} "
            f"has one every {frame_interval_min:g} min; check frame_interval_min, or train a model on such recordings."
        )
        raise InputError(message)
