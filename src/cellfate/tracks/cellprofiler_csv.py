"""Importer of CellProfiler's table of objects with the measurements of *TrackObjects*.

Every object names the object it came from by image and number, so cells are cut out of the graph of objects; merges
cannot be written so. A cell has the number image x 100 000 + object of its first object, and is called by its label,
which CellProfiler gives to a whole family (12, its daughters 12.a and 12.b).
"""

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cellfate.core.errors import InputError
from cellfate.core.text_tables import optional_whole_numbers, read_header, real_numbers, whole_numbers
from cellfate.tracks.branch_names import name_branches
from cellfate.tracks.graphs import link_spots
from cellfate.tracks.marks import drop_untracked
from cellfate.tracks.reading import list_sources, open_table, read_each
from cellfate.tracks.records import OpenedRecordings, Tables, TrackedCells, TrackSource, make_tracked
from cellfate.tracks.settings import TrackColumns, TrackSettings, is_file_each
from cellfate.tracks.spot_features import add_text_features

_IMAGES = 100_000
"""Objects of an image are numbered below this."""
_MOST_IMAGES = 2**40
"""Images are numbered below this."""
_PATTERNS = {
    "label": r"TrackObjects_Label(_\d+)?",
    "parent_object": r"TrackObjects_ParentObjectNumber(_\d+)?",
    "parent_image": r"TrackObjects_ParentImageNumber(_\d+)?",
    "image": "ImageNumber",
    "object": r"ObjectNumber|Number_Object_Number",
    "x": "Location_Center_X|AreaShape_Center_X",
    "y": "Location_Center_Y|AreaShape_Center_Y",
}
"""Names of the columns; the name of the objects may stand before each."""


def read_tracks(opened: OpenedRecordings) -> Tables:
    """Read the table of each recording, or the one table of all; an importer as `importing.ReadTracks`."""
    tracks, by = opened.tracks, opened.tracks.columns.recording_id
    sources = list_sources(opened.folder, opened.table)
    frame = None if tracks.columns.frame == TrackColumns().frame else tracks.columns.frame
    if by is not None and frame is None:
        raise InputError(
            f"tracks.columns.recording_id is '{by}', so the table holds several recordings, and ImageNumber goes on "
            "counting from one to the next; name the column of frames in tracks.columns.frame, such as Metadata_Frame."
        )
    shared = not is_file_each(tracks.file_template)
    names = _find_columns(sources[0].find(tracks.file_template)) if shared else {}
    features = tracks.spot_features
    rows_of = open_table(
        opened.folder, opened.table, "files", tracks.file_template, [*names.values(), frame], by, features
    )

    def read_one(source: TrackSource) -> TrackedCells:
        path = source.find(tracks.file_template)
        own = names or _find_columns(path)
        table = (
            rows_of(source)
            if shared
            else open_table(
                opened.folder, opened.table, "files", tracks.file_template, [*own.values(), frame], by, features
            )(source)
        )
        return _read_rows(table, own, frame, source, tracks, path)

    return read_each(sources, read_one)


def _find_columns(path: Path) -> dict[str, str]:
    header = read_header(path)
    found = {key: _find(pattern, header) for key, pattern in _PATTERNS.items()}
    missing = [key for key, name in found.items() if name is None]
    if missing:
        raise InputError(
            f"File {path} has no column for {', '.join(missing)} of the objects ({_PATTERNS[missing[0]]}); export the "
            "objects with TrackObjects and their locations, or use format csv and name the columns."
        )
    return {key: str(name) for key, name in found.items()}


def _find(pattern: str, header: Sequence[str]) -> str | None:
    return next((name for name in header if re.fullmatch(rf"(\w+_)?({pattern})", name)), None)


def _read_rows(
    table: pd.DataFrame,
    names: dict[str, str],
    frame: str | None,
    source: TrackSource,
    tracks: TrackSettings,
    path: Path,
) -> TrackedCells:
    table = drop_untracked(table, names["label"], tracks, path)
    images = whole_numbers(table[names["image"]], path)
    spots = pd.DataFrame(
        {
            "spot_id": _number(images, whole_numbers(table[names["object"]], path), path),
            "frame": images - 1 if frame is None else whole_numbers(table[frame], path) - tracks.first_frame,
            "y_px": source.to_pixels(real_numbers(table[names["y"]], path), tracks.position_unit or "px", path),
            "x_px": source.to_pixels(real_numbers(table[names["x"]], path), tracks.position_unit or "px", path),
            "track": [f"{label}" for label in whole_numbers(table[names["label"]], path)],
        }
    )
    spots = add_text_features(spots, table, tracks, path)
    parent_images, parent_objects = (
        optional_whole_numbers(table[names[key]], path).fillna(0).to_numpy(np.int64)
        for key in ("parent_image", "parent_object")
    )
    parents = pd.Series(_number(parent_images, parent_objects, path), dtype="Int64").mask(parent_objects == 0)
    cut = link_spots(spots["spot_id"].to_numpy(), spots["frame"].to_numpy(), parents, tracks, path)
    spots["cell_id"] = cut.cell_ids
    return make_tracked(spots, cut.parents, names=name_branches(spots, cut.parents), remarks=cut.remarks)


def _number(images: NDArray[np.int64], objects: NDArray[np.int64], path: Path) -> NDArray[np.int64]:
    if (objects >= _IMAGES).any() or (objects < 0).any() or not ((images >= 0) & (images < _MOST_IMAGES)).all():
        raise InputError(f"File {path} has an image of {_IMAGES} objects or more, or a negative number; correct it.")
    return images * _IMAGES + objects
