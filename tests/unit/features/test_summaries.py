"""Summaries of a cell's history by hand."""

import numpy as np
import pandas as pd
import pytest

from cellfate.features import summarise_history
from cellfate.features.summaries import feature_columns


def features(values: list[float], first_frame: int = 0) -> pd.DataFrame:
    n = len(values)
    return pd.DataFrame(
        {
            "recording_id": "r",
            "cell_id": 1,
            "frame": np.arange(first_frame, first_frame + n),
            "segmented": True,
            "area": values,
            "intensity_a": 2 * np.asarray(values),
        }
    )


def landmark(first_frame: int, last_frame: int, cell_id: int = 1) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "recording_id": ["r"],
            "cell_id": [cell_id],
            "first_frame": [first_frame],
            "last_frame": [last_frame],
            "frame_interval_min": [30.0],
        }
    )


def test_predictors_are_given_the_columns_they_were_tuned_on_and_no_more() -> None:
    later = {"texture_a": 1.0, "rate_area": 1.0, "rate_intensity_a": 1.0, "mask_overlap": 1.0, "consistent": True}
    table = features([1, 2]).assign(n_neighbors=0.0)
    assert feature_columns(table.assign(**later)) == ["area", "intensity_a", "n_neighbors"]
    summarised = summarise_history(table.assign(**later), landmark(0, 1), 1.0)
    pd.testing.assert_frame_equal(summarised, summarise_history(table, landmark(0, 1), 1.0))


def test_the_last_frames_by_hand() -> None:
    table = summarise_history(features([9, 1, 2, 6, 100]), landmark(0, 3), history_h=1.5)
    row = table.iloc[0]
    assert row["area_mean"] == 3
    assert row["area_last"] == 6
    assert row["area_sd"] == pytest.approx(np.sqrt((4 + 1 + 9) / 3))
    assert row["area_slope_per_h"] == pytest.approx(5.0)  # 2.5 a frame of half an hour
    assert row["intensity_a_mean"] == 6


def test_the_first_frame_bounds_the_history() -> None:
    row = summarise_history(features([9, 1, 2, 6, 100]), landmark(2, 3), history_h=5.0).iloc[0]
    assert row["area_mean"] == 4


def test_frames_without_a_mask_are_left_out() -> None:
    row = summarise_history(features([4, np.nan, 8, np.nan]), landmark(0, 3), history_h=2.0).iloc[0]
    assert row["area_mean"] == 6
    assert row["area_last"] == 8
    assert row["area_slope_per_h"] == pytest.approx(4.0)


def test_a_cell_never_measured_is_nan_and_one_frame_has_no_slope() -> None:
    assert summarise_history(features([1, 2]), landmark(0, 1, cell_id=7), 1.0).isna().all(axis=None)
    row = summarise_history(features([5]), landmark(0, 0), 1.0).iloc[0]
    assert row["area_mean"] == 5
    assert np.isnan(row["area_slope_per_h"])


def test_order_of_rows_does_not_matter() -> None:
    table = features([9, 1, 2, 6, 100])
    shuffled = table.sample(frac=1, random_state=0)
    pd.testing.assert_frame_equal(
        summarise_history(table, landmark(0, 4), 1.5), summarise_history(shuffled, landmark(0, 4), 1.5)
    )
