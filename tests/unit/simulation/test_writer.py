"""The written study: the published layout, read back by the importers."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import tifffile

from cellfate.core.fates import APOPTOSIS, CENSORED, MITOSIS
from cellfate.imaging.opening import open_recordings
from cellfate.imaging.records import RecordingFolder
from cellfate.imaging.settings import RecordingSettings
from cellfate.simulation import list_truth, simulate_study, write_study
from cellfate.tracks.importing import import_tracks
from tests.cases.simulated import tiny_settings

STUDY = simulate_study(tiny_settings())
IMPORT = RecordingSettings(
    layout="coco_vid",
    channels=("circadian", "p53", "cell_cycle"),
    frame_interval_min=30.0,
    conditions_file="conditions.csv",
)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("study")
    write_study(STUDY, root)
    return root


@pytest.fixture(scope="module")
def book(root: Path) -> dict[str, list[dict[str, Any]]]:
    return json.loads((root / "annotations.json").read_text(encoding="utf-8"))


def test_the_same_settings_give_the_same_bytes(root: Path, tmp_path: Path) -> None:
    write_study(simulate_study(tiny_settings()), tmp_path)
    names = sorted(path.relative_to(root) for path in root.rglob("*") if path.is_file())
    assert names == sorted(path.relative_to(tmp_path) for path in tmp_path.rglob("*") if path.is_file())
    assert len(names) == 3 * 24 + 3
    for name in names:
        assert (root / name).read_bytes() == (tmp_path / name).read_bytes(), name


def test_annotations_have_the_published_fields(book: dict[str, list[dict[str, Any]]]) -> None:
    assert set(book) == {"videos", "images", "annotations", "categories"}
    assert set(book["videos"][0]) == {"id", "name"}
    assert set(book["images"][0]) == {"id", "video_id", "frame_id", "file_name", "width", "height"}
    fields = "id image_id video_id instance_id cell_id category_id bbox time_of_death time_of_division time_step"
    assert all(set(annotation) == set(fields.split()) for annotation in book["annotations"])
    for kind in ("videos", "images", "annotations"):
        numbers = [entry["id"] for entry in book[kind]]
        assert len(set(numbers)) == len(numbers)
    assert [video["name"] for video in book["videos"]] == ["001", "002", "003"]


def test_remains_of_dead_cells_are_another_category(book: dict[str, list[dict[str, Any]]]) -> None:
    frame_of = {image["id"]: image["frame_id"] for image in book["images"]}
    remains = [entry for entry in book["annotations"] if entry["category_id"] == 2]
    assert remains
    assert all(frame_of[entry["image_id"]] > entry["time_of_death"] for entry in remains)
    for entry in book["annotations"]:
        if entry["category_id"] == 1:
            ends = [entry[name] for name in ("time_of_death", "time_of_division") if entry[name] is not None]
            assert frame_of[entry["image_id"]] <= min(ends, default=24)


def test_a_box_is_centre_and_size_in_fractions_of_the_side(book: dict[str, list[dict[str, Any]]]) -> None:
    cell = STUDY.plans[0].cells[0]
    x, y, width, height = book["annotations"][0]["bbox"]
    # pixel centres are integers: the left edge of pixel 0 is at -0.5
    assert x * 72 - 0.5 == pytest.approx(cell.x_px[0], abs=1e-4)
    assert y * 80 - 0.5 == pytest.approx(cell.y_px[0], abs=1e-4)
    assert 5 < width * 72 < 25
    assert 5 < height * 80 < 25


def test_frames_read_back_as_they_were_made(root: Path) -> None:
    recording = next(iter(STUDY))
    with tifffile.TiffFile(root / "images" / "001" / "0007.tif") as tiff:
        page = tiff.pages[0]
        assert isinstance(page, tifffile.TiffPage)
        assert (page.axes, page.dtype, len(tiff.pages)) == ("YXS", np.uint16, 1)
        assert page.compression == tifffile.COMPRESSION.ADOBE_DEFLATE
        np.testing.assert_array_equal(page.asarray(), recording.frames_tyxc[7])


def test_conditions_name_every_recording(root: Path) -> None:
    conditions = pd.read_csv(root / "conditions.csv", dtype=str)
    assert conditions.to_dict("list") == {
        "recording_id": ["001", "002", "003"],
        "condition": ["drug"] * 3,
        "dose": ["Low"] * 3,
    }


def test_the_importers_find_the_cells_that_were_planned(root: Path) -> None:
    folder = RecordingFolder(root)
    recordings, frame_files, set_aside = open_recordings(folder, IMPORT)
    detections, cells, cells_set_aside = import_tracks(folder, recordings, frame_files, IMPORT)
    assert set_aside.empty
    assert cells_set_aside.empty
    truth = list_truth(STUDY)
    columns = ["recording_id", "cell_id", "fate", "first_frame", "last_frame", "event_frame"]
    left, right = (t[columns].sort_values(columns[:2]).reset_index(drop=True) for t in (cells, truth))
    pd.testing.assert_frame_equal(left, right, check_dtype=False)
    assert set(cells["fate"]) == {APOPTOSIS, MITOSIS, CENSORED}
    assert len(detections) == (truth["last_frame"] - truth["first_frame"] + 1).sum()
    assert cells["parent_id"].isna().all()
