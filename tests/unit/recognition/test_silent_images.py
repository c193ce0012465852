"""Images and tracks that could be read in two ways: a question names both, and no value is written."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pandas as pd
import pytest
import tifffile
from click.testing import CliRunner
from omegaconf import OmegaConf

from cellfate.__main__ import cellfate
from cellfate.core.errors import InputError
from cellfate.recognition import describe, recognise, track_files, write_conf
from cellfate.recognition.proposals import Proposal
from tests.cases.track_formats import FAMILY, write_trackmate_xml
from tests.conftest import ROOT

RECORDINGS = ("A01", "A02", "A03", "A04")
SIDE_PX = 40


def write_stacks(root: Path, *names: str, n_frames: int = 24, pixel_um: float | None = 0.5) -> None:
    """ImageJ stacks of 30 min a frame."""
    sized = {} if pixel_um is None else {"resolution": (1 / pixel_um, 1 / pixel_um)}
    details: dict[str, Any] = {"axes": "TYX", "finterval": 1800.0}
    details |= {} if pixel_um is None else {"unit": "um"}
    for name in names or RECORDINGS:
        path = root / f"{name}.tif"
        path.parent.mkdir(parents=True, exist_ok=True)
        image = np.ones((n_frames, SIDE_PX, SIDE_PX), np.uint16)
        tifffile.imwrite(path, image, imagej=True, metadata=details, **sized)


def track_table(frames: range = range(24), side: float = SIDE_PX - 1, n_cells: int = 4) -> pd.DataFrame:
    """Cells on a diagonal from 0 to a side, each in all frames."""
    places = np.linspace(0, side, n_cells)
    rows = [(cell + 1, frame, place, place) for cell, place in enumerate(places) for frame in frames]
    return pd.DataFrame(rows, columns=["cell", "frame", "y", "x"])


def write_tracks(root: Path, table: pd.DataFrame, *names: str) -> None:
    for name in names or RECORDINGS:
        table.to_csv(root / f"{name}_tracks.csv", index=False)


def the_one(root: Path, key: str) -> Proposal:
    """What is proposed for one parameter."""
    return next(one for one in recognise(root).values if one.key == key)


# I1: micrometres and pixels


@pytest.mark.parametrize(
    ("pixel_um", "side", "unit"),
    [
        (None, 23.0, "???"),  # 58 % of the image: as well 26 um of .65 um a pixel
        (None, 39.0, "px"),
        (0.5, 39.0, "px"),
    ],
)
def test_positions_far_from_the_border_are_asked_about_where_no_pixel_size_is_known(pixel_um, side, unit, tmp_path):
    write_stacks(tmp_path, pixel_um=pixel_um)
    write_tracks(tmp_path, track_table(side=side))
    assert the_one(tmp_path, "tracks.position_unit").value == unit


def test_an_open_column_stops_no_other_question(tmp_path):
    write_stacks(tmp_path, pixel_um=None)
    table = track_table(range(1, 21)).rename(columns={"y": "Y [µm]", "x": "X [µm]"})
    write_tracks(tmp_path, table.drop(columns="cell").assign(track="one"))
    seen = {one.key: one for one in recognise(tmp_path).values}
    assert seen["tracks.columns"].value["cell_id"] == "???"
    assert seen["tracks.position_unit"].value == "um"
    assert seen["recordings.pixel_size_um"].is_open
    assert seen["tracks.first_frame"].is_open


# I3: the first frame


@pytest.mark.parametrize(
    ("frames", "first"), [(range(24), 0), (range(2, 22), "???"), (range(1, 24), "???"), (range(3, 25), 1)]
)
def test_the_first_frame_is_told_by_a_0_or_by_the_end_only(frames, first, tmp_path):
    write_stacks(tmp_path)
    write_tracks(tmp_path, track_table(frames))
    assert the_one(tmp_path, "tracks.first_frame").value == first


@pytest.mark.parametrize(("short_to", "first"), [(20, "???"), (21, 1)])
def test_the_end_is_that_of_the_rows_own_recording(short_to, first, tmp_path):
    write_stacks(tmp_path, "A01", n_frames=20)
    write_stacks(tmp_path, "A02")
    tables = [track_table(range(1, short_to)).assign(movie="A01"), track_table(range(1, 24)).assign(movie="A02")]
    pd.concat(tables).to_csv(tmp_path / "all.csv", index=False)
    assert the_one(tmp_path, "tracks.first_frame").value == first


# I4: times are no frames


@pytest.mark.parametrize(
    ("name", "step", "why"),
    [
        ("Time", 7, "Time goes to 161, and there are 24 images"),
        ("Time (h)", 1, "Time (h) is a time"),
        ("t", 2, "t goes"),
    ],
)
def test_times_are_not_taken_for_frames(name, step, why, tmp_path):
    write_stacks(tmp_path)
    table = track_table(range(24) if step != 2 else range(12))
    write_tracks(tmp_path, table.assign(frame=table["frame"] * step).rename(columns={"frame": name}))
    columns = the_one(tmp_path, "tracks.columns")
    assert columns.value["frame"] == "???"
    assert why in columns.words


@pytest.mark.parametrize(("name", "step", "unit"), [("Time", 30, "min"), ("t", 0.5, "h"), ("Time (s)", 1800, "s")])
def test_times_that_lie_on_the_frames_are_read_with_their_unit(name, step, unit, tmp_path):
    write_stacks(tmp_path)
    table = track_table()
    write_tracks(tmp_path, table.assign(frame=table["frame"] * step).rename(columns={"frame": name}))
    assert the_one(tmp_path, "tracks.columns").value["frame"] == name
    assert the_one(tmp_path, "tracks.time_unit").value == unit
    assert recognise(tmp_path).value("tracks.first_frame") is None


# I9: one table of all recordings


def test_a_table_that_does_not_name_recordings_is_a_question_where_there_are_several(tmp_path):
    write_stacks(tmp_path)
    track_table().to_csv(tmp_path / "tracks.csv", index=False)
    columns = the_one(tmp_path, "tracks.columns")
    assert the_one(tmp_path, "tracks.files").words == "tracks.csv; which recordings it has is asked"
    assert columns.value["recording_id"] == "???"
    assert "No column holds the names of the recordings, such as A01, A02, A03, ...: add one" in columns.words


# I5: channels, wells and conditions


@pytest.mark.parametrize("name", ["w{}_t{}.tif", "ctrl_c{}_t{}.tif"])
def test_channels_that_may_be_wells_or_conditions_are_a_question(name, tmp_path):
    for place in (1, 2, 3):
        for frame in range(12):
            tifffile.imwrite(tmp_path / name.format(place, frame), np.ones((8, 9), np.uint16))
    pattern = the_one(tmp_path, "recordings.pattern")
    assert pattern.is_open
    assert "(?P<channel>" in pattern.words
    assert "(?P<name>" in pattern.words


# I6: folders called dark


def test_a_folder_that_may_be_a_condition_is_a_question(tmp_path):
    write_stacks(tmp_path, "light/1", "light/2", "dark/1", "dark/2")
    files = the_one(tmp_path, "recordings.files")
    assert files.is_open
    assert "2 of 4 images lie in folders" in files.words
    assert "(dark/): give 'light/*.tif' to leave them out; to take them in, call the folders otherwise" in files.words


# I10: no traceback


def test_a_link_to_itself_is_passed_over(tmp_path):
    write_stacks(tmp_path)
    write_tracks(tmp_path, track_table())
    (tmp_path / "loop.csv").symlink_to("loop.csv")
    assert recognise(tmp_path).images.names == RECORDINGS


def test_a_folder_that_cannot_be_listed_is_told(tmp_path, monkeypatch):
    def refuse(path: Path) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(InputError, match=r"cannot be listed \(Permission denied\); let it be read"):
        recognise(tmp_path)


def test_a_file_that_may_not_be_read_is_told(tmp_path, monkeypatch):
    write_stacks(tmp_path / "data")
    write_xml(tmp_path / "data", "A01")
    shutil.copytree(ROOT / "conf" / "mydata", tmp_path / "conf" / "mydata")
    monkeypatch.chdir(tmp_path)

    def refuse(path: Path, *arguments: object) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(track_files, "_read", refuse)
    finished = CliRunner().invoke(cellfate, ["new", "data"])
    assert finished.exit_code == 1
    assert "A01.xml cannot be read (Permission denied); let it be read, or take it out" in finished.output


@pytest.mark.parametrize("text", ["[1]", '{"attributes": null}', "{"])
def test_a_geff_that_is_none_is_no_traceback(text, tmp_path):
    write_stacks(tmp_path)
    write_tracks(tmp_path, track_table())
    (tmp_path / "A01.geff").mkdir()
    (tmp_path / "A01.geff" / "zarr.json").write_text(text)
    assert recognise(tmp_path).value("tracks.format") == "csv"


def test_a_conf_that_cannot_be_written_is_told(tmp_path, monkeypatch):
    write_stacks(tmp_path / "data")
    seen = recognise(tmp_path / "data")
    shutil.copytree(ROOT / "conf" / "mydata", tmp_path / "conf" / "mydata")

    def refuse(path: Path) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(InputError, match=r"mine cannot be written \(Permission denied\)"):
        write_conf(tmp_path / "conf", "mine", seen)


# I11: paths that YAML or OmegaConf would read otherwise


@pytest.mark.parametrize("name", ["a ${HOME} b", "a\nb"])
def test_the_path_of_the_folder_is_read_as_it_is(name, tmp_path):
    write_stacks(tmp_path / name)
    shutil.copytree(ROOT / "conf" / "mydata", tmp_path / "conf" / "mydata")
    written = write_conf(tmp_path / "conf", "mine", recognise(tmp_path / name))
    assert OmegaConf.load(written / "globals.yml").recordings_root == str(tmp_path / name)


# I14: words that are filled in


def test_words_that_are_filled_in_beside_open_ones_are_said(tmp_path):
    write_stacks(tmp_path)
    table = track_table()
    write_tracks(tmp_path, table.assign(fate=table["cell"].map({1: "died", 2: "left field", 3: "blebbed", 4: ""})))
    words = the_one(tmp_path, "tracks.fate_names")
    assert words.value == {"died": "apoptosis", "left field": "censored", "blebbed": "???"}
    assert "Taken to mean what they seem to: died apoptosis, left field censored." in words.words


# I2: several formats of tracks


def write_xml(root: Path, *names: str, image: str = "") -> None:
    """TrackMate files of one family."""
    write_trackmate_xml(root, FAMILY)
    text = (root / "01.xml").read_text()
    (root / "01.xml").unlink()
    for name in names:
        stated = text.replace('<ImageData filename="01.tif"', f'<ImageData filename="{image}"')
        (root / f"{name}.xml").write_text(stated)


@pytest.mark.parametrize(("old", "count"), [(("A01",), "1 of 4"), (RECORDINGS, "4 of 4")])
def test_tracks_in_several_formats_are_asked_about_with_how_many_recordings_each_covers(old, count, tmp_path):
    write_stacks(tmp_path)
    write_tracks(tmp_path, track_table())
    write_xml(tmp_path, *(f"{name}_old" for name in old))
    seen = recognise(tmp_path)
    asked = {one.key: one.words for one in seen.open_parameters}
    assert f"trackmate_xml in {{recording_id}}_old.xml ({count} recordings)" in asked["tracks.format"]
    assert "csv in {recording_id}_tracks.csv (4 of 4 recordings)" in asked["tracks.format"]
    assert "({recording_id}_old.xml, {recording_id}_tracks.csv)" in asked["tracks.files"]
    assert not any(note.startswith("Not used") for note in seen.notes)


# I7: tracks that are called like a part of the recording


def test_tracks_that_state_the_image_of_a_recording_are_to_be_renamed(tmp_path):
    write_stacks(tmp_path, "x_1", "x_2")
    for name, image in (("one", "x_1"), ("two", "x_2")):
        write_xml(tmp_path, name, image=f"{image}.tif")
    files = the_one(tmp_path, "tracks.files")
    assert files.is_open
    assert "rename one.xml -> x_1.xml, two.xml -> x_2.xml, and run this command again" in files.words


@pytest.mark.parametrize(
    ("recordings", "tracks"),
    [
        (("2024-03-01_plate2_B03_s1", "2024-03-01_plate2_B03_s2"), ("B03_s1_tracks", "B03_s2_tracks")),
        (("HeLa_1", "HeLa_2"), ("HeLa_s1_tracks", "HeLa_s2_tracks")),
    ],
)
def test_tracks_that_are_called_like_a_part_are_to_be_renamed(recordings, tracks, tmp_path):
    write_stacks(tmp_path, *recordings)
    for name in tracks:
        track_table().to_csv(tmp_path / f"{name}.csv", index=False)
    files = the_one(tmp_path, "tracks.files")
    assert files.is_open
    assert "2 of 2 recordings have tracks that are not called like them" in files.words
    assert f"{tracks[1]}.csv -> {recordings[1]}_tracks.csv, and run this command again" in files.words


def test_tracks_of_one_name_in_several_folders_are_to_be_moved_into_one(tmp_path):
    write_stacks(tmp_path, "img/p1/A01", "img/p2/A01")
    for plate in ("p1", "p2"):
        (tmp_path / "trk" / plate).mkdir(parents=True)
        track_table().to_csv(tmp_path / "trk" / plate / "A01.csv", index=False)
    words = the_one(tmp_path, "tracks.files").words
    assert "rename trk/p1/A01.csv -> trk/p1_A01.csv, trk/p2/A01.csv -> trk/p2_A01.csv, and run" in words
    for plate in ("p1", "p2"):  # the advice works
        (tmp_path / "trk" / plate / "A01.csv").rename(tmp_path / "trk" / f"{plate}_A01.csv")
    files = the_one(tmp_path, "tracks.files")
    assert files.words == "trk/p1_A01.csv; 2 of 2 recordings have tracks"


def test_a_stated_image_that_stands_in_two_folders_names_no_recording(tmp_path):
    write_stacks(tmp_path, "plate1/A01", "plate2/A01", "plate2/A02")
    for name, image in (("one", "A01"), ("two", "A02")):
        write_xml(tmp_path, name, image=f"{image}.tif")
    assert the_one(tmp_path, "tracks.format").words.startswith("No tracks were found beside the recordings")


# I8: tracks beside images in several folders


def test_tracks_beside_images_of_the_same_name_in_several_folders(tmp_path):
    write_stacks(tmp_path, "plate1/A01", "plate2/A01")
    for plate in ("plate1", "plate2"):
        write_tracks(tmp_path / plate, track_table(), "A01")
    files = the_one(tmp_path, "tracks.files")
    assert files.value == "{image}_tracks.csv"
    assert files.words == "plate1/A01_tracks.csv; 2 of 2 recordings have tracks"
    assert not [note for note in recognise(tmp_path).notes if "tracks" in note]


def test_a_table_in_the_folder_of_the_images_is_not_that_of_one_recording(tmp_path):
    (tmp_path / "raw").mkdir()
    for name in ("A01", "A02"):
        for frame in range(24):
            tifffile.imwrite(tmp_path / "raw" / f"{name}_t{frame:02d}.tif", np.ones((SIDE_PX, SIDE_PX), np.uint16))
    pd.concat([track_table().assign(movie=name) for name in ("A01", "A02")]).to_csv(
        tmp_path / "raw" / "t.csv", index=False
    )
    files = the_one(tmp_path, "tracks.files")
    assert (files.value, files.words) == ("raw/t.csv", "raw/t.csv; 2 of 2 recordings have tracks")


def test_fates_beside_images_of_the_same_name_in_several_folders(tmp_path):
    write_stacks(tmp_path, "plate1/A01", "plate2/A01")
    for plate in ("plate1", "plate2"):
        write_tracks(tmp_path / plate, track_table(), "A01")
        (tmp_path / plate / "A01_fates.csv").write_text("cell,fate,event frame\n1,died,20\n2,died,21\n")
    seen = recognise(tmp_path)
    assert seen.value("tracks.fates_file") == "{image}_fates.csv"
    assert seen.value("tracks.fates_columns")["recording_id"] is None


# I9: how many recordings one table has


def test_recordings_of_one_table_are_counted_in_it(tmp_path):
    write_stacks(tmp_path, *RECORDINGS, "A05")
    tables = [track_table().assign(movie=name) for name in RECORDINGS]
    pd.concat(tables).to_csv(tmp_path / "all.csv", index=False)
    seen = recognise(tmp_path)
    words = next(one.words for one in seen.values if one.key == "tracks.files")
    assert words == "all.csv; 4 of 5 recordings have tracks"
    assert any(note.startswith("4 of 5 recordings have tracks; without are A05.") for note in seen.notes)


# I12: tracks that cannot be read


@pytest.mark.parametrize("ending", ["xml", "h5", "geff", "csv"])
def test_tracks_of_which_none_can_be_read_are_a_question(ending, tmp_path):
    write_stacks(tmp_path)
    for name in RECORDINGS:
        path = tmp_path / f"{name}.{ending}"
        if ending == "xml":
            path.write_text('<TrackMate version="7"><Model spatialunits="micron" timeunits="min"><AllSpots>')
        elif ending == "h5":
            with h5py.File(path, "w") as file:
                file["objects"], file["tracks"] = 1, 2
        elif ending == "geff":
            path.mkdir()
            (path / "zarr.json").write_text('{"zarr_format":3,"node_type":"group","attributes":{"geff":{}}}')
        else:
            path.write_text("cell,frame,y,x\n1,0,,\n1,1,,\n2,0,,\n2,1,,\n")
    question = the_one(tmp_path, "tracks.format")
    assert question.is_open
    assert question.words.startswith("No tracks of the first recordings can be read as ")
    assert "A01" in question.words


# I13: hours that are left as they were


def test_the_question_about_the_interval_says_which_hours_depend_on_it(tmp_path):
    for frame in range(12):
        tifffile.imwrite(tmp_path / f"A01_t{frame:02d}.tif", np.ones((8, 9), np.uint16))
    words = the_one(tmp_path, "recordings.frame_interval_min").words
    assert "Then see that horizon_h, report_h and headline_h of follow_up fit into 12 frames." in words


def test_open_values_are_counted_as_a_run_counts_them(tmp_path):
    write_stacks(tmp_path)
    write_tracks(tmp_path, track_table().rename(columns={"frame": "Time (h)"}))
    seen = recognise(tmp_path)
    lines = list(describe(seen, tmp_path, "mine"))
    assert [one.key for one in seen.open_parameters] == ["tracks.columns", "crops.cell_diameter_px"]
    assert any(line.startswith("2 questions (3 values) to answer in ") for line in lines)


# I9: the screen has nothing but what is said


def test_what_readers_log_of_the_first_recordings_is_not_on_the_screen(tmp_path):
    write_stacks(tmp_path / "data")
    shutil.copytree(ROOT / "conf" / "mydata", tmp_path / "conf" / "mydata")
    pd.concat([track_table().assign(movie=name) for name in RECORDINGS]).to_csv(
        tmp_path / "data" / "a.csv", index=False
    )
    command = [sys.executable, "-m", "cellfate", "new", "data"]
    finished = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert "recordings have tracks" in finished.stdout
    assert finished.stderr == ""


# Tables whose headers nobody knows


GERMAN = {"cell": "Spur", "frame": "Bild", "y": "Y-Position", "x": "Spalte (Pixel)"}


@pytest.mark.parametrize("recordings", [("A01",), ("A01", "A02", "A03", "A04")])
def test_tracks_with_unknown_headers_are_asked_about_column_by_column(recordings, tmp_path):
    write_stacks(tmp_path, *recordings)
    write_tracks(tmp_path, track_table().rename(columns=GERMAN), *recordings)
    seen = recognise(tmp_path)
    asked = {one.key: one for one in seen.open_parameters}
    assert seen.value("tracks.format") == "csv"
    assert seen.value("tracks.files") == "{recording_id}_tracks.csv"
    assert {"tracks.columns", "tracks.first_frame", "tracks.position_unit"} <= asked.keys()
    assert asked["tracks.columns"].value == {"cell_id": "???", "frame": "???", "y": "Y-Position", "x": "???"}
    assert "has the columns Spur, Bild, Y-Position, Spalte (Pixel); name those that are ???" in (
        asked["tracks.columns"].words
    )


@pytest.mark.parametrize(
    "change",
    [
        lambda table: table.drop(columns="Bild"),
        lambda table: table.drop_duplicates("Spur"),
        lambda table: table.assign(Bild=0),
        lambda table: table.assign(Spur="a"),
    ],
)
def test_tables_without_cells_over_frames_are_no_tracks(change, tmp_path):
    write_stacks(tmp_path)
    write_tracks(tmp_path, change(track_table().rename(columns=GERMAN)))
    assert recognise(tmp_path).value("tracks.format") == "???"
