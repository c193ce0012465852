"""Wiring of the `inference` pipeline."""

from kedro.pipeline import Pipeline, node

from cellfate.pipelines.inference import nodes

MODELS = ["classifier_model", "clock_model"]
SCORED = "new_scored_follow_ups"


def create_pipeline() -> Pipeline:
    """Wire the nodes of `inference`: from new recordings with tracks, and the study's models, to their forecasts.

    Where fates are known, forecasts are scored beside references that are fitted to the cells of the training run, of
    which `detections`, `follow_ups`, `landmarks` and `frame_features` are read.
    """
    return _prepare() + _forecast() + _score()


def _prepare() -> Pipeline:
    """Open, cut, measure and follow new cells."""
    opened = ["new_opened", "new_frame_files", "new_recordings_set_aside"]
    read = ["new_recording_settings", "new_track_settings"]
    tracked = ["new_detections", "new_cells", "new_tracks_set_aside"]
    return Pipeline(
        [
            node(
                nodes.choose_settings,
                ["new_recordings", "params:recordings", "params:tracks", "params:inference", MODELS[1]],
                read,
                name="choose_settings",
            ),
            node(nodes.open_new_recordings, ["new_recordings", read[0]], opened, name="open_new_recordings"),
            node(
                nodes.import_new_tracks,
                ["new_recordings", *opened[:2], *read, MODELS[1]],
                tracked,
                name="import_new_tracks",
            ),
            node(
                nodes.cut_crops_for_models,
                ["new_recordings", *opened[:2], tracked[0], *MODELS, read[0]],
                "new_crops",
                name="cut_new_crops",
            ),
            node(
                nodes.measure_new_cells,
                ["new_crops", tracked[0], MODELS[1]],
                "new_frame_features",
                name="measure_new_cells",
            ),
            node(
                nodes.follow_new_cells,
                ["new_crops", opened[0], *tracked[:2], *MODELS],
                ["new_follow_ups", "new_landmarks", SCORED],
                name="follow_new_cells",
            ),
        ]
    )


def _forecast() -> Pipeline:
    """Forecast every new cell, and write that for a reader."""
    new = ["new_crops", "new_detections", "new_follow_ups"]
    return Pipeline(
        [
            node(
                nodes.forecast_new_cells,
                [*new, "new_frame_features", *MODELS],
                "new_forecasts",
                name="forecast_new_cells",
            ),
            node(
                nodes.tabulate_new_cells,
                [
                    "new_forecasts",
                    new[0],
                    "new_opened",
                    new[1],
                    "new_cells",
                    new[2],
                    *MODELS,
                    "params:alarm",
                    "set_thresholds",
                ],
                ["new_fate_table", "new_forecast_table", "new_track_forecasts"],
                name="tabulate_new_cells",
            ),
        ]
    )


def _score() -> Pipeline:
    """Score forecasts beside the references, where fates are known."""
    trained, new = (
        [f"{prefix}{name}" for name in ("follow_ups", "landmarks", "detections", "frame_features")]
        for prefix in ("", "new_")
    )
    return Pipeline(
        [
            node(
                nodes.forecast_new_references,
                [*trained, SCORED, *new[1:], *MODELS, "params:references"],
                "new_reference_forecasts",
                name="forecast_new_references",
            ),
            node(
                nodes.score_new_cells,
                [
                    *("new_forecasts", "new_reference_forecasts", "new_landmarks", "new_follow_ups"),
                    *MODELS,
                    "params:scores",
                ],
                ["new_metrics", "new_comparisons", "new_commitments"],
                name="score_new_cells",
            ),
            node(
                nodes.score_new_alarms,
                ["new_forecasts", "new_reference_forecasts", SCORED, MODELS[1], "params:alarm", "params:scores"],
                ["new_alarms", "new_alarm_summary", "new_net_benefit"],
                name="score_new_alarms",
            ),
        ]
    )
