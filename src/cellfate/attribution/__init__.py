"""What a forecast rests on: attention, occlusion, Shapley values, gradients, TreeSHAP; and which of them to believe."""

from cellfate.attribution.settings import AttentionStatisticsSettings, ExplanationSettings

__all__ = ["AttentionStatisticsSettings", "ExplanationSettings"]
