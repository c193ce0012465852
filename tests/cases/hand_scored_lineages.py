"""Reader of the hand-scored AU565 sheets (Mohammadi et al., Commun. Biol. 5, 1258, 2022): one row a cell.

A sheet is one field of one well. Lineages follow each other in blocks of 18 rows. The five generations stand in columns
(transition, death, division) x 5, and a cell's row within the block says whose daughter it is. A death is an entry in
`Death`; an entry in `Division` is a division before the last frame (`exp_time`) and the end of watching at it.
"""

import functools
import re
import zipfile
from pathlib import Path
from xml.etree import ElementTree as ET

import pandas as pd

FRAME_H = 0.5
_NAMESPACE = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_FIRST_ROW, _BLOCK_ROWS = 10, 18
_DEATH, _DIVISION = "CFILO", "DGJMP"  # sheet columns, one a generation


@functools.cache
def read_lineages(folder: Path) -> pd.DataFrame:
    """All cells: experiment, well, field, lineage, drug, dose_um, event, frame (of the end), life_h (since birth)."""
    wells = _read_plate_map(folder / "AU565 Plate Maps 006-008.xlsx")
    sheets = [_read_cells(path).assign(sheet=path.stem) for path in sorted(folder.glob("AU00*.xlsx"))]
    cells = pd.concat(sheets, ignore_index=True)
    names = cells["sheet"].str.extract(r"^(?P<experiment>AU\d+)_(?P<well>[A-D]\d)")
    return cells.join(names).merge(wells, how="left", on=["experiment", "well"], validate="many_to_one")


def _read_cells(path: Path) -> pd.DataFrame:
    """Cells of one sheet."""
    values = _read_sheet(path)
    last_frame = values[2, "R"]
    ends = {}
    for (row, column), value in values.items():
        if row > 1 and isinstance(value, float) and column in _DEATH + _DIVISION:
            kind = "death" if column in _DEATH else ("division" if value < last_frame else "censored")
            generation = (_DEATH if column in _DEATH else _DIVISION).index(column)
            assert (row, generation) not in ends, f"{path.name} row {row}: a cell ends twice"
            ends[row, generation] = (value, kind)
    rows = []
    for (row, generation), (frame, kind) in ends.items():
        lineage, founder = _founder_of(row)
        born = ends[_parent_of(row - founder, generation) + founder, generation - 1][0] if generation else 0.0
        rows.append((lineage, generation, kind, int(frame), (frame - born) * FRAME_H))
    return pd.DataFrame(rows, columns=["lineage", "generation", "event", "frame", "life_h"])


def _founder_of(row: int) -> tuple[int, int]:
    lineage = round((row - _FIRST_ROW) / _BLOCK_ROWS)
    return lineage, _FIRST_ROW + _BLOCK_ROWS * lineage


def _parent_of(offset: int, generation: int) -> int:
    """Row of the mother, from the founder's row: the tree is drawn sideways and mirrored at the founder."""
    side = 1 if offset > 0 else -1  # three last daughters stand in the founder's row; they belong to the upper half
    if generation == 1:
        return 0
    if generation == 2:
        return 4 * side
    if generation == 3:
        return side * (2 if abs(offset) < 4 else 6)
    return side * (2 * ((max(abs(offset), 1) - 1) // 2) + 1)


def _read_plate_map(path: Path) -> pd.DataFrame:
    """Drug and dose of every well: under each experiment's name a line of drugs, then four rows of six wells."""
    values, rows = _read_sheet(path), []
    for (row, column), name in values.items():
        if column != "A" or not re.fullmatch(r"AU\d{5}", str(name)):
            continue
        for letter, plate_row in zip("ABCD", range(row + 2, row + 6), strict=True):
            for number, plate_column in enumerate("ABCDEF", 1):
                drug, dose = values[row + 1, plate_column], values[plate_row, plate_column]
                if dose != "x":
                    rows.append((name, f"{letter}{number}", str(drug)[:3].lower(), dose))
    return pd.DataFrame(rows, columns=["experiment", "well", "drug", "dose_um"])


def _read_sheet(path: Path) -> dict[tuple[int, str], float | str]:
    """Filled cells of the first sheet, by row and column."""
    with zipfile.ZipFile(path) as archive:
        shared = []
        if "xl/sharedStrings.xml" in archive.namelist():
            strings = ET.fromstring(archive.read("xl/sharedStrings.xml"))
            shared = ["".join(t.text or "" for t in item.iter(f"{_NAMESPACE}t")) for item in strings]
        sheet = ET.fromstring(archive.read("xl/worksheets/sheet1.xml"))
    values: dict[tuple[int, str], float | str] = {}
    for cell in sheet.iter(f"{_NAMESPACE}c"):
        column, row = re.fullmatch(r"([A-Z]+)(\d+)", cell.attrib["r"]).groups()
        kind, value = cell.get("t", "n"), cell.findtext(f"{_NAMESPACE}v")
        if kind == "inlineStr":
            values[int(row), column] = "".join(t.text or "" for t in cell.iter(f"{_NAMESPACE}t"))
        elif value is not None and value != "":
            values[int(row), column] = shared[int(value)] if kind == "s" else (value if kind == "str" else float(value))
    return values
