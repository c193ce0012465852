"""What the fate clock forecast and how good that was."""

import pandera.pandas as pa
from pandas import Int64Dtype
from pandera.typing.pandas import Series

from cellfate.core.fates import FATES, OUTCOMES
from cellfate.core.tables.base import PARTS, Table


class Incidence(Table):
    """Forecasts, one row a predictor, fold, cell, frame and horizon; one column `p_<event>` an event, and `p_none`."""

    predictor: Series[str]
    scheme: Series[str]
    fold: Series[int]
    part: Series[str] = pa.Field(isin=PARTS)
    recording_id: Series[str]
    cell_id: Series[int]
    frame: Series[int] = pa.Field(ge=0)
    within_h: Series[float] = pa.Field(gt=0, description="hours after the frame")
    p_none: Series[float] = pa.Field(ge=-1e-6, le=1 + 1e-6, description="probability of no event by then")
    expected_h: Series[float] = pa.Field(nullable=True, description="hours to the first event, counted to the horizon")


class ClockTable(Table):
    """What the fate clock forecasts for new recordings, one row a cell and frame; one column `p_<event>` an event."""

    recording_id: Series[str]
    cell_id: Series[int]
    frame: Series[int] = pa.Field(ge=0, description="frame of the forecast: the last one that is shown")
    time_h: Series[float] = pa.Field(ge=0, description="from the first frame of the recording")
    watched_h: Series[float] = pa.Field(ge=0, description="from the first tracked frame of the cell")
    within_h: Series[float] = pa.Field(gt=0, description="hours after the frame that the probabilities are about")
    p_none: Series[float] = pa.Field(ge=-1e-6, le=1 + 1e-6, description="probability of no event by then")
    expected_h: Series[float] = pa.Field(description="hours to the first event, counted to the model's horizon")


class Commitments(Table):
    """One row a predictor and cell: from when on its fate was called."""

    predictor: Series[str]
    recording_id: Series[str]
    cell_id: Series[int]
    group_id: Series[str]
    dose: Series[str]
    fate: Series[str] = pa.Field(isin=FATES)
    call: Series[str] = pa.Field(isin=OUTCOMES, description="event that is called at the last frame shown, or `none`")
    within_h: Series[float] = pa.Field(gt=0)
    threshold: Series[float] = pa.Field(nullable=True, description="of the called event, chosen on validation")
    frame: Series[Int64Dtype] = pa.Field(nullable=True, description="first frame from which the call stays; null: none")
    hours_before_event: Series[float] = pa.Field(nullable=True, description="NaN: censored, or nothing was called")


class CommitmentSummary(Table):
    """One row a predictor, fate and measure: how often and how early cells were called."""

    predictor: Series[str]
    fate: Series[str] = pa.Field(isin=FATES)
    metric: Series[str]
    estimate: Series[float] = pa.Field(nullable=True)
    low: Series[float] = pa.Field(nullable=True)
    high: Series[float] = pa.Field(nullable=True)
    n_cells: Series[int]
    n_groups: Series[int]


class IncidenceMetrics(Table):
    """Tidy scores of incidence: one row a predictor, metric, event, dose (or `all`) and horizon."""

    predictor: Series[str]
    metric: Series[str]
    outcome: Series[str] = pa.Field(description="event the score is of")
    condition: Series[str] = pa.Field(description="dose the score is within, or `all`")
    within_h: Series[float] = pa.Field(gt=0)
    estimate: Series[float] = pa.Field(nullable=True)
    low: Series[float] = pa.Field(nullable=True)
    high: Series[float] = pa.Field(nullable=True)
    n_cells: Series[int]
    n_samples: Series[int] = pa.Field(description="landmarks whose outcome is known")
    n_events: Series[int] = pa.Field(description="of these, those followed by the event in time")
    n_groups: Series[int]


class IncidenceComparisons(Table):
    """Paired differences of incidence scores (predictor minus reference) with clustered intervals."""

    predictor: Series[str]
    reference: Series[str]
    metric: Series[str]
    outcome: Series[str] = pa.Field(description="event the score is of")
    within_h: Series[float] = pa.Field(gt=0)
    difference: Series[float] = pa.Field(nullable=True)
    low: Series[float] = pa.Field(nullable=True)
    high: Series[float] = pa.Field(nullable=True)
    n_samples: Series[int]
    n_groups: Series[int]


class IncidenceCalibration(Table):
    """One row a predictor, event, horizon and bin of equal mass: forecast against observed incidence."""

    predictor: Series[str]
    outcome: Series[str] = pa.Field(description="event")
    within_h: Series[float] = pa.Field(gt=0)
    bin: Series[int] = pa.Field(ge=0)
    mean_probability: Series[float] = pa.Field(ge=0, le=1)
    observed: Series[float] = pa.Field(ge=0, le=1, description="Aalen-Johansen estimate")
    low: Series[float] = pa.Field(nullable=True)
    high: Series[float] = pa.Field(nullable=True)
    n_samples: Series[int]
    n_groups: Series[int]


class ObservedIncidence(Table):
    """Aalen-Johansen curves: one row a dose (or `all`), event and time."""

    dose: Series[str]
    outcome: Series[str] = pa.Field(description="event")
    time_h: Series[float] = pa.Field(ge=0, description="since the first landmark of the cell")
    incidence: Series[float] = pa.Field(ge=0, le=1)
    low: Series[float] = pa.Field(nullable=True)
    high: Series[float] = pa.Field(nullable=True)
    n_at_risk: Series[int] = pa.Field(ge=0)
    n_cells: Series[int]
    n_groups: Series[int]


class DoseIncidence(Table):
    """Forecast against observed share of cells per dose: one row a predictor, dose, event and horizon."""

    predictor: Series[str]
    dose: Series[str]
    outcome: Series[str] = pa.Field(description="event")
    within_h: Series[float] = pa.Field(gt=0, description="hours after the cell's first landmark")
    forecast: Series[float] = pa.Field(ge=0, le=1, description="mean forecast over the cells")
    observed: Series[float] = pa.Field(ge=0, le=1, description="Aalen-Johansen estimate over the same cells")
    low: Series[float] = pa.Field(nullable=True, description="of the observed")
    high: Series[float] = pa.Field(nullable=True, description="of the observed")
    n_cells: Series[int]
    n_groups: Series[int]
