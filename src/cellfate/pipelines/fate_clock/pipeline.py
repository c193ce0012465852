"""Wiring of the `fate_clock` pipeline."""

from collections.abc import Callable
from typing import Any

from kedro.pipeline import Pipeline, node

from cellfate.attribution.gathering import gather_attributions
from cellfate.cohort.follow_ups import follow_cells, list_landmarks
from cellfate.cohort.splits import split_follow_ups
from cellfate.crops.normalisation import fit_normalisation
from cellfate.metrics.commitments import find_commitments, summarise_commitments
from cellfate.metrics.incidence_calibration import calibrate_incidence
from cellfate.metrics.incidence_comparisons import compare_incidence
from cellfate.metrics.incidence_references import forecast_references
from cellfate.metrics.incidence_scoring import score_incidence
from cellfate.metrics.observed_incidence import compare_doses, observe_incidence
from cellfate.pipelines.fate_clock import nodes
from cellfate.plots.attribution_scores import plot_attribution_scores, plot_faithfulness
from cellfate.plots.explainability import plot_shapley
from cellfate.plots.incidence_doses import plot_dose_incidence, plot_observed_incidence
from cellfate.plots.incidence_scores import plot_incidence_scores
from cellfate.plots.training import plot_clock_training
from cellfate.prediction.clock_forecasts import forecast_incidence
from cellfate.report.clock_contents import FIGURES, TABLES


def create_pipeline() -> Pipeline:
    """Wire the nodes of `fate_clock`: follow every cell, train, forecast every frame, score, explain, report."""
    return _follow() + _train() + _forecast() + _score() + _explain() + _plot() + _report()


def _follow() -> Pipeline:
    """Follow every cell, list landmarks, part cells."""
    settings = "params:follow_up"
    return Pipeline(
        [
            node(
                follow_cells,
                ["crops", "recordings", "cells", settings],
                ["follow_ups", "follow_ups_excluded"],
                name="follow_cells",
            ),
            node(list_landmarks, ["crops", "recordings", "follow_ups", settings], "landmarks", name="list_landmarks"),
            node(
                split_follow_ups,
                ["follow_ups", "cells", "detections", "params:splits"],
                "clock_splits",
                name="split_follow_ups",
            ),
            node(
                fit_normalisation,
                ["crops", "follow_ups", "clock_splits"],
                "clock_normalisation",
                name="fit_clock_normalisation",
            ),
        ]
    )


def _train() -> Pipeline:
    """Train the networks, then the boosted hazards they are blended with."""
    settings = ["follow_up", "clock_network", "clock_training", "features", "ensemble"]
    return Pipeline(
        [
            node(
                nodes.train_clock,
                ["crops", "follow_ups", "clock_splits", "clock_normalisation", "frame_features"]
                + [f"params:{name}" for name in settings],
                ["clock_networks", "clock_history"],
                name="train_clock",
            ),
            node(
                nodes.boost_clock,
                ["crops", "follow_ups", "landmarks", "clock_splits", "frame_features", "clock_networks"],
                "clock_model",
                name="boost_clock",
            ),
        ]
    )


def _forecast() -> Pipeline:
    """Forecast by the fate clock and by the references."""
    return Pipeline(
        [
            node(
                forecast_incidence,
                ["crops", "follow_ups", "clock_splits", "frame_features", "clock_model"],
                "incidence",
                name="forecast_incidence",
            ),
            node(
                forecast_references,
                ["follow_ups", "landmarks", "clock_splits", "frame_features", "params:follow_up", "params:references"],
                "reference_incidence",
                name="forecast_references",
            ),
        ]
    )


def _score() -> Pipeline:
    """Score forecasts, hold them against what was observed, and find when cells were committed."""
    forecasts = ["incidence", "reference_incidence", "landmarks"]
    settings = ["params:follow_up", "params:scores"]
    scored = [*forecasts, *settings]
    return Pipeline(
        [
            node(score_incidence, scored, "incidence_metrics", name="score_incidence"),
            node(compare_incidence, scored, "incidence_comparisons", name="compare_incidence"),
            node(calibrate_incidence, scored, "incidence_calibration", name="calibrate_incidence"),
            node(observe_incidence, ["landmarks", *settings], "observed_incidence", name="observe_incidence"),
            node(compare_doses, scored, "dose_incidence", name="compare_doses"),
            node(
                find_commitments,
                ["incidence", "landmarks", "follow_ups", "params:follow_up"],
                "commitments",
                name="find_commitments",
            ),
            node(
                summarise_commitments,
                ["commitments", "params:scores"],
                "commitment_summary",
                name="summarise_commitments",
            ),
        ]
    )


def _explain() -> Pipeline:
    """Attribute forecasts at one landmark a test cell, and put the attributions to the test."""
    settings = ["params:explanation", "params:clock_explanation"]
    followed = ["crops", "landmarks", "follow_ups", "clock_splits"]
    methods = ["attention", "rollout", "occlusion", "shapley", "gradients"]
    attributed = [f"clock_{name}" for name in methods]
    return Pipeline(
        [
            node(
                nodes.choose_explained_landmarks,
                [*followed, "clock_model", *settings],
                "clock_explained_samples",
                name="choose_explained_landmarks",
            ),
            node(
                nodes.attribute_clock,
                ["crops", "clock_explained_samples", "clock_model", *settings],
                attributed,
                name="attribute_clock",
            ),
            node(
                nodes.attribute_clock_trees,
                [*followed, "frame_features", "clock_explained_samples", "clock_model", *settings],
                "clock_tree_shapley",
                name="attribute_clock_trees",
            ),
            node(
                gather_attributions,
                [*attributed, "clock_tree_shapley", "clock_explained_samples", "params:explanation"],
                "clock_attributions",
                name="gather_clock_attributions",
            ),
            node(
                nodes.score_clock_attributions,
                ["crops", "clock_explained_samples", "clock_attributions", "clock_model", *settings],
                [
                    "clock_attribution_scores",
                    "clock_faithfulness_curves",
                    "clock_attribution_agreement",
                    "clock_randomised_weights",
                ],
                name="score_clock_attributions",
            ),
        ]
    )


def _plot() -> Pipeline:
    """Draw the figures."""
    follow_up = "params:follow_up"
    drawn: dict[str, tuple[Callable[..., Any], list[str]]] = {
        "clock_history": (plot_clock_training, ["clock_history"]),
        "incidence_metrics": (plot_incidence_scores, ["incidence_metrics"]),
        "incidence_comparisons": (nodes.plot_headline_comparisons, ["incidence_comparisons", follow_up]),
        "incidence_calibration": (nodes.plot_headline_calibration, ["incidence_calibration", follow_up]),
        "observed_incidence": (plot_observed_incidence, ["observed_incidence"]),
        "dose_incidence": (plot_dose_incidence, ["dose_incidence"]),
        "incidence_heatmap": (nodes.plot_headline_heatmap, ["incidence", "follow_ups", follow_up]),
        "commitments": (nodes.plot_committed_cells, ["commitments", follow_up]),
        "clock_shapley": (plot_shapley, ["clock_shapley", "clock_explained_samples"]),
        "clock_attribution_scores": (plot_attribution_scores, ["clock_attribution_scores"]),
        "clock_faithfulness": (plot_faithfulness, ["clock_faithfulness_curves"]),
    }
    return Pipeline(
        [node(draw, inputs, f"{name}_figure", name=f"plot_{name}") for name, (draw, inputs) in drawn.items()]
    )


def _report() -> Pipeline:
    """Draw the example cells, then assemble the page."""
    artefacts = {name: name for name in (*TABLES, *(figure.name for figure in FIGURES))}
    return Pipeline(
        [
            node(
                nodes.draw_clock_strips,
                ["crops", "commitments", "incidence", "follow_ups", "params:clock_report"],
                "clock_strips",
                name="draw_clock_strips",
            ),
            node(
                nodes.assemble_clock_page,
                {
                    "model": "clock_model",
                    "parameters": "parameters",
                    "settings": "params:clock_report",
                    "scores": "params:scores",
                    **artefacts,
                },
                "clock_report",
                name="assemble_clock_report",
            ),
        ]
    )
