"""CSV tables: read as text, then turned into numbers, so that a wrong field is named by file and line."""

import zlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cellfate.core.errors import InputError
from cellfate.tracks.numbers import are_whole
from cellfate.tracks.records import TrackSource
from cellfate.tracks.settings import TrackSettings


def read_text_columns(path: Path, needed: Sequence[str], optional: Iterable[str] = ()) -> pd.DataFrame:
    """Read columns of a CSV as text.

    Parameters
    ----------
    path : Path
        The file; read as gzip where its name ends in `.gz`.
    needed : sequence of str
        Columns that must be there.
    optional : iterable of str
        Columns that are read where they are there.

    Returns
    -------
    DataFrame
        Text columns, blank fields as empty text, indexed by the number of the line in the file.

    Raises
    ------
    InputError
        If the file cannot be read as CSV, or lacks a column.
    """
    table = _read(path)
    missing = [name for name in needed if name not in table.columns]
    if missing:
        found = ", ".join(list(table.columns)[:20])
        raise InputError(
            f"File {path} has no column {', '.join(missing)}; found {found[:300]}; add it, or correct the parameter "
            "tracks."
        )
    wanted = [*needed, *(name for name in optional if name in table.columns)]
    twice = [name for name in wanted if (table.columns == name).sum() > 1]
    if twice:
        raise InputError(f"File {path} has the column {twice[0]} twice; keep one.")
    blank = (table == "").all(axis=1)
    return table.loc[~blank, list(dict.fromkeys(wanted))]


def read_header(path: Path) -> list[str]:
    """Names of the columns of a CSV, without blanks around them.

    Raises
    ------
    InputError
        If the file cannot be read as CSV.
    """
    return [str(name) for name in _read(path, n_rows=0).columns]


def real_numbers(column: pd.Series, path: Path) -> NDArray[np.float64]:
    """Turn text into finite numbers.

    Raises
    ------
    InputError
        If a field is blank, no number, NaN or infinite; with file and line.
    """
    numbers = pd.to_numeric(column.str.strip(), errors="coerce").to_numpy(np.float64, na_value=np.nan)
    _check(column, np.isfinite(numbers), "a number", path)
    return numbers


def whole_numbers(column: pd.Series, path: Path) -> NDArray[np.int64]:
    """Turn text into whole numbers; `3.0` is one.

    Raises
    ------
    InputError
        If a field is anything else; with file and line.
    """
    numbers = pd.to_numeric(column.str.strip(), errors="coerce").to_numpy(np.float64, na_value=np.nan)
    _check(column, are_whole(numbers), "a whole number", path)
    return numbers.astype(np.int64)


def optional_whole_numbers(column: pd.Series, path: Path) -> pd.Series:
    """Turn text into whole numbers; blank fields, `nan` and `na` become null.

    Raises
    ------
    InputError
        If a field is anything else; with file and line.
    """
    given = ~column.str.strip().str.lower().isin(["", "nan", "na", "none", "null", "<na>"])
    numbers = pd.Series(pd.NA, index=column.index, dtype="Int64")
    numbers[given] = whole_numbers(column[given], path)
    return numbers


def read_marks(
    table: pd.DataFrame, names: Mapping[str, str], source: TrackSource, tracks: TrackSettings, path: Path
) -> pd.DataFrame:
    """Turn rows of text into detections.

    Parameters
    ----------
    table : DataFrame
        Columns of text, as `read_text_columns` gives them.
    names : dict of str to str
        Columns of cell_id, frame, y and x in it.
    source : TrackSource
        The recording.
    tracks : TrackSettings
        Number of the first frame, unit of the positions (pixels when not given).
    path : Path
        The file, for messages.

    Returns
    -------
    DataFrame
        cell_id, frame (from 0), y_px and x_px.

    Raises
    ------
    InputError
        If a field is no number, or the unit is a length and the size of a pixel is not known.
    """
    y, x = (real_numbers(table[names[axis]], path) for axis in ("y", "x"))
    unit = tracks.position_unit or "px"
    return pd.DataFrame(
        {
            "cell_id": whole_numbers(table[names["cell_id"]], path),
            "frame": whole_numbers(table[names["frame"]], path) - tracks.first_frame,
            "y_px": source.to_pixels(y, unit, path),
            "x_px": source.to_pixels(x, unit, path),
        }
    )


def _read(path: Path, n_rows: int | None = None) -> pd.DataFrame:
    """Read a table of text. The header is read as a row, because pandas would rename columns of the same name."""
    try:
        with_header = pd.read_csv(
            path,
            header=None,
            dtype=str,
            keep_default_na=False,
            skipinitialspace=True,
            encoding="utf-8-sig",
            encoding_errors="replace",
            compression="gzip" if path.suffix == ".gz" else None,
            skip_blank_lines=False,
            nrows=None if n_rows is None else n_rows + 1,
        )
    except (OSError, ValueError, EOFError, OverflowError, zlib.error) as error:
        raise InputError(
            f"File {path} cannot be read as CSV ({str(error).strip()}); expected a table with a header; correct it."
        ) from error
    with_header = with_header.fillna("")
    names = [str(name).strip() for name in with_header.iloc[0]]
    return with_header.iloc[1:].set_axis(names, axis="columns").set_axis(range(2, len(with_header) + 1), axis="index")


def _check(column: pd.Series, usable: NDArray[np.bool_], expected: str, path: Path) -> None:
    if not usable.all():
        place = int(np.flatnonzero(~usable)[0])
        raise InputError(
            f"Line {column.index[place]} of {path} has {column.iloc[place]!r:.60} in column {column.name}, but "
            f"{expected} was expected ({int((~usable).sum())} such lines); correct the file."
        )
