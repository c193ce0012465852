"""Files whose names say what they are: three programs' names, own patterns, and everything that can be missing."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import tifffile
from numpy.testing import assert_array_equal

from cellfate.core.errors import InputError
from cellfate.imaging import RecordingFolder, RecordingSettings, lazy_recordings, open_recordings
from cellfate.imaging.file_patterns import PRESETS
from cellfate.imaging.file_times import order_times
from cellfate.imaging.opening import open_with_remarks

PATTERN = {"layout": "file_pattern", "frame_interval_min": 10}
SETTINGS = RecordingSettings(layout="file_pattern", frame_interval_min=10, pattern="metamorph")


def open_pattern(root: Path, **changes: Any) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    return open_recordings(RecordingFolder(root), RecordingSettings.model_validate({**PATTERN, **changes}))


def write(root: Path, *names: str) -> None:
    """Write images of 6 x 7 px that hold the number of their name."""
    for number, name in enumerate(names):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        tifffile.imwrite(path, np.full((6, 7), number, np.uint16))


def match(preset: str, name: str) -> dict[str, str | None] | None:
    found = next(filter(None, (re.fullmatch(pattern, name) for pattern in PRESETS[preset])), None)
    return None if found is None else {key: text for key, text in found.groupdict().items() if text is not None}


@pytest.mark.parametrize(
    ("preset", "name", "groups"),
    [
        (
            "micromanager",
            "img_channel000_position113_time000000004_z000.tif",
            {"channel": "000", "position": "113", "time": "000000004", "z": "000"},
        ),
        (
            "micromanager",
            "acq/Pos0/img_000000012_Default_GFP_003.tif",
            {"folder": "acq/Pos0", "time": "000000012", "channel": "Default_GFP", "z": "003"},
        ),
        (
            "metamorph",
            "exp_w1CFP_s3_t12.TIF",
            {"experiment": "exp", "channel": "w1CFP", "position": "3", "time": "12"},
        ),
        ("metamorph", "day1/my_exp_t3.tif", {"folder": "day1", "experiment": "my_exp", "time": "3"}),
        (
            "metamorph",
            "exp_w2YFP confocal_s3_t1.TIF",
            {"experiment": "exp", "channel": "w2YFP confocal", "position": "3", "time": "1"},
        ),
        ("metamorph", "exp_thumb_w1CFP_s3_t12.TIF", None),
        (
            "metamorph",
            "exp_w1CSU_491_s3_t12.TIF",
            {"experiment": "exp", "channel": "w1CSU_491", "position": "3", "time": "12"},
        ),
        (
            "metamorph",
            "a/my_w2k_exp_w10_CSU_491_nm_t1.tif",
            {"folder": "a", "experiment": "my_w2k_exp", "channel": "w10_CSU_491_nm", "time": "1"},
        ),
        (
            "metamorph",
            "exp_s1_w1GFP_t_3_s2_t4.tif",
            {"experiment": "exp_s1", "channel": "w1GFP_t_3", "position": "2", "time": "4"},
        ),
        (
            "incucyte",
            "Phase_A1_1_2020y01m05d_04h00m.tif",
            {"channel": "Phase", "well": "A1", "field": "1", "time": "2020y01m05d_04h00m"},
        ),
        (
            "incucyte",
            "Green_H12_4_00d04h30m.png",
            {"channel": "Green", "well": "H12", "field": "4", "time": "00d04h30m"},
        ),
        ("incucyte", "Phase_A1_1.tif", None),
    ],
)
def test_presets_read_the_names_of_three_programs(preset: str, name: str, groups: dict[str, str] | None) -> None:
    assert match(preset, name) == groups


def test_micromanager_files_are_recordings(tmp_path: Path) -> None:
    names = [f"img_channel00{c}_position{p}_time00000000{t}_z000.tif" for p in (1, 2) for t in range(3) for c in (0, 1)]
    write(tmp_path, *names)
    recordings, files, _ = open_pattern(tmp_path, pattern="micromanager", channels=("tritc", "fitc"))
    assert recordings["recording_id"].tolist() == ["1", "2"]
    assert recordings["channels"].tolist() == ["tritc|fitc"] * 2
    assert files["file_name"].tolist() == names
    assert files["channel"].tolist() == [0, 1] * 6
    assert files["frame"].tolist() == [0, 0, 1, 1, 2, 2] * 2
    second = list(lazy_recordings(RecordingFolder(tmp_path), recordings, files.sample(frac=1, random_state=3)))[1]
    assert [second.read_frame(2)[channel, 0, 0] for channel in (0, 1)] == [10, 11]


def test_metamorph_files_are_recordings_with_stages_and_wavelengths(tmp_path: Path) -> None:
    names = [f"exp_w{w}_s{s}_t{t}.TIF" for s in (1, 2) for t in range(1, 12) for w in ("1CFP", "2YFP")]
    write(tmp_path, *names, "exp_thumb_w1CFP_s1_t1.TIF", "exp.nd")
    recordings, files, _ = open_pattern(tmp_path, pattern="metamorph")
    assert recordings["recording_id"].tolist() == ["exp_1", "exp_2"]
    assert recordings["channels"].tolist() == ["w1CFP|w2YFP"] * 2
    assert recordings["n_frames"].tolist() == [11, 11]
    assert files["file_name"].tolist() == names


def test_channels_are_chosen_and_named_by_their_codes(tmp_path: Path) -> None:
    write(tmp_path, *[f"e_w{w}_t{t}.tif" for t in (1, 2) for w in ("1BF", "2CFP", "10YFP")])
    recordings, files, _ = open_pattern(
        tmp_path, pattern="metamorph", channels=("p53", "h2b"), channel_codes=("w10YFP", "w2CFP")
    )
    assert recordings["channels"].tolist() == ["p53|h2b"]
    assert files["file_name"].tolist() == ["e_w10YFP_t1.tif", "e_w2CFP_t1.tif", "e_w10YFP_t2.tif", "e_w2CFP_t2.tif"]
    recording = next(lazy_recordings(RecordingFolder(tmp_path), recordings, files))
    assert recording.read_frame(1)[:, 0, 0].tolist() == [5, 4]
    recordings, _, _ = open_pattern(tmp_path, pattern="metamorph")
    assert recordings["channels"].tolist() == ["w1BF|w2CFP|w10YFP"]
    with pytest.raises(InputError, match=r"no file of channel 'w3' at frames 0-1 \(2 of 4 files are missing"):
        open_pattern(tmp_path, pattern="metamorph", channel_codes=("w3", "w2CFP"))
    with pytest.raises(InputError, match="no file of the channels CFP, but of w1BF, w2CFP, w10YFP; correct"):
        open_pattern(tmp_path, pattern="metamorph", channel_codes=("CFP",))


@pytest.mark.parametrize(
    ("names", "changes", "warns"),
    [
        (("e_w1CFP_t1.TIF", "e_w2YFP_t1.TIF"), {"pattern": "metamorph", "channel_codes": ("w1CFP", "w2YFP")}, False),
        (("e_w1CFP_t1.TIF", "e_w2YFP_t1.TIF"), {"pattern": "metamorph"}, True),
        (("0_t1.tif", "1_t1.tif"), {"pattern": r"(?P<channel>\d)_t(?P<time>\d)\.tif"}, False),
    ],
)
def test_only_names_that_nobody_translated_are_warned_of(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, names: tuple[str, ...], changes: dict[str, Any], warns: bool
) -> None:
    write(tmp_path, *names)
    recordings, _, _ = open_pattern(tmp_path, channels=("h2b", "p53"), **changes)
    assert recordings["channels"].tolist() == ["h2b|p53"]
    assert ("the parameter is used" in caplog.text) == warns


def test_time_stamps_order_the_frames_and_give_the_interval(tmp_path: Path) -> None:
    stamps = ["2020y01m31d_22h00m", "2020y01m31d_23h30m", "2020y02m01d_01h00m", "2020y02m01d_02h30m"]
    write(tmp_path, *[f"Phase_{well}_1_{stamp}.tif" for well in ("A1", "B12") for stamp in stamps])
    recordings, files, _ = open_pattern(tmp_path, pattern="incucyte", frame_interval_min=None)
    assert recordings["recording_id"].tolist() == ["A1_1", "B12_1"]
    assert recordings["frame_interval_min"].tolist() == [90, 90]
    assert recordings["channels"].tolist() == ["Phase", "Phase"]
    assert files["file_name"].tolist()[:2] == [f"Phase_A1_1_{stamp}.tif" for stamp in stamps[:2]]
    (tmp_path / f"Phase_A1_1_{stamps[2]}.tif").unlink()
    words = r"frames at 2020y01m31d_23h30m and 2020y02m01d_02h30m with none between, 180 min apart, but .* 90 min"
    with pytest.raises(InputError, match=words):
        open_pattern(tmp_path, pattern="incucyte")


def test_own_patterns_join_their_other_groups(tmp_path: Path) -> None:
    write(tmp_path, *[f"plate7/{w}/f{f}-{t:03d}.tif" for w in ("A01", "B02") for f in (1, 2) for t in range(5, 8)])
    own = r"(?P<plate>\w+)/(?P<well>[A-H]\d\d)/f(?P<field>\d)-(?P<time>\d+)\.tif"
    recordings, files, _ = open_pattern(tmp_path, pattern=own, channels=("p53",))
    assert recordings["recording_id"].tolist() == ["plate7_A01_1", "plate7_A01_2", "plate7_B02_1", "plate7_B02_2"]
    assert recordings["source"].tolist()[0] == "plate7/A01"
    assert files["frame"].tolist() == [0, 1, 2] * 4
    assert files["channel"].isna().all()


def test_planes_in_files_are_projected(tmp_path: Path) -> None:
    write(tmp_path, *[f"t{t}_z{z}.tif" for t in range(2) for z in (7, 8, 9)])
    pattern = r"t(?P<time>\d+)_z(?P<z>\d+)\.tif"
    for z, expected in (("max", 5), (0, 3), (2, 5)):
        recordings, files, _ = open_pattern(tmp_path, pattern=pattern, z=z, channels=("a",))
        recording = next(lazy_recordings(RecordingFolder(tmp_path), recordings, files))
        assert recording.recording_id == "recording"
        assert (recording.read_frame(1) == expected).all()
    (tmp_path / "t1_z8.tif").unlink()
    with pytest.raises(InputError, match=r"no file of frame 1 \(time 1\), z 8 \(1 of 6"):
        open_pattern(tmp_path, pattern=pattern, channels=("a",))
    assert len(open_pattern(tmp_path, pattern=pattern, channels=("a",), z=2)[1]) == 2


def test_colour_files_hold_the_channels(tmp_path: Path) -> None:
    image = np.arange(6 * 7 * 3, dtype=np.uint8).reshape(6, 7, 3)
    for t in range(2):
        tifffile.imwrite(tmp_path / f"f{t}.tif", image + t, photometric="rgb")
    recordings, files, _ = open_pattern(tmp_path, pattern=r"f(?P<time>\d)\.tif", channels=("a", "b", "c"))
    recording = next(lazy_recordings(RecordingFolder(tmp_path), recordings, files))
    assert_array_equal(recording.read_frame(1), np.moveaxis(image + 1, -1, 0), strict=True)


def two_channels(root: Path) -> dict[str, Any]:
    write(root, *[f"p{p}_c{c}_t{t:02d}.tif" for p in (1, 2) for t in range(8, 12) for c in "xy"])
    return {"pattern": r"p(?P<position>\d)_c(?P<channel>\w)_t(?P<time>\d+)\.tif", "channels": ("a", "b")}


def _replace(name: str, pixels: np.ndarray) -> Any:
    options = {"photometric": "rgb"} if pixels.shape[-1] == 3 else {}
    return lambda root: tifffile.imwrite(root / name, pixels, **options)


BAD = {
    "one channel": (
        lambda root: (root / "p2_cy_t09.tif").unlink(),
        r"Recording '2' has no file of frame 1 \(time 09\), channel 'y' \(1 of 8 files .* p2_cx_t08\.tif\)",
    ),
    "a frame": (
        lambda root: [(root / f"p2_c{c}_t10.tif").unlink() for c in "xy"],
        r"Recording '2' has no file of frame 2 \(time 10\), channel 'x' \(2 of 8",
    ),
    "size": (
        _replace("p2_cy_t09.tif", np.zeros((6, 8), np.uint16)),
        r"p2_cy_t09\.tif of recording '2' is 8 x 6 px, uint16, 1 sample\(s\) \(YX\), but p2_cx_t08\.tif is 7 x 6 px",
    ),
    "type": (_replace("p2_cy_t09.tif", np.zeros((6, 7), np.uint8)), r"p2_cy_t09\.tif .* is 7 x 6 px, uint8"),
    "pages": (_replace("p2_cy_t09.tif", np.zeros((2, 6, 7), np.uint16)), r"holds 2 page\(s\).*layout 'tiff_stacks'"),
    "truncated": (
        lambda root: (root / "p2_cy_t09.tif").write_bytes((root / "p2_cy_t09.tif").read_bytes()[:-9]),
        r"p2_cy_t09\.tif is not a whole",
    ),
    "twice": (
        lambda root: write(root, "p2_cy_t9.tif"),
        r"two files of frame 1 \(time 0?9\), channel 'y': p2_cy_t09\.tif and p2_cy_t9\.tif",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_recording_stops_or_is_set_aside(tmp_path: Path, name: str) -> None:
    parameters = two_channels(tmp_path)
    damage, words = BAD[name]
    damage(tmp_path)
    with pytest.raises(InputError, match=words) as caught:
        open_pattern(tmp_path, **parameters)
    assert "\n" not in str(caught.value)
    recordings, _, set_aside = open_pattern(tmp_path, **parameters, on_bad_recording="skip")
    assert recordings["recording_id"].tolist() == ["1"]
    assert set_aside[["recording_id", "reason"]].to_numpy().tolist() == [["2", str(caught.value)]]


def test_colours_in_a_file_of_one_channel_are_an_input_error(tmp_path: Path) -> None:
    parameters = two_channels(tmp_path)
    for path in tmp_path.glob("p2*"):
        tifffile.imwrite(path, np.zeros((6, 7, 3), np.uint16), photometric="rgb")
    with pytest.raises(InputError, match="3 samples a pixel, but one was expected, since there is a file for each"):
        open_pattern(tmp_path, **parameters)


def test_a_pattern_that_matches_nothing_shows_a_name(tmp_path: Path) -> None:
    write(tmp_path, "a/movie_1.tif")
    with pytest.raises(InputError, match=r"None of the 1 files .* whole path .*, such as a/movie_1\.tif"):
        open_pattern(tmp_path, pattern="metamorph")


def test_a_file_that_disappears_later_is_named(tmp_path: Path) -> None:
    recordings, files, _ = open_pattern(tmp_path, **two_channels(tmp_path))
    recording = next(lazy_recordings(RecordingFolder(tmp_path), recordings, files))
    (tmp_path / "p1_cy_t10.tif").unlink()
    with pytest.raises(InputError, match=r"Frame 2 of recording '1' cannot be read: File .*p1_cy_t10\.tif is missing"):
        recording.read_frame(2)
    tifffile.imwrite(tmp_path / "p1_cy_t10.tif", np.zeros((6, 9), np.uint16))
    with pytest.raises(InputError, match=r"Frame 2 .*p1_cy_t10\.tif has shape \(1, 6, 9\)"):
        recording.read_frame(2)


@pytest.mark.parametrize(
    ("times", "words"),
    [
        (["1", "x"], "gives 'x' as its time"),
        (["1", "00d00h10m"], r"times of different kinds, such as f1\.tif and f00d00h10m\.tif, .*name all in one way"),
        (["0", "20200105040000"], "fewer than 1000000 frames"),
        (["2020y13m05d_04h00m"], "gives '2020y13m05d_04h00m' as its time"),
        (["00d00h00m", "00d00h10m", "00d00h20m", "00d00h23m"], "3 min apart, but its frames are 10 min apart"),
    ],
)
def test_times_that_make_no_sense_are_an_input_error(times: list[str], words: str) -> None:
    with pytest.raises(InputError, match=words):
        order_times("r", {time: f"f{time}.tif" for time in times}, SETTINGS)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"pattern": None}, "pattern is null"),
        ({"pattern": "(?P<time>"}, "is no regular expression"),
        ({"pattern": r"(?P<frame>\d+)\.tif"}, "has no group"),
        ({"pattern": "incucyte", "channels": ("a", "b"), "channel_codes": ("x",)}, "every channel its code"),
        ({"pattern": "incucyte", "channel_codes": ("x", "x")}, "different names"),
        ({"pattern": "incucyte", "labels": "silver_truth"}, "has no label images"),
        ({"pattern": "incucyte", "z": -1}, "greater than or equal to 0"),
    ],
)
def test_parameters_that_make_no_sense_are_refused(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        RecordingSettings.model_validate({**PATTERN, **changes})


@pytest.mark.parametrize(("choice", "n_frames"), [("cut", 1), ("gap", 10)])
def test_a_channel_that_was_not_always_taken_is_one_finding(tmp_path: Path, choice: str, n_frames: int) -> None:
    """MetaMorph takes every third image of a channel where it is told so."""
    write(tmp_path, *[f"e_w1GFP_t{t + 1}.tif" for t in range(12)], *[f"e_w2RFP_t{t + 1}.tif" for t in range(0, 12, 3)])
    words = "has no file of channel 'w2RFP' at frames 1-2, 4-5, 7-8, 10-11 (8 of 24 files are missing"
    with pytest.raises(InputError) as told:
        open_pattern(tmp_path, pattern="metamorph")
    assert f"{words}, one that is there is e_w1GFP_t1.tif); add them, leave the channel out by" in str(told.value)
    asked = RecordingSettings.model_validate({**PATTERN, "pattern": "metamorph", "on_missing_frames": choice})
    recordings, _, _, remarks = open_with_remarks(RecordingFolder(tmp_path), asked)
    assert recordings["n_frames"].tolist() == [n_frames]
    assert words in remarks["finding"].item()
    alone, _, _ = open_pattern(tmp_path, pattern="metamorph", channel_codes=("w1GFP",))
    assert alone["n_frames"].tolist() == [12]


def test_images_whose_names_do_not_match_are_told_once(tmp_path: Path) -> None:
    stamps = [f"Phase_{well}_1_00d0{hour}h00m.tif" for well in ("A1", "A2") for hour in (0, 1)]
    write(tmp_path, *stamps, "Phase_A1_1.tif", "Phase_A1_1_extra.PNG", "Phase_A1_thumb.tif", "notes.txt", "other/x.tif")
    asked = RecordingSettings.model_validate({**PATTERN, "pattern": "incucyte"})
    _, _, _, remarks = open_with_remarks(RecordingFolder(tmp_path), asked)
    told = remarks[remarks["check"] == "unmatched_file"]
    assert told["recording_id"].tolist() == ["A1_1"]
    words = "lies beside 2 image(s) that do not match the pattern 'incucyte' and are left out, such as Phase_A1_1.tif"
    assert words in told["finding"].item()


def test_a_pattern_that_ends_too_soon_leaves_no_frame_out_in_silence(tmp_path: Path) -> None:
    write(tmp_path, *[f"t{t:02d}.tif" for t in range(98, 102)])
    asked = RecordingSettings.model_validate({**PATTERN, "pattern": r"t(?P<time>\d\d)\.tif"})
    recordings, _, _, remarks = open_with_remarks(RecordingFolder(tmp_path), asked)
    assert recordings["n_frames"].tolist() == [2]
    assert "beside 2 image(s) that do not match" in remarks["finding"].item()


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("exp_w1GFP_s1.stk", "set recordings.layout to tiff_stacks, which reads each as a recording"),
        ("exp_w1GFP_s1_t1.stk", "a stack of planes for each time point is not read: export every plane as a TIFF"),
    ],
)
def test_stacks_of_metamorph_are_no_single_files(tmp_path: Path, name: str, words: str) -> None:
    for file_name in (name, "exp.nd"):
        (tmp_path / file_name).write_bytes(b"x")
    with pytest.raises(InputError, match=f"None of the 2 files .* matches the pattern 'metamorph', .*{words}"):
        open_pattern(tmp_path, pattern="metamorph")


@pytest.mark.real
def test_the_real_micromanager_files_are_read(real_data: Path) -> None:
    folder = RecordingFolder(real_data / "celltk2_example")
    settings = RecordingSettings.model_validate({**PATTERN, "pattern": "micromanager", "channels": ("tritc", "fitc")})
    recordings, files, _ = open_recordings(folder, settings)
    assert recordings["recording_id"].tolist() == ["live_cell_example_113"]
    assert recordings[["n_frames", "height_px", "width_px"]].to_numpy().tolist() == [[6, 720, 853]]
    image = next(lazy_recordings(folder, recordings, files)).read_frame(5)
    stem = "live_cell_example/img_channel00{}_position113_time000000005_z000.tif"
    for channel in (0, 1):
        assert_array_equal(image[channel], tifffile.imread(folder.root / stem.format(channel)), strict=True)


@pytest.mark.real
def test_the_real_numbered_files_are_read_by_a_pattern(real_data: Path) -> None:
    folder = RecordingFolder(real_data / "ctc_hela")
    settings = RecordingSettings.model_validate({**PATTERN, "pattern": r"(?P<sequence>\d+)/t(?P<time>\d+)\.tif"})
    recordings, files, _ = open_recordings(folder, settings)
    assert recordings[["recording_id", "n_frames", "channels"]].to_numpy().tolist() == [["02", 92, "channel"]]
    image = next(lazy_recordings(folder, recordings, files)).read_frame(91)
    assert_array_equal(image[0], tifffile.imread(folder.root / "02/t091.tif"), strict=True)
