"""Importer of the tables that TrackMate exports: spots and, where given, edges.

A table has four lines of header: keys, names, short names, and units; that of TrackMate before version 7 has the keys
alone, and its positions are taken for pixels unless the parameters say otherwise. `TRACK_ID` is the number of a whole
family, so spots alone do not say who came from whom: with the table of edges the graph is cut into cells where a cell
divides, and a cell has the number of its first spot. Without it a track is one cell and parents are not known; where a
track has two spots in a frame, spots are linked by nearness, and it is told. TrackMate knows no deaths: a track that
only ends is censored.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from cellfate.core.errors import InputError
from cellfate.core.text_tables import (
    optional_whole_numbers,
    parse_numbers,
    real_numbers,
    whole_numbers,
)
from cellfate.tracks.branch_names import name_branches
from cellfate.tracks.graphs import SpotGraph, cut_graph
from cellfate.tracks.marks import drop_untracked, read_columns
from cellfate.tracks.nearest_links import link_nearest, tell_nearest
from cellfate.tracks.records import TrackedCells, TrackSource, make_tracked
from cellfate.tracks.settings import TrackSettings
from cellfate.tracks.spot_fates import read_spot_fates
from cellfate.tracks.spot_features import add_text_features
from cellfate.tracks.stated import StatedFacts, compare_facts, read_interval

_SPOTS = ("ID", "TRACK_ID", "FRAME", "POSITION_Y", "POSITION_X")
_EDGES = ("SPOT_SOURCE_ID", "SPOT_TARGET_ID")
_FIRST_LINE = 2
"""Line of a file that comes after the keys."""
_UNITS_LINE = 4
"""Line of a file with the units of its columns, below keys, names and short names."""


def read_recording(source: TrackSource, tracks: TrackSettings) -> TrackedCells:
    """Read the tables of one recording; a reader as `importing.ReadRecording`."""
    path = source.find(tracks.file_template)
    spots, facts = _read_spots(path, tracks, source)
    remarks = compare_facts(facts, source)
    if tracks.edges_file is not None:
        edges_path = source.find(tracks.edges_file, "edges_file")
        edges, _ = _without_headers(read_columns(edges_path, _EDGES), edges_path)
        links = np.column_stack([whole_numbers(edges[name], edges_path) for name in _EDGES])
    elif spots.duplicated(["track", "frame"]).any():
        told = tell_nearest(path.name, spots, "better export the table of edges too and name it in tracks.edges_file")
        edges_path, links, remarks = path, link_nearest(spots), (told, *remarks)
    else:
        return replace(_one_cell_a_track(spots, tracks, path), remarks=remarks)
    graph = SpotGraph(edges_path, spots["spot_id"].to_numpy(), spots["frame"].to_numpy(), links, directed=False)
    cut = cut_graph(graph, tracks.on_merge)
    spots["cell_id"] = cut.cell_ids
    return make_tracked(
        spots[spots["visible"]],
        cut.parents,
        read_spot_fates(spots, cut.parents, tracks, path),
        cell_ids=np.unique(cut.cell_ids),
        names=name_branches(spots, cut.parents),
        remarks=(*cut.remarks, *remarks),
    )


def _read_spots(path: Path, tracks: TrackSettings, source: TrackSource) -> tuple[pd.DataFrame, StatedFacts]:
    label = tracks.columns.fate
    needed = _SPOTS if label is None else (*_SPOTS, label)
    read = read_columns(path, needed, optional=("VISIBILITY", "POSITION_T"), features=tracks.spot_features)
    every, units = _without_headers(read, path)
    table = drop_untracked(every, "TRACK_ID", tracks, path)
    unit = tracks.position_unit or units.get("POSITION_X", "") or "px"
    y, x = (source.to_pixels(real_numbers(table[key], path), unit, path) for key in ("POSITION_Y", "POSITION_X"))
    spots = pd.DataFrame(
        {
            "spot_id": whole_numbers(table["ID"], path),
            "track": whole_numbers(table["TRACK_ID"], path),
            "frame": whole_numbers(table["FRAME"], path) - tracks.first_frame,
            "y_px": y,
            "x_px": x,
            "visible": True,
        }
    )
    if label is not None:
        spots["word"] = table[label].to_numpy()
    if "VISIBILITY" in table:
        spots["visible"] = (optional_whole_numbers(table["VISIBILITY"], path).fillna(1) != 0).to_numpy(bool)
    facts = StatedFacts(
        path.name,
        frame_interval_min=read_interval(_interval(table), units.get("POSITION_T", ""), unit),
        units=(units.get("POSITION_T", ""),),
        unit_missing=not (tracks.position_unit or units.get("POSITION_X")),
    )
    return add_text_features(spots, table, tracks, path), facts


def _interval(table: pd.DataFrame) -> float | None:
    """Time between two frames by the latest spot; None where no times are given."""
    if "POSITION_T" not in table or table.empty:
        return None
    frames, times = parse_numbers(table["FRAME"]), parse_numbers(table["POSITION_T"])
    late = int(np.argmax(frames))
    return float(times[late] / frames[late]) if frames[late] > 0 and np.isfinite(times[late]) else None


def _without_headers(table: pd.DataFrame, path: Path) -> tuple[pd.DataFrame, dict[str, str]]:
    """Part the spots from the lines of header, of which TrackMate writes four, before version 7 one; and units."""
    key = table.columns[0]
    is_number = ~np.isnan(parse_numbers(table[key]))
    first = int(table.index[is_number][0]) if is_number.any() else int(table.index.max() if len(table) else 1) + 1
    if first == _FIRST_LINE:
        return table, {}
    if first != _UNITS_LINE + 1:
        raise InputError(
            f"File {path} has {first - 1} lines before its first number in column {key}, but TrackMate writes 4 lines "
            "of header, and before version 7 one; export it again, or use format csv and name the columns."
        )
    units = {
        str(name): text.strip().strip("()")
        for name, text in table.reindex([_UNITS_LINE], fill_value="").iloc[0].items()
    }
    return table.loc[table.index > _UNITS_LINE], units


def _one_cell_a_track(spots: pd.DataFrame, tracks: TrackSettings, path: Path) -> TrackedCells:
    spots = spots.rename(columns={"track": "cell_id"})
    cell_ids = np.unique(spots["cell_id"].to_numpy(np.int64))
    names = {int(cell): str(cell) for cell in cell_ids}
    stated = read_spot_fates(spots, None, tracks, path)
    return make_tracked(spots[spots["visible"]], None, stated, cell_ids=cell_ids, names=names)
