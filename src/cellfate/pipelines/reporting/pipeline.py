"""Wiring of the `reporting` pipeline."""

from kedro.pipeline import Pipeline, node

from cellfate.pipelines.reporting import nodes
from cellfate.report.contents import FIGURES, TABLES


def create_pipeline() -> Pipeline:
    """Wire the nodes of `reporting`: draw the example cells, then assemble the page."""
    artefacts = {name: name for name in (*TABLES, *(figure.name for figure in FIGURES))}
    return Pipeline(
        [
            node(
                nodes.draw_film_strips,
                inputs=[
                    *("crops", "samples", "predictions", "attention", "shapley", "frame_features", "fate_model"),
                    *("params:explanation", "params:report"),
                ],
                outputs="film_strips",
                name="draw_film_strips",
            ),
            node(
                nodes.assemble_report,
                inputs={
                    "model": "fate_model",
                    "parameters": "parameters",
                    "settings": "params:report",
                    "scores": "params:scores",
                    **artefacts,
                },
                outputs="report",
                name="assemble_report",
            ),
        ]
    )
