"""Importer of napari tracks: a CSV with a row a cell and frame (track, t, y, x) and, beside it, the graph as JSON.

The graph is that of a napari tracks layer: {daughter: [parent]}. A cell with two daughters divides. napari knows no
fates; a track that only ends is censored. Without a graph nobody's parent is known.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np

from cellfate.core.errors import InputError
from cellfate.core.text_tables import read_header
from cellfate.tracks.graphs import forget_rejoined, settle_merges
from cellfate.tracks.marks import drop_untracked, read_columns, read_marks
from cellfate.tracks.records import TrackedCells, TrackSource, make_tracked
from cellfate.tracks.settings import TrackSettings

_NAMES = {
    "cell_id": ("track_id", "id", "trackid", "track id", "track"),
    "frame": ("t", "frame", "time", "axis-0"),
    "y": ("y", "axis-1"),
    "x": ("x", "axis-2"),
}
"""Headers that the four columns go by, in small letters."""


def read_recording(source: TrackSource, tracks: TrackSettings) -> TrackedCells:
    """Read the CSV and the graph of one recording; a reader as `importing.ReadRecording`."""
    path = source.find(tracks.file_template)
    names = _find_columns(path)
    table = drop_untracked(read_columns(path, list(names.values())), names["cell_id"], tracks, path)
    detections = read_marks(table, names, source, tracks, path)
    if tracks.graph_file is None:
        return make_tracked(detections, None)
    graph_path = source.find(tracks.graph_file)
    listed = _read_graph(graph_path)
    unknown = set(listed) - set(np.unique(detections["cell_id"]).tolist())
    if unknown:
        raise InputError(f"Graph {graph_path} names cell {min(unknown)}, which has no row in {path}; correct either.")
    merges = {cell: cells for cell, cells in sorted(listed.items()) if len(cells) > 1}
    remarks = settle_merges([f"cell {cell}" for cell in merges], graph_path, tracks.on_merge)
    single = {cell: cells[0] for cell, cells in listed.items() if cell not in merges}
    return make_tracked(detections, forget_rejoined(single, merges.values()), remarks=remarks)


def _find_columns(path: Path) -> dict[str, str]:
    header = read_header(path)
    small = {name.lower(): name for name in reversed(list(header))}
    found = {key: next((small[name] for name in names if name in small), None) for key, names in _NAMES.items()}
    missing = [key for key, name in found.items() if name is None]
    if missing:
        raise InputError(
            f"File {path} has no column for {', '.join(missing)}; found {', '.join(list(header)[:20])[:300]}, expected "
            "track_id, t, y, x; add a header, or use format csv and name the columns."
        )
    return {key: str(name) for key, name in found.items()}


def _read_graph(path: Path) -> dict[int, list[int]]:
    try:
        with path.open(encoding="utf-8") as file:
            content = json.load(file, object_pairs_hook=_refuse_repeats)
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(
            f'Graph {path} cannot be read ({error}); expected JSON such as {{"7": [3]}}; correct it.'
        ) from error
    if not isinstance(content, dict):
        raise InputError(f"Graph {path} holds no JSON object, but {{daughter: [parent]}} was expected; correct it.")
    return {_cell(daughter, path): _parents(daughter, parents, path) for daughter, parents in content.items()}


def _refuse_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len({key for key, _ in pairs}) < len(pairs):
        raise ValueError("an entry stands there twice")
    return dict(pairs)


def _cell(value: Any, path: Path) -> int:
    try:
        number = float(value)
        whole = int(number)
    except (TypeError, ValueError, OverflowError):
        whole, number = 0, 0.5
    if whole != number or isinstance(value, bool):
        raise InputError(f"Graph {path} has {value!r:.60} in the place of the number of a cell; correct it.")
    return whole


def _parents(daughter: str, parents: Any, path: Path) -> list[int]:
    listed = parents if isinstance(parents, list) else [parents]
    if not listed:
        raise InputError(
            f"Graph {path} gives cell {daughter:.40} 0 parents, but one was expected; leave founders out of the graph."
        )
    return [_cell(parent, path) for parent in listed]
