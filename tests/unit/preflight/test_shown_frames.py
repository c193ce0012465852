"""Frames that are shown: which recordings, which cells, and how small the pictures are."""

import numpy as np
import pandas as pd
import pytest

from cellfate.plots.strip_frames import write_png
from cellfate.preflight.shown_frames import LONGEST_SIDE_PX, MOST_SHOWN, make_small, show_frames

SMALL = np.zeros((4, 6), np.uint8)


def show(names: list[str], findings: list[str], marks: list[tuple] = (), frame: int = 20):
    recordings = pd.DataFrame({"recording_id": names, "height_px": 40, "width_px": 60})
    placed = pd.DataFrame(marks, columns=["recording_id", "cell_id", "frame", "y_px", "x_px"])
    placed = placed.astype({"recording_id": "str", "cell_id": "int64", "frame": "int64"})
    cells = placed[["recording_id", "cell_id"]].assign(fate="mitosis")
    found = pd.DataFrame({"recording_id": pd.Series(findings, dtype="str")})
    return show_frames(dict.fromkeys(names, (frame, SMALL)), placed, cells, recordings, found)


def test_recordings_with_the_gravest_findings_are_shown_first():
    names = [f"{number:03d}" for number in range(30)]
    shown = show(names, ["020", "not opened", "007", "020"])
    assert shown.recordings["recording_id"].tolist() == ["020", "007", *names[:7], *names[8:11]]
    assert len(shown.images) == MOST_SHOWN
    assert list(shown.images) == shown.recordings["recording_id"].tolist()
    assert shown.n_recordings == 30


def test_cells_in_the_frame_and_their_ways_before_it_are_shown():
    way = [("a", 1, frame, 5.0, frame) for frame in range(30)]
    gone = [("a", 2, frame, 9.0, frame) for frame in range(20)]
    marks = show(["a"], [], way + gone).marks
    assert marks["cell_id"].unique().tolist() == [1]
    assert marks["frame"].tolist() == list(range(10, 21))
    assert set(marks["fate"]) == {"mitosis"}


def test_without_tracks_the_frame_alone_is_shown():
    shown = show(["a"], [])
    assert shown.marks.empty
    assert shown.recordings[["frame", "height_px", "width_px"]].to_numpy().tolist() == [[20, 40, 60]]


@pytest.mark.parametrize("shape", [(1, 2048, 2048), (3, 100, 3000), (2, 320, 320)])
def test_a_picture_of_noise_takes_less_than_150_kB(shape):
    noise = np.random.default_rng(0).integers(0, 65535, shape, dtype=np.uint16)
    small = make_small(noise)
    assert max(small.shape) <= LONGEST_SIDE_PX
    assert small.shape[0] / small.shape[1] == pytest.approx(shape[1] / shape[2], rel=0.3)
    assert len(write_png(small)) < 150_000


def test_pixels_are_means_of_the_pixels_in_their_place_by_hand():
    """640 columns become 320, of two pixels each: 0 and 100 are 50, half way between the darkest and the brightest."""
    image = np.zeros((1, 640, 640), np.uint16)
    image[:, 200:400] = 100
    image[:, 400:, ::2] = 100
    small = make_small(image)
    assert small.shape == (320, 320)
    assert small[150, 10] == 200
    assert small[10, 10] == 0
    assert float(small[300, 10]) == pytest.approx(100, abs=2)


def test_a_cell_of_any_channel_is_seen():
    image = np.full((2, 30, 30), 7.0)
    image[0, 5, 5], image[1, 20, 20], image[1, 0, 0] = 90, 4000, np.nan
    small = make_small(image)
    assert small[5, 5] == small[20, 20] == small.max()
    assert small[10, 10] == 0


def test_an_image_without_contrast_is_black():
    assert not make_small(np.full((1, 8, 8), 100, np.uint8)).any()
