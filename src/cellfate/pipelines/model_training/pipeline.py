"""Wiring of the `model_training` pipeline."""

from kedro.pipeline import Pipeline, node

from cellfate.pipelines.model_training.nodes import permute_outcomes, reseed_training, train_model
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


def create_sanity_pipeline() -> Pipeline:
    """Wire the training of two models that explanations are held against, on the first fold only.

    One is trained on permuted outcomes, one on the true ones with another seed.
    """
    explanation = "params:explanation"
    permuted = ["crops", "permuted_samples", "first_fold_splits", "normalisation", "recordings", "params:samples"]
    again = ["crops", "samples", "first_fold_splits", "normalisation", "recordings", "params:samples"]
    return Pipeline(
        [
            node(
                permute_outcomes,
                ["samples", "splits", explanation],
                ["permuted_samples", "first_fold_splits"],
                name="permute_outcomes",
            ),
            node(reseed_training, "params:training", "reseeded_training", name="reseed_training"),
            node(
                train_model,
                [*permuted, "params:model", "reseeded_training"],
                ["permuted_model", "permuted_history"],
                name="train_permuted_model",
            ),
            node(
                train_model,
                [*again, "params:model", "reseeded_training"],
                ["retrained_model", "retrained_history"],
                name="train_model_again",
            ),
        ]
    )
