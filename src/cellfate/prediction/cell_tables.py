"""Every cell's forecasts for a reader: the tables that a run leaves as files, of a study as of new recordings."""

import pandas as pd

from cellfate.cohort.questions import WHICH_FATE, WITHIN_HOURS
from cellfate.core.fates import EVENTS, UNSCORED, listed_outcomes, probability_column
from cellfate.core.predictors import BLEND, CLASSIFIER
from cellfate.core.tables import CELL, FRAME, FateTable, ForecastTable
from cellfate.prediction.alarms import find_alarms
from cellfate.prediction.calls import add_calls
from cellfate.prediction.prediction_sets import add_sets
from cellfate.prediction.settings import AlarmSettings
from cellfate.tracks.exporting import join_forecasts

_ABOUT = [*CELL, "cell_name", "condition", "dose", "fate", "event_h"]
"""What is known of a cell."""

_ALARM = ["alarm", "alarm_frame"]


def tabulate_cells(
    forecasts: pd.DataFrame,
    recordings: pd.DataFrame,
    detections: pd.DataFrame,
    cells: pd.DataFrame,
    follow_ups: pd.DataFrame,
    headline_h: float,
    alarm: AlarmSettings,
    set_thresholds: pd.DataFrame,
    seen: pd.DataFrame | None = None,
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Write the forecasts of tested or new cells for a reader: by cell, by cell and frame, and beside the tracks.

    Parameters
    ----------
    forecasts
        Table `Forecasts`; of these, the classifier's and the blend's of the test part, within the headline horizon.
    recordings, detections, cells, follow_ups
        Tables of the same names, of the same cells.
    headline_h
        The headline horizon.
    alarm
        When an alarm is raised.
    set_thresholds
        Table `SetThresholds`: where prediction sets end.
    seen
        recording_id, cell_id, predictor, seen_in_training; not given: no cell was forecast by a model that it trained.

    Returns
    -------
    fate_table : DataFrame
        Table `FateTable`, by cell: a row a reading and question, at the last frame shown; within hours with the first
        alarm up to there.
    forecast_table : DataFrame
        Table `ForecastTable`, by cell and frame, of the fate clock, with every alarm; without rows where there is none.
    track_forecasts : DataFrame
        Table `TrackForecasts`: tracks of all cells, with both readings where there are both.
    """
    at_headline = forecasts["within_h"].isna() | (forecasts["within_h"] == headline_h)
    answers = forecasts["predictor"].isin([CLASSIFIER, BLEND])
    asked = forecasts[at_headline & answers & (forecasts["part"] == "test")]
    told = add_sets(add_calls(asked), follow_ups, set_thresholds)
    rows = _describe(told, recordings, cells, follow_ups)
    if seen is None:
        rows = rows.assign(seen_in_training=False)
    else:
        rows = rows.merge(seen, on=[*CELL, "predictor"], how="left", validate="many_to_one")
    within = rows["question"] == WITHIN_HOURS
    alarms = find_alarms(rows[within], alarm)
    last = rows["frame"] == rows.groupby(CELL)["frame"].transform("max")
    by_cell = _add_first_alarm(rows[last], alarms).sort_values([*CELL, "predictor", "within_h"], ignore_index=True)
    by_frame = _add_alarms(rows[within], alarms).sort_values(FRAME, ignore_index=True)
    probabilities = [probability_column(outcome) for outcome in listed_outcomes(told.columns)]
    forecast = [
        *probabilities,
        "call",
        "p_call",
        "sure",
        "prediction_set",
        "undecided",
        "expected_h",
        "seen_in_training",
    ]
    return (
        FateTable.validate(
            by_cell[[*_ABOUT, "predictor", "question", "within_h", "frame", "time_h", *forecast, *_ALARM]]
        ),
        ForecastTable.validate(by_frame[[*_ABOUT, "frame", "time_h", "watched_h", "within_h", *forecast, "alarm"]]),
        join_forecasts(detections, cells, _choose_for_tracks(told)),
    )


def _describe(
    told: pd.DataFrame, recordings: pd.DataFrame, cells: pd.DataFrame, follow_ups: pd.DataFrame
) -> pd.DataFrame:
    """Add what is known of the cell, the question in words, and the frame as hours."""
    known = follow_ups.merge(cells.reindex(columns=[*CELL, "cell_name"]), on=CELL, validate="one_to_one")
    known = known.merge(recordings[["recording_id", "condition"]], on="recording_id", validate="many_to_one")
    interval_h = known["frame_interval_min"] / 60
    known = known.assign(
        event_h=(known["event_frame"] * interval_h).where(known["fate"].isin(EVENTS)),
        fate=known["fate"].mask(known["fate"] == UNSCORED),
        interval_h=interval_h,
    )
    about = known[[*_ABOUT, "first_frame", "interval_h"]]
    rows = told.merge(about, on=CELL, how="left", validate="many_to_one")
    return rows.assign(
        question=rows["within_h"].isna().map({True: WHICH_FATE, False: WITHIN_HOURS}),
        time_h=rows["frame"] * rows["interval_h"],
        watched_h=(rows["frame"] - rows["first_frame"]) * rows["interval_h"],
    )


def _add_first_alarm(rows: pd.DataFrame, alarms: pd.DataFrame) -> pd.DataFrame:
    """Add the event of each cell's first alarm and its frame; null where none was raised, or it is asked which fate."""
    first = alarms.drop_duplicates(["predictor", *CELL]).rename(columns={"outcome": "alarm", "frame": "alarm_frame"})
    first = first[["predictor", *CELL, *_ALARM]].assign(question=WITHIN_HOURS)
    joined = rows.merge(first, on=["predictor", *CELL, "question"], how="left", validate="many_to_one")
    return joined.astype({"alarm_frame": "Int64"})


def _add_alarms(rows: pd.DataFrame, alarms: pd.DataFrame) -> pd.DataFrame:
    """Add the event of which an alarm is raised at each frame; null where there is none."""
    raised = alarms[["predictor", *FRAME, "outcome"]].rename(columns={"outcome": "alarm"})
    return rows.merge(raised, on=["predictor", *FRAME], how="left", validate="many_to_one")


def _choose_for_tracks(told: pd.DataFrame) -> pd.DataFrame:
    """Select what the blend says of the next hours, and which fate comes by the classifier, or else the blend."""
    which = told["within_h"].isna()
    by_classifier = told["predictor"] == CLASSIFIER
    return told[~which | by_classifier] if by_classifier.any() else told
