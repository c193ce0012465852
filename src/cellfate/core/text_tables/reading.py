"""Reading a table as text, whatever it was written as."""

import csv
import re
import zipfile
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import Final

import pandas as pd

from cellfate.core.errors import InputError
from cellfate.core.spreadsheets import unguard_text
from cellfate.core.text_tables.dialects import SEPARATORS, Dialect, tell_dialect
from cellfate.core.text_tables.numbers import check_decimals
from cellfate.core.text_tables.system_files import is_system_file
from cellfate.core.text_tables.workbooks import is_workbook, list_filled_sheets, read_first_rows, read_sheet

_UNREADABLE: Final = (OSError, ValueError, EOFError, OverflowError, csv.Error, zlib.error, zipfile.BadZipFile)
_PARQUET: Final = b"PAR1"
_SHOWN_COLUMNS: Final = 20
_HEADER_LINES: Final = 10
"""Lines in which a header is looked for where the first is none."""
_SPREADSHEET_ERROR: Final = r"#(?:N/A|NV|REF!|BEZUG!|DIV/0!|VALUE!|WERT!|NAME\?|NUM!|ZAHL!|NULL!|SPILL!|CALC!)\s*"
"""In English and German."""


@dataclass(frozen=True, eq=False)
class _Content:
    """Fields of a file below its header.

    Attributes
    ----------
    table : DataFrame of str
        Named as the header names them, indexed by the number of the line; names may be blank or stand there twice.
    separator : str or None
        What separates fields; None in a workbook.
    dates : dict of str to int
        Columns with cells that a workbook holds as dates or times of day, and the first line that has one.
    formulas : dict of str to int
        Columns with formulas whose value a workbook does not hold, and the first line that has one.
    sheet : str
        Name of the sheet that was read; of a text file, empty.
    """

    table: pd.DataFrame
    separator: str | None
    dates: dict[str, int] = field(default_factory=dict)
    formulas: dict[str, int] = field(default_factory=dict)
    sheet: str = ""


def read_text_columns(
    path: Path, needed: Sequence[str], optional: Iterable[str] = (), *, named_in: str = "tracks"
) -> pd.DataFrame:
    """Read columns of a table as text.

    Parameters
    ----------
    path : Path
        CSV (comma, semicolon, tab; UTF-8, UTF-16, Windows-1252; packed by gzip or not), Excel workbook (.xlsx) or
        Parquet, whose rows count as the lines below a header.
    needed : sequence of str
        Columns that must be there.
    optional : iterable of str
        Columns that are read where they are there.
    named_in : str
        Parameter that names the columns, for messages.

    Returns
    -------
    DataFrame
        Text columns, blank fields as empty text, indexed by the number of the line in the file; lines without any
        content are left out. Text is as it was before `core.spreadsheets` wrote it for a person.

    Raises
    ------
    InputError
        If the file cannot be read as a table, lacks a column, holds a date, an error of a spreadsheet or a formula
        without its value in one, or has commas in numbers that could mean two things.
    """
    content = _read(path)
    table = content.table
    missing = [name for name in needed if name not in table.columns]
    if missing:
        found = ", ".join(list(table.columns)[:_SHOWN_COLUMNS])
        sheet = f" (sheet {content.sheet})" if content.sheet else ""
        advice = _find_header(path, needed) or f"add it, or correct the parameter {named_in}"
        raise InputError(f"File {path}{sheet} has no column {', '.join(missing)}; found {found[:300]}; {advice}.")
    wanted = list(dict.fromkeys([*needed, *(name for name in optional if name in table.columns)]))
    _check_once(table, wanted, path)
    for name in wanted:
        _check_values(content, name, path)
    chosen = table[wanted]
    check_decimals(chosen, content.separator, path)
    return unguard_text(chosen)


def read_table(path: Path) -> pd.DataFrame:
    """Read all columns of a table as text, to look at it; as `read_text_columns`, but for what follows.

    Columns without a name are left out; dates of a workbook are in ISO form, and formulas whose value it does not hold
    as they were written.

    Raises
    ------
    InputError
        If the file cannot be read as a table, or two columns have one name.
    """
    table = _read(path).table
    names = [name for name in table.columns if name]
    _check_once(table, names, path)
    return table[names]


def read_header(path: Path) -> list[str]:
    """Names of the columns of a table, without blanks around them.

    Raises
    ------
    InputError
        If the file cannot be read as a table.
    """
    return [str(name) for name in _read(path, n_rows=0).table.columns]


def read_first_lines(path: Path, n_lines: int) -> list[tuple[str, int, list[str]]]:
    """Read the fields of the first lines of a table, and of every sheet of a workbook, whichever the header is.

    Sheet (of a text file, empty), number of the line from 1, fields; those that a comma, semicolon or tab parts where
    the line has but one: the first line need not be the header, which tells the separator.

    Raises
    ------
    InputError
        If the file cannot be read as a table.
    """
    try:
        if is_workbook(path):
            sheets = read_first_rows(path, n_lines)
            lines = [
                (name, line, row) for name, rows in sheets.items() for line, row in enumerate(rows or [[]], start=1)
            ]
        else:
            lines = [("", line, row) for line, row in islice(tell_dialect(path).read_rows(path), n_lines)]
    except _UNREADABLE as error:
        raise InputError(f"File {path} cannot be read as CSV or .xlsx ({str(error).strip()}); correct it.") from error
    return [(name, line, _split(row)) for name, line, row in lines]


def find_unread_sheets(path: Path) -> tuple[str, list[str]]:
    """Name the sheet of a workbook that is read, and those behind it that hold something and are not.

    Of a text file, of a file that is not there, and of one that cannot be read: empty.
    """
    try:
        first, *others = list_filled_sheets(path) if path.is_file() and is_workbook(path) else [""]
    except (InputError, *_UNREADABLE):  # told by whoever reads it
        return "", []
    return first, others


def _split(row: list[str]) -> list[str]:
    given = [field.strip() for field in row if field.strip()]
    return [part.strip() for part in re.split("[,;\t]", given[0])] if len(given) == 1 else row


def _find_header(path: Path, needed: Sequence[str]) -> str:
    """Say what to do where the columns are named below the first line or on another sheet; else empty."""
    if _is_parquet(path):
        return ""
    lines = read_first_lines(path, _HEADER_LINES)
    for sheet, line, fields in lines:
        if {*needed} <= {field.strip() for field in fields}:
            if sheet != lines[0][0]:
                return f"sheet {sheet} has it, and only the first sheet is read: put that one first"
            return f"line {line} has it: delete the lines above it"
    return ""


def _check_values(content: _Content, name: str, path: Path) -> None:
    """Refuse dates, formulas without a value and errors of a spreadsheet in a column."""
    if name in content.dates:
        raise InputError(
            f"Line {content.dates[name]} of {path} has a date or a time of day in column {name}, which Excel makes "
            "of text such as 1-2 or 1:30; give the column the format Text or Number and enter the value again, hours "
            "as a number such as 1.5."
        )
    if name in content.formulas:
        line = content.formulas[name]
        formula = str(content.table[name].loc[line])
        raise InputError(
            f"Line {line} of {path} (sheet {content.sheet}) has the formula {formula} in column "
            f"{name}, but not its value, which the program that wrote the file did not save; open it in a spreadsheet "
            "and save it there, or enter the value."
        )
    column = content.table[name]
    marked = column[column.str.startswith("#")]
    wrong = marked[marked.str.fullmatch(_SPREADSHEET_ERROR)]
    if len(wrong):
        raise InputError(
            f"Line {wrong.index[0]} of {path} has {wrong.iloc[0]} in column {name}, which a spreadsheet writes where a "
            "formula fails; correct the formula, or enter the value."
        )


def _check_once(table: pd.DataFrame, names: Sequence[str], path: Path) -> None:
    twice = [name for name in names if (table.columns == name).sum() > 1]
    if twice:
        raise InputError(f"File {path} has the column {twice[0]} twice; keep one.")


def _read(path: Path, n_rows: int | None = None) -> _Content:
    if is_system_file(path.name):
        raise InputError(f"File {path} was made by macOS or Windows and is no table; name another.")
    try:
        content = _read_any(path, n_rows)
    except InputError:
        raise
    except FileNotFoundError as error:
        raise InputError(f"File {path} is missing; put it there, or correct the parameter that names it.") from error
    except _UNREADABLE as error:
        raise InputError(
            f"File {path} cannot be read as CSV, .xlsx or Parquet ({str(error).strip()}); expected a table with a "
            "header; correct it."
        ) from error
    blank = (content.table == "").all(axis=1)
    return replace(content, table=content.table[~blank]) if blank.any() else content


def _read_any(path: Path, n_rows: int | None) -> _Content:
    if _is_parquet(path):
        return _read_parquet(path)
    return _read_workbook(path) if is_workbook(path) else _read_text(path, tell_dialect(path), n_rows)


def _is_parquet(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(len(_PARQUET)) == _PARQUET


def _read_parquet(path: Path) -> _Content:
    """Read numbers as their shortest text, and nothing as blank."""
    held = pd.read_parquet(path)
    text = held.astype("string").fillna("").astype("str")
    names = [str(name).strip() for name in held.columns]
    return _Content(text.set_axis(names, axis="columns").set_axis(range(2, len(held) + 2), axis="index"), None)


def _read_text(path: Path, dialect: Dialect, n_rows: int | None) -> _Content:
    """Read with a column to spare, for a separator at the end of lines; pandas would rename columns of one name."""
    try:
        with dialect.open_text(path) as text:
            for _ in range(dialect.n_skipped):  # pandas would look for quotes in what it skips
                text.readline()
            fields = pd.read_csv(
                text,
                sep=dialect.separator,
                header=None,
                names=range(dialect.n_columns + 1),
                index_col=False,
                dtype=str,
                keep_default_na=False,
                skipinitialspace=True,
                skip_blank_lines=False,
                nrows=None if n_rows is None else n_rows + 1,
            )
    except pd.errors.ParserError as error:
        _check_fields(path, dialect)
        raise error
    fields = fields.fillna("")
    if (fields[dialect.n_columns] != "").any():
        _check_fields(path, dialect)
    names = [str(name).strip() for name in fields.iloc[0, : dialect.n_columns]]
    first = dialect.n_skipped + 1
    table = fields.iloc[1:, : dialect.n_columns].set_axis(names, axis="columns")
    return _Content(table.set_axis(range(first + 1, first + len(fields)), axis="index"), dialect.separator)


def _check_fields(path: Path, dialect: Dialect) -> None:
    """Name the first line that has more fields than the header."""
    n_columns, name = dialect.n_columns, SEPARATORS[dialect.separator]
    for line, row in dialect.read_rows(path):
        if any(field.strip() for field in row[n_columns:]) or len(row) > n_columns + 1:
            raise InputError(
                f"Line {line} of {path} has {len(row)} fields separated by {name}, but its header has {n_columns}; "
                f"{_advise(dialect, line, row)}."
            )


def _advise(dialect: Dialect, line: int, row: list[str]) -> str:
    """Say what to do about a line of more fields than the header; near the top it may be the header itself."""
    names = [field.strip() for field in row]
    words = [name for name in names if name and pd.isna(pd.to_numeric(name.replace(",", "."), errors="coerce"))]
    if line <= _HEADER_LINES and len(words) == len(set(names)) == len(names):
        return f"if line {line} is the header, delete the lines above it"
    hint = ", or save the table with semicolons if its numbers have decimal commas"
    quoted = f"put text with {SEPARATORS[dialect.separator]} in quotes"
    return quoted + hint * (dialect.separator == ",")


def _read_workbook(path: Path) -> _Content:
    sheet = read_sheet(path)
    first = next((number for number, row in enumerate(sheet.rows) if any(field.strip() for field in row)), None)
    if first is None:
        raise InputError(f"The first sheet of {path} is empty, but a table with a header was expected; fill it.")
    width = max(len(row) for row in sheet.rows)
    rows = [row + [""] * (width - len(row)) for row in sheet.rows[first:]]
    names = [name.strip() for name in rows[0]]
    lines = range(first + 2, first + 1 + len(rows))
    table = pd.DataFrame(rows[1:], columns=range(width), index=lines, dtype="str").set_axis(names, axis="columns")
    dates, formulas = (
        {names[column]: row + 1 for row, column in reversed(places) if row > first}
        for places in (sheet.dates, sheet.formulas)
    )
    return _Content(table, None, dates, formulas, sheet.title)
