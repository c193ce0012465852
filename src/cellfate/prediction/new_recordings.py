"""New recordings for a trained model: the checks that they are of the kind it knows, and their crops."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from cellfate.core.errors import InputError
from cellfate.crops.cutting import CropPlan, plan_crops
from cellfate.crops.store import CropStore, write_crops
from cellfate.imaging.records import RecordingFolder
from cellfate.imaging.settings import RecordingSettings
from cellfate.prediction.records import FolderConfig, TrainedModel
from cellfate.tracks.settings import TrackSettings

INTERVAL_TOLERANCE = 0.01
"""Frame intervals that differ by less than this share are the same."""


@dataclass(frozen=True, eq=False)
class NewCells:
    """Tracked cells of new recordings, cut as a model needs them.

    Attributes
    ----------
    crops : CropStore
        Their crops.
    recordings, detections, cells : DataFrame
        Tables `Recordings`, `Detections` and `Cells`.
    """

    crops: CropStore
    recordings: pd.DataFrame
    detections: pd.DataFrame
    cells: pd.DataFrame


@contextmanager
def open_new_cells(
    root: Path | str,
    settings: RecordingSettings,
    model: TrainedModel,
    scratch: Path | str | None,
    tracks: TrackSettings | None = None,
) -> Iterator[NewCells]:
    """Cut the cells of a folder of recordings with tracks, in a folder that is gone when the context ends.

    Parameters
    ----------
    root
        Folder of the recordings.
    settings
        How they are laid out.
    model
        The model that they are for.
    scratch
        Where the crops are kept meanwhile; the system's own folder when not given.
    tracks
        Format of their tracks; the one that belongs to the layout when not given.

    Raises
    ------
    InputError
        If recordings or tracks cannot be used, or are not what the model was trained on.
    """
    from cellfate.imaging.opening import open_recordings
    from cellfate.tracks.importing import import_tracks

    folder = RecordingFolder(Path(root))
    recordings, frame_files, _ = open_recordings(folder, settings)
    detections, cells, _ = import_tracks(folder, recordings, frame_files, settings, tracks or TrackSettings())
    plan = cut_new_crops(folder, recordings, frame_files, detections, model, settings)
    with tempfile.TemporaryDirectory(dir=scratch) as work:
        path = Path(work) / "crops.zarr"
        write_crops(path, plan, plan.settings)
        yield NewCells(CropStore(path), recordings, detections, cells)


def cut_new_crops(
    folder: RecordingFolder,
    recordings: pd.DataFrame,
    frame_files: pd.DataFrame,
    detections: pd.DataFrame,
    model: TrainedModel,
    settings: RecordingSettings,
) -> CropPlan:
    """Plan crops of the model's size, once every recording has the model's channels and frame interval.

    Parameters
    ----------
    folder
        Folder of the recordings.
    recordings, frame_files, detections
        Tables of the same names.
    model
        The model that the crops are for.
    settings
        How the recordings are laid out.

    Returns
    -------
    CropPlan
        Nothing is cut yet.

    Raises
    ------
    InputError
        If a recording has other channels or another frame interval.
    """
    for row in recordings.itertuples(index=False):
        channels = tuple(str(row.channels).split("|"))
        check_recording(model.config, str(row.recording_id), channels, float(str(row.frame_interval_min)))
    return plan_crops(folder, recordings, frame_files, detections, model.config.crops, settings)


def check_recording(
    config: FolderConfig, recording_id: str, channels: tuple[str, ...], frame_interval_min: float
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
    if not abs(frame_interval_min / config.frame_interval_min - 1) <= INTERVAL_TOLERANCE:  # so neither may be NaN
        message = (
            f"The model was trained on a frame every {config.frame_interval_min:g} min but recording {recording_id} "
            f"has one every {frame_interval_min:g} min; check frame_interval_min, or train a model on such recordings."
        )
        raise InputError(message)


def check_store(config: FolderConfig, crops: CropStore, asked: pd.DataFrame) -> None:
    """Check that the crops of some cells are what a model was trained on.

    Parameters
    ----------
    config
        Description of the model.
    crops
        Crop store.
    asked
        Table `FollowUps`.

    Raises
    ------
    InputError
        If channels, crop size or frame interval are not the model's.
    """
    for recording_id, rows in asked.groupby("recording_id"):
        check_recording(config, str(recording_id), crops.channels, float(rows["frame_interval_min"].iloc[0]))
    found = (crops.settings.height_px, crops.settings.width_px)
    expected = (config.crops.height_px, config.crops.width_px)
    if found != expected:
        message = (
            f"Crop store {crops.path} has crops of {found[0]} x {found[1]} px but the model was trained on "
            f"{expected[0]} x {expected[1]} px; cut the crops with the model's settings."
        )
        raise InputError(message)
