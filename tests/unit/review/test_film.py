"""Films: which frames, which pixels, and what is said where there are none."""

import errno
import shutil

import numpy as np
import pandas as pd
import pytest

from cellfate.core.tables import Forecasts
from cellfate.crops.cutting import plan_crops
from cellfate.crops.store import write_crops
from cellfate.imaging import RecordingFolder
from cellfate.review import film as films
from cellfate.review.curves import draw_curves
from cellfate.review.film import Images, open_film
from cellfate.review.study import open_study
from cellfate.review.surroundings import send_surroundings

from .tiny import CROP, N_FRAMES, SIDE, find_source, open_tiny, read_film


@pytest.fixture
def study(tmp_path):
    return open_tiny(tmp_path)


def look(study, place):
    return read_film(b"".join(open_film(study, Images(study), place).stream()))


def expected(frame, y_px):
    rows = int(np.floor(y_px + 0.5)) - CROP // 2 + np.arange(CROP)
    return np.broadcast_to(frame * 1000 + rows[:, None] * 10, (CROP, CROP))


def cut(study):
    """Cut the crops of a study, as a run does."""
    detections = pd.DataFrame(
        {
            "recording_id": study.cells["recording_id"].to_numpy()[study.detections.cells],
            "cell_id": study.cells["cell_id"].to_numpy()[study.detections.cells],
            "frame": study.detections.frames,
            **study.detections.columns,
        }
    )
    source = study.source
    folder = RecordingFolder(source.root)
    plan = plan_crops(folder, study.recordings, study.frame_files, detections, source.crops, source.recordings)
    write_crops(source.paths["crops"], plan, source.crops)


def test_a_film_goes_from_before_the_track_to_ten_frames_past_it_at_the_last_position(study):
    header, frames, _ = look(study, study.find_cell("A1", 3))
    assert sorted(frames) == list(range(29)), "track 10 to 18; 10 frames before and after"
    assert header["frames"][0] == 18, "it opens at the end of the track"
    assert header["track"] == [10, 18]
    for frame in (0, 10, 18, 28):
        is_read, pixels_chw = frames[frame]
        assert is_read
        np.testing.assert_array_equal(pixels_chw[0], expected(frame, 23.0))
        np.testing.assert_array_equal(pixels_chw[1], expected(frame, 23.0) + 1)


def test_a_film_ends_where_the_recording_does_and_shows_frames_in_gaps(study):
    header, frames, _ = look(study, study.find_cell("A1", 2))
    assert header["shown"] == [0, N_FRAMES - 1]
    assert 15 in frames, "not tracked there, but the image is there"
    np.testing.assert_array_equal(frames[15][1][0], expected(15, 22.0))


def test_films_from_the_store_and_from_the_images_are_the_same(study):
    _, from_images, _ = look(study, 1)
    cut(study)
    _, from_store, _ = look(open_study(study.source), 1)
    assert from_store.keys() == from_images.keys()
    for frame, (_, pixels) in from_store.items():
        np.testing.assert_array_equal(pixels, from_images[frame][1])


def test_without_images_the_track_is_shown_from_the_store_and_one_sentence_says_why(study):
    cut(study)
    shutil.rmtree(study.source.root)
    header, frames, _ = look(open_study_again(study), 1)
    assert sorted(frames) == [frame for frame in range(10, 21) if frame != 15]
    assert "cannot be read" in header["remark"]
    assert header["remark"].count(". ") == 0


def test_images_that_may_not_be_read_leave_the_crops(study, monkeypatch):
    def fail(self, frame):
        raise PermissionError(errno.EACCES, "Permission denied", "A1.tif")

    cut(study)
    monkeypatch.setattr("cellfate.imaging.Recording.read_frame", fail)
    header, frames, _ = look(open_study_again(study), 1)
    assert sorted(frames) == [frame for frame in range(10, 21) if frame != 15]
    assert header["remark"] == "Only the track is shown, for the images cannot be read: A1.tif: Permission denied."
    header, frames, _ = read_film(b"".join(send_surroundings(study, Images(study), 0, 12)))
    assert not frames
    assert header["remark"] == "A1.tif: Permission denied."
    assert header["tracks"]


def test_a_frame_that_may_not_be_read_is_marked(study, monkeypatch):
    from cellfate.imaging import Recording

    read = Recording.read_frame

    def fail(self, frame):
        if frame == 16:
            raise OSError(errno.EIO, "Input/output error", "A1.tif")
        return read(self, frame)

    monkeypatch.setattr(Recording, "read_frame", fail)
    _, frames, _ = look(study, study.find_cell("A1", 3))
    assert not frames[16][0]
    assert frames[17][0]


def test_crops_that_may_not_be_read_leave_the_images(study, monkeypatch):
    def fail(self, recording_id, cell_id):
        raise PermissionError(errno.EACCES, "Permission denied", "crops.zarr")

    cut(study)
    monkeypatch.setattr("cellfate.crops.store.CropStore.read", fail)
    header, frames, _ = look(open_study(study.source), 1)
    assert len(frames) == N_FRAMES
    assert header["remark"] == "The crops cannot be read, so the images are: crops.zarr: Permission denied."


def open_study_again(study):
    """The same tables with nothing opened yet: the recordings may be gone."""
    from dataclasses import replace

    return replace(study, _opened={})


def test_without_images_and_crops_there_is_a_sentence_and_no_frame(study):
    shutil.rmtree(study.source.root)
    header, frames, _ = look(open_study_again(study), 0)
    assert not frames
    assert header["remark"].startswith("No film is shown, for the images cannot be read: ")
    assert "does not exist" in header["remark"]


def test_a_frame_that_cannot_be_read_is_marked_and_the_others_are_shown(study, monkeypatch):
    from cellfate.core.errors import InputError
    from cellfate.imaging import Recording

    read = Recording.read_frame

    def fail(self, frame):
        if frame == 16:
            raise InputError("Frame 16 is damaged; replace it.")
        return read(self, frame)

    monkeypatch.setattr(Recording, "read_frame", fail)
    _, frames, _ = look(study, study.find_cell("A1", 3))
    assert not frames[16][0]
    assert frames[17][0]


def test_a_film_that_is_too_long_begins_later_and_says_so(study, monkeypatch):
    monkeypatch.setattr(films, "MAX_FILM_BYTES", 12 * (4 + 2 * 2 * CROP * CROP))
    header, frames, _ = look(study, study.find_cell("A1", 2))
    assert len(frames) == 12
    assert max(frames) == N_FRAMES - 1
    assert "begins at frame 18" in header["remark"]


def test_surroundings_hold_the_whole_frame_and_every_track_in_it(study):
    header, frames, _ = read_film(b"".join(send_surroundings(study, Images(study), 0, 12)))
    assert frames[12][1].shape == (2, SIDE, SIDE)
    assert [track["cell_id"] for track in header["tracks"]] == [2, 3], "cell 1 has divided"
    assert header["tracks"][0]["way"][-1] == [22.0, 30.0]


def test_a_study_with_tables_is_opened_without_its_recordings(study, tmp_path):
    data = tmp_path / "data"
    data.mkdir()
    source = find_source(tmp_path)
    study.recordings.to_parquet(source.paths["recordings"])
    study.frame_files.to_parquet(source.paths["frame_files"])
    study.cells.to_parquet(source.paths["cells"])
    pd.DataFrame(
        {"recording_id": "A1", "cell_id": 1, "frame": [2, 3], "y_px": [21.0, 21.0], "x_px": [30.0, 30.0]}
    ).to_parquet(source.paths["detections"])
    shutil.rmtree(source.root)
    opened = open_study(source)
    assert len(opened.cells) == 6
    assert opened.detections.rows(0) == slice(0, 2)


def test_before_any_run_traces_are_drawn_from_what_the_tables_say(study, tmp_path):
    from dataclasses import replace

    red = np.arange(len(study.detections.frames), dtype=np.float32)
    red[study.detections.rows(1)] = np.nan
    red[study.detections.rows(1).start] = 1.0
    nowhere = np.full(len(red), np.nan, np.float32)
    columns = {"y_px": nowhere, "x_px": nowhere, "tracker_red": red}
    traces = replace(
        study,
        detections=replace(study.detections, columns=columns),
        recordings=study.recordings.assign(height_px=0, width_px=0),
    )
    header, frames, figure = look(traces, 0)
    assert not frames
    assert "no images" in header["remark"]
    film = open_film(traces, Images(traces), 0)
    drawn = draw_curves(traces, 0, tuple(film.header["shown"]), with_forecasts=True)
    assert [trace["name"] for trace in drawn["data"]] == ["red (tracker)"]
    assert drawn["layout"]["meta"]["n_panels"] == 1
    assert figure == {}
    modes = [draw_curves(traces, place, (0, 20), with_forecasts=True)["data"][0]["mode"] for place in (0, 1)]
    assert modes == ["lines", "markers"], "a line of one point is none"
    surroundings = b"".join(send_surroundings(traces, Images(traces), 0, 5))
    assert b"NaN" not in surroundings, "which is no JSON"
    assert read_film(surroundings)[0]["tracks"] == []


def test_where_no_cell_was_left_to_forecast_there_are_none(study):
    path = study.source.paths["unscored_forecasts"]
    path.parent.mkdir()
    Forecasts.empty().to_parquet(path)
    assert study.forecast_table.empty
    assert study.calls.empty
