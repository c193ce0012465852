"""Whether masks follow from each other, by hand, and the count of those that do not."""

import numpy as np
import pandas as pd

from cellfate.features import FeatureSettings, count_failures
from cellfate.features.consistency import check_masks, measure_overlaps


def box(rows: int, columns: int, row: int = 3, column: int = 3, size: int = 20) -> np.ndarray:
    mask = np.zeros((size, size), dtype=bool)
    mask[row : row + rows, column : column + columns] = True
    return mask


def test_overlap_by_hand() -> None:
    masks = np.stack([box(4, 6), box(4, 6, 9, 1), box(6, 4, 9, 1), np.zeros((20, 20), bool), box(4, 4), box(2, 2)])
    # the same box elsewhere; turned: 4 x 4 of 24 + 24 - 16; then none, and none before; 2 x 2 of 4 x 4
    np.testing.assert_allclose(measure_overlaps(masks, np.arange(6)), [np.nan, 1.0, 0.5, np.nan, np.nan, 0.25])


def test_a_gap_in_the_track_leaves_no_frame_before() -> None:
    masks = np.stack([box(4, 6)] * 3)
    np.testing.assert_allclose(measure_overlaps(masks, np.array([2, 3, 5])), [np.nan, 1.0, np.nan])


def test_no_mask_at_all_gives_no_overlap() -> None:
    masks = np.zeros((3, 20, 20), dtype=bool)
    assert np.isnan(measure_overlaps(masks, np.arange(3))).all()
    assert not check_masks(masks, np.arange(3), FeatureSettings())["consistent"].any()


def test_a_jump_of_the_area_is_flagged_and_a_lasting_change_is_not() -> None:
    settings = FeatureSettings(max_area_factor=2.0, median_frames=5, min_overlap=0.0)
    jump = np.stack([box(5, 5)] * 4 + [box(8, 8)] + [box(5, 5)] * 4)
    assert check_masks(jump, np.arange(9), settings)["consistent"].tolist() == [True] * 4 + [False] + [True] * 4
    lasting = np.stack([box(5, 5)] * 4 + [box(8, 8)] * 4)
    assert check_masks(lasting, np.arange(8), settings)["consistent"].all()
    shrunk = np.stack([box(5, 5)] * 4 + [box(3, 4)] + [box(5, 5)] * 4)  # 12 of 25 px
    assert not check_masks(shrunk, np.arange(9), settings)["consistent"].iloc[4]


def test_too_little_overlap_is_flagged() -> None:
    masks = np.stack([box(2, 12), box(12, 2), box(12, 2)])  # 4 of 44 px are shared
    loose, strict = FeatureSettings(min_overlap=0.09), FeatureSettings(min_overlap=0.1)
    assert check_masks(masks, np.arange(3), loose)["consistent"].tolist() == [True, True, True]
    assert check_masks(masks, np.arange(3), strict)["consistent"].tolist() == [True, False, True]


def test_failures_are_counted_a_recording() -> None:
    rows = [
        ("r", 1, 0, True, True),
        ("r", 1, 1, True, False),
        ("r", 1, 2, False, False),
        ("r", 2, 0, False, False),
        ("s", 1, 0, True, True),
    ]
    table = pd.DataFrame(rows, columns=["recording_id", "cell_id", "frame", "segmented", "consistent"])
    counted = count_failures(table).set_index("recording_id")
    assert counted.loc["r"].to_dict() == {
        "n_cells": 2,
        "n_frames": 4,
        "n_segmented": 2,
        "n_inconsistent": 1,
        "n_cells_never_segmented": 1,
    }
    assert counted.loc["s"].tolist() == [1, 1, 1, 0, 0]
