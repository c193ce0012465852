"""Fates that were typed into the names of spots, and tables of fates that call cells by name."""

import re
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from pydantic import ValidationError

from cellfate.tracks import TrackSettings
from tests.cases.track_formats import FAMILY, gather, spots_of, write_geff, write_trackmate_csv, write_trackmate_xml

NUMBERS = spots_of(FAMILY)
EDGES = {"edges_file": "{recording_id}_edges.csv"}
WORDS = {"dead": "apoptosis", "divided": "mitosis", "gone": "censored"}


def name_in_xml(root: Path, names: dict[tuple[int, int], str]) -> dict[str, Any]:
    """Write the family, call the spots of (cell, frame) so, and give the settings that read it."""
    write_trackmate_xml(root, FAMILY)
    text = (root / "01.xml").read_text()
    for spot, name in names.items():
        text = text.replace(f'name="ID{NUMBERS[spot]}"', f'name="{name}"')
    (root / "01.xml").write_text(text)
    return {"format": "trackmate_xml", "columns": {"fate": "name"}, "fate_names": WORDS}


def name_in_csv(root: Path, names: dict[tuple[int, int], str]) -> dict[str, Any]:
    write_trackmate_csv(root, FAMILY)
    text = (root / "01_spots.csv").read_text()
    for spot, name in names.items():
        text = text.replace(f"\nID{NUMBERS[spot]},", f"\n{name},")
    (root / "01_spots.csv").write_text(text)
    return {"format": "trackmate_csv", "columns": {"fate": "LABEL"}, "fate_names": WORDS, **EDGES}


each_way = pytest.mark.parametrize("write", [name_in_xml, name_in_csv])


@each_way
def test_the_first_spot_with_a_fate_is_the_event(write: Any, tmp_path: Path) -> None:
    """Cell 3 is called dead in frames 5 and 6, 1 divided in frame 3, before its daughters; 4 is watched to frame 5."""
    names = {(3, 5): "Dead", (3, 6): "dead ", (1, 3): "divided", (4, 3): "gone", (4, 5): "gone", (2, 4): "Track_0.a"}
    detections, cells, problems = gather(tmp_path, **write(tmp_path, names))
    assert problems.empty
    rows = cells.sort_values("cell_id")[["fate", "event_frame"]].astype(object).to_numpy().tolist()
    assert [[fate, None if pd.isna(frame) else frame] for fate, frame in rows] == [
        ["mitosis", 4],
        ["unscored", None],
        ["apoptosis", 5],
        ["censored", None],
    ]
    assert detections.loc[detections["cell_id"] == 4, "frame"].max() == 5


@each_way
@pytest.mark.parametrize(
    ("names", "words"),
    [
        ({(3, 6): "debris"}, "has 'debris' as "),
        ({(3, 5): "dead", (3, 6): "gone"}, "has the fate apoptosis on one row and censored on another"),
        ({(1, 2): "dead"}, "has two daughters but its stated fate is apoptosis"),
    ],
)
def test_names_that_contradict_or_mean_nothing_are_refused(
    write: Any, names: dict[tuple[int, int], str], words: str, tmp_path: Path
) -> None:
    _, _, problems = gather(tmp_path, **write(tmp_path, names))
    assert words in problems["reason"].iloc[0]


def test_an_attribute_that_no_spot_has_is_named(tmp_path: Path) -> None:
    settings = name_in_xml(tmp_path, {}) | {"columns": {"fate": "label"}}
    _, _, problems = gather(tmp_path, **settings)
    assert "No spot in" in problems["reason"].iloc[0]
    assert "has the attribute 'label'" in problems["reason"].iloc[0]
    with pytest.raises(ValidationError, match=r"the first spot with a fate is the event; set columns.event_frame"):
        TrackSettings.model_validate(settings | {"columns": {"fate": "name", "event_frame": "when"}})


def write_named_fates(root: Path, *rows: tuple[str, str, int]) -> dict[str, Any]:
    lines = [f"01,{cell},{fate},{frame}" for cell, fate, frame in rows]
    (root / "fates.csv").write_text("\n".join(["recording_id,cell_id,fate,event_frame", *lines]) + "\n")
    return {"fates_file": "fates.csv", "fates_cell": "cell_name", "unlisted_cells": "censored"}


def move_daughter(root: Path) -> None:
    """Let daughter 2 lie to the right of daughter 3."""
    text = (root / "01.xml").read_text()
    place = text.index('ID="2" name')
    end = text.index("/>", place)
    moved = re.sub(r'POSITION_X="[\d.]+"', 'POSITION_X="20.0"', text[place:end])
    (root / "01.xml").write_text(text[:place] + moved + text[end:])


@pytest.mark.parametrize(("by", "base"), [("track_name", "Track_7"), ("track_id", "0")])
def test_a_table_of_fates_can_call_cells_by_name(by: str, base: str, tmp_path: Path) -> None:
    write_trackmate_xml(tmp_path, FAMILY)
    move_daughter(tmp_path)
    text = (tmp_path / "01.xml").read_text().replace('name="Track_0"', 'name="Track_7"')
    (tmp_path / "01.xml").write_text(text)
    fates = write_named_fates(tmp_path, (f" {base}.a", "apoptosis", 6))
    _, cells, problems = gather(tmp_path, format="trackmate_xml", name_cells_by=by, **fates)
    assert problems.empty
    assert cells.sort_values("cell_id")["fate"].tolist() == ["mitosis", "censored", "apoptosis", "censored"]


def test_a_track_id_is_never_taken_for_the_number_of_a_spot(tmp_path: Path) -> None:
    """TRACK_ID 1 is cell 4, cell 1 is another; 1.0 is what programs for tables make of 1."""
    write_trackmate_csv(tmp_path, FAMILY)
    fates = write_named_fates(tmp_path, ("1.0", "apoptosis", 7))
    _, cells, _ = gather(tmp_path, format="trackmate_csv", **EDGES, **fates)
    assert cells.set_index("cell_id")["fate"].to_dict()[4] == "apoptosis"
    _, _, problems = gather(tmp_path, format="trackmate_csv", **EDGES, **(fates | {"fates_cell": "cell_id"}))
    assert "says apoptosis of cell 1 of recording '01', but its track says mitosis" in problems["reason"].iloc[0]


def test_names_are_the_same_in_small_letters_and_are_no_numbers(tmp_path: Path) -> None:
    write_trackmate_xml(tmp_path, FAMILY)
    fates = write_named_fates(tmp_path, (" track_1", "apoptosis", 7))
    _, cells, _ = gather(tmp_path, format="trackmate_xml", **fates)
    assert cells.set_index("cell_id")["fate"].to_dict()[4] == "apoptosis"
    _, _, problems = gather(tmp_path, format="trackmate_xml", **(fates | {"fates_cell": "cell_id"}))
    assert "calls a cell 'track_1', its name in the tracks" in problems["reason"].iloc[0]
    assert "set tracks.fates_cell to cell_name" in problems["reason"].iloc[0]


def test_names_of_no_cell_or_of_several_are_refused(tmp_path: Path) -> None:
    write_trackmate_xml(tmp_path, FAMILY)
    settings = {
        "format": "trackmate_xml",
        **write_named_fates(tmp_path, ("Track_1", "lost", 7), ("Track_5", "lost", 7)),
    }
    _, _, problems = gather(tmp_path, **settings)
    said = problems["reason"].iloc[0]
    assert "Line 3 of" in said
    assert "names the cell 'Track_5', but no cell has that name (1 such lines; there are Track_0, Track_0.a, " in said
    text = (tmp_path / "01.xml").read_text().replace('name="Track_0"', 'name="Track_1"')
    (tmp_path / "01.xml").write_text(text)
    _, _, problems = gather(tmp_path, **settings)
    assert "names the cell 'Track_1', but 2 cells have that name" in problems["reason"].iloc[0]
    write_geff(tmp_path, FAMILY)
    _, _, problems = gather(tmp_path, **(settings | {"format": "geff"}))
    assert "give cells no names; set tracks.fates_cell to cell_id" in problems["reason"].iloc[0]
