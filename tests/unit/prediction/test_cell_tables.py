"""Forecasts of cells for a reader, by hand."""

import pandas as pd
import pytest

from cellfate.core.errors import InputError
from cellfate.prediction.cell_tables import tabulate_cells
from cellfate.prediction.settings import AlarmSettings

RECORDINGS = pd.DataFrame({"recording_id": ["a", "b"], "condition": ["drug", "none"], "dose": ["High", "Control"]})
DETECTIONS = pd.DataFrame(
    [(name, cell, frame) for name, cell in (("a", 1), ("a", 2), ("b", 1)) for frame in range(2, 9)],
    columns=["recording_id", "cell_id", "frame"],
).assign(y_px=1.0, x_px=2.0)
CELLS = pd.DataFrame(
    {
        "recording_id": ["a", "a", "b"],
        "cell_id": [1, 2, 1],
        "cell_name": ["Track_0", None, None],
        "parent_id": pd.array([None] * 3, dtype="Int64"),
        "fate": ["mitosis", "censored", "unscored"],
        "event_frame": pd.array([10, 8, None], dtype="Int64"),  # of the censored cell: the end of watching
    }
)
FOLLOW_UPS = CELLS[["recording_id", "cell_id", "fate", "event_frame"]].assign(
    group_id=["a", "a", "b"], dose=["High", "High", "Control"], first_frame=2, last_frame=6, frame_interval_min=30.0
)
COLUMNS = [
    "predictor", "part", "recording_id", "cell_id", "frame", "within_h", "p_apoptosis", "p_mitosis", "p_none",
    "expected_h",
]  # fmt: skip
FORECASTS = pd.DataFrame(
    [
        ("blend", "test", "a", 1, 6, 2.0, 0.1, 0.8, 0.1, 1.0),
        ("blend", "test", "a", 1, 4, 2.0, 0.1, 0.4, 0.5, 1.5),
        ("blend", "test", "a", 1, 6, 1.0, 0.1, 0.1, 0.8, 1.0),  # another horizon
        ("blend", "test", "a", 1, 6, None, 0.4, 0.6, 0.0, None),
        ("classifier", "test", "a", 1, 6, None, 0.52, 0.48, 0.0, None),
        ("network", "test", "a", 1, 6, 2.0, 1.0, 0.0, 0.0, 1.0),  # a part of the blend
        ("dose", "test", "a", 1, 6, None, 1.0, 0.0, 0.0, None),
        ("blend", "validation", "a", 2, 6, 2.0, 0.1, 0.8, 0.1, 1.0),
        ("blend", "test", "b", 1, 5, 2.0, 0.1, 0.2, 0.7, 1.0),
    ],
    columns=COLUMNS,
)

THRESHOLDS = pd.DataFrame(
    [("blend", 2.0, "a", 0.3), ("blend", 2.0, None, 0.8), ("classifier", None, "a", 0.6)],
    columns=["predictor", "within_h", "group_id", "threshold"],
).astype({"within_h": float})
TWO = AlarmSettings(frames_on_end=2)


def tabulate(
    forecasts: pd.DataFrame = FORECASTS, alarm: AlarmSettings = TWO, **options: pd.DataFrame
) -> tuple[pd.DataFrame, ...]:
    return tabulate_cells(forecasts, RECORDINGS, DETECTIONS, CELLS, FOLLOW_UPS, 2.0, alarm, THRESHOLDS, **options)


def test_a_cell_has_a_row_a_reading_and_question_at_its_last_frame_shown() -> None:
    table = tabulate()[0]
    keys = ["recording_id", "cell_id", "predictor", "question", "frame", "call", "p_call", "sure"]
    assert table[keys].to_numpy().tolist() == [
        ["a", 1, "blend", "within_hours", 6, "mitosis", 0.8, "yes"],
        ["a", 1, "blend", "which_fate", 6, "mitosis", 0.6, "hardly"],
        ["a", 1, "classifier", "which_fate", 6, "apoptosis", 0.52, "hardly"],
        ["b", 1, "blend", "within_hours", 5, "none", 0.7, "yes"],
    ]
    assert table["time_h"].tolist() == [3.0, 3.0, 3.0, 2.5]
    assert table["within_h"].fillna(0).tolist() == [2, 0, 0, 2]
    assert not table["seen_in_training"].any()


def test_a_forecast_has_its_prediction_set_and_more_than_one_outcome_leaves_it_undecided() -> None:
    by_cell, by_frame, _ = tabulate()
    assert by_cell["prediction_set"].fillna("-").tolist() == ["mitosis", "-", "apoptosis or mitosis", "mitosis or none"]
    assert by_cell["undecided"].astype(object).fillna("-").tolist() == [False, "-", True, True]
    assert by_frame["prediction_set"].tolist() == ["none", "mitosis", "mitosis or none"]


def test_a_cell_has_its_name_condition_and_what_was_observed() -> None:
    table = tabulate(FORECASTS.assign(part="test"))[0].drop_duplicates(["recording_id", "cell_id"])
    known = ["cell_name", "condition", "dose", "fate", "event_h"]
    assert table[known].astype(object).fillna("-").to_numpy().tolist() == [
        ["Track_0", "drug", "High", "mitosis", 5.0],
        ["-", "drug", "High", "censored", "-"],
        ["-", "none", "Control", "-", "-"],
    ]


def test_the_blend_is_followed_frame_by_frame_within_the_headline_horizon() -> None:
    table = tabulate()[1]
    numbers = ["cell_id", "frame", "time_h", "watched_h", "within_h", "p_mitosis", "p_call"]
    assert table[numbers].to_numpy().tolist() == [
        [1, 4, 2.0, 1.0, 2.0, 0.4, 0.5],
        [1, 6, 3.0, 2.0, 2.0, 0.8, 0.8],
        [1, 5, 2.5, 1.5, 2.0, 0.2, 0.7],
    ]
    assert table["sure"].tolist() == ["hardly", "yes", "yes"]
    assert table["fate"].fillna("-").tolist() == ["mitosis", "mitosis", "-"]


def test_tracks_have_both_readings_where_there_are_both() -> None:
    tracks = tabulate()[2]
    assert len(tracks) == len(DETECTIONS)
    of_first = tracks[(tracks["recording_id"] == "a") & (tracks["cell_id"] == 1)]
    assert of_first["call"].fillna("-").tolist() == ["-", "-", "none", "none", "mitosis", "mitosis", "mitosis"]
    assert set(of_first["fate_call"]) == {"apoptosis"}
    assert set(of_first["fate_sure"]) == {"hardly"}
    clock_alone = tabulate(FORECASTS[FORECASTS["predictor"] == "blend"])[2]
    assert set(clock_alone["fate_call"].dropna()) == {"mitosis"}
    classifier_alone = tabulate(FORECASTS[FORECASTS["predictor"] == "classifier"])
    assert classifier_alone[1].empty
    assert classifier_alone[2]["call"].isna().all()
    assert set(classifier_alone[2]["fate_call"].dropna()) == {"apoptosis"}


def test_a_cell_that_trained_one_of_the_models_is_marked_there() -> None:
    seen = pd.DataFrame(
        [("a", 1, "blend", True), ("a", 1, "classifier", False), ("b", 1, "blend", False)],
        columns=["recording_id", "cell_id", "predictor", "seen_in_training"],
    )
    fates, frames, _ = tabulate(seen=seen)
    assert fates["seen_in_training"].tolist() == [True, True, False, False]
    assert frames["seen_in_training"].tolist() == [True, True, False]


def test_forecasts_of_several_splits_are_refused() -> None:
    with pytest.raises(InputError, match="once more"):
        tabulate(pd.concat([FORECASTS, FORECASTS]))


def test_the_first_alarm_stands_in_the_row_of_the_cell_and_each_at_its_frame() -> None:
    # Mitosis is flagged at frames 3 to 5, so for two on end at frame 4; again at 7 and 8, after it fell below .15.
    p_mitosis = [0.1, 0.4, 0.4, 0.4, 0.1, 0.4, 0.4]
    numbers = [("blend", "test", "a", 1, frame, 2.0, 0.1, p, 0.9 - p, 1.0) for frame, p in enumerate(p_mitosis, 2)]
    which = ("blend", "test", "a", 1, 8, None, 0.4, 0.6, 0.0, None)
    never = [("blend", "test", "b", 1, frame, 2.0, 0.1, 0.2, 0.7, 1.0) for frame in (2, 3)]
    fates, frames, _ = tabulate(pd.DataFrame([*numbers, which, *never], columns=COLUMNS))
    assert fates[["cell_id", "question", "alarm"]].fillna("-").to_numpy().tolist() == [
        [1, "within_hours", "mitosis"], [1, "which_fate", "-"], [1, "within_hours", "-"],
    ]  # fmt: skip
    assert fates["alarm_frame"].tolist() == [4, pd.NA, pd.NA]
    assert frames.loc[frames["alarm"].notna(), ["recording_id", "frame", "alarm"]].to_numpy().tolist() == [
        ["a", 4, "mitosis"], ["a", 8, "mitosis"],
    ]  # fmt: skip
    assert tabulate(FORECASTS, AlarmSettings())[0]["alarm"].isna().all()
