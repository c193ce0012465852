"""Wiring of the `evaluation` pipeline."""

from collections.abc import Callable
from typing import Any

from kedro.pipeline import Pipeline, node
from kedro.pipeline.node import Node

from cellfate.cohort.landmarks import list_forecast_frames
from cellfate.metrics.added_value import add_value
from cellfate.metrics.alarms import list_alarms, summarise_alarms
from cellfate.metrics.background_swap import swap_backgrounds
from cellfate.metrics.calibration import calibrate_forecasts
from cellfate.metrics.commitments import find_commitments, shuffle_commitments, summarise_commitments
from cellfate.metrics.comparisons import compare_forecasts, summarise_scores
from cellfate.metrics.condition_tests import permute_conditions
from cellfate.metrics.conditions import compare_conditions
from cellfate.metrics.confusion import count_confusions
from cellfate.metrics.curves import trace_curves
from cellfate.metrics.losses import assume_deaths, count_losses
from cellfate.metrics.masking import mask_sequences
from cellfate.metrics.masking_curves import score_masking
from cellfate.metrics.net_benefit import weigh_benefit
from cellfate.metrics.observed_incidence import compare_doses, observe_incidence
from cellfate.metrics.prediction_sets import calibrate_sets, score_sets
from cellfate.metrics.references import forecast_references
from cellfate.metrics.scoring import score_forecasts
from cellfate.metrics.seeds import score_seeds
from cellfate.metrics.transfer import judge_transfer
from cellfate.metrics.wide_tables import list_group_shares, widen_curves
from cellfate.pipelines.evaluation.nodes import forecast_traces, gather_forecasts
from cellfate.plots.added_value import plot_added_value
from cellfate.plots.alarms import plot_alarm_curves, plot_alarms, plot_net_benefit
from cellfate.plots.cells import plot_commitments, plot_forecast_heatmap
from cellfate.plots.curves import plot_calibration, plot_confusion, plot_operating_curves
from cellfate.plots.families import plot_families
from cellfate.plots.incidence import plot_conditions, plot_dose_incidence, plot_dose_response
from cellfate.plots.masking import plot_masking
from cellfate.plots.scores import plot_comparisons, plot_dose_scores, plot_scores
from cellfate.plots.transfer import plot_transfer
from cellfate.prediction.cell_tables import tabulate_cells
from cellfate.prediction.forecasts import forecast_classifier, forecast_clock
from cellfate.prediction.unscored import forecast_unscored

FOLLOW_UP = "params:follow_up"
SCORES = "params:scores"
ALARM = "params:alarm"
HEADLINE = "params:follow_up.headline_h"
EVENTS = "params:follow_up.events"
ADDED = ("params:blend", "params:added_value")


def create_pipeline(images: bool = True) -> Pipeline:
    """Wire the nodes of `evaluation`: one table of forecasts, its scores, changed inputs, figures.

    Without images the fate clock alone is asked, and no input is changed.
    """
    return _forecast(images) + _score(images)


def _forecast(images: bool) -> Pipeline:
    """Forecast the landmarks of validation and test cells, by the models and by what they are held against."""
    followed = ["follow_ups", "landmarks", "splits", "detections", "frame_features"]
    parts = ["classifier_forecasts"] * images + ["clock_forecasts", "reference_forecasts"]
    nodes = [
        *_forecast_by_models(images),
        node(
            list_forecast_frames,
            ["detections", "follow_ups", FOLLOW_UP],
            "forecast_frames",
            name="list_forecast_frames",
        ),
        node(
            forecast_references,
            [*followed, "questions", FOLLOW_UP, "params:references", "forecast_frames"],
            "reference_forecasts",
            name="forecast_by_references",
        ),
        node(gather_forecasts, parts, "forecasts", name="gather_forecasts" if images else "gather_forecasts_of_traces"),
        node(
            calibrate_sets,
            ["forecasts", "landmarks", FOLLOW_UP, "params:prediction_sets"],
            "set_thresholds",
            name="calibrate_sets",
        ),
        node(
            tabulate_cells,
            ["forecasts", "recordings", "detections", "cells", "follow_ups", HEADLINE, ALARM, "set_thresholds"],
            ["fate_table", "forecast_table", "track_forecasts"],
            name="tabulate_tested_cells",
        ),
    ]
    return Pipeline(nodes, namespace="forecast", prefix_datasets_with_namespace=False)


def _forecast_by_models(images: bool) -> tuple[Node, ...]:
    """Forecast by the trained models: of traces by the fate clock alone."""
    asked = ["detections", "follow_ups", "splits", "frame_features", "clock_model"]
    tables = {name: name for name in ("detections", "cells", "cropped_recordings", "frame_features")}
    of_images = {"classifier": "classifier_model", "crops": "crops"} if images else {}
    unscored = node(
        forecast_unscored,
        {**tables, "clock": "clock_model", **of_images},
        "unscored_forecasts",
        name="forecast_unscored_cells",
    )
    if not images:
        return node(forecast_traces, asked, "clock_forecasts", name="forecast_by_traces"), unscored
    by_classifier = node(
        forecast_classifier,
        ["crops", "landmarks", "splits", "classifier_model", "frame_features"],
        "classifier_forecasts",
        name="forecast_by_classifier",
    )
    by_clock = node(forecast_clock, ["crops", *asked], "clock_forecasts", name="forecast_by_clock")
    return by_classifier, by_clock, unscored


def _score(images: bool) -> Pipeline:
    """Score all forecasts, hold them against what was observed, forecast changed inputs, and draw it."""
    of_images = [*_changed_inputs(), *_worth_of_images(), *_figures("which_fate", None)]
    by_hour = [*_conditions(), *_alarms(), *_figures("within_hours", HEADLINE)]
    nodes = [*_scores(), *_observed(), *by_hour, *(of_images if images else ())]
    return Pipeline(nodes, namespace="score", prefix_datasets_with_namespace=False)


def _scores() -> list[Node]:
    """Scores of every predictor and question, paired differences, calibration, curves."""
    asked = ["forecasts", "landmarks", FOLLOW_UP]
    return [
        node(score_forecasts, [*asked, SCORES], "metrics", name="score_forecasts"),
        node(compare_forecasts, [*asked, SCORES], "comparisons", name="compare_forecasts"),
        node(count_losses, asked, "losses", name="count_losses"),
        node(assume_deaths, [*asked, SCORES], "loss_sensitivity", name="assume_deaths"),
        node(
            judge_transfer,
            ["metrics", "forecasts", "landmarks", "leakage", FOLLOW_UP, SCORES],
            "transfer",
            name="judge_transfer",
        ),
        node(plot_transfer, ["transfer", HEADLINE], "transfer_figure", name="plot_transfer"),
        node(calibrate_forecasts, [*asked, SCORES], "calibration", name="calibrate_forecasts"),
        node(score_sets, [*asked, "set_thresholds", SCORES], "prediction_sets", name="score_sets"),
        node(count_confusions, asked, "confusion", name="count_confusions"),
        node(trace_curves, asked, "operating_curves", name="trace_curves"),
        node(
            summarise_scores,
            ["metrics", "comparisons", SCORES, "params:references"],
            "headline_scores",
            name="summarise_scores",
        ),
        node(plot_confusion, "confusion", "confusion_figure", name="plot_confusion"),
    ]


def _worth_of_images() -> list[Node]:
    """Ask what another training would give, and what images add to what is known without them."""
    return [
        node(
            score_seeds,
            ["forecasts", "classifier_seed_forecasts", "clock_seed_forecasts", "landmarks", FOLLOW_UP, SCORES],
            "seed_scores",
            name="score_seeds",
        ),
        node(
            add_value,
            ["forecasts", "landmarks", "splits", "frame_features", "questions", FOLLOW_UP, *ADDED, SCORES],
            "added_value",
            name="add_value",
        ),
        node(plot_added_value, ["added_value", HEADLINE], "added_value_figure", name="plot_added_value"),
    ]


def _observed() -> list[Node]:
    """Find what became of the cells, and since when the call of each stayed what it is."""
    return [
        node(observe_incidence, ["landmarks", FOLLOW_UP, SCORES], "observed_incidence", name="observe_incidence"),
        node(
            compare_doses,
            ["forecasts", "landmarks", FOLLOW_UP, SCORES],
            "dose_incidence",
            name="compare_doses",
        ),
        node(find_commitments, ["forecasts", "follow_ups", FOLLOW_UP], "commitments", name="find_commitments"),
        node(
            shuffle_commitments,
            ["forecasts", "follow_ups", FOLLOW_UP, SCORES],
            "shuffled_commitments",
            name="shuffle_commitments",
        ),
        node(
            summarise_commitments,
            ["commitments", SCORES],
            "commitment_summary",
            name="summarise_commitments",
        ),
        node(plot_dose_incidence, "dose_incidence", "dose_incidence_figure", name="plot_dose_incidence"),
        node(
            plot_forecast_heatmap,
            ["forecasts", "follow_ups", HEADLINE, EVENTS],
            "forecast_heatmap_figure",
            name="plot_forecast_heatmap",
        ),
        node(
            plot_families,
            ["forecasts", "cells", "recordings", HEADLINE, EVENTS],
            "families_figure",
            name="plot_families",
        ),
        node(
            plot_commitments,
            ["commitments", "shuffled_commitments", EVENTS],
            "commitments_figure",
            name="plot_commitments",
        ),
    ]


def _conditions() -> list[Node]:
    """Compare conditions by what was observed: no forecast is read."""
    observed = ["cells", "recordings", FOLLOW_UP]
    compared = ["condition_incidence", "condition_summary", "dose_response"]
    return [
        node(compare_conditions, [*observed, SCORES], compared, name="compare_conditions"),
        node(permute_conditions, [*observed, SCORES], "condition_tests", name="permute_conditions"),
        node(widen_curves, "condition_incidence", "condition_curves", name="widen_curves"),
        node(list_group_shares, observed, "condition_groups", name="list_group_shares"),
        node(plot_conditions, "condition_incidence", "conditions_figure", name="plot_conditions"),
        node(
            plot_dose_response,
            ["dose_response", "condition_summary"],
            "dose_response_figure",
            name="plot_dose_response",
        ),
    ]


def _alarms() -> list[Node]:
    """Raise alarms at every frame of the test cells, and say how often they are right."""
    asked = ["forecasts", "follow_ups", FOLLOW_UP, ALARM]
    return [
        node(list_alarms, asked, "alarms", name="list_alarms"),
        node(summarise_alarms, [*asked, SCORES], "alarm_summary", name="summarise_alarms"),
        node(weigh_benefit, [*asked, SCORES], "net_benefit", name="weigh_benefit"),
        node(
            plot_alarms,
            ["alarms", "forecasts", "follow_ups", HEADLINE, EVENTS],
            "alarms_figure",
            name="plot_alarms",
        ),
        node(plot_alarm_curves, ["alarm_summary", HEADLINE], "alarm_curves_figure", name="plot_alarm_curves"),
        node(plot_net_benefit, "net_benefit", "net_benefit_figure", name="plot_net_benefit"),
    ]


def _changed_inputs() -> list[Node]:
    """Ask the classifier about shortened tracks, and about cells laid on the surroundings of others."""
    tested = ["crops", "landmarks", "splits", "classifier_model"]
    return [
        node(mask_sequences, [*tested, "params:masking"], "masked_forecasts", name="mask_sequences"),
        node(
            score_masking,
            ["masked_forecasts", "landmarks", "params:masking", SCORES],
            "masking_curves",
            name="score_masking",
        ),
        node(plot_masking, "masking_curves", "masking_figure", name="plot_masking"),
        node(
            swap_backgrounds,
            [*tested, "params:features", "params:background_swap"],
            "swapped_forecasts",
            name="swap_backgrounds",
        ),
        node(
            score_forecasts,
            ["swapped_forecasts", "landmarks", FOLLOW_UP, SCORES],
            "background_swap",
            name="score_background_swap",
        ),
    ]


def _figures(question: str, within_h: str | None) -> list[Node]:
    """Figures of one question; `within_h` names the parameter of its horizon."""
    drawn: dict[str, tuple[Callable[..., Any], list[str]]] = {
        "scores": (plot_scores, ["metrics"]),
        "comparisons": (plot_comparisons, ["comparisons"]),
        "curves": (plot_operating_curves, ["operating_curves"]),
        "doses": (plot_dose_scores, ["metrics"]),
        "calibration": (plot_calibration, ["calibration", "metrics"]),
    }
    return [
        node(
            plot,
            tables if within_h is None else [*tables, within_h],
            f"{question}_{name}_figure",
            name=f"plot_{question}_{name}",
        )
        for name, (plot, tables) in drawn.items()
    ]
