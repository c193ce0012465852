"""What the classifier forecast and how good that was."""

import pandera.pandas as pa
from pandas import Int64Dtype
from pandera.typing.pandas import Series

from cellfate.core.fates import FATES, OUTCOMES, UNDECIDED
from cellfate.core.tables.base import PARTS, Table


class Predictions(Table):
    """One row a predictor, fold and sample; one column `p_<outcome>` an outcome."""

    predictor: Series[str]
    scheme: Series[str]
    fold: Series[int]
    part: Series[str] = pa.Field(isin=PARTS)
    sample_id: Series[str]
    call: Series[str] = pa.Field(isin=(*OUTCOMES, UNDECIDED))


class Metrics(Table):
    """Tidy scores: one row a predictor, metric, class and condition."""

    predictor: Series[str]
    metric: Series[str]
    outcome: Series[str] = pa.Field(description="class the score is of, or `all`")
    condition: Series[str] = pa.Field(description="dose the score is within, `within_dose` (their mean), or `all`")
    estimate: Series[float] = pa.Field(nullable=True)
    low: Series[float] = pa.Field(nullable=True)
    high: Series[float] = pa.Field(nullable=True)
    n_cells: Series[int]
    n_samples: Series[int]
    n_groups: Series[int]


class Comparisons(Table):
    """Paired differences (predictor minus reference) with clustered intervals."""

    predictor: Series[str]
    reference: Series[str]
    metric: Series[str]
    outcome: Series[str] = pa.Field(description="class the score is of, or `all`")
    difference: Series[float] = pa.Field(nullable=True)
    low: Series[float] = pa.Field(nullable=True)
    high: Series[float] = pa.Field(nullable=True)
    n_samples: Series[int]
    n_groups: Series[int]
    best_trivial: Series[bool] = pa.Field(description="the reference is the best of those that see no image")


class Confusion(Table):
    """One row a predictor, threshold, true outcome and call."""

    predictor: Series[str]
    threshold: Series[str] = pa.Field(isin=("headline", "tuned"))
    outcome: Series[str] = pa.Field(isin=OUTCOMES)
    call: Series[str] = pa.Field(isin=OUTCOMES)
    n_samples: Series[int] = pa.Field(ge=0)
    share: Series[float] = pa.Field(nullable=True, description="of the true outcome; NaN where it is absent")


class Calibration(Table):
    """One row a predictor, outcome and bin of equal mass."""

    predictor: Series[str]
    outcome: Series[str] = pa.Field(isin=OUTCOMES)
    bin: Series[int] = pa.Field(ge=0)
    mean_probability: Series[float] = pa.Field(ge=0, le=1)
    frequency: Series[float] = pa.Field(ge=0, le=1)
    low: Series[float] = pa.Field(nullable=True)
    high: Series[float] = pa.Field(nullable=True)
    n_samples: Series[int]
    n_groups: Series[int]


class OperatingCurves(Table):
    """One row a predictor, outcome and threshold, from the highest down."""

    predictor: Series[str]
    outcome: Series[str] = pa.Field(isin=OUTCOMES)
    threshold: Series[float] = pa.Field(description="inf: nothing is called")
    recall: Series[float] = pa.Field(ge=0, le=1)
    false_positive_rate: Series[float] = pa.Field(ge=0, le=1)
    precision: Series[float] = pa.Field(nullable=True, description="NaN where nothing is called")
    n_positive: Series[int]
    n_negative: Series[int]


class MaskedPredictions(Table):
    """Predictions for shortened inputs; one column `p_<outcome>` an outcome."""

    experiment: Series[str] = pa.Field(isin=("remove_last", "keep_last"))
    k_frames: Series[int] = pa.Field(ge=0)
    fold: Series[int]
    sample_id: Series[str]


class MaskingCurves(Table):
    """Scores along a masking curve."""

    experiment: Series[str] = pa.Field(isin=("remove_last", "keep_last"))
    cohort: Series[str] = pa.Field(isin=("fixed", "shrinking"))
    k_frames: Series[int] = pa.Field(ge=0)
    metric: Series[str]
    outcome: Series[str]
    estimate: Series[float] = pa.Field(nullable=True)
    low: Series[float] = pa.Field(nullable=True)
    high: Series[float] = pa.Field(nullable=True)
    n_samples: Series[int]
    n_groups: Series[int]


class TrackForecasts(Table):
    """Tracks with what is forecast of them, one row a cell and frame; one column `p_<outcome>` an outcome."""

    recording_id: Series[str]
    cell_id: Series[int]
    frame: Series[int] = pa.Field(ge=0)
    y_px: Series[float]
    x_px: Series[float]
    parent_id: Series[Int64Dtype] = pa.Field(nullable=True)
    fate: Series[str] = pa.Field(isin=FATES)
    event_frame: Series[Int64Dtype] = pa.Field(nullable=True)
    forecast_frame: Series[Int64Dtype] = pa.Field(nullable=True, description="last frame shown for it; null: none yet")
    call: Series[str] | None = pa.Field(isin=OUTCOMES, nullable=True)


class FateTable(Table):
    """What inference forecasts, one row a sample; one column `p_<outcome>` an outcome."""

    sample_id: Series[str] = pa.Field(unique=True)
    recording_id: Series[str]
    cell_id: Series[int]
    last_frame: Series[int] = pa.Field(ge=0)
    call: Series[str] = pa.Field(isin=OUTCOMES)
