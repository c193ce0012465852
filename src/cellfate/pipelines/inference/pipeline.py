"""Wiring of the `inference` pipeline."""

from kedro.pipeline import Pipeline, node

from cellfate.pipelines.inference import nodes

CLOCK = "clock_model"
MODELS = {"clock": CLOCK, "classifier": "classifier_model"}
READ = ("new_recording_settings", "new_track_settings")
SCORED = "new_scored_follow_ups"


def create_pipeline(images: bool = True) -> Pipeline:
    """Wire the nodes of `inference`: from new recordings with tracks, and the study's models, to their forecasts.

    Where fates are known, forecasts are scored beside references that are fitted to the cells of the training run, of
    which `detections`, `follow_ups`, `landmarks` and `frame_features` are read. Without images nothing is cut, the
    traces are what is measured of cells, and the fate clock alone is asked.
    """
    models = MODELS if images else {"clock": CLOCK}
    shown = {**models, **({"crops": "new_crops"} if images else {})}
    return _open() + (_cut() if images else _take_traces()) + _forecast(shown) + _score(models)


def _open() -> Pipeline:
    """Open new recordings and import their tracks."""
    opened = ["new_opened", "new_frame_files", "new_recordings_set_aside"]
    tracked = ["new_detections", "new_cells", "new_tracks_set_aside"]
    return Pipeline(
        [
            node(
                nodes.choose_settings,
                ["new_recordings", "params:recordings", "params:tracks", "params:inference", CLOCK],
                list(READ),
                name="choose_settings",
            ),
            node(nodes.open_new_recordings, ["new_recordings", READ[0]], opened, name="open_new_recordings"),
            node(
                nodes.import_new_tracks,
                ["new_recordings", *opened[:2], *READ, CLOCK],
                tracked,
                name="import_new_tracks",
            ),
        ]
    )


def _cut() -> Pipeline:
    """Cut new cells out of the images and measure them."""
    planned = ["new_recordings", "new_opened", "new_frame_files", "new_detections"]
    return Pipeline(
        [
            node(
                nodes.cut_crops_for_models,
                [*planned, MODELS["classifier"], CLOCK, READ[0]],
                "new_crops",
                name="cut_new_crops",
            ),
            node(
                nodes.measure_new_cells,
                ["new_crops", "new_detections", CLOCK],
                "new_frame_features",
                name="measure_new_cells",
            ),
        ]
    )


def _take_traces() -> Pipeline:
    """Take the values of new traces for what is measured of cells."""
    read = ["new_opened", "new_detections", CLOCK]
    return Pipeline([node(nodes.measure_new_traces, read, "new_frame_features", name="measure_new_traces")])


def _forecast(shown: dict[str, str]) -> Pipeline:
    """Follow and forecast every new cell by models, with their crops, and write that for a reader."""
    tables = {"detections": "new_detections", "cells": "new_cells", "recordings": "new_opened"}
    followed = {"detections": "new_detections", "follow_ups": "new_follow_ups"}
    return Pipeline(
        [
            node(
                nodes.follow_new_cells,
                {**tables, **shown},
                ["new_follow_ups", "new_landmarks", SCORED],
                name="follow_new_cells",
            ),
            node(
                nodes.forecast_new_cells,
                {**followed, "frame_features": "new_frame_features", **shown},
                "new_forecasts",
                name="forecast_new_cells",
            ),
            node(
                nodes.tabulate_new_cells,
                {
                    "forecasts": "new_forecasts",
                    **tables,
                    **followed,
                    **shown,
                    "alarm": "params:alarm",
                    "set_thresholds": "set_thresholds",
                },
                ["new_fate_table", "new_forecast_table", "new_track_forecasts"],
                name="tabulate_new_cells",
            ),
        ]
    )


def _score(models: dict[str, str]) -> Pipeline:
    """Score forecasts beside the references, where fates are known."""
    names = ("follow_ups", "landmarks", "detections", "frame_features")
    trained, new = {name: name for name in names}, {f"new_{name}": f"new_{name}" for name in names}
    forecasts = {"forecasts": "new_forecasts", "reference_forecasts": "new_reference_forecasts"}
    return Pipeline(
        [
            node(
                nodes.forecast_new_references,
                {**trained, **new, "new_follow_ups": SCORED, **models, "references": "params:references"},
                "new_reference_forecasts",
                name="forecast_new_references",
            ),
            node(
                nodes.score_new_cells,
                {
                    **forecasts,
                    "landmarks": "new_landmarks",
                    "follow_ups": "new_follow_ups",
                    **models,
                    "scores": "params:scores",
                },
                ["new_metrics", "new_comparisons", "new_commitments"],
                name="score_new_cells",
            ),
            node(
                nodes.score_new_alarms,
                [*forecasts.values(), SCORED, CLOCK, "params:alarm", "params:scores"],
                ["new_alarms", "new_alarm_summary", "new_net_benefit"],
                name="score_new_alarms",
            ),
        ]
    )
