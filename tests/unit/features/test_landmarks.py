"""What boosted hazards see of a landmark, by hand."""

import numpy as np
import pandas as pd
import pytest

from cellfate.features import describe_landmarks


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
