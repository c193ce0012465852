"""Checks that new recordings are of the kind that a trained model knows, and the plan of their crops."""

from collections.abc import Iterable
from typing import Final

import pandas as pd

from cellfate.cohort.follow_ups import SAME_INTERVAL
from cellfate.core.errors import InputError
from cellfate.core.spot_features import list_spot_features, spot_column
from cellfate.core.tables import FRAME
from cellfate.crops.cutting import CropPlan, plan_crops
from cellfate.crops.store import CropStore
from cellfate.imaging.records import RecordingFolder
from cellfate.imaging.settings import RecordingSettings
from cellfate.prediction.records import ClockConfig, FolderConfig, TrainedModel
from cellfate.tracks.settings import MEASURED_FORMATS, TrackSettings

_OR_TRAIN: Final = "give recordings whose tracks have them, or train without (tracks.spot_features)"


def cut_new_crops(
    folder: RecordingFolder,
    recordings: pd.DataFrame,
    frame_files: pd.DataFrame,
    detections: pd.DataFrame,
    model: TrainedModel,
    settings: RecordingSettings,
) -> CropPlan:
    """Plan crops of the model's size; nothing is cut yet.

    Parameters
    ----------
    folder, recordings, frame_files, detections, settings
        See `plan_crops`.
    model
        The model that the crops are for.

    Raises
    ------
    InputError
        If a recording has other channels than the model, or another frame interval.
    """
    for row in recordings.itertuples(index=False):
        channels = tuple(str(row.channels).split("|"))
        check_recording(model.config, str(row.recording_id), channels, float(str(row.frame_interval_min)))
    return plan_crops(folder, recordings, frame_files, detections, model.config.cut, settings)


def take_new_traces(recordings: pd.DataFrame, detections: pd.DataFrame, config: FolderConfig) -> pd.DataFrame:
    """Take the values of new traces for what is measured of cells.

    Parameters
    ----------
    recordings, detections
        Tables of the same names, without images.
    config
        Description of the model that reads them.

    Returns
    -------
    DataFrame
        Table `FrameFeatures`.

    Raises
    ------
    InputError
        If the model reads images, or a recording has another frame interval than those that trained it.
    """
    if config.reads_images:
        raise InputError(
            f"The model was trained on images (channels {', '.join(config.channels)}) and reads them, but "
            "recordings.layout is 'traces', which has none; give recordings with images, or train a model on traces."
        )
    for row in recordings.itertuples(index=False):
        check_recording(config, str(row.recording_id), (), float(str(row.frame_interval_min)))
    check_spot_features(config, detections.columns, "detections")
    return detections[[*FRAME, *(spot_column(name) for name in asked_spot_features(config))]]


def check_recording(
    config: FolderConfig, recording_id: str, channels: tuple[str, ...], frame_interval_min: float
) -> None:
    """Refuse a recording that has not the channels and the frame interval a model was trained on."""
    if channels != config.channels:
        raise InputError(
            f"The model was trained on channels ({', '.join(config.channels)}) but recording {recording_id} has "
            f"({', '.join(channels)}); give recordings with these channels in this order, or train a model on yours."
        )
    if not abs(frame_interval_min / config.frame_interval_min - 1) <= SAME_INTERVAL:  # so neither may be NaN
        raise InputError(
            f"The model was trained on a frame every {config.frame_interval_min:g} min but recording {recording_id} "
            f"has one every {frame_interval_min:g} min; check frame_interval_min, or train a model on such recordings."
        )


def asked_spot_features(config: FolderConfig) -> tuple[str, ...]:
    """Spot features that a model has to be given: those that its boosting was trained with."""
    return config.spot_features if isinstance(config, ClockConfig) and config.members else ()


def ask_spot_features(config: FolderConfig, tracks: TrackSettings) -> TrackSettings:
    """Read from new tracks the spot features that a model was trained with, whatever the settings name.

    Those that reporters become are no columns of a table with a row a cell, and are made there.

    Raises
    ------
    InputError
        If it was trained with some, and the format of the tracks holds none.
    """
    asked = asked_spot_features(config)
    if asked and tracks.format not in MEASURED_FORMATS:
        raise InputError(
            f"The model was trained with the spot features {', '.join(asked)}, but tracks of format {tracks.format} "
            f"hold none; {_OR_TRAIN}."
        )
    made = tracks.intervals.values if tracks.format == "intervals" else ()
    return tracks.model_copy(update={"spot_features": tuple(name for name in asked if name not in made)})


def tell_lacking(config: FolderConfig, found: str) -> InputError:
    """Give the error of tracks that lack spot features; `found` says of whom and what."""
    asked = ", ".join(asked_spot_features(config))
    return InputError(f"{found}, but the model was trained with the spot features {asked}; {_OR_TRAIN}.")


def check_spot_features(config: FolderConfig, columns: Iterable[object], table: str) -> None:
    """Refuse a table without the columns of the spot features that a model was trained with."""
    lacking = [name for name in asked_spot_features(config) if name not in list_spot_features(columns)]
    if lacking:
        raise tell_lacking(config, f"Table {table} has no spot feature {lacking[0]}")


def check_store(config: FolderConfig, crops: CropStore, follow_ups: pd.DataFrame) -> None:
    """Refuse a store whose cells have not the channels, the frame interval or the crop size of a model."""
    for recording_id, rows in follow_ups.groupby("recording_id"):
        check_recording(config, str(recording_id), crops.channels, float(rows["frame_interval_min"].iloc[0]))
    found = (crops.settings.height_px, crops.settings.width_px)
    expected = (config.cut.height_px, config.cut.width_px)
    if found != expected:
        raise InputError(
            f"Crop store {crops.path} has crops of {found[0]} x {found[1]} px but the model was trained on "
            f"{expected[0]} x {expected[1]} px; cut the crops with the model's settings."
        )
