"""Wiring of the `known_hazards` pipeline."""

from kedro.pipeline import Pipeline, node

from cellfate.metrics.known_hazards import score_against_truth
from cellfate.pipelines.known_hazards.nodes import list_known_incidence


def create_pipeline() -> Pipeline:
    """Wire the nodes of `known_hazards`: the true incidence of simulated cells, and the fate clock held against it."""
    tables = ["forecasts", "true_incidence", "commitments", "landmarks", "follow_ups"]
    nodes = [
        node(
            list_known_incidence,
            ["params:simulation", "params:follow_up"],
            "true_incidence",
            name="list_known_incidence",
        ),
        node(
            score_against_truth,
            [*tables, "params:follow_up", "params:scores"],
            "true_scores",
            name="score_against_truth",
        ),
    ]
    return Pipeline(nodes, namespace="hold_against_truth", prefix_datasets_with_namespace=False)
