"""Wiring of the `explainability` pipeline."""

from kedro.pipeline import Pipeline, node

from cellfate.attribution.agreement import compare_methods
from cellfate.attribution.explaining import (
    attribute_gradients,
    compute_shapley_values,
    occlude_inputs,
    read_attention,
    read_rollout,
)
from cellfate.attribution.faithfulness import trace_faithfulness
from cellfate.attribution.gathering import gather_attributions
from cellfate.attribution.sanity import check_sanity
from cellfate.attribution.scoring import score_attributions
from cellfate.attribution.selection import select_explained_samples, select_training_samples
from cellfate.attribution.statistics import compare_top_attention_frames
from cellfate.attribution.summary import summarise_attention_statistics
from cellfate.attribution.tree_shapley import attribute_trees
from cellfate.metrics.feature_association import associate_features
from cellfate.plots.attention import plot_attention, plot_attention_cells
from cellfate.plots.attention_statistics import plot_effect_sizes, plot_reporter_series
from cellfate.plots.attribution_scores import (
    plot_agreement,
    plot_attribution_scores,
    plot_faithfulness,
    plot_randomised_weights,
)
from cellfate.plots.explainability import plot_occlusion, plot_shapley
from cellfate.plots.feature_association import plot_feature_association


def create_pipeline() -> Pipeline:
    """Wire the nodes of `explainability`: attributions of test samples, their scores, attention statistics, figures.

    It reads the models that `model_training.create_sanity_pipeline` trains beside the model itself.
    """
    return _attribute() + _score() + _compare() + _plot()


def _attribute() -> Pipeline:
    """Choose samples; attribute their forecasts by every method."""
    settings = "params:explanation"
    explained = ["crops", "explained_samples", "fate_model"]
    methods = ["attention", "rollout", "occlusion", "shapley", "gradients", "tree_shapley"]
    return Pipeline(
        [
            node(
                select_explained_samples,
                ["samples", "splits", settings],
                "explained_samples",
                name="select_explained_samples",
            ),
            node(read_attention, explained, "attention", name="read_attention"),
            node(occlude_inputs, [*explained, settings], "occlusion", name="occlude_inputs"),
            node(compute_shapley_values, [*explained, settings], "shapley", name="compute_shapley_values"),
            node(read_rollout, explained, "rollout", name="read_rollout"),
            node(attribute_gradients, [*explained, settings], "gradients", name="attribute_gradients"),
            node(
                attribute_trees,
                ["frame_features", "samples", "splits", "explained_samples", settings],
                "tree_shapley",
                name="attribute_trees",
            ),
            node(
                gather_attributions,
                [*methods, "explained_samples", settings],
                "attributions",
                name="gather_attributions",
            ),
        ]
    )


def _score() -> Pipeline:
    """Score the attributions, method by method."""
    settings = "params:explanation"
    models = ["fate_model", "permuted_model", "retrained_model"]
    return Pipeline(
        [
            node(
                trace_faithfulness,
                ["crops", "explained_samples", "attributions", "fate_model", settings],
                ["faithfulness_cells", "faithfulness_curves"],
                name="trace_faithfulness",
            ),
            node(
                compare_methods,
                ["attributions", settings],
                ["agreement_cells", "attribution_agreement"],
                name="compare_methods",
            ),
            node(
                check_sanity,
                ["crops", "explained_samples", *models, settings],
                ["sanity_cells", "randomised_weights"],
                name="check_sanity",
            ),
            node(
                score_attributions,
                ["faithfulness_cells", "agreement_cells", "sanity_cells", settings],
                "attribution_scores",
                name="score_attributions",
            ),
        ]
    )


def _compare() -> Pipeline:
    """Compare features in frames of top attention with the rest, and features with what followed."""
    return (
        _compare_attention("explained_samples", "attention", "")
        + Pipeline(
            [
                node(
                    select_training_samples,
                    ["samples", "splits", "params:explanation"],
                    "training_samples",
                    name="select_training_samples",
                ),
                node(
                    read_attention,
                    ["crops", "training_samples", "fate_model"],
                    "training_attention",
                    name="read_training_attention",
                ),
                node(
                    associate_features,
                    ["frame_features", "samples", "params:feature_association"],
                    "feature_association",
                    name="associate_features",
                ),
            ]
        )
        + _compare_attention("training_samples", "training_attention", "training_")
    )


def _compare_attention(samples: str, attention: str, prefix: str) -> Pipeline:
    """Compare frames of top attention with the rest, cell by cell, and summarise; test and training cells apart."""
    tables, settings = [attention, "frame_features", samples], "params:attention_statistics"
    statistics = f"{prefix}attention_statistics"
    return Pipeline(
        [
            node(
                compare_top_attention_frames,
                [*tables, settings],
                statistics,
                name=f"compare_{prefix}top_attention_frames",
            ),
            node(
                summarise_attention_statistics,
                [statistics, *tables, settings],
                f"{prefix}attention_summary",
                name=f"summarise_{statistics}",
            ),
        ]
    )


def _plot() -> Pipeline:
    """Draw the figures."""
    return Pipeline(
        [
            node(plot_attention, ["attention", "explained_samples"], "attention_figure", name="plot_attention"),
            node(
                plot_attention_cells,
                ["attention", "explained_samples"],
                "attention_cells_figure",
                name="plot_attention_cells",
            ),
            node(plot_occlusion, ["occlusion", "explained_samples"], "occlusion_figure", name="plot_occlusion"),
            node(plot_shapley, ["shapley", "explained_samples"], "shapley_figure", name="plot_shapley"),
            node(
                plot_attribution_scores, "attribution_scores", "attribution_scores_figure", name="plot_scored_methods"
            ),
            node(plot_faithfulness, "faithfulness_curves", "faithfulness_figure", name="plot_faithfulness"),
            node(plot_agreement, "attribution_agreement", "agreement_figure", name="plot_agreement"),
            node(
                plot_randomised_weights,
                "randomised_weights",
                "randomised_weights_figure",
                name="plot_randomised_weights",
            ),
            node(
                plot_effect_sizes,
                ["attention_summary", "training_attention_summary"],
                "effect_sizes_figure",
                name="plot_effect_sizes",
            ),
            node(
                plot_feature_association,
                "feature_association",
                "feature_association_figure",
                name="plot_feature_association",
            ),
            node(
                plot_reporter_series,
                ["frame_features", "explained_samples"],
                "reporter_series_figure",
                name="plot_reporter_series",
            ),
        ]
    )
