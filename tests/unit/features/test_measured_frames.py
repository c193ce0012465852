"""Cells are read from the table of frame features as from a store of crops."""

import numpy as np
import pandas as pd
import pytest

from cellfate.core.errors import InputError
from cellfate.features.context import Context
from cellfate.features.measured_frames import MeasuredFrames, choose_columns
from tests.cases.crop_stores import tiny_study

NAN = np.nan
CELLS = pd.DataFrame(
    {
        "recording_id": "a",
        "cell_id": [1, 2],
        "first_frame": [0, 3],
        "last_frame": [4, 4],
        "frame_interval_min": 30.0,
        "mother_cycle_h": [NAN, 12.0],
    }
)
FRAME_FEATURES = pd.DataFrame(
    {
        "recording_id": "a",
        "cell_id": [2, 1, 1, 1, 1, 2],
        "frame": [4, 0, 1, 3, 4, 3],
        "area": [9.0, 50.0, 56.0, 60.0, NAN, 8.0],
        "tracker_p53": [1.0, 0.0, 0.0, 0.5, 0.5, 0.0],
    }
)
"""Two cells, rows in any order; the first was not tracked in frame 2 and not measured in frame 4."""


def test_values_are_those_of_the_table_and_changes_are_per_hour_since_the_tracked_frame_before():
    read = MeasuredFrames(FRAME_FEATURES, CELLS, ["area", "tracker_p53"]).read("a", 1)
    assert read.frame_numbers_t.tolist() == [0, 1, 3, 4]
    assert (read.recording_id, read.cell_id, read.frame_interval_min) == ("a", 1, 30.0)
    assert read.frames_tchw.shape == (4, 0, 1, 1)
    measured = read.measured
    assert measured.columns == ("area", "tracker_p53")
    np.testing.assert_array_equal(measured.values_tf, [[50, 0], [56, 0], [60, 0.5], [NAN, 0.5]])
    np.testing.assert_array_equal(measured.rates_tf, [[NAN, NAN], [12, 0], [4, 0.5], [NAN, 0]])


def test_a_change_is_that_since_the_frame_before_whether_that_is_shown_or_not():
    frames = MeasuredFrames(FRAME_FEATURES, CELLS, ["area"])
    part = frames.read("a", 1, 1, 3)
    assert part.frame_numbers_t.tolist() == [1, 3]
    np.testing.assert_array_equal(part.measured.rates_tf[:, 0], [12, 4])
    some = frames.read("a", 1).take(np.array([0, 2]))
    np.testing.assert_array_equal(some.measured.rates_tf[:, 0], [NAN, 4])
    assert frames.read("a", 1, 7, 9).measured.values_tf.shape == (0, 1)


def test_the_context_is_told_of_every_frame_but_for_the_age():
    context = Context(("age", "recording_time", "mother"))
    frames = MeasuredFrames(FRAME_FEATURES, CELLS, ["area"], context)
    assert frames.columns == ("area", "recording_h", "mother_cycle_h")
    np.testing.assert_array_equal(frames.read("a", 2).measured.values_tf, [[8, 1.5, 12], [9, 2, 12]])
    np.testing.assert_array_equal(
        frames.read("a", 1).measured.values_tf[:, 1:], [[0, NAN], [0.5, NAN], [1.5, NAN], [2, NAN]]
    )


def test_the_context_is_the_same_however_many_rows_are_described_together(monkeypatch):
    context = Context(("recording_time", "mother"))
    of_one = MeasuredFrames(FRAME_FEATURES, CELLS.head(1), ["area"], context)
    assert np.isnan(of_one.read("a", 2).measured.values_tf[:, 1:]).all()  # that cell is not among those told of
    whole = MeasuredFrames(FRAME_FEATURES, CELLS, ["area"], context).read("a", 2).measured
    monkeypatch.setattr("cellfate.features.measured_frames._ROWS_AT_ONCE", 4)
    parts = MeasuredFrames(FRAME_FEATURES, CELLS, ["area"], context).read("a", 2).measured
    np.testing.assert_array_equal(parts.values_tf, whole.values_tf)


def test_crops_are_read_with_what_was_measured(tmp_path):
    study = tiny_study(tmp_path, size=8)
    table = study.detections[["recording_id", "cell_id", "frame"]].assign(area=study.detections["frame"] * 2.0)
    cell = study.follow_ups.iloc[3]
    asked = (cell["recording_id"], int(cell["cell_id"]), int(cell["first_frame"]), int(cell["last_frame"]))
    read = MeasuredFrames(table, study.follow_ups, ["area"], crops=study.crops).read(*asked)
    np.testing.assert_array_equal(read.frames_tchw, study.crops.read(*asked).frames_tchw)
    np.testing.assert_array_equal(read.measured.values_tf[:, 0], read.frame_numbers_t * 2.0)


@pytest.mark.parametrize(
    ("asked", "words"),
    [(("a", 3), "has no cell 3 of recording 'a'"), (("a", 1, np.array([0, 2])), "lacks frame 2 of cell 1")],
)
def test_what_the_table_lacks_is_named(asked, words):
    frames = MeasuredFrames(FRAME_FEATURES, CELLS, ["area"])
    with pytest.raises(InputError, match=words):
        frames.read(*asked) if len(asked) == 2 else frames.measured(*asked)


def test_columns_are_those_that_boosting_is_given_or_those_chosen():
    assert choose_columns(FRAME_FEATURES, None, "model.columns") == ["area", "tracker_p53"]
    assert choose_columns(FRAME_FEATURES, ("tracker_p53",), "model.columns") == ["tracker_p53"]
    with pytest.raises(InputError, match=r"model\.columns names 'texture_h2b'"):
        choose_columns(FRAME_FEATURES, ("texture_h2b",), "model.columns")
    with pytest.raises(InputError, match="Nothing was measured that a network could read"):
        choose_columns(FRAME_FEATURES[["recording_id", "cell_id", "frame"]], None, "model.columns")
