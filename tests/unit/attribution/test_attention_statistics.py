"""Frames of top attention against the rest: structure, p values as SciPy has them, reasons for NaN."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import false_discovery_control

from cellfate.attribution.attention_statistics import (
    CONSTANT,
    EQUAL_ATTENTION,
    NO_VALUES,
    ONE_SIDED,
    TOO_SHORT,
    compare_top_attention_frames,
    gather_cases,
    top_attention,
)
from cellfate.attribution.settings import AttentionStatisticsSettings
from cellfate.core.errors import InputError

SETTINGS = AttentionStatisticsSettings(n_resamples=2000)


@given(st.integers(1, 200), st.integers(0, 10_000))
def test_number_of_top_frames(length: int, seed: int) -> None:
    attention = np.random.default_rng(seed).random(length)
    assert top_attention(attention).sum() == (length - 1) // 10 + 1


def study(n_frames: int = 30, **features: np.ndarray) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Attention, features and landmarks of one cell whose last three frames get most attention."""
    frames = np.arange(5, 5 + n_frames)
    attention = np.linspace(0.01, 0.02, n_frames)
    attended = pd.DataFrame(
        {"landmark_id": "s", "frame": frames, "hours_before_event": 0.0, "attention": attention, "class_token": 0.1}
    )
    measured = pd.DataFrame({"recording_id": "r", "cell_id": 1, "frame": frames, "segmented": True, **features})
    landmarks = pd.DataFrame(
        {
            "landmark_id": ["s"],
            "recording_id": ["r"],
            "cell_id": [1],
            "group_id": ["r"],
            "dose": ["Low"],
            "outcome": ["mitosis"],
            "event_frame": pd.array([40], dtype="Int64"),
            "last_frame": [4 + n_frames],
        }
    )
    return attended, measured, landmarks


def test_a_rising_feature_has_delta_one() -> None:
    table = compare_top_attention_frames(*study(area=np.arange(30.0)), SETTINGS)
    row = table.iloc[0]
    assert (row["cliffs_delta"], row["n_top"], row["n_other"]) == (1.0, 3, 27)
    assert row["p_value"] == pytest.approx(row["p_corrected"])
    assert row["p_value"] < 0.01
    assert pd.isna(row["reason"])


def test_p_values_of_all_features_are_one_family() -> None:
    trace = np.random.default_rng(3).normal(size=30)
    table = compare_top_attention_frames(*study(area=np.arange(30.0), solidity=trace, p53=trace + 1.0), SETTINGS)
    assert table["p_corrected"].tolist() == pytest.approx(false_discovery_control(table["p_value"]).tolist())
    assert (table["p_corrected"] > table["p_value"]).any()


@pytest.mark.parametrize(("outcome", "last_frame_back"), [("mitosis", 6), ("none", 0)])
def test_frames_are_counted_back_from_the_event_where_it_is_the_outcome(outcome: str, last_frame_back: int) -> None:
    attention, features, landmarks = study(area=np.arange(30.0))
    (case,) = gather_cases(attention, features, landmarks.assign(outcome=outcome), ("area",))
    # a landmark of outcome none may belong to a cell whose event comes after the horizon
    assert case.frames_back_t.tolist() == [*range(29 + last_frame_back, last_frame_back - 1, -1)]


def test_equivalent_diameter_is_no_second_feature() -> None:
    table = compare_top_attention_frames(*study(area=np.arange(30.0), equivalent_diameter=np.arange(30.0)), SETTINGS)
    assert table["feature"].tolist() == ["area"]


def test_reasons() -> None:
    partly = np.r_[np.full(28, np.nan), 1.0, 2.0]
    features = {"never": np.full(30, np.nan), "flat": np.ones(30), "partly": partly, "fine": np.arange(30.0)}
    table = compare_top_attention_frames(*study(**features), SETTINGS).set_index("feature")
    assert table.loc["never", "reason"] == NO_VALUES
    assert table.loc["flat", "reason"] == CONSTANT
    assert table.loc["partly", "reason"] == ONE_SIDED
    assert table["p_corrected"].notna().tolist() == [False, False, False, True]
    short = compare_top_attention_frames(*study(8, area=np.arange(8.0)), SETTINGS)
    assert short["reason"].tolist() == [TOO_SHORT]


def test_equal_attention_is_a_reason() -> None:
    attention, features, landmarks = study(area=np.arange(30.0))
    table = compare_top_attention_frames(attention.assign(attention=0.03), features, landmarks, SETTINGS)
    assert table["reason"].tolist() == [EQUAL_ATTENTION]
    assert table["cliffs_delta"].isna().all()


def test_a_feature_that_was_not_measured_is_named() -> None:
    settings = AttentionStatisticsSettings(features=("roundness",))
    with pytest.raises(InputError, match=r"'roundness'.*area"):
        compare_top_attention_frames(*study(area=np.arange(30.0)), settings)


def test_no_attention_leaves_the_columns() -> None:
    attention, features, landmarks = study(area=np.arange(30.0))
    table = compare_top_attention_frames(attention.iloc[:0], features, landmarks, SETTINGS)
    assert len(table) == 0
    assert "p_corrected" in table.columns
