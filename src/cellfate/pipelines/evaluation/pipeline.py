"""Wiring of the `evaluation` pipeline."""

from kedro.pipeline import Pipeline, node

from cellfate.metrics.background_swap import score_background_swap, swap_backgrounds
from cellfate.metrics.baselines import predict_baselines
from cellfate.metrics.calibration import measure_calibration
from cellfate.metrics.comparisons import compare_predictors, summarise_scores
from cellfate.metrics.confusion import count_confusions
from cellfate.metrics.curves import trace_curves
from cellfate.metrics.masking import mask_sequences
from cellfate.metrics.masking_curves import score_masking
from cellfate.metrics.scoring import score_predictions
from cellfate.plots.evaluation import plot_comparisons, plot_confusion, plot_dose_scores, plot_scores
from cellfate.plots.evaluation_curves import plot_masking, plot_precision_recall, plot_reliability, plot_roc
from cellfate.prediction.samples import predict_samples


def create_pipeline() -> Pipeline:
    """Wire the nodes of `evaluation`: forecasts of the test parts, scores, changed inputs, figures."""
    return _forecast() + _score() + _shorten() + _swap() + _plot()


def _forecast() -> Pipeline:
    """Forecast validation and test parts by the model and by the baselines."""
    return Pipeline(
        [
            node(predict_samples, ["crops", "samples", "splits", "fate_model"], "predictions", name="predict_samples"),
            node(
                predict_baselines,
                ["samples", "splits", "detections", "frame_features", "params:baselines"],
                "baseline_predictions",
                name="predict_baselines",
            ),
        ]
    )


def _score() -> Pipeline:
    """Score all predictors and compare the model with each baseline."""
    forecasts = ["predictions", "baseline_predictions", "samples"]
    scored = [*forecasts, "params:scores"]
    return Pipeline(
        [
            node(score_predictions, scored, "metrics", name="score_predictions"),
            node(compare_predictors, scored, "comparisons", name="compare_predictors"),
            node(count_confusions, forecasts, "confusion", name="count_confusions"),
            node(measure_calibration, scored, "calibration", name="measure_calibration"),
            node(trace_curves, forecasts, "operating_curves", name="trace_curves"),
            node(
                summarise_scores,
                ["metrics", "comparisons", "params:scores", "params:baselines"],
                "headline_scores",
                name="summarise_scores",
            ),
        ]
    )


def _shorten() -> Pipeline:
    """Forecast from shortened inputs and score them."""
    return Pipeline(
        [
            node(
                mask_sequences,
                ["crops", "samples", "splits", "fate_model", "params:masking"],
                "masked_predictions",
                name="mask_sequences",
            ),
            node(
                score_masking,
                ["masked_predictions", "samples", "params:masking", "params:scores"],
                "masking_curves",
                name="score_masking",
            ),
        ]
    )


def _swap() -> Pipeline:
    """Forecast cells on the surroundings of others and score that."""
    return Pipeline(
        [
            node(
                swap_backgrounds,
                ["crops", "samples", "splits", "fate_model", "params:features", "params:background_swap"],
                "swapped_predictions",
                name="swap_backgrounds",
            ),
            node(
                score_background_swap,
                ["swapped_predictions", "samples", "params:scores"],
                "background_swap",
                name="score_background_swap",
            ),
        ]
    )


def _plot() -> Pipeline:
    """Draw the figures."""
    curves = ["operating_curves", "metrics"]
    return Pipeline(
        [
            node(plot_scores, "metrics", "scores_figure", name="plot_scores"),
            node(plot_comparisons, "comparisons", "comparisons_figure", name="plot_comparisons"),
            node(plot_confusion, "confusion", "confusion_figure", name="plot_confusion"),
            node(plot_dose_scores, "metrics", "dose_scores_figure", name="plot_dose_scores"),
            node(plot_roc, curves, "roc_figure", name="plot_roc"),
            node(plot_precision_recall, curves, "precision_recall_figure", name="plot_precision_recall"),
            node(plot_reliability, "calibration", "reliability_figure", name="plot_reliability"),
            node(plot_masking, "masking_curves", "masking_figure", name="plot_masking"),
        ]
    )
