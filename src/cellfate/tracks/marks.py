"""From rows of text to detections."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cellfate.core.errors import InputError
from cellfate.core.text_tables import parse_numbers, read_header, read_text_columns, real_numbers, whole_numbers
from cellfate.imaging.units import unit_in_name
from cellfate.tracks.records import TrackSource
from cellfate.tracks.settings import TIMED_FORMATS, TrackSettings
from cellfate.tracks.spot_features import add_text_features, check_features

_log = logging.getLogger(__name__)
UNTRACKED = ("", "none", "nan")
"""Words in the column of tracks for a spot of no track, in small letters."""
_PACKED = (b"PK\x03\x04", b"\x1f\x8b")
_LINE_ENDS = (b"\n", b"\r", b"\0")


def read_columns(
    path: Path, needed: Sequence[str], optional: Iterable[str] = (), features: Sequence[str] = ()
) -> pd.DataFrame:
    """Read columns of a table of tracks as `read_text_columns`, and say where its last line may be cut short.

    `features` are columns of spot features; an InputError names those that are like one that is missing.
    """
    table = read_text_columns(path, needed, (*optional, *features))
    if not {*features} <= {*table.columns}:
        check_features(features, read_header(path), path, "column")
    with path.open("rb") as file:
        is_packed = file.read(4).startswith(_PACKED)
        file.seek(-1, 2)
        if not is_packed and file.read(1) not in _LINE_ENDS:
            text = "%s ends within its last line, without a line break; if it was cut short, write it again"
            _log.warning(text, path)
    return table


def drop_untracked(table: pd.DataFrame, column: str, tracks: TrackSettings, path: Path) -> pd.DataFrame:
    """Leave out the rows of spots of no track, by the column that names the track, and say how many they are.

    Raises
    ------
    InputError
        If cells are named on their first row only, as in tables that a person reads.
    """
    words = table[column].str.strip().str.lower()
    untracked = words.isin(UNTRACKED)
    if not untracked.all() and words[~untracked].is_unique and words.iloc[0] != "" and (words == "").any():
        raise InputError(
            f"Column {column} of {path} names each cell on one line only, and {(words == '').sum()} lines are blank, "
            f"the first is line {words.index[words == ''][0]}; write the number of the cell on each of its lines."
        )
    if tracks.untracked_id is not None:
        untracked |= parse_numbers(table[column]) == tracks.untracked_id
    if untracked.any():
        _log.info("%s: %d spots belong to no track; they are left out", path, untracked.sum())
    return table[~untracked]


def read_frames(column: pd.Series, source: TrackSource, tracks: TrackSettings, path: Path) -> NDArray[np.int64]:
    """Turn a column of frames, or of times (`tracks.time_unit`), into frames from 0.

    Raises
    ------
    InputError
        If a field is no number, or no whole one where frames are expected; with file and line.
    """
    if tracks.time_unit not in {None, "frame"}:
        return source.to_frames(real_numbers(column, path), str(tracks.time_unit), path) - tracks.first_frame
    if tracks.format in TIMED_FORMATS:
        check_frames(column, path, "s, min or h")
    return whole_numbers(column, path) - tracks.first_frame


def check_frames(column: pd.Series, path: Path, units: str) -> None:
    """Refuse fractions in a column of frames, which may be times in one of some units.

    Raises
    ------
    InputError
        With file and line.
    """
    numbers = parse_numbers(column)
    fractions = column[np.isfinite(numbers) & (numbers % 1 != 0)]
    if len(fractions):
        raise InputError(
            f"Line {fractions.index[0]} of {path} has {fractions.iloc[0]!r:.60} in column {column.name}, but frames "
            f"are whole numbers; if the column holds times, set tracks.time_unit to {units}, else correct it."
        )


def read_marks(
    table: pd.DataFrame, names: Mapping[str, str], source: TrackSource, tracks: TrackSettings, path: Path
) -> pd.DataFrame:
    """Turn rows of text, as `read_text_columns` gives them, into detections and spot features.

    The columns are cell_id, frame (from 0), y_px, x_px (NaN without images) and those of the features. `names` are the
    columns of cell_id, frame and, where there are images, y and x. Without `tracks.position_unit` the unit of positions
    is what the names of their columns say, else pixels.

    Raises
    ------
    InputError
        If a field is no number (of a spot feature: nor blank), or the unit is a length and the size of a pixel is not
        known.
    """
    places: dict[str, Any] = {"y_px": np.nan, "x_px": np.nan}
    if source.has_images:
        unit = tracks.position_unit or unit_in_name(names["x"]) or unit_in_name(names["y"]) or "px"
        read = {axis: real_numbers(table[names[axis]], path) for axis in ("y", "x")}
        places = {f"{axis}_px": source.to_pixels(centres, unit, path) for axis, centres in read.items()}
    cell_ids = whole_numbers(table[names["cell_id"]], path)
    frames = read_frames(table[names["frame"]], source, tracks, path)
    marks = pd.DataFrame({"cell_id": cell_ids, "frame": frames, **places})
    return add_text_features(marks, table, tracks, path)
