"""Columns are standardised by shown frames of training cells, and what is missing is marked."""

from dataclasses import replace

import numpy as np
import pytest

from cellfate.core.errors import InputError
from cellfate.crops.preprocessing import Preprocessing
from cellfate.features.column_scales import ColumnScale, MeasuredPreprocessing, fit_column_scales
from cellfate.features.measured_frames import MeasuredFrames
from tests.cases.crop_stores import tiny_study
from tests.unit.features.test_measured_frames import CELLS, FRAME_FEATURES

NAN = np.nan
AREA = ColumnScale(name="area", mean=50.0, sd=5.0, rate_sd=4.0)


def read(table=FRAME_FEATURES, columns=("area",), **more):
    return MeasuredFrames(table, CELLS, columns, **more)


def test_scales_are_those_of_shown_frames_of_training_cells():
    """Of cell 1 until frame 3 areas are 50, 56 and 60, changes 12 and 4 per hour."""
    (scale,) = fit_column_scales(read(), CELLS.head(1).assign(last_frame=3))
    assert scale.name == "area"
    assert scale.mean == pytest.approx(166 / 3)
    assert scale.sd == pytest.approx(np.std([50, 56, 60]))
    assert scale.rate_sd == pytest.approx(4.0)


def test_columns_that_say_nothing_are_left_out():
    told = FRAME_FEATURES.assign(same=3.0, missing=NAN, at_times=[NAN, 7, 7, NAN, 7, 7])
    names = ["area", "same", "missing", "at_times"]
    area, at_times = fit_column_scales(read(told, names), CELLS)
    assert (area.name, at_times.name) == ("area", "at_times")
    assert (at_times.mean, at_times.sd, at_times.rate_sd) == (7.0, 1.0, 1.0)  # that it is missing says something
    with pytest.raises(InputError, match=r"2 columns that the network reads \(same, missing\)"):
        fit_column_scales(read(told, names[1:3]), CELLS)


def test_columns_become_channels_of_four_numbers_missing_ones_marked():
    prepared = MeasuredPreprocessing((AREA,), None).prepare(read().read("a", 1))
    assert prepared.dtype == np.float32
    assert prepared.shape == (4, 1, 1, 4)
    expected = [[0, 0, 0, 1], [1.2, 0, 3, 0], [2, 0, 1, 0], [0, 1, 0, 1]]
    np.testing.assert_allclose(prepared[:, 0, 0], expected, atol=1e-6)


def test_odd_values_are_clipped():
    narrow = AREA.model_copy(update={"sd": 0.1, "rate_sd": 0.1})
    prepared = MeasuredPreprocessing((narrow,), None).prepare(read().read("a", 1))
    assert prepared[1, 0, 0].tolist() == [5, 0, 5, 0]


def test_beside_pixels_the_numbers_begin_the_last_channel(tmp_path):
    study = tiny_study(tmp_path, channels=2, size=8)
    table = study.detections[["recording_id", "cell_id", "frame"]].assign(area=study.detections["frame"] + 45.0)
    pixels = Preprocessing(np.array([100.0, 100.0]), np.array([10.0, 10.0]), mask_channel=True)
    frames = MeasuredFrames(table, study.follow_ups, ["area"], crops=study.crops)
    sequence = frames.read(str(table["recording_id"][0]), int(table["cell_id"][0]))
    both = MeasuredPreprocessing((AREA,), pixels)
    prepared = both.prepare(sequence)
    assert both.n_pixel_channels == 3
    assert prepared.shape[1] == 4
    np.testing.assert_array_equal(prepared[:, :3], pixels.prepare(sequence))
    alone = MeasuredPreprocessing((AREA,), None).prepare(sequence)
    np.testing.assert_array_equal(prepared[:, 3].reshape(len(prepared), -1)[:, :4], alone.reshape(len(prepared), -1))
    assert not prepared[:, 3].reshape(len(prepared), -1)[:, 4:].any()
    with pytest.raises(InputError, match="17 columns are 68 numbers a frame, but a crop has 8 x 8 pixels"):
        replace(both, scales=(AREA,) * 17).prepare(sequence)


def test_cells_without_the_columns_are_refused():
    sequence = read(FRAME_FEATURES.rename(columns={"area": "size"}), ["size"]).read("a", 1)
    with pytest.raises(InputError, match="reads the column area, but measured are size"):
        MeasuredPreprocessing((AREA,), None).prepare(sequence)
    with pytest.raises(InputError, match="Cell 1 of recording a comes without measurements"):
        MeasuredPreprocessing((AREA,), None).prepare(replace(sequence, measured=None))
