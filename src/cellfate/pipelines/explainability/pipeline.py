"""Wiring of the `explainability` pipeline."""

from kedro.pipeline import Pipeline, node

from cellfate.attribution.explaining import compute_shapley_values, occlude_inputs, read_attention
from cellfate.attribution.selection import select_explained_samples
from cellfate.attribution.statistics import compare_top_attention_frames
from cellfate.attribution.summary import summarise_attention_statistics
from cellfate.plots.attention_statistics import plot_effect_sizes, plot_reporter_series
from cellfate.plots.explainability import plot_attention, plot_occlusion, plot_shapley


def create_pipeline() -> Pipeline:
    """Wire the nodes of `explainability`: attributions of test samples, attention statistics, figures."""
    return _attribute() + _compare() + _plot()


def _attribute() -> Pipeline:
    """Choose samples; read attention, occlude, compute Shapley values."""
    explained = ["crops", "explained_samples", "fate_model"]
    return Pipeline(
        [
            node(
                select_explained_samples,
                ["samples", "splits", "params:explanation"],
                "explained_samples",
                name="select_explained_samples",
            ),
            node(read_attention, explained, "attention", name="read_attention"),
            node(occlude_inputs, [*explained, "params:explanation"], "occlusion", name="occlude_inputs"),
            node(compute_shapley_values, [*explained, "params:explanation"], "shapley", name="compute_shapley_values"),
        ]
    )


def _compare() -> Pipeline:
    """Compare features in frames of top attention with the rest."""
    tables = ["attention", "frame_features", "explained_samples"]
    return Pipeline(
        [
            node(
                compare_top_attention_frames,
                [*tables, "params:attention_statistics"],
                "attention_statistics",
                name="compare_top_attention_frames",
            ),
            node(
                summarise_attention_statistics,
                ["attention_statistics", *tables, "params:attention_statistics"],
                "attention_summary",
                name="summarise_attention_statistics",
            ),
        ]
    )


def _plot() -> Pipeline:
    """Draw the figures."""
    return Pipeline(
        [
            node(plot_attention, ["attention", "explained_samples"], "attention_figure", name="plot_attention"),
            node(plot_occlusion, ["occlusion", "explained_samples"], "occlusion_figure", name="plot_occlusion"),
            node(plot_shapley, ["shapley", "explained_samples"], "shapley_figure", name="plot_shapley"),
            node(plot_effect_sizes, "attention_summary", "effect_sizes_figure", name="plot_effect_sizes"),
            node(
                plot_reporter_series,
                ["frame_features", "explained_samples"],
                "reporter_series_figure",
                name="plot_reporter_series",
            ),
        ]
    )
