"""The door of the room: tracks of any known format become detections and cells."""

import logging

import pandas as pd

from cellfate.core.errors import InputError
from cellfate.imaging.records import RecordingFolder
from cellfate.imaging.settings import RecordingSettings
from cellfate.tracks import cell_tracking_challenge, coco_vid
from cellfate.tracks.problems import set_aside_or_stop
from cellfate.tracks.validate import find_problems

_log = logging.getLogger(__name__)


def import_tracks(
    folder: RecordingFolder, recordings: pd.DataFrame, frame_files: pd.DataFrame, settings: RecordingSettings
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Read the tracks of opened recordings and check them.

    Parameters
    ----------
    folder : RecordingFolder
        Folder of recordings.
    recordings, frame_files : DataFrame
        Tables `Recordings` and `FrameFiles`, as `open_recordings` made them.
    settings : RecordingSettings
        The layout, and what is done with a recording whose tracks are not usable.

    Returns
    -------
    detections : DataFrame
        Table `Detections`, ordered by recording, cell and frame. A frame in which a cell was not seen has no row.
    cells : DataFrame
        Table `Cells`, ordered by recording and cell. Cells without a stated fate are censored.
    set_aside : DataFrame
        Table `SetAside`; empty unless `on_bad_recording` is `skip`.

    Raises
    ------
    InputError
        If the tracks of a recording are not usable and `on_bad_recording` is `stop`, or no recording is left, or there
        is no cell at all.
    """
    importer = {"coco_vid": coco_vid, "cell_tracking_challenge": cell_tracking_challenge}[settings.layout]
    detections, cells, found = importer.read_tracks(folder, recordings, frame_files, settings)
    problems = pd.concat([found, find_problems(detections, cells, recordings)], ignore_index=True)
    kept, set_aside = set_aside_or_stop(problems, recordings, settings)
    detections = _ordered(detections[detections["recording_id"].isin(kept)], ["recording_id", "cell_id", "frame"])
    cells = _ordered(cells[cells["recording_id"].isin(kept)], ["recording_id", "cell_id"])
    cells = cells.astype({"first_frame": "int64", "last_frame": "int64"})
    if cells.empty:
        message = (
            f"The tracks of {len(kept)} recording(s) hold no cell, but at least one was expected; check the tracks."
        )
        raise InputError(message)
    _report(cells, kept)
    return detections, _with_groups(cells, recordings, settings), set_aside


def _ordered(table: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    return table.sort_values(keys, kind="stable", ignore_index=True)


def _with_groups(cells: pd.DataFrame, recordings: pd.DataFrame, settings: RecordingSettings) -> pd.DataFrame:
    if settings.group_by == "lineage":
        return cells.assign(group_id=cells["lineage_id"])
    groups = recordings.set_index("recording_id")["group_id"]
    return cells.assign(group_id=cells["recording_id"].map(groups))


def _report(cells: pd.DataFrame, kept: set[str]) -> None:
    counts = cells["fate"].value_counts()
    _log.info(
        "%d cells in %d recordings: %s", len(cells), len(kept), ", ".join(f"{n} {fate}" for fate, n in counts.items())
    )
    without = sorted(kept - set(cells["recording_id"]))
    if without:
        _log.warning("%d recordings have no cell, the first is '%s'", len(without), without[0])
