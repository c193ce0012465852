"""Importer of the tables that TrackMate exports: spots and, where given, edges.

A table has four lines of header: keys, names, short names, and units. `TRACK_ID` is the number of a whole family, so
spots alone do not say who came from whom: with the table of edges the graph is cut into cells where a cell divides, and
a cell has the number of its first spot; without it a track is one cell, parents are not known, and a track with two
spots in a frame is refused. TrackMate knows no deaths: a track that only ends is censored.
"""

from pathlib import Path

import numpy as np
import pandas as pd

from cellfate.core.errors import InputError
from cellfate.core.text_tables import (
    optional_whole_numbers,
    parse_numbers,
    read_text_columns,
    real_numbers,
    whole_numbers,
)
from cellfate.tracks.branch_names import name_branches
from cellfate.tracks.graphs import SpotGraph, cut_graph
from cellfate.tracks.records import TrackedCells, TrackSource, make_tracked
from cellfate.tracks.settings import TrackSettings

_SPOTS = ("ID", "TRACK_ID", "FRAME", "POSITION_Y", "POSITION_X")
_EDGES = ("SPOT_SOURCE_ID", "SPOT_TARGET_ID")
_FIRST_LINE = 2
"""Line of a file that comes after the keys."""
_HEADER_LINES = 3
"""Lines of header below the keys: names, short names, units."""


def read_recording(source: TrackSource, tracks: TrackSettings) -> TrackedCells:
    """Read the tables of one recording; a reader as `importing.ReadRecording`."""
    path = source.find(tracks.file_template)
    spots, unit = _read_spots(path, tracks)
    spots["y_px"] = source.to_pixels(spots["y_px"].to_numpy(), unit, path)
    spots["x_px"] = source.to_pixels(spots["x_px"].to_numpy(), unit, path)
    if tracks.edges_file is None:
        return _one_cell_a_track(spots, path)
    edges_path = source.find(tracks.edges_file)
    edges = _without_headers(read_text_columns(edges_path, _EDGES), edges_path)
    links = np.column_stack([whole_numbers(edges[name], edges_path) for name in _EDGES])
    graph = SpotGraph(edges_path, spots["spot_id"].to_numpy(), spots["frame"].to_numpy(), links, directed=False)
    cut = cut_graph(graph, tracks.on_merge)
    spots["cell_id"] = cut.cell_ids
    names = name_branches(spots, cut.parents)
    visible = spots[spots["visible"]]
    return make_tracked(visible, cut.parents, cell_ids=np.unique(cut.cell_ids), names=names, remarks=cut.remarks)


def _read_spots(path: Path, tracks: TrackSettings) -> tuple[pd.DataFrame, str]:
    with_headers = read_text_columns(path, _SPOTS, optional=("VISIBILITY",))
    table = _without_headers(with_headers, path)
    unit = with_headers["POSITION_X"].get(_FIRST_LINE + _HEADER_LINES - 1, "").strip().strip("()")
    table = table[~table["TRACK_ID"].str.strip().str.lower().isin(["", "none", "nan"])]
    spots = pd.DataFrame(
        {
            "spot_id": whole_numbers(table["ID"], path),
            "track": whole_numbers(table["TRACK_ID"], path),
            "frame": whole_numbers(table["FRAME"], path) - tracks.first_frame,
            "y_px": real_numbers(table["POSITION_Y"], path),
            "x_px": real_numbers(table["POSITION_X"], path),
            "visible": True,
        }
    )
    if "VISIBILITY" in table:
        spots["visible"] = (optional_whole_numbers(table["VISIBILITY"], path).fillna(1) != 0).to_numpy(bool)
    return spots, tracks.position_unit or unit


def _without_headers(table: pd.DataFrame, path: Path) -> pd.DataFrame:
    key = table.columns[0]
    is_number = ~np.isnan(parse_numbers(table[key]))
    found = int(table.index[is_number][0]) - _FIRST_LINE if is_number.any() else len(table)
    if found != _HEADER_LINES:
        raise InputError(
            f"File {path} has {found + 1} lines before its first number in column {key}, but TrackMate writes "
            f"{_HEADER_LINES + 1} lines of header; export it again, or use format csv and name the columns."
        )
    return table.loc[_FIRST_LINE + _HEADER_LINES :]


def _one_cell_a_track(spots: pd.DataFrame, path: Path) -> TrackedCells:
    twice = spots[spots.duplicated(["track", "frame"])]
    if len(twice):
        row = twice.iloc[0]
        raise InputError(
            f"Track {row['track']} in {path} has two spots in frame {row['frame']}: it branches, and the table of "
            "spots does not say how; export the table of edges too and name it in tracks.edges_file, or use "
            "format trackmate_xml."
        )
    spots = spots.rename(columns={"track": "cell_id"})
    cell_ids = np.unique(spots["cell_id"].to_numpy(np.int64))
    names = {int(cell): str(cell) for cell in cell_ids}
    return make_tracked(spots[spots["visible"]], None, cell_ids=cell_ids, names=names)
