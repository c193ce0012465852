"""Wiring of the `data_processing` pipeline."""

from kedro.pipeline import Pipeline


def create_pipeline() -> Pipeline:
    """Wire the nodes of `data_processing`."""
    return Pipeline([])
