"""Wiring of the `comparison_trainings` pipeline: trainings that explanations are held against."""

from kedro.pipeline import Pipeline, node
from kedro.pipeline.node import Node

from cellfate.attribution.sanity import compare_trainings, permute_fates
from cellfate.attribution.scoring import add_training_scores
from cellfate.pipelines.model_training.nodes import reseed_training, train_classifier
from cellfate.plots.attribution_scores import plot_attribution_scores
from cellfate.prediction.shown_frames import show_cells


def create_comparison_pipeline() -> Pipeline:
    """Train the classifier on permuted fates and once more with another seed, and hold its explanations against both.

    Only the first fold is trained. An explanation that a classifier of permuted fates gives as well as one that was
    trained again says nothing of what was learnt.
    """
    explanation = "params:explanation"
    models = ["classifier_model", "permuted_model", "retrained_model"]
    scores = "compared_attribution_scores"
    nodes = [
        node(
            permute_fates,
            ["landmarks", "splits", explanation],
            ["permuted_landmarks", "first_fold_splits"],
            name="permute_fates",
        ),
        node(reseed_training, "params:training", "reseeded_training", name="reseed_training"),
        _train("permuted_landmarks", "permuted", "train_on_permuted_fates"),
        _train("landmarks", "retrained", "train_again"),
        node(
            show_cells,
            ["classifier_model", "frame_features", "follow_ups", "crops"],
            "compared_frames",
            name="show_compared_cells",
        ),
        node(
            compare_trainings,
            ["compared_frames", "classifier_explained_landmarks", *models, explanation],
            "training_cells",
            name="compare_trainings",
        ),
        node(
            add_training_scores,
            ["classifier_attribution_scores", "training_cells", explanation],
            scores,
            name="add_training_scores",
        ),
        node(plot_attribution_scores, scores, f"{scores}_figure", name="plot_compared_scores"),
    ]
    return Pipeline(nodes, namespace="compare_trainings", prefix_datasets_with_namespace=False)


def _train(landmarks: str, model: str, name: str) -> Node:
    """Train the classifier of the first fold, with the further seed, on these landmarks."""
    tables = ["crops", "follow_ups", landmarks, "questions", "first_fold_splits", "normalisation", "frame_features"]
    settings = ["params:follow_up", "params:model", "reseeded_training", "params:features"]
    return node(train_classifier, [*tables, *settings], [f"{model}_model", f"{model}_history"], name=name)
