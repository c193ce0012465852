"""Wiring of the `explainability` pipeline: one way of explaining, taken once by each reading."""

from kedro.pipeline import Pipeline, node
from kedro.pipeline.node import Node

from cellfate.attribution.agreement import compare_methods
from cellfate.attribution.attention_statistics import compare_top_attention_frames
from cellfate.attribution.attention_summary import summarise_attention_statistics
from cellfate.attribution.explained_landmarks import choose_training_landmarks
from cellfate.attribution.explaining import (
    attribute_gradients,
    attribute_trees,
    compute_shapley_values,
    occlude_inputs,
    read_attention,
    read_rollout,
)
from cellfate.attribution.faithfulness import trace_faithfulness
from cellfate.attribution.gathering import gather_attributions
from cellfate.attribution.sanity import check_sanity
from cellfate.attribution.scoring import score_attributions
from cellfate.metrics.feature_association import associate_features
from cellfate.pipelines.explainability.nodes import choose_tested_landmarks
from cellfate.plots.attention import plot_attention, plot_attention_cells
from cellfate.plots.attribution_scores import (
    plot_agreement,
    plot_attribution_scores,
    plot_faithfulness,
    plot_randomised_weights,
)
from cellfate.plots.attributions import plot_occlusion, plot_shapley
from cellfate.plots.common_values import plot_common_values, plot_own_values
from cellfate.plots.effect_sizes import plot_effect_sizes
from cellfate.plots.features import plot_feature_association, plot_reporter_series
from cellfate.prediction.shown_frames import show_cells

ALSO_TRAINED_ON = {"classifier": (), "clock": ("follow_ups", "frame_features")}
"""Tables that a reading is trained on besides landmarks and splits."""
METHODS = ("attention", "rollout", "occlusion", "shapley", "gradients", "tree_shapley")


def create_pipeline(images: bool = True) -> Pipeline:
    """Wire the nodes of `explainability`: what was measured tells, then each reading explained and held to the test.

    Without images the fate clock alone is explained.
    """
    stages = {"score": _measured(images)}
    if images:
        stages["explain_classifier"] = _explain("classifier", "params:explanation", images) + _compare_attention()
    stages["explain_fate_clock"] = _explain("clock", "params:clock_explanation", images)
    return sum(
        (Pipeline(nodes, namespace=name, prefix_datasets_with_namespace=False) for name, nodes in stages.items()),
        Pipeline([]),
    )


def _measured(images: bool) -> list[Node]:
    """Find what measurements tell of the fates, without a model; cells without images have no shape."""
    return [
        node(
            associate_features,
            ["frame_features", "landmarks", "params:feature_association"],
            "feature_association",
            name="associate_features",
        ),
        node(
            plot_feature_association,
            "feature_association",
            "feature_association_figure",
            name="plot_feature_association",
        ),
        *(
            node(
                plot_reporter_series,
                ["frame_features", "landmarks"],
                "reporter_series_figure",
                name="plot_reporter_series",
            )
            for _ in range(images)
        ),
    ]


def _explain(reading: str, settings: str, images: bool) -> list[Node]:
    """Explain one reading: choose landmarks of test cells, attribute by every method, score the methods, draw."""
    return [
        *_choose(reading, settings, {"crops": "crops"} if images else {}),
        *_attribute(reading, settings),
        *_score(reading, settings),
        *_plot(reading),
    ]


def _choose(reading: str, settings: str, crops: dict[str, str]) -> list[Node]:
    """Open what the networks are shown, and choose the landmarks at which they are explained."""
    own = f"{reading}_{{}}".format
    also = {name: name for name in ALSO_TRAINED_ON[reading]}
    asked = {"landmarks": "landmarks", "splits": "splits", "model": own("model"), "explanation": settings}
    measured = {"frame_features": "frame_features", "follow_ups": "follow_ups"}
    return [
        node(show_cells, {"model": own("model"), **measured, **crops}, own("shown_frames"), name="show_cells"),
        node(
            choose_tested_landmarks,
            {"shown": own("shown_frames"), **asked, **crops, **also},
            own("explained_landmarks"),
            name="choose_explained_landmarks",
        ),
    ]


def _attribute(reading: str, settings: str) -> list[Node]:
    own = f"{reading}_{{}}".format
    model, explained, shown = own("model"), own("explained_landmarks"), own("shown_frames")
    asked = [shown, explained, model, settings]
    attribute = {
        "attention": read_attention,
        "rollout": read_rollout,
        "occlusion": occlude_inputs,
        "shapley": compute_shapley_values,
        "gradients": attribute_gradients,
    }
    return [
        *(node(function, asked, own(method), name=function.__name__) for method, function in attribute.items()),
        node(
            attribute_trees,
            [shown, "frame_features", "landmarks", "splits", explained, model, settings],
            own("tree_shapley"),
            name="attribute_trees",
        ),
        node(
            gather_attributions,
            [*(own(method) for method in METHODS), explained, settings],
            own("attributions"),
            name="gather_attributions",
        ),
    ]


def _score(reading: str, settings: str) -> list[Node]:
    own = f"{reading}_{{}}".format
    model, explained, shown = own("model"), own("explained_landmarks"), own("shown_frames")
    cells = [own(f"{check}_cells") for check in ("faithfulness", "agreement", "sanity")]
    return [
        node(
            trace_faithfulness,
            [shown, explained, own("attributions"), model, settings],
            [cells[0], own("faithfulness_curves")],
            name="trace_faithfulness",
        ),
        node(
            compare_methods,
            [own("attributions"), settings],
            [cells[1], own("attribution_agreement")],
            name="compare_methods",
        ),
        node(
            check_sanity,
            [shown, explained, model, settings],
            [cells[2], own("randomised_weights")],
            name="check_sanity",
        ),
        node(score_attributions, [*cells, settings], own("attribution_scores"), name="score_attributions"),
    ]


def _plot(reading: str) -> list[Node]:
    own, explained = f"{reading}_{{}}".format, f"{reading}_explained_landmarks"
    of_landmarks = {
        "attention": (plot_attention, "attention"),
        "attention_cells": (plot_attention_cells, "attention"),
        "occlusion": (plot_occlusion, "occlusion"),
        "shapley": (plot_shapley, "shapley"),
    }
    of_values = {"common_values": plot_common_values, "own_values": plot_own_values}
    of_scores = {
        "attribution_scores": (plot_attribution_scores, "attribution_scores"),
        "faithfulness": (plot_faithfulness, "faithfulness_curves"),
        "agreement": (plot_agreement, "attribution_agreement"),
        "randomised_weights": (plot_randomised_weights, "randomised_weights"),
    }
    return [
        *(
            node(plot, [own(table), explained], own(f"{name}_figure"), name=f"plot_{name}")
            for name, (plot, table) in of_landmarks.items()
        ),
        *(
            node(plot, [own("shapley"), own("attributions"), explained], own(f"{name}_figure"), name=f"plot_{name}")
            for name, plot in of_values.items()
        ),
        *(
            node(plot, own(table), own(f"{name}_figure"), name=f"plot_{name}")
            for name, (plot, table) in of_scores.items()
        ),
    ]


def _compare_attention() -> list[Node]:
    """Compare measurements in the classifier's frames of top attention with the rest; test and training cells apart."""
    settings = "params:explanation"
    training, shown = "classifier_training_landmarks", "classifier_shown_frames"
    return [
        node(
            choose_training_landmarks,
            [shown, "landmarks", "splits", "classifier_model", settings],
            training,
            name="choose_training_landmarks",
        ),
        node(
            read_attention,
            [shown, training, "classifier_model", settings],
            "training_attention",
            name="read_training_attention",
        ),
        *_compare_frames("classifier_attention", "classifier_explained_landmarks", ""),
        *_compare_frames("training_attention", training, "training_"),
        node(
            plot_effect_sizes,
            ["classifier_attention_summary", "classifier_training_attention_summary"],
            "effect_sizes_figure",
            name="plot_effect_sizes",
        ),
    ]


def _compare_frames(attention: str, landmarks: str, prefix: str) -> list[Node]:
    tables, settings = [attention, "frame_features", landmarks], "params:attention_statistics"
    statistics = f"classifier_{prefix}attention_statistics"
    return [
        node(
            compare_top_attention_frames,
            [*tables, settings],
            statistics,
            name=f"compare_{prefix}top_attention_frames",
        ),
        node(
            summarise_attention_statistics,
            [statistics, *tables, settings],
            f"classifier_{prefix}attention_summary",
            name=f"summarise_{prefix}attention_statistics",
        ),
    ]
