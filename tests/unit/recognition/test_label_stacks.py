"""Stacks of tracked labels beside images are tracks, whatever they are called; other images are none."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile

from cellfate.imaging import RecordingFolder, RecordingSettings, open_recordings
from cellfate.recognition import first_tracks, recognise
from cellfate.recognition.label_stacks import label_diameter
from cellfate.recognition.recognising import Recognised
from cellfate.tracks import TrackSettings, gather_tracks

N_FRAMES, SIDE_PX, RADIUS_PX = 24, 60, 4
CENTRES = {1: (30, 20, range(8)), 2: (12, 40, range(24)), 3: (20, 20, range(8, 24)), 4: (45, 20, range(8, 24))}
"""Row, first column and frames of cells; each goes right by a pixel in four frames. 1 divides into 3 and 4."""
RECORDINGS = ("A01", "A02", "B11")


def make_labels() -> np.ndarray:
    labels_tyx = np.zeros((N_FRAMES, SIDE_PX, SIDE_PX), np.uint16)
    y, x = np.mgrid[:SIDE_PX, :SIDE_PX]
    for frame in range(N_FRAMES):
        for cell, (row, column, frames) in CENTRES.items():
            if frame in frames:
                labels_tyx[frame][(y - row) ** 2 + (x - column - frame // 4) ** 2 <= RADIUS_PX**2] = cell
    return labels_tyx


def make_image() -> np.ndarray:
    """Light of the cells and noise."""
    noise = np.random.default_rng(0).poisson(100, (N_FRAMES, SIDE_PX, SIDE_PX))
    return (noise + 300 * (make_labels() > 0)).astype(np.uint16)


def write_stack(path: Path, image: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    details: dict[str, Any] = {"axes": "TYX", "finterval": 1800.0, "unit": "um"}
    tifffile.imwrite(path, image, imagej=True, metadata=details, resolution=(2, 2))


def write_study(root: Path, images: str, labels: str, parents: str = "") -> None:
    for name in RECORDINGS:
        write_stack(root / images.format(name), make_image())
        write_stack(root / labels.format(name), make_labels())
        if parents:
            (root / parents.format(name)).write_text("label,parent\n1,\n2,\n3,1\n4,1\n")


def settings_of(seen: Recognised, group: str) -> dict[str, Any]:
    prefix = f"{group}."
    return {one.key.removeprefix(prefix): one.value for one in seen.values if one.key.startswith(prefix)}


@pytest.mark.parametrize(
    ("images", "labels", "files"),
    [
        ("{}.tif", "labels/{}.tif", None),
        ("{}.tif", "tracked/{}_linked.tif", None),
        ("images/{}.tif", "tracked/{}.tif", "images/*.tif"),
        ("raw/{}.tif", "ultrack/{}.tif", "raw/*.tif"),
        ("{}.tif", "{}_labels.tif", "*[0-9].tif"),
        ("{}.tif", "{}_linked.tif", "*[0-9].tif"),
        ("day1/{}_raw.tif", "day1/{}_raw_linked.tif", "day1/*_raw.tif"),
        ("{}.tif", "linked_{}.tif", "[AB]*.tif"),
    ],
)
def test_labels_beside_images_are_tracks_and_no_recordings(images, labels, files, tmp_path):
    write_study(tmp_path, images, labels, labels.replace(".tif", "_parents.csv"))
    seen = recognise(tmp_path)
    assert {one.key for one in seen.open_parameters} == set()
    assert not [note for note in seen.notes if "left out" in note or "Not used" in note]
    recordings = RecordingSettings(**settings_of(seen, "recordings"))
    assert recordings.files == files
    opened = open_recordings(RecordingFolder(tmp_path), recordings)
    assert opened[0]["recording_id"].tolist() == list(seen.images.names)
    assert len(seen.images.names) == len(RECORDINGS)
    tracks = TrackSettings(**settings_of(seen, "tracks"))
    name = seen.images.names[0]
    assert (tracks.format, tracks.position_unit) == ("labels", None)
    assert str(tracks.files).format(recording_id=name, image=images[:-4].format("A01")) == labels.format("A01")
    detections, cells, problems = gather_tracks(RecordingFolder(tmp_path), *opened[:2], recordings, tracks)
    assert problems.empty
    assert cells["fate"].tolist() == ["mitosis", "censored", "censored", "censored"] * len(RECORDINGS)
    first = detections[(detections["cell_id"] == 4) & (detections["frame"] == 8)].iloc[0]
    assert (first["y_px"], first["x_px"]) == (45.0, 22.0)


def test_cells_are_as_large_as_their_labels(tmp_path):
    write_study(tmp_path, "{}.tif", "labels/{}.tif")
    value = next(one for one in recognise(tmp_path).values if one.key == "crops.cell_diameter_px")
    assert (value.value, value.words) == (7.9, "the labels of the tracks")  # 49 pixels: 2 * sqrt(49 / pi)


def test_labels_without_a_table_of_parents(tmp_path):
    write_study(tmp_path, "{}.tif", "labels/{}.tif")
    seen = recognise(tmp_path)
    assert seen.value("tracks.graph_file") is None
    assert next(one for one in seen.open_parameters).key == "tracks.fates_file"


def change_numbers(labels_tyx: np.ndarray) -> np.ndarray:
    """Numbers that every frame gives anew."""
    turned = np.array([[0, *np.roll([1, 2, 3, 4], frame)] for frame in range(N_FRAMES)], np.uint16)
    return np.stack([turned[frame][image] for frame, image in enumerate(labels_tyx)])


@pytest.mark.parametrize(
    "change",
    [
        change_numbers,
        lambda labels: (labels > 0).astype(np.uint8) * 255,
        lambda labels: labels.astype(np.float32),
        lambda labels: labels[:1],
        lambda labels: labels * 0,
        lambda labels: labels * 0 + 1,
        lambda labels: make_image(),
        lambda labels: (make_image() // 40).astype(np.uint8),
        lambda labels: np.arange(labels.size, dtype=np.uint32).reshape(labels.shape),
        lambda labels: np.where(labels > 0, labels.astype(np.int16), -1),
    ],
)
def test_what_is_no_stack_of_tracked_labels(change, tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", change(make_labels()), photometric="minisblack")
    assert label_diameter(tmp_path / "a.tif") is None


def test_numbers_in_the_order_of_rows_that_stay_with_most_cells_are_no_tracks(tmp_path):
    """Of ten cells, the uppermost leaves in the last frame, so that all others are renumbered in one of three pairs."""
    labels_tyx = np.zeros((6, SIDE_PX, SIDE_PX), np.uint16)
    for frame in range(6):
        rows = [row for row in range(10) if row or frame < 5]
        for number, row in enumerate(rows, 1):
            labels_tyx[frame, 6 * row : 6 * row + 4, 10:14] = number
    write_stack(tmp_path / "anew.tif", labels_tyx)
    assert label_diameter(tmp_path / "anew.tif") is None


def test_labels_of_another_size_are_no_tracks(tmp_path):
    for name in RECORDINGS:
        write_stack(tmp_path / f"{name}.tif", make_image())
        write_stack(tmp_path / "labels" / f"{name}.tif", make_labels()[:, ::2, ::2])
    assert recognise(tmp_path).value("tracks.format") == "???"


@pytest.mark.parametrize(("made", "pattern"), [("{}_mask.tif", "'*[0-9].tif'"), ("mask_{}.tif", "'[AB]*.tif'")])
def test_the_pattern_that_is_advised_takes_recordings_only(made, pattern, tmp_path):
    for name in RECORDINGS:
        write_stack(tmp_path / f"{name}.tif", make_image())
        write_stack(tmp_path / made.format(name), change_numbers(make_labels()))
    question = next(one for one in recognise(tmp_path).open_parameters)
    assert question.key == "recordings.files"
    assert f"takes recordings only, such as {pattern}, or move the others into another folder" in question.words
    assert sorted(path.name for path in tmp_path.glob(pattern.strip("'"))) == [f"{name}.tif" for name in RECORDINGS]


def test_no_pattern_is_advised_where_none_tells_images_apart(tmp_path):
    for name in ("1a", "b2", "3c4", "mask5", "m6"):
        write_stack(tmp_path / f"{name}.tif", make_image())
    question = next(one for one in recognise(tmp_path).open_parameters)
    assert question.words.endswith("such as mask5.tif; move the others into another folder and run this command again.")


def test_labels_of_many_pixels_are_recognised_and_not_read(tmp_path, monkeypatch):
    write_study(tmp_path, "{}.tif", "labels/{}.tif", "labels/{}_parents.csv")
    monkeypatch.setattr(first_tracks, "_LARGE_PX", N_FRAMES * SIDE_PX**2 - 1)
    seen = recognise(tmp_path)
    assert seen.value("tracks.format") == "labels"
    assert "Of the first tracks: A01.tif is large and was not read." in seen.notes
    assert seen.value("recordings.group_by") == "recording"
