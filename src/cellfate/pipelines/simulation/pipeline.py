"""Wiring of the `simulation` pipeline."""

from kedro.pipeline import Pipeline


def create_pipeline() -> Pipeline:
    """Wire the nodes of `simulation`."""
    return Pipeline([])
