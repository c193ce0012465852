"""The examples of docs/tracks.md are allowed, complete, and read as they say."""

import json
import re
from pathlib import Path
from typing import get_args

import pytest
import yaml

from cellfate.tracks import TrackSettings
from cellfate.tracks.settings import Format
from tests.cases.track_formats import gather

TEXT = (Path(__file__).parents[3] / "docs" / "tracks.md").read_text(encoding="utf-8")
PARTS = {part.split("\n")[0]: part for part in re.split(r"^## ", TEXT, flags=re.MULTILINE)[1:]}
SETTINGS = [yaml.safe_load(block)["tracks"] for block in re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL)]


def example(part: str, kind: str = "") -> str:
    found = re.search(rf"```{kind}\n(.*?)```", PARTS[part], re.DOTALL)
    assert found
    return found.group(1)


def settings(part: str) -> dict:
    return yaml.safe_load(example(part, "yaml"))["tracks"]


@pytest.mark.parametrize("values", SETTINGS, ids=lambda values: str(values.get("format")))
def test_every_example_is_allowed(values: dict) -> None:
    TrackSettings(**values)


def test_every_format_has_an_example_and_a_line_in_the_table_of_evidence() -> None:
    elsewhere = {"coco_vid", "cell_tracking_challenge", "intervals"}  # docs/recordings.md and docs/traces.md
    assert {values.get("format") for values in SETTINGS} == set(get_args(Format)) - elsewhere | {None}
    assert set(re.findall(r"^\| `(\w+)` \|", PARTS["What counts as evidence"], re.MULTILINE)) == set(get_args(Format))


def test_the_example_of_a_plain_csv_is_read_with_its_fates(tmp_path: Path) -> None:
    (tmp_path / "01.csv").write_text(example("Plain CSV"))
    detections, cells, problems = gather(tmp_path, **settings("Plain CSV"))
    assert problems.empty
    assert detections["frame"].tolist() == [0, 4]
    assert cells["fate"].tolist() == ["mitosis", "apoptosis"]
    assert cells["event_frame"].tolist() == [4, 6]


def test_the_example_of_trackmate_csv_is_read(tmp_path: Path) -> None:
    rows = example("TrackMate CSV") + "ID13,13,0,1.0,25.0,8.0,0.0,30.0,1,2.5,1\n"
    (tmp_path / "01_spots.csv").write_text(rows)
    header = "LABEL,TRACK_ID,SPOT_SOURCE_ID,SPOT_TARGET_ID\n" * 3 + ",,,\n"
    (tmp_path / "01_edges.csv").write_text(header.replace("\nLABEL,TRACK_ID,SPOT_SOURCE_ID", "\nL,T,S") + "a,0,12,13\n")
    detections, _, problems = gather(tmp_path, **settings("TrackMate CSV"))
    assert problems.empty
    assert detections[["cell_id", "y_px", "x_px"]].to_numpy().tolist() == [[12, 16, 49], [12, 16, 50]]


def test_the_example_of_trackmate_xml_is_read(tmp_path: Path) -> None:
    (tmp_path / "tracks").mkdir()
    second = '<Spot ID="15" FRAME="1" POSITION_X="25.0" POSITION_Y="8.0" VISIBILITY="1" /></SpotsInFrame></AllSpots>'
    text = example("TrackMate XML", "xml").replace("</SpotsInFrame></AllSpots>", second)
    (tmp_path / "tracks" / "01.xml").write_text(text)
    detections, _, problems = gather(tmp_path, **settings("TrackMate XML"))
    assert problems.empty
    assert detections[["cell_id", "y_px", "x_px"]].to_numpy().tolist() == [[12, 16, 49], [12, 16, 50]]


def test_the_example_of_napari_is_read_with_fates_from_a_table(tmp_path: Path) -> None:
    (tmp_path / "01.csv").write_text(example("napari tracks") + "3,4,8.5,49.0\n")
    graph = example("napari tracks", "json")
    assert json.loads(graph) == {"2": [1], "3": [1]}
    (tmp_path / "01_graph.json").write_text(graph)
    table = "Fates from a separate table"
    fates = example(table).replace("01,4,lost", "01,2,lost").replace("01,5,alive,\n", "")
    (tmp_path / "fates.csv").write_text(fates)
    _, cells, problems = gather(tmp_path, **settings("napari tracks"), **settings(table))
    assert problems.empty
    assert cells["fate"].tolist() == ["mitosis", "censored", "apoptosis"]
    assert cells["event_frame"].fillna(-1).tolist() == [4, -1, 6]


def test_the_example_of_rows_of_spots_is_read(tmp_path: Path) -> None:
    part = TEXT.split("### Rows of spots")[1]
    table, block = re.findall(r"```(?:yaml)?\n(.*?)```", part, re.DOTALL)[:2]
    (tmp_path / "01.csv").write_text(table)
    detections, cells, problems = gather(tmp_path, **yaml.safe_load(block)["tracks"])
    assert problems.empty
    assert detections["cell_id"].tolist() == [1, 1, 3, 4]
    assert cells["fate"].tolist() == ["mitosis", "censored", "censored"]
    assert cells["parent_id"].fillna(0).tolist() == [0, 1, 1]
