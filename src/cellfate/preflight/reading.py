"""Opening and importing that never stops: what cannot be used becomes a finding."""

from dataclasses import dataclass

import pandas as pd

from cellfate.core.errors import InputError
from cellfate.core.tables import FRAME, Cells, Detections, FrameFiles, Recordings
from cellfate.imaging.opening import open_with_remarks
from cellfate.imaging.records import RecordingFolder
from cellfate.imaging.settings import RecordingSettings
from cellfate.preflight.findings import make_findings
from cellfate.preflight.table_facts import check_tables
from cellfate.tracks.importing import gather_tracks
from cellfate.tracks.settings import TrackSettings
from cellfate.tracks.validate import find_problems


@dataclass(frozen=True)
class OpenedFolder:
    """What could be read of a folder of recordings.

    Attributes
    ----------
    recordings, frame_files : DataFrame
        Tables `Recordings` and `FrameFiles` of the recordings that can be opened; may be empty.
    detections, cells : DataFrame
        Columns of `Detections`, and recording_id, cell_id and fate; unchecked; may be empty.
    findings : DataFrame
        Table `PreflightFindings`: what could not be read, and tracks that contradict themselves.
    """

    recordings: pd.DataFrame
    frame_files: pd.DataFrame
    detections: pd.DataFrame
    cells: pd.DataFrame
    findings: pd.DataFrame


def open_folder(folder: RecordingFolder, settings: RecordingSettings, tracks: TrackSettings) -> OpenedFolder:
    """Open recordings and import tracks, whatever is wrong with them and `on_bad_recording` says."""
    try:
        lenient = settings.model_copy(update={"on_bad_recording": "skip"})
        recordings, frame_files, set_aside, remarks = open_with_remarks(folder, lenient)
    except InputError as error:
        nothing = Recordings.empty(), FrameFiles.empty(), Detections.empty(), Cells.empty()
        return OpenedFolder(*nothing, _tell_folder(error))
    not_opened = make_findings("recording", set_aside.rename(columns={"reason": "finding"}))
    told = [make_findings(str(check), rows) for check, rows in remarks.groupby("check", sort=False)]
    not_opened = pd.concat([not_opened, *told], ignore_index=True)
    try:
        stated = check_tables(folder.root, recordings, settings, tracks)
        detections, cells, unread = gather_tracks(folder, recordings, frame_files, settings, tracks)
    except InputError as error:
        findings = pd.concat([not_opened, _tell_folder(error)], ignore_index=True)
        return OpenedFolder(recordings, frame_files, Detections.empty(), Cells.empty(), findings)
    # single detections in no frame or image, or twice in a frame, are told cell by cell (`preflight.tracks`)
    contradictions = find_problems(_mend_detections(detections, recordings), cells, recordings)
    problems = pd.concat([unread, contradictions], ignore_index=True)
    by_check = problems.rename(columns={"reason": "finding"}).groupby("check", sort=False)
    told = [make_findings(str(check), rows) for check, rows in by_check]
    findings = pd.concat([not_opened, stated, *told], ignore_index=True)
    return OpenedFolder(recordings, frame_files, detections, cells, findings)


def _mend_detections(detections: pd.DataFrame, recordings: pd.DataFrame) -> pd.DataFrame:
    """Move every detection into a frame and an image that exist, and keep one a cell and frame."""
    sizes = detections[["recording_id"]].merge(recordings, on="recording_id", how="left")
    mended = detections.assign(
        frame=detections["frame"].clip(0, sizes["n_frames"].to_numpy() - 1),
        y_px=detections["y_px"].clip(0, sizes["height_px"].to_numpy() - 1).fillna(0),
        x_px=detections["x_px"].clip(0, sizes["width_px"].to_numpy() - 1).fillna(0),
    )
    return mended.drop_duplicates(FRAME, ignore_index=True)


def _tell_folder(error: InputError) -> pd.DataFrame:
    return make_findings("folder", pd.DataFrame({"finding": [str(error)]}))
