"""The production door of the fate clock: a saved model, new cells, incidence at every frame. No Kedro."""

from pathlib import Path
from typing import Final

import pandas as pd
from tqdm import tqdm

from cellfate.cohort.follow_ups import follow_open_cells
from cellfate.core.errors import InputError
from cellfate.core.tables import Incidence
from cellfate.crops.store import CropStore
from cellfate.features.measurements import measure_cells
from cellfate.imaging.settings import RecordingSettings
from cellfate.prediction.clock_ensemble import blend_hazards
from cellfate.prediction.clock_forecasts import list_frames, member_hazards, tabulate_hazards
from cellfate.prediction.model_folder import load_clock_folder
from cellfate.prediction.new_recordings import check_store, open_new_cells
from cellfate.prediction.records import ClockConfig, TrainedClock
from cellfate.tracks.settings import TrackSettings

ALL_MEMBERS: Final = "all_members"
"""Scheme of forecasts that no single fold made."""
NO_FOLD: Final = 0
"""Their fold, which is there for the table's sake only."""


class ClockPredictor:
    """Forecasts cells with a trained fate clock; with several members, by the mean of their log odds.

    Parameters
    ----------
    model
        The trained fate clock.

    Raises
    ------
    InputError
        If the ensemble names a part of which a member has no boosted hazards.

    Notes
    -----
    The members of all folds are blended as the parts of the ensemble are: hazards by the mean of their log odds against
    nothing happening. So it does not matter which is blended first, all horizons and the expected time follow from one
    set of hazards, and the blend keeps what the members agree on: a mean of probabilities that are calibrated each is
    itself too unsure (Ranjan and Gneiting, J. R. Stat. Soc. B 72, 71 (2010)).

    Examples
    --------
    >>> predictor = ClockPredictor.from_folder(Path("clock_model"))  # doctest: +SKIP
    >>> predictor.forecast_recordings(Path("new_recordings"), settings)  # doctest: +SKIP
    """

    def __init__(self, model: TrainedClock) -> None:
        _check_boosters(model)
        self.model = model

    @classmethod
    def from_folder(cls, path: Path | str) -> "ClockPredictor":
        """Load the fate clock from its folder.

        Raises
        ------
        InputError
            If the folder is missing, incomplete, does not fit together or holds another kind of model.
        """
        return cls(load_clock_folder(Path(path)))

    @property
    def config(self) -> ClockConfig:
        """Description of the model."""
        return self.model.config

    def forecast(self, crops: CropStore, follow_ups: pd.DataFrame, frame_features: pd.DataFrame) -> pd.DataFrame:
        """Forecast every shown frame of every cell, from its `min_frames`-th frame on.

        Parameters
        ----------
        crops
            Crop store, cut with the model's crop size.
        follow_ups
            Table `FollowUps`; how cells ended is not looked at.
        frame_features
            Table `FrameFeatures` of the same cells, measured with the model's settings.

        Returns
        -------
        DataFrame
            Table `Incidence` of the predictors `clock` (the networks) and `ensemble`; scheme `all_members`, fold 0,
            part `test`.

        Raises
        ------
        InputError
            If channels, crop size or frame interval are not the model's, or no cell was watched for `min_frames`.
        """
        check_store(self.config, crops, follow_ups)
        frames = list_frames(crops, follow_ups, self.config.follow_up.min_frames)
        if frames.empty:
            raise InputError(_too_young(len(follow_ups), self.config))
        members = [
            member_hazards(crops, frames, frame_features, self.model, fold)
            for fold in tqdm(self.config.folds, desc="Forecasting by members", disable=None)
        ]
        keys = frames[["recording_id", "cell_id"]].assign(
            scheme=ALL_MEMBERS, fold=NO_FOLD, part="test", frame=frames["last_frame"]
        )
        tables = [
            tabulate_hazards(
                self.config, keys.assign(predictor=name), blend_hazards([hazards[name] for hazards in members])
            )
            for name in members[0]
        ]
        return Incidence.validate(pd.concat(tables, ignore_index=True))

    def forecast_recordings(
        self,
        root: Path | str,
        settings: RecordingSettings,
        scratch: Path | str | None = None,
        tracks: TrackSettings | None = None,
    ) -> pd.DataFrame:
        """Forecast every cell of a folder of recordings with tracks; fates need not be known.

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
            As `forecast`.

        Raises
        ------
        InputError
            If recordings or tracks cannot be used, or are not what the model was trained on.
        """
        with open_new_cells(root, settings, self.model, scratch, tracks) as new:
            follow_ups = follow_open_cells(new.crops, new.recordings, new.cells, self.config.follow_up)
            frame_features = measure_cells(new.crops, new.detections, self.config.features)
            return self.forecast(new.crops, follow_ups, frame_features)


def _check_boosters(model: TrainedClock) -> None:
    """Refuse a model whose ensemble is not whole, as it is before its boosted hazards are fitted."""
    boosted = set(model.config.ensemble.parts) - {"network"}
    for fold in model.config.folds:
        missing = sorted(boosted - set(model.member_boosters(fold)))
        if missing:
            message = (
                f"The ensemble of the fate clock has the part {missing[0]}, but the member of fold {fold} has no such "
                "boosted hazards; take the model of a finished run of fate_clock."
            )
            raise InputError(message)


def _too_young(n_cells: int, config: ClockConfig) -> str:
    least = config.follow_up.min_frames
    return (
        f"None of {n_cells} cells was watched for {least} frames of {config.frame_interval_min:g} min, but the model "
        "forecasts from there on; give longer tracks, or train with a lower min_frames of parameter follow_up."
    )
