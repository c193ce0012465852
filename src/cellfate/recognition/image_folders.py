"""Layouts in which images and tracks lie together: COCO for videos, and Cell Tracking Challenge folders."""

import re
from pathlib import Path
from typing import Any

import numpy as np

from cellfate.core.errors import InputError
from cellfate.imaging.annotation_file import read_annotation_file
from cellfate.imaging.image_files import read_header
from cellfate.imaging.layouts import TrackFiles, find_track_files, numbered_files
from cellfate.imaging.tiff import read_label_image
from cellfate.recognition import label_stacks
from cellfate.recognition.candidates import Candidate
from cellfate.recognition.proposals import Proposal, ask, found
from cellfate.recognition.survey import Survey, shown

_ENDS = 65536
"""Bytes at either end of a JSON file that are looked at."""
_LISTS = ('"images"', '"annotations"', '"videos"')
_ITEMS = ('"frame_id"', '"image_id"', '"video_id"')
_BOX = re.compile(r'"bbox":\s*\[([^\]]*)\]')
_BEFORE_EVENT = 1


def find_coco(survey: Survey) -> list[Candidate]:
    """Images with an annotation file of videos, COCO's way."""
    names = [name for name in survey.with_endings(".json") if _is_annotation_file(survey.root / name)]
    return [_coco(survey, name) for name in names]


def find_challenge(survey: Survey) -> list[Candidate]:
    """Numbered folders beside their tracks, as in the Cell Tracking Challenge."""
    tops = {name.split("/")[0] for name in survey.files if "/" in name}
    tracks = {name: find_track_files(survey.root, name) for name in sorted(tops) if name.isdigit()}
    names = [name for name, files in tracks.items() if files]
    first = next(filter(None, tracks.values()), None)
    if first is None:
        return []
    parts = {f"{name}{ending}" for name in names for ending in ("", "_GT", "_ST", "_RES", "_ERR_SEG")}
    used = frozenset(name for name in survey.files if name.split("/")[0] in parts)
    labels, cell_px = _challenge_labels(survey, names[0], first)
    settings = {"layout": "cell_tracking_challenge", "channels": ("channel",), "frame_interval_min": 1.0}
    source = f"{names[0]}/ beside its tracks {first.table.relative_to(survey.root).as_posix()}"
    values = (found("recordings.layout", "cell_tracking_challenge", source), labels)
    untracked = [name for name in tracks if name not in names]
    notes = (f"Without tracks, and left out: {shown(untracked)}.",) if untracked else ()
    return [
        Candidate(
            layout="cell_tracking_challenge",
            words=f"{len(names)} numbered folders with tracks",
            settings=settings,
            values=values,
            used=used,
            names=tuple(names),
            notes=notes,
            cell_px=cell_px,
        )
    ]


def _read_ends(path: Path) -> str:
    with path.open("rb") as file:
        start = file.read(_ENDS)
        file.seek(max(path.stat().st_size - _ENDS, len(start)))
        return (start + b" " + file.read(_ENDS)).decode("utf-8", errors="replace")


def _is_annotation_file(path: Path) -> bool:
    text = _read_ends(path)
    is_whole = path.stat().st_size <= 2 * _ENDS
    return all(name in text for name in _LISTS) if is_whole else any(name in text for name in _ITEMS)


def _coco(survey: Survey, name: str) -> Candidate:
    tables = read_annotation_file(survey.root / name, "videos", "images", "annotations")
    first = str(tables["images"]["file_name"].iloc[0]) if len(tables["images"]) else ""
    places = [file for file in survey.files if first and (file == first or file.endswith(f"/{first}"))]
    if not places:
        raise InputError(
            f"Annotation file {survey.root / name} names the image {first or '(none)'}, which is nowhere in "
            f"{survey.root}; put the images there, as the file names them."
        )
    folder = min(places, key=len)[: -len(first)].rstrip("/") or "."
    header = read_header(survey.root / min(places, key=len))
    channels = tuple(f"channel_{number + 1}" for number in range(header.n_samples))
    given: dict[str, Any] = {"layout": "coco_vid", "annotation_file": name, "image_folder": folder}
    categories = _categories(tables["annotations"]["category_id"].unique().tolist(), name)
    settings = {**given, "channels": channels, "frame_interval_min": 1.0}
    settings |= {} if categories.is_open else {"cell_categories": categories.value}
    values = (
        *(found(f"recordings.{key}", value, f"{name} and the images that it names") for key, value in given.items()),
        categories,
    )
    names = tuple(sorted(tables["videos"]["name"].astype(str)))
    images = {file for file in survey.files if folder == "." or file.startswith(f"{folder}/")}
    return Candidate(
        layout="coco_vid",
        words=f"{name} with {len(names)} videos",
        settings=settings,
        values=values,
        used=frozenset(images | {name}),
        names=names,
        cell_px=_box_px(survey.root / name, header.width_px, header.height_px),
    )


def _categories(used: list[int], name: str) -> Proposal:
    key = "recordings.cell_categories"
    if len(used) == 1:
        return found(key, used, f"the one category in {name}")
    if _BEFORE_EVENT in used or not used:
        return found(key, [_BEFORE_EVENT], f"category 1 of {name}, by convention the cell before its event")
    return ask(
        key,
        f"{name} has annotations of the categories {', '.join(map(str, sorted(used)))}; list those that are the cell "
        "before its event, such as [1].",
    )


def _box_px(annotations: Path, width_px: int, height_px: int) -> float | None:
    """Usual side of the boxes at the ends of an annotation file; they are fractions of the image."""
    boxes = [text.split(",") for text in _BOX.findall(_read_ends(annotations))]
    sides = [(float(box[2]) * width_px, float(box[3]) * height_px) for box in boxes if len(box) == 4]
    return float(np.median(sides)) if sides else None


def _challenge_labels(survey: Survey, name: str, tracks: TrackFiles) -> tuple[Proposal, float | None]:
    key = "recordings.labels"
    masks = numbered_files(survey.root / f"{name}_ST/SEG", "man_seg")
    if masks:
        return found(key, "silver_truth", f"the masks in {name}_ST/SEG"), _diameter_px(next(iter(masks.values())))
    if tracks.prefix == "mask":
        first = next(iter(numbered_files(tracks.folder, "mask").values()), None)
        return found(key, "gold_track", f"the tracker's masks in {name}_RES"), _diameter_px(first)
    return found(key, "none", f"no {name}_ST/SEG: no masks beside the markers"), None


def _diameter_px(path: Path | None) -> float | None:
    """Usual diameter of the cells in a label image."""
    if path is None:
        return None
    header = read_header(path)
    return label_stacks.diameter_px([read_label_image(path, header.height_px, header.width_px)])
