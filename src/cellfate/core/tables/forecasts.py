"""What was forecast."""

import pandera.pandas as pa
from pandas import BooleanDtype, Int64Dtype
from pandera.typing.pandas import Series

from cellfate.core.fates import ANSWERS, EVENTS, FATES, HARDLY_SURE, OUTCOMES, SURE
from cellfate.core.tables.base import PARTS, Table

_NAME = "what the tracker's file calls the cell; null: nothing"
_FATE = "what was observed; null: nobody looked"
_EVENT = "hours from the first frame of the recording to the event; null: none was observed"
_SURE = "yes: twice as likely as the next likeliest"
_SET = "outcomes left open, joined by `or`; null: no prediction sets"
_UNDECIDED = "the set has more than one outcome; null: no prediction sets"
_EXPECTED = "hours to the first event, counted to the model's horizon"


class Forecasts(Table):
    """One row a predictor, fold, cell, frame and question; one column `p_<event>` an event that competes, and `p_none`.

    The question of a row is told by `within_h`: what happens within so many hours of the frame or, where it is null,
    which fate comes, given that one comes (there `p_none` is 0).
    """

    predictor: Series[str]
    scheme: Series[str]
    fold: Series[int]
    part: Series[str] = pa.Field(isin=PARTS)
    recording_id: Series[str]
    cell_id: Series[int]
    frame: Series[int] = pa.Field(ge=0, description="the last frame that was shown")
    within_h: Series[float] = pa.Field(gt=0, nullable=True, description="hours after the frame; NaN: which fate comes")
    p_none: Series[float] = pa.Field(ge=-1e-6, le=1 + 1e-6, description="probability of no event by then")
    expected_h: Series[float] = pa.Field(nullable=True, description="hours to the first event, counted to the horizon")


class SeedForecasts(Forecasts):
    """Test forecasts of trainings from further seeds, at landmarks: those of `Forecasts`, and the seed."""

    seed: Series[int] = pa.Field(ge=0, description="seed of the training; that of the kept model is not here")


class MaskedForecasts(Table):
    """Forecasts of which fate comes, for shortened inputs; one column `p_<event>` an event."""

    experiment: Series[str] = pa.Field(isin=("remove_last", "keep_last"))
    k_frames: Series[int] = pa.Field(ge=0)
    fold: Series[int]
    recording_id: Series[str]
    cell_id: Series[int]
    frame: Series[int] = pa.Field(ge=0, description="the landmark whose frames were shortened")


class FateTable(Table):
    """For a reader: one row a tested or new cell, reading and question; one column `p_<outcome>` an outcome."""

    recording_id: Series[str]
    cell_id: Series[int]
    cell_name: Series[str] = pa.Field(nullable=True, description=_NAME)
    condition: Series[str]
    dose: Series[str]
    fate: Series[str] = pa.Field(isin=FATES[:-1], nullable=True, description=_FATE)
    event_h: Series[float] = pa.Field(nullable=True, description=_EVENT)
    predictor: Series[str]
    question: Series[str] = pa.Field(isin=("which_fate", "within_hours"))
    within_h: Series[float] = pa.Field(gt=0, nullable=True, description="NaN: which fate comes")
    frame: Series[int] = pa.Field(ge=0, description="the last frame that was shown")
    time_h: Series[float] = pa.Field(ge=0, description="from the first frame of the recording")
    call: Series[str] = pa.Field(isin=OUTCOMES, description="the likeliest outcome")
    p_call: Series[float] = pa.Field(ge=0, le=1 + 1e-6, description="probability of the call")
    sure: Series[str] = pa.Field(isin=(SURE, HARDLY_SURE), description=_SURE)
    prediction_set: Series[str] = pa.Field(nullable=True, description=_SET)
    undecided: Series[BooleanDtype] = pa.Field(nullable=True, description=_UNDECIDED)
    expected_h: Series[float] = pa.Field(nullable=True, description=_EXPECTED)
    seen_in_training: Series[bool] = pa.Field(description="the model was trained on this cell")
    alarm: Series[str] = pa.Field(isin=EVENTS, nullable=True, description="event of its first alarm; null: none")
    alarm_frame: Series[Int64Dtype] = pa.Field(nullable=True, description="frame at which that alarm is raised")


class ForecastTable(Table):
    """For a reader: what the fate clock forecasts, one row a tested or new cell and frame; `p_<outcome>` an outcome."""

    recording_id: Series[str]
    cell_id: Series[int]
    cell_name: Series[str] = pa.Field(nullable=True, description=_NAME)
    condition: Series[str]
    dose: Series[str]
    fate: Series[str] = pa.Field(isin=FATES[:-1], nullable=True, description=_FATE)
    event_h: Series[float] = pa.Field(nullable=True, description=_EVENT)
    frame: Series[int] = pa.Field(ge=0, description="frame of the forecast: the last one that is shown")
    time_h: Series[float] = pa.Field(ge=0, description="from the first frame of the recording")
    watched_h: Series[float] = pa.Field(ge=0, description="from the first tracked frame of the cell")
    within_h: Series[float] = pa.Field(gt=0, description="hours after the frame that the probabilities are about")
    p_none: Series[float] = pa.Field(ge=-1e-6, le=1 + 1e-6, description="probability of no event by then")
    call: Series[str] = pa.Field(isin=OUTCOMES, description="the likeliest outcome")
    p_call: Series[float] = pa.Field(ge=0, le=1 + 1e-6, description="probability of the call")
    sure: Series[str] = pa.Field(isin=(SURE, HARDLY_SURE), description=_SURE)
    prediction_set: Series[str] = pa.Field(nullable=True, description=_SET)
    undecided: Series[BooleanDtype] = pa.Field(nullable=True, description=_UNDECIDED)
    expected_h: Series[float] = pa.Field(description=_EXPECTED)
    seen_in_training: Series[bool] = pa.Field(description="the model was trained on this cell")
    alarm: Series[str] = pa.Field(isin=EVENTS, nullable=True, description="event of an alarm raised here; null: none")


class TrackForecasts(Table):
    """Tracks with what is forecast of them, one row a cell and frame.

    One column `p_<outcome>` an outcome within `within_h`, and one `fate_p_<event>` an event of which fate comes.
    """

    recording_id: Series[str]
    cell_id: Series[int]
    cell_name: Series[str] | None = pa.Field(nullable=True, description="of the tracker, where it gives any")
    spot_id: Series[Int64Dtype] | None = pa.Field(nullable=True, description="of the tracker, where it gives any")
    frame: Series[int] = pa.Field(ge=0)
    y_px: Series[float] = pa.Field(nullable=True, description="NaN: there are no images")
    x_px: Series[float] = pa.Field(nullable=True, description="NaN: there are no images")
    parent_id: Series[Int64Dtype] = pa.Field(nullable=True)
    fate: Series[str] = pa.Field(isin=FATES)
    event_frame: Series[Int64Dtype] = pa.Field(nullable=True)
    forecast_frame: Series[Int64Dtype] = pa.Field(nullable=True, description="last frame shown for it; null: none yet")
    within_h: Series[float] = pa.Field(nullable=True, description="hours forecast about; null: not asked")
    call: Series[str] = pa.Field(isin=OUTCOMES, nullable=True)
    sure: Series[str] | None = pa.Field(isin=(SURE, HARDLY_SURE), nullable=True)
    fate_call: Series[str] = pa.Field(isin=OUTCOMES, nullable=True, description="which fate comes: of the whole cell")
    fate_sure: Series[str] | None = pa.Field(isin=(SURE, HARDLY_SURE), nullable=True)


class Commitments(Table):
    """One row a predictor and tested cell: from when on its call stays what it is at the last frame shown."""

    predictor: Series[str]
    recording_id: Series[str]
    cell_id: Series[int]
    group_id: Series[str]
    dose: Series[str]
    fate: Series[str] = pa.Field(isin=FATES)
    call: Series[str] = pa.Field(isin=OUTCOMES, description="likeliest outcome at the last frame shown")
    within_h: Series[float] = pa.Field(gt=0)
    frame: Series[Int64Dtype] = pa.Field(nullable=True, description="first frame from which the call stays")
    hours_before_event: Series[float] = pa.Field(nullable=True, description="NaN: no event came, or none was called")
    from_first: Series[bool] = pa.Field(description="called so from its first forecast on: the hours are a lower bound")


class ShuffledCommitments(Commitments):
    """Commitments of the same cells with the calls of each in random order, some times over."""

    draw: Series[int] = pa.Field(ge=0, description="number of the order")


class Alarms(Table):
    """One row a predictor, tested cell and alarm: the frame at which it is raised, and what came of it."""

    predictor: Series[str]
    recording_id: Series[str]
    cell_id: Series[int]
    group_id: Series[str]
    dose: Series[str]
    fate: Series[str] = pa.Field(isin=FATES)
    outcome: Series[str] = pa.Field(isin=EVENTS, description="event that the alarm is of")
    within_h: Series[float] = pa.Field(gt=0)
    frame: Series[int] = pa.Field(ge=0, description="frame at which it is raised: the last one that was seen for it")
    incidence: Series[float] = pa.Field(ge=0, le=1 + 1e-6, description="probability of the event there")
    answer: Series[str] = pa.Field(isin=ANSWERS, description="right: the event followed within these hours")
    weight: Series[float] = pa.Field(ge=0, description="inverse probability of being known; 0: does not count")
    warning_h: Series[float] = pa.Field(nullable=True, description="hours to the event; NaN: not right")
