"""What a network is given: worked by hand on crops of a few pixels."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cellfate.cohort.ages import age_inputs
from cellfate.core.errors import InputError
from cellfate.crops.background import lift_above_background
from cellfate.crops.preprocessing import Preprocessing
from cellfate.crops.store import CellSequence


def make_sequence(n_frames=4, seed=0):
    """Two channels, crops of 4 x 5 px; the last column of the second frame lies outside the image."""
    rng = np.random.default_rng(seed)
    inside = np.ones((n_frames, 4, 5), dtype=bool)
    inside[1, :, 4] = False
    frames = rng.integers(100, 2000, (n_frames, 2, 4, 5)).astype(np.uint16) * inside[:, None]
    return CellSequence(
        frames_tchw=frames.astype(np.uint16),
        masks_thw=rng.random((n_frames, 4, 5)) < 0.5,
        inside_thw=inside,
        frame_numbers_t=np.array([3, 4, 6, 7][:n_frames]),
        y0_px=np.arange(n_frames),
        x0_px=np.arange(n_frames) + 10,
        recording_id="00",
        cell_id=1,
        channels=("circadian", "p53"),
        frame_interval_min=30.0,
    )


def test_brightness_above_background_by_hand():
    frames = np.array([[[[10, 12, 14, 30], [0, 0, 0, 0]]]], dtype=np.uint16)
    inside = np.array([[[True, True, True, True], [False] * 4]])
    lifted = lift_above_background(frames, inside, np.array([2.0]))
    np.testing.assert_allclose(lifted[0, 0, 0], np.arcsinh(np.array([-3, -1, 1, 17]) / 2), rtol=1e-6)
    np.testing.assert_array_equal(lifted[0, 0, 1], 0)  # outside: no part of the median, and 0 in the end
    assert lifted.dtype == np.float32
    assert frames.max() == 30  # a copy


def test_every_frame_and_channel_has_its_own_background():
    sequence = make_sequence()
    lifted = lift_above_background(sequence.frames_tchw, sequence.inside_thw, np.array([50.0, 80.0]))
    shifts = np.array([[0, 500], [300, 0], [7, 11], [900, 40]])
    moved = (sequence.frames_tchw + shifts[:, :, None, None]).astype(np.uint16)
    again = lift_above_background(moved, sequence.inside_thw, np.array([50.0, 80.0]))
    np.testing.assert_allclose(lifted, again, rtol=1e-6)
    for t in range(4):
        for c in range(2):
            assert np.median(lifted[t, c][sequence.inside_thw[t]]) == pytest.approx(0, abs=0.2)


@given(st.integers(0, 1000))
def test_a_brighter_pixel_stays_the_brighter_one(seed):
    sequence = make_sequence(seed=seed)
    lifted = lift_above_background(sequence.frames_tchw, sequence.inside_thw, np.array([30.0, 700.0]))
    for t in range(4):
        for c in range(2):
            inside = sequence.inside_thw[t]
            counts, values = sequence.frames_tchw[t, c][inside], lifted[t, c][inside]
            order = np.argsort(counts, kind="stable")
            assert (np.diff(values[order])[np.diff(counts[order].astype(int)) > 0] > 0).all()


def test_a_crop_wholly_outside_the_image_is_zero():
    lifted = lift_above_background(np.zeros((1, 2, 3, 3), np.uint16), np.zeros((1, 3, 3), bool), np.ones(2))
    np.testing.assert_array_equal(lifted, 0)


@pytest.mark.parametrize("intensity", ["standardised", "above_background"])
def test_the_mask_is_one_more_channel(intensity):
    sequence = make_sequence()
    plain = Preprocessing(np.array([500.0, 900.0]), np.array([50.0, 80.0]), intensity)
    frames, masked = plain.prepare(sequence), replace(plain, mask_channel=True).prepare(sequence)
    assert frames.shape == (4, 2, 4, 5)
    np.testing.assert_array_equal(masked[:, :2], frames)
    np.testing.assert_array_equal(masked[:, 2], sequence.masks_thw)
    assert masked.dtype == np.float32


@pytest.mark.parametrize("intensity", ["standardised", "above_background"])
def test_a_frame_is_prepared_by_itself(intensity):
    sequence = make_sequence()
    preprocessing = Preprocessing(np.array([500.0, 900.0]), np.array([50.0, 80.0]), intensity, mask_channel=True)
    together = preprocessing.prepare(sequence)
    for t in range(4):
        np.testing.assert_array_equal(preprocessing.prepare(sequence.take(np.array([t])))[0], together[t])


def test_missing_masks_are_refused():
    preprocessing = Preprocessing(np.zeros(2), np.ones(2), "above_background", mask_channel=True)
    with pytest.raises(InputError, match="Cell 1 of recording 00 has no masks, but the model has a mask channel"):
        preprocessing.prepare(replace(make_sequence(), masks_thw=None))


def test_some_frames_of_a_cell_are_taken_with_all_that_belongs_to_them():
    sequence = make_sequence()
    taken = sequence.take(np.array([1, 3]))
    assert taken.frame_numbers_t.tolist() == [4, 7]
    assert (taken.y0_px.tolist(), taken.x0_px.tolist()) == ([1, 3], [11, 13])
    for name in ("frames_tchw", "masks_thw", "inside_thw"):
        np.testing.assert_array_equal(getattr(taken, name), getattr(sequence, name)[[1, 3]])
    assert (taken.recording_id, taken.cell_id, taken.channels) == ("00", 1, ("circadian", "p53"))
    assert replace(sequence, masks_thw=None).take(np.array([0])).masks_thw is None


def test_ages_by_hand():
    ages = age_inputs(np.array([0, 3, 20]), 0.5)
    np.testing.assert_allclose(ages, [[0, 0, 0], [1.5 / 20, np.log(2.5) / 2, 0], [0.5, np.log(11) / 2, 0]], rtol=1e-6)
    np.testing.assert_array_equal(age_inputs(np.array([2, 3]), 0.5)[:, 2], [1, 1])
