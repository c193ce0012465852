"""Wiring of the `reporting` pipeline."""

from kedro.pipeline import Pipeline, node
from kedro.pipeline.node import Node

from cellfate.pipelines.reporting import nodes
from cellfate.report.contents import FIGURES, OPENINGS, TABLES


def create_pipeline() -> Pipeline:
    """Wire the nodes of `reporting`: draw the example cells of each reading, then assemble the page."""
    names = [*TABLES, *(figure.name for figure in FIGURES), *OPENINGS]
    assemble = node(
        nodes.assemble_report,
        {
            "classifier": "classifier_model",
            "clock": "clock_model",
            "parameters": "parameters",
            "settings": "params:report",
            "scores": "params:scores",
            "follow_up": "params:follow_up",
            **{name: name for name in names},
        },
        "report",
        name="assemble_report",
    )
    drawn = [_draw_examples("classifier", "params:explanation"), _draw_examples("clock", "params:clock_explanation")]
    return Pipeline([*drawn, assemble], namespace="report", prefix_datasets_with_namespace=False)


def _draw_examples(reading: str, explanation: str) -> Node:
    own = f"{reading}_{{}}".format
    return node(
        nodes.draw_examples,
        [
            *("crops", own("explained_landmarks"), "forecasts", own("attention"), own("shapley"), "frame_features"),
            *(own("model"), explanation, "params:follow_up", "params:report"),
        ],
        [own("examples_figure"), own("opening_figure")],
        name=f"draw_{reading}_examples",
    )
