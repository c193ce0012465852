"""Tracks of other images are one finding; strays stay one by one. All on a recording of 6 frames of 40 x 60 px."""

import pandas as pd
import pytest

from cellfate.core import tables
from cellfate.preflight import PreflightSettings
from cellfate.preflight.misfits import find_misfits
from cellfate.preflight.tracks import check_detections
from cellfate.tracks.settings import TrackSettings
from tests.unit.preflight.test_tracks import mark

CSV = TrackSettings(format="csv")


def find(marks: pd.DataFrame, tracks: TrackSettings = CSV) -> pd.DataFrame:
    """Misfits and what else is wrong with detections, checked against the schema."""
    misfits = find_misfits(marks, tracks, lambda name, _: f"{name}.csv")
    found = [misfits, *check_detections(marks, tracks, PreflightSettings(), misfits)]
    return tables.PreflightFindings.validate(pd.concat(found, ignore_index=True))


def walk(frames: range, y: float = 20.0, x: float = 30.0, cells: tuple[int, ...] = (1, 2)) -> list:
    return [(cell, frame, y + cell, x) for cell in cells for frame in frames]


def test_tracks_longer_than_the_images_are_one_finding():
    row = find(mark(*walk(range(9)))).iloc[0]
    assert row["finding"] == (
        "In recording 'a' (a.tif; tracks in a.csv) 6 detections of 2 cell(s) lie in frames 6 to 8, but the images are "
        "the frames 0 to 5; give all images, or the tracks of these images only."
    )
    assert (row["check"], row["severity"], row["value"], row["n_cases"]) == ("absent_frame", "error", 6.0, 1)
    assert len(find(mark(*walk(range(9))))) == 1


def test_tracks_of_many_frames_beside_images_of_one_say_what_the_frames_may_be():
    marks = mark(*walk(range(6)))
    marks = marks.assign(n_frames=1, exists=marks["frame"] == 0)
    (sentence,) = find(marks)["finding"]
    assert "10 detections of 2 cell(s) lie in frames 1 to 5, but the images are the frames 0 to 0" in sentence
    assert "if every file is a frame of a recording, set recordings.layout to file_pattern" in sentence
    assert "set recordings.file_axes, such as TYX" in sentence


def test_three_strays_are_told_one_by_one():
    found = find(mark(*walk(range(6)), (1, 6, 20, 30), (1, 7, 20, 30), (2, -1, 20, 30)))
    assert sorted(found["frame"]) == [-1, 6, 7]
    assert set(found["check"]) == {"absent_frame"}


def test_frames_counted_from_1_are_told_as_such_where_a_parameter_says_it():
    late = mark(*walk(range(1, 7), cells=(1, 2, 3, 4)))
    assert "seem to count frames from 1: set tracks.first_frame to that" in find(late)["finding"].iloc[0]
    assert "give all images" in find(late, TrackSettings())["finding"].iloc[0]


@pytest.mark.parametrize("name", ["csv", "geff", "trackmate_xml", "btrack"])
def test_one_cell_after_the_last_image_and_none_in_the_first_are_frames_counted_from_1(name):
    late = mark(*walk(range(1, 7), cells=(1,)))
    (row,) = find(late, TrackSettings(format=name)).to_dict("records")
    assert (row["check"], row["severity"], row["value"]) == ("absent_frame", "error", 1.0)
    assert row["finding"].endswith(
        "1 detections of 1 cell(s) lie in frames 6 to 6, but the images are the frames 0 to 5; the tracks seem to "
        "count frames from 1: set tracks.first_frame to that."
    )
    assert find(late.assign(frame=late["frame"] - 1, exists=True), TrackSettings(format=name, first_frame=1)).empty


def test_one_recording_of_two_that_counts_frames_from_1_is_told_to_count_as_the_other():
    both = pd.concat([mark(*walk(range(1, 7), cells=(1,))), mark(*walk(range(6))).assign(recording_id="b")])
    (sentence,) = find(both)["finding"]
    assert sentence.endswith(
        "they seem to be counted from 1, those of recording 'b' from 0 (tracks.first_frame): count them alike in the "
        "files."
    )


def test_a_first_frame_that_is_too_large_is_told():
    early = mark(*walk(range(-1, 5), cells=(1,)))
    (sentence,) = find(early, TrackSettings(format="csv", first_frame=1))["finding"]
    assert sentence.endswith("the tracks seem to count frames from 0: set tracks.first_frame to that.")


@pytest.mark.parametrize(
    ("step", "unit", "used"), [(10, "min", None), (600, "s", None), (60, "s", "min"), (7, "min", None)]
)
def test_times_read_as_frames_are_told_with_their_unit(step, unit, used):
    """6 frames, 10 min apart, read in a unit that is too large; 7 min are no whole number of frames."""
    (sentence,) = find(mark(*walk(range(0, 6 * step, step))), TrackSettings(format="csv", time_unit=used))["finding"]
    fits = f"they fit as times in {unit}: if they are, set tracks.time_unit to {unit}."
    assert sentence.endswith(fits) == (step != 7)


def test_positions_that_lie_outside_for_the_most_part_are_one_finding():
    # 12 detections at x 200, 1 of a third cell inside: 12 of 13 are 92%
    (sentence,) = find(mark(*walk(range(6), x=200.0), (3, 0, 5.0, 6.0)))["finding"]
    assert "92% of 13 detections of 3 cell(s) lie outside the image, which is 60 px wide and 40 px high" in sentence
    assert "while positions go over x 6.0 to 200.0, y 5.0 to 22.0 px; check whether" in sentence
    assert "tracks.position_unit" in sentence
    assert "position_unit" not in find(mark(*walk(range(6), x=100.0)), TrackSettings())["finding"].iloc[0]


@pytest.mark.parametrize(
    ("tracks", "words"),
    [
        (CSV, "in tracks.columns"),
        (TrackSettings(format="btrack"), "by tracks.btrack_axes"),
        (TrackSettings(), "in the"),
    ],
)
def test_swapped_axes_are_told(tracks, words):
    (sentence,) = find(mark(*walk(range(6), y=50.0, x=30.0)), tracks)["finding"]
    assert f"x and y fit when swapped: correct that {words}" in sentence


def test_the_other_unit_is_told_where_it_fits():
    # a pixel is 0.5 um: x 50 px, y 20 px were read as 100 and 42
    read_as_um = mark(*walk(range(6), y=40.0, x=100.0))
    (sentence,) = find(read_as_um, TrackSettings(format="csv", columns={"y": "y_um", "x": "x_um"}))["finding"]
    assert "as pixels, read as micrometres (0.5 um a pixel): if they are, set tracks.position_unit to px" in sentence
    for tracks in (CSV, TrackSettings(format="csv", position_unit="px")):  # read as pixels already
        assert "position_unit to px" not in find(read_as_um, tracks)["finding"][0]
    coarse = mark(*walk(range(6), y=40.0, x=100.0)).assign(pixel_size_um=2.0)  # 100 um are 50 px
    assert "as micrometres (2 um a pixel): if they are, set tracks.position_unit to um" in find(coarse)["finding"][0]


def test_half_of_the_positions_outside_are_told_one_by_one():
    found = find(mark(*walk(range(6), x=100.0, cells=(1,)), *walk(range(6), cells=(2,))))
    assert len(found) == 6
