"""Wiring of the `inference` pipeline."""

from kedro.pipeline import Pipeline, node

from cellfate.imaging.opening import open_recordings
from cellfate.pipelines.inference.nodes import export_tracks, make_new_samples, predict_fates, score_known_outcomes
from cellfate.prediction.new_recordings import cut_new_crops
from cellfate.tracks.importing import import_tracks


def create_pipeline() -> Pipeline:
    """Wire the nodes of `inference`: from new recordings with tracks, and a model folder, to a fate table."""
    opened = ["inference_recordings", "inference_frame_files", "inference_recordings_set_aside"]
    tracked = ["inference_detections", "inference_cells", "inference_tracks_set_aside"]
    settings = "params:new_recordings"
    return Pipeline(
        [
            node(open_recordings, ["new_recordings", settings], opened, name="open_new_recordings"),
            node(
                import_tracks,
                ["new_recordings", *opened[:2], settings, "params:new_tracks"],
                tracked,
                name="import_new_tracks",
            ),
            node(
                cut_new_crops,
                ["new_recordings", *opened[:2], "inference_detections", "fate_model", settings],
                "inference_crops",
                name="cut_new_crops",
            ),
            node(
                make_new_samples,
                ["inference_crops", "inference_recordings", "inference_cells", "fate_model"],
                "inference_samples",
                name="make_new_samples",
            ),
            node(
                predict_fates,
                ["inference_crops", "inference_samples", "fate_model"],
                "fate_table",
                name="predict_fates",
            ),
            node(
                score_known_outcomes,
                ["fate_table", "inference_samples", "params:scores"],
                "inference_metrics",
                name="score_known_outcomes",
            ),
            node(
                export_tracks,
                ["inference_detections", "inference_cells", "fate_table", "fate_model"],
                ["track_forecasts", "track_graphs"],
                name="export_tracks",
            ),
        ]
    )
