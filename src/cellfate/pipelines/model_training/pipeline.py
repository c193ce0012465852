"""Wiring of the `model_training` pipeline."""

from kedro.pipeline import Pipeline, node

from cellfate.pipelines.model_training.nodes import train_classifier, train_clock_networks
from cellfate.pipelines.model_training.seeds import repeat_classifier, repeat_clock
from cellfate.pipelines.model_training.traces import train_trace_networks
from cellfate.plots.training import plot_training
from cellfate.prediction.boosting import boost_clock
from cellfate.prediction.tempering import temper_classifier
from cellfate.prediction.weighing import weigh_blend


def create_pipeline(images: bool = True) -> Pipeline:
    """Wire the nodes of `model_training`: from follow-ups and landmarks to the two model folders.

    Nodes tagged `seeds` train again from further seeds, and can be run alone after the others. Those tagged `trains`
    are all that further machines and jobs of single folds run; see `cellfate.training_jobs`. Without images there is
    the fate clock alone.
    """
    return _train_classifier() + _train_clock() if images else _train_on_traces()


def _train_on_traces() -> Pipeline:
    """Train a fate clock that reads no images."""
    tables = ["follow_ups", "questions", "splits", "frame_features"]
    groups = ("follow_up", "clock_network", "clock_training", "blend", "context")
    settings = [f"params:{name}" for name in groups]
    asked = ["landmarks", "splits", "frame_features"]
    nodes = [
        node(
            train_trace_networks,
            [*tables, *settings],
            ["clock_networks", "clock_history"],
            name="train_trace_networks",
            tags="trains",
        ),
        node(boost_clock, [*asked, "clock_networks"], "boosted_clock", name="boost_traces"),
        node(weigh_blend, [*asked, "boosted_clock"], "clock_model", name="weigh_blend_of_traces"),
        node(plot_training, "clock_history", "clock_history_figure", name="plot_training"),
    ]
    return Pipeline(nodes, namespace="train_fate_clock", prefix_datasets_with_namespace=False, tags="clock")


def _train_classifier() -> Pipeline:
    """Train the network that says which fate comes, and choose how sure it is."""
    tables = ["crops", "follow_ups", "landmarks", "questions", "splits", "normalisation", "frame_features"]
    settings = ["params:follow_up", "params:model", "params:training", "params:features"]
    nodes = [
        node(
            train_classifier,
            [*tables, *settings],
            ["untempered_classifier", "classifier_history"],
            name="train_classifier",
            tags="trains",
        ),
        node(
            temper_classifier,
            ["crops", "landmarks", "splits", "untempered_classifier", "frame_features"],
            "classifier_model",
            name="temper_classifier",
        ),
        node(
            repeat_classifier,
            [*tables, *settings, "params:seeds"],
            "classifier_seed_forecasts",
            name="repeat_classifier",
            tags="seeds",
        ),
        node(plot_training, "classifier_history", "classifier_history_figure", name="plot_training"),
    ]
    return Pipeline(nodes, namespace="train_classifier", prefix_datasets_with_namespace=False, tags="classifier")


def _train_clock() -> Pipeline:
    """Train the networks that say what happens within hours, the boosted hazards beside them, and the blend."""
    tables = ["crops", "follow_ups", "questions", "splits", "normalisation", "frame_features"]
    groups = ("follow_up", "clock_network", "clock_training", "features", "blend", "context")
    settings = [f"params:{name}" for name in groups]
    nodes = [
        node(
            train_clock_networks,
            [*tables, *settings],
            ["clock_networks", "clock_history"],
            name="train_clock_networks",
            tags="trains",
        ),
        node(
            boost_clock,
            ["landmarks", "splits", "frame_features", "clock_networks", "crops"],
            "boosted_clock",
            name="boost_clock",
        ),
        node(
            weigh_blend,
            ["landmarks", "splits", "frame_features", "boosted_clock", "crops"],
            "clock_model",
            name="weigh_blend",
        ),
        node(
            repeat_clock,
            ["detections", "landmarks", *tables, *settings, "params:seeds"],
            "clock_seed_forecasts",
            name="repeat_clock",
            tags="seeds",
        ),
        node(plot_training, "clock_history", "clock_history_figure", name="plot_training"),
    ]
    return Pipeline(nodes, namespace="train_fate_clock", prefix_datasets_with_namespace=False, tags="clock")
