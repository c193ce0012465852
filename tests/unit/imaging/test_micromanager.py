"""MicroManager's metadata.txt beside the images: times, interval, pixel size and planned frames, of both versions."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile

from cellfate.core.errors import InputError
from cellfate.imaging import RecordingFolder, RecordingSettings
from cellfate.imaging.opening import open_with_remarks

SETTINGS = RecordingSettings(layout="file_pattern", pattern="micromanager")
EVEN_MS = [80.0, 600_080.0, 1_200_080.0, 1_800_080.0]
BROKEN_MS = [80.0, 600_080.0, 4_800_080.0, 5_400_080.0]
SUMMARY = {"Interval_ms": 0.0, "PixelSize_um": 0.65, "Frames": 4}


def describe_old(times_ms: list[float], named: bool) -> dict[str, Any]:
    """Version 1.4: a key each frame, channel and plane; the second channel is later."""
    keys = [(t, c) for t in range(len(times_ms)) for c in range(2)]
    about = {f"FrameKey-{t}-{c}-0": {"ElapsedTime-ms": times_ms[t] + 900 * c, "Frame": t} for t, c in keys}
    names = [f"img_{t:09d}_{name}_000.tif" for t in range(len(times_ms)) for name in ("CFP", "YFP")]
    return {
        key: {**one, "FileName": name} if named else one for (key, one), name in zip(about.items(), names, strict=True)
    }


def write_old(root: Path, times_ms: list[float], summary: dict[str, Any], named: bool = True) -> Path:
    (root / "Pos0").mkdir()
    for t in range(len(times_ms)):
        for name in ("CFP", "YFP"):
            tifffile.imwrite(root / "Pos0" / f"img_{t:09d}_{name}_000.tif", np.ones((8, 9), np.uint16))
    path = root / "Pos0" / "metadata.txt"
    path.write_text(json.dumps({"Summary": summary, **describe_old(times_ms, named)}))
    return path


def write_new(root: Path, times_ms: list[float], summary: dict[str, Any]) -> Path:
    """Version 2.0: a key each file; two positions in one folder, the second 30 s later."""
    content: dict[str, Any] = {"Summary": summary}
    for t, time in enumerate(times_ms):
        for p in range(2):
            name = f"img_channel000_position{p:03d}_time{t:09d}_z000.tif"
            tifffile.imwrite(root / name, np.ones((8, 9), np.uint16))
            content[f"Coords-Default/{name}"] = {"Frame": t}
            content[f"Metadata-Default/{name}"] = {"ElapsedTime-ms": time + 30_000 * p}
    (root / "metadata.txt").write_text(json.dumps(content))
    return root / "metadata.txt"


@pytest.mark.parametrize("named", [True, False])
def test_times_of_version_1_4(tmp_path: Path, named: bool) -> None:
    write_old(tmp_path, EVEN_MS, SUMMARY, named)
    recordings, _, _, remarks = open_with_remarks(RecordingFolder(tmp_path), SETTINGS)
    row = recordings[["recording_id", "n_frames", "frame_interval_min", "pixel_size_um"]]
    assert row.to_numpy().tolist() == [["Pos0", 4, 10.0, 0.65]]
    assert remarks.empty


def test_times_of_version_2(tmp_path: Path) -> None:
    write_new(tmp_path, EVEN_MS, SUMMARY)
    recordings, _, _, remarks = open_with_remarks(RecordingFolder(tmp_path), SETTINGS)
    rows = recordings[["recording_id", "frame_interval_min", "pixel_size_um"]].to_numpy().tolist()
    assert rows == [["000", 10.0, 0.65], ["001", 10.0, 0.65]]
    assert remarks.empty


@pytest.mark.parametrize("write", [write_old, write_new])
def test_a_break_in_the_times_stops(tmp_path: Path, write: Any) -> None:
    write(tmp_path, BROKEN_MS, SUMMARY)
    with pytest.raises(InputError, match=r"10 min are usual, but not between frames 1 and 2 \(70 min\)"):
        open_with_remarks(RecordingFolder(tmp_path), SETTINGS)


def test_the_planned_interval_is_that_of_the_summary(tmp_path: Path) -> None:
    path = write_old(tmp_path, EVEN_MS, SUMMARY)
    path.write_text(json.dumps({"Summary": {"Interval_ms": 300_000}}))
    recordings, *_ = open_with_remarks(RecordingFolder(tmp_path), SETTINGS)
    assert recordings["frame_interval_min"].tolist() == [5]


def test_a_plan_that_was_not_kept_is_told(tmp_path: Path) -> None:
    write_old(tmp_path, EVEN_MS, {**SUMMARY, "Interval_ms": 300_000, "Frames": 9})
    recordings, _, _, remarks = open_with_remarks(RecordingFolder(tmp_path), SETTINGS)
    assert recordings["frame_interval_min"].tolist() == [10]
    found = dict(zip(remarks["check"], remarks["finding"], strict=True))
    assert "metadata.txt states 9 frames, but recording 'Pos0' has 4 frames" in found["other_facts"]
    assert "state an interval of 5 min, but frames 10 min apart by their times" in found["uneven_times"]


def test_a_file_whose_last_bracket_is_lacking_is_read(tmp_path: Path) -> None:
    path = write_old(tmp_path, EVEN_MS, SUMMARY)
    path.write_text(path.read_text()[:-1] + ",\n")
    recordings, _, _, remarks = open_with_remarks(RecordingFolder(tmp_path), SETTINGS)
    assert recordings["frame_interval_min"].tolist() == [10]
    assert remarks.empty


@pytest.mark.parametrize(
    "text", ["", "{}", "[1]", '{"Summary": 3}', '{"Summary": {"Interval_ms": "x"}, "a": 3}', "\x00\xff"]
)
def test_a_file_that_says_nothing_is_asked_for(tmp_path: Path, text: str) -> None:
    write_old(tmp_path, EVEN_MS, SUMMARY).write_text(text)
    with pytest.raises(InputError, match="do not say the time between two frames"):
        open_with_remarks(RecordingFolder(tmp_path), SETTINGS)
