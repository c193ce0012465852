"""From what the file of each recording says to the tables of all, one recording after the other."""

import logging
from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

import numpy as np
import pandas as pd
from tqdm import tqdm

from cellfate.core.errors import InputError
from cellfate.core.fates import MITOSIS
from cellfate.core.spot_features import SPOT_KIND, list_spot_columns
from cellfate.imaging.file_search import find_written
from cellfate.imaging.recording_names import list_names, match_names
from cellfate.imaging.records import RecordingFolder
from cellfate.imaging.stated import fold_image_name
from cellfate.imaging.traces import list_name_columns, name_recordings
from cellfate.tracks.lineages import find_divisions, find_founders
from cellfate.tracks.marks import read_columns
from cellfate.tracks.problems import problem_table
from cellfate.tracks.records import OpenedRecordings, Tables, TrackedCells, TrackSource, name_file
from cellfate.tracks.settings import PLACEHOLDER, is_file_each

_log = logging.getLogger(__name__)

DETECTION_KINDS = {
    "recording_id": "str",
    "cell_id": "int64",
    "frame": "int64",
    "y_px": "float64",
    "x_px": "float64",
    "spot_id": "Int64",
}
"""Columns of `Detections`; those of spot features follow."""
CELL_KINDS = {
    "recording_id": "str",
    "cell_id": "int64",
    "parent_id": "Int64",
    "lineage_id": "str",
    "first_frame": "Int64",
    "last_frame": "Int64",
    "fate": "str",
    "event_frame": "Int64",
    "cell_name": "str",
    "stated": "bool",
}
"""Columns of `Cells` but group_id, and `stated`: whether the fate was stated, not read off the daughters."""


class _Named(Protocol):
    @property
    def recording_id(self) -> str: ...


Source = TypeVar("Source", bound=_Named)


def read_each(sources: Sequence[Source], read_file: Callable[[Source], TrackedCells]) -> Tables:
    """Read the tracks of every recording; what is wrong with one does not keep the others from being read.

    Detections and cells as `assemble` gives them, and problems (recording_id, reason and check); a recording that could
    not be read has no rows in the first two.
    """
    detections, cells, problems = [empty_table(DETECTION_KINDS)], [empty_table(CELL_KINDS)], [problem_table()]
    for source in tqdm(sources, desc="Importing tracks", unit="recording", disable=None):
        try:
            read = read_file(source)
            found, tracked = assemble(source.recording_id, read)
        except InputError as error:
            problems.append(problem_table([(source.recording_id, str(error))], parameter=error.parameter))
            continue
        detections.append(found)
        cells.append(tracked)
        problems += [problem_table([(source.recording_id, one.sentence)], one.check) for one in read.remarks]
    marks, tracked, told = (pd.concat(tables, ignore_index=True) for tables in (detections, cells, problems))
    return marks, tracked, told


def list_sources(folder: RecordingFolder, recordings: pd.DataFrame) -> list[TrackSource]:
    """One `TrackSource` a recording, in the order of the table `Recordings`."""
    images = {fold_image_name(str(row["source"])): str(row["recording_id"]) for row in recordings.to_dict("records")}
    return [
        TrackSource(
            folder.root,
            str(row["recording_id"]),
            int(row["n_frames"]),
            float(row["frame_interval_min"]),
            float("nan") if pd.isna(row["pixel_size_um"]) else float(row["pixel_size_um"]),
            int(row["height_px"]),
            int(row["width_px"]),
            str(row["source"]),
            {name: other for name, other in images.items() if other != str(row["recording_id"])},
        )
        for row in recordings.to_dict("records")
    ]


def check_one_file_each(template: str, recordings: pd.DataFrame, parameter: str = "files") -> None:
    """Refuse one file for several recordings where nothing tells recordings apart.

    Raises
    ------
    InputError
        If several recordings would have the same file: its name has no place for theirs, or they share an image file.
    """
    files = {
        name_file(template, str(one), str(image))
        for one, image in zip(recordings["recording_id"], recordings["source"], strict=True)
    }
    if len(files) < len(recordings):
        raise InputError(
            f"The parameter tracks.{parameter} names the one file {template} for {len(recordings)} recordings, but a "
            f"file a recording was expected; put {PLACEHOLDER} in its name, or (tables only) name its column of "
            "recordings, recording_id."
        )


def open_table(
    folder: RecordingFolder,
    recordings: pd.DataFrame,
    parameter: str,
    template: str,
    columns: Sequence[str | None],
    by: str | None,
    features: Sequence[str] = (),
) -> Callable[[TrackSource], pd.DataFrame]:
    """Make what gives the rows of a recording in a table, which has a file a recording or is one file for all.

    `parameter` names the files by `template`. Columns that are None are not read; `by` is the column that names the
    recording of a row, None if there is none. Rows about other recordings are left out, and named in the log.

    Raises
    ------
    InputError
        If there is one file for all, and it is missing, not usable, or does not tell recordings apart; or it has rows
        about other recordings and none about some of these.
    """
    needed = [name for name in (by, *columns) if name is not None]
    if by is None:
        check_one_file_each(template, recordings, parameter)
    shared = None
    if not is_file_each(template):
        path = find_written(folder.root, template)
        if not path.is_file():
            raise InputError(f"The file {path} is missing; put it there, or correct tracks.{parameter}.")
        shared = read_columns(path, needed, features=features)
    ids = recordings["recording_id"].astype(str).tolist()
    rows = {} if shared is None or by is None else _part_by_recording(shared, by, ids, template)

    def rows_of(source: TrackSource) -> pd.DataFrame:
        if by is None:
            if shared is not None:
                return shared
            return read_columns(source.find(template, parameter), needed, features=features)
        if shared is not None:
            return rows.get(source.recording_id, shared.iloc[:0])
        table = read_columns(source.find(template, parameter), needed, features=features)
        names = match_names(table[by].unique(), ids, f"File {source.find(template, parameter)}")
        return table[table[by].map(names) == source.recording_id]

    return rows_of


def open_track_table(opened: OpenedRecordings, columns: Sequence[str | None]) -> Callable[[TrackSource], pd.DataFrame]:
    """Open the tables that tracks are in, as `open_table`; those of recordings without images are the recordings' own.

    Raises
    ------
    InputError
        As `open_table`.
    """
    tracks = opened.tracks
    if opened.settings.layout != "traces":
        by = tracks.columns.recording_id
        return open_table(opened.folder, opened.table, "files", tracks.file_template, columns, by, tracks.spot_features)
    template = opened.settings.traces.recording
    needed = [name for name in (*columns, *list_name_columns(template)) if name is not None]
    last: dict[str, dict[str, pd.DataFrame]] = {}

    def rows_of(source: TrackSource) -> pd.DataFrame:
        if source.image not in last:
            table = read_columns(opened.folder.root / source.image, needed, features=tracks.spot_features)
            names = name_recordings(table, template, source.image)
            last.clear()
            last[source.image] = {str(name): rows for name, rows in table.groupby(names)}
        return last[source.image].get(source.recording_id, pd.DataFrame(columns=needed, dtype="str"))

    return rows_of


def _part_by_recording(
    table: pd.DataFrame, by: str, recording_ids: Sequence[str], name: str
) -> dict[str, pd.DataFrame]:
    """Rows of each recording of the folder that the table has."""
    nameless = table[(table[by].str.strip() == "") & (table != "").any(axis=1)]
    if len(nameless):
        raise InputError(
            f"Line {nameless.index[0]} of file {name} names no recording in column {by} ({len(nameless)} such lines); "
            "write the recording on every line, also below the first of each."
        )
    names = match_names(table[by].unique(), recording_ids, f"File {name}")
    strangers = {each.strip() for each, recording_id in names.items() if recording_id is None}
    absent = set(recording_ids) - set(names.values())
    if strangers and absent:
        raise InputError(
            f"File {name} has rows of {list_names(strangers)}, which are no recordings of the folder, but none "
            f"of {list_names(absent)}, which are; correct the names in column {by}, or remove the rows of "
            "others."
        )
    if strangers:
        text = "%s has rows of recordings that the folder does not have, and that are left out: %s"
        _log.warning(text, name, list_names(strangers))
    return {str(recording_id): rows for recording_id, rows in table.groupby(table[by].map(names))}


def assemble(recording_id: str, read: TrackedCells) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Make the tables of one recording, and let mothers with two daughters divide.

    The fate of a cell that neither divides nor has a stated one is null.

    Raises
    ------
    InputError
        If a cell has two daughters and a stated fate that is not mitosis.
    """
    cells = read.cells
    seen = read.detections.groupby("cell_id")["frame"].agg(["min", "max"]).reindex(cells["cell_id"]).astype("Int64")
    begin = cells["begin"] if "begin" in cells else seen["min"].to_numpy(np.float64, na_value=np.nan)
    divisions = find_divisions(cells.assign(begin=begin))
    divides = cells["cell_id"].isin(divisions.index)
    _check_one_fate(recording_id, cells, divides)
    fate = cells["fate"].mask(cells["fate"].isna() & divides, MITOSIS)
    by_daughters = cells["cell_id"].map(divisions["event_frame"]).astype("Int64")
    founders = find_founders(cells["cell_id"], cells["parent_id"])
    table = cells.assign(
        recording_id=recording_id,
        lineage_id=(f"{recording_id}:" + founders.astype("str")).where(founders.notna() & read.parents_known, None),
        first_frame=seen["min"].array,
        last_frame=seen["max"].array,
        fate=fate,
        event_frame=cells["event_frame"].fillna(by_daughters.where(fate == MITOSIS)),
        stated=cells["fate"].notna() | cells["event_frame"].notna(),
    )
    detections = read.detections.assign(recording_id=recording_id)
    kinds = DETECTION_KINDS | dict.fromkeys(list_spot_columns(detections), SPOT_KIND)
    return detections[list(kinds)].astype(kinds), table[list(CELL_KINDS)].astype(CELL_KINDS)


def empty_table(kinds: dict[str, str]) -> pd.DataFrame:
    """Table without rows, with these columns and types."""
    return pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in kinds.items()})


def _check_one_fate(recording_id: str, cells: pd.DataFrame, divides: pd.Series) -> None:
    wrong = cells[divides & cells["fate"].notna() & (cells["fate"] != MITOSIS)]
    if len(wrong):
        row = wrong.iloc[0]
        raise InputError(
            f"In recording '{recording_id}' cell {row['cell_id']} has two daughters but its stated fate is "
            f"{row['fate']}, and a cell has one fate; correct the fate or the tracks."
        )
