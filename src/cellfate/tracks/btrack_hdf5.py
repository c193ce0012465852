"""Importer of btrack's HDF5 files.

btrack states the fate of every track (`fates`) and its parent (`LBEPR`). A cell with two daughters divides; one whose
fate is APOPTOSIS dies, in the first frame of the unbroken run of apoptotic objects that its track ends with, or in the
last frame of the track where objects were not classified. Every other end (border, last frame, lost) is censored. A
track that is said to DIVIDE but has fewer than two daughters in the file is censored: when it divided is not known.
Objects that btrack made up to bridge frames (dummies) are no detections: they are gaps.

Codes: `btrack.constants.Fates` and `States` (Ulicna et al., Front. Comput. Sci. 3, 734559 (2021)).
"""

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cellfate.core.errors import InputError
from cellfate.core.fates import APOPTOSIS
from cellfate.core.numbers import as_whole
from cellfate.tracks.records import TrackedCells, TrackSource, make_tracked
from cellfate.tracks.settings import TrackSettings
from cellfate.tracks.spot_features import PARAMETER, add_features, check_features

_log = logging.getLogger(__name__)
FALSE_POSITIVE, DIVIDE, APOPTOTIC_FATE = 0, 4, 5
"""Codes of fates."""
APOPTOTIC_STATE = 4
"""Code of the state of an object."""
_MOST_PACKED = 1100
"""Bytes that one byte of the file can stand for: deflate, which btrack uses, reaches 1032."""


@dataclass(frozen=True, eq=False)
class _Tracks:
    """Arrays of one file.

    `table` has a row a track: label, first frame, last frame, parent, root, generation. `rows` are the objects of all
    tracks in order, of which track `i` has `starts[i]` to `ends[i]`; negative ones are dummies. `features` has a value
    an object.
    """

    path: Path
    table: NDArray[np.int64]
    fates: NDArray[np.int64]
    starts: NDArray[np.int64]
    ends: NDArray[np.int64]
    rows: NDArray[np.int64]
    coords: NDArray[np.float64]
    states: NDArray[np.int64]
    features: dict[str, NDArray[np.float64]]


def read_recording(source: TrackSource, tracks: TrackSettings) -> TrackedCells:
    """Read the HDF5 file of one recording; a reader as `importing.ReadRecording`."""
    path = source.find(tracks.file_template)
    content = _read_file(path, tracks)
    _check_content(content)
    kept = np.ones(len(content.table), dtype=bool)
    if not tracks.keep_false_positives:
        kept = content.fates != FALSE_POSITIVE
    marks = _list_marks(content)
    _report(source, content, int((~kept).sum()))
    first, second = (content.coords[marks["row"].to_numpy(), column] for column in (1, 2))
    y, x = (second, first) if tracks.btrack_axes == "xy" else (first, second)
    unit = tracks.position_unit or "px"
    marks["y_px"], marks["x_px"] = source.to_pixels(y, unit, path), source.to_pixels(x, unit, path)
    measured = {name: values[marks["row"].to_numpy()] for name, values in content.features.items()}
    marks = add_features(marks, measured, path)
    labels = content.table[kept, 0]
    parents = dict(zip(content.table[:, 0].tolist(), content.table[:, 3].tolist(), strict=True))
    left_out = set(content.table[~kept, 0].tolist())
    parents = {cell: parent for cell, parent in parents.items() if parent not in {0, cell} and parent not in left_out}
    deaths = _find_deaths(content, marks, kept)
    marks["frame"] -= tracks.first_frame
    deaths["event_frame"] -= tracks.first_frame
    return make_tracked(marks[marks["cell_id"].isin(labels)], parents, deaths, cell_ids=labels)


def _read_file(path: Path, tracks: TrackSettings) -> _Tracks:
    import h5py

    try:
        with h5py.File(path, "r") as file:
            kind = _object_type(_open(file, "tracks", path), path)
            get = _getter(file, kind, path)
            bounds, table = get("tracks", "map"), get("tracks", "LBEPR")
            coords, labels = get("objects", "coords"), get("objects", "labels")
            fates, rows = get("tracks", "fates"), get("tracks", "tracks")
            features = _read_features(_open(_open(file, "objects", path), kind, path), len(coords), tracks, path)
    except InputError:
        raise
    except (OSError, KeyError, ValueError, RuntimeError) as error:  # what h5py raises on damaged files
        raise InputError(
            f"File {path} cannot be read as btrack's HDF5 ({error}); write it again with btrack."
        ) from error
    shapes = {"map": (bounds, 2), "LBEPR": (table, 6), "coords": (coords, 4), "labels": (labels, 1)}
    narrow = [name for name, (array, width) in shapes.items() if array.ndim != 2 or array.shape[1] < width]
    lengths = {len(bounds), len(table), fates.size}
    if narrow or len(lengths) > 1 or len(coords) != len(labels) or rows.ndim != 1:
        raise InputError(
            f"File {path} has arrays of other shapes than btrack writes ({', '.join(narrow) or 'lengths differ'}); "
            "write it again with btrack."
        )
    fractions = f"File {path} has fractions where whole numbers were expected; write it again with btrack."
    return _Tracks(
        path,
        table=as_whole(table, fractions),
        fates=as_whole(fates.ravel(), fractions),
        starts=as_whole(bounds[:, 0], fractions),
        ends=as_whole(bounds[:, 1], fractions),
        rows=as_whole(rows, fractions),
        coords=coords.astype(np.float64),
        states=as_whole(labels[:, 0], fractions),
        features=features,
    )


def _read_features(objects: Any, n_objects: int, tracks: TrackSettings, path: Path) -> dict[str, NDArray[np.float64]]:
    """Properties of objects that are asked for as spot features."""
    if not tracks.spot_features:
        return {}
    held = _open(objects, "properties", path) if "properties" in objects else {}
    check_features(tracks.spot_features, map(str, held), path, "property of objects")
    features = {}
    for name in tracks.spot_features:
        values = _read_array(held, name, f"objects/properties/{name}", path)
        if values.size != n_objects or values.shape[:1] != (n_objects,):
            raise InputError(
                f"The property {name} of the objects in {path} has shape {values.shape}, but a number an object "
                f"({n_objects}) was expected; take {name} from {PARAMETER}."
            )
        features[name] = values.reshape(n_objects).astype(np.float64)
    return features


def _getter(file: Any, kind: str, path: Path) -> Any:
    def get(group: str, name: str) -> NDArray[Any]:
        held = _open(_open(file, group, path), kind, path)
        return _read_array(held, name, f"{group}/{kind}/{name}", path)

    return get


def _read_array(held: Any, name: str, place: str, path: Path) -> NDArray[Any]:
    dataset = _open(held, name, path)
    plain = hasattr(dataset, "shape") and dataset.dtype.kind in "iuf" and not dataset.is_virtual
    if not plain or dataset.external or dataset.nbytes > _MOST_PACKED * path.stat().st_size:
        raise InputError(f"'{place}' in {path} is no plain array of numbers; write it again with btrack.")
    return np.asarray(dataset[()])


def _open(group: Any, name: str, path: Path) -> Any:
    """Open what a group holds, but follow no link that could lead out of the file."""
    import h5py

    if not hasattr(group, "keys") or name not in group or not isinstance(group.get(name, getlink=True), h5py.HardLink):
        raise InputError(
            f"File {path} has no '{name}' where btrack writes it; write it again with btrack, tracks included."
        )
    return group[name]


def _object_type(group: Any, path: Path) -> str:
    names = map(str, group) if hasattr(group, "keys") else ()  # bytes where it is no UTF-8
    kinds = sorted(name for name in names if name.startswith("obj_type_"))
    if len(kinds) != 1:
        raise InputError(
            f"File {path} has tracks of {len(kinds)} types of objects ({', '.join(kinds[:5])}), but one was expected; "
            "write one file a type."
        )
    return kinds[0]


def _check_content(content: _Tracks) -> None:
    starts, ends, rows = content.starts, content.ends, content.rows
    lengths = ends - starts
    tiles = (starts >= 0).all() and (lengths > 0).all() and (ends <= len(rows)).all() and lengths.sum() <= len(rows)
    real = rows[rows >= 0]
    if not tiles or (real >= len(content.coords)).any() or len(np.unique(real)) < len(real):
        raise InputError(
            f"The tracks in {content.path} point at objects that are not there, or at one object twice; write it again "
            "with btrack."
        )
    if len(np.unique(content.table[:, 0])) < len(content.table):
        raise InputError(f"File {content.path} lists a track twice; write it again with btrack.")
    points = content.coords[real][:, :3]
    if not np.isfinite(points).all() or (points[:, 0] % 1 != 0).any():
        raise InputError(f"File {content.path} has objects without a position or a frame number; correct the objects.")


def _list_marks(content: _Tracks) -> pd.DataFrame:
    """One row a track and real object, ordered by track and frame."""
    lengths = content.ends - content.starts
    track = np.repeat(np.arange(len(lengths)), lengths)
    within = np.arange(lengths.sum()) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    rows = content.rows[content.starts[track] + within]
    track, rows = track[rows >= 0], rows[rows >= 0]
    marks = pd.DataFrame(
        {"cell_id": content.table[track, 0], "row": rows, "frame": content.coords[rows, 0].astype(np.int64)}
    )
    outside = (marks["frame"] < content.table[track, 1]) | (marks["frame"] > content.table[track, 2])
    if outside.any():
        row = marks[outside].iloc[0]
        raise InputError(
            f"Track {row['cell_id']} in {content.path} has an object in frame {row['frame']}, outside the frames "
            "that the file says the track goes through; write it again with btrack."
        )
    return marks.sort_values(["cell_id", "frame"], kind="stable", ignore_index=True)


def _find_deaths(content: _Tracks, marks: pd.DataFrame, kept: NDArray[np.bool_]) -> pd.DataFrame:
    """Cells that btrack says died: fate and event_frame, indexed by cell_id."""
    died = content.table[kept & (content.fates == APOPTOTIC_FATE), 0]
    own = marks[marks["cell_id"].isin(died)]
    healthy = own[content.states[own["row"].to_numpy()] != APOPTOTIC_STATE].groupby("cell_id")["frame"].max()
    last_healthy = own["cell_id"].map(healthy).fillna(-1)
    first_dying = own[own["frame"] > last_healthy].groupby("cell_id")["frame"].min()
    event = first_dying.reindex(died).fillna(own.groupby("cell_id")["frame"].max().reindex(died))
    return pd.DataFrame({"fate": APOPTOSIS, "event_frame": event.astype("Int64")}, index=pd.Index(died, dtype="int64"))


def _report(source: TrackSource, content: _Tracks, n_left: int) -> None:
    if n_left:
        _log.info("%s: %d tracks that btrack calls false positives are left out", content.path, n_left)
    labels, parents = content.table[:, 0], content.table[:, 3]
    mothers, counts = np.unique(parents[parents != labels], return_counts=True)
    alone = set(labels[content.fates == DIVIDE].tolist()) - set(mothers[counts >= 2].tolist())
    if alone:
        text = "Recording '%s': %d tracks are said to divide but have fewer than two daughters (first: %d); censored"
        _log.warning(text, source.recording_id, len(alone), min(alone))
