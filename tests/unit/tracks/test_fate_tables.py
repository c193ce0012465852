"""Fates that come in a table of their own."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from cellfate.core.errors import InputError
from cellfate.imaging import RecordingFolder, RecordingSettings
from cellfate.tracks import TrackSettings, gather_tracks
from cellfate.tracks.event_times import event_frames
from tests.cases.track_formats import (
    FAMILY,
    FATES_SETTINGS,
    frame_files_table,
    gather,
    recordings_table,
    write_napari,
)

NAPARI = {"format": "napari_csv", "graph_file": "{recording_id}_graph.json"}


def read(root: Path, lines: str, **changes: Any) -> tuple[pd.DataFrame, list[str]]:
    _, cells, problems = read_all(root, lines, **changes)
    return cells.set_index("cell_id"), problems["reason"].tolist()


def read_all(root: Path, lines: str, **changes: Any) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    write_napari(root, FAMILY)
    (root / "fates.csv").write_text("movie,cell,end,hours\n" + lines)
    return gather(root, **{**NAPARI, **FATES_SETTINGS, **changes})


@pytest.mark.parametrize(("hours", "frame"), [("3.0", 6), ("2.9", 6), ("2.6", 6), ("2.5", 5), ("2.50000000001", 5)])
def test_hours_become_the_first_frame_in_which_the_event_can_be_seen(tmp_path: Path, hours: str, frame: int) -> None:
    cells, problems = read(tmp_path, f"01,3,dead,{hours}\n")
    assert problems == []
    assert cells.loc[3, ["fate", "event_frame"]].tolist() == ["apoptosis", frame]
    assert cells.loc[[1, 2], "fate"].tolist() == ["unscored", "unscored"]  # cell 1 divides, but nobody looked at cell 2


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
        (
            "01,3,dead,3\n01,3,divided,3\n",
            "lists cell 3 of recording '01' 2 times (apoptosis, mitosis; lines 2, 3, column cell)",
        ),
        ("01,1,dead,2\n", "says apoptosis of cell 1 of recording '01', but its track says mitosis"),
        ("01,1,censored,\n", "says censored of cell 1 of recording '01', but its track says mitosis"),
        ("01,3,dead,1\n", "before the cell is first seen in frame 4"),
        ("01,3,dead,90\n", "but the movie has 8 frames"),
        ("01,3,dead,\n", "has the fate 'apoptosis' but no event frame"),
        ("01,3,,3\n01,4,lysed,3\n", "Line 3 of"),
        (
            "01,3,,3\n",
            "By line 2 of the table of fates fates.csv cell 3 of recording '01' is unscored but has an event in fr",
        ),
        (
            "01,3,unscored,3\n",
            "cell 3 of recording '01' is unscored but has an event in frame 6; name its fate in column",
        ),
        ("01,4,lost,0.5\n", "puts the end of watching of cell 4 of recording '01' at 0.5 h, frame 1, before the cell"),
        ("01,3,dead,soon\n", "'soon' in column hours, but a number was expected"),
        ("01,x,dead,3\n", "'x' in column cell, but a whole number was expected"),
    ],
)
def test_fates_that_do_not_fit_are_problems(tmp_path: Path, lines: str, words: str) -> None:
    _, problems = read(tmp_path, lines)
    assert len(problems) == 1
    assert words in problems[0]


def test_what_a_table_states_wrongly_is_told_with_its_line_and_column(tmp_path: Path) -> None:
    _, problems = read(tmp_path, "01,3,dead,3\n01,4,dead,30\n")
    (problem,) = problems
    assert problem == (
        "Line 3 of the table of fates fates.csv puts the event of cell 4 of recording '01' at 30 h, frame 60, but the "
        "movie has 8 frames counted from 0 (1 such lines); correct column hours, or, if its times are not hours, "
        "tracks.fates_time_unit."
    )


TIMES = {"h": {3: "3.5", 4: "3.5"}, "frame": {3: "7", 4: "7"}, "min": {3: "210", 4: "210"}}
"""The last frame of the movie, 7, as each unit has it."""


@pytest.mark.parametrize("word", ["dead", "lost"])
@pytest.mark.parametrize(("meant", "read_as"), [("min", "frame"), ("min", "h"), ("frame", "h")])
def test_times_beyond_the_movie_name_the_unit_that_repairs_them(
    tmp_path: Path, word: str, meant: str, read_as: str
) -> None:
    lines = "".join(f"01,{cell},{word},{time}\n" for cell, time in TIMES[meant].items())
    _, problems = read(tmp_path, lines, fates_time_unit=read_as)
    assert len(problems) == 1
    name = {"min": "minutes", "frame": "frames"}[meant]
    assert f"; the times fit as {name}: if they are, set tracks.fates_time_unit to {meant}." in problems[0]
    cells, problems = read(tmp_path, lines, fates_time_unit=meant)
    assert problems == []
    assert cells.loc[[3, 4], "fate"].tolist() == [{"dead": "apoptosis", "lost": "censored"}[word]] * 2


def test_minutes_become_frames(tmp_path: Path) -> None:
    """170.9 min are 5.7 frames: the event is first seen in 6, the watching ends with 5."""
    cells, problems = read(tmp_path, "01,3,dead,170.9\n01,4,lost,170.9\n", fates_time_unit="min")
    assert problems == []
    assert cells.loc[3, "event_frame"] == 6
    assert cells.loc[4, "last_frame"] == 5


def watch(root: Path, ends: list[int], watched: list[str], **tracks: Any) -> pd.DataFrame:
    """Cells that begin in frame 0 and end in different frames of 40, and the ends of watching that a table states."""
    rows = [(cell, frame, 5.0, 5.0) for cell, end in enumerate(ends) for frame in range(end + 1)]
    pd.DataFrame(rows, columns=["cell_id", "frame", "y", "x"]).to_csv(root / "01.csv", index=False)
    lines = "".join(f"01,{cell},lost,{time}\n" for cell, time in enumerate(watched))
    (root / "fates.csv").write_text("recording_id,cell_id,fate,event_frame\n" + lines)
    settings = TrackSettings(format="csv", fates_file="fates.csv", **tracks)
    layout = RecordingSettings(layout="tiff_stacks")
    table = recordings_table().assign(n_frames=40)
    return gather_tracks(RecordingFolder(root), table, frame_files_table(), layout, settings)[2]


def test_ends_of_watching_after_the_ends_of_tracks_are_told(tmp_path: Path) -> None:
    problems = watch(tmp_path, [10, 20], ["39", "22"])
    assert problems[["recording_id", "check"]].to_numpy().tolist() == [["01", "watched_apart"]]
    (reason,) = problems["reason"]
    assert reason == (
        "In recording '01' 1 of 2 stated ends of watching do not fit the tracks: cell 0 was watched to frame 39, but "
        "is last seen in frame 10; see whether the cell was lost by the tracker."
    )


@pytest.mark.parametrize(("times", "meant"), [(["10", "15", "19.5"], "h"), (["600", "900", "1170"], "min")])
def test_ends_of_watching_in_another_unit_are_told_with_it(tmp_path: Path, times: list[str], meant: str) -> None:
    """Tracks end in frames 20, 30 and 39 of 30 min; hours read as frames would hide half of each."""
    times = [time.replace("19.5", "19") if meant == "h" else time for time in times]
    (problem,) = watch(tmp_path, [20, 30, 39], times)["reason"]
    assert f"set tracks.fates_time_unit to {meant}" in problem
    assert watch(tmp_path, [20, 30, 39], times, fates_time_unit=meant).empty


def test_0_for_no_time_is_refused(tmp_path: Path) -> None:
    """Taken at its word, each such cell would be shown in its first frame only."""
    (problem,) = watch(tmp_path, [39, 20], ["0", "20"])["reason"]
    assert (
        "at 0, the first frame, but the cell is seen up to frame 39 (1 such lines); leave column event_frame" in problem
    )
    assert watch(tmp_path, [39, 20], ["", "20"]).empty


def test_times_since_the_first_frame_of_a_cell_are_told(tmp_path: Path) -> None:
    """Cell 3 begins in frame 4 and dies 2 frames later, in frame 6."""
    _, problems = read(tmp_path, "01,3,dead,1\n")
    assert "the times fit if they are counted from the first frame of each cell: give them from that" in problems[0]
    assert read(tmp_path, "01,3,dead,3\n")[1] == []


def test_a_watching_that_ended_within_the_tracks_is_no_finding(tmp_path: Path) -> None:
    assert watch(tmp_path, [39, 39, 38], ["10", "25", "38"]).empty


def test_a_column_of_the_tracks_that_ends_after_the_movie_is_refused(tmp_path: Path) -> None:
    rows = [(1, frame, 5.0, 5.0, "Lost", 300) for frame in range(6)]
    names = ["cell_id", "frame", "y", "x", "fate", "until"]
    pd.DataFrame(rows, columns=names).to_csv(tmp_path / "01.csv", index=False)
    _, _, problems = gather(tmp_path, format="csv", columns={"fate": "fate", "event_frame": "until"})
    assert problems["check"].tolist() == ["tracks"]
    assert "cell 1 was watched to frame 300, but the movie has 8 frames; correct the time" in problems["reason"].iloc[0]


@pytest.mark.parametrize(
    ("hours", "frame"), [("5.67", 17), ("5,667", 17), ("5.6667", 17), ("5.7", 17), ("5.75", 18), ("6", 18)]
)
def test_hours_that_were_rounded_are_those_of_the_frame_they_were_rounded_from(hours: str, frame: int) -> None:
    """Frame 17 of 20 min is at 5.6667 h; 5.75 h lies a quarter of a frame after it, and no rounding makes it so."""
    times, settings = pd.Series([hours]), TrackSettings(fates_time_unit="h", format="csv")
    found = event_frames(times, pd.Series([False]), 20.0, settings, Path("fates.csv"))
    assert found.tolist() == [frame]


def test_a_recording_that_stands_on_its_first_line_only_is_refused(tmp_path: Path) -> None:
    """As in spreadsheets that are read by people; taken for rows of no recording, most fates would be lost."""
    with pytest.raises(
        InputError, match=r"Line 3 of file fates.csv names no recording in column movie \(1 such lines\)"
    ):
        read(tmp_path, "01,3,dead,3\n,4,lost,3.5\n")


def test_blank_fates_and_other_recordings_are_left_out(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    cells, problems = read(tmp_path, "01,3,,\n07,3,dead,3\n")
    assert problems == []
    assert cells.loc[3, "fate"] == "unscored"
    assert "fates.csv has rows of recordings that the folder does not have, and that are left out: '07'" in caplog.text


@pytest.mark.parametrize("name", ["01.tif", "1", " 01.OME.TIF", "001"])
def test_names_of_recordings_need_not_be_written_alike(tmp_path: Path, name: str) -> None:
    cells, problems = read(tmp_path, f"{name},3,dead,3\n")
    assert problems == []
    assert cells.loc[3, ["fate", "event_frame"]].tolist() == ["apoptosis", 6]


@pytest.mark.parametrize("lines", ["well7,3,dead,3\n", "well7,3,dead,3\nwell8,,,\n"])
def test_names_that_match_no_recording_are_shown_beside_those_of_the_folder(tmp_path: Path, lines: str) -> None:
    names = "'well7', 'well8'" if "well8" in lines else "'well7'"
    with pytest.raises(InputError, match=f"fates.csv has rows of {names}, which are no .* but none of '01', which are"):
        read(tmp_path, lines)


def test_a_table_of_fates_from_a_german_spreadsheet(tmp_path: Path) -> None:
    write_napari(tmp_path, FAMILY)
    text = "sep=;\r\nmovie;cell;end;hours;\r\n1;3;dead;2,9;\r\n1;4;lost;2,4;\r\n"
    (tmp_path / "fates.csv").write_bytes(text.encode("utf-16"))
    _, cells, problems = gather(tmp_path, **NAPARI, **FATES_SETTINGS)
    assert problems.empty
    assert cells["fate"].tolist()[2:] == ["apoptosis", "censored"]
    assert cells["event_frame"].fillna(-1).tolist()[2:] == [6, -1]
    assert cells["last_frame"].tolist()[3] == 4


def test_a_table_a_recording(tmp_path: Path) -> None:
    write_napari(tmp_path, FAMILY)
    (tmp_path / "01_fates.csv").write_text("cell_id,fate,event_frame\n3,Apoptosis,6\n")
    columns = {"recording_id": None}
    _, cells, problems = gather(tmp_path, **NAPARI, fates_file="{recording_id}_fates.csv", fates_columns=columns)
    assert problems.empty
    assert cells["fate"].tolist() == ["unscored", "unscored", "apoptosis", "unscored"]


def test_a_missing_table_stops_all(tmp_path: Path) -> None:
    write_napari(tmp_path, FAMILY)
    with pytest.raises(InputError, match=r"fates.csv is missing"):
        gather(tmp_path, **NAPARI, fates_file="fates.csv")


@pytest.mark.parametrize(
    ("word", "fate"),
    [
        *((word, "censored") for word in ("censored", "Lost", "neither", "NONE", " alive ", "no event", "survived")),
        *((word, "unscored") for word in ("unscored", "not scored", "Not_Scored", "unknown", "NA", "nan")),
    ],
)
def test_words_for_cells_without_an_event_are_known(tmp_path: Path, word: str, fate: str) -> None:
    cells, problems = read(tmp_path, f"01,4,{word},\n", unlisted_cells="censored" if fate == "unscored" else "unscored")
    assert problems == []
    assert cells.loc[4, "fate"] == fate


def test_own_words_come_first(tmp_path: Path) -> None:
    cells, _ = read(tmp_path, "01,4,None,\n", fate_names={"none": "unscored"}, unlisted_cells="censored")
    assert cells.loc[4, "fate"] == "unscored"


def test_unscored_is_taken_at_its_word_whatever_the_tracks_show(tmp_path: Path) -> None:
    cells, problems = read(tmp_path, "01,1,unscored,\n01,2,lost,\n01,3,dead,2.9\n01,4,lost,\n")
    assert problems == []
    assert cells["fate"].tolist() == ["unscored", "censored", "apoptosis", "censored"]
    assert cells["event_frame"].fillna(-1).tolist() == [-1, -1, 6, -1]


def test_a_time_without_a_fate_is_that_of_the_division_in_the_tracks(tmp_path: Path) -> None:
    cells, problems = read(tmp_path, "01,1,,1.5\n")
    assert problems == []
    assert cells.loc[1, ["fate", "event_frame"]].tolist() == ["mitosis", 3]


@pytest.mark.parametrize(
    ("line", "frames", "last"),
    [
        ("01,4,lost,2.4", [2, 3, 4], 4),  # 4.8 frames: frame 4 is the last that was watched
        ("01,4,lost,2.5", [2, 3, 4, 5], 5),
        ("01,4,lost,2.4999999999", [2, 3, 4, 5], 5),  # 2.5 h, rounded by a spreadsheet
        ("01,4,lost,1", [2], 2),
        ("01,4,lost,4", [2, 3, 4, 5, 6, 7], 7),  # all of the movie
        ("01,4,lost,", [2, 3, 4, 5, 6, 7], 7),
        ("01,2,alive,2.5", [4], 4),  # it is not seen in frame 5
    ],
)
def test_a_time_beside_lost_ends_the_watching(tmp_path: Path, line: str, frames: list[int], last: int) -> None:
    detections, cells, problems = read_all(tmp_path, line + "\n")
    assert problems.empty
    number = int(line.split(",")[1])
    cell = cells.set_index("cell_id").loc[number]
    assert detections.loc[detections["cell_id"] == number, "frame"].tolist() == frames
    assert (cell["fate"], cell["last_frame"]) == ("censored", last)
    assert pd.isna(cell["event_frame"])
    assert len(detections[detections["cell_id"] == 1]) == 4  # others stay as they are


def test_a_column_of_fates_ends_the_watching_too(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    rows = [(1, frame, 5.0, 5.0 + frame, "Lost", 3) for frame in range(6)]
    rows += [(2, frame, 9.0, 5.0 + frame, "", np.nan) for frame in range(6)]
    pd.DataFrame(rows, columns=["cell_id", "frame", "y", "x", "fate", "until"]).to_csv(tmp_path / "01.csv", index=False)
    with caplog.at_level("INFO"):
        detections, cells, problems = gather(tmp_path, format="csv", columns={"fate": "fate", "event_frame": "until"})
    assert problems.empty
    assert detections.groupby("cell_id")["frame"].max().tolist() == cells["last_frame"].tolist() == [3, 5]
    assert cells["fate"].tolist() == ["censored", "unscored"]
    assert "1 censored cells were watched to a stated time; 2 detections after it are left out" in caplog.text
    assert "No fate is stated of 1 of 2 cells" in caplog.text


@pytest.mark.parametrize("fates_file", ["fates.csv", "{recording_id}_fates.csv"])
def test_a_table_of_fates_may_be_missing_if_that_is_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, fates_file: str
) -> None:
    write_napari(tmp_path, FAMILY)
    columns = {"recording_id": "recording_id" if fates_file == "fates.csv" else None}
    tracks = {**NAPARI, "fates_file": fates_file, "fates_columns": columns}
    _, cells, problems = gather(tmp_path, **tracks, missing_fates="unscored")
    assert problems.empty
    assert set(cells["fate"]) == {"unscored"}  # cell 1 divides, but of the others nobody knows
    assert (
        f"no table of fates {fates_file} for 1 of 1 recordings: their cells are unscored, also those that"
        in caplog.text
    )
