"""Wiring of the `data_processing` pipeline."""

from kedro.pipeline import Pipeline, node

from cellfate.cohort.follow_ups import follow_cells
from cellfate.cohort.landmarks import list_landmarks
from cellfate.cohort.leakage import report_leakage
from cellfate.cohort.questions import list_questions
from cellfate.cohort.sisters import compare_sisters
from cellfate.cohort.splits import split_cells
from cellfate.crops.cutting import plan_crops
from cellfate.crops.normalisation import fit_normalisation
from cellfate.features.measurements import measure_cells
from cellfate.labels.agreement import compare_scorers
from cellfate.labels.merging import apply_labels
from cellfate.pipelines.data_processing.nodes import list_cropped, open_recordings, run_preflight, take_traces
from cellfate.plots.preflight import plot_preflight
from cellfate.tracks.importing import import_tracks


def create_pipeline(images: bool = True) -> Pipeline:
    """Wire the nodes of `data_processing`: from raw recordings to follow-ups, landmarks and splits.

    Without images nothing is cut, and the traces are what is measured of cells.
    """
    return _open() + (_cut() if images else _take_traces()) + _follow(images)


def _open() -> Pipeline:
    """Look at everything first, then open recordings and import tracks."""
    tables = ["preflight_summary", "preflight_cells", "frame_quality"]
    pictures = ["preflight_tracks_figure", "preflight_tracks_page"]
    found = ["preflight_findings", "preflight_cases", *tables, *pictures]
    opened = ["recordings", "frame_files", "recordings_set_aside"]
    asked = ["raw_recordings", "params:recordings", "params:tracks", "params:crops", "params:preflight"]
    nodes = [
        node(run_preflight, asked, found, name="run_preflight"),
        node(plot_preflight, ["preflight_findings", *tables], "preflight_figure", name="plot_preflight"),
        node(
            open_recordings,
            ["raw_recordings", "params:recordings", "preflight_findings"],
            opened,
            name="open_recordings",
        ),
        node(
            import_tracks,
            ["raw_recordings", "recordings", "frame_files", "params:recordings", "params:tracks"],
            ["detections", "tracked_cells", "tracks_set_aside"],
            name="import_tracks",
        ),
        node(
            apply_labels,
            ["tracked_cells", "detections", "recordings", "labels", "params:tracks"],
            ["cells", "applied_labels", "label_findings"],
            name="apply_labels",
        ),
        node(
            compare_scorers,
            ["applied_labels", "cells", "recordings"],
            "label_agreement",
            name="compare_scorers",
        ),
    ]
    return Pipeline(nodes, namespace="open_recordings_and_tracks", prefix_datasets_with_namespace=False)


def _cut() -> Pipeline:
    """Cut cells out of the images and measure them."""
    planned = ["raw_recordings", "recordings", "frame_files", "detections"]
    settings = ["params:crops", "params:recordings", "params:crop_building"]
    nodes = [
        node(plan_crops, [*planned, *settings], "crops", name="cut_crops"),
        node(list_cropped, ["crops", "recordings"], ["cropped_recordings", "crops_set_aside"], name="list_cropped"),
        node(measure_cells, ["crops", "detections", "params:features"], "frame_features", name="measure_cells"),
    ]
    return Pipeline(nodes, namespace="cut_and_measure_cells", prefix_datasets_with_namespace=False)


def _take_traces() -> Pipeline:
    """Take the values of traces for what is measured of cells."""
    made = ["cropped_recordings", "frame_features"]
    nodes = [node(take_traces, ["recordings", "detections"], made, name="take_traces")]
    return Pipeline(nodes, namespace="take_traces", prefix_datasets_with_namespace=False)


def _follow(images: bool) -> Pipeline:
    """Follow every cell, list the moments at which it is asked about, and part cells into those that train and test."""
    settings = "params:follow_up"
    nodes = [
        node(
            follow_cells,
            ["detections", "cells", "cropped_recordings", settings],
            ["follow_ups", "cells_set_aside"],
            name="follow_cells",
        ),
        node(list_landmarks, ["detections", "follow_ups", settings], "landmarks", name="list_landmarks"),
        node(list_questions, ["follow_ups", "landmarks", settings], "questions", name="list_questions"),
        node(
            split_cells,
            ["follow_ups", "cells", "detections", settings, "params:splits", "recordings"],
            "splits",
            name="split_cells",
        ),
        node(report_leakage, ["follow_ups", "cells", "splits"], "leakage", name="report_leakage"),
        node(compare_sisters, ["follow_ups", "cells", "params:splits"], "sister_concordance", name="compare_sisters"),
    ]
    if images:
        asked = ["crops", "follow_ups", "splits"]
        nodes.append(node(fit_normalisation, asked, "normalisation", name="fit_normalisation"))
    return Pipeline(nodes, namespace="follow_and_split_cells", prefix_datasets_with_namespace=False)
