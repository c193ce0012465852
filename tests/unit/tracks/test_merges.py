"""Tracks that merge: refused with all places, or cut there.

cells 1 and 2 (frames 0-2) merge into 3 (frames 3-5); cell 4 (frames 0-5) is alone
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import zarr

from cellfate.imaging import RecordingFolder, RecordingSettings
from cellfate.tracks import TrackSettings, import_tracks
from cellfate.tracks.graphs import SpotGraph, cut_graph, forget_rejoined
from tests.cases.track_formats import (
    RECORDING,
    TrackedCell,
    expected_detections,
    found_detections,
    frame_files_table,
    gather,
    recordings_table,
    spots_of,
    write_geff,
    write_napari,
    write_trackmate_csv,
    write_trackmate_xml,
)

MERGING = (
    TrackedCell(1, {0: (5, 5), 1: (5, 6), 2: (5, 7)}),
    TrackedCell(2, {0: (9, 5), 1: (9, 6), 2: (9, 7)}),
    TrackedCell(3, {3: (7, 8), 4: (7, 9), 5: (7, 9)}, parent_id=1),
    TrackedCell(4, {frame: (30, 5 + frame) for frame in range(6)}),
)
LAST_OF_2 = spots_of(MERGING)[2, 2]


def merge_in_xml(root: Path) -> None:
    write_trackmate_xml(root, MERGING)
    link = f'<Edge SPOT_SOURCE_ID="{LAST_OF_2}" SPOT_TARGET_ID="3" LINK_COST="1.0" /></Track>'
    path = root / "01.xml"
    path.write_text(path.read_text().replace("</Track>", link, 1))


def merge_in_csv(root: Path) -> None:
    write_trackmate_csv(root, MERGING)
    with (root / "01_edges.csv").open("a") as file:
        file.write(f"a link,0,{LAST_OF_2},3,1.0\n")


def merge_in_geff(root: Path) -> None:
    write_geff(root, MERGING)
    group = zarr.open_group(root / "01.geff", mode="r+")
    edges = np.concatenate([group["edges/ids"][:], [[LAST_OF_2, 3]]]).astype(group["edges/ids"].dtype)
    group.create_array("edges/ids", data=edges, overwrite=True)


def merge_in_napari(root: Path) -> None:
    write_napari(root, MERGING)
    (root / "01_graph.json").write_text(json.dumps({"3": [1, 2]}))


CASES: dict[str, tuple[Callable[[Path], None], dict[str, Any], str]] = {
    "trackmate_xml": (merge_in_xml, {}, "spot 3 in frame 3"),
    "trackmate_csv": (merge_in_csv, {"edges_file": "{recording_id}_edges.csv"}, "spot 3 in frame 3"),
    "geff": (merge_in_geff, {}, "spot 3 in frame 3"),
    "napari_csv": (merge_in_napari, {"graph_file": "{recording_id}_graph.json"}, "cell 3"),
}
each_format = pytest.mark.parametrize("name", CASES)


@each_format
def test_merges_are_refused_unless_they_are_to_be_cut(name: str, tmp_path: Path) -> None:
    write, settings, place = CASES[name]
    write(tmp_path)
    _, cells, problems = gather(tmp_path, format=name, **settings)
    assert cells.empty
    assert f"({place}), but a cell comes from one" in problems["reason"].iloc[0]
    assert "set tracks.on_merge to cut" in problems["reason"].iloc[0]


@each_format
def test_cells_end_where_they_merge_and_the_rest_is_read(
    name: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write, settings, place = CASES[name]
    write(tmp_path)
    tracks = TrackSettings(format=name, on_merge="cut", **settings)
    layout = RecordingSettings(layout="cell_tracking_challenge", channels=("gfp",), frame_interval_min=30)
    tables = recordings_table(), frame_files_table()
    detections, cells, set_aside = import_tracks(RecordingFolder(tmp_path), *tables, layout, tracks)
    assert set_aside.empty
    assert found_detections(detections) == expected_detections(MERGING)
    assert cells["cell_id"].tolist() == [1, 2, 3, 4]
    assert cells["parent_id"].isna().all()
    assert set(cells["fate"]) == {"censored"}
    assert f"merge at 1 place and were cut there ({place})" in caplog.text
    _, _, problems = gather(tmp_path, format=name, on_merge="cut", **settings)
    assert problems[["recording_id", "check"]].to_numpy().tolist() == [[RECORDING, "merge"]]


def test_all_merges_of_a_graph_are_named_and_a_division_between_them_stays() -> None:
    #  1 - 2 < 3 - 7   frames 0 1 2 3
    #        \ 4 - 8   5 merges into 7, 6 into 8: both daughters end, and the division of 2 is still one
    frames = np.array([0, 1, 2, 2, 2, 2, 3, 3])
    links = np.array([(1, 2), (2, 3), (2, 4), (3, 7), (4, 8), (5, 7), (6, 8)])
    graph = SpotGraph(Path("a.xml"), np.arange(1, 9), frames, links, directed=True)
    with pytest.raises(ValueError, match=r"at 2 places in a.xml \(spot 7 in frame 3, spot 8 in frame 3\)"):
        cut_graph(graph)
    cut = cut_graph(graph, "cut")
    assert cut.cell_ids.tolist() == [1, 1, 3, 4, 5, 6, 7, 8]
    assert cut.parents == {3: 1, 4: 1}
    assert "dividing" not in cut.remarks[0].sentence


def test_a_cell_found_twice_for_a_while_does_not_divide() -> None:
    #  1 - 2 < 3 > 5 - 6
    #        \ 4 /
    links = np.array([(1, 2), (2, 3), (2, 4), (3, 5), (4, 5), (5, 6)])
    graph = SpotGraph(Path("a.xml"), np.arange(1, 7), np.array([0, 1, 2, 2, 3, 4]), links, directed=True)
    cut = cut_graph(graph, "cut")
    assert cut.cell_ids.tolist() == [1, 1, 3, 4, 5, 5]
    assert cut.parents == {}
    assert "; cell 1 lost daughters by that and counts as not dividing; look" in cut.remarks[0].sentence
    assert forget_rejoined({2: 1, 3: 1, 4: 1, 5: 9}, [[2, 4, 5]]) == {3: 1, 5: 9}


@pytest.mark.real
def test_the_merge_of_a_real_file_is_cut(real_data: Path) -> None:
    folder = RecordingFolder(real_data / "real_tracks")
    recordings = recordings_table("laptrack_trackmate_merging").assign(n_frames=50, height_px=128, width_px=128)
    layout = RecordingSettings(layout="cell_tracking_challenge", channels=("gfp",), frame_interval_min=30)
    stopping, cutting = (TrackSettings(format="trackmate_xml", on_merge=done) for done in ("stop", "cut"))
    with pytest.raises(ValueError, match=r"at 1 place in .*merging.xml \(spot \d+ in frame \d+\)"):
        import_tracks(folder, recordings, pd.DataFrame(), layout, stopping)
    detections, cells, _ = import_tracks(folder, recordings, pd.DataFrame(), layout, cutting)
    assert len(detections) == 133  # one spot is in no track
    assert cells["cell_name"].value_counts().head(1).to_dict() == {"Track_25": 3}  # two before the merge, one after
    assert cells.set_index("cell_id").loc[3483, ["first_frame", "fate"]].tolist() == [26, "censored"]


@pytest.mark.parametrize("name", ["trackmate_xml", "napari_csv"])
def test_a_division_that_a_cut_takes_is_told(name: str, tmp_path: Path) -> None:
    """Cell 1 divides into 2 and 3, and 4 ends where 3 begins: 1 has one daughter left."""
    cells = (
        TrackedCell(1, {0: (5, 5), 1: (5, 6)}),
        TrackedCell(2, {2: (4, 6), 3: (4, 6)}, parent_id=1),
        TrackedCell(3, {2: (6, 6), 3: (6, 6)}, parent_id=1),
        TrackedCell(4, {0: (9, 6), 1: (9, 6)}),
    )
    if name == "napari_csv":
        write_napari(tmp_path, cells)
        (tmp_path / "01_graph.json").write_text(json.dumps({"2": [1], "3": [1, 4]}))
    else:
        write_trackmate_xml(tmp_path, cells)
        link = f'<Edge SPOT_SOURCE_ID="{spots_of(cells)[4, 1]}" SPOT_TARGET_ID="3" LINK_COST="1.0" /></Track>'
        path = tmp_path / "01.xml"
        path.write_text(path.read_text().replace("</Track>", link, 1))
    _, found, problems = gather(tmp_path, format=name, on_merge="cut", **CASES[name][1])
    assert found.set_index("cell_id")["fate"].to_dict() == dict.fromkeys((1, 2, 3, 4), "censored")
    assert "; cell 1 lost daughters by that and counts as not dividing; look" in problems["reason"].iloc[0]


def test_sisters_that_merge_in_a_graph_of_napari_are_no_daughters(tmp_path: Path) -> None:
    twice = [TrackedCell(cell, {2: (5, 4 * cell), 3: (5, 4 * cell)}) for cell in (5, 6)]
    write_napari(tmp_path, (MERGING[0], *twice, TrackedCell(7, {4: (5, 20), 5: (5, 20)})))
    (tmp_path / "01_graph.json").write_text(json.dumps({"5": [1], "6": [1], "7": [5, 6]}))
    _, cells, _ = gather(tmp_path, format="napari_csv", graph_file="{recording_id}_graph.json", on_merge="cut")
    assert cells["parent_id"].isna().all()
    assert set(cells["fate"]) == {"censored"}
