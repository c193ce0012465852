"""Images of which something lacks, and names or axes that could mean more: questions with advice that is followed."""

import itertools
from pathlib import Path

import numpy as np
import tifffile

from cellfate.imaging import RecordingFolder, RecordingSettings, open_recordings
from cellfate.recognition import recognise
from tests.unit.recognition.test_silent_images import SIDE_PX, the_one, track_table, write_tracks


def write_planes(root: Path, name: str, numbers: range = range(12), *, without: tuple[int, ...] = ()) -> None:
    """One file a frame of two recordings."""
    for recording, frame in itertools.product(("A01", "A02"), numbers):
        if frame not in without:
            tifffile.imwrite(root / name.format(recording, frame), np.ones((SIDE_PX, SIDE_PX), np.uint16))


def test_tracks_of_recordings_that_have_no_names_yet_are_asked_for(tmp_path):
    write_planes(tmp_path, "{}_{}min.tif", range(0, 120, 10))
    write_tracks(tmp_path, track_table(range(12)), "A01", "A02")
    assert the_one(tmp_path, "recordings.pattern").is_open
    files = the_one(tmp_path, "tracks.files")
    assert files.is_open
    assert "with {recording_id} where it says the name of its recording" in files.words


def test_recordings_of_which_each_lacks_frames_are_opened_and_asked_about(tmp_path):
    write_planes(tmp_path, "{}_t{}.tif", without=(4,))
    question = the_one(tmp_path, "recordings.on_missing_frames")
    assert question.is_open
    assert "None of the first 2 recordings is whole" in question.words
    assert recognise(tmp_path).images.lengths == {"A01": 12, "A02": 12}


def test_the_axes_of_colours_are_those_that_are_read(tmp_path):
    image = np.ones((12, SIDE_PX, SIDE_PX, 3), np.uint8)
    tifffile.imwrite(tmp_path / "A01.tif", image, photometric="rgb")
    assert "TYXC (each page a frame" in the_one(tmp_path, "recordings.file_axes").words
    settings = RecordingSettings(
        layout="tiff_stacks", channels=("r", "g", "b"), frame_interval_min=10, file_axes="TYXC"
    )
    assert open_recordings(RecordingFolder(tmp_path), settings)[0]["n_frames"].tolist() == [12]
