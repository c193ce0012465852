"""Importer of plain CSV: a row a cell and frame, with the names of the columns from the parameters.

The file is taken at its word: a fate where it has a column of fates; a mitosis also where a cell has two daughters, if
it has a column of parents. Where rows are spots that name the spot they came from, cells are cut out of their graph.
"""

from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cellfate.core.errors import InputError
from cellfate.core.text_tables import is_blank, optional_whole_numbers
from cellfate.tracks.fate_tables import state_fates
from cellfate.tracks.graphs import link_spots
from cellfate.tracks.marks import drop_untracked, read_frames, read_marks
from cellfate.tracks.parent_files import read_parents
from cellfate.tracks.reading import list_sources, open_track_table, read_each
from cellfate.tracks.records import OpenedRecordings, Tables, TrackedCells, TrackSource, make_tracked
from cellfate.tracks.settings import TrackSettings


def read_tracks(opened: OpenedRecordings) -> Tables:
    """Read the CSV of each recording, or the one CSV of all; an importer as `importing.ReadTracks`."""
    tracks, columns = opened.tracks, opened.tracks.columns
    places = () if opened.settings.layout == "traces" else (columns.y, columns.x)
    own = (columns.cell_id, columns.parent_id) if columns.spot_id is None else (columns.spot_id, columns.parent_spot_id)
    names = (*own, columns.frame, *places, columns.fate, columns.event_frame)
    rows_of = open_track_table(opened, names)
    sources = list_sources(opened.folder, opened.table)
    return read_each(sources, lambda source: _read_rows(rows_of(source), source, tracks))


def _read_rows(table: pd.DataFrame, source: TrackSource, tracks: TrackSettings) -> TrackedCells:
    columns, path = tracks.columns, source.find_table(tracks)
    names = {"cell_id": columns.spot_id or columns.cell_id, "frame": columns.frame}
    names |= {"y": columns.y, "x": columns.x} if source.has_images else {}
    if columns.spot_id is None:
        table = drop_untracked(table, columns.cell_id, tracks, path)
    detections = read_marks(table, names, source, tracks, path)
    if columns.parent_spot_id is not None:
        detections["spot_id"] = detections["cell_id"]
        frames, came_from = detections["frame"].to_numpy(), optional_whole_numbers(table[columns.parent_spot_id], path)
        cut = link_spots(detections["spot_id"].to_numpy(), frames, came_from, tracks, path)
        detections["cell_id"] = cut.cell_ids
        stated = _stated(cut.cell_ids, table, source, tracks, path)
        return make_tracked(detections, cut.parents, stated, remarks=cut.remarks)
    cell_ids = detections["cell_id"].to_numpy()
    if columns.parent_id is None:
        parents, remarks = read_parents(source, tracks, cell_ids)
    else:
        parents, remarks = read_parent_column(cell_ids, table[columns.parent_id], path), ()
    return make_tracked(detections, parents, _stated(cell_ids, table, source, tracks, path), remarks=remarks)


def _stated(
    cell_ids: NDArray[np.int64], table: pd.DataFrame, source: TrackSource, tracks: TrackSettings, path: Path
) -> pd.DataFrame | None:
    columns = tracks.columns
    words = None if columns.fate is None else table[columns.fate]
    frames = None
    if columns.event_frame is not None:
        text = table[columns.event_frame]
        frames, given = pd.Series(pd.NA, index=text.index, dtype="Int64"), ~is_blank(text)
        frames[given] = read_frames(text[given], source, tracks, path)
    return state_fates(cell_ids, words, frames, tracks, path)


def read_parent_column(cell_ids: NDArray[np.int64], column: pd.Series, path: Path) -> dict[int, int]:
    """Read the parents that rows of cells name; a blank beside them, as below the first row of a cell, says nothing.

    Raises
    ------
    InputError
        If a field is no number, or the rows of a cell name two parents.
    """
    stated = optional_whole_numbers(column, path)
    given, parents = stated.notna().to_numpy(), stated.fillna(-1).to_numpy(np.int64)
    none = (parents == -1) | (parents == cell_ids)
    if not (cell_ids == 0).any():
        none |= parents == 0
    pairs = pd.DataFrame({"cell_id": cell_ids, "parent_id": np.where(none, -1, parents)})[given].drop_duplicates()
    twice = pairs[pairs["cell_id"].duplicated(keep=False)]
    if len(twice):
        first, second = twice.sort_values("cell_id", kind="stable")["parent_id"].iloc[:2]
        raise InputError(
            f"Cell {twice['cell_id'].min()} in {path} has the parent {first} on one row and {second} on another; "
            "state the same parent on every row."
        )
    pairs = pairs[pairs["parent_id"] != -1]
    return dict(zip(pairs["cell_id"].tolist(), pairs["parent_id"].tolist(), strict=True))
