"""Folders that nobody here made."""

import shutil

import numpy as np
import pytest
import tifffile

from cellfate.recognition import recognise

pytestmark = pytest.mark.real


def asked(seen) -> set[str]:
    return {one.key for one in seen.open_parameters}


def test_the_hela_recording_of_the_challenge(real_data):
    seen = recognise(real_data / "ctc_hela")
    value = seen.value
    assert asked(seen) == {"recordings.frame_interval_min"}
    assert value("recordings.labels") == "silver_truth"
    assert value("follow_up.events") == ["mitosis"]
    assert 20 < value("crops.cell_diameter_px") < 35  # 0.645 um a pixel: nuclei of some 18 um
    assert value("tracks.fates_file") is None  # its table of track ends says no time


def test_micromanager_files(real_data):
    seen = recognise(real_data / "celltk2_example" / "live_cell_example")
    assert seen.value("recordings.pattern") == "micromanager"
    assert seen.images.names == ("113",)
    assert asked(seen) == {
        "recordings.channels",
        "recordings.frame_interval_min",
        "tracks.format",
        "crops.cell_diameter_px",
    }


def test_a_vendors_file(real_data):
    pytest.importorskip("bioio_nd2", reason="the extra formats is not installed")
    seen = recognise(real_data / "nd2_example")
    assert seen.images.layout == "vendor"
    assert seen.images.header.n_channels == 2
    assert "recordings.channels" not in asked(seen)


def write_movie(path, n_frames: int, height_px: int, width_px: int) -> None:
    image = np.ones((n_frames, height_px, width_px), np.uint8)
    tifffile.imwrite(path, image, imagej=True, metadata={"axes": "TYX", "finterval": 240.0}, compression="zlib")


def test_tracks_of_btrack(real_data, tmp_path):
    shutil.copy(real_data / "btrack_mdck" / "tracks.h5", tmp_path / "tracks.h5")
    write_movie(tmp_path / "tracks.tif", 500, 1200, 1600)
    seen = recognise(tmp_path)
    assert seen.value("tracks.format") == "btrack"
    assert asked(seen) == {"crops.cell_diameter_px"}
    assert seen.value("recordings.group_by") == "lineage"


def test_tracks_of_trackmate_that_merge_are_a_question(real_data, tmp_path):
    shutil.copy(real_data / "real_tracks" / "laptrack_trackmate_merging.xml", tmp_path / "movie.xml")
    write_movie(tmp_path / "movie.tif", 50, 128, 128)
    seen = recognise(tmp_path)
    assert seen.value("tracks.format") == "trackmate_xml"
    assert "tracks.on_merge" in asked(seen)
    assert seen.value("crops.cell_diameter_px") == 10.0
