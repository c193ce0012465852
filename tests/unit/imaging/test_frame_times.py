"""Times that files state: evenly spaced or not, intervals nobody wrote, pixels that are not square."""

import datetime as dt
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile

from cellfate.core.errors import InputError
from cellfate.imaging import RecordingFolder, RecordingSettings
from cellfate.imaging.frame_times import check_times, find_interval, usual_step
from cellfate.imaging.headers import StackHeader
from cellfate.imaging.opening import open_with_remarks

STACKS = RecordingSettings(layout="tiff_stacks")
COUNT = RecordingSettings(layout="tiff_stacks", uneven_times="frames_count")
MOVIE = np.ones((6, 8, 9), np.uint16)
EVEN = [0.0, 10.0, 20.0, 30.0, 40.0, 50.0]


def header(times_min: Any, stated_min: float | None = None) -> StackHeader:
    return StackHeader(
        len(times_min), 1, 1, 8, 9, "uint16", frame_interval_min=stated_min, times_min=tuple(map(float, times_min))
    )


def write_ome(root: Path, times_s: list[float], **details: Any) -> None:
    planes = {"DeltaT": times_s, "DeltaTUnit": ["s"] * len(times_s)}
    tifffile.imwrite(root / "A01.ome.tif", MOVIE, metadata={"axes": "TYX", "Plane": planes, **details})


@pytest.mark.parametrize(
    ("times", "words"),
    [
        ([0, 10, 20, 90, 100, 110], r"10 min are usual, but not between frames 2 and 3 \(70 min\); a change of clocks"),
        ([0, 10, 20, 95, 105, 115], r"between frames 2 and 3 \(75 min\), and hours"),
        ([0, 10, 20, -30, -20, -10], r"between frames 2 and 3 \(-50 min\); a change of clocks"),
        ([0, 10, 20, 23, 33, 43], r"between frames 2 and 3 \(3 min\)"),
        ([0, 10, 20, 40, 50, 80, 90], r"between frames 2 and 3 \(20 min\), 4 and 5 \(30 min\)"),
        ([0, float("nan"), 20, 30, 40, 90], r"between frames 4 and 5 \(50 min\)"),
        ([0, *np.cumsum([10.0] * 40 + [12.0] * 40)], "changes its interval: frame 40 is 40 min off the time"),
    ],
)
def test_uneven_times_stop_until_frames_count(times: list[float], words: str) -> None:
    with pytest.raises(InputError, match=f"Recording 'r' .*{words}.* set recordings.uneven_times to 'frames_count'"):
        check_times("r", header(times), STACKS)
    (remark,) = check_times("r", header(times), COUNT)
    assert remark.check == "uneven_times"
    assert remark.text.endswith("; every frame counts as one interval")


@pytest.mark.parametrize(
    "times",
    [EVEN, [], [0], [0] * 6, [float("nan")] * 6, [0, 10.9, 20, 29.2, 40, 50.5], np.arange(3000) * 5.003, [7, 17, 27]],
)
def test_even_times_and_none_at_all_say_nothing(times: Any) -> None:
    assert check_times("r", header(times), STACKS) == []


ALTERNATING = [0, 5, 15, 20, 30, 35, 45]
BURSTS = [0, 0, 0, 60, 60, 60]
EVERY_SECOND = [0, 1 / 60, 2 / 60, 3 / 60, 60, 60 + 1 / 60]
BACKWARDS = EVEN[::-1]


@pytest.mark.parametrize(
    ("times", "words"),
    [
        (ALTERNATING, r"has uneven times: 5 to 10 min a frame, and none that most frames keep"),
        (BURSTS, r"has times that do not go up between frames 0 and 1 \(0 min\), 1 and 2 \(0 min\)"),
        (BACKWARDS, r"has times that do not go up between frames 0 and 1 \(-10 min\)"),
        (EVERY_SECOND, r"has uneven times: 0.01667 min are usual, but not between frames 3 and 4 \(59.95 min\)"),
    ],
)
def test_times_without_a_clear_step_give_no_interval(times: list[float], words: str) -> None:
    both = r"set recordings.uneven_times to 'frames_count' .*, and recordings.frame_interval_min to that interval\.$"
    with pytest.raises(InputError, match=f"Recording 'r' {words}.*{both}"):
        check_times("r", header(times), STACKS)
    with pytest.raises(InputError, match=r"give in recordings.frame_interval_min the interval that a frame stands for"):
        check_times("r", header(times), COUNT)
    assert find_interval(header(times)) is None
    given = COUNT.model_copy(update={"frame_interval_min": 20.0})
    assert [remark.check for remark in check_times("r", header(times), given)] == ["uneven_times"]


@pytest.mark.parametrize("times", [ALTERNATING, BURSTS, BACKWARDS, EVERY_SECOND])
def test_what_is_stated_counts_where_times_give_no_interval(times: list[float]) -> None:
    assert find_interval(header(times, 20.0)) == 20
    with pytest.raises(InputError, match="while its files state an interval of 20 min, and hours are counted"):
        check_times("r", header(times, 20.0), STACKS)
    (remark,) = check_times("r", header(times, 20.0), COUNT)
    assert remark.text.endswith("while its files state an interval of 20 min; every frame counts as one interval")


def test_times_with_a_break_that_contradict_what_is_stated() -> None:
    times = [0, 12, 24, 90, 102, 114]
    with pytest.raises(InputError, match=r"12 min are usual.*state an interval of 10 min.*give in recordings.frame_"):
        check_times("r", header(times, 10.0), COUNT)


@pytest.mark.parametrize("details", [{}, {"TimeIncrement": 1.0}])
def test_times_that_count_frames_are_no_times(tmp_path: Path, details: dict[str, Any]) -> None:
    write_ome(tmp_path, [0, 1, 2, 3, 4, 5], **details)
    with pytest.raises(InputError, match=r"do not say the time between two frames \(or say 0, or 1 s"):
        open_with_remarks(RecordingFolder(tmp_path), STACKS)
    recordings, _, _, remarks = open_with_remarks(
        RecordingFolder(tmp_path), STACKS.model_copy(update={"frame_interval_min": 5.0})
    )
    assert recordings["frame_interval_min"].tolist() == [5]
    assert "times are 1 s apart, but an interval of 5 min is stated or given" in remarks["finding"].iloc[0]


def test_a_stated_interval_beside_times_that_count_frames(tmp_path: Path) -> None:
    write_ome(tmp_path, [0, 1, 2, 3, 4, 5], TimeIncrement=10, TimeIncrementUnit="min")
    recordings, _, _, remarks = open_with_remarks(RecordingFolder(tmp_path), STACKS)
    assert recordings["frame_interval_min"].tolist() == [10]
    assert "times are 1 s apart, but an interval of 10 min is stated" in remarks["finding"].iloc[0]


def test_a_stated_interval_is_held_against_the_times() -> None:
    (remark,) = check_times("r", header(EVEN, 5.0), STACKS)
    assert remark.text.startswith("has files that state an interval of 5 min, but frames 10 min apart by their times")
    assert check_times("r", header(EVEN, 10.05), STACKS) == []
    assert usual_step([0, 10, float("nan"), 30, 90]) == 10


def test_a_break_in_an_ome_tiff(tmp_path: Path) -> None:
    write_ome(tmp_path, [0, 600, 1200, 5400, 6000, 6600])
    with pytest.raises(InputError, match=r"frames 2 and 3 \(70 min\)"):
        open_with_remarks(RecordingFolder(tmp_path), STACKS)
    recordings, _, _, remarks = open_with_remarks(RecordingFolder(tmp_path), COUNT)
    assert recordings["frame_interval_min"].tolist() == [10]
    assert remarks[["check", "frame"]].to_numpy().tolist() == [["uneven_times", 3]]
    assert remarks["finding"].iloc[0].startswith("Recording 'A01' has uneven times: 10 min are usual")


def test_the_interval_is_that_of_the_times_where_the_plan_was_not_kept(tmp_path: Path) -> None:
    write_ome(tmp_path, [0, 720, 1440, 2160, 2880, 3600], TimeIncrement=10, TimeIncrementUnit="min")
    recordings, _, _, remarks = open_with_remarks(RecordingFolder(tmp_path), STACKS)
    assert recordings["frame_interval_min"].tolist() == [12]
    assert "state an interval of 10 min, but frames 12 min apart" in remarks["finding"].iloc[0]


def write_metamorph(root: Path, minutes: list[float]) -> None:
    """MetaMorph writes the time of each image as XML into its description."""
    start = dt.datetime(2020, 3, 29, 1, 0, tzinfo=dt.UTC)
    for t, minute in enumerate(minutes):
        moment = (start + dt.timedelta(minutes=minute)).strftime("%Y%m%d %H:%M:%S.%f")[:-3]
        text = f'<MetaData><prop id="acquisition-time-local" type="time" value="{moment}"/></MetaData>'
        tifffile.imwrite(root / f"e_w1GFP_s1_t{t + 1}.TIF", MOVIE[0], description=text, metadata=None)


def test_times_of_metamorph_files(tmp_path: Path) -> None:
    settings = RecordingSettings(layout="file_pattern", pattern="metamorph")
    write_metamorph(tmp_path, [0, 10, 20, 30])
    recordings, _, _, _ = open_with_remarks(RecordingFolder(tmp_path), settings)
    assert recordings["frame_interval_min"].tolist() == [10]
    write_metamorph(tmp_path, [0, 10, 80, 90])
    with pytest.raises(InputError, match=r"frames 1 and 2 \(70 min\); a change of clocks"):
        open_with_remarks(RecordingFolder(tmp_path), settings)


def test_a_change_of_clocks_in_stamps_can_be_passed_over(tmp_path: Path) -> None:
    for stamp in ("01h00m", "01h30m", "03h00m", "03h30m"):
        tifffile.imwrite(tmp_path / f"Phase_A1_1_2020y03m29d_{stamp}.tif", MOVIE[0])
    asked = {"layout": "file_pattern", "pattern": "incucyte"}
    with pytest.raises(InputError, match=r"90 min apart, .*\(did clocks change\?\).*uneven_times to 'frames_count'"):
        open_with_remarks(RecordingFolder(tmp_path), RecordingSettings.model_validate(asked))
    counted = RecordingSettings.model_validate({**asked, "uneven_times": "frames_count"})
    recordings, _, _, remarks = open_with_remarks(RecordingFolder(tmp_path), counted)
    assert recordings[["n_frames", "frame_interval_min"]].to_numpy().tolist() == [[4, 30]]
    assert remarks["check"].tolist() == ["uneven_times"]
    gaps = RecordingSettings.model_validate({**asked, "on_missing_frames": "gap"})
    recordings, _, _, _ = open_with_remarks(RecordingFolder(tmp_path), gaps)
    assert recordings[["n_frames", "missing_frames"]].to_numpy().tolist() == [[6, "2-3"]]


def test_an_interval_of_a_second_is_one_that_nobody_wrote(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "A01.tif", MOVIE, imagej=True, metadata={"axes": "TYX", "finterval": 1})
    with pytest.raises(InputError, match=r"do not say the time between two frames \(or say 0, or 1 s"):
        open_with_remarks(RecordingFolder(tmp_path), STACKS)
    (tmp_path / "A01.tif").unlink()
    tifffile.imwrite(tmp_path / "A01.ome.tif", MOVIE, metadata={"axes": "TYX", "TimeIncrement": 1.0})
    with pytest.raises(InputError, match=r"do not say the time between two frames \(or say 0, or 1 s"):
        open_with_remarks(RecordingFolder(tmp_path), STACKS)


@pytest.mark.parametrize("given", [None, 0.6])
def test_pixels_that_are_not_square_have_no_size(tmp_path: Path, given: float | None) -> None:
    sizes = {"PhysicalSizeX": 0.5, "PhysicalSizeY": 0.65, "PhysicalSizeXUnit": "um", "PhysicalSizeYUnit": "um"}
    write_ome(tmp_path, [600.0 * t for t in range(6)], **sizes)
    asked = RecordingSettings(layout="tiff_stacks", pixel_size_um=given)
    recordings, _, _, remarks = open_with_remarks(RecordingFolder(tmp_path), asked)
    assert np.allclose(recordings["pixel_size_um"], given or np.nan, equal_nan=True)
    assert remarks["check"].tolist() == ["pixel_sides"]
    assert "0.5 um wide and 0.65 um high" in remarks["finding"].iloc[0]


def test_imagej_resolutions_that_differ(tmp_path: Path) -> None:
    details = {"axes": "TYX", "unit": "um", "finterval": 600}
    tifffile.imwrite(tmp_path / "A01.tif", MOVIE, imagej=True, metadata=details, resolution=(2, 1))
    recordings, _, _, remarks = open_with_remarks(RecordingFolder(tmp_path), STACKS)
    assert recordings["pixel_size_um"].isna().all()
    assert "0.5 um wide and 1 um high" in remarks["finding"].iloc[0]
