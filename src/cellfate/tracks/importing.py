"""The door of the room: tracks of any known format become detections and cells."""

import logging
from collections.abc import Callable
from operator import attrgetter
from pathlib import Path

import pandas as pd

from cellfate.core.errors import InputError
from cellfate.core.tables import CELL, FRAME
from cellfate.imaging.layouts import find_track_files
from cellfate.imaging.records import RecordingFolder
from cellfate.imaging.settings import RecordingSettings
from cellfate.tracks import (
    btrack_hdf5,
    cell_acdc,
    cell_tracking_challenge,
    cellprofiler_csv,
    coco_vid,
    csv_columns,
    deepcell,
    geff_graph,
    imaris_csv,
    intervals,
    label_stack,
    napari_csv,
    trackmate_csv,
    trackmate_xml,
)
from cellfate.tracks.fate_tables import join_fates
from cellfate.tracks.fates import settle_fates
from cellfate.tracks.missing_frames import leave_out_missing
from cellfate.tracks.problems import problem_table, set_aside_or_stop
from cellfate.tracks.reading import check_one_file_each, list_sources, read_each
from cellfate.tracks.records import OpenedRecordings, Tables, TrackedCells, TrackSource, name_file
from cellfate.tracks.settings import LABEL_FORMATS, TRACE_FORMATS, TrackSettings
from cellfate.tracks.validate import find_negative, find_problems, find_single_frames, settle_missing_parents

_log = logging.getLogger(__name__)


ReadTracks = Callable[[OpenedRecordings], Tables]
"""What every importer is: it reads the tracks of opened recordings.

It returns columns of `Detections`, columns of `Cells` but group_id (with a fate where one is stated or the tracks show
a division, else null), and problems (recording_id and reason). It raises `InputError` if a file that all recordings
share is not usable."""
ReadRecording = Callable[[TrackSource, TrackSettings], TrackedCells]
"""The reader of a format in which every recording has a file of its own; it raises `InputError` if the file is missing
or not usable."""


def _file_each(read_recording: ReadRecording) -> ReadTracks:
    def read_tracks(opened: OpenedRecordings) -> Tables:
        check_one_file_each(opened.tracks.file_template, opened.table)
        sources = list_sources(opened.folder, opened.table)
        return read_each(sources, lambda source: read_recording(source, opened.tracks))

    return read_tracks


IMPORTERS: dict[str, ReadTracks] = {
    "coco_vid": coco_vid.read_tracks,
    "cell_tracking_challenge": cell_tracking_challenge.read_tracks,
    "trackmate_xml": _file_each(trackmate_xml.read_recording),
    "trackmate_csv": _file_each(trackmate_csv.read_recording),
    "btrack": _file_each(btrack_hdf5.read_recording),
    "geff": _file_each(geff_graph.read_recording),
    "napari_csv": _file_each(napari_csv.read_recording),
    "labels": _file_each(label_stack.read_recording),
    "deepcell": _file_each(deepcell.read_recording),
    "imaris_csv": _file_each(imaris_csv.read_recording),
    "cell_acdc": _file_each(cell_acdc.read_recording),
    "cellprofiler_csv": cellprofiler_csv.read_tracks,
    "csv": csv_columns.read_tracks,
    "intervals": intervals.read_tracks,
}
"""Importer of each format."""

_PARENTS = {
    "csv": "columns.parent_id",
    "intervals": "columns.parent_id",
    "trackmate_csv": "edges_file",
    **dict.fromkeys(("napari_csv", *LABEL_FORMATS), "graph_file"),
}
"""Parameter that names what says who came from whom, of formats that can lack it."""


def import_tracks(
    folder: RecordingFolder,
    recordings: pd.DataFrame,
    frame_files: pd.DataFrame,
    settings: RecordingSettings,
    tracks: TrackSettings = TrackSettings(),  # noqa: B008  # frozen
) -> Tables:
    """Read the tracks of opened recordings and check them.

    Parameters
    ----------
    folder : RecordingFolder
        Folder of recordings.
    recordings, frame_files : DataFrame
        Tables `Recordings` and `FrameFiles`, as `open_recordings` made them.
    settings : RecordingSettings
        The layout, and what is done with a recording whose tracks are not usable.
    tracks : TrackSettings
        The format of the tracks; when not given, the one that belongs to the layout.

    Returns
    -------
    detections : DataFrame
        Table `Detections`, ordered by recording, cell and frame. A frame in which a cell was not seen has no row.
    cells : DataFrame
        Table `Cells`, ordered by recording and cell.
    set_aside : DataFrame
        Table `SetAside`; empty unless `on_bad_recording` is `skip`.

    Raises
    ------
    InputError
        If the tracks of a recording are not usable and `on_bad_recording` is `stop`, or no recording is left, or there
        is no cell at all.
    """
    detections, cells, unread = gather_tracks(folder, recordings, frame_files, settings, tracks)
    problems = pd.concat([unread, find_problems(detections, cells, recordings)], ignore_index=True)
    kept, set_aside = set_aside_or_stop(problems, recordings, settings)
    detections = _ordered(detections[detections["recording_id"].isin(kept)], FRAME)
    cells = _ordered(cells[cells["recording_id"].isin(kept)], CELL)
    cells = cells.astype({"first_frame": "int64", "last_frame": "int64"})
    if cells.empty:
        raise InputError(
            f"The tracks of {len(kept)} recording(s) hold no cell, but at least one was expected; check the tracks."
        )
    _report(cells, kept)
    return detections, _with_groups(cells, recordings, settings), set_aside


def gather_tracks(
    folder: RecordingFolder,
    recordings: pd.DataFrame,
    frame_files: pd.DataFrame,
    settings: RecordingSettings,
    tracks: TrackSettings = TrackSettings(),  # noqa: B008  # frozen
) -> Tables:
    """Read the tracks of opened recordings and settle the fates; what cannot be read or joined is listed.

    What the tracks say is not checked here; see `find_problems`.

    Parameters
    ----------
    folder, recordings, frame_files, settings, tracks
        As `import_tracks`.

    Returns
    -------
    detections : DataFrame
        Columns of `Detections`, in the order of the files, of all recordings that could be read; unchecked. A cell
        has none after the time to which it was watched, where one is stated.
    cells : DataFrame
        Columns of `Cells` but group_id; first_frame and last_frame may be null.
    problems : DataFrame
        recording_id, reason and the check of the preflight that tells it, which may be a warning; empty if all is
        well.

    Raises
    ------
    InputError
        If a file that all recordings share is not usable, or the parameters ask for what the format cannot give.
    """
    chosen = tracks.format if tracks.format is not None else _format_of(settings)
    _check_traces(chosen, settings, tracks)
    detections, cells, found = IMPORTERS[chosen](OpenedRecordings(folder, recordings, frame_files, settings, tracks))
    cells, unjoined = join_fates(cells, folder, recordings, tracks)
    detections, cells, unwatched = settle_fates(detections, cells, recordings, tracks)
    cells, parentless = settle_missing_parents(cells, tracks)
    detections, cells, unseen = leave_out_missing(detections, cells, recordings)
    problems = [found, unjoined, unwatched, parentless, unseen, find_negative(detections, tracks)]
    problems.append(find_single_frames(detections, recordings, tracks))
    if settings.group_by == "lineage":
        problems.append(_find_no_lineage(cells, chosen))
    return detections, cells, pd.concat(problems, ignore_index=True)


def name_track_file(
    root: Path, settings: RecordingSettings, tracks: TrackSettings, recording_id: str, image: str
) -> str:
    """Name the file that the tracks of a recording are in, relative to the folder of recordings."""
    chosen = tracks.format if tracks.format is not None else settings.layout
    if settings.layout == "traces":
        return image
    if chosen == "coco_vid":
        return settings.annotation_file
    if chosen == "cell_tracking_challenge":
        found = find_track_files(root, recording_id)
        return "no file" if found is None else found.table.relative_to(root).as_posix()
    return name_file(tracks.file_template, recording_id, image)


def _format_of(settings: RecordingSettings) -> str:
    """Format that belongs to the layout of the recordings."""
    if settings.layout not in IMPORTERS:
        raise InputError(
            f"The layout '{settings.layout}' has no tracks of its own, and tracks.format is null; set tracks.format to "
            f"one of {', '.join(IMPORTERS)}."
        )
    return settings.layout


def _check_traces(chosen: str, settings: RecordingSettings, tracks: TrackSettings) -> None:
    """Refuse a format that does not fit recordings without images, and tables of theirs that are named elsewhere."""
    if settings.layout != "traces" and chosen == "intervals":
        raise InputError(
            f"tracks.format is 'intervals', which has no positions, but recordings.layout is '{settings.layout}', "
            "whose cells are cut out of images; set recordings.layout to traces, or give another format."
        )
    if settings.layout != "traces":
        return
    if chosen not in TRACE_FORMATS:
        raise InputError(
            f"recordings.layout is 'traces', but tracks.format is '{chosen}'; set it to csv (a row a cell and frame) "
            "or intervals (a row a cell)."
        )
    named = [key for key in ("files", "columns.recording_id") if attrgetter(key)(tracks) is not None]
    if named:
        raise InputError(
            f"tracks.{named[0]} is '{attrgetter(named[0])(tracks)}', but tables of traces and their recordings are "
            f"named by recordings.files and recordings.traces.recording; set tracks.{named[0]} to null."
        )


def _find_no_lineage(cells: pd.DataFrame, chosen: str) -> pd.DataFrame:
    unknown = cells[cells["lineage_id"].isna() & cells["parent_id"].isna()].drop_duplicates("recording_id")
    sentence = (
        "recordings.group_by is 'lineage', but the tracks of recording '{}' (format {}) do not say who came from whom; "
        + (f"give the parents in tracks.{_PARENTS[chosen]}, or " if chosen in _PARENTS else "")
        + "set recordings.group_by to 'recording'."
    )
    return problem_table((str(name), sentence.format(name, chosen)) for name in unknown["recording_id"])


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
