"""Importer of DeepCell's files: `.trk` (tar or zip of tracked labels and lineages) and `.npz` (labels alone).

Positions are the centroids of the labels. A cell with two daughters divides in their first frame; a `frame_div` that
says otherwise is told in the log. `capped` says that a track was ended, not that the cell died: it is censored.
Arrays are read frame by frame, once their header fits the recording; nothing in them is unpickled.
"""

import json
import logging
import lzma
import tarfile
import tokenize
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cellfate.core.errors import InputError
from cellfate.tracks.archived_arrays import MOST_JSON, list_members, read_frames
from cellfate.tracks.label_positions import place_labels
from cellfate.tracks.parent_files import read_parents
from cellfate.tracks.records import TrackedCells, TrackSource, make_tracked
from cellfate.tracks.settings import TrackSettings

_log = logging.getLogger(__name__)
_UNREADABLE = (
    *(OSError, KeyError, ValueError, RuntimeError, OverflowError, EOFError),
    *(tarfile.TarError, zipfile.BadZipFile, zlib.error, lzma.LZMAError, tokenize.TokenError),
)
"""What tarfile, zipfile, their decompressors and NumPy raise on damaged files."""
_LABELS = ("tracked.npy", "y.npy", "annotated.npy")
_LINEAGES = ("lineages.json", "lineage.json")
_DAUGHTERS = 2


@dataclass(frozen=True)
class _Lineage:
    """What the lineages say of a cell; daughters and frame_div as DeepCell names them."""

    cell_id: int
    parent: int | None
    daughters: tuple[int, ...]
    frame_div: int | None


def read_recording(source: TrackSource, tracks: TrackSettings) -> TrackedCells:
    """Read the file of one recording; a reader as `importing.ReadRecording`."""
    path = source.find(tracks.file_template)
    try:
        marks, listed = _read_archive(path, source)
    except InputError:
        raise
    except _UNREADABLE as error:
        raise InputError(f"File {path} cannot be read as DeepCell's .trk or .npz ({error}); write it again.") from error
    if marks is None:
        raise InputError(f"File {path} holds no tracked labels ({', '.join(_LABELS)}); write it again with DeepCell.")
    if listed is None:
        _log.warning("%s has no lineages that can be read without unpickling; parents are not known by it", path)
        parents, remarks = read_parents(source, tracks, np.unique(marks["cell_id"].to_numpy(np.int64)))
        return make_tracked(marks, parents, remarks=remarks)
    _report(listed, marks, path)
    cell_ids = np.array([cell.cell_id for cell in listed], dtype=np.int64)
    return make_tracked(marks, _parents(listed, path), cell_ids=cell_ids)


def _read_archive(path: Path, source: TrackSource) -> tuple[pd.DataFrame | None, list[_Lineage] | None]:
    marks, listed = None, None
    for name, open_member in list_members(path, source):
        if name in _LABELS and marks is None:
            marks = place_labels(read_frames(open_member(), source, path))
        elif name in _LINEAGES:
            listed = _list_cells(json.loads(open_member().read(MOST_JSON)), path)
    return marks, listed


def _list_cells(content: Any, path: Path) -> list[_Lineage]:
    movies = content if isinstance(content, list) else [content]
    if len(movies) != 1 or not isinstance(movies[0], dict):
        raise InputError(f"File {path} holds the lineages of {len(movies)} movies; give one movie a file (.trk).")
    return [_read_cell(cell, said) for cell, said in movies[0].items()]


def _read_cell(cell: str, said: Any) -> _Lineage:
    daughters = said.get("daughters") or [] if isinstance(said, dict) else None
    if not isinstance(daughters, list):
        raise ValueError(f"what it says of cell {cell:.40} is no lineage")
    parent, frame_div = (None if said.get(key) is None else _number(said[key]) for key in ("parent", "frame_div"))
    return _Lineage(_number(cell), parent, tuple(_number(daughter) for daughter in daughters), frame_div)


def _number(value: Any) -> int:
    if not isinstance(value, int | float | str):
        raise ValueError(f"{value!r:.40} is no number of a cell or frame")
    return int(np.int64(int(value)))  # an OverflowError beyond 2^63


def _parents(listed: list[_Lineage], path: Path) -> dict[int, int]:
    """Parents as the daughters state them and as the mothers do, which must agree."""
    parents = {cell.cell_id: cell.parent for cell in listed if cell.parent is not None}
    for mother in listed:
        for daughter in mother.daughters:
            if parents.setdefault(daughter, mother.cell_id) != mother.cell_id:
                raise InputError(
                    f"In {path} cell {mother.cell_id} has the daughter {daughter}, whose parent is "
                    f"{parents[daughter]}; correct either."
                )
    return parents


def _report(listed: list[_Lineage], marks: pd.DataFrame, path: Path) -> None:
    firsts = marks.groupby("cell_id")["frame"].min()
    for cell in listed:
        begins = firsts.reindex(list(cell.daughters)).min()
        if len(cell.daughters) >= _DAUGHTERS and cell.frame_div is not None and begins != cell.frame_div:
            text = "%s: cell %d divides in frame %d by its lineage, but its daughters begin in %s, which counts"
            _log.warning(text, path, cell.cell_id, cell.frame_div, begins)
