"""Changes per hour by hand."""

import numpy as np
import pandas as pd

from cellfate.features.changes import change_per_hour


def rates(values: list[float], frames: list[int], interval_min: float = 20.0) -> list[float]:
    table = change_per_hour(pd.DataFrame({"area": values}), np.array(frames), interval_min)
    assert list(table.columns) == ["rate_area"]
    return table["rate_area"].tolist()


def test_the_change_since_the_frame_before_counts_the_hours_between() -> None:
    np.testing.assert_allclose(rates([10, 13, 7], [4, 5, 8]), [np.nan, 9.0, -6.0])


def test_a_frame_without_a_mask_leaves_two_changes_unknown() -> None:
    np.testing.assert_allclose(rates([10, np.nan, 7, 8], [0, 1, 2, 3]), [np.nan, np.nan, np.nan, 3.0])


def test_nothing_of_later_frames_is_looked_at() -> None:
    whole = rates([10, 13, 7, 100], [0, 1, 2, 3])
    np.testing.assert_allclose(rates([10, 13, 7], [0, 1, 2]), whole[:3])
    np.testing.assert_allclose(rates([10], [0]), [np.nan])
