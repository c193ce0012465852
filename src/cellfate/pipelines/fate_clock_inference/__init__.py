"""The fate clock on another folder of recordings: forecasts and, where fates are known, scores."""

from cellfate.pipelines.fate_clock_inference.pipeline import create_pipeline

__all__ = ["create_pipeline"]
