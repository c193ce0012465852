"""Wiring of the `simulation` pipeline."""

from kedro.pipeline import Pipeline, node

from cellfate.pipelines.simulation.nodes import preview_recordings, simulate_recordings


def create_pipeline() -> Pipeline:
    """Wire the nodes of `simulation`."""
    nodes = [
        node(
            simulate_recordings,
            inputs="params:simulation",
            outputs=["raw_recordings", "truth", "reporter_traces", "oracle_scores"],
            name="simulate_recordings",
        ),
        node(
            preview_recordings,
            inputs=["raw_recordings", "reporter_traces", "params:simulation"],
            outputs="recordings_preview_figure",
            name="preview_recordings",
        ),
    ]
    return Pipeline(nodes, namespace="simulate_recordings", prefix_datasets_with_namespace=False)
