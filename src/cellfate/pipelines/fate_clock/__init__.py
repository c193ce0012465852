"""The fate clock: hazards at every frame of every cell, scored with censoring, and a page about it."""

from cellfate.pipelines.fate_clock.pipeline import create_pipeline

__all__ = ["create_pipeline"]
