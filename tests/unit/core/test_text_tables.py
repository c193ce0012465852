"""Tables that a person hands in, in whatever way they were written."""

import csv
import datetime as dt
import gzip
import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cellfate.core.errors import InputError
from cellfate.core.text_tables import (
    dialects,
    find_unread_sheets,
    read_header,
    read_table,
    read_text_columns,
    real_numbers,
    whole_numbers,
)

ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252")
NUMBERS = st.floats(-1e6, 1e6, allow_nan=False)
# Characters that all the encodings have, those that separate among them.
FIELDS = st.text(st.sampled_from("aZ09 ,;\t.-_\"'µüÅ°\n"), max_size=8).map(str.strip)


def write(path: Path, content: str, encoding: str = "utf-8", *, packed: bool = False) -> Path:
    data = content.encode(encoding)
    path.write_bytes(gzip.compress(data) if packed else data)
    return path


def as_csv(rows: list[list[str]], separator: str, line_end: str) -> str:
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=separator, lineterminator=line_end).writerows(rows)
    return text.getvalue()


def rewrite(path: Path, part: str, change: Callable[[bytes], bytes]) -> None:
    """Change a part of a workbook."""
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, change(content) if name == part else content)


def write_workbook(path: Path, rows: list[list[Any]]) -> Path:
    book = openpyxl.Workbook()
    for row in rows:
        book.worksheets[0].append(row)
    book.create_sheet("notes").append(["another", "table"])
    book.save(path)
    return path


@settings(deadline=None)
@given(
    rows=st.lists(st.tuples(FIELDS, FIELDS, FIELDS).filter(any).map(list), max_size=6),
    separator=st.sampled_from(",;\t"),
    line_end=st.sampled_from(["\n", "\r\n"]),
    encoding=st.sampled_from(ENCODINGS),
    packed=st.booleans(),
)
def test_a_table_reads_equal_however_it_was_written(
    tmp_path_factory: pytest.TempPathFactory,
    rows: list[list[str]],
    separator: str,
    line_end: str,
    encoding: str,
    packed: bool,
) -> None:
    path = tmp_path_factory.mktemp("t") / "table"
    header = ["cell", "Größe µm", "note"]
    write(path, as_csv([header, *rows], separator, line_end), encoding, packed=packed)
    assert read_header(path) == header
    assert read_table(path).to_numpy().tolist() == rows


@settings(deadline=None)
@given(
    values=st.lists(st.tuples(NUMBERS, NUMBERS), min_size=1, max_size=5),
    how=st.sampled_from([(",", "."), (";", "."), (";", ","), ("\t", "."), ("\t", ","), (",", ",")]),
    encoding=st.sampled_from(ENCODINGS),
)
def test_numbers_read_equal_with_point_or_comma(
    tmp_path_factory: pytest.TempPathFactory, values: list[tuple[float, float]], how: tuple[str, str], encoding: str
) -> None:
    path = tmp_path_factory.mktemp("t") / "table.csv"
    separator, decimal = how
    rows = [[f"{number:.4f}".replace(".", decimal) for number in row] for row in values]  # 4 places are no thousands
    write(path, as_csv([["y", "x"], *rows], separator, "\n"), encoding)
    table = read_text_columns(path, ["x", "y"])
    found = np.column_stack([real_numbers(table[name], path) for name in ("y", "x")])
    np.testing.assert_array_equal(found, np.round(values, 4))


def test_a_workbook_is_read_as_text_from_its_first_sheet(tmp_path: Path) -> None:
    rows = [[], ["cell", "x", "note", None], [3.0, 0.5, "001", "outside"], [], [4, 1e300, True], ["5", None, "a,b"]]
    path = write_workbook(tmp_path / "a table", rows)
    expected = pd.DataFrame(
        {"cell": ["3", "4", "5"], "x": ["0.5", "1e+300", ""], "note": ["001", "TRUE", "a,b"]}, index=[3, 5, 6]
    )
    pd.testing.assert_frame_equal(read_table(path), expected, check_dtype=False, check_index_type=False)
    assert whole_numbers(read_text_columns(path, ["cell"])["cell"], path).tolist() == [3, 4, 5]


@pytest.mark.parametrize(
    "value", [dt.datetime(2026, 2, 1), dt.date(2026, 2, 1), dt.time(1, 30), dt.timedelta(hours=30)]
)
def test_a_date_in_a_column_that_is_used_is_refused(tmp_path: Path, value: object) -> None:
    path = write_workbook(tmp_path / "t.xlsx", [["well", "when"], ["A1", None], ["A2", value]])
    with pytest.raises(InputError, match=r"Line 3 of .*t.xlsx has a date or a time of day in column when"):
        read_text_columns(path, ["well", "when"])
    assert read_text_columns(path, ["well"])["well"].tolist() == ["A1", "A2"]
    assert len(read_table(path)) == 2


def test_a_whole_number_that_was_saved_with_a_point_is_whole(tmp_path: Path) -> None:
    path = write_workbook(tmp_path / "t.xlsx", [["cell"], [3]])
    with zipfile.ZipFile(path) as archive:
        parts = {part: archive.read(part) for part in archive.namelist()}
    with zipfile.ZipFile(path, "w") as archive:
        for part, content in parts.items():
            archive.writestr(part, content.replace(b"<v>3</v>", b"<v>3.0</v>"))
    assert read_table(path)["cell"].tolist() == ["3"]


@pytest.mark.parametrize(
    ("content", "header"),
    [
        ("Area, um;Frame;x\n1,5;2;3\n", ["Area, um", "Frame", "x"]),
        ("Area, um;Frame\n1,5;2\n", ["Area, um", "Frame"]),
        ("Area; um,Frame,x\n1,2,3\n", ["Area; um", "Frame", "x"]),
        ("name; group,x,y\nA; 1,2,3\n", ["name; group", "x", "y"]),
        ("Area, um, mean;Frame\n1,5;2\n", ["Area, um, mean", "Frame"]),
        ("x, y\tz\n1\t2\n", ["x, y", "z"]),
    ],
)
def test_the_separator_is_told_by_header_and_lines(tmp_path: Path, content: str, header: list[str]) -> None:
    assert read_header(write(tmp_path / "t.csv", content)) == header


def test_lines_are_counted_as_in_the_file(tmp_path: Path) -> None:
    path = write(tmp_path / "t.csv", '\n"sep=;"\r\na;b\r\n1;2\r\n\r\n;\r\n3;4\r\n')
    assert read_table(path).index.tolist() == [4, 7]
    assert read_table(path)["b"].tolist() == ["2", "4"]


@pytest.mark.parametrize("header", ["a;b", "a;b;"])
def test_a_separator_at_the_end_of_lines_is_no_field(tmp_path: Path, header: str) -> None:
    path = write(tmp_path / "t.csv", f"{header}\n1,5;2;\n3;4\n5\n")
    assert read_table(path).to_numpy().tolist() == [["1,5", "2"], ["3", "4"], ["5", ""]]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (
            "cell,y,x\n1,2,3\n2,2,5,3\n",
            "Line 3 of .* has 4 fields separated by commas, but its header has 3; .*decimal",
        ),
        ("cell,y,x\n1,2,3\n2,2,5,3,5\n", "Line 3 of .* has 5 fields"),
        ("cell;y;x\n1;2;3\n2;2;5;3,5\n", "Line 3 of .* has 4 fields separated by semicolons, but its header has 3"),
        ("y\n1,5\n2\n", "Line 2 of .* has 2 fields separated by commas, but its header has 1"),
        ("cell;y;x\n1;2,5;3\n2;2;3.5\n", "Line 2 of .* has '2,5' in column y and line 3 has '3.5' in column x"),
        ("cell\ty\tx\n1\t2,500\t3\n", "Line 2 of .* has '2,500' in column y, which can mean thousands or"),
        ('cell,y,x\n1,"2,500",3\n', "Line 2 of .* has '2,500' in column y, which can mean thousands or"),
        ("cell;y\n1;2\n", "has no column x; found cell, y; add it, or correct the parameter tracks"),
        ("x;y;x\n1;2;3\n", "has the column x twice"),
        ("", "is empty"),
        ("\n\n;;\n", "is empty"),
        ("y,x\n\x00\x00\x00", "is no text"),
    ],
)
def test_a_table_that_can_be_misread_is_refused(tmp_path: Path, content: str, words: str) -> None:
    path = write(tmp_path / "t.csv", content)
    with pytest.raises(InputError, match=words):
        read_text_columns(path, ["y"] if content.startswith("y") else ["y", "x"])


@pytest.mark.parametrize(("field", "number"), [("2,500", 2.5), ("0,250", 0.25), ("-1,5e3", -1500.0), (",5", 0.5)])
def test_semicolons_make_a_comma_decimal(tmp_path: Path, field: str, number: float) -> None:
    path = write(tmp_path / "t.csv", f"cell;y\n1;{field}\n")
    assert real_numbers(read_text_columns(path, ["y"])["y"], path).tolist() == [number]


@pytest.mark.parametrize("field", ["1,234,567", "1,5,", "1.234,5", "1,5 px", "1 5"])
def test_what_is_no_number_is_named_by_line(tmp_path: Path, field: str) -> None:
    path = write(tmp_path / "t.csv", f"cell;y\n1;3\n2;{field}\n")
    with pytest.raises(InputError, match=r"Line 3 of .* in column y, but a number was expected \(1 such lines\)"):
        real_numbers(read_text_columns(path, ["y"])["y"], path)


def test_a_column_that_is_not_used_decides_nothing(tmp_path: Path) -> None:
    path = write(tmp_path / "t.csv", "day;y\n12.03;2,5\n")
    assert real_numbers(read_text_columns(path, ["y"])["y"], path).tolist() == [2.5]


def test_a_file_that_unpacks_to_too_much_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dialects, "MAX_UNPACKED_BYTES", 2**22)
    monkeypatch.setattr("cellfate.core.text_tables.workbooks.MAX_UNPACKED_BYTES", 2**12)
    rows = "y,x\n" + "1,2\n" * 2**20
    with pytest.raises(InputError, match=r"t.csv.gz unpacks to more than .* if it is one, unpack it"):
        read_table(write(tmp_path / "t.csv.gz", rows, packed=True))
    assert len(read_table(write(tmp_path / "t.csv", rows))) == 2**20  # as it lies there, a person knows its size
    with pytest.raises(InputError, match=r"t.xlsx unpacks to more than"):
        read_table(write_workbook(tmp_path / "t.xlsx", [["y"], [1]]))


@pytest.mark.parametrize("name", ["._t.csv", ".DS_Store", "Thumbs.db", "thumbs.db"])
def test_files_of_the_system_are_no_tables(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match="was made by macOS or Windows and is no table"):
        read_table(write(tmp_path / name, "y,x\n1,2\n"))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (gzip.compress(b"y,x\n1,2\n" * 999)[:-9], "cannot be read"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1", r"old form \(.xls\), or has a password; save it as .xlsx or as CSV"),
        (b"PK\x03\x04 and no more", "cannot be read"),
        (b'a,b\n"' + b"x" * 200_000 + b'",2\n1,2,3,4\n', "cannot be read as CSV"),
    ],
)
def test_damaged_and_old_files_are_an_input_error(tmp_path: Path, content: bytes, words: str) -> None:
    (tmp_path / "t.csv").write_bytes(content)
    with pytest.raises(InputError, match=words):
        read_table(tmp_path / "t.csv")


def test_cells_merged_downwards_hold_their_value_in_every_row(tmp_path: Path) -> None:
    path = write_workbook(tmp_path / "t.xlsx", [["movie", "cell"], ["A1", 1], [None, 2], ["B1", 3], [None, None]])
    book = openpyxl.load_workbook(path)
    for area in ("A2:A3", "A4:B5"):
        book.active.merge_cells(area)
    book.save(path)
    table = read_table(path)
    assert table["movie"].tolist() == ["A1", "A1", "B1", "B1"]
    assert table["cell"].tolist() == ["1", "2", "", ""]  # a value that is merged away is gone


FORMULAS = [["movie", "cell", "hours"], ["A1", 1, 5], ["A1", "=B2+1", "=C2*2"]]


def test_a_formula_without_its_value_is_refused_where_it_is_used(tmp_path: Path) -> None:
    """As openpyxl writes it, and other programs that are no spreadsheets; read as blank, a cell would be lost."""
    path = write_workbook(tmp_path / "t.xlsx", FORMULAS)
    words = r"Line 3 of .*t.xlsx \(sheet Sheet\) has the formula =C2\*2 in column hours, but not its value"
    with pytest.raises(InputError, match=words):
        read_text_columns(path, ["movie", "hours"])
    assert read_text_columns(path, ["movie"])["movie"].tolist() == ["A1", "A1"]
    assert read_table(path)["hours"].tolist() == ["5", "=C2*2"]


@pytest.mark.parametrize(
    ("saved", "value"),
    [(b'<c r="C3"><f>C2*2</f><v>10</v></c>', "10"), (b'<c r="C3" t="str"><f>C2*2</f><v></v></c>', "")],
)
def test_a_formula_counts_as_its_value(tmp_path: Path, saved: bytes, value: str) -> None:
    """As Excel saves it, empty text too."""
    path = write_workbook(tmp_path / "t.xlsx", FORMULAS)
    part = "xl/worksheets/sheet1.xml"
    rewrite(path, part, lambda content: content.replace(b'<c r="C3"><f>C2*2</f><v></v></c>', saved))
    assert read_text_columns(path, ["hours"])["hours"].tolist() == ["5", value]


def test_a_formula_in_merged_cells_is_refused_too(tmp_path: Path) -> None:
    path = write_workbook(tmp_path / "t.xlsx", [["movie", "cell"], ['="A"&1', 1], [None, 2]])
    book = openpyxl.load_workbook(path)
    book.active.merge_cells("A2:A3")
    book.save(path)
    with pytest.raises(InputError, match='has the formula ="A"&1 in column movie'):
        read_text_columns(path, ["movie"])


def test_a_percentage_is_read_as_it_is_shown(tmp_path: Path) -> None:
    path = write_workbook(tmp_path / "t.xlsx", [["dose", "cell"], [0.07, 1], [0.5, 2]])
    book = openpyxl.load_workbook(path)
    book.active["A2"].number_format = "0%"
    book.active["A3"].number_format = "0.00%"
    book.save(path)
    assert read_table(path).to_numpy().tolist() == [["7%", "1"], ["50%", "2"]]


@pytest.mark.parametrize("word", ["#N/A", "#REF!", "#DIV/0!", "#BEZUG!"])
def test_an_error_of_a_spreadsheet_is_refused(tmp_path: Path, word: str) -> None:
    for path in (
        write(tmp_path / "t.csv", f"well,dose\nA1,3\nA2,{word}\n"),
        write_workbook(tmp_path / "t.xlsx", [["well", "dose"], ["A1", 3], ["A2", word]]),
    ):
        with pytest.raises(InputError, match=f"Line 3 of .* has {word} in column dose, which a spreadsheet writes"):
            read_text_columns(path, ["dose"])
        assert read_text_columns(path, ["well"])["well"].tolist() == ["A1", "A2"]


def test_the_sheet_and_line_of_the_header_are_named(tmp_path: Path) -> None:
    """What is advised works."""
    rows: list[list[Any]] = [["Scored by hand"], ["well", "dose"], ["A1", 3]]
    path = write_workbook(tmp_path / "t.xlsx", rows)
    words = r"t.xlsx \(sheet Sheet\) has no column well, dose; found Scored by hand, ; line 2 has it: delete the lines"
    with pytest.raises(InputError, match=words):
        read_text_columns(path, ["well", "dose"])
    write_workbook(path, rows[1:])
    assert len(read_text_columns(path, ["well", "dose"])) == 1
    with pytest.raises(InputError, match="sheet notes has it, and only the first sheet is read: put that one first"):
        read_text_columns(path, ["another"])


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("title", ["Scored by hand", "Scored by hand, 3 May"])
def test_a_title_above_the_header_is_told(tmp_path: Path, separator: str, title: str) -> None:
    table = "well,dose,unit\nA1,3,uM\n".replace(",", separator)
    path = write(tmp_path / "t.csv", f"{title}\n\n{table}")
    with pytest.raises(InputError, match=r"line 3 (has it: |is the header, )delete the lines above it"):
        read_text_columns(path, ["well", "dose"])


def test_sheets_that_are_not_read_are_named(tmp_path: Path) -> None:
    path = write_workbook(tmp_path / "t.xlsx", [["well"], ["A1"]])
    book = openpyxl.load_workbook(path)
    book.create_sheet("empty")
    book.save(path)
    assert find_unread_sheets(path) == ("Sheet", ["notes"])
    assert find_unread_sheets(write(tmp_path / "t.csv", "well\n")) == ("", [])
    assert find_unread_sheets(tmp_path / "absent.xlsx") == ("", [])


def test_a_sheet_that_is_merged_as_a_whole_is_refused(tmp_path: Path) -> None:
    path = write_workbook(tmp_path / "t.xlsx", [["movie"], ["A1"]])
    area = b'<mergeCells count="1"><mergeCell ref="A2:XFD1048576"/></mergeCells><pageMargins'
    rewrite(path, "xl/worksheets/sheet1.xml", lambda content: content.replace(b"<pageMargins", area))
    with pytest.raises(InputError, match="of its cells are merged"):
        read_table(path)


@pytest.mark.parametrize("part", ["xl/worksheets/sheet1.xml", "xl/workbook.xml", "xl/styles.xml"])
def test_a_damaged_workbook_is_an_input_error(tmp_path: Path, part: str) -> None:
    path = write_workbook(tmp_path / "t.xlsx", [["cell"], [3]])
    rewrite(path, part, lambda content: content[: len(content) // 2])
    with pytest.raises(InputError, match=r"The first sheet of .*t.xlsx cannot be read"):
        read_table(path)


def test_a_long_field_does_not_hide_the_separator(tmp_path: Path) -> None:
    path = write(tmp_path / "t.csv", 'a;b\n"' + "x" * 200_000 + '";2\n')
    assert read_table(path)["b"].tolist() == ["2"]


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"t.csv is missing; put it there, or correct the parameter"):
        read_table(tmp_path / "t.csv")


def test_windows_text_far_into_a_file_is_found(tmp_path: Path) -> None:
    rows = "y,note\n" + "1,a\n" * 300_000 + "2,µ\n"
    table = read_table(write(tmp_path / "t.csv", rows, "cp1252"))
    assert table["note"].iloc[-1] == "µ"
    assert len(table) == 300_001


def test_parquet_is_read_as_text_like_any_table(tmp_path: Path) -> None:
    held = pd.DataFrame(
        {"cell": [1, 2], "red": [0.5, np.nan], "fate": ["died", None], "frame": pd.array([3, None], "Int64")}
    )
    held.to_parquet(tmp_path / "table.csv")  # told from the file, never from its name
    table = read_text_columns(tmp_path / "table.csv", ["cell", "red", "fate", "frame"])
    assert table.index.tolist() == [2, 3]
    assert table.to_numpy().tolist() == [["1", "0.5", "died", "3"], ["2", "", "", ""]]
    with pytest.raises(InputError, match="has no column dose; found cell, red, fate, frame; add it"):
        read_text_columns(tmp_path / "table.csv", ["dose"])
    (tmp_path / "torn.parquet").write_bytes((tmp_path / "table.csv").read_bytes()[:200])
    with pytest.raises(InputError, match=r"cannot be read as CSV, \.xlsx or Parquet"):
        read_header(tmp_path / "torn.parquet")
