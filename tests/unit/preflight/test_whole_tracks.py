"""Tracks as a whole: each finding by hand, and how often chance makes one."""

import numpy as np
import pandas as pd
import pytest

from cellfate.core import tables
from cellfate.preflight import PreflightSettings
from cellfate.preflight.whole_tracks import check_whole_tracks
from cellfate.tracks.settings import TrackSettings

CSV = TrackSettings(format="csv")
SCORED = TrackSettings(format="csv", fates_file="fates.csv")


def find(placed: pd.DataFrame, tracks: TrackSettings = CSV, n_scored: int | None = None) -> pd.DataFrame:
    """Findings of marks: recording_id, cell_id, frame, y_px, x_px, and the size of their images."""
    ends = placed.groupby(["recording_id", "cell_id"])["frame"].agg(first_frame="min", last_frame="max").reset_index()
    scored = len(ends) if n_scored is None else n_scored
    fates = ["apoptosis"] * scored + ["unscored"] * (len(ends) - scored)
    cells = ends.assign(parent_id=pd.array([pd.NA] * len(ends), dtype="Int64"), fate=fates)
    found = check_whole_tracks(placed, cells, tracks, PreflightSettings())
    return tables.PreflightFindings.validate(pd.concat(found, ignore_index=True))


def place(
    yx: np.ndarray, frames: range = range(4), height: int = 200, width: int = 300, name: str = "a"
) -> pd.DataFrame:
    """Cells that stand still."""
    rows = [(name, cell, frame, y, x) for cell, (y, x) in enumerate(yx) for frame in frames]
    table = pd.DataFrame(rows, columns=["recording_id", "cell_id", "frame", "y_px", "x_px"])
    return table.assign(
        n_frames=20, frame_interval_min=5.0, height_px=height, width_px=width, exists=True, file="f.tif"
    )


def spread(n_cells: int, height: float = 200, width: float = 300, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).uniform((0, 0), (height, width), (n_cells, 2))


def test_cells_all_over_the_image_from_frame_0_on_are_well():
    assert find(place(spread(40))).empty


def test_frames_that_begin_with_1_are_told_with_what_to_set():
    (row,) = find(place(spread(3), range(1, 5))).to_dict("records")
    assert (row["check"], row["frame"]) == ("first_frame", 1)
    assert row["finding"].endswith("as where frames are counted from 1; if they are, set tracks.first_frame: 1.")


@pytest.mark.parametrize(
    ("frames", "tracks"),
    [(range(2, 6), CSV), (range(1, 5), TrackSettings()), (range(1, 5), TrackSettings(format="cellprofiler_csv"))],
)
def test_other_first_frames_and_formats_that_number_frames_themselves_are_well(frames, tracks):
    assert find(place(spread(3), frames), tracks).empty


@pytest.mark.parametrize("name", ["csv", "trackmate_xml", "geff", "btrack"])
def test_one_recording_of_several_that_begins_with_1_is_told(name):
    both = pd.concat([place(spread(3), range(1, 5)), place(spread(3), range(4), name="b")])
    (row,) = find(both, TrackSettings(format=name)).to_dict("records")
    assert (row["check"], row["recording_id"]) == ("first_frame", "a")
    assert row["finding"].endswith("if they are, count them from 0 in its file, as in that of recording 'b'.")


def test_frames_that_are_minutes_are_told_with_what_to_set():
    """A frame every 5 min, all of the times within the 20 frames."""
    (row,) = find(place(spread(3), range(0, 16, 5))).to_dict("records")
    assert (row["check"], row["value"]) == ("times", 5.0)
    assert row["finding"].endswith(
        "cells are only in frames 0, 5, 10, 15 ..., which are times of frames in min; if they are meant so, set "
        "tracks.time_unit to min."
    )
    for frames in (range(0, 16, 4), range(1, 17, 5), range(0, 10, 5), range(10)):
        assert find(place(spread(3), frames)).query("check == 'times'").empty
    assert find(place(spread(3), range(0, 16, 5)), TrackSettings(format="trackmate_xml")).empty


def test_a_table_of_fates_of_few_cells_is_told():
    (row,) = find(place(spread(40)), SCORED, n_scored=7).to_dict("records")
    assert (row["check"], row["file"]) == ("few_fates", "fates.csv")
    assert "only 7 of 40 cells have a fate" in row["finding"]
    assert find(place(spread(40)), SCORED, n_scored=8).empty
    assert find(place(spread(40)), CSV, n_scored=0).empty


def test_positions_of_a_half_sized_copy_are_told():
    (row,) = find(place(spread(40) / 2)).to_dict("records")
    assert row["check"] == "crowded"
    assert row["finding"].endswith("on a smaller copy of the images, or are in another unit (tracks.position_unit).")
    (of_layout,) = find(place(spread(40) / 2), TrackSettings()).to_dict("records")
    assert of_layout["finding"].endswith("on a smaller copy of the images.")
    assert "all 40 lineages lie in the corner of x 0 to 1" in row["finding"]
    assert "300 px wide and 200 px high" in row["finding"]
    assert find(place(spread(19) / 2)).empty  # too few to say
    assert find(place(spread(40) / 2 + [100, 0])).empty  # the other corner: no scale makes that


def test_daughters_count_for_their_mother():
    placed = place(spread(40) / 2)
    cells = placed.drop_duplicates("cell_id")[["recording_id", "cell_id"]]
    parents = pd.array([pd.NA] * 10 + [0] * 30, dtype="Int64")
    cells = cells.assign(parent_id=parents, first_frame=0, last_frame=3, fate="censored")
    assert all(found.empty for found in check_whole_tracks(placed, cells, CSV, PreflightSettings()))


@pytest.mark.parametrize("n_colonies", [1, 3, 10])
def test_colonies_are_hardly_ever_taken_for_a_smaller_copy(n_colonies):
    """Of 400 recordings of 30 cells in colonies, fewer than 1 % are told; of half-sized copies of 30 cells, most."""
    generator = np.random.default_rng(n_colonies)
    size, told = np.array([200, 300]), 0
    for _ in range(400):
        middles = generator.uniform((0, 0), size, (n_colonies, 2))
        yx = middles[generator.integers(n_colonies, size=30)] + generator.normal(0, 25, (30, 2))
        told += not find(place(np.clip(yx, 0, size - 1), range(1)).assign(n_frames=1)).empty
    assert told < 4
    copies = [find(place(spread(30, seed=seed) / 2, range(1)).assign(n_frames=1)) for seed in range(50)]
    assert sum(not found.empty for found in copies) > 40
