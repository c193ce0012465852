"""What forecasts rest on."""

import pandera.pandas as pa
from pandera.typing.pandas import Series

from cellfate.core.tables.base import Table


class Attention(Table):
    """Pooling attention, one row a landmark and frame; sums to 1 - class_token over the frames of a landmark."""

    landmark_id: Series[str]
    frame: Series[int]
    hours_before_event: Series[float] = pa.Field(nullable=True)
    attention: Series[float] = pa.Field(ge=0, le=1)
    class_token: Series[float] = pa.Field(ge=0, le=1, description="the class token's own share, repeated")


class Attributions(Table):
    """One row a landmark, method, window and channel."""

    landmark_id: Series[str]
    method: Series[str]
    window_first_frame: Series[int]
    window_last_frame: Series[int]
    channel: Series[str] = pa.Field(description="a channel's name, or `all`")
    value: Series[float]
    unit: Series[str]


class AttentionStatistics(Table):
    """One row a landmark and feature: top-attention frames against the rest."""

    landmark_id: Series[str]
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
    share_same_sign: Series[float] = pa.Field(nullable=True, description="share of cells with the median's sign")
    excess: Series[float] = pa.Field(nullable=True, description="mean over cells: own delta less that of other masks")
    p_swap: Series[float] = pa.Field(nullable=True, description="of no excess; NaN under 20 cells")
    p_swap_corrected: Series[float] = pa.Field(nullable=True, description="Benjamini-Hochberg over the whole table")
    n_cells: Series[int]
    n_groups: Series[int]


class AttributionCells(Table):
    """One row a landmark, method and score: what the means in `AttributionScores` are of."""

    landmark_id: Series[str]
    group_id: Series[str]
    method: Series[str]
    score: Series[str]
    value: Series[float] = pa.Field(nullable=True, description="NaN where it is not defined there")
    reason: Series[str] | None = pa.Field(nullable=True, description="why value is NaN, where that is known")


class AttributionScores(Table):
    """One row an attribution method and score; `attribution.methods` says what each method is."""

    method: Series[str]
    score: Series[str] = pa.Field(description="what is measured; see docs/explanations.md")
    value: Series[float] = pa.Field(nullable=True)
    low: Series[float] = pa.Field(nullable=True)
    high: Series[float] = pa.Field(nullable=True)
    unit: Series[str] = pa.Field(description="`logit`, `correlation`, `share` or `auroc`")
    better: Series[str] = pa.Field(isin=["higher", "lower"], description="in which direction the score is good")
    n_cells: Series[int] = pa.Field(ge=0, description="cells behind the value")
    n_groups: Series[int] = pa.Field(ge=0, description="groups of these cells")
    n_failed: Series[int] = pa.Field(ge=0, description="cells for which it is not defined")
    reason: Series[str] = pa.Field(nullable=True, description="why value is NaN, or null")


class FaithfulnessCurves(Table):
    """One row a method, curve, order and step: the forecast while parts are removed or put back."""

    method: Series[str]
    curve: Series[str] = pa.Field(isin=["deletion", "insertion"])
    order: Series[str] = pa.Field(isin=["own", "random", "reverse"])
    share: Series[float] = pa.Field(ge=0, le=1, description="share of the parts removed or put back")
    value: Series[float] = pa.Field(description="mean log odds above the reference, towards the forecast")
    low: Series[float] = pa.Field(nullable=True)
    high: Series[float] = pa.Field(nullable=True)
    n_cells: Series[int]


class AttributionAgreement(Table):
    """One row a pair of methods: mean rank correlation of their values over the windows of a cell."""

    method: Series[str]
    other: Series[str]
    rank_correlation: Series[float] = pa.Field(nullable=True)
    low: Series[float] = pa.Field(nullable=True)
    high: Series[float] = pa.Field(nullable=True)
    n_cells: Series[int]


class RandomisedWeights(Table):
    """One row a method and stage: agreement with the trained model's values as weights are randomised from the top."""

    method: Series[str]
    stage: Series[int] = pa.Field(ge=0, description="0: no layer is randomised")
    layer: Series[str] = pa.Field(description="layer that was randomised last; those before it stay randomised")
    rank_correlation: Series[float] = pa.Field(nullable=True)
    low: Series[float] = pa.Field(nullable=True)
    high: Series[float] = pa.Field(nullable=True)
    n_cells: Series[int]


class FeatureAssociation(Table):
    """One row a feature, dose (or `all`) and hour before the end: how well it alone tells the outcomes apart."""

    feature: Series[str]
    dose: Series[str]
    hours_before_end: Series[float]
    outcome: Series[str] = pa.Field(description="the outcome that high values speak for where auroc is above .5")
    auroc: Series[float] = pa.Field(nullable=True)
    low: Series[float] = pa.Field(nullable=True)
    high: Series[float] = pa.Field(nullable=True)
    n_outcome: Series[int] = pa.Field(ge=0, description="landmarks of it with the feature measured then")
    n_other: Series[int] = pa.Field(ge=0)
    reason: Series[str] = pa.Field(nullable=True, description="why auroc is NaN, or null")
