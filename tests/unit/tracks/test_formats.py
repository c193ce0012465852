"""What single formats must do beyond the contract: units, headers, links that lead astray, files that harm."""

import json
import logging
import os
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pandas as pd
import pytest
import zarr
from pydantic import ValidationError

from cellfate.core.errors import InputError
from cellfate.imaging import RecordingFolder, RecordingSettings
from cellfate.tracks import TrackSettings, gather_tracks
from tests.cases.track_formats import (
    CSV_COLUMNS,
    FAMILY,
    FORMATS,
    SPOT_HEADER,
    expected_detections,
    found_cells,
    found_detections,
    frame_files_table,
    gather,
    recordings_table,
    write_btrack,
    write_csv,
    write_geff,
    write_napari,
    write_trackmate_csv,
    write_trackmate_xml,
)

CASES = {case.name: case for case in FORMATS}
XML = {"format": "trackmate_xml"}
SPOTS = {"format": "trackmate_csv", "edges_file": "{recording_id}_edges.csv"}


def the_problem(root: Path, **tracks: Any) -> str:
    """The one problem that is found."""
    _, cells, problems = gather(root, **tracks)
    assert cells.empty
    assert len(problems) == 1
    return str(problems["reason"].iloc[0])


def change(path: Path, old: str, new: str, count: int = -1) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, count))


# TrackMate XML


def test_xml_takes_the_pixel_size_of_the_file_and_warns(tmp_path: Path) -> None:
    write_trackmate_xml(tmp_path, FAMILY)
    change(tmp_path / "01.xml", 'pixelwidth="0.5"', 'pixelwidth="0.25"')
    change(tmp_path / "01.xml", 'timeinterval="30.0"', 'timeinterval="20.0"')
    detections, _, problems = gather(tmp_path, **XML)
    first = detections[detections["cell_id"] == 1].iloc[0]
    assert (first["y_px"], first["x_px"]) == (10, 20)
    assert problems["check"].tolist() == [
        "other_facts",
        "other_facts",
        "pixel_sides",
        "tracks",
    ]  # twice as far lies outside
    assert "a frame every 20 min, but recording '01' (01) has a frame every 30 min" in problems["reason"].iloc[0]
    assert "pixels of 0.25 um, but recording '01' (01) has pixels of 0.5 um" in problems["reason"].iloc[1]


def test_xml_hidden_spots_are_gaps(tmp_path: Path) -> None:
    write_trackmate_xml(tmp_path, FAMILY)
    text = (tmp_path / "01.xml").read_text()
    place = text.index('FRAME="2"')
    place = text.index('VISIBILITY="1"', place)
    (tmp_path / "01.xml").write_text(text[:place] + 'VISIBILITY="0"' + text[place + len('VISIBILITY="1"') :])
    detections, cells, problems = gather(tmp_path, **XML)
    assert problems.empty
    assert found_cells(cells) == CASES["trackmate_xml"].expected_cells(FAMILY)
    assert detections.loc[detections["cell_id"] == 1, "frame"].tolist() == [0, 1, 3]


@pytest.mark.parametrize(
    "prologue",
    [
        '<!DOCTYPE a [<!ENTITY b "bb"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;"><!ENTITY d "&c;&c;&c;&c;&c;&c;&c;&c;">]>',
        '<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/hostname">]>',
        '<!DOCTYPE a SYSTEM "http://127.0.0.1:9/a.dtd">',
    ],
)
def test_xml_with_entities_is_refused(tmp_path: Path, prologue: str) -> None:
    write_trackmate_xml(tmp_path, FAMILY)
    change(tmp_path / "01.xml", "<TrackMate", prologue + "<TrackMate", 1)
    change(tmp_path / "01.xml", "made by hand", "&d;" if "ENTITY d" in prologue else "")
    assert "declares a document type or entities" in the_problem(tmp_path, **XML)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (
            '<TrackID TRACK_ID="1" />',
            '<TrackID TRACK_ID="5" /><TrackID TRACK_ID="7" />',
            "2 tracks (TRACK_ID 5, 7)",
        ),
        ("FilteredTracks", "Filtered", "no element FilteredTracks"),
        ("Model", "Graph", "no element Model"),
        ('SPOT_TARGET_ID="2"', 'SPOT_TARGET_ID="77"', "names spot 77, which is not in the file"),
        ('POSITION_Y="5.0"', 'POSITION_Y="nan"', "POSITION_Y 'nan', but a number was expected"),
        ('FRAME="3"', 'FRAME="3.5"', "FRAME '3.5', but a whole number was expected"),
        ("</TrackMate>", "", "no whole XML file"),
    ],
)
def test_xml_that_is_not_sound_is_refused(tmp_path: Path, old: str, new: str, words: str) -> None:
    write_trackmate_xml(tmp_path, FAMILY)
    change(tmp_path / "01.xml", old, new)
    assert words in the_problem(tmp_path, **XML)


def test_xml_of_the_action_that_exports_tracks_is_named(tmp_path: Path) -> None:
    (tmp_path / "01.xml").write_text(
        '<?xml version="1.0" encoding="UTF-8"?>\n<Tracks nTracks="1" spaceUnits="pixel" frameInterval="1.0" '
        'timeUnits="sec"><particle nSpots="1"><detection t="0" x="3.0" y="4.0" z="0.0" /></particle></Tracks>'
    )
    said = the_problem(tmp_path, **XML)
    assert "'Export tracks to XML file'" in said
    assert "press Save in TrackMate" in said


def test_xml_merge_is_named_by_spot_and_frame(tmp_path: Path) -> None:
    write_trackmate_xml(tmp_path, FAMILY)
    merge = '<Edge SPOT_SOURCE_ID="4" SPOT_TARGET_ID="3" LINK_COST="1.0" /></Track>'
    change(tmp_path / "01.xml", "</Track>", merge, 1)
    assert "Tracks merge at 1 place in" in the_problem(tmp_path, **XML)
    assert "(spot 3 in frame 4)" in the_problem(tmp_path, **XML)


# TrackMate CSV


def test_without_edges_the_spots_of_a_track_that_branches_are_linked_by_nearness(tmp_path: Path) -> None:
    write_trackmate_csv(tmp_path, FAMILY)
    with_edges = gather(tmp_path, format="trackmate_csv", edges_file="{recording_id}_edges.csv")
    without = gather(tmp_path, format="trackmate_csv")
    for one, other in zip(with_edges[:2], without[:2], strict=True):
        pd.testing.assert_frame_equal(one, other)
    assert "1 track(s) in 01_spots.csv have several spots in a frame" in without[2]["reason"].item()


def test_spots_without_edges_know_no_parents(tmp_path: Path) -> None:
    write_trackmate_csv(tmp_path, FAMILY[3:])
    _, cells, problems = gather(tmp_path, format="trackmate_csv")
    assert problems.empty
    assert cells[["cell_id", "fate"]].to_numpy().tolist() == [[0, "censored"]]
    assert cells[["parent_id", "lineage_id"]].isna().all(axis=None)


def test_header_lines_of_trackmate_are_counted(tmp_path: Path) -> None:
    write_trackmate_csv(tmp_path, FAMILY)
    change(tmp_path / "01_spots.csv", SPOT_HEADER, "\n".join(SPOT_HEADER.splitlines()[:2]) + "\n")
    assert "has 2 lines before its first number" in the_problem(tmp_path, **SPOTS)


def test_a_table_with_one_line_of_header_is_read_and_its_untracked_spots_are_counted(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write_trackmate_csv(tmp_path, FAMILY)
    path = tmp_path / "01_spots.csv"
    change(path, SPOT_HEADER, SPOT_HEADER.splitlines()[0] + "\n")
    with path.open("a") as file:
        file.write("ID901,901,None,1.0,2.0,2.0,0.0,0.0,0,2.5,1,\n")
    with caplog.at_level(logging.INFO):
        detections, _, problems = gather(tmp_path, position_unit="um", **SPOTS)
    assert problems.empty
    assert found_detections(detections) == expected_detections(FAMILY)
    assert "2 spots belong to no track; they are left out" in caplog.text
    detections, _, problems = gather(tmp_path, **SPOTS)
    assert detections["y_px"].min() == 4
    assert problems["check"].tolist() == ["other_facts"]
    assert "does not state the unit of its positions, which are taken for pixels" in problems["reason"].iloc[0]


def test_times_of_spots_are_held_against_the_frame_interval(tmp_path: Path) -> None:
    write_trackmate_csv(tmp_path, FAMILY)
    change(tmp_path / "01_spots.csv", "(min)", "(sec)")
    _, _, problems = gather(tmp_path, **SPOTS)
    assert (
        "states a frame every 0.5 min, but recording '01' (01) has a frame every 30 min" in problems["reason"].iloc[0]
    )


@pytest.mark.parametrize(("unit", "factor"), [("pixel", 0.5), ("\u00b5m", 1.0), ("micron", 1.0)])
def test_units_of_trackmate_are_read_from_the_header(tmp_path: Path, unit: str, factor: float) -> None:
    write_trackmate_csv(tmp_path, FAMILY)
    content = (tmp_path / "01_spots.csv").read_text().replace("(micron)", f"({unit})")
    (tmp_path / "01_spots.csv").write_bytes(content.encode("latin-1"))
    detections, _, _ = gather(tmp_path, **SPOTS)
    assert detections["y_px"].min() == pytest.approx(8 * factor)


def test_an_unknown_unit_is_named(tmp_path: Path) -> None:
    write_trackmate_csv(tmp_path, FAMILY)
    change(tmp_path / "01_spots.csv", "(micron)", "(furlong)")
    assert "are in 'furlong', but pixels or micrometres" in the_problem(tmp_path, **SPOTS)
    detections, _, _ = gather(tmp_path, position_unit="px", **SPOTS)
    assert detections["y_px"].min() == 4


# napari


def test_napari_without_a_graph_knows_no_parents(tmp_path: Path) -> None:
    write_napari(tmp_path, FAMILY)
    _, cells, problems = gather(tmp_path, format="napari_csv")
    assert problems.empty
    assert set(cells["fate"]) == {"censored"}
    assert cells["lineage_id"].isna().all()


@pytest.mark.parametrize(
    ("graph", "words"),
    [
        ('{"2": [1, 4]}', "Tracks merge at 1 place in"),
        ('{"2": [1], "2": [4]}', "stands there twice"),
        ('{"9": [1]}', "names cell 9, which has no row"),
        ('{"2": ["a"]}', "'a' in the place of the number of a cell"),
        ("[1]", "holds no JSON object"),
        ("[" * 100_000, "cannot be read"),
        ('{"1": [2], "2": [1]}', "is its own ancestor"),
        ('{"2": [8]}', "the parent 8 of cell 2 has no track"),
    ],
)
def test_graphs_that_are_not_sound_are_refused(tmp_path: Path, graph: str, words: str) -> None:
    write_napari(tmp_path, FAMILY)
    (tmp_path / "01_graph.json").write_text(graph)
    _, _, problems = gather(tmp_path, format="napari_csv", graph_file="{recording_id}_graph.json")
    assert words in " ".join(problems["reason"])


def test_a_napari_file_without_header_is_refused(tmp_path: Path) -> None:
    (tmp_path / "01.csv").write_text("1,0,3.5,4.5\n1,1,3.5,4.5\n")
    assert "has no column for cell_id, frame, y, x" in the_problem(tmp_path, format="napari_csv")


# plain CSV


def test_one_csv_for_several_recordings(tmp_path: Path) -> None:
    write_csv(tmp_path, FAMILY)
    one = pd.read_csv(tmp_path / "01.csv")
    pd.concat([one.assign(Movie="01"), one.assign(Movie="02")]).to_csv(tmp_path / "all.csv", index=False)
    tracks = {**CASES["csv"].settings, "columns": {**CSV_COLUMNS, "recording_id": "Movie"}, "files": "all.csv"}
    detections, cells, problems = gather(tmp_path, names=("01", "02"), format="csv", **tracks)
    assert problems.empty
    assert len(detections) == 2 * len(expected_detections(FAMILY))
    for name in ("01", "02"):
        assert cells.loc[cells["recording_id"] == name, "fate"].tolist() == [
            "mitosis",
            "unscored",
            "apoptosis",
            "unscored",
        ]
    with pytest.raises(InputError, match=r"one file all.csv for 2 recordings"):
        gather(tmp_path, names=("01", "02"), format="csv", files="all.csv")


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("Track,Frame", "Cell,Frame", "has no column Track; found Cell, Frame"),
        ("Track,Frame,Y,X", "Track,Frame,Y,Y", "has no column X"),
        ("Mother,Fate", "Mother,Track", "has no column Fate"),
        ("Y,X,Mother,Fate,Event", "Y,X,Mother,Fate,Event,X", "has the column X twice"),
        ("1,1,10,10", "1,1,,10", "Line 2 of"),
        ("1,1,10,10", "1,1,inf,10", "'inf' in column Y, but a number was expected"),
        (
            "1,1,10,10",
            "1,1.5,10,10",
            "'1.5' in column Frame, but frames are whole numbers; if the column holds times, set tracks",
        ),
        ("1,1,10,10", "one,1,10,10", "'one' in column Track"),
        ("1,1,10,10", "1,1,10,10,1,2,3,4", "has 11 fields separated by commas, but its header has 7"),
        ("1,1,10,10", "1,2,10,10", "cell 1 is marked twice in frame 1"),
        ("1,1,10,10,,divided", "1,1,10,10,,died", "but a cell has one fate"),
        ("1,1,10,10,,divided", "1,1,10,10,,gone", "has the fate 'gone'"),
        ("died,7", "died,4", "before the cell is first seen"),
        ("died,7", "died,", "has the fate 'apoptosis' but no event frame"),
        ("divided,5", "died,5", "has two daughters but its stated fate is apoptosis"),
        ("12.0,1,", "12.0,4,", "is still seen in frame 7"),
    ],
)
def test_csv_that_is_not_sound_is_refused(tmp_path: Path, old: str, new: str, words: str) -> None:
    write_csv(tmp_path, FAMILY)
    table = (tmp_path / "01.csv").read_text()
    if old.startswith("12.0"):
        old, new = ",8,16,1,", ",8,16,4,"
        table = table.replace("2,7,8,18,1,", "2,7,8,18,4,").replace("2,8,8,19,1,", "2,8,8,19,4,")
    assert old in table
    (tmp_path / "01.csv").write_text(table.replace(old, new))
    _, _, problems = gather(tmp_path, format="csv", **CASES["csv"].settings)
    assert words in " ".join(problems["reason"])


# btrack


def test_btrack_axes_are_swapped_on_demand(tmp_path: Path) -> None:
    write_btrack(tmp_path, FAMILY)
    right, _, _ = gather(tmp_path, format="btrack")
    swapped, _, _ = gather(tmp_path, format="btrack", btrack_axes="yx")
    assert right["y_px"].tolist() == swapped["x_px"].tolist()


def test_btrack_false_positives_can_be_left_out(tmp_path: Path) -> None:
    write_btrack(tmp_path, FAMILY)
    with h5py.File(tmp_path / "01.h5", "r+") as file:
        file["tracks/obj_type_1/fates"][0] = 0
    _, kept, _ = gather(tmp_path, format="btrack")
    detections, left, problems = gather(tmp_path, format="btrack", keep_false_positives=False)
    assert problems.empty
    assert kept["cell_id"].tolist() == [1, 2, 3, 4]
    assert left["cell_id"].tolist() == [2, 3, 4]
    assert left["parent_id"].isna().all()
    assert set(detections["cell_id"]) == {2, 3, 4}


def test_btrack_says_divide_without_daughters_is_censored(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    write_btrack(tmp_path, FAMILY)
    with h5py.File(tmp_path / "01.h5", "r+") as file:
        file["tracks/obj_type_1/fates"][3] = 4
    with caplog.at_level(logging.WARNING):
        _, cells, problems = gather(tmp_path, format="btrack")
    assert problems.empty
    assert cells["fate"].tolist()[3] == "censored"
    assert "1 tracks are said to divide but have fewer than two daughters (first: 4)" in caplog.text


def test_btrack_links_out_of_the_file_are_not_followed(tmp_path: Path) -> None:
    write_btrack(tmp_path, FAMILY)
    (tmp_path / "01.h5").rename(tmp_path / "elsewhere.h5")
    with h5py.File(tmp_path / "01.h5", "w") as file:
        file["objects"] = h5py.ExternalLink("elsewhere.h5", "/objects")
        file["tracks"] = h5py.ExternalLink("elsewhere.h5", "/tracks")
    assert "has no 'tracks' where btrack writes it" in the_problem(tmp_path, format="btrack")


def test_btrack_that_claims_more_than_it_holds_is_refused(tmp_path: Path) -> None:
    write_btrack(tmp_path, FAMILY)
    with h5py.File(tmp_path / "01.h5", "r+") as file:
        del file["objects/obj_type_1/coords"]
        file.create_dataset("objects/obj_type_1/coords", shape=(10**11, 5), dtype="f4", chunks=(10**6, 5))
    assert "is no plain array of numbers" in the_problem(tmp_path, format="btrack")


@pytest.mark.parametrize(
    ("name", "place", "value", "words"),
    [
        ("tracks", 0, 99, "point at objects that are not there"),
        ("tracks", 0, 1, "at one object twice"),
        ("map", (0, 1), 99, "point at objects that are not there"),
        ("LBEPR", (1, 0), 1, "lists a track twice"),
        ("LBEPR", (0, 2), 1, "outside the frames that the file says"),
        ("LBEPR", (0, 3), 3, "its own ancestor"),
    ],
)
def test_btrack_that_contradicts_itself_is_refused(
    tmp_path: Path, name: str, place: Any, value: int, words: str
) -> None:
    write_btrack(tmp_path, FAMILY)
    with h5py.File(tmp_path / "01.h5", "r+") as file:
        file[f"tracks/obj_type_1/{name}"][place] = value
    _, _, problems = gather(tmp_path, format="btrack")
    assert words in " ".join(problems["reason"])


# GEFF


def geff_attributes(root: Path, change_axes: Any) -> None:
    path = root / "01.geff" / ".zattrs"
    content = json.loads(path.read_text())
    change_axes(content["geff"])
    path.write_text(json.dumps(content))


def test_geff_units_are_honoured(tmp_path: Path) -> None:
    write_geff(tmp_path, FAMILY)

    def to_units(geff: dict[str, Any]) -> None:
        geff["axes"][1]["unit"] = geff["axes"][2]["unit"] = "micrometer"

    geff_attributes(tmp_path, to_units)
    detections, _, _ = gather(tmp_path, format="geff")
    assert detections["y_px"].min() == 16
    geff_attributes(tmp_path, lambda geff: geff["axes"][0].update(unit="hour"))
    detections, _, problems = gather(tmp_path, format="geff", position_unit="px")
    assert "marked in frame 8" in problems["reason"].iloc[0]  # 4 h is frame 8 of a recording of 0.5 h a frame
    for unit in ("minute", "min"):
        geff_attributes(tmp_path, lambda geff, unit=unit: geff["axes"][0].update(unit=unit))
        assert "is no whole number of frames of 30 min" in the_problem(tmp_path, format="geff")


@pytest.mark.parametrize(
    ("unit", "times"),
    [
        ("min", ["0", "30", "60", "90", "120", "150", "180", "210"]),
        ("h", ["0", "0,5", "1", "1,5", "2", "2,5", "3", "3,5"]),
        ("s", ["0", "1799.5", "3600", "5400.5", "7200", "9000", "10800", "12600"]),
    ],
)
def test_times_in_tables_are_frames_of_the_recording(tmp_path: Path, unit: str, times: list[str]) -> None:
    """8 frames of 30 min; the cell of a row, and its event, have times."""
    write_csv(tmp_path, FAMILY)
    table = pd.read_csv(tmp_path / "01.csv", dtype=str, keep_default_na=False)
    for column in ("Frame", "Event"):
        table[column] = table[column].map(lambda frame: times[int(frame) - 1] if frame else "")
    table.to_csv(tmp_path / "01.csv", index=False, sep=";")
    settings = {"format": "csv", **CASES["csv"].settings, "first_frame": 0}
    detections, cells, problems = gather(tmp_path, **settings, time_unit=unit)
    assert problems.empty
    assert found_detections(detections) == expected_detections(FAMILY)
    assert cells["event_frame"].dropna().tolist() == [4, 6]
    told = " ".join(gather(tmp_path, **settings)[2]["reason"])
    assert ("but frames are whole numbers; if the column holds times, set tracks.time_unit" in told) == (unit != "min")
    if unit == "h":
        said = the_problem(tmp_path, **settings, time_unit="min")
        assert "is 3.5 (min), which is no whole number of frames of 30 min" in said


def test_a_time_unit_of_geff_that_is_not_known_stops(tmp_path: Path) -> None:
    write_geff(tmp_path, FAMILY)
    geff_attributes(tmp_path, lambda geff: geff["axes"][0].update(unit="fortnight"))
    said = the_problem(tmp_path, format="geff")
    assert "are in 'fortnight', but frames, seconds, minutes or hours were expected; set tracks.time_unit to" in said
    detections, _, _ = gather(tmp_path, format="geff", time_unit="frame")
    assert found_detections(detections) == expected_detections(FAMILY)
    for unit in ("Frames", "timepoint"):
        geff_attributes(tmp_path, lambda geff, unit=unit: geff["axes"][0].update(unit=unit))
        detections, _, _ = gather(tmp_path, format="geff")
        assert found_detections(detections) == expected_detections(FAMILY)


def rename_axes(root: Path, names: dict[str, str], hints: dict[str, str] | None = None) -> None:
    """Call the axes of the file otherwise, x before y."""

    def rename(geff: dict[str, Any]) -> None:
        t, y, x = geff["axes"]
        geff["axes"] = [t, x | {"name": names["x"]}, y | {"name": names["y"]}]
        geff["display_hints"] = hints

    geff_attributes(root, rename)
    for old, new in names.items():
        (root / "01.geff" / "nodes" / "props" / old).rename(root / "01.geff" / "nodes" / "props" / new)


@pytest.mark.parametrize(
    ("y", "x"), [("pos_y", "pos_x"), ("POSITION_Y", "POSITION_X"), ("posY", "posX"), ("row", "col")]
)
def test_axes_of_geff_are_told_by_their_names_in_any_order(tmp_path: Path, y: str, x: str) -> None:
    write_geff(tmp_path, FAMILY)
    rename_axes(tmp_path, {"y": y, "x": x})
    geff_attributes(tmp_path, lambda geff: geff["axes"].append({"name": "POSITION_Z", "type": "space"}))
    detections, _, problems = gather(tmp_path, format="geff")
    assert problems.empty
    assert found_detections(detections) == expected_detections(FAMILY)


def test_axes_of_geff_that_nothing_names_are_asked_for(tmp_path: Path) -> None:
    write_geff(tmp_path, FAMILY)
    rename_axes(tmp_path, {"y": "down", "x": "right"})
    said = the_problem(tmp_path, format="geff")
    assert "has the axes right, down, and nothing says which of them are y and x; name them in tracks.columns.y" in said
    detections, _, _ = gather(tmp_path, format="geff", columns={"y": "down", "x": "right"})
    assert found_detections(detections) == expected_detections(FAMILY)
    hints = {"display_vertical": "down", "display_horizontal": "right"}
    geff_attributes(tmp_path, lambda geff: geff.update(display_hints=hints))
    detections, _, _ = gather(tmp_path, format="geff")
    assert found_detections(detections) == expected_detections(FAMILY)


def test_what_display_hints_say_counts_before_names(tmp_path: Path) -> None:
    write_geff(tmp_path, FAMILY)
    rename_axes(tmp_path, {"y": "x_1", "x": "y_1"}, {"display_vertical": "x_1", "display_horizontal": "y_1"})
    detections, _, _ = gather(tmp_path, format="geff")
    assert found_detections(detections) == expected_detections(FAMILY)


def test_sizes_of_steps_that_a_geff_states_are_held_against_the_recording(tmp_path: Path) -> None:
    write_geff(tmp_path, FAMILY)

    def to_scales(geff: dict[str, Any]) -> None:
        geff["axes"][0].update(unit="frame", scale=20, scaled_unit="minute")
        geff["axes"][2].update(unit="pixel", scale=0.25, scaled_unit="micrometer")

    geff_attributes(tmp_path, to_scales)
    _, _, problems = gather(tmp_path, format="geff")
    assert problems["check"].tolist() == ["other_facts"] * 2
    assert "a frame every 20 min, but" in problems["reason"].iloc[0]
    assert "pixels of 0.25 um, but" in problems["reason"].iloc[1]


def test_a_geff_property_that_is_not_there_is_told_with_those_that_are(tmp_path: Path) -> None:
    write_geff(tmp_path, FAMILY)
    said = the_problem(tmp_path, format="geff", columns={"fate": "fate"})
    assert "has no node property 'fate'" in said
    assert "it has outcome, t, when, x, y; correct it there" in said


def test_geff_numbers_of_its_own_are_kept(tmp_path: Path) -> None:
    write_geff(tmp_path, FAMILY)
    group = zarr.open_group(tmp_path / "01.geff", mode="r+")
    ids = group["nodes/ids"][:]
    _, plain, _ = gather(tmp_path, format="geff")
    detections, _, _ = gather(tmp_path, format="geff")
    assert sorted(set(detections["cell_id"])) == [1, 2, 3, 4]
    owner = detections["cell_id"].to_numpy() + 50
    assert len(owner) == len(ids)
    group.create_array("nodes/props/tracklet/values", data=owner.astype(np.uint64))
    geff_attributes(tmp_path, lambda geff: geff.update(track_node_props={"tracklet": "tracklet"}))
    _, cells, problems = gather(tmp_path, format="geff")
    assert problems.empty
    assert cells["cell_id"].tolist() == [51, 52, 53, 54]
    assert cells["fate"].tolist() == plain["fate"].tolist()
    group["nodes/props/tracklet/values"][:] = 7
    assert "Number 7 in" in the_problem(tmp_path, format="geff")


class Harm:
    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (Path("harmed"),))


def test_geff_is_never_unpickled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import pickle

    monkeypatch.chdir(tmp_path)
    write_geff(tmp_path, FAMILY)
    folder = tmp_path / "01.geff" / "nodes" / "props" / "y" / "values"
    content = json.loads((folder / ".zarray").read_text())
    content.update(dtype="|O", compressor=None, filters=[{"id": "pickle"}], fill_value=None)
    (folder / ".zarray").write_text(json.dumps(content))
    (folder / "0").write_bytes(pickle.dumps([Harm()]))
    assert "codec 'pickle', which is not let through" in the_problem(tmp_path, format="geff")
    assert not (tmp_path / "harmed").exists()


@pytest.mark.parametrize("zarr_format", [2, 3])
def test_geff_of_both_formats_of_zarr(tmp_path: Path, zarr_format: int) -> None:
    write_geff(tmp_path, FAMILY)
    import geff

    graph, metadata = geff.read(tmp_path / "01.geff")
    geff.write(graph, tmp_path / "02.geff", metadata, zarr_format=zarr_format)
    detections, _, problems = gather(tmp_path, names=("02",), format="geff")
    assert problems.empty
    assert found_detections(detections) == expected_detections(FAMILY)


def test_geff_with_a_missing_chunk_is_refused(tmp_path: Path) -> None:
    write_geff(tmp_path, FAMILY)
    next((tmp_path / "01.geff" / "nodes" / "props" / "y" / "values").glob("[0-9]*")).unlink()
    assert "lacks 1 of its 1 chunks: they were lost, or left out" in the_problem(tmp_path, format="geff")


def test_positions_that_zarr_left_out_are_refused_with_advice_that_works(tmp_path: Path) -> None:
    """Zarr does not write chunks of 0 alone, and whoever writes the file again gets the same file."""
    write_geff(tmp_path, FAMILY)
    values = zarr.open_array(tmp_path / "01.geff" / "nodes" / "props" / "y" / "values", mode="r+")
    with zarr.config.set({"array.write_empty_chunks": False}):
        values[...] = np.zeros(values.shape)
    said = the_problem(tmp_path, format="geff")
    assert "left out because all of their values are 0.0, as neither positions nor numbers of spots are" in said
    with zarr.config.set({"array.write_empty_chunks": True}):
        zarr.open_array(values.store_path.store.root, path=values.path, mode="r+")[...] = np.zeros(values.shape)
    detections, _, problems = gather(tmp_path, format="geff")
    assert problems.empty
    assert (detections["y_px"] == 0).all()


def test_a_zarr_group_that_is_no_geff_is_refused(tmp_path: Path) -> None:
    zarr.open_group(tmp_path / "01.geff", mode="w", attributes={"a": 1})
    assert "is a Zarr group but no GEFF" in the_problem(tmp_path, format="geff")
    zarr.open_group(tmp_path / "02.geff", mode="w", attributes={"geff": {"geff_version": "1.1"}})
    assert "There is no array" in the_problem(tmp_path, names=("02",), format="geff")


@pytest.mark.parametrize("kind", ["pipe", "link"])
def test_chunks_of_geff_that_are_no_files_are_not_opened(tmp_path: Path, kind: str) -> None:
    write_geff(tmp_path, FAMILY)
    chunk = tmp_path / "01.geff" / "nodes" / "ids" / "0"
    chunk.rename(tmp_path / "elsewhere")
    if kind == "pipe":
        os.mkfifo(chunk)
    else:
        chunk.symlink_to(tmp_path / "elsewhere")
    assert "0 is no file of its own, but a link or a pipe" in the_problem(tmp_path, format="geff")


# settings


IMAGES = {"plate1_01": "plate1/01.ome.tif", "plate2_01": "plate2/01.ome.tif"}


def gather_beside(root: Path, images: dict[str, str]) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Read tracks that are named like the images of the same folder."""
    recordings = recordings_table(*images).assign(source=list(images.values()))
    tables = recordings, frame_files_table(*images)
    layout = RecordingSettings(layout="tiff_stacks")
    tracks = TrackSettings(format="trackmate_xml", files="{image}.xml")
    return gather_tracks(RecordingFolder(root), *tables, layout, tracks)


def test_tracks_beside_images_in_several_folders_are_named_after_the_image(tmp_path: Path) -> None:
    for folder, cells in (("plate1", FAMILY), ("plate2", FAMILY[:1])):
        (tmp_path / folder).mkdir()
        write_trackmate_xml(tmp_path / folder, cells)
    _, cells, problems = gather_beside(tmp_path, IMAGES)
    assert problems.empty
    assert cells["recording_id"].value_counts().to_dict() == {"plate1_01": len(FAMILY), "plate2_01": 1}


def test_recordings_of_one_image_file_cannot_have_their_tracks_named_after_it(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"names the one file \{image\}\.xml for 2 recordings"):
        gather_beside(tmp_path, dict.fromkeys(("one", "two"), "slide.nd2"))


@pytest.mark.parametrize(
    "template", ["../{recording_id}.xml", "/data/a.xml", "C:/a.xml", "a\\..\\..\\b", "{x}.xml", ""]
)
def test_a_template_that_leaves_the_root_is_refused(template: str) -> None:
    with pytest.raises(ValidationError, match=r"leaves the folder|no name of a file"):
        TrackSettings(format="trackmate_xml", files=template)


@pytest.mark.parametrize(
    "values",
    [
        {"format": "geff", "graph_file": "a.json"},
        {"format": "csv", "graph_file": "a.json", "columns": {"parent_id": "P"}},
        {"format": "cellprofiler_csv", "first_frame": 1},
        {"format": "trackmate_xml", "edges_file": "a.csv"},
        {"format": None, "files": "a.csv"},
        {"format": "coco_vid", "first_frame": 1},
        {"fate_names": {"gone": "vanished"}},
        {"formt": "csv"},
    ],
)
def test_settings_that_contradict_each_other_are_refused(values: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        TrackSettings(**values)


def test_a_torn_chunk_of_geff_is_refused(tmp_path: Path) -> None:
    """Without its second byte the header of Blosc gives a length below 0."""
    write_geff(tmp_path, FAMILY)
    chunk = tmp_path / "01.geff/nodes/props/t/values/0"
    content = chunk.read_bytes()
    chunk.write_bytes(content[:1] + content[2:])
    assert "values cannot be read" in the_problem(tmp_path, format="geff")


@pytest.mark.parametrize(
    ("name", "write", "library"), [("btrack", write_btrack, "h5py.File"), ("geff", write_geff, "zarr.open_array")]
)
def test_too_little_memory_is_not_told_as_a_damaged_file(tmp_path: Path, monkeypatch, name, write, library) -> None:
    def lack(*arguments: object, **keywords: object) -> None:
        raise MemoryError

    write(tmp_path, FAMILY)
    monkeypatch.setattr(library, lack)
    with pytest.raises(MemoryError):
        gather(tmp_path, format=name)


def test_the_unit_in_the_names_of_columns_counts(tmp_path: Path) -> None:
    """No parameter says it; the recording has pixels of 0.5 um."""
    (tmp_path / "01.csv").write_text(
        "cell,frame,Y (\u00b5m),X (\u00b5m)\n1,0,5.0,10.0\n1,1,5.5,10.0\n", encoding="utf-8"
    )
    columns = {"cell_id": "cell", "frame": "frame", "y": "Y (\u00b5m)", "x": "X (\u00b5m)"}
    detections, _, _ = gather(tmp_path, format="csv", columns=columns)
    assert detections[["y_px", "x_px"]].to_numpy().tolist() == [[10.0, 20.0], [11.0, 20.0]]
    detections, _, _ = gather(tmp_path, format="csv", columns=columns, position_unit="px")
    assert detections["y_px"].tolist() == [5.0, 5.5]
