"""Schemas of the tables that flow between pipelines; the one place where their columns are declared.

Units stand in the names: `_px`, `_um`, `_h`, `_min`. Frames count from 0. Pixel centres are integers, y runs down and
x to the right. The catalog validates every saved table against its schema (`validator:` of the entry); columns that are
not declared are kept unless the schema is strict.
"""

import pandera.pandas as pa
from pandas import Int64Dtype
from pandera.typing.pandas import Series

from cellfate.core.fates import FATES, OUTCOMES, UNDECIDED

PARTS = ("train", "validation", "test")

EVERYTHING = "all"
"""Outcome or condition of a score that is over all of them."""
WITHIN_DOSES = "within_dose"
"""Condition of a score that is the mean over the doses, each weighted by the samples of its rarest outcome: what is
left when the dose is known."""


class Table(pa.DataFrameModel):
    """Base: columns are coerced to their declared types."""

    class Config:
        """Coerce, and keep columns that are not declared."""

        coerce = True


class Recordings(Table):
    """One row a recording: one field of view over time."""

    recording_id: Series[str] = pa.Field(unique=True)
    source: Series[str] = pa.Field(description="folder of the recording, relative to the recordings root")
    axes: Series[str] = pa.Field(description="axes of the opened recording, always TCYX")
    channels: Series[str] = pa.Field(description="channel names in order, separated by '|'")
    n_frames: Series[int] = pa.Field(gt=0)
    height_px: Series[int] = pa.Field(gt=0)
    width_px: Series[int] = pa.Field(gt=0)
    dtype: Series[str]
    frame_interval_min: Series[float] = pa.Field(gt=0)
    pixel_size_um: Series[float] = pa.Field(gt=0, nullable=True)
    condition: Series[str]
    dose: Series[str]
    group_id: Series[str] = pa.Field(description="unit of splits and of the bootstrap unless the cells say otherwise")


class FrameFiles(Table):
    """One row a frame of a recording: where its pixels, and where given its label image, are."""

    recording_id: Series[str]
    frame: Series[int] = pa.Field(ge=0)
    file_name: Series[str] = pa.Field(description="relative to the recordings root")
    label_file_name: Series[str] = pa.Field(nullable=True, description="label image (value = cell_id), or null")


class Detections(Table):
    """One row a cell and frame."""

    recording_id: Series[str]
    cell_id: Series[int]
    frame: Series[int] = pa.Field(ge=0)
    y_px: Series[float]
    x_px: Series[float]


class Cells(Table):
    """One row a cell: its track, its parent and its fate."""

    recording_id: Series[str]
    cell_id: Series[int]
    parent_id: Series[Int64Dtype] = pa.Field(nullable=True)
    lineage_id: Series[str] = pa.Field(nullable=True, description="founder of the family; null: parents are unknown")
    first_frame: Series[int] = pa.Field(ge=0)
    last_frame: Series[int] = pa.Field(ge=0)
    fate: Series[str] = pa.Field(isin=FATES)
    event_frame: Series[Int64Dtype] = pa.Field(nullable=True)
    group_id: Series[str] = pa.Field(description="unit of splits and of the bootstrap")


class SetAside(Table):
    """One row a recording or cell that was not used, and why."""

    recording_id: Series[str]
    cell_id: Series[Int64Dtype] = pa.Field(nullable=True, description="null: the whole recording")
    stage: Series[str]
    reason: Series[str]


class FrameFeatures(Table):
    """One row a cell and frame: morphology and reporters. Each channel c adds `intensity_c`."""

    recording_id: Series[str]
    cell_id: Series[int]
    frame: Series[int] = pa.Field(ge=0)
    segmented: Series[bool] = pa.Field(description="false: no mask was found, shape features are NaN")
    area: Series[float] = pa.Field(nullable=True, description="px^2")
    perimeter: Series[float] = pa.Field(nullable=True, description="px")
    circularity: Series[float] = pa.Field(nullable=True)
    eccentricity: Series[float] = pa.Field(nullable=True)
    solidity: Series[float] = pa.Field(nullable=True)
    equivalent_diameter: Series[float] = pa.Field(nullable=True, description="px")
    n_neighbors: Series[float] = pa.Field(nullable=True)


class Samples(Table):
    """One row a sample: frames first..last of one cell (inclusive) and what followed."""

    sample_id: Series[str] = pa.Field(unique=True)
    recording_id: Series[str]
    cell_id: Series[int]
    group_id: Series[str]
    dose: Series[str]
    first_frame: Series[int] = pa.Field(ge=0)
    last_frame: Series[int] = pa.Field(ge=0)
    n_frames: Series[int] = pa.Field(gt=0, description="frames really tracked within first..last")
    age_frames: Series[int] = pa.Field(ge=0, description="last_frame - first tracked frame of the cell")
    outcome: Series[str] = pa.Field(isin=OUTCOMES, nullable=True, description="null: not known (inference)")
    event_frame: Series[Int64Dtype] = pa.Field(nullable=True)
    lead_time_h: Series[float] = pa.Field(nullable=True)
    frame_interval_min: Series[float] = pa.Field(gt=0)


class FollowUps(Samples):
    """One row a cell, censored ones included: the frames that are shown, and how its watching ended.

    The outcome is the fate, null when censored.
    """

    fate: Series[str] = pa.Field(isin=FATES)
    end_frame: Series[int] = pa.Field(ge=0, description="event frame; when censored the last frame seen")


class Landmarks(Table):
    """One row a cell and frame at which the fate clock is read and scored."""

    sample_id: Series[str] = pa.Field(unique=True, description="recording:cell:frame")
    recording_id: Series[str]
    cell_id: Series[int]
    group_id: Series[str]
    dose: Series[str]
    first_frame: Series[int] = pa.Field(ge=0, description="first tracked frame of the cell")
    last_frame: Series[int] = pa.Field(ge=0, description="the landmark: the last frame that is shown")
    age_frames: Series[int] = pa.Field(ge=0, description="last_frame - first_frame")
    frame_interval_min: Series[float] = pa.Field(gt=0)
    fate: Series[str] = pa.Field(isin=FATES)
    time_h: Series[float] = pa.Field(ge=0, description="to the event; when censored to the last frame seen")
    watchable_h: Series[float] = pa.Field(ge=0, description="from the landmark to the last frame of the recording")


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


class ClockHistory(Table):
    """One row a fold and epoch of the fate clock's training."""

    fold: Series[int] = pa.Field(ge=0)
    epoch: Series[int] = pa.Field(ge=0)
    train_loss: Series[float] = pa.Field(nullable=True)
    validation_log_loss: Series[float] = pa.Field(nullable=True, description="nats a frame shown, competing risks")
    learning_rate: Series[float] = pa.Field(gt=0)
    kept: Series[bool] = pa.Field(description="the member has the weights of this epoch")


class Splits(Table):
    """One row a sample and fold: the part it plays there."""

    scheme: Series[str]
    fold: Series[int] = pa.Field(ge=0)
    sample_id: Series[str]
    part: Series[str] = pa.Field(isin=PARTS)


class Leakage(Table):
    """One row a fold and part: how much the part shares with the training part of its fold."""

    scheme: Series[str]
    fold: Series[int] = pa.Field(ge=0)
    part: Series[str] = pa.Field(isin=PARTS)
    n_samples: Series[int]
    n_cells: Series[int]
    n_groups: Series[int]
    share_recording: Series[float] = pa.Field(nullable=True, description="cells whose recording is in training")
    share_lineage: Series[float] = pa.Field(nullable=True, description="NaN where parents are unknown")
    share_sister: Series[float] = pa.Field(nullable=True, description="NaN where parents are unknown")


class Normalisation(Table):
    """One row a fold and channel: statistics over the pixels of that fold's training cells."""

    fold: Series[int] = pa.Field(ge=0)
    channel: Series[str]
    mean: Series[float]
    sd: Series[float] = pa.Field(gt=0)
    n_pixels: Series[float] = pa.Field(gt=0)


class TrainingHistory(Table):
    """One row a fold and epoch."""

    fold: Series[int] = pa.Field(ge=0)
    epoch: Series[int] = pa.Field(ge=0)
    train_loss: Series[float] = pa.Field(nullable=True)
    validation_log_loss: Series[float] = pa.Field(nullable=True)
    validation_balanced_accuracy: Series[float] = pa.Field(nullable=True)
    validation_auroc: Series[float] = pa.Field(nullable=True, description="NaN: validation holds one outcome")
    learning_rate: Series[float] = pa.Field(gt=0)
    kept: Series[bool] = pa.Field(description="the member has the weights of this epoch")


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


class Attention(Table):
    """Pooling attention, one row a sample and frame; sums to 1 - class_token over the frames of a sample."""

    sample_id: Series[str]
    frame: Series[int]
    hours_before_event: Series[float] = pa.Field(nullable=True)
    attention: Series[float] = pa.Field(ge=0, le=1)
    class_token: Series[float] = pa.Field(ge=0, le=1, description="the class token's own share, repeated")


class Attributions(Table):
    """One row a sample, method, window and channel."""

    sample_id: Series[str]
    method: Series[str]
    window_first_frame: Series[int]
    window_last_frame: Series[int]
    channel: Series[str] = pa.Field(description="a channel's name, or `all`")
    value: Series[float]
    unit: Series[str]


class AttentionStatistics(Table):
    """One row a sample and feature: top-attention frames against the rest."""

    sample_id: Series[str]
    outcome: Series[str]
    dose: Series[str]
    feature: Series[str]
    cliffs_delta: Series[float] = pa.Field(nullable=True)
    cohens_d: Series[float] = pa.Field(nullable=True)
    p_value: Series[float] = pa.Field(nullable=True)
    p_corrected: Series[float] = pa.Field(nullable=True)
    n_top: Series[int]
    n_other: Series[int]
    reason: Series[str] = pa.Field(nullable=True, description="why a value is NaN, or null")


class AttentionSummary(Table):
    """One row an outcome, dose (or `all`) and feature: medians over cells."""

    outcome: Series[str]
    dose: Series[str]
    feature: Series[str]
    median_delta: Series[float] = pa.Field(nullable=True)
    low: Series[float] = pa.Field(nullable=True)
    high: Series[float] = pa.Field(nullable=True)
    share_significant: Series[float] = pa.Field(nullable=True)
    p_swap: Series[float] = pa.Field(nullable=True, description="mask-swap null; NaN under 20 cells")
    n_cells: Series[int]


class FateTable(Table):
    """What inference forecasts, one row a sample; one column `p_<outcome>` an outcome."""

    sample_id: Series[str] = pa.Field(unique=True)
    recording_id: Series[str]
    cell_id: Series[int]
    last_frame: Series[int] = pa.Field(ge=0)
    call: Series[str] = pa.Field(isin=OUTCOMES)


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


class ReporterTraces(Table):
    """One row a simulated cell and frame; one column a channel: its true level."""

    recording_id: Series[str]
    cell_id: Series[int]
    fate: Series[str] = pa.Field(isin=FATES)
    frame: Series[int] = pa.Field(ge=0)
    hours_before_event: Series[float] = pa.Field(nullable=True)


class Truth(Table):
    """What decided each simulated cell's fate, when, and in which channel."""

    recording_id: Series[str]
    cell_id: Series[int]
    fate: Series[str] = pa.Field(isin=FATES)
    deciding_channel: Series[str] = pa.Field(nullable=True)
    window_first_frame: Series[Int64Dtype] = pa.Field(nullable=True)
    window_last_frame: Series[Int64Dtype] = pa.Field(nullable=True)
    strength: Series[float] = pa.Field(nullable=True, description="planted log odds of apoptosis of this cause")
    oracle_logit: Series[float] = pa.Field(nullable=True, description="total planted log odds of apoptosis")
