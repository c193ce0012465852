"""The `model_training` pipeline, and the trainings that explanations are held against."""

from cellfate.pipelines.model_training.comparison import create_comparison_pipeline
from cellfate.pipelines.model_training.pipeline import create_pipeline

__all__ = ["create_comparison_pipeline", "create_pipeline"]
