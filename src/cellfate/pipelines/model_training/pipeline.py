"""Wiring of the `model_training` pipeline."""

from kedro.pipeline import Pipeline, node

from cellfate.pipelines.model_training.nodes import train_model
from cellfate.plots.training import plot_training


def create_pipeline() -> Pipeline:
    """Wire the nodes of `model_training`: from samples to the model folder."""
    tables = ["crops", "samples", "splits", "normalisation", "recordings"]
    settings = ["params:samples", "params:model", "params:training"]
    return Pipeline(
        [
            node(train_model, [*tables, *settings], ["fate_model", "training_history"], name="train_model"),
            node(plot_training, ["training_history"], "training_figure", name="plot_training"),
        ]
    )
