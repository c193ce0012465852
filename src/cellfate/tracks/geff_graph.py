"""Importer of GEFF: a graph of spots in a Zarr folder (liveimagetrackingtools.org/geff), specification 0.2 and later.

A cell ends where a spot has two children, which is a mitosis; a track that only ends is censored. GEFF knows no deaths
by itself: a node property that states fates is read where `columns.fate` names it. A cell has the number that the node
property `columns.cell_id` gives it, or the file's tracklets; without either, the number of its first spot.
"""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cellfate.core.errors import InputError
from cellfate.core.numbers import as_whole
from cellfate.tracks.fate_tables import state_fates
from cellfate.tracks.geff_axes import find_axes
from cellfate.tracks.graphs import SpotGraph, cut_graph
from cellfate.tracks.records import TrackedCells, TrackSource, make_tracked
from cellfate.tracks.settings import TrackSettings
from cellfate.tracks.spot_features import PARAMETER, add_features, check_features
from cellfate.tracks.stated import compare_facts
from cellfate.tracks.zarr_arrays import has_array, read_array, read_attributes


def read_recording(source: TrackSource, tracks: TrackSettings) -> TrackedCells:
    """Read the GEFF folder of one recording; a reader as `importing.ReadRecording`."""
    path = source.find(tracks.file_template)
    metadata = _read_metadata(path)
    axes = find_axes(metadata, tracks, path)
    node_ids = _whole(read_array(path / "nodes" / "ids", whole=True), path / "nodes" / "ids")
    n_nodes = len(node_ids)
    unit = tracks.time_unit or axes.t_unit or "frame"
    times = _property(path, axes.t, n_nodes).astype(np.float64)
    frames = source.to_frames(times, unit, path) - tracks.first_frame
    y, x = (_property(path, name, n_nodes, whole=True).astype(np.float64) for name in (axes.y, axes.x))
    if not (np.isfinite(y).all() and np.isfinite(x).all()):
        raise InputError(f"A spot in {path} has no position (NaN or infinite); give it one or remove it.")
    own_ids = _own_ids(path, metadata, n_nodes, tracks)
    directed = metadata.get("directed") is not False
    graph = SpotGraph(path, node_ids, frames, _read_edges(path, n_nodes), directed, own_ids)
    cut = cut_graph(graph, tracks.on_merge)
    detections = pd.DataFrame(
        {
            "cell_id": cut.cell_ids,
            "spot_id": node_ids,
            "frame": frames,
            "y_px": source.to_pixels(y, tracks.position_unit or axes.y_unit or "px", path),
            "x_px": source.to_pixels(x, tracks.position_unit or axes.x_unit or "px", path),
        }
    )
    detections = add_features(detections, _read_features(path, n_nodes, tracks), path)
    remarks = (*cut.remarks, *compare_facts(axes.state_facts(path), source))
    return make_tracked(detections, cut.parents, _stated(path, cut.cell_ids, tracks), remarks=remarks)


def _read_metadata(path: Path) -> dict[str, Any]:
    attributes = read_attributes(path)
    metadata = attributes.get("geff", attributes)
    if not isinstance(metadata, dict) or "geff_version" not in metadata:
        raise InputError(
            f"{path} is a Zarr group but no GEFF: it has no geff_version; give the folder that was written as GEFF."
        )
    return metadata


def _property(path: Path, name: str, n_nodes: int, whole: bool = False) -> NDArray[Any]:
    folder = path / "nodes" / "props" / name
    if not name or {"/", "\\"} & set(name) or name in {".", ".."}:
        raise InputError(f"{path} names a node property {name!r:.60}, which is no name; write the file again.")
    values = read_array(folder / "values", n_rows=n_nodes, whole=whole)
    if values.ndim != 1 or values.dtype.kind not in "iuf":
        raise InputError(f"The node property {name} in {path} is no list of numbers; write the file again.")
    if has_array(folder / "missing") and read_array(folder / "missing", n_rows=n_nodes).any():
        raise InputError(f"Some spots in {path} have no {name}, but every spot needs one; add it or remove the spots.")
    return values


def _whole(values: NDArray[Any], path: Path) -> NDArray[np.int64]:
    return as_whole(values, f"{path} holds no whole numbers below 2^63; write the file again.")


def _read_edges(path: Path, n_nodes: int) -> NDArray[np.int64]:
    folder = path / "edges" / "ids"
    edges = read_array(folder, whole=True)
    if edges.size == 0:
        return np.empty((0, 2), dtype=np.int64)
    if edges.ndim != 2 or edges.shape[1] != 2:
        raise InputError(f"{folder} has shape {edges.shape}, but two spots a link were expected; write the file again.")
    return _whole(edges, folder)


def _own_ids(path: Path, metadata: dict[str, Any], n_nodes: int, tracks: TrackSettings) -> NDArray[np.int64] | None:
    named = metadata.get("track_node_props")
    tracklet = named.get("tracklet") if isinstance(named, dict) else None
    name = tracks.columns.cell_id
    if has_array(path / "nodes" / "props" / name / "values"):
        return _whole(_property(path, name, n_nodes), path)
    return None if not isinstance(tracklet, str) else _whole(_property(path, tracklet, n_nodes), path)


def _stated(path: Path, cell_ids: NDArray[np.int64], tracks: TrackSettings) -> pd.DataFrame | None:
    fate, event_frame = tracks.columns.fate, tracks.columns.event_frame
    if fate is None:
        return None
    words = _optional(path, fate, len(cell_ids)).fillna("").astype(str)
    frames = None
    if event_frame is not None:
        values = _optional(path, event_frame, len(cell_ids))
        frames = pd.Series(pd.NA, index=values.index, dtype="Int64")
        given = pd.to_numeric(values, errors="coerce").ge(0).to_numpy(bool)  # there are no blanks: below 0 is none
        frames[given] = _whole(values[given].to_numpy(np.float64), path) - tracks.first_frame
    return state_fates(cell_ids, words, frames, tracks, path)


def _read_features(path: Path, n_nodes: int, tracks: TrackSettings) -> dict[str, NDArray[np.float64]]:
    """Spot features by name; NaN where the file says that a value is missing."""
    if tracks.spot_features:
        check_features(tracks.spot_features, _list_properties(path), path, "node property")
    features = {}
    for name in tracks.spot_features:
        folder = path / "nodes" / "props" / name
        values = read_array(folder / "values", n_rows=n_nodes, whole=True)
        if values.ndim != 1 or values.dtype.kind not in "biuf":
            raise InputError(
                f"The node property {name} in {path} is no list of numbers (shape {values.shape}, type "
                f"{values.dtype}), but a number a spot was expected; take {name} from {PARAMETER}."
            )
        features[name] = values.astype(np.float64)
        if has_array(folder / "missing"):
            features[name][read_array(folder / "missing", n_rows=n_nodes).astype(bool)] = np.nan
    return features


def _list_properties(path: Path) -> list[str]:
    folder = path / "nodes" / "props"
    return sorted(entry.name for entry in folder.iterdir() if entry.is_dir()) if folder.is_dir() else []


def _optional(path: Path, name: str, n_nodes: int) -> pd.Series:
    folder = path / "nodes" / "props" / name
    if not has_array(folder / "values"):
        raise InputError(
            f"{path} has no node property '{name}', which tracks.columns names; it has "
            f"{', '.join(_list_properties(path)) or 'none'}; correct it there, or set it to null."
        )
    values = pd.Series(read_array(folder / "values", n_rows=n_nodes).reshape(n_nodes, -1)[:, 0]).astype(object)
    if has_array(folder / "missing"):
        values[read_array(folder / "missing", n_rows=n_nodes).astype(bool)] = None
    return values.where(values.notna(), None)
