"""Cells laid on the surroundings of others."""

import numpy as np
import pytest

from cellfate.metrics.background_swap import empty_surroundings, fill_masks, lay_on
from cellfate.sequences.store import CellSequence


def sequence(value: int, n_frames: int) -> CellSequence:
    """Crops of 6 x 6 px; the frame's number is added to every pixel."""
    frames = (
        np.full((n_frames, 2, 6, 6), value, dtype=np.uint16) + np.arange(n_frames, dtype=np.uint16)[:, None, None, None]
    )
    zeros = np.zeros(n_frames, dtype=np.int64)
    inside = np.ones((n_frames, 6, 6), dtype=bool)
    return CellSequence(frames, None, inside, np.arange(n_frames), zeros, zeros, "r", 1, ("a", "b"), 30.0)


def square(n_frames: int) -> np.ndarray:
    masks = np.zeros((n_frames, 6, 6), dtype=bool)
    masks[:, 2:4, 2:4] = True
    return masks


def test_the_cell_is_its_own_and_all_else_the_others_aligned_at_the_end():
    swapped = lay_on(sequence(100, 2), square(2), sequence(500, 4), square(4), np.random.default_rng(0))
    assert swapped.frames_tchw.dtype == np.uint16
    assert (swapped.frames_tchw[0, :, 2:4, 2:4] == 100).all()
    assert swapped.frames_tchw[0, 0, 0, 0] == 502
    assert swapped.frames_tchw[1, 0, 0, 0] == 503


def test_a_shorter_donor_gives_its_first_frame_again():
    swapped = lay_on(sequence(100, 3), square(3), sequence(500, 1), square(1), np.random.default_rng(0))
    assert (swapped.frames_tchw[:, 0, 0, 0] == 500).all()


def test_where_the_donor_lay_its_surroundings_are_put():
    rng = np.random.default_rng(1)
    frames = rng.normal(200, 5, (1, 1, 40, 40))
    away = np.zeros((1, 40, 40), dtype=bool)
    away[:, 10:30, 10:30] = True
    frames[:, 0][away] = 4000
    filled = empty_surroundings(frames, away, rng)
    assert filled[0, 0][away[0]].mean() == pytest.approx(200, abs=1)
    assert filled[0, 0][away[0]].std() == pytest.approx(5, rel=0.15)
    np.testing.assert_array_equal(filled[0, 0][~away[0]], frames[0, 0][~away[0]])


def test_a_frame_without_a_mask_uses_the_nearest_and_masks_are_widened():
    masks = square(3)
    masks[1:] = False
    filled = fill_masks(masks, 1)
    assert filled is not None
    assert filled.sum(axis=(1, 2)).tolist() == [16, 16, 16]
    assert fill_masks(masks, 0)[2].sum() == 4
    assert fill_masks(np.zeros((2, 6, 6), dtype=bool), 1) is None
