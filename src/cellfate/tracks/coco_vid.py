"""Importer of COCO-VID annotations: a box a cell and frame, and the frame of its death or division.

The layout is the one of the published set: `bbox` is (centre x, centre y, width, height) as fractions of the image.
An image of W columns spans from -0.5 to W - 0.5, because pixel centres are integers: x_px = fraction * W - 0.5.
A cell is (video, cell_id); its parents are not known. Frames are ordered by the image's frame_id, whatever the order
of the annotations; frames without an annotation stay gaps.
"""

import logging
from pathlib import Path

import numpy as np
import pandas as pd

from cellfate.core.errors import InputError
from cellfate.core.fates import APOPTOSIS, CENSORED, MITOSIS
from cellfate.core.tables import CELL
from cellfate.imaging.annotation_file import read_annotation_file
from cellfate.tracks.problems import one_problem_a_recording
from cellfate.tracks.reading import CELL_KINDS
from cellfate.tracks.records import OpenedRecordings, Tables

_log = logging.getLogger(__name__)
_TIMES = {"time_of_death": APOPTOSIS, "time_of_division": MITOSIS}


def read_tracks(opened: OpenedRecordings) -> Tables:
    """Read boxes and fates of the opened recordings; an importer as `importing.ReadTracks`.

    Where a cell has neither time it is censored, if the file states times at all.
    """
    path, recordings = opened.folder.root / opened.settings.annotation_file, opened.table
    tables = read_annotation_file(path, "videos", "images", "annotations")
    marks = _keep_categories(tables["annotations"], path, opened.settings.cell_categories)
    marks = _with_images(marks, tables["images"], tables["videos"], path)
    marks = marks[marks["recording_id"].isin(recordings["recording_id"])]
    cells = _gather_cells(marks)
    problems = pd.concat([_find_mixed_videos(marks), _find_contradictions(cells)], ignore_index=True)
    return _detections(marks, recordings), _with_fates(cells), problems


def _keep_categories(annotations: pd.DataFrame, path: Path, categories: tuple[int, ...]) -> pd.DataFrame:
    counts = annotations["category_id"].value_counts().sort_index().to_dict()
    kept = annotations[annotations["category_id"].isin(categories)]
    _log.info("Annotations of each category: %s; categories %s are the cell before its event", counts, list(categories))
    if kept.empty:
        raise InputError(
            f"Annotation file {path} has no annotation of the categories {list(categories)}; the annotations of each "
            f"category number {counts}; name the right ones in recordings.cell_categories."
        )
    return kept


def _with_images(marks: pd.DataFrame, images: pd.DataFrame, videos: pd.DataFrame, path: Path) -> pd.DataFrame:
    images = images.set_index("id")
    place = images.index.get_indexer(pd.Index(marks["image_id"]))
    if (place < 0).any():
        image = marks["image_id"].to_numpy()[place < 0][0]
        raise InputError(
            f"An annotation in {path} is of image {image}, which 'images' does not list ({int((place < 0).sum())} such "
            "annotations); add the image or remove the annotation."
        )
    video_ids = images["video_id"].to_numpy()[place]
    names = videos.set_index("id")["name"]
    return marks.assign(
        frame=images["frame_id"].to_numpy()[place],
        recording_id=pd.Categorical(names.reindex(video_ids).to_numpy()).astype(object),
        image_video_id=video_ids,
    )


def _gather_cells(marks: pd.DataFrame) -> pd.DataFrame:
    grouped = marks.groupby(CELL, sort=True)
    cells = grouped["frame"].agg(first_frame="min", last_frame="max", n_marks="size")
    for time in _TIMES:
        values = grouped[time]
        cells[time], cells[f"{time}_last"], cells[f"{time}_count"] = values.min(), values.max(), values.count()
    return cells.reset_index()


def _find_mixed_videos(marks: pd.DataFrame) -> pd.DataFrame:
    stated = marks["video_id"]
    return one_problem_a_recording(
        marks[stated.notna() & (stated != marks["image_video_id"])],
        "In recording '{recording_id}' an annotation of cell {cell_id} in frame {frame} names video {video_id:.0f}, "
        "but its "
        "image belongs to video {image_video_id}; correct the annotation",
    )


def _find_contradictions(cells: pd.DataFrame) -> pd.DataFrame:
    found = [
        one_problem_a_recording(
            cells[cells["time_of_death"].notna() & cells["time_of_division"].notna()],
            "In recording '{recording_id}' cell {cell_id} dies in frame {time_of_death:g} and divides in frame "
            "{time_of_division:g}, but a cell has one fate; set one of the two times to null",
        )
    ]
    for time in _TIMES:
        count = cells[f"{time}_count"]
        differing = (cells[time] != cells[f"{time}_last"]) & (count > 0)
        found.append(
            one_problem_a_recording(
                cells[differing | ((count > 0) & (count < cells["n_marks"]))],
                f"In recording '{{recording_id}}' the annotations of cell {{cell_id}} disagree in {time} (frame "
                f"{{{time}:g}} to {{{time}_last:g}}, stated on {{{time}_count}} of {{n_marks}}); state the same value "
                "on every one",
            )
        )
        found.append(
            one_problem_a_recording(
                cells[cells[time].notna() & (cells[time] % 1 != 0)],
                f"In recording '{{recording_id}}' the {time} of cell {{cell_id}} is {{{time}}}, but a frame number was "
                "expected; correct it",
            )
        )
    return pd.concat(found, ignore_index=True)


def _detections(marks: pd.DataFrame, recordings: pd.DataFrame) -> pd.DataFrame:
    sizes = recordings.set_index("recording_id")[["height_px", "width_px"]].reindex(marks["recording_id"])
    return pd.DataFrame(
        {
            "recording_id": marks["recording_id"].astype("str").to_numpy(),
            "cell_id": marks["cell_id"].to_numpy(),
            "frame": marks["frame"].to_numpy(),
            "y_px": marks["centre_y"].to_numpy() * sizes["height_px"].to_numpy() - 0.5,
            "x_px": marks["centre_x"].to_numpy() * sizes["width_px"].to_numpy() - 0.5,
            "spot_id": pd.array([pd.NA] * len(marks), dtype="Int64"),
        }
    )


def _with_fates(cells: pd.DataFrame) -> pd.DataFrame:
    times = cells[list(_TIMES)]
    fate = np.select([times[name].notna() for name in _TIMES], list(_TIMES.values()), CENSORED)
    events = np.floor(cells["time_of_death"].fillna(cells["time_of_division"]))
    stated = bool(times.notna().any(axis=None))
    table = cells.assign(fate=fate if stated else None, event_frame=events, stated=stated)
    return table.reindex(columns=list(CELL_KINDS)).astype(CELL_KINDS)
