"""Importer of napari tracks: a CSV with a row a cell and frame (track, t, y, x) and, beside it, the graph.

The graph is that of a napari tracks layer: {daughter: [parent]}, as JSON. A cell with two daughters divides. napari
knows no fates; a track that only ends is censored. Without a graph nobody's parent is known.
"""

from pathlib import Path

from cellfate.core.errors import InputError
from cellfate.core.text_tables import read_header
from cellfate.tracks.marks import drop_untracked, read_columns, read_marks
from cellfate.tracks.parent_files import read_parents
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
    table = read_columns(path, list(names.values()), features=tracks.spot_features)
    table = drop_untracked(table, names["cell_id"], tracks, path)
    detections = read_marks(table, names, source, tracks, path)
    parents, remarks = read_parents(source, tracks, detections["cell_id"].to_numpy())
    return make_tracked(detections, parents, remarks=remarks)


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
