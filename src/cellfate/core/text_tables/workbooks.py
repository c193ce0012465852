"""Tables in Excel workbooks (.xlsx): the first sheet, its values as text."""

import datetime as dt
import re
import warnings
import zipfile
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
_TIMES: Final = (dt.date, dt.time, dt.timedelta)


@dataclass(frozen=True)
class Sheet:
    """The cells of a sheet as text.

    Attributes
    ----------
    rows : list of list of str
        One list a row, from the first row of the sheet; they may differ in length.
    dates : list of (row, column)
        Where dates and times of day stand, from 0; in `rows` they are written in ISO form.
    """

    rows: list[list[str]]
    dates: list[tuple[int, int]]


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
    try:
        cells = _read_cells(path)
    except Exception as error:  # of a damaged part openpyxl and its parsers raise errors of any kind
        raise InputError(
            f"The first sheet of {path} cannot be read ({str(error).strip()}); save it anew, or as CSV."
        ) from error
    dates = [(y, x) for y, row in enumerate(cells) for x, value in enumerate(row) if isinstance(value, _TIMES)]
    return Sheet([[_as_text(value) for value in row] for row in cells], dates)


def read_first_rows(path: Path, n_rows: int) -> dict[str, list[list[str]]]:
    """Read the first rows of every sheet of a workbook, by the name of the sheet.

    Raises
    ------
    InputError
        If the workbook is damaged.
    """
    import openpyxl

    try:
        with path.open("rb") as file, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # as in _read_cells
            sheets = openpyxl.load_workbook(file, read_only=True, data_only=True).worksheets
            rows = {sheet.title: list(sheet.iter_rows(max_row=n_rows, values_only=True)) for sheet in sheets}
    except Exception as error:  # as in read_sheet
        raise InputError(f"{path} cannot be read ({str(error).strip()}); save it anew, or as CSV.") from error
    return {title: [[_as_text(value) for value in row] for row in cells] for title, cells in rows.items()}


def _read_cells(path: Path) -> list[list[Any]]:
    import openpyxl

    merged = _has_merged(path)
    with path.open("rb") as file, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of styles and lists to choose from, which are not read
        sheet = openpyxl.load_workbook(file, read_only=not merged, data_only=True).worksheets[0]
        if not merged:
            sheet.reset_dimensions()  # some writers state them wrongly
        rows = [list(row) for row in sheet.iter_rows(values_only=True)]
        for area in sheet.merged_cells.ranges if merged else ():
            for row in rows[area.min_row : area.max_row]:
                row[area.min_col - 1] = rows[area.min_row - 1][area.min_col - 1]
        return rows


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
