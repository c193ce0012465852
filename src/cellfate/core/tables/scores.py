"""How good forecasts were, and what was observed."""

import pandera.pandas as pa
from pandas import Int64Dtype
from pandera.typing.pandas import Series

from cellfate.core.fates import FATES, OUTCOMES
from cellfate.core.tables.base import Table

ADDED = ("images", "measurements", "network")
"""What is added to a context: measurements and network; measurements; the network, where measurements are known."""
VERDICTS = ("transfers", "does not", "cannot be told")
"""Whether forecasts hold for cells like those that tested."""
_WITHIN = "hours after the landmark; NaN: which fate comes"
_EVENT_GROUPS = "groups that hold the outcome or, where fewer do, the rest; of `all`: the outcome that fewest hold"


class Metrics(Table):
    """Tidy scores: one row a predictor, question, metric, outcome and condition."""

    predictor: Series[str]
    within_h: Series[float] = pa.Field(gt=0, nullable=True, description=_WITHIN)
    metric: Series[str]
    outcome: Series[str] = pa.Field(description="outcome the score is of, or `all`")
    condition: Series[str] = pa.Field(description="dose the score is within, `within_dose` (their mean), or `all`")
    estimate: Series[float] = pa.Field(nullable=True)
    low: Series[float] = pa.Field(nullable=True)
    high: Series[float] = pa.Field(nullable=True)
    n_cells: Series[int]
    n_landmarks: Series[int] = pa.Field(description="landmarks whose answer is known")
    n_events: Series[int] = pa.Field(description="of these, those with the outcome; of `all`: with any event")
    n_groups: Series[int]
    n_event_groups: Series[int] = pa.Field(description=_EVENT_GROUPS)
    reason: Series[str] = pa.Field(nullable=True, description="why the score, or its interval, is not defined")


class Comparisons(Table):
    """Paired differences (predictor minus reference) with clustered intervals."""

    predictor: Series[str]
    reference: Series[str]
    within_h: Series[float] = pa.Field(gt=0, nullable=True, description=_WITHIN)
    metric: Series[str]
    outcome: Series[str] = pa.Field(description="outcome the score is of, or `all`")
    difference: Series[float] = pa.Field(nullable=True)
    low: Series[float] = pa.Field(nullable=True)
    high: Series[float] = pa.Field(nullable=True)
    n_landmarks: Series[int]
    n_groups: Series[int]
    n_event_groups: Series[int] = pa.Field(description=_EVENT_GROUPS)
    p_value: Series[float] = pa.Field(nullable=True, description="two-sided, from the same resamples as the interval")
    p_corrected: Series[float] = pa.Field(nullable=True, description="by Holm across outcomes; of the primary as it is")
    primary: Series[bool] = pa.Field(description="the outcome, hours and metric are those of `scores.primary`")
    best_trivial: Series[bool] = pa.Field(description="the reference is the best of those that see no image")
    best_reference: Series[bool] | None = pa.Field(description="the reference is the best of all without a network")


class SeedScores(Table):
    """Scores over trainings from several seeds: one row a predictor, reference, question, metric and outcome."""

    predictor: Series[str]
    reference: Series[str] = pa.Field(nullable=True, description="null: the score itself; else the difference to this")
    within_h: Series[float] = pa.Field(gt=0, nullable=True, description=_WITHIN)
    metric: Series[str]
    outcome: Series[str] = pa.Field(description="outcome the score is of, or `all`")
    n_seeds: Series[int] = pa.Field(ge=2)
    kept: Series[float] = pa.Field(nullable=True, description="of the model that is kept, as everywhere else")
    mean: Series[float] = pa.Field(nullable=True, description="over the seeds")
    sd: Series[float] = pa.Field(nullable=True, description="between the seeds, on the same test cells")
    another_low: Series[float] = pa.Field(nullable=True, description="another training like this")
    another_high: Series[float] = pa.Field(nullable=True)
    average_low: Series[float] = pa.Field(nullable=True, description="this procedure on average")
    average_high: Series[float] = pa.Field(nullable=True)
    n_groups: Series[int]
    n_event_groups: Series[int] = pa.Field(description=_EVENT_GROUPS)
    reason: Series[str] = pa.Field(nullable=True, description="why the score, or its intervals, are not defined")


class Losses(Table):
    """Cells lost before the answer was known: one row a horizon and dose (or `all`)."""

    within_h: Series[float] = pa.Field(gt=0)
    dose: Series[str]
    n_landmarks: Series[int] = pa.Field(ge=0)
    n_lost_landmarks: Series[int] = pa.Field(ge=0)
    n_lost_cells: Series[int] = pa.Field(ge=0)
    weights: Series[str] = pa.Field(isin=("own", "some own", "pooled"), description="whose losses make the weights")
    largest_weight: Series[float] = pa.Field(ge=0)
    share_truncated: Series[float] = pa.Field(nullable=True, description="of the landmarks with a known answer")


class LossSensitivity(Table):
    """Scores as if some lost cells had died: one row a predictor, metric, outcome and share of the lost cells."""

    predictor: Series[str]
    within_h: Series[float] = pa.Field(gt=0)
    metric: Series[str]
    outcome: Series[str]
    died_share: Series[float] = pa.Field(ge=0, le=1, description="0: as everywhere else")
    estimate: Series[float] = pa.Field(nullable=True)
    n_lost_cells: Series[int] = pa.Field(ge=0)


class AddedValue(Table):
    """What images add to a context: one row a context, what is added, metric and outcome."""

    context: Series[str] = pa.Field(description="what is known without images, in the words of `context.names`")
    added: Series[str] = pa.Field(isin=ADDED, description="measurements, the network beside them, or both (images)")
    within_h: Series[float] = pa.Field(
        gt=0, nullable=True, description="hours after the landmark; NaN: all bins of time"
    )
    metric: Series[str]
    outcome: Series[str] = pa.Field(description="outcome the score is of, or `all`")
    score_without: Series[float] = pa.Field(nullable=True, description="NaN of log-likelihoods")
    score_with: Series[float] = pa.Field(nullable=True, description="NaN of log-likelihoods")
    difference: Series[float] = pa.Field(nullable=True, description="log-likelihood: nats gained per event seen")
    low: Series[float] = pa.Field(nullable=True)
    high: Series[float] = pa.Field(nullable=True)
    n_landmarks: Series[int] = pa.Field(ge=0)
    n_events: Series[int] = pa.Field(
        ge=0, description="landmarks with the outcome; of log-likelihoods: bins with an event"
    )
    n_groups: Series[int] = pa.Field(ge=0)
    reason: Series[str] = pa.Field(description="why it is empty")


class Transfer(Table):
    """Whether forecasts hold for cells like those that tested: one row a predictor, horizon, event and condition."""

    predictor: Series[str]
    within_h: Series[float] = pa.Field(gt=0, description="hours after the landmark")
    outcome: Series[str] = pa.Field(description="event")
    kind: Series[str] = pa.Field(isin=("all", "dose", "recording"), description="what the condition is")
    condition: Series[str] = pa.Field(description="dose or recording of the test cells, or `all`")
    observed_over_expected: Series[float] = pa.Field(nullable=True)
    observed_over_expected_low: Series[float] = pa.Field(nullable=True)
    observed_over_expected_high: Series[float] = pa.Field(nullable=True)
    calibration_slope: Series[float] = pa.Field(nullable=True)
    calibration_slope_low: Series[float] = pa.Field(nullable=True)
    calibration_slope_high: Series[float] = pa.Field(nullable=True)
    n_landmarks: Series[int] = pa.Field(ge=0)
    n_groups: Series[int] = pa.Field(ge=0)
    n_event_groups: Series[int] = pa.Field(ge=0, description=_EVENT_GROUPS)
    verdict: Series[str] = pa.Field(isin=VERDICTS)
    reason: Series[str] = pa.Field(nullable=True, description="why it cannot be told, or does not transfer")


class Calibration(Table):
    """One row a predictor, question, outcome and bin of equal mass: forecast against observed share."""

    predictor: Series[str]
    within_h: Series[float] = pa.Field(gt=0, nullable=True, description=_WITHIN)
    outcome: Series[str] = pa.Field(isin=OUTCOMES)
    bin: Series[int] = pa.Field(ge=0)
    mean_probability: Series[float] = pa.Field(ge=0, le=1)
    observed: Series[float] = pa.Field(ge=0, le=1, description="Aalen-Johansen estimate; where nothing is lost a share")
    low: Series[float] = pa.Field(nullable=True)
    high: Series[float] = pa.Field(nullable=True)
    n_landmarks: Series[int]
    n_groups: Series[int]


class Confusion(Table):
    """Which fate comes: one row a predictor, threshold, true fate and call."""

    predictor: Series[str]
    threshold: Series[str] = pa.Field(isin=("headline", "tuned"))
    outcome: Series[str] = pa.Field(isin=OUTCOMES)
    call: Series[str] = pa.Field(isin=OUTCOMES)
    n_landmarks: Series[int] = pa.Field(ge=0)
    share: Series[float] = pa.Field(nullable=True, description="of the true outcome; NaN where it is absent")


class OperatingCurves(Table):
    """One row a predictor, question, outcome and threshold, from the highest down."""

    predictor: Series[str]
    within_h: Series[float] = pa.Field(gt=0, nullable=True, description=_WITHIN)
    outcome: Series[str] = pa.Field(isin=OUTCOMES)
    threshold: Series[float] = pa.Field(description="inf: nothing is called")
    recall: Series[float] = pa.Field(ge=0, le=1)
    false_positive_rate: Series[float] = pa.Field(ge=0, le=1)
    precision: Series[float] = pa.Field(nullable=True, description="NaN where nothing is called")
    n_positive: Series[int]
    n_negative: Series[int]


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
    n_landmarks: Series[int]
    n_groups: Series[int]


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


class AlarmSummary(Table):
    """One row a predictor, event, condition, threshold and measure of its alarms."""

    predictor: Series[str]
    outcome: Series[str] = pa.Field(description="event that alarms are of")
    condition: Series[str] = pa.Field(description="dose that the cells are of, or `all`")
    threshold: Series[float] = pa.Field(gt=0, lt=1, description="incidence from which on the event is flagged")
    chosen: Series[bool] = pa.Field(description="the threshold that follows from the costs")
    metric: Series[str]
    estimate: Series[float] = pa.Field(nullable=True)
    low: Series[float] = pa.Field(nullable=True)
    high: Series[float] = pa.Field(nullable=True)
    n: Series[int] = pa.Field(ge=0, description="events or alarms that the measure is over")
    n_alarms: Series[int] = pa.Field(ge=0, description="alarms that were raised")
    n_unknown: Series[int] = pa.Field(ge=0, description="of these, the cell was lost before the answer")
    n_near_end: Series[int] = pa.Field(ge=0, description="of these, the recording ends before the horizon")
    forecast_h: Series[float] = pa.Field(ge=0, description="hours of cells that were forecast and could be answered")
    n_cells: Series[int]
    n_groups: Series[int]
    reason: Series[str] = pa.Field(nullable=True, description="why there is no value or no interval")


class NetBenefit(Table):
    """One row a predictor, event, condition and threshold of a decision curve."""

    predictor: Series[str]
    outcome: Series[str] = pa.Field(description="event that alarms are of")
    condition: Series[str] = pa.Field(description="dose that the cells are of, or `all`")
    threshold: Series[float] = pa.Field(gt=0, lt=1)
    chosen: Series[bool] = pa.Field(description="the threshold that follows from the costs")
    net_benefit: Series[float] = pa.Field(nullable=True, description="of acting where it is flagged; acting never: 0")
    low: Series[float] = pa.Field(nullable=True)
    high: Series[float] = pa.Field(nullable=True)
    for_all: Series[float] = pa.Field(nullable=True, description="net benefit of acting always")
    share_flagged: Series[float] = pa.Field(nullable=True, description="of the forecasts")
    n_forecasts: Series[int] = pa.Field(ge=0)
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
    """Forecast against observed share of cells per dose: one row a predictor, dose, event and horizon.

    Tables of earlier versions lack the columns from `forecast_low` to `difference_high`.
    """

    predictor: Series[str]
    dose: Series[str]
    outcome: Series[str] = pa.Field(description="event")
    within_h: Series[float] = pa.Field(gt=0, description="hours after the cell's first landmark")
    forecast: Series[float] = pa.Field(ge=0, le=1, description="mean forecast over the cells")
    forecast_low: Series[float] | None = pa.Field(nullable=True)
    forecast_high: Series[float] | None = pa.Field(nullable=True)
    difference: Series[float] | None = pa.Field(nullable=True, description="forecast less observed, same resamples")
    difference_low: Series[float] | None = pa.Field(nullable=True)
    difference_high: Series[float] | None = pa.Field(nullable=True)
    observed: Series[float] = pa.Field(ge=0, le=1, description="Aalen-Johansen estimate over the same cells")
    low: Series[float] = pa.Field(nullable=True, description="of the observed")
    high: Series[float] = pa.Field(nullable=True, description="of the observed")
    n_cells: Series[int]
    n_groups: Series[int]


class Reproduction(Table):
    """One row a published figure: computed again from what was published, and the same quantity of this study."""

    item: Series[str] = pa.Field(description="T1 scores, T2 end removed, T3 end kept, T4 second test set, T5 attention")
    quantity: Series[str]
    outcome: Series[str] = pa.Field(description="outcome it is of, or `all`")
    experiment: Series[str] = pa.Field(nullable=True, description="as in `MaskingCurves`")
    k_frames: Series[Int64Dtype] = pa.Field(ge=0, nullable=True, description="as in `MaskingCurves`")
    feature: Series[str] = pa.Field(nullable=True, description="column of `FrameFeatures`")
    published: Series[float]
    n_published: Series[Int64Dtype] = pa.Field(gt=0, nullable=True, description="cells behind it, where known")
    recomputed: Series[float] = pa.Field(nullable=True)
    recomputed_from: Series[str] = pa.Field(description="what it was computed from, or why it could not be")
    here: Series[float] = pa.Field(nullable=True, description="the same quantity of this study")
    low: Series[float] = pa.Field(nullable=True)
    high: Series[float] = pa.Field(nullable=True)
    n_cells: Series[int] = pa.Field(ge=0, description="cells of this study behind it")
    n_groups: Series[int] = pa.Field(ge=0)
    reason: Series[str] = pa.Field(nullable=True, description="why there is no value here")
    differs: Series[str] = pa.Field(description="what differs between the published cells and these")
    source: Series[str]


class Checklist(Table):
    """One row an item of a reporting checklist: what it asks, and what the run answers."""

    guideline: Series[str] = pa.Field(isin=("TRIPOD+AI", "REFORMS"))
    item: Series[str] = pa.Field(description="its number in the guideline")
    section: Series[str]
    asks: Series[str] = pa.Field(description="in our words")
    answer: Series[str] = pa.Field(nullable=True, description="what the run knows")
    status: Series[str] = pa.Field(description="whether the run or a person answers")
    where_reported: Series[str] = pa.Field(nullable=True, description="for a person: page or section of the manuscript")


class SetThresholds(Table):
    """One row a predictor, question and tested group, and one for new cells: where its prediction sets end."""

    predictor: Series[str]
    within_h: Series[float] = pa.Field(gt=0, nullable=True, description="NaN: which fate comes")
    group_id: Series[str] = pa.Field(nullable=True, description="all others calibrated it; null: new cells, all did")
    level: Series[float] = pa.Field(gt=0, lt=1, description="how often a set has to hold what comes")
    threshold: Series[float] = pa.Field(nullable=True, description="from a probability of 1 less it on, in the set")
    n_groups: Series[int] = pa.Field(ge=0, description="groups that calibrated it")
    reason: Series[str] = pa.Field(nullable=True, description="why there is no threshold")


class PredictionSets(Table):
    """One row a predictor, question, dose and outcome: how often sets hold what came; every group counts the same."""

    predictor: Series[str]
    within_h: Series[float] = pa.Field(gt=0, nullable=True, description="NaN: which fate comes")
    condition: Series[str] = pa.Field(description="`all`, or a dose")
    outcome: Series[str] = pa.Field(description="`all`, or the one that came")
    level: Series[float] = pa.Field(gt=0, lt=1)
    share_held: Series[float] = pa.Field(ge=0, le=1 + 1e-9, nullable=True, description="sets that hold what came")
    low: Series[float] = pa.Field(nullable=True)
    high: Series[float] = pa.Field(nullable=True)
    mean_size: Series[float] = pa.Field(nullable=True, description="outcomes in a set")
    share_undecided: Series[float] = pa.Field(nullable=True, description="sets of more than one outcome")
    n_landmarks: Series[int] = pa.Field(ge=0, description="with a known answer")
    n_groups: Series[int] = pa.Field(ge=0)
    reason: Series[str] = pa.Field(nullable=True, description="why there is no value")
