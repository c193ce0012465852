"""Tracks are checked cell by cell; every case is worked by hand on an image of 40 x 60 px and crops of 10 x 10 px."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cellfate.core import tables
from cellfate.imaging.windows import cut_window
from cellfate.preflight import PreflightSettings
from cellfate.preflight.tracks import check_detections, check_tracks, measure_cells, place_detections
from cellfate.tracks.settings import TrackSettings

RECORDINGS = pd.DataFrame(
    {
        "recording_id": ["a"],
        "source": "a.tif",
        "n_frames": 6,
        "frame_interval_min": 10.0,
        "height_px": 40,
        "width_px": 60,
        "pixel_size_um": 0.5,
        "condition": "drug",
        "dose": "Low",
    }
)
FILES = pd.DataFrame({"recording_id": "a", "frame": range(6), "file_name": [f"a/{frame}.tif" for frame in range(6)]})
CROP = (10, 10)
MAX_JUMP = 5.0


def mark(*rows: tuple[int, int, float, float]) -> pd.DataFrame:
    """Marks of recording a: cell, frame, y, x."""
    table = pd.DataFrame(rows, columns=["cell_id", "frame", "y_px", "x_px"])
    return place_detections(table.assign(recording_id="a"), RECORDINGS, FILES, CROP)


def find(placed: pd.DataFrame, tracks: TrackSettings = TrackSettings(), **settings: object) -> pd.DataFrame:  # noqa: B008  # frozen
    """All findings, checked against the schema."""
    chosen = PreflightSettings(**settings)
    found = [*check_detections(placed, tracks, chosen), *check_tracks(placed, tracks, FILES, chosen, MAX_JUMP)]
    return tables.PreflightFindings.validate(pd.concat(found, ignore_index=True))


CLEAN = [(1, frame, 20.0, 20.0 + frame) for frame in range(6)]


def test_a_clean_track_gives_no_finding():
    assert find(mark(*CLEAN)).empty


@pytest.mark.parametrize(
    ("rows", "check", "cell", "frame", "file", "value", "words"),
    [
        ([(1, 5, 20, 25)], "duplicate", 1, 5, "a/5.tif", 2.0, "marked 2 times in frame 5"),
        ([(2, 6, 20, 20)], "absent_frame", 2, 6, None, 1.0, "has 6 frames counted from 0"),
        ([(2, -2, 20, 20)], "absent_frame", 2, -2, None, 2.0, "marked in frame -2"),
        # the image spans from -0.5 to 39.5 and 59.5: 3 px beyond in y and 4 px in x are 5 px
        ([(2, 3, 42.5, 63.5)], "outside", 2, 3, "a/3.tif", 5.0, "at x 63.5 px, y 42.5 px, 5.0 px outside"),
        # frames 1 and 2 are missing
        ([(2, 0, 9, 9), (2, 3, 9, 9)], "gap", 2, 1, "a/1.tif", 2.0, "not seen for 2 frame(s) from frame 1 on"),
        # 6 px down and 8 px to the right are 10 px
        ([(2, 0, 9, 9), (2, 1, 15, 17)], "jump", 2, 1, "a/1.tif", 10.0, "moves 10.0 px a frame up to frame 1"),
        # rows -3 to 6 and columns 4 to 13: 3 of 10 rows are outside
        ([(2, 0, 5, 9), (2, 1, 2, 9)], "border", 2, 1, "a/1.tif", 0.3, "in 1 of its 2 frames, by 30% of its area"),
        ([(2, 4, 20.3, 23.6)], "coinciding", 2, 4, "a/4.tif", 1.0, "very pixel of another cell in 1 frame(s)"),
    ],
)
def test_a_fault_is_found_with_file_cell_and_frame(rows, check, cell, frame, file, value, words):
    found = find(mark(*CLEAN, *rows))
    found = found[(found["cell_id"] == cell) & (found["check"] == check)]
    assert len(found) == 1
    row = found.iloc[0]
    assert (row["cell_id"], row["frame"], row["n_cases"]) == (cell, frame, 1)
    assert row["file"] == file if file else pd.isna(row["file"])
    assert row["value"] == pytest.approx(value)
    assert row["severity"] == ("error" if check in tables.PREFLIGHT_ERRORS else "warning")
    assert words in row["finding"]


def test_both_cells_at_one_place_are_told():
    found = find(mark(*CLEAN, (2, 4, 20.3, 23.6)))
    assert found[["check", "cell_id"]].values.tolist() == [["coinciding", 1], ["coinciding", 2]]


def test_spots_of_no_track_that_share_a_number_are_told_where_a_parameter_leaves_them_out():
    """20 px and 30 px are jumps, 1 px is none: two of three steps of cell 0."""
    scattered = [(0, 0, 5, 5), (0, 1, 25, 5), (0, 2, 25, 35), (0, 3, 25, 36)]
    csv, advice = TrackSettings(format="csv"), "if the number stands for spots of no track, set tracks.untracked_id: 0."
    told = find(mark(*CLEAN, *scattered), csv).set_index("check").loc["untracked"]
    assert (told["cell_id"], told["value"], told["limit"]) == (0, 2.0, MAX_JUMP)
    assert "cell 0 moves farther than 5.0 px a frame in 2 of its 3 steps" in told["finding"]
    assert told["finding"].endswith(advice)
    twice = find(mark(*CLEAN, (0, 3, 5, 5), (0, 3, 30, 30)), csv).set_index("check").loc["duplicate"]
    assert twice["finding"].endswith(f"keep one mark a cell and frame, or, {advice}")
    numbers = find(mark(*CLEAN, *[(cell, 3, y, y) for cell in (7, 8) for y in (5, 30)]), csv)
    assert "untracked_id" not in "".join(numbers["finding"])  # two numbers cannot both stand for no track
    one_jump = [(0, 1, 25, 5), (0, 2, 25, 35), (0, 3, 25, 36)]
    assert "untracked" not in set(find(mark(*CLEAN, *one_jump), csv)["check"])
    for rows in (scattered, [(0, 3, 5, 5), (0, 3, 30, 30)]):
        assert "untracked" not in "".join(find(mark(*CLEAN, *rows), TrackSettings(format="geff"))["finding"])


def test_a_position_that_is_no_number_is_outside():
    assert list(find(mark((1, 0, np.nan, 20.0)))["check"]) == ["outside"]


def test_a_gap_is_no_jump_as_the_way_is_told_per_frame():
    found = find(mark((1, 0, 20, 20), (1, 3, 20, 35)))  # 15 px in 3 frames: 5 px a frame, which is not farther than 5
    assert list(found["check"]) == ["gap"]


@pytest.mark.parametrize(
    ("settings", "check"),
    [({"max_gap_frames": 2}, "gap"), ({"max_outside_share": 0.3}, "border")],
)
def test_what_is_within_the_limit_is_not_told(settings, check):
    placed = mark((1, 0, 20, 20), (1, 3, 20, 20), (2, 0, 2, 20))
    assert check in set(find(placed)["check"])
    assert check not in set(find(placed, **settings)["check"])


def test_the_worst_cases_are_listed_and_the_others_counted():
    rows = [(cell, frame, 20.0, 10.0 + frame * cell) for cell in (6, 7, 8) for frame in (0, 1)]
    found = find(mark(*rows), max_rows_a_check=1)
    jumps = found[found["check"] == "jump"]
    assert jumps["value"].tolist() == [8.0, 7.0]
    assert jumps["n_cases"].tolist() == [1, 2]
    assert jumps["cell_id"].isna().tolist() == [False, True]
    assert "2 further cases" in jumps["finding"].iloc[1]


def test_a_cell_is_described_by_length_gaps_steps_and_border():
    placed = mark((1, 0, 2, 20), (1, 1, 5, 24), (1, 1, 5, 24), (1, 4, 5, 24), (1, 9, 5, 24))
    cells = pd.DataFrame({"recording_id": "a", "cell_id": [1, 2], "fate": ["mitosis", "censored"]})
    measured = tables.PreflightCells.validate(measure_cells(placed, cells, RECORDINGS))
    first, unseen = measured.iloc[0], measured.iloc[1]
    assert (first["n_frames"], first["n_detections"], first["n_gaps"]) == (5, 3, 1)
    assert first["largest_step_px"] == 5.0  # 3 px down, 4 px to the right
    assert first["outside_share"] == pytest.approx(0.3)
    assert (unseen["n_frames"], unseen["n_detections"], unseen["n_gaps"]) == (0, 0, 0)
    assert np.isnan(unseen["largest_step_px"])


@given(
    st.floats(-70, 130, allow_nan=False), st.floats(-70, 130, allow_nan=False), st.integers(1, 30), st.integers(1, 30)
)
def test_the_share_outside_is_that_of_the_crop_that_is_cut(y, x, height, width):
    marks = pd.DataFrame({"recording_id": ["a"], "cell_id": 1, "frame": 0, "y_px": y, "x_px": x})
    placed = place_detections(marks, RECORDINGS, FILES, (height, width))
    crop = cut_window(np.ones((40, 60)), y, x, height, width)
    assert placed["outside_share"].iloc[0] == pytest.approx(1 - crop.mean())
