"""Wiring of the `data_processing` pipeline."""

from kedro.pipeline import Pipeline, node

from cellfate.cohort.leakage import report_leakage
from cellfate.cohort.samples import make_samples
from cellfate.cohort.splits import split_samples
from cellfate.crops.cutting import plan_crops
from cellfate.crops.normalisation import fit_normalisation
from cellfate.features.measurements import measure_cells
from cellfate.pipelines.data_processing.nodes import open_recordings, run_preflight
from cellfate.plots.preflight import plot_preflight
from cellfate.tracks.importing import import_tracks


def create_pipeline() -> Pipeline:
    """Wire the nodes of `data_processing`: from raw recordings to samples, splits and normalisation."""
    return _open() + _cut() + _sample()


def _open() -> Pipeline:
    """Look at everything first, then open recordings and import tracks."""
    found = ["preflight_findings", "preflight_summary", "preflight_cells", "frame_quality"]
    opened = ["recordings", "frame_files", "recordings_set_aside"]
    return Pipeline(
        [
            node(
                run_preflight,
                ["raw_recordings", "params:recordings", "params:tracks", "params:crops", "params:preflight"],
                found,
                name="run_preflight",
            ),
            node(plot_preflight, found, "preflight_figure", name="plot_preflight"),
            node(
                open_recordings,
                ["raw_recordings", "params:recordings", "preflight_findings"],
                opened,
                name="open_recordings",
            ),
            node(
                import_tracks,
                ["raw_recordings", "recordings", "frame_files", "params:recordings", "params:tracks"],
                ["detections", "cells", "tracks_set_aside"],
                name="import_tracks",
            ),
        ]
    )


def _cut() -> Pipeline:
    """Cut cells out of the images and measure them."""
    return Pipeline(
        [
            node(
                plan_crops,
                [
                    *("raw_recordings", "recordings", "frame_files", "detections"),
                    *("params:crops", "params:recordings", "params:crop_building"),
                ],
                "crops",
                name="cut_crops",
            ),
            node(measure_cells, ["crops", "detections", "params:features"], "frame_features", name="measure_cells"),
        ]
    )


def _sample() -> Pipeline:
    """Make samples, part them, and fit what follows from the training part."""
    return Pipeline(
        [
            node(
                make_samples,
                ["crops", "recordings", "cells", "params:samples"],
                ["samples", "samples_excluded"],
                name="make_samples",
            ),
            node(split_samples, ["samples", "cells", "detections", "params:splits"], "splits", name="split_samples"),
            node(report_leakage, ["samples", "cells", "splits"], "leakage", name="report_leakage"),
            node(fit_normalisation, ["crops", "samples", "splits"], "normalisation", name="fit_normalisation"),
        ]
    )
