"""Wiring of the `fate_clock_inference` pipeline."""

from kedro.pipeline import Pipeline, node

from cellfate.imaging.opening import open_recordings
from cellfate.pipelines.fate_clock_inference import nodes
from cellfate.prediction.new_recordings import cut_new_crops
from cellfate.tracks.importing import import_tracks


def create_pipeline() -> Pipeline:
    """Wire the nodes of `fate_clock_inference`: from new recordings with tracks, and a fate clock, to its forecasts.

    Beside the model it reads what `fate_clock` left of the recordings it was trained on: `follow_ups`, `landmarks`,
    `frame_features`, `incidence` and `crops`.
    """
    return _prepare() + _forecast() + _score()


def _prepare() -> Pipeline:
    """Open, cut, measure and follow new cells."""
    opened = ["new_recordings_opened", "new_frame_files", "new_recordings_set_aside"]
    settings = "params:new_recordings"
    followed = ["new_crops", "new_recordings_opened", "new_cells"]
    return Pipeline(
        [
            node(open_recordings, ["new_recordings", settings], opened, name="open_recordings_for_clock"),
            node(
                import_tracks,
                ["new_recordings", *opened[:2], settings, "params:new_tracks"],
                ["new_detections", "new_cells", "new_tracks_set_aside"],
                name="import_tracks_for_clock",
            ),
            node(
                cut_new_crops,
                ["new_recordings", *opened[:2], "new_detections", "clock_model", settings],
                "new_crops",
                name="cut_crops_for_clock",
            ),
            node(
                nodes.measure_new_cells,
                ["new_crops", "new_detections", "clock_model"],
                "new_frame_features",
                name="measure_new_cells",
            ),
            node(nodes.follow_new_cells, [*followed, "clock_model"], "new_follow_ups", name="follow_new_cells"),
            node(
                nodes.list_known_landmarks,
                [*followed, "new_follow_ups", "clock_model", "crops"],
                "new_landmarks",
                name="list_known_landmarks",
            ),
        ]
    )


def _forecast() -> Pipeline:
    """Forecast every frame, and call fates."""
    return Pipeline(
        [
            node(
                nodes.forecast_new_cells,
                ["new_crops", "new_follow_ups", "new_frame_features", "clock_model"],
                "new_incidence",
                name="forecast_new_cells",
            ),
            node(
                nodes.tabulate_clock,
                ["new_incidence", "new_follow_ups", "new_recordings_opened", "clock_model"],
                "clock_table",
                name="tabulate_clock",
            ),
            node(
                nodes.commit_new_cells,
                ["new_incidence", "new_follow_ups", "incidence", "landmarks", "clock_model"],
                "new_commitments",
                name="commit_new_cells",
            ),
        ]
    )


def _score() -> Pipeline:
    """Score forecasts beside the references, where fates are known."""
    trained, new = (
        [f"{prefix}{name}" for name in ("follow_ups", "landmarks", "frame_features")] for prefix in ("", "new_")
    )
    scored = ["new_incidence", "new_reference_incidence", "new_landmarks", "clock_model", "params:scores"]
    return Pipeline(
        [
            node(
                nodes.forecast_new_references,
                [*trained, *new, "clock_model", "params:references"],
                "new_reference_incidence",
                name="forecast_new_references",
            ),
            node(nodes.score_new_incidence, scored, "new_incidence_metrics", name="score_new_incidence"),
            node(nodes.compare_new_incidence, scored, "new_incidence_comparisons", name="compare_new_incidence"),
        ]
    )
