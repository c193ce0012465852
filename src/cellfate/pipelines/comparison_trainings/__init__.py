"""Trainings that explanations are held against."""

from cellfate.pipelines.comparison_trainings.pipeline import create_pipeline

__all__ = ["create_pipeline"]
