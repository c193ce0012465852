"""Wiring of the `model_training` pipeline."""

from kedro.pipeline import Pipeline


def create_pipeline() -> Pipeline:
    """Wire the nodes of `model_training`."""
    return Pipeline([])
