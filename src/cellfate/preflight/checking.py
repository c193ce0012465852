"""The door of the room: everything is looked at once, nothing stops; and what follows from errors."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import pandas as pd

from cellfate.core.errors import InputError
from cellfate.imaging.records import RecordingFolder
from cellfate.imaging.settings import RecordingSettings
from cellfate.preflight.events import check_events
from cellfate.preflight.findings import gather_findings, list_findings, order_cases
from cellfate.preflight.images import look_at_images
from cellfate.preflight.misfits import find_misfits, leave_out
from cellfate.preflight.reading import OpenedFolder, open_folder
from cellfate.preflight.settings import PreflightSettings
from cellfate.preflight.shown_frames import ShownFrames, show_frames
from cellfate.preflight.spot_features import check_spot_features
from cellfate.preflight.summary import summarise_recordings
from cellfate.preflight.tracks import check_detections, check_tracks, measure_cells, place_detections
from cellfate.preflight.whole_tracks import check_whole_tracks
from cellfate.tracks.importing import name_track_file
from cellfate.tracks.problems import set_aside
from cellfate.tracks.settings import TrackSettings

FINDINGS_FILE = "08_reporting/preflight_findings.csv"
"""Where the catalog keeps the findings, below data_root; it stands in the sentence that a stopped run ends with."""
CASES_FILE = "08_reporting/preflight_cases.csv"
"""Where the catalog keeps each case."""
_STAGE = "run_preflight"
_BAD_PIXELS = ("unreadable_frame", "not_finite")
_log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class Preflight:
    """What the preflight found.

    Attributes
    ----------
    findings, cases : DataFrame
        Tables `PreflightFindings`: a row a check and recording, the worst first; and each case on a row of its own, as
        far as cases are listed one by one. Empty if all is well.
    summary, cells, quality : DataFrame
        Tables `PreflightSummary`, `PreflightCells` and `FrameQuality`.
    shown : ShownFrames
        Frames with the tracks in them, for a person to look at.
    """

    findings: pd.DataFrame
    cases: pd.DataFrame
    summary: pd.DataFrame
    cells: pd.DataFrame
    quality: pd.DataFrame
    shown: ShownFrames


def run_preflight(
    folder: RecordingFolder,
    recordings: RecordingSettings,
    tracks: TrackSettings,
    crop_px: tuple[int, int],
    settings: PreflightSettings,
) -> Preflight:
    """Look at recordings and tracks before anything is cut.

    Nothing that is wrong with them stops it: a recording or a folder that cannot be read is a finding.

    Parameters
    ----------
    folder : RecordingFolder
        Folder of recordings.
    recordings : RecordingSettings
        Its layout and what its files do not say.
    tracks : TrackSettings
        The format of the tracks.
    crop_px : (int, int)
        Rows and columns of the crops that will be cut.
    settings : PreflightSettings
        How many images are looked at, and from where on something is told.

    Returns
    -------
    Preflight
        Findings and tables.
    """
    opened = open_folder(folder, recordings, tracks)
    placed = place_detections(opened.detections, opened.recordings, opened.frame_files, crop_px)
    track_file = partial(name_track_file, folder.root, recordings, tracks)
    cell_px = min(crop_px) / 2  # about the diameter of a cell
    looked = look_at_images(folder, opened.recordings, opened.frame_files, placed, cell_px, tracks, settings)
    of_tracks = _check_tracks(opened, placed, tracks, track_file, settings.max_jump_px or cell_px, settings)
    cases = order_cases([opened.findings, *of_tracks, *looked.findings, _find_without_cells(opened, settings)])
    findings = gather_findings(cases)
    cells = measure_cells(placed, opened.cells, opened.recordings)
    summary = summarise_recordings(opened.recordings, cells, looked.quality, findings)
    _report(findings, summary)
    shown = show_frames(looked.images, placed, opened.cells, opened.recordings, findings)
    return Preflight(findings, cases, summary, cells, looked.quality, shown)


def _check_tracks(
    opened: OpenedFolder,
    placed: pd.DataFrame,
    tracks: TrackSettings,
    track_file: Callable[[str, str], str],
    max_jump_px: float,
    settings: PreflightSettings,
) -> list[pd.DataFrame]:
    misfits = find_misfits(placed, tracks, track_file)
    fitting = leave_out(placed, misfits, "outside")  # of what lies outside, borders and ways are not worth a word
    return [
        misfits,
        *check_detections(placed, tracks, settings, misfits),
        *check_tracks(fitting, tracks, opened.frame_files, settings, max_jump_px),
        *check_whole_tracks(fitting, opened.cells, tracks, settings),
        *check_spot_features(opened.detections, settings),
        *check_events(opened.cells, opened.recordings, tracks, settings),
    ]


def stop_at_errors(findings: pd.DataFrame, settings: RecordingSettings) -> None:
    """Stop the run if the preflight found errors and bad recordings are not to be skipped.

    Raises
    ------
    InputError
        If there is an error and `on_bad_recording` is `stop`: how many, the first, and where all are listed.
    """
    errors = findings[findings["severity"] == "error"]
    if errors.empty or settings.on_bad_recording == "skip":
        return
    if errors["check"].iloc[0] == "folder":  # all of it is concerned: no recording can be skipped
        raise InputError(errors["finding"].iloc[0])
    count, names = int(errors["n_cases"].sum()), errors["recording_id"].dropna().unique()
    where = f" in {len(names)} recording{'s' * (len(names) > 1)}" if len(names) else ""
    raise InputError(
        f"The preflight found {count} error{'s' * (count > 1)}{where}, all listed in {FINDINGS_FILE} of the data "
        "folder; correct what each names, or set recordings.on_bad_recording to 'skip' to go on without these "
        f"recordings. The first error: {errors['finding'].iloc[0]}"
    )


def set_bad_frames_aside(
    recordings: pd.DataFrame, frame_files: pd.DataFrame, set_aside_before: pd.DataFrame, findings: pd.DataFrame
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Set recordings aside whose headers are well but in which the preflight met pixels that cannot be used.

    Tables `Recordings`, `FrameFiles` and `SetAside`, as `imaging.open_recordings` gives them, without and with these.

    Raises
    ------
    InputError
        If no recording is left.
    """
    bad = findings[findings["check"].isin(_BAD_PIXELS) & findings["recording_id"].isin(recordings["recording_id"])]
    kept, more = set_aside(bad.rename(columns={"finding": "reason"}), recordings, _STAGE)
    recordings, frame_files = (
        table[table["recording_id"].isin(kept)].reset_index(drop=True) for table in (recordings, frame_files)
    )
    return recordings, frame_files, pd.concat([set_aside_before, more], ignore_index=True)


def _find_without_cells(opened: OpenedFolder, settings: PreflightSettings) -> pd.DataFrame:
    """List recordings without a cell, where that is not already told by an error of the tracks."""
    told = opened.findings
    if (told["check"] == "folder").any():
        return told.head(0)
    names = {*opened.cells["recording_id"], *told.loc[told["severity"] == "error", "recording_id"]}
    bare = opened.recordings[~opened.recordings["recording_id"].isin(names)].assign(value=0.0, limit=1.0)
    sentence = "no cell is tracked; add its tracks, or leave the recording out"
    return list_findings(bare, "no_cells", sentence, settings.max_rows_a_check)


def _report(findings: pd.DataFrame, summary: pd.DataFrame) -> None:
    """Log a line a check: how many cases there are, in how many recordings, and the worst."""
    if findings.empty:
        _log.info("Preflight: nothing found in %d recordings", len(summary))
        return
    for (severity, check), rows in findings.groupby(["severity", "check"], sort=False):
        log = _log.error if severity == "error" else _log.warning
        text = "Preflight, %s %s: %d in %d of %d recordings. %s"
        recordings = rows["recording_id"].nunique()
        log(text, severity, check, rows["n_cases"].sum(), recordings, len(summary), rows["finding"].iloc[0])
    _log.warning("All findings are in %s of the data folder, each case in %s", FINDINGS_FILE, CASES_FILE)
