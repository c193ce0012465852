"""Checks that new recordings are of the kind that a trained model knows, and the plan of their crops."""

import pandas as pd

from cellfate.cohort.follow_ups import SAME_INTERVAL
from cellfate.core.errors import InputError
from cellfate.crops.cutting import CropPlan, plan_crops
from cellfate.crops.store import CropStore
from cellfate.imaging.records import RecordingFolder
from cellfate.imaging.settings import RecordingSettings
from cellfate.prediction.records import FolderConfig, TrainedModel


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
    return plan_crops(folder, recordings, frame_files, detections, model.config.crops, settings)


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


def check_store(config: FolderConfig, crops: CropStore, follow_ups: pd.DataFrame) -> None:
    """Refuse a store whose cells have not the channels, the frame interval or the crop size of a model."""
    for recording_id, rows in follow_ups.groupby("recording_id"):
        check_recording(config, str(recording_id), crops.channels, float(rows["frame_interval_min"].iloc[0]))
    found = (crops.settings.height_px, crops.settings.width_px)
    expected = (config.crops.height_px, config.crops.width_px)
    if found != expected:
        raise InputError(
            f"Crop store {crops.path} has crops of {found[0]} x {found[1]} px but the model was trained on "
            f"{expected[0]} x {expected[1]} px; cut the crops with the model's settings."
        )
