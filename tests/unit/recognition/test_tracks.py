"""Every format of tracks is recognised, and the settings are those that the writer of the files says they take."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import tifffile

from cellfate.imaging import RecordingFolder, RecordingSettings, open_recordings
from cellfate.recognition.images import recognise_images
from cellfate.recognition.recognising import Recognised, recognise
from cellfate.recognition.survey import survey_folder
from cellfate.recognition.track_files import table_facts, trackmate_facts
from cellfate.tracks import TrackSettings, gather_tracks
from tests.cases import track_formats
from tests.cases.track_formats import (
    FAMILY,
    FATES_SETTINGS,
    FORMATS,
    FormatCase,
    found_cells,
    frame_files_table,
    recordings_table,
)

BY_NAME = {case.name: case for case in FORMATS}
FILE_EACH = [case for case in FORMATS if case.name not in ("coco_vid", "cell_tracking_challenge", "labels")]


def write_images(root: Path, *names: str) -> None:
    """OME-TIFF of the family's recording."""
    root.mkdir(parents=True, exist_ok=True)
    image = np.ones((track_formats.N_FRAMES, track_formats.HEIGHT_PX, track_formats.WIDTH_PX), np.uint16)
    details = {"axes": "TYX", "TimeIncrement": 30.0, "TimeIncrementUnit": "min", "Channel": {"Name": ["gfp"]}}
    details |= {"PhysicalSizeX": 0.5, "PhysicalSizeY": 0.5}
    for name in names or (track_formats.RECORDING,):
        tifffile.imwrite(root / f"{name}.ome.tif", image, metadata=details)


def settings_of(seen: Recognised, **answers: Any) -> TrackSettings:
    """Settings of the tracks; a question must have an answer."""
    values = {one.key.removeprefix("tracks."): one for one in seen.values if one.key.startswith("tracks.")}
    assert {key for key, one in values.items() if one.is_open} == set(answers)
    return TrackSettings(**{**{key: one.value for key, one in values.items()}, **answers})


WORDS = {"divided": "mitosis", "died": "apoptosis"}
"""Words for fates that the CSV has."""


def expected(case: FormatCase, files: str | None, **others: Any) -> TrackSettings:
    given = {"position_unit": "px", "fate_names": WORDS} if case.name == "csv" else {}
    return TrackSettings(**{"format": case.name, "files": files, **case.settings, **given, **others})


@pytest.mark.parametrize("case", FILE_EACH, ids=lambda case: case.name)
def test_tracks_get_the_settings_that_they_were_written_with(case, tmp_path):
    write_images(tmp_path)
    case.write(tmp_path, FAMILY)
    seen = recognise(tmp_path)
    template = case.file.replace("01", "{recording_id}")
    answers = {} if case.says_divisions else {"fates_file": None}  # it is asked for, as no track shows a fate
    settings = settings_of(seen, **answers)
    assert settings == expected(case, template)
    recordings = RecordingSettings(**{one.key.removeprefix("recordings."): one.value for one in seen.images.values})
    tables = open_recordings(RecordingFolder(tmp_path), recordings)[:2]
    _, cells, problems = gather_tracks(RecordingFolder(tmp_path), *tables, recordings, settings)
    assert problems.empty
    assert found_cells(cells) == case.expected_cells(FAMILY)


@pytest.mark.parametrize("name", ["trackmate_xml", "btrack", "csv"])
def test_tracks_in_a_folder_of_their_own_are_matched_to_images_in_another(name, tmp_path):
    case = BY_NAME[name]
    write_images(tmp_path / "images")
    (tmp_path / "my tracks").mkdir()
    case.write(tmp_path / "my tracks", FAMILY)
    assert settings_of(recognise(tmp_path)).files == f"my tracks/{case.file.replace('01', '{recording_id}')}"


def test_how_many_recordings_have_tracks_is_said(tmp_path):
    write_images(tmp_path, "01", "02", "A1")
    BY_NAME["trackmate_xml"].write(tmp_path, FAMILY)
    seen = recognise(tmp_path)
    assert seen.value("tracks.files") == "{recording_id}.xml"
    assert any(note.startswith("1 of 3 recordings have tracks; without are 02, A1.") for note in seen.notes)


def test_one_table_of_all_recordings(tmp_path):
    write_images(tmp_path / "raw", "01", "02")
    BY_NAME["csv"].write(tmp_path, FAMILY)
    one = pd.read_csv(tmp_path / "01.csv")
    (tmp_path / "01.csv").unlink()
    pd.concat([one.assign(Movie="01"), one.assign(Movie="02")]).to_csv(tmp_path / "all tracks.csv", index=False)
    settings = settings_of(recognise(tmp_path))
    columns = {**track_formats.CSV_COLUMNS, "recording_id": "Movie"}
    changed = {"columns": columns, "first_frame": 1, "fate_names": WORDS}
    assert settings == TrackSettings(format="csv", files="all tracks.csv", position_unit="px", **changed)


@pytest.mark.parametrize("name", ["trackmate_xml", "napari_csv"])
def test_a_table_of_fates_is_told_by_its_contents(name, tmp_path):
    case = BY_NAME[name]
    write_images(tmp_path)
    case.write(tmp_path, FAMILY)
    track_formats.write_fates(tmp_path, FAMILY)
    (tmp_path / "fates.csv").rename(tmp_path / "scored by hand.csv")
    given = {**FATES_SETTINGS, "fates_file": "scored by hand.csv", "fate_names": {"dead": "apoptosis"}}
    assert settings_of(recognise(tmp_path)) == expected(case, case.file.replace("01", "{recording_id}"), **given)


def write_fates(root: Path, text: str) -> None:
    write_images(root)
    BY_NAME["trackmate_xml"].write(root, FAMILY)
    (root / "fates.csv").write_text(text)


def test_times_that_fit_hours_and_frames_are_a_question(tmp_path):
    write_fates(tmp_path, "movie,cell,end,time\n01,1,divided,2\n01,3,died,3\n")  # 8 frames of 30 min are 4 h
    question = next(one for one in recognise(tmp_path).open_parameters)
    assert question.key == "tracks.fates_time_unit"
    assert "up to 3: hours since the first frame (h), or frames (frame)? Both fit." in question.words


@pytest.mark.parametrize(
    ("times", "unit"),
    [
        ("time\n01,1,divided,4\n01,3,died,6", "frame"),
        ("time\n01,1,divided,2.0\n01,3,died,2.9", "h"),
        ("Frame\n01,1,divided,4\n01,3,died,4", "frame"),
    ],
)
def test_times_that_fit_one_unit_are_told(times, unit, tmp_path):
    write_fates(tmp_path, f"movie,cell,end,{times}\n")
    assert settings_of(recognise(tmp_path)).fates_time_unit == unit


def test_words_that_nobody_knows_are_a_question(tmp_path):
    write_fates(tmp_path, "movie;cell;end;hours\n01;1;Divided;2,0\n01;3;blebbed;3,0\n01;4;alive;\n")
    seen = recognise(tmp_path)
    question = next(one for one in seen.open_parameters)
    assert question.key == "tracks.fate_names"
    assert question.value == {"Divided": "mitosis", "blebbed": "???"}
    assert "'blebbed'" in question.words
    assert "alive" not in question.words


def test_two_tables_of_fates_and_two_files_of_tracks_are_questions(tmp_path):
    write_fates(tmp_path, "movie,cell,end,hours\n01,1,divided,2\n")
    (tmp_path / "fates2.csv").write_text("movie,cell,end,hours\n01,1,divided,2\n")
    (tmp_path / "01 filtered.xml").write_bytes((tmp_path / "01.xml").read_bytes())
    questions = {one.key: one.words for one in recognise(tmp_path).open_parameters}
    assert "fates.csv, fates2.csv" in questions["tracks.fates_file"]
    assert "{recording_id} filtered.xml, {recording_id}.xml" in questions["tracks.files"]


def test_a_table_that_fits_nothing_is_taken_for_nothing(tmp_path):
    write_images(tmp_path)
    BY_NAME["trackmate_xml"].write(tmp_path, FAMILY)
    (tmp_path / "inventory.csv").write_text("item,price\nbox,3\n")
    seen = recognise(tmp_path)
    assert seen.value("tracks.fates_file") is None
    assert seen.value("recordings.conditions_file") is None
    assert "Not used, since neither fates nor treatments were recognised in them: inventory.csv." in seen.notes


def test_fates_of_cells_that_the_tracks_do_not_have_are_a_question(tmp_path):
    write_fates(tmp_path, "movie,cell,end,hours\n01,77,divided,2\n01,78,died,3\n")
    question = next(one for one in recognise(tmp_path).open_parameters)
    assert question.key == "tracks.fates_columns"
    assert question.value == {"recording_id": "movie", "cell_id": "???", "fate": "end", "time": "hours"}
    assert "numbers that cells have in the tracks, such as 1, 2, 3, ... (the ID of a cell's first" in question.words


@pytest.mark.parametrize(
    ("mother", "daughter", "alone", "by"),
    [("Track_0", "Track_0.b", "Track_1", "track_name"), ("0", "0.b", "1", "track_id")],
)
def test_cells_may_be_called_by_the_names_that_trackmate_gives(mother, daughter, alone, by, tmp_path):
    write_fates(tmp_path, f"movie,track,end,hours\n01,{mother},divided,2\n01,{daughter},died,3\n01,{alone},alive,\n")
    settings = settings_of(recognise(tmp_path))
    assert (settings.fates_cell, settings.name_cells_by, settings.fates_columns.cell_id) == ("cell_name", by, "track")


def test_numbers_that_fit_spots_and_tracks_are_a_question(tmp_path):
    write_fates(tmp_path, "movie,track,end,hours\n01,1,divided,2\n")  # cell 1 begins in spot 1, and track 1 is cell 4
    question = next(one for one in recognise(tmp_path).open_parameters)
    assert question.key == "tracks.fates_cell"
    assert "cell_id, track_id all fit" in question.words


def test_fates_typed_into_spots_are_found(tmp_path):
    write_images(tmp_path)
    BY_NAME["trackmate_xml"].write(tmp_path, FAMILY)
    text = (tmp_path / "01.xml").read_text()
    last = track_formats.spots_of(FAMILY)[3, 6]  # cell 3 dies in frame 6
    (tmp_path / "01.xml").write_text(text.replace(f'name="ID{last}"', 'name="Dead"'))
    seen = recognise(tmp_path)
    settings = settings_of(seen)
    assert settings.columns.fate == "name"
    assert settings.fate_names == {"Dead": "apoptosis"}
    assert seen.value("follow_up.events") is None  # both events: the template's


def test_a_column_of_cells_is_told_by_its_numbers(tmp_path):
    write_fates(tmp_path, "movie,who,points,end,hours\n01,1,500,divided,2\n01,3,900,died,3\n")
    assert settings_of(recognise(tmp_path)).fates_columns.cell_id == "who"


def test_no_tracks_are_a_question(tmp_path):
    write_images(tmp_path)
    (tmp_path / "01_Tracks.xml").write_text('<?xml version="1.0"?><Tracks nTracks="1"></Tracks>')
    question = next(one for one in recognise(tmp_path).open_parameters if one.key == "tracks.format")
    assert "No tracks were found beside the recordings; 01_Tracks.xml is TrackMate's short export" in question.words


def test_the_size_of_a_cell_is_read_from_the_radius_of_spots(tmp_path):
    write_images(tmp_path)
    BY_NAME["trackmate_xml"].write(tmp_path, FAMILY)  # radius 2.5 um, pixels of .5 um
    assert recognise(tmp_path).value("crops.cell_diameter_px") == 10.0


def test_interval_and_pixel_size_are_taken_from_tracks_where_images_do_not_say_them(tmp_path):
    image = np.ones((track_formats.N_FRAMES, track_formats.HEIGHT_PX, track_formats.WIDTH_PX), np.uint16)
    tifffile.imwrite(tmp_path / "01.tif", image, imagej=True, metadata={"axes": "TYX"})
    BY_NAME["trackmate_xml"].write(tmp_path, FAMILY)
    seen = recognise(tmp_path)
    assert seen.value("recordings.frame_interval_min") == 30.0
    assert seen.value("recordings.pixel_size_um") == 0.5


@pytest.mark.parametrize(
    ("length", "time", "interval", "minutes", "size_um", "cell_px"),
    [
        ("pixel", "min", 1.0, None, None, 10.0),  # what nobody set
        ("micron", "sec", 1.0, 1 / 60, 0.5, 10.0),
        ("micron", "min", 30.0, 30.0, 0.5, 10.0),
        ("mm", "h", 0.5, 30.0, 500.0, 10.0),
        ("pixel", "sec", 2.0, 1 / 30, None, 10.0),
    ],
)
def test_what_a_trackmate_file_states_is_told_by_the_rule_of_its_importer(
    length, time, interval, minutes, size_um, cell_px, tmp_path
):
    BY_NAME["trackmate_xml"].write(tmp_path, FAMILY)  # radius 2.5, pixels of .5
    text = (tmp_path / "01.xml").read_text().replace('timeinterval="30.0"', f'timeinterval="{interval}"')
    text = text.replace('spatialunits="micron" timeunits="min"', f'spatialunits="{length}" timeunits="{time}"')
    (tmp_path / "01.xml").write_text(text.replace('RADIUS="2.5"', 'RADIUS="2.5E0"'))
    told = {"frame_interval_min": minutes, "pixel_size_um": size_um, "cell_px": cell_px}
    facts = trackmate_facts(tmp_path / "01.xml")
    assert facts == {key: pytest.approx(value) for key, value in told.items() if value is not None}
    tables = recordings_table().assign(frame_interval_min=0.001, pixel_size_um=0.001), frame_files_table()
    settings = RecordingSettings(layout="tiff_stacks"), TrackSettings(format="trackmate_xml")
    said = " ".join(gather_tracks(RecordingFolder(tmp_path), *tables, *settings)[2]["reason"])
    assert ("states a frame every" in said) is (minutes is not None)
    assert ("states pixels of" in said) is (size_um is not None)


@pytest.mark.parametrize(("unit", "cell_px"), [("micron", 10.0), ("mm", 10_000.0), ("pixel", 5.0), ("ell", None)])
def test_the_size_of_spots_in_a_table_has_its_unit(unit, cell_px, tmp_path):
    BY_NAME["trackmate_csv"].write(tmp_path, FAMILY)  # radius 2.5
    path = tmp_path / "01_spots.csv"
    path.write_text(path.read_text().replace("(micron)", f"({unit})"))
    assert table_facts(path, 0.5) == ({} if cell_px is None else {"cell_px": cell_px})


def test_micrometres_without_a_pixel_size_are_a_question(tmp_path):
    image = np.ones((track_formats.N_FRAMES, track_formats.HEIGHT_PX, track_formats.WIDTH_PX), np.uint16)
    tifffile.imwrite(tmp_path / "01.tif", image, imagej=True, metadata={"axes": "TYX", "finterval": 1800})
    BY_NAME["trackmate_csv"].write(tmp_path, FAMILY)
    assert "recordings.pixel_size_um" in [one.key for one in recognise(tmp_path).open_parameters]


@pytest.mark.parametrize(
    ("change", "question"),
    [
        (lambda table: table.assign(Frame=table["Frame"].clip(1, 7)), "tracks.first_frame"),
        (lambda table: table.assign(Y=table["Y"] / 5, X=table["X"] / 5), "tracks.position_unit"),
        (lambda table: table.assign(Y=table["Y"] * 5), "tracks.position_unit"),
        (lambda table: table.rename(columns={"Track": "who"}), "tracks.format"),
    ],
)
def test_a_table_of_tracks_that_leaves_something_open(change, question, tmp_path):
    write_images(tmp_path)
    BY_NAME["csv"].write(tmp_path, FAMILY)
    table = change(pd.read_csv(tmp_path / "01.csv"))
    table.drop_duplicates([column for column in table.columns if column in ("Track", "Frame")]).to_csv(
        tmp_path / "01.csv", index=False
    )
    assert question in [one.key for one in recognise(tmp_path).open_parameters]


def test_names_of_cells_that_stand_once_are_spots_linked_by_their_parents(tmp_path):
    write_images(tmp_path)
    rows = [
        (10 * cell + frame, 10 * cell + frame - 1 if frame else -1, frame, 10.0, 35.0, cell)
        for cell in (1, 2)
        for frame in range(5)
    ]
    table = pd.DataFrame(rows, columns=["ID", "Parent ID", "Time", "y", "x", "Tracklet ID"])
    table.to_csv(tmp_path / "01.csv", index=False)
    columns = recognise(tmp_path).value("tracks.columns")
    assert columns == {"spot_id": "ID", "parent_spot_id": "Parent ID", "frame": "Time", "y": "y", "x": "x"}
    table.drop(columns="Parent ID").to_csv(tmp_path / "01.csv", index=False)
    columns = recognise(tmp_path).value("tracks.columns")
    assert columns == {"cell_id": "Tracklet ID", "frame": "Time", "y": "y", "x": "x"}


def test_nodes_beside_tracks_are_spots_linked_by_their_parents(tmp_path):
    """As motile exports them: the parent is a node, and the number of the track says nothing of parents."""
    write_images(tmp_path)
    numbers = track_formats.spots_of(FAMILY)
    came_from = {target: numbers[source] for source, target in track_formats.links_of(FAMILY)}
    places = {(cell.cell_id, frame): place for cell in FAMILY for frame, place in cell.centres.items()}
    rows = [(key[1], *places[key], spot, came_from.get(key, ""), key[0]) for key, spot in numbers.items()]
    table = pd.DataFrame(rows, columns=["t", "y", "x", "node_id", "parent_id", "track_id"])
    table.to_csv(tmp_path / "01.csv", index=False)
    columns = recognise(tmp_path).value("tracks.columns")
    assert columns == {"spot_id": "node_id", "parent_spot_id": "parent_id", "frame": "t", "y": "y", "x": "x"}


def test_a_table_of_splits_beside_a_table_of_tracks_says_who_came_from_whom(tmp_path):
    """As laptrack gives both."""
    write_images(tmp_path)
    rows = [(frame, *place, cell.cell_id) for cell in FAMILY for frame, place in cell.centres.items()]
    pd.DataFrame(rows, columns=["frame", "y", "x", "track_id"]).to_csv(tmp_path / "01_tracks.csv", index=False)
    (tmp_path / "01_split.csv").write_text("parent_track_id,child_track_id\n1,2\n1,3\n")
    seen = recognise(tmp_path)
    assert seen.value("tracks.graph_file") == "{recording_id}_split.csv"
    assert seen.value("tracks.columns").keys() == {"cell_id", "frame", "y", "x"}
    assert "tracks.fates_file" not in [one.key for one in seen.open_parameters]


def test_a_table_of_spots_without_units_is_asked_for_that_of_positions(tmp_path):
    """Half of the image in pixels is the whole of it in micrometres of .5 px."""
    write_images(tmp_path)
    BY_NAME["trackmate_csv"].write(tmp_path, FAMILY)
    assert "tracks.position_unit" not in [one.key for one in recognise(tmp_path).values]
    pd.read_csv(tmp_path / "01_spots.csv", skiprows=[1, 2, 3]).to_csv(tmp_path / "01_spots.csv", index=False)
    assert "tracks.position_unit" in [one.key for one in recognise(tmp_path).open_parameters]


def test_one_table_of_objects_of_all_movies(tmp_path):
    """As CellProfiler writes it: images go on counting, and metadata says which movie and frame each is."""
    write_images(tmp_path, "01", "02")
    BY_NAME["cellprofiler_csv"].write(tmp_path, FAMILY)
    one, n_frames = pd.read_csv(tmp_path / "01.csv"), track_formats.N_FRAMES
    (tmp_path / "01.csv").unlink()
    movies = []
    for place, name in enumerate(("01", "02")):
        parent = one["TrackObjects_ParentImageNumber_50"]
        counted = {
            "TrackObjects_ParentImageNumber_50": parent.where(~(parent > 0), parent + place * n_frames),
            "ImageNumber": one["ImageNumber"] + place * n_frames,
        }
        movies.append(one.assign(Metadata_Movie=name, Metadata_Frame=one["ImageNumber"], **counted))
    table = pd.concat(movies)
    table.to_csv(tmp_path / "Nuclei.csv", index=False)
    seen = recognise(tmp_path)
    assert (seen.value("tracks.format"), seen.value("tracks.files")) == ("cellprofiler_csv", "Nuclei.csv")
    assert seen.value("tracks.columns") == {"recording_id": "Metadata_Movie", "frame": "Metadata_Frame"}
    assert seen.value("tracks.first_frame") == 1
    table.drop(columns=["Metadata_Movie", "Metadata_Frame"]).to_csv(tmp_path / "Nuclei.csv", index=False)
    assert "tracks.columns" in [one.key for one in recognise(tmp_path).open_parameters]


def test_a_missing_file_of_the_graph_is_told_and_asks_for_no_other_format(tmp_path):
    write_images(tmp_path, "01", "02")
    BY_NAME["napari_csv"].write(tmp_path, FAMILY)
    for ending in (".csv", "_graph.json"):
        (tmp_path / f"02{ending}").write_bytes((tmp_path / f"01{ending}").read_bytes())
    (tmp_path / "01_graph.json").unlink()
    (tmp_path / "02.csv").unlink()
    seen = recognise(tmp_path)
    assert "tracks.edges_file" not in [one.key for one in seen.values]
    assert seen.value("tracks.graph_file") == "{recording_id}_graph.json"
    assert any("Recording '01' has no file of parents" in note for note in seen.notes)


def test_images_alone_are_recognised_first(tmp_path):
    write_images(tmp_path)
    assert recognise_images(survey_folder(tmp_path)).names == ("01",)


def test_deaths_without_a_time_are_a_question_and_divisions_without_one_are_left_to_the_tracks(tmp_path):
    write_fates(tmp_path, "movie,cell,end\n01,1,divided\n01,3,died\n")
    question = next(one for one in recognise(tmp_path).open_parameters)
    assert question.key == "tracks.fates_columns"
    assert "no column says when" in question.words
    (tmp_path / "fates.csv").write_text("movie,cell,end\n01,1,divided\n")
    assert "fates.csv has words for fates but not when; it is not used." in recognise(tmp_path).notes


def test_rows_of_spots_of_several_recordings_are_told_by_their_links(tmp_path):
    write_images(tmp_path, "01", "02")
    numbers = track_formats.spots_of(FAMILY)
    came_from = {target: numbers[source] for source, target in track_formats.links_of(FAMILY)}
    places = {(cell.cell_id, frame): place for cell in FAMILY for frame, place in cell.centres.items()}
    rows = [(spot, came_from.get(key, ""), key[1], *places[key]) for key, spot in numbers.items()]
    table = pd.DataFrame(rows, columns=["spot", "parent", "frame", "y", "x"])
    pd.concat([table.assign(movie="01"), table.assign(movie="02")]).to_csv(tmp_path / "spots.csv", index=False)
    columns = settings_of(recognise(tmp_path)).columns
    assert (columns.spot_id, columns.parent_spot_id, columns.recording_id) == ("spot", "parent", "movie")
    assert columns.parent_id is None
