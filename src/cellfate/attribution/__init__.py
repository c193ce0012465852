"""What a forecast rests on: attention, occlusion, Shapley values, attention statistics."""

from cellfate.attribution.explaining import compute_shapley_values, occlude_inputs, read_attention
from cellfate.attribution.selection import select_explained_samples
from cellfate.attribution.settings import AttentionStatisticsSettings, ExplanationSettings
from cellfate.attribution.statistics import compare_top_attention_frames
from cellfate.attribution.summary import summarise_attention_statistics

__all__ = [
    "AttentionStatisticsSettings",
    "ExplanationSettings",
    "compare_top_attention_frames",
    "compute_shapley_values",
    "occlude_inputs",
    "read_attention",
    "select_explained_samples",
    "summarise_attention_statistics",
]
