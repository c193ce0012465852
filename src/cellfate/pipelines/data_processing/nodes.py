"""Nodes of the `data_processing` pipeline that join two rooms: the preflight, and the opening that follows it."""

import pandas as pd
import plotly.graph_objects as go

from cellfate import imaging, preflight
from cellfate.core.spot_features import list_spot_columns
from cellfate.core.tables import FRAME
from cellfate.crops.settings import CropSettings
from cellfate.crops.store import CropStore
from cellfate.imaging import RecordingFolder, RecordingSettings
from cellfate.plots.preflight_tracks import plot_tracks
from cellfate.preflight import PreflightSettings
from cellfate.tracks.settings import TrackSettings


def run_preflight(
    folder: RecordingFolder,
    recordings: RecordingSettings,
    tracks: TrackSettings,
    crops: CropSettings,
    settings: PreflightSettings,
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame, pd.DataFrame, pd.DataFrame, go.Figure, go.Figure]:
    """Look at recordings and tracks before anything is cut: `preflight.run_preflight` for crops of this size.

    Returns
    -------
    findings, cases, summary, cells, quality : DataFrame
        As in `preflight.checking.Preflight`.
    figure, page : plotly.graph_objects.Figure
        Tracks in frames, for the report and to be opened by itself. It is made here, not in a node of its own, so that
        it is there however early a run ends.
    """
    found = preflight.run_preflight(folder, recordings, tracks, (crops.height_px, crops.width_px), settings)
    shown = found.shown
    figure = plot_tracks(shown.recordings, shown.images, shown.marks, found.findings, shown.n_recordings)
    return found.findings, found.cases, found.summary, found.cells, found.quality, figure, figure


def open_recordings(
    folder: RecordingFolder, settings: RecordingSettings, findings: pd.DataFrame
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Open the recordings once the findings of the preflight are saved.

    Raises
    ------
    InputError
        If the preflight found errors and `on_bad_recording` is `stop`, and as `imaging.open_recordings`.
    """
    preflight.stop_at_errors(findings, settings)
    return preflight.set_bad_frames_aside(*imaging.open_recordings(folder, settings), findings)


def list_cropped(crops: CropStore, recordings: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Part recordings into those whose cells were cut out and those that could not be, with the reason.

    Parameters
    ----------
    crops
        The crop store.
    recordings
        Table `Recordings`.

    Returns
    -------
    cropped_recordings, crops_set_aside : DataFrame
        Tables `Recordings` and `SetAside`.
    """
    cropped = recordings[recordings["recording_id"].isin(crops.recording_ids)]
    return cropped.reset_index(drop=True), crops.set_aside


def take_traces(recordings: pd.DataFrame, detections: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Take all recordings for cut, and the values of traces for measurements of cells.

    Parameters
    ----------
    recordings, detections
        Tables of the same names, without images.

    Returns
    -------
    cropped_recordings, frame_features : DataFrame
        Tables `Recordings` and `FrameFeatures`.
    """
    return recordings, detections[[*FRAME, *list_spot_columns(detections.columns)]]
