"""What predictors see of a landmark, by hand."""

import numpy as np
import pandas as pd
import pytest

from cellfate.features import describe_landmarks, summarise_history
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


def frame_features() -> pd.DataFrame:
    cells = [(recording_id, cell_id, frame) for recording_id in "ab" for cell_id in (1, 2) for frame in range(20)]
    table = pd.DataFrame(cells, columns=["recording_id", "cell_id", "frame"])
    return table.assign(segmented=True, area=table["frame"] + 100.0 * table["cell_id"])


def landmarks(rows: list[tuple[str, int, int, int, float]]) -> pd.DataFrame:
    columns = ["recording_id", "cell_id", "first_frame", "last_frame", "frame_interval_min"]
    return pd.DataFrame(rows, columns=columns, index=range(100, 100 + len(rows)))


MIXED = [("b", 2, 4, 10, 15.0), ("a", 1, 0, 9, 30.0), ("b", 1, 9, 10, 15.0), ("a", 2, 8, 19, 30.0)]


def test_the_same_hours_are_summarised_whatever_the_frame_interval() -> None:
    table = describe_landmarks(frame_features(), landmarks(MIXED), history_h=1.0)
    assert table["area_last"].tolist() == [210, 109, 110, 219]
    assert table["area_mean"].tolist() == [208.5, 108.5, 109.5, 218.5]  # 4 frames of 15 min, 2 of 30; one cell is young
    assert table["area_slope_per_h"].tolist() == pytest.approx([4, 2, 4, 2])
    assert table.index.tolist() == [100, 101, 102, 103]


def test_age_and_birth() -> None:
    table = describe_landmarks(frame_features(), landmarks(MIXED), history_h=1.0)
    assert table["age_h"].tolist() == [1.5, 4.5, 0.25, 5.5]
    assert table["born_in_view"].tolist() == [1, 0, 1, 1]
    assert (table.dtypes == np.float64).all()


def test_nothing_after_the_landmark_is_seen() -> None:
    features = frame_features()
    later = features.assign(area=features["area"].where(features["frame"] <= 10, 1e6))
    early = landmarks(MIXED[:3])
    pd.testing.assert_frame_equal(describe_landmarks(features, early, 5.0), describe_landmarks(later, early, 5.0))


def test_the_order_of_landmarks_is_kept() -> None:
    table = landmarks(MIXED)
    turned = table.iloc[[3, 1, 0, 2]]
    pd.testing.assert_frame_equal(
        describe_landmarks(frame_features(), turned, 2.0),
        describe_landmarks(frame_features(), table, 2.0).loc[turned.index],
    )
