"""Alterations of pixels, by hand."""

import numpy as np
import pytest

from cellfate.alteration.pixels import change_grain, dim, lay_beside, surroundings

MASK = np.zeros((2, 5, 5), dtype=bool)
MASK[:, 1:4, 1:4] = True
INSIDE = np.ones_like(MASK)
INSIDE_15 = np.ones((1, 15, 15), dtype=bool)


def frames(cell: float, around: float = 100.0) -> np.ndarray:
    return np.where(MASK, cell, around).astype(np.uint16)


def test_a_dimmed_cell_loses_its_share_above_the_surroundings_and_nothing_else_changes():
    before = frames(300)
    after = dim(before, MASK, INSIDE, 0.3)
    assert after.dtype == np.uint16
    assert (after[MASK] == 240).all()  # 100 + .7 * 200
    np.testing.assert_array_equal(after[~MASK], before[~MASK])
    assert (before[MASK] == 300).all()


def test_surroundings_leave_out_the_cell_and_what_is_not_in_the_image():
    inside = INSIDE.copy()
    inside[:, 0] = False
    shown = frames(300)
    shown[:, 0] = 0  # half of what is around, were it counted
    assert surroundings(shown, MASK, inside).tolist() == [100.0, 100.0]
    assert surroundings(shown, np.ones_like(MASK), inside).tolist() == [100.0, 100.0]  # no pixel is left: all count


def test_grain_is_multiplied_and_the_mean_of_the_cell_stays():
    rng = np.random.default_rng(0)
    shown = np.where(MASK, 1000.0 + rng.normal(0, 50, MASK.shape), 100.0)
    for factor in (0.5, 2.0):
        after = change_grain(shown, MASK, factor, 5.0)  # so wide a Gaussian is the mean of the cell, or nearly
        np.testing.assert_array_equal(after[~MASK], shown[~MASK])
        for t in range(2):
            assert after[t][MASK[t]].mean() == pytest.approx(shown[t][MASK[t]].mean())
            assert after[t][MASK[t]].std() == pytest.approx(factor * shown[t][MASK[t]].std(), rel=0.05)
    np.testing.assert_array_equal(change_grain(shown, MASK, 1.0, 1.5), shown)


def test_a_visitor_lies_beside_the_cell_with_its_own_light_and_hides_none_of_the_cell():
    mask = np.zeros((1, 15, 15), dtype=bool)
    mask[:, 6:9, 6:9] = True
    inside = np.ones_like(mask)
    inside[:, :, 14] = False
    cell = np.where(mask, 300, 100).astype(np.uint16)[:, None]
    visitor = np.where(mask, 250, 50).astype(np.uint16)[:, None]
    after = lay_beside((cell, mask, inside), (visitor, mask, inside), angle=0.0, gap_px=0.6)
    # two discs of 9 px^2 have radii of 1.69 px, so that the centre moves 3.99 px down
    expected = cell.copy()
    expected[0, 0, 10:13, 6:9] = 300  # 100 + (250 - 50)
    np.testing.assert_array_equal(after, expected)
    touching = lay_beside((cell, mask, inside), (visitor, mask, inside), angle=np.pi / 2, gap_px=2.6)  # 5.99 px
    assert (touching[0, 0, 6:9, 12:14] == 300).all()
    assert (touching[0, 0, :, 14] == 100).all()  # not in the image


def test_where_both_would_lie_the_cell_stays_in_front():
    mask = np.zeros((1, 15, 15), dtype=bool)
    mask[:, 2:11, 7] = True  # centre in row 6, radius of a disc of this area 1.69 px
    square = np.zeros_like(mask)
    square[:, 6:9, 6:9] = True
    cell, visitor = (np.where(each, 300, 100).astype(np.uint16)[:, None] for each in (mask, square))
    brighter = visitor + (500 * square[:, None]).astype(np.uint16)
    after = lay_beside((cell, mask, INSIDE_15), (brighter, square, INSIDE_15), angle=0.0, gap_px=0.0)[0, 0]
    assert (after[mask[0]] == 300).all()
    assert after[8:11, 6].tolist() == after[8:11, 8].tolist() == [800, 800, 800]  # rows 8 to 10, 3.39 px farther down
