"""The one door to a saved model: new cells in, a table of forecasts out. No Kedro."""

import tempfile
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from cellfate.cohort.follow_ups import follow_open_cells
from cellfate.cohort.landmarks import list_forecast_frames
from cellfate.core.errors import InputError
from cellfate.core.predictors import BOOSTING
from cellfate.crops.store import CropStore, write_crops
from cellfate.imaging.opening import open_recordings
from cellfate.imaging.records import RecordingFolder
from cellfate.imaging.settings import RecordingSettings
from cellfate.prediction.arrays import ARRAYS, OPTIONS, CellsInMemory, hold_cells, name_channels
from cellfate.prediction.boosting import load_boosting
from cellfate.prediction.calls import tabulate_calls
from cellfate.prediction.forecasts import forecast_frames, forecast_new
from cellfate.prediction.images import cut_images
from cellfate.prediction.member import check_crops
from cellfate.prediction.model_folder import load_model_folder
from cellfate.prediction.new_recordings import (
    ask_spot_features,
    asked_spot_features,
    check_recording,
    cut_new_crops,
    take_new_traces,
)
from cellfate.prediction.records import ALL_CELLS, ClassifierConfig, ClockConfig, TrainedModel
from cellfate.prediction.shown_frames import show_frames
from cellfate.prediction.trained_on import find_seen
from cellfate.tracks.importing import import_tracks
from cellfate.tracks.settings import TrackSettings


class Predictor:
    """Forecasts cells with a trained model of either kind, by all its members together.

    Whatever the cells are given as, the answer is one table, one row a cell, frame, predictor and question:

    ================  ======================================================================================
    recording_id      recording of the cell; `arrays` for arrays and images
    cell_id           the cell; of arrays its place, from 0
    frame             the last frame that the forecast has seen
    predictor         `classifier`; or `blend`, which is the answer of a fate clock, and what it is made of
    within_h          hours after the frame that the row is about; NaN: which fate comes, given that one comes
    p_<outcome>       probability of each event, and that none comes within these hours
    call, p_call      the likeliest outcome, and its probability
    sure              `yes`: twice as likely as the next likeliest outcome or more; else `hardly`
    expected_h        hours to the first event, counted to the horizon; NaN for which fate comes
    seen_in_training  the model was trained on this cell, so the forecast looks better than it is
    missing           arrays and images: what the model would have used and was not given
    ================  ======================================================================================

    The classifier answers at the last frame of a cell, the fate clock at every frame from `min_frames` on.

    Parameters
    ----------
    model
        The trained model.

    Raises
    ------
    InputError
        If it is given something else than a model, such as a path, or the model has no members or is a fate clock whose
        boosted hazards were never fitted.

    Examples
    --------
    >>> predictor = Predictor.from_folder("clock_model")  # doctest: +SKIP
    >>> predictor.forecast_arrays(frames, ("h2b", "p53"), frame_interval_min=10)  # doctest: +SKIP
    """

    def __init__(self, model: TrainedModel) -> None:
        if not isinstance(model, TrainedModel):
            raise InputError(
                f"Predictor({model!r:.80}) was given a {type(model).__name__}, but expected is a trained model; load "
                "one from its folder with Predictor.from_folder."
            )
        if not model.config.members:
            message = f"This {model.config.kind} was not trained and forecasts nothing: {model.config.reason}"
            raise InputError(message)
        if isinstance(model.config, ClockConfig):
            load_boosting(model, ALL_CELLS, BOOSTING)
        self.model = model

    @classmethod
    def from_folder(cls, path: Path | str) -> Self:
        """Load a model from its folder, whichever kind it is.

        Raises
        ------
        InputError
            If the folder is missing, incomplete, does not fit together, or holds a model that was not trained or is of
            an older version.
        """
        return cls(load_model_folder(Path(path)))

    @property
    def config(self) -> ClassifierConfig | ClockConfig:
        """Description of the model."""
        return self.model.config

    def forecast_recordings(
        self,
        root: Path | str,
        settings: RecordingSettings,
        tracks: TrackSettings | None = None,
        scratch: Path | str | None = None,
    ) -> pd.DataFrame:
        """Forecast every cell of a folder of recordings with tracks, or of tables of traces; fates need not be known.

        Parameters
        ----------
        root
            Folder of the recordings.
        settings
            How they are laid out.
        tracks
            Format of their tracks; the one that belongs to the layout when not given. Spot features are those that the
            model was trained with, whatever these settings name.
        scratch
            Folder for the crops while they are needed; the system's own when not given.

        Returns
        -------
        DataFrame
            See the class. A cell without a fate is shown to its last frame, one with a fate up to the guard before it.

        Raises
        ------
        InputError
            If settings are missing, or recordings or tracks cannot be used, or are not what the model was trained on.
        """
        if not isinstance(settings, RecordingSettings):
            raise InputError(
                f"The settings are {settings!r:.80}, but forecast_recordings needs to know how the recordings are laid "
                "out; give RecordingSettings(layout=...)."
            )
        folder = RecordingFolder(Path(root))
        recordings, frame_files, _ = open_recordings(folder, settings)
        asked = ask_spot_features(self.config, tracks or TrackSettings())
        detections, cells, _ = import_tracks(folder, recordings, frame_files, settings, asked)
        if settings.layout == "traces":
            return self._forecast_traces(recordings, detections, cells)
        plan = cut_new_crops(folder, recordings, frame_files, detections, self.model, settings)
        with tempfile.TemporaryDirectory(dir=scratch) as work:
            write_crops(Path(work) / "crops.zarr", plan, plan.settings)
            crops = CropStore(Path(work) / "crops.zarr")
            cropped = recordings[recordings["recording_id"].isin(crops.recording_ids)]
            follow_ups = follow_open_cells(detections, cells, cropped, self.config.follow_up)
            return self.forecast_crops(crops, detections, follow_ups)

    def _forecast_traces(self, recordings: pd.DataFrame, detections: pd.DataFrame, cells: pd.DataFrame) -> pd.DataFrame:
        measured = take_new_traces(recordings, detections, self.config)
        follow_ups = follow_open_cells(detections, cells, recordings, self.config.follow_up)
        forecasts = forecast_new(self.model, None, detections, follow_ups, measured)
        return tabulate_calls(forecasts, find_seen(self.model, None, follow_ups))

    def forecast_crops(
        self,
        crops: CropStore,
        detections: pd.DataFrame,
        follow_ups: pd.DataFrame,
        frame_features: pd.DataFrame | None = None,
    ) -> pd.DataFrame:
        """Forecast cells of a crop store.

        Parameters
        ----------
        crops
            Crop store, cut with the model's crop size.
        detections, follow_ups
            Tables `Detections` (with the spot features that the model was trained with) and `FollowUps`; how cells
            ended is not looked at.
        frame_features
            Fate clock: table `FrameFeatures`, measured with the model's settings; measured here when not given.

        Returns
        -------
        DataFrame
            See the class.

        Raises
        ------
        InputError
            If channels, crop size or frame interval are not the model's, or no cell was watched for `min_frames`.
        """
        forecasts = forecast_new(self.model, crops, detections, follow_ups, frame_features)
        return tabulate_calls(forecasts, find_seen(self.model, crops, follow_ups))

    def forecast_arrays(
        self,
        frames: ArrayLike | Sequence[ArrayLike],
        channels: Sequence[str],
        frame_interval_min: float,
        masks: ArrayLike | Sequence[ArrayLike | None] | None = None,
        frame_numbers: ArrayLike | Sequence[ArrayLike | None] | None = None,
        age_at_start_h: float | Sequence[float | None] | None = None,
        n_neighbors: ArrayLike | Sequence[ArrayLike | None] | None = None,
        spot_features: Mapping[str, ArrayLike] | Sequence[Mapping[str, ArrayLike]] | None = None,
    ) -> pd.DataFrame:
        """Forecast cells that are arrays in memory.

        What is optional and not given is named in the column `missing`. A mask is then found as in training; what else
        boosted hazards would have seen is NaN for them; and the network takes frames for consecutive and counts the
        age of the cell from the first frame given.

        Parameters
        ----------
        frames
            Crops (T, C, H, W) round the tracked centre, on the camera's scale, of one cell; or a list of such arrays.
            Rows and columns at the border that are 0 in every channel are taken to lie outside the image.
        channels
            Names of axis C.
        frame_interval_min
            Minutes between two frames.
        masks
            Pixels of the cell itself, (T, H, W), 0 elsewhere; for several cells one or None each, as all that follow.
        frame_numbers
            Frames of the recording, (T,), ascending, counted from 0; a gap in the track is a jump here.
        age_at_start_h
            Hours for which the cell had been tracked at the first frame given; 0 where that is the track's first.
        n_neighbors
            Other cells within the model's `neighbor_radius_px` of its centre, (T,) or one number.
        spot_features
            What the tracker measured, by the names that the model was trained with (`config.spot_features`), (T,) each,
            NaN where nothing was measured; only a model that was trained with some needs them.

        Returns
        -------
        DataFrame
            See the class.

        Raises
        ------
        InputError
            If the arrays are no numbers or do not fit together, channels, crop size, frame interval or spot features
            are not the model's, or no cell was watched for `min_frames`.
        """
        options = {"masks": masks, "frame_numbers": frame_numbers}
        options |= {"age_at_start_h": age_at_start_h, "n_neighbors": n_neighbors}
        check_recording(self.config, ARRAYS, name_channels(channels, frame_interval_min), frame_interval_min)
        asked = asked_spot_features(self.config)
        return self._forecast_held(hold_cells(frames, channels, frame_interval_min, asked, spot_features, **options))

    def forecast_images(
        self, images: Any, detections: pd.DataFrame, channels: Sequence[str], frame_interval_min: float
    ) -> pd.DataFrame:
        """Forecast cells of a recording whose whole images and tracks are in memory, such as layers of napari.

        Parameters
        ----------
        images
            Images (T, C, Y, X) on the camera's scale, corrected as those that the model was trained on, all frames from
            0 on: a NumPy array, or one of Dask or Zarr, of which a frame is read at a time.
        detections
            Where each cell was tracked: columns `cell_id`, `frame` (from 0), `y_px` and `x_px`, and of a model that was
            trained with spot features one of each, by its name; others are not looked at. Cells that are not in the
            table are no neighbours.
        channels
            Names of axis C.
        frame_interval_min
            Minutes between two frames.

        Returns
        -------
        DataFrame
            See the class; `missing` names the mask, which is found as in training.

        Raises
        ------
        InputError
            If images and detections do not fit together, channels or frame interval are not the model's, or no cell was
            watched for `min_frames`.

        Examples
        --------
        >>> tracks = pd.DataFrame(layer.data, columns=["cell_id", "frame", "y_px", "x_px"])  # doctest: +SKIP
        >>> predictor.forecast_images(images, tracks, ("h2b", "p53"), frame_interval_min=10)  # doctest: +SKIP
        """
        named = name_channels(channels, frame_interval_min)
        check_recording(self.config, ARRAYS, named, frame_interval_min)
        return self._forecast_held(cut_images(images, detections, self.config))

    def _forecast_held(self, held: CellsInMemory) -> pd.DataFrame:
        for sequence in held.sequences.values():
            check_crops(self.config, sequence)
        asked = list_forecast_frames(held.detections, held.follow_ups, self.config.follow_up)
        describe, shown, used = None, None, [OPTIONS["frame_numbers"]]
        if isinstance(self.config, ClockConfig) or self.config.architecture.sees_columns:
            held = held.with_masks(self.config)
            measured, used = held.measure(self.config), list(OPTIONS.values())
            shown = show_frames(self.config, held, measured, held.follow_ups)
            if isinstance(self.config, ClockConfig):
                describe = partial(held.describe, measured=measured, config=self.config)
        elif self.config.architecture.sees_mask:
            used = [OPTIONS["masks"], *used]
        forecasts = forecast_frames(self.model, held, asked, len(held.sequences), describe, shown)
        table = tabulate_calls(forecasts, find_seen(self.model, held, held.follow_ups))
        given = held.follow_ups[used]
        missing = pd.Series([", ".join(np.compress(~row, used)) for row in given.to_numpy(bool)], index=given.index)
        return table.assign(missing=table["cell_id"].map(missing))
