"""Tables that can be read in two ways: what is not certain is asked, and what is left out is said."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import pytest

from cellfate.recognition.proposals import Part
from cellfate.recognition.recognising import recognise
from tests.cases.track_formats import FAMILY, links_of, spots_of
from tests.unit.recognition.test_conditions import write_recordings
from tests.unit.recognition.test_tracks import BY_NAME, write_images
from tests.unit.recognition.test_whole import write_and_read

NAMES = ("A01", "A02", "A03")
N_FRAMES = 30
"""Of half an hour each."""


def tracks(last: int = N_FRAMES - 1) -> pd.DataFrame:
    """Six cells that stand still."""
    rows = [(cell, frame, 2.0 * cell, 15.0 - cell) for cell in range(1, 7) for frame in range(last + 1)]
    return pd.DataFrame(rows, columns=["cell", "frame", "y", "x"])


def fates(names: tuple[str, ...] = NAMES, **columns: Any) -> pd.DataFrame:
    """Every cell of every recording, and other columns that each have six values, one a cell."""
    rows = [(name, cell, "died" if cell % 2 else "divided") for name in names for cell in range(1, 7)]
    table = pd.DataFrame(rows, columns=["Movie", "Cell", "Fate"])
    return table.assign(**{name: list(values) * len(names) for name, values in columns.items()})


def look(
    root: Path,
    change: Callable[[pd.DataFrame], pd.DataFrame] = lambda table: table,
    names: tuple[str, ...] = NAMES,
    **tables: pd.DataFrame | str,
) -> Part:
    """Write a folder of recordings, tracks of each, and tables; say what is recognised in it."""
    root.mkdir(exist_ok=True)
    write_recordings(root, names)
    for name in names:
        change(tracks()).to_csv(root / f"{name}_tracks.csv", index=False)
    for name, table in tables.items():
        (root / f"{name}.csv").write_text(table if isinstance(table, str) else table.to_csv(index=False))
    return recognise(root)


def asked(seen: Part) -> dict[str, Any]:
    """What is asked, by parameter; that the size of a cell is always asked here is left out."""
    return {one.key: one for one in seen.open_parameters if one.key != "crops.cell_diameter_px"}


# Which column is the cell


def test_two_columns_of_a_fate_table_that_fit_the_cells_are_a_question(tmp_path):
    table = fates(Track=[6, 5, 4, 3, 2, 1], Hours=[2] * 6)
    question = asked(look(tmp_path, fates=table))["tracks.fates_columns"]
    assert question.value["cell_id"] == "???"
    assert "columns Cell, Track both hold numbers of cells" in question.words


def test_two_columns_that_hold_the_same_are_none(tmp_path):
    assert asked(look(tmp_path, fates=fates(Track=range(1, 7), Hours=[2] * 6))) == {}


def test_a_number_within_the_frame_beside_a_track_is_a_question(tmp_path):
    def within_frame(table: pd.DataFrame) -> pd.DataFrame:
        table = table[(table["cell"] != 1) | (table["frame"] < 9)].rename(columns={"cell": "track"})
        return table.assign(cell=table.groupby("frame").cumcount() + 1)

    questions = asked(look(tmp_path, within_frame))
    assert questions["tracks.columns"].value["cell_id"] == "???"
    assert "Columns cell, track may both be the cell" in questions["tracks.columns"].words


# Which column names recordings


@pytest.mark.parametrize("doses", ["210", "012"])
def test_doses_do_not_name_recordings_that_are_numbers(doses, tmp_path):
    table = pd.DataFrame({"Sample": ["a", "b", "c"], "Drug": ["DMSO", "x", "y"], "Dose": list(doses)})
    question = asked(look(tmp_path, names=("0", "1", "2"), plate=table))["recordings.conditions_file"]
    assert question.words.startswith("plate.csv looks like treatments (Drug, Dose), but no column names recordings")
    assert "a part of" not in question.words


def test_numbers_of_cells_do_not_name_recordings(tmp_path):
    table = fates(names=("1", "2", "3"), Hours=[2] * 6, Score=[1, 2, 3, 1, 2, 3]).rename(columns={"Movie": "Film"})
    seen = look(tmp_path, names=("1", "2", "3"), fates=table.assign(Film="film" + table["Film"]))
    value = asked(seen)["tracks.fates_columns"].value
    assert (value["recording_id"], value["cell_id"]) == ("???", "Cell")


def test_numbers_under_a_name_of_recordings_name_them(tmp_path):
    table = fates(names=("1", "2", "3"), Hours=[2] * 6).rename(columns={"Movie": "Movie no."})
    assert asked(look(tmp_path, names=("1", "2", "3"), fates=table)) == {}


def test_two_columns_of_numbers_that_could_name_recordings_are_a_question(tmp_path):
    names = ("1", "2", "3")
    table = fates(names=names, Hours=[2] * 6)
    table = table.assign(Field=table["Movie"].map({"1": 3, "2": 2, "3": 1}), Well=1)  # one well is no rival
    question = asked(look(tmp_path, names=names, fates=table))["tracks.fates_columns"]
    assert question.value["recording_id"] == "???"
    assert "columns Movie, Field both do, and differ" in question.words


def test_two_columns_that_name_the_same_recordings_are_none(tmp_path):
    table = fates(Hours=[2] * 6)
    table = table.assign(Movie=table["Movie"].str.lower(), file=table["Movie"] + ".ome.tif")
    assert asked(look(tmp_path, fates=table)) == {}


def test_a_table_of_all_tracks_that_calls_recordings_otherwise_is_a_question(tmp_path):
    names = ("1", "2", "3")
    write_recordings(tmp_path, names)
    pd.concat([tracks().assign(Movie=f"pos{name}") for name in names]).to_csv(tmp_path / "all.csv", index=False)
    value = asked(recognise(tmp_path))["tracks.columns"].value
    assert (value["cell_id"], value["recording_id"]) == ("cell", "???")


# A table without words for fates


def test_cells_with_a_frame_of_death_and_no_word_are_a_question_and_the_keys_stand_in_the_file(tmp_path):
    table = fates(**{"frame of death": [9] * 6}).drop(columns="Fate").rename(columns={"Cell": "track"})
    seen = look(tmp_path / "data", deaths=table)
    question = asked(seen)["tracks.fates_file"]
    assert "deaths.csv names cells (column track) but has no words for fates" in question.words
    columns = {"recording_id": "Movie", "cell_id": "track", "fate": "fate", "time": "frame of death"}
    assert seen.value("tracks.fates_columns") == columns
    assert seen.value("tracks.fates_time_unit") == "frame"
    assert seen.value("follow_up.events") is None  # both: the template's
    table.assign(fate="died").to_csv(tmp_path / "data" / "deaths.csv", index=False)
    given = {"tracks.fates_file": "deaths.csv", "crops.cell_diameter_px": 10}
    (tmp_path / "data" / "deaths.csv").write_text(table.to_csv(index=False))
    assert write_and_read(tmp_path, tmp_path / "data", **given)["tracks"]["fates_columns"] == columns


@pytest.mark.parametrize("words", [("apopt.", "mit."), ("1", "2")])
def test_words_of_which_nobody_knows_any_are_asked_under_a_name_of_fates(words, tmp_path):
    table = fates(Hours=[2] * 6).replace({"Fate": {"died": words[0], "divided": words[1]}})
    seen = look(tmp_path, fates=table)
    assert asked(seen)["tracks.fate_names"].value == dict.fromkeys(words, "???")
    assert seen.value("tracks.fates_columns")["fate"] == "Fate"
    assert seen.value("follow_up.events") is None


def test_a_word_that_nobody_knows_may_be_the_other_event(tmp_path):
    seen = look(tmp_path, fates=fates(Hours=[2] * 6).replace({"Fate": {"died": "blebbed"}}))
    assert asked(seen)["tracks.fate_names"].value == {"divided": "mitosis", "blebbed": "???"}
    assert seen.value("follow_up.events") is None


def test_a_second_table_of_cells_without_words_is_not_passed_over(tmp_path):
    deaths = fates(death_frame=[9] * 6).drop(columns="Fate")
    question = asked(look(tmp_path, fates=fates(Hours=[2] * 6), deaths=deaths))["tracks.fates_file"]
    assert question.words == "Fates may be in fates.csv, deaths.csv; say which table is meant."


def test_measurements_of_cells_are_no_fates(tmp_path):
    table = pd.concat([tracks().assign(Movie=name, area=30).drop(columns=["y", "x"]) for name in NAMES])
    seen = look(tmp_path, areas=table)
    assert "tracks.fates_columns" not in {one.key for one in seen.values}
    assert "Not used, since neither fates nor treatments were recognised in them: areas.csv." in seen.notes


@pytest.mark.parametrize("name", ["frame of death", "Fate slice", "death_frame", "division frame", "End frame"])
def test_frames_of_events_are_told_by_name(name, tmp_path):
    seen = look(tmp_path, fates=fates(**{name: [9] * 6}))
    assert asked(seen) == {}
    assert seen.value("tracks.fates_columns")["time"] == name
    assert seen.value("tracks.fates_time_unit") == "frame"


@pytest.mark.parametrize("name", ["t_div", "time of death"])
def test_times_of_events_are_told_by_name_and_their_unit_is_asked(name, tmp_path):
    seen = look(tmp_path, fates=fates(**{name: [9] * 6}))
    assert seen.value("tracks.fates_columns")["time"] == name
    assert list(asked(seen)) == ["tracks.fates_time_unit"]


# By what a table calls cells

FATES = "movie,track_id,end,hours\n01,{},divided,2.0\n01,{},died,2.9\n"


def look_at_geff(root: Path, numbers: dict[int, int], text: str) -> Part:
    """A GEFF whose first spots are 1, 2, 3, 4, with a node property track_id that numbers cells."""
    import geff
    import networkx as nx

    write_images(root)
    spots, graph = spots_of(FAMILY), nx.DiGraph()
    for cell in FAMILY:
        for frame, (y, x) in cell.centres.items():
            number = spots[cell.cell_id, frame]
            graph.add_node(number, t=frame, y=float(y), x=float(x), track_id=numbers[cell.cell_id])
    graph.add_edges_from((spots[source], spots[target]) for source, target in links_of(FAMILY))
    geff.write(graph, root / "01.geff", axis_names=["t", "y", "x"], axis_types=["time", "space", "space"])
    (root / "fates.csv").write_text(text)
    return recognise(root)


def test_numbers_of_a_node_property_are_told_and_read(tmp_path):
    seen = look_at_geff(tmp_path / "data", {1: 101, 2: 102, 3: 103, 4: 104}, FATES.format(101, 103))
    assert list(asked(seen)) == []
    parameters = write_and_read(tmp_path, tmp_path / "data", **{"crops.cell_diameter_px": 10})
    assert parameters["tracks"]["columns"]["cell_id"] == "track_id"
    assert parameters["tracks"]["fates_columns"]["cell_id"] == "track_id"


@pytest.mark.parametrize("numbers", [{1: 1, 2: 10, 3: 3, 4: 4}, {1: 1, 2: 4, 3: 3, 4: 2}])
def test_numbers_that_fit_spots_and_a_node_property_are_a_question(numbers, tmp_path):
    """Cell 2 or 10, and 4 or 2: taken for spots, a fate would be that of another cell."""
    question = asked(look_at_geff(tmp_path, numbers, FATES.format(1, 3)))["tracks.columns"]
    assert question.value == {"cell_id": "???"}
    assert "Column track_id of fates.csv may hold the numbers of the node property track_id" in question.words


def test_numbers_of_no_node_property_are_a_question_with_the_alternatives(tmp_path):
    question = asked(look_at_geff(tmp_path, {1: 7, 2: 7, 3: 7, 4: 9}, FATES.format(7, 9)))["tracks.fates_columns"]
    assert question.value["cell_id"] == "???"
    assert "a node property that numbers cells and is named in tracks.columns.cell_id" in question.words


def test_names_in_the_tables_of_trackmate_are_those_by_track_id(tmp_path):
    write_images(tmp_path)
    BY_NAME["trackmate_csv"].write(tmp_path, FAMILY)
    (tmp_path / "fates.csv").write_text("movie,cell,end,hours\n01,0,divided,2.0\n01,0.a,died,2.9\n")
    seen = recognise(tmp_path)
    assert (seen.value("tracks.fates_cell"), seen.value("tracks.name_cells_by")) == ("cell_name", None)
    (tmp_path / "fates.csv").write_text("movie,cell,end,hours\n01,Track_0,divided,2.0\n01,Track_0.a,died,2.9\n")
    words = asked(recognise(tmp_path))["tracks.fates_columns"].words
    assert "or its TRACK_ID, as 0, 0.a, 0.b, ...; names such as Track_3 are in TrackMate's XML alone" in words


# Units of time


@pytest.mark.parametrize(
    ("name", "times", "words"),
    [
        ("Event time (h)", [4, 5, 6], "Column Event time (h) of A01_tracks.csv holds hours"),
        ("Event time (min)", [40, 50, 60], "Column Event time (min) of A01_tracks.csv holds minutes"),
        ("event time", [4.5, 5.0, 6.0], "Column event time of A01_tracks.csv has fractions"),
        ("event time", [4, 5, 6], "Column event time of A01_tracks.csv has times that are not where tracks end"),
    ],
)
def test_times_of_events_in_tracks_that_are_no_frames_are_a_question(name, times, words, tmp_path):
    def with_events(table: pd.DataFrame) -> pd.DataFrame:
        return table.assign(Fate="died", **{name: table["cell"].map(lambda cell: times[cell % 3])})

    question = asked(look(tmp_path, with_events))["tracks.columns"]
    assert question.value["event_frame"] == "???"
    assert words in question.words


def test_hours_of_events_in_a_geff_are_a_question(tmp_path):
    write_images(tmp_path)
    BY_NAME["geff"].write(tmp_path, FAMILY)
    nodes = tmp_path / "01.geff" / "nodes" / "props"
    (nodes / "when").rename(nodes / "event_time_h")
    question = asked(recognise(tmp_path))["tracks.columns"]
    assert question.value == {"fate": "outcome", "event_frame": "???"}
    assert "event_time_h is a time" in question.words


@pytest.mark.parametrize(("name", "frame"), [("event time", N_FRAMES - 1), ("Fate slice", 9)])
def test_frames_of_events_in_tracks_are_taken(name, frame, tmp_path):
    seen = look(tmp_path, lambda table: table.assign(Fate="died", **{name: frame}))
    assert asked(seen) == {}
    assert seen.value("tracks.columns")["event_frame"] == name


@pytest.mark.parametrize(
    ("name", "times", "seen_as"),
    [
        ("Time", [30, 60, 90, 120, 150, 300], "up to 300, which fit as minutes alone"),
        ("Time", [12.5, 25.5, 30.5, 44.5, 60.5, 90.5], "up to 90.5, which fit as minutes alone"),
        ("Time (min)", [1, 2, 3, 4, 5, 6], "the name of column Time (min)"),
    ],
)
def test_minutes_are_told_by_length_or_name(name, times, seen_as, tmp_path):
    seen = look(tmp_path, fates=fates(**{name: times}))
    assert asked(seen) == {}
    (unit,) = (one for one in seen.values if one.key == "tracks.fates_time_unit")
    assert unit.value == "min"
    assert unit.words.endswith(seen_as)


@pytest.mark.parametrize(
    ("times", "words"),
    [
        ([30, 30, 30, 30, 30, 30], "up to 30: frames (frame), or minutes (min)? Both fit"),
        ([1, 2, 3, 4, 5, 999], "up to 999, which fits neither hours (h) nor minutes (min) nor frames (frame)"),
    ],
)
def test_minutes_are_never_taken_for_frames_or_hours(times, words, tmp_path):
    assert words in asked(look(tmp_path, fates=fates(Time=times)))["tracks.fates_time_unit"].words


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("Time (days)", "calls days"),
        ("Time (%)", "calls '%'"),
        ("Time (s)", "calls seconds"),
        ("Time [wk]", "calls 'wk'"),
    ],
)
def test_times_in_a_unit_that_is_not_read_are_a_question(name, words, tmp_path):
    question = asked(look(tmp_path, fates=fates(**{name: [0.1, 0.2, 0.3, 0.4, 0.5, 0.6]})))["tracks.fates_time_unit"]
    assert f"up to 0.6, which its name {words}; write hours or minutes into the table" in question.words


def test_two_times_that_differ_are_a_question_with_the_unit_of_either(tmp_path):
    for place, columns in enumerate(
        ({"Frame": [0] * 6, "End frame": [9] * 6}, {"Time": [0] * 6, "Event frame": [9] * 6})
    ):
        seen = look(tmp_path / str(place), fates=fates(**columns))
        question = asked(seen)["tracks.fates_columns"]
        assert question.value["time"] == "???"
        assert "columns " in question.words
        assert "both may say when" in question.words
        assert seen.value("tracks.fates_time_unit") == ("???" if place else "frame")


def test_frames_and_hours_of_the_same_times_are_no_question(tmp_path):
    table = fates(Slice=[2, 4, 6, 8, 10, 12], Hours=[0.5, 1.5, 2.5, 3.5, 4.5, 5.5])
    assert asked(look(tmp_path, fates=table)) == {}


def test_times_that_are_no_numbers_are_named(tmp_path):
    table = fates(Hours=[1, 2, 3, 4, 5, 6]).astype(str)
    table.loc[0, "Hours"] = "(h)"
    assert "column Hours holds '(h)' in line 2" in asked(look(tmp_path, fates=table))["tracks.fates_columns"].words
    table["Hours"] = "01:30:00"
    table.to_csv(tmp_path / "fates.csv", index=False)
    words = asked(recognise(tmp_path))["tracks.fates_columns"].words
    assert "column Hours holds the clock time '01:30:00' in line 2; write hours as numbers, such as 1.5" in words


# Positions and words


def test_corners_beside_centres_are_a_question(tmp_path):
    question = asked(look(tmp_path, lambda table: table.assign(centroid_y=table["y"] + 1, centroid_x=table["x"] + 1)))
    assert {role for role, name in question["tracks.columns"].value.items() if name == "???"} == {"y", "x"}
    assert "Columns y, centroid_y may both be y" in question["tracks.columns"].words


def test_micrometres_beside_pixels_are_none(tmp_path):
    seen = look(tmp_path, lambda table: table.assign(x_um=table["x"] / 2, y_um=table["y"] / 2))
    assert "tracks.columns" not in asked(seen)


def test_a_class_of_each_frame_is_no_fate(tmp_path):
    seen = look(
        tmp_path, lambda table: table.assign(state=table["frame"].map(lambda one: "mitotic" if one > 27 else ""))
    )
    question = asked(seen)["tracks.columns"]
    assert question.value["fate"] == "???"
    assert "Column state differs between the frames of a cell" in question.words


def test_a_table_of_classes_of_each_frame_is_no_table_of_fates(tmp_path):
    table = pd.concat([tracks().assign(Movie=name) for name in NAMES])
    table["State"] = table["frame"].map(lambda one: "mitotic" if one > 27 else "interphase")
    seen = look(tmp_path, states=table.drop(columns=["y", "x"]))
    assert "Column State of states.csv differs between the rows of a cell" in asked(seen)["tracks.fates_file"].words
    assert "tracks.fate_names" not in asked(seen)


def test_question_marks_for_a_fate_are_nobody_s_knowledge(tmp_path):
    table = fates(Hours=[2] * 6)
    table.loc[3, "Fate"] = "???"
    look(tmp_path / "data", fates=table)
    parameters = write_and_read(tmp_path, tmp_path / "data", **{"crops.cell_diameter_px": 10})
    assert parameters["tracks"]["fate_names"] == {"died": "apoptosis", "divided": "mitosis", "???": "unscored"}


# Headers and sheets


def test_lines_above_the_header_are_told(tmp_path):
    text = "Experiment 2024,,,\nScored by hand,,,\n" + fates(Hours=[2] * 6).to_csv(index=False)
    question = asked(look(tmp_path, fates=text))["tracks.fates_file"]
    assert "the header of fates.csv seems to stand in line 3 (Movie, Cell, Fate, Hours)" in question.words
    (tmp_path / "fates.csv").write_text("Plate 3,\nWell,Drug\nA01,x\nA02,y\nA03,y\n")
    question = asked(recognise(tmp_path))["recordings.conditions_file"]
    assert "the header of fates.csv seems to stand in line 2 (Well, Drug)" in question.words
    for name in NAMES:
        (tmp_path / f"{name}_tracks.csv").write_text("Tracked by hand\n" + tracks().to_csv(index=False))
    words = asked(recognise(tmp_path))["tracks.format"].words
    assert "the header of A01_tracks.csv seems to stand in line 2 (cell, frame, y, x)" in words


@pytest.mark.parametrize("first", [["see the next sheet"], []])
def test_a_table_on_the_second_sheet_is_told(first, tmp_path):
    look(tmp_path)
    book = openpyxl.Workbook()
    book.active.append(first)
    sheet = book.create_sheet("scored")
    for row in [["Movie", "Cell", "Fate", "Hours"], ["A01", 1, "died", 3]]:
        sheet.append(row)
    book.save(tmp_path / "fates.xlsx")
    question = asked(recognise(tmp_path))["tracks.fates_file"]
    assert "sheet scored of fates.xlsx seems to hold some (Movie, Cell, Fate, Hours)" in question.words


def test_rows_without_a_recording_are_counted(tmp_path):
    table = fates(Hours=[2] * 6)
    table.loc[table["Cell"] > 1, "Movie"] = ""
    question = asked(look(tmp_path, fates=table))["tracks.fates_columns"]
    assert question.value["recording_id"] == "???"
    assert "column Movie is blank on 15 of 18 rows" in question.words


def test_tables_that_are_recognised_are_not_looked_for_elsewhere(tmp_path):
    look(tmp_path, fates=fates(Hours=[2] * 6), others=fates(Hours=[2] * 6))
    (tmp_path / "old.csv").write_text("Old scores\n" + fates(Hours=[2] * 6).to_csv(index=False))
    assert asked(recognise(tmp_path))["tracks.fates_file"].words.startswith("Fates may be in fates.csv, others.csv")


# Conditions


def test_columns_of_a_plate_map_that_are_not_used_are_named(tmp_path):
    table = "Well,Drug,Dose,Drug 2,Dose 2\nA01,DMSO,0,,\nA02,x,5,y,1\nA03,x,5,y,10\n"
    assert "Columns of map.csv that are not used: Drug 2, Dose 2." in look(tmp_path, map=table).notes


def test_two_columns_of_doses_are_a_question(tmp_path):
    table = "Well,Conc (uM),Dose\nA01,0,low\nA02,1,low\nA03,2,high\n"
    question = asked(look(tmp_path, map=table))["recordings.conditions_columns"]
    assert question.value["dose"] == "???"
    assert "columns Dose, Conc (uM) may both be the dose" in question.words


def test_only_wells_that_were_imaged_make_groups_and_doses(tmp_path):
    rows = [f"{row}{column:02d},d,{column},day{row}" for row in "ABCDEFGH" for column in range(1, 13)]
    seen = look(tmp_path, map="\n".join(["Well,Drug,Dose (nM),Day", *rows]) + "\n")
    assert "Column Day of map.csv makes 1 group, too few to be parted; not used." in seen.notes
    assert seen.value("splits.n_folds") == 3
    seen = look(tmp_path, map="Well,Drug,Dose\nA01,d,0\nA02,d,0\nA03,d,0\nB01,d,9\n")
    assert "dose" not in seen.value("references.names_within_hours")


def test_a_day_that_is_taken_as_the_group_is_said(tmp_path):
    names = ("A01", "A02", "A03", "A04", "A05", "A06")
    rows = [f"{name},d,{place},{place // 2}" for place, name in enumerate(names)]
    seen = look(tmp_path, names=names, map="\n".join(["Well,Drug,Dose,Day", *rows]) + "\n")
    assert "Splits keep recordings of one Day together (map.csv): 3 groups." in seen.notes


def test_a_table_that_names_recordings_is_never_only_left_out(tmp_path):
    """In a language that nobody here knows."""
    rows = [(name, cell, "x9" if cell > "c" else "x7") for name in NAMES for cell in "abcdef"]
    foreign = pd.DataFrame(rows, columns=["Vertiefung", "Kuerzel", "Schicksal"])
    question = asked(look(tmp_path, Auswertung=foreign))["tracks.fates_file"]
    assert "Auswertung.csv names recordings (column Vertiefung)" in question.words
    assert "tracks.fates_columns" in question.words
    plates = pd.DataFrame({"Vertiefung": NAMES, "Wirkstoff": ["q", "r", "q"]})
    question = asked(look(tmp_path / "plates", Belegung=plates))["recordings.conditions_file"]
    assert "Belegung.csv names recordings (column Vertiefung)" in question.words
