"""Files that are no files, lead elsewhere, or hold rows that are no tracks."""

import logging
import os
import struct
import unicodedata
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import zarr
from numcodecs import Blosc

from cellfate.core.errors import InputError
from cellfate.tracks import TrackSettings
from cellfate.tracks.validate import find_negative
from cellfate.tracks.zarr_arrays import read_array
from tests.cases.track_formats import (
    FAMILY,
    FORMATS,
    expected_detections,
    found_detections,
    gather,
    write_csv,
    write_napari,
)

CSV = {"format": "csv", **next(case.settings for case in FORMATS if case.name == "csv")}


def test_a_link_out_of_the_folder_is_not_followed(tmp_path: Path) -> None:
    inside = tmp_path / "inside"
    inside.mkdir()
    write_csv(tmp_path, FAMILY)
    (inside / "01.csv").symlink_to(tmp_path / "01.csv")
    _, cells, problems = gather(inside, **CSV)
    assert cells.empty
    assert "lies outside the folder of recordings" in problems["reason"].iloc[0]


def test_a_chunk_of_blosc_that_states_another_length_is_not_decoded(tmp_path: Path) -> None:
    """The decoder of Blosc reads on behind the end of such a chunk, and may end the process."""
    numbers = np.arange(6, dtype=np.int64)
    zarr.create_array(tmp_path / "a", data=numbers, zarr_format=2, compressors=Blosc(), chunks=(6,))
    assert read_array(tmp_path / "a").tolist() == numbers.tolist()
    chunk = bytearray((tmp_path / "a" / "0").read_bytes())
    chunk[12:16] = struct.pack("<I", 0x17000000)
    (tmp_path / "a" / "0").write_bytes(bytes(chunk))
    with pytest.raises(InputError, match=rf"has {len(chunk)} bytes, but it says {0x17000000}"):
        read_array(tmp_path / "a")


def test_a_link_within_the_folder_is_followed(tmp_path: Path) -> None:
    write_csv(tmp_path, FAMILY)
    (tmp_path / "01.csv").rename(tmp_path / "tracked.csv")
    (tmp_path / "01.csv").symlink_to("tracked.csv")
    detections, _, _ = gather(tmp_path, **CSV)
    assert found_detections(detections) == expected_detections(FAMILY)


@pytest.mark.parametrize(("recording", "file"), [("NFC", "NFD"), ("NFD", "NFC")])
def test_a_name_with_an_accent_is_found_in_either_unicode_form(tmp_path: Path, recording: str, file: str) -> None:
    name, written = (unicodedata.normalize(form, "Zürich_é") for form in (recording, file))
    write_csv(tmp_path, FAMILY)
    (tmp_path / written).mkdir()
    (tmp_path / "01.csv").rename(tmp_path / written / f"{written}.csv")
    files = "{recording_id}/{recording_id}.csv"
    detections, _, problems = gather(tmp_path, names=(name,), **CSV, files=files)
    assert problems.empty
    assert found_detections(detections) == expected_detections(FAMILY)
    assert set(detections["recording_id"]) == {name}
    (tmp_path / f"{written}_fates.csv").write_text("cell_id,fate,event_frame\n4,apoptosis,8\n")
    fates = {"fates_file": "{image}_fates.csv", "missing_fates": "unscored"}
    _, cells, problems = gather(tmp_path, names=(name,), **CSV, files=files, **fates)
    assert problems.empty
    assert cells.set_index("cell_id").loc[4, "fate"] == "apoptosis"


@pytest.mark.parametrize("case", [case for case in FORMATS if case.file.startswith("01.")], ids=lambda case: case.name)
def test_a_pipe_is_not_opened(case: object, tmp_path: Path) -> None:
    """Opening one waits for ever for somebody who writes."""
    os.mkfifo(tmp_path / case.file)  # type: ignore[attr-defined]
    _, cells, problems = gather(tmp_path, format=case.name, **case.settings)  # type: ignore[attr-defined]
    assert cells.empty
    assert "are neither a file nor a folder" in problems["reason"].iloc[0]


@pytest.mark.parametrize("blank", ["", "nan", "None", "0"])
def test_rows_of_no_track_are_left_out_and_counted(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, blank: str
) -> None:
    write_csv(tmp_path, FAMILY)
    with (tmp_path / "01.csv").open("a") as file:
        file.write(f"{blank},3,5.0,5.0,,,\n{blank},3,6.0,6.0,,,\n")
    with caplog.at_level(logging.INFO):
        detections, _, problems = gather(tmp_path, **CSV, untracked_id=0)
    assert problems.empty
    assert found_detections(detections) == expected_detections(FAMILY)
    assert "2 spots belong to no track; they are left out" in caplog.text


def test_a_negative_number_is_refused_with_advice_that_works(tmp_path: Path) -> None:
    write_csv(tmp_path, FAMILY)
    with (tmp_path / "01.csv").open("a") as file:
        file.write("-1,3,5.0,5.0,,,\n-1,4,30.0,6.0,,,\n")
    _, _, problems = gather(tmp_path, **CSV)
    (reason,) = problems["reason"]
    assert reason.startswith("In recording '01' cell -1 has a negative number, as spots of no track have; set ")
    assert reason.endswith("set tracks.untracked_id to -1 to leave them out, or number cells from 0 on.")
    detections, _, problems = gather(tmp_path, **CSV, untracked_id=-1)
    assert problems.empty
    assert found_detections(detections) == expected_detections(FAMILY)
    graph = pd.DataFrame({"recording_id": "01", "cell_id": [-1, -1, -2, 3], "frame": 0})
    (reason,) = find_negative(graph, TrackSettings(format="geff"))["reason"]
    assert reason.endswith("spots of no track have; number cells from 0 on (2 such cases in this recording).")
    with pytest.raises(ValueError, match="untracked_id is '-1' but format is geff"):
        TrackSettings(format="geff", untracked_id=-1)


def test_parents_on_the_first_row_of_a_cell_only_are_read(tmp_path: Path) -> None:
    write_csv(tmp_path, FAMILY)
    table = pd.read_csv(tmp_path / "01.csv")
    for column in ("Mother", "Fate", "Event"):
        table[column] = table[column].astype(object).mask(table["Track"].duplicated(), "")
    table.to_csv(tmp_path / "01.csv", index=False)
    _, cells, problems = gather(tmp_path, **CSV)
    assert problems.empty
    assert cells.set_index("cell_id")["parent_id"].dropna().to_dict() == {2: 1, 3: 1}
    assert cells["fate"].tolist() == ["mitosis", "unscored", "apoptosis", "unscored"]
    table.loc[table["Track"].eq(2).to_numpy().nonzero()[0][1], "Mother"] = 4
    table.to_csv(tmp_path / "01.csv", index=False)
    _, _, problems = gather(tmp_path, **CSV)
    assert "Cell 2 in" in problems["reason"].iloc[0]
    assert "has the parent 1 on one row and 4 on another" in problems["reason"].iloc[0]


def test_cells_on_the_first_row_only_are_not_taken_for_spots_of_no_track(tmp_path: Path) -> None:
    write_csv(tmp_path, FAMILY)
    table = pd.read_csv(tmp_path / "01.csv")
    whole = table["Track"].copy()
    table["Track"] = table["Track"].astype(object).mask(table["Track"].duplicated(), "")
    table.to_csv(tmp_path / "01.csv", index=False)
    _, cells, problems = gather(tmp_path, **CSV)
    assert cells.empty
    assert "Column Track of" in problems["reason"].iloc[0]
    assert "names each cell on one line only, and 12 lines are blank, the first is line 3" in problems["reason"].iloc[0]
    table.assign(Track=whole).to_csv(tmp_path / "01.csv", index=False)
    assert gather(tmp_path, **CSV)[2].empty


def test_without_being_told_0_is_a_cell(tmp_path: Path) -> None:
    write_csv(tmp_path, FAMILY)
    with (tmp_path / "01.csv").open("a") as file:
        file.write("0,3,5.0,5.0,,,\n")
    _, cells, _ = gather(tmp_path, **CSV)
    assert 0 in cells["cell_id"].tolist()


def test_a_missing_parent_stops_or_is_counted_and_its_daughters_stay_one_lineage(tmp_path: Path) -> None:
    write_napari(tmp_path, FAMILY[1:])
    tracks = {"format": "napari_csv", "graph_file": "{recording_id}_graph.json"}
    _, _, problems = gather(tmp_path, **tracks)
    assert "has no track; add the track or set it to 0, or set tracks.missing_parents to unknown" in " ".join(
        problems["reason"]
    )
    _, cells, problems = gather(tmp_path, **tracks, missing_parents="unknown")
    assert problems["check"].tolist() == ["missing_parent"]
    assert "In recording '01' 2 cells have a parent without a track" in problems["reason"].iloc[0]
    assert cells["parent_id"].isna().all()
    assert cells["lineage_id"].tolist() == ["01:1", "01:1", "01:4"]


@pytest.mark.parametrize("position", ["nan", "inf", ""])
def test_a_position_that_is_no_number_is_named_by_its_line(tmp_path: Path, position: str) -> None:
    write_csv(tmp_path, FAMILY)
    text = (tmp_path / "01.csv").read_text()
    (tmp_path / "01.csv").write_text(text.replace("1,1,10,10", f"1,1,{position},10"))
    _, _, problems = gather(tmp_path, **CSV)
    assert f"Line 2 of {tmp_path / '01.csv'} has '{position}' in column Y" in problems["reason"].iloc[0]


@pytest.mark.parametrize(
    ("parameter", "what"),
    [("files", "track file"), ("graph_file", "file of parents"), ("fates_file", "table of fates")],
)
def test_a_missing_file_is_told_with_the_parameter_that_names_it(tmp_path: Path, parameter: str, what: str) -> None:
    write_napari(tmp_path, FAMILY)
    _, _, problems = gather(tmp_path, format="napari_csv", **{parameter: "a/{recording_id}.csv"})
    path = tmp_path / "a" / "01.csv"
    assert problems["reason"][0] == (
        f"Recording '01' has no {what} {path}; put it there, or name another in tracks.{parameter}."
    )


def test_a_table_cut_off_within_its_last_line_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """`15.25` cut to `1` is a number still; only the missing end of the line tells."""
    write_csv(tmp_path, FAMILY)
    text = (tmp_path / "01.csv").read_text()
    (tmp_path / "01.csv").write_text(text.rstrip("\n"))
    with caplog.at_level(logging.WARNING):
        gather(tmp_path, **CSV)
    assert "ends within its last line" in caplog.text
