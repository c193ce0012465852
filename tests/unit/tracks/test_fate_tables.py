"""Fates that come in a table of their own."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from cellfate.core.errors import InputError
from tests.cases.track_formats import FAMILY, FATES_SETTINGS, gather, write_napari

NAPARI = {"format": "napari_csv", "graph_file": "{recording_id}_graph.json"}


def read(root: Path, lines: str, **changes: Any) -> tuple[pd.DataFrame, list[str]]:
    write_napari(root, FAMILY)
    (root / "fates.csv").write_text("movie,cell,end,hours\n" + lines)
    _, cells, problems = gather(root, **{**NAPARI, **FATES_SETTINGS, **changes})
    return cells.set_index("cell_id"), problems["reason"].tolist()


@pytest.mark.parametrize(("hours", "frame"), [("3.0", 6), ("2.9", 6), ("2.6", 6), ("2.5", 5), ("2.50000000001", 5)])
def test_hours_become_the_first_frame_in_which_the_event_can_be_seen(tmp_path: Path, hours: str, frame: int) -> None:
    cells, problems = read(tmp_path, f"01,3,dead,{hours}\n")
    assert problems == []
    assert cells.loc[3, ["fate", "event_frame"]].tolist() == ["apoptosis", frame]
    assert cells.loc[1, ["fate", "event_frame"]].tolist() == ["mitosis", 4]
    assert cells.loc[2, "fate"] == "censored"


def test_frames_are_counted_as_in_the_tracks(tmp_path: Path) -> None:
    cells, problems = read(tmp_path, "01,3,dead,6\n01,1,divided,4\n", fates_time_unit="frame")
    assert problems == []
    assert cells["event_frame"].fillna(-1).tolist() == [4, -1, 6, -1]


def test_the_stated_time_of_a_mitosis_counts(tmp_path: Path) -> None:
    cells, problems = read(tmp_path, "01,1,divided,3\n", fates_time_unit="frame")
    assert problems == []
    assert cells.loc[1, "event_frame"] == 3


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ("01,9,dead,2\n", "lists cell 9 of recording '01' (1 such cells), which has no track"),
        ("01,3,dead,3\n01,3,divided,3\n", "lists cell 3 of recording '01' 2 times (apoptosis, mitosis)"),
        ("01,1,dead,2\n", "says apoptosis of cell 1 of recording '01', but its track says mitosis"),
        ("01,1,censored,\n", "says censored of cell 1 of recording '01', but its track says mitosis"),
        ("01,3,dead,1\n", "before the cell is first seen in frame 4"),
        ("01,3,dead,90\n", "but the movie has 8 frames"),
        ("01,3,dead,\n", "has the fate 'apoptosis' but no event frame"),
        ("01,3,,3\n01,4,lysed,3\n", "Line 3 of"),
        ("01,3,dead,soon\n", "'soon' in column hours, but a number was expected"),
        ("01,x,dead,3\n", "'x' in column cell, but a whole number was expected"),
    ],
)
def test_fates_that_do_not_fit_are_problems(tmp_path: Path, lines: str, words: str) -> None:
    _, problems = read(tmp_path, lines)
    assert len(problems) == 1
    assert words in problems[0]


def test_blank_fates_and_other_recordings_are_left_out(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    cells, problems = read(tmp_path, "01,3,,\n07,3,dead,3\n")
    assert problems == []
    assert cells.loc[3, "fate"] == "censored"
    assert "fates of 1 recordings that are not read, the first is '07'" in caplog.text


def test_a_table_a_recording(tmp_path: Path) -> None:
    write_napari(tmp_path, FAMILY)
    (tmp_path / "01_fates.csv").write_text("cell_id,fate,event_frame\n3,Apoptosis,6\n")
    columns = {"recording_id": None}
    _, cells, problems = gather(tmp_path, **NAPARI, fates_file="{recording_id}_fates.csv", fates_columns=columns)
    assert problems.empty
    assert cells["fate"].tolist() == ["mitosis", "censored", "apoptosis", "censored"]


def test_a_missing_table_stops_all(tmp_path: Path) -> None:
    write_napari(tmp_path, FAMILY)
    with pytest.raises(InputError, match=r"fates.csv is missing"):
        gather(tmp_path, **NAPARI, fates_file="fates.csv")
