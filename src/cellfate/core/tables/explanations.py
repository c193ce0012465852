"""What forecasts rest on."""

import pandera.pandas as pa
from pandera.typing.pandas import Series

from cellfate.core.tables.base import Table


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
