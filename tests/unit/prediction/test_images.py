"""Whole images and tracks in memory are forecast as the recording that they are from."""

import numpy as np
import pandas as pd
import pytest

from cellfate import Predictor
from cellfate.core.errors import InputError
from cellfate.imaging.opening import lazy_recordings, open_recordings
from cellfate.imaging.records import RecordingFolder
from cellfate.prediction.images import cut_images
from cellfate.tracks.importing import import_tracks
from cellfate.tracks.settings import TrackSettings
from tests.cases.coco_folder import CHANNELS
from tests.unit.prediction.conftest import RECORDINGS

TOLERANCE = 1e-5  # float32 sums in another order


@pytest.fixture(scope="module")
def in_memory(root):
    """Images and detections of recording 001, as a viewer holds them; one of its cells touches the border."""
    folder = RecordingFolder(root)
    recordings, frame_files, _ = open_recordings(folder, RECORDINGS)
    detections, _, _ = import_tracks(folder, recordings, frame_files, RECORDINGS, TrackSettings())
    (recording,) = lazy_recordings(folder, recordings[recordings["recording_id"] == "001"], frame_files)
    images = np.stack([recording.read_frame(frame) for frame in range(recording.n_frames)])
    return images, detections.loc[detections["recording_id"] == "001", ["frame", "x_px", "y_px", "cell_id"]]


def test_images_in_memory_are_forecast_as_their_recording(of_three_channels, root, in_memory):
    """But for frames that the recording withholds, because it knows how the cell ends."""
    predictor = Predictor(of_three_channels)
    images, detections = in_memory
    of_images = predictor.forecast_images(images, detections.sample(frac=1, random_state=0), CHANNELS, 30)
    assert set(of_images["recording_id"]) == {"arrays"}
    assert set(of_images["missing"]) <= {"", "mask"}
    both = (
        predictor.forecast_recordings(root, RECORDINGS)
        .query("recording_id == '001'")
        .merge(of_images, on=["cell_id", "frame", "predictor", "within_h"], suffixes=("", "_of_images"))
    )
    assert set(of_images["cell_id"]) == {1, 2, 3}
    assert 3 in set(both["cell_id"])
    for name in ("p_apoptosis", "p_mitosis", "p_none", "expected_h"):
        np.testing.assert_allclose(both[name], both[f"{name}_of_images"], atol=TOLERANCE)


def test_cells_are_cut_with_their_neighbours_and_the_border(clock):
    """Crops of 8 x 8 px, so neighbours are within 8 px; the second cell comes near in the last frame."""
    rows = [(7, 3, 2.0, 30.0), (7, 5, 2.0, 31.0), (4, 3, 20.0, 20.0), (4, 4, 20.0, 21.0), (4, 5, 8.0, 33.0)]
    images = np.random.default_rng(0).integers(1, 9, (6, 2, 40, 60), dtype=np.uint8)
    held = cut_images(images, pd.DataFrame(rows, columns=["cell_id", "frame", "y_px", "x_px"]), clock.model.config)
    assert list(held.sequences) == [4, 7]
    assert held.n_neighbors_n.tolist() == [0, 0, 1, 0, 1]
    assert held.follow_ups.loc[7, ["first_frame", "last_frame", "recording_frames"]].tolist() == [3, 5, 6]
    above = held.sequences[7]
    assert above.frame_numbers_t.tolist() == [3, 5]
    assert above.inside_thw[0].tolist() == [[False] * 8] * 2 + [[True] * 8] * 6
    np.testing.assert_array_equal(above.frames_tchw[1, :, 2:], images[5, :, :6, 27:35])


def test_images_are_read_a_frame_at_a_time(of_three_channels, in_memory):
    class Lazy:
        shape, dtype = in_memory[0].shape, in_memory[0].dtype

        def __getitem__(self, frame):
            read.append(frame)
            return in_memory[0][frame]

    read, predictor = [], Predictor(of_three_channels)
    lazy, whole = (predictor.forecast_images(images, in_memory[1], CHANNELS, 30) for images in (Lazy(), in_memory[0]))
    pd.testing.assert_frame_equal(lazy, whole)
    assert read == sorted(in_memory[1]["frame"].unique().tolist())


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"images": None}, r"images is None, but expected is an array \(T, C, Y, X\)"),
        ({"images": np.ones((8, 40, 60))}, r"images is an array of shape \(8, 40, 60\)"),
        ({"images": np.ones((3, 8, 40, 60))}, "images has 8 channels .* but 3 are named; give the axes in the order T"),
        ({"channels": CHANNELS[::-1]}, "trained on channels"),
        ({"detections": None}, "detections is None, but expected is a DataFrame"),
        ({"detections": pd.DataFrame({"frame": [1], "x": [2]})}, r"1 rows with columns \['frame', 'x'\], but expected"),
        ({"cell_id": "a"}, "Column cell_id of detections holds what is no whole number"),
        ({"frame": 0.5}, "Column frame of detections holds what is no whole number"),
        ({"frame": lambda table: table["frame"] + 80}, "is marked in frame 8., but the movie has .* counted from 0"),
        ({"frame": 1}, "is marked twice in frame 1"),
        ({"y_px": 1000.0}, "outside the image of"),
        ({"y_px": np.nan}, "outside the image of"),
        ({"y_px": "10"}, "y_px and x_px of detections hold what is no number"),
    ],
)
def test_images_and_detections_that_do_not_fit_are_refused(of_three_channels, in_memory, changes, words):
    images, detections = in_memory
    given = {"images": images, "channels": CHANNELS, "frame_interval_min": 30}
    given["detections"] = detections.assign(**{name: changes[name] for name in changes if name in detections})
    with pytest.raises(InputError, match=words):
        Predictor(of_three_channels).forecast_images(**(given | {n: changes[n] for n in changes if n in given}))
