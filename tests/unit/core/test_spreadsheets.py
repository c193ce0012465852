"""Names that a spreadsheet would run are written as text, and come back as they were."""

import csv
from pathlib import Path

import pandas as pd
import pytest

from cellfate.core.spreadsheets import read_csv, write_csv
from cellfate.core.text_tables import read_text_columns

NAMES = ["=HYPERLINK(1)", "+1", "-1", "@a", "\tb", "\rc", "'=d", "''-e", "'f", "NA", "001", 'well "3", left', "a=b"]
TABLE = pd.DataFrame(
    {
        "recording_id": NAMES,
        "cell_id": range(-6, 7),
        "cell_name": [None, *NAMES[1:]],
        "event_h": [-1.5, None, *range(11)],
        "frame": pd.array([None, *range(12)], dtype="Int64"),
        "seen_in_training": [True, *[False] * 12],
    }
)


def test_what_is_written_comes_back(tmp_path: Path) -> None:
    before = TABLE.copy()
    write_csv(TABLE, tmp_path / "table.csv")
    pd.testing.assert_frame_equal(read_csv(tmp_path / "table.csv"), TABLE, check_dtype=False)
    pd.testing.assert_frame_equal(read_csv(tmp_path / "table.csv", 2), TABLE.head(2), check_dtype=False)
    pd.testing.assert_frame_equal(TABLE, before)


def test_no_text_of_the_file_is_a_formula_and_numbers_are_numbers(tmp_path: Path) -> None:
    write_csv(TABLE, tmp_path / "table.csv")
    with (tmp_path / "table.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    for column in ("recording_id", "cell_name"):
        assert not [row[column] for row in rows if row[column].startswith(("=", "+", "-", "@", "\t", "\r"))]
    assert [int(row["cell_id"]) for row in rows] == TABLE["cell_id"].tolist()
    assert rows[0]["event_h"] == "-1.5"
    assert (rows[0]["cell_name"], rows[1]["event_h"]) == ("", "")


@pytest.mark.parametrize("kind", ["object", "category"])
def test_text_of_any_kind_is_guarded(tmp_path: Path, kind: str) -> None:
    write_csv(pd.DataFrame({"dose": ["=1", "b"]}).astype(kind), tmp_path / "table.csv")
    assert pd.read_csv(tmp_path / "table.csv")["dose"].tolist() == ["'=1", "b"]


def test_a_table_of_ours_that_is_handed_in_names_recordings_as_they_are(tmp_path: Path) -> None:
    """A person scores fates in our table and gives it back."""
    write_csv(TABLE, tmp_path / "table.csv")
    read = read_text_columns(tmp_path / "table.csv", ["recording_id", "cell_id", "event_h"])
    stripped = [name.strip() for name in NAMES]
    assert [name.strip() for name in read["recording_id"]] == stripped
    assert read["cell_id"].astype(int).tolist() == TABLE["cell_id"].tolist()
    assert read["event_h"].tolist()[:3] == ["-1.5", "", "0"]
