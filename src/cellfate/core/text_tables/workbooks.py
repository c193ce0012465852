"""Tables in Excel workbooks (.xlsx): the first sheet, its values as text."""

import datetime as dt
import re
import warnings
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from cellfate.core.errors import InputError
from cellfate.core.numbers import LARGEST
from cellfate.core.text_tables.dialects import MAX_UNPACKED_BYTES

_ZIP: Final = b"PK\x03\x04"
_OLD_EXCEL: Final = b"\xd0\xcf\x11\xe0"
_CONTENT: Final = "xl/workbook.xml"
_SHEETS: Final = "xl/worksheets/"
_MERGED: Final = re.compile(rb'mergeCell [^>]*?ref="([A-Z]+\d+:[A-Z]+\d+)"')
_MOST_MERGED: Final = 1_000_000
_FORMULA: Final = re.compile(rb"<(?:\w+:)?f[ >/]")
_STYLES: Final = "xl/styles.xml"
_PERCENT: Final = re.compile(rb'numFmtId="(?:9|10)"|formatCode="[^"]*%')
_TIMES: Final = (dt.date, dt.time, dt.timedelta)


@dataclass(frozen=True)
class Sheet:
    """The cells of a sheet as text.

    Attributes
    ----------
    title : str
        Name of the sheet.
    rows : list of list of str
        One list a row, from the first row of the sheet; they may differ in length. A number that is shown as percent is
        written so, such as 10%.
    dates : list of (row, column)
        Where dates and times of day stand, from 0; in `rows` they are written in ISO form.
    formulas : list of (row, column)
        Where formulas stand whose value was not saved, from 0; in `rows` they are written as they are.
    """

    title: str
    rows: list[list[str]]
    dates: list[tuple[int, int]]
    formulas: list[tuple[int, int]]


def is_workbook(path: Path) -> bool:
    """Whether a file is an Excel workbook, by its content.

    Raises
    ------
    InputError
        If it is an old workbook (.xls), or a packed folder that is none.
    """
    with path.open("rb") as file:
        start = file.read(len(_ZIP))
    if start == _OLD_EXCEL:
        raise InputError(
            f"File {path} is an Excel workbook of the old form (.xls), or has a password; save it as .xlsx or as CSV."
        )
    if start != _ZIP:
        return False
    with zipfile.ZipFile(path) as archive:
        parts = archive.infolist()
    if _CONTENT not in {part.filename for part in parts}:
        raise InputError(f"File {path} is a ZIP file without an Excel workbook in it; give a CSV or an .xlsx file.")
    if sum(part.file_size for part in parts) > MAX_UNPACKED_BYTES:
        raise InputError(
            f"File {path} unpacks to more than {MAX_UNPACKED_BYTES / 2**30:.0f} GB, which no workbook is expected to; "
            "save the table as CSV."
        )
    return True


def read_sheet(path: Path) -> Sheet:
    """Read the first sheet of a workbook, of formulas the values that were saved.

    The value of cells that are merged downwards stands in every row of them; of those merged sideways, in the first.

    Raises
    ------
    InputError
        If the workbook is damaged or has no sheet of cells.
    """
    with _tell_damage(f"The first sheet of {path}"):
        title, cells, formulas = _read_cells(path)
    dates = [(y, x) for y, row in enumerate(cells) for x, value in enumerate(row) if isinstance(value, _TIMES)]
    return Sheet(title, [[_as_text(value) for value in row] for row in cells], dates, formulas)


def list_filled_sheets(path: Path) -> list[str]:
    """Names of the first sheet of a workbook, which is read, and of those behind it that hold something.

    Raises
    ------
    InputError
        If the workbook is damaged.
    """
    with _tell_damage(str(path)), _open(path) as (first, *others):
        filled = [one.title for one in others if any(any(row) for row in one.iter_rows(values_only=True))]
    return [first.title, *filled]


def read_first_rows(path: Path, n_rows: int) -> dict[str, list[list[str]]]:
    """Read the first rows of every sheet of a workbook, by the name of the sheet.

    Raises
    ------
    InputError
        If the workbook is damaged.
    """
    with _tell_damage(str(path)), _open(path) as sheets:
        rows = {sheet.title: list(sheet.iter_rows(max_row=n_rows, values_only=True)) for sheet in sheets}
    return {title: [[_as_text(value) for value in row] for row in cells] for title, cells in rows.items()}


@contextmanager
def _tell_damage(what: str) -> Iterator[None]:
    try:
        yield
    except Exception as error:  # of a damaged part openpyxl and its parsers raise errors of any kind
        raise InputError(f"{what} cannot be read ({str(error).strip()}); save it anew, or as CSV.") from error


@contextmanager
def _open(path: Path, *, whole: bool = False, values: bool = True) -> Iterator[list[Any]]:
    """Open the sheets of a workbook; `whole` knows merged cells, and without `values` formulas are read."""
    import openpyxl

    with path.open("rb") as file, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of styles and lists to choose from, which are not read
        sheets = openpyxl.load_workbook(file, read_only=not whole, data_only=values).worksheets
        for sheet in () if whole else sheets:
            sheet.reset_dimensions()  # some writers state them wrongly
        yield sheets


def _read_cells(path: Path) -> tuple[str, list[list[Any]], list[tuple[int, int]]]:
    """Title, values, and places of formulas without a value, of which the values are the formulas."""
    merged = _has_merged(path)
    is_plain = not (_holds(path, _SHEETS, _FORMULA) or _holds(path, _STYLES, _PERCENT))
    blank: set[tuple[int, int]] = set()
    with _open(path, whole=merged) as (sheet, *_):
        if is_plain:
            rows = [list(row) for row in sheet.iter_rows(values_only=True)]
        else:
            cells = [list(row) for row in sheet.iter_rows()]
            rows = [[_as_shown(cell) for cell in row] for row in cells]
            blank = {(y, x) for y, row in enumerate(cells) for x, cell in enumerate(row) if _is_blank(cell)}
        for area in sheet.merged_cells.ranges if merged else ():
            for row in rows[area.min_row : area.max_row]:
                row[area.min_col - 1] = rows[area.min_row - 1][area.min_col - 1]
        title = str(sheet.title)
    formulas = _read_formulas(path, blank) if blank else {}
    for (y, x), formula in formulas.items():
        rows[y][x] = formula
    return title, rows, list(formulas)


def _read_formulas(path: Path, places: set[tuple[int, int]]) -> dict[tuple[int, int], str]:
    with _open(path, values=False) as (sheet, *_):
        cells = [
            ((y, x), cell.value)
            for y, row in enumerate(sheet.iter_rows())
            for x, cell in enumerate(row)
            if (y, x) in places and getattr(cell, "data_type", None) == "f"
        ]
    return {place: str(getattr(value, "text", value)) for place, value in cells}


def _is_blank(cell: Any) -> bool:
    """Whether no value was saved; that of a formula whose result is empty text is of the type of text."""
    return cell.value is None and getattr(cell, "data_type", "n") == "n"


def _as_shown(cell: Any) -> Any:
    value = cell.value
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return f"{value * 100:.12g}%" if is_number and "%" in (cell.number_format or "") else value


def _holds(path: Path, start: str, pattern: re.Pattern[bytes]) -> bool:
    """Whether parts of the workbook hold something."""
    with zipfile.ZipFile(path) as archive:
        return any(pattern.search(archive.read(name)) for name in archive.namelist() if name.startswith(start))


def _has_merged(path: Path) -> bool:
    """Whether a sheet has merged cells, which openpyxl only knows of sheets that it reads whole."""
    from openpyxl.worksheet.cell_range import CellRange

    with zipfile.ZipFile(path) as archive:
        sheets = [archive.read(name) for name in archive.namelist() if name.startswith(_SHEETS)]
    areas = [CellRange(area.decode()).size for sheet in sheets for area in _MERGED.findall(sheet)]
    n_cells = sum(area["rows"] * area["columns"] for area in areas)
    if n_cells > _MOST_MERGED:
        raise ValueError(f"{n_cells} of its cells are merged")
    return bool(areas)


def _as_text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, float) and value.is_integer() and abs(value) <= LARGEST:
        return str(int(value))
    return value.isoformat() if isinstance(value, dt.date | dt.time) else str(value)
