"""Writing a study in the published COCO-VID layout."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import tifffile
from tqdm import tqdm

from cellfate.core.fates import APOPTOSIS, MITOSIS
from cellfate.simulation.motion import BODY_FRAMES
from cellfate.simulation.records import Floats, SimulatedCell, SimulatedRecording, SimulatedStudy

CELL, REMAINS = 1, 2
"""Categories of annotations: the cell up to and including its event, and what is left of it after a death."""
SETTINGS_FILE = "simulation.json"
"""Holds the settings of a simulated study; a folder with this file may be overwritten by another simulation."""


def write_study(study: SimulatedStudy, root: Path) -> None:
    """Write the recordings of a study: images, annotations, conditions, settings.

    Parameters
    ----------
    study : SimulatedStudy
        The study; its images are made here, one recording at a time.
    root : Path
        Folder to write into; made if absent. It gets `images/<video>/<frame>.tif` (16 bit, three samples a pixel,
        deflate), `annotations.json` (COCO-VID), `conditions.csv` and `simulation.json`.

    Notes
    -----
    A box is (centre x, centre y, width, height) in fractions of the image side. Pixel centres are integers, so that
    a fraction f of a side of n px is the coordinate `f * n - 0.5`.
    """
    root.mkdir(parents=True, exist_ok=True)
    book = _AnnotationBook(study)
    for recording in tqdm(study, desc="Simulating recordings", unit="recording", disable=None):
        _write_images(recording, root / "images")
        book.add(recording)
    _write_json(root / "annotations.json", book.contents)
    rows = [(plan.recording_id, plan.condition, plan.dose) for plan in study.plans]
    pd.DataFrame(rows, columns=["recording_id", "condition", "dose"]).to_csv(root / "conditions.csv", index=False)
    _write_json(root / SETTINGS_FILE, study.settings.model_dump(mode="json", exclude_none=True))


def image_name(recording_id: str, frame: int) -> str:
    """File name of a frame, relative to the folder of images."""
    return f"{recording_id}/{frame:04d}.tif"


def _write_json(path: Path, contents: Any) -> None:
    path.write_text(json.dumps(contents, separators=(",", ":")), encoding="utf-8")


def _write_images(recording: SimulatedRecording, folder: Path) -> None:
    (folder / recording.plan.recording_id).mkdir(parents=True, exist_ok=True)
    for frame, image_yxc in enumerate(recording.frames_tyxc):
        tifffile.imwrite(
            folder / image_name(recording.plan.recording_id, frame),
            image_yxc,
            photometric="rgb",
            compression="zlib",
            compressionargs={"level": 4},
            metadata=None,
            software=False,
        )


class _AnnotationBook:
    """The annotation file while it grows: numbers of images, tracks and annotations run through the whole study."""

    def __init__(self, study: SimulatedStudy) -> None:
        self._settings = study.settings
        self._n_instances = 0
        self.contents: dict[str, list[dict[str, Any]]] = {
            "videos": [],
            "images": [],
            "annotations": [],
            "categories": [{"id": CELL, "name": "cell"}, {"id": REMAINS, "name": "remains"}],
        }

    def add(self, recording: SimulatedRecording) -> None:
        """Enter a recording with all of its cells."""
        video_id = len(self.contents["videos"]) + 1
        first_image_id = len(self.contents["images"]) + 1
        name = recording.plan.recording_id
        self.contents["videos"].append({"id": video_id, "name": name})
        self.contents["images"] += [
            {
                "id": first_image_id + frame,
                "video_id": video_id,
                "frame_id": frame,
                "file_name": image_name(name, frame),
                "width": self._settings.width_px,
                "height": self._settings.height_px,
            }
            for frame in range(self._settings.n_frames)
        ]
        for cell in recording.plan.cells:
            self._n_instances += 1
            self._add_cell(cell, recording.boxes[cell.life.cell_id], video_id, first_image_id)

    def _add_cell(self, cell: SimulatedCell, boxes: Floats, video_id: int, first_image_id: int) -> None:
        size = np.array([self._settings.height_px, self._settings.width_px] * 2)
        fractions = (boxes + np.array([0.5, 0.5, 0, 0])) / size
        for i, frame in enumerate(cell.frames.tolist()):
            category = _category(cell, frame)
            if category is None:
                continue
            y, x, height, width = (round(float(value), 6) for value in fractions[i])
            self.contents["annotations"].append(
                {
                    "id": len(self.contents["annotations"]) + 1,
                    "image_id": first_image_id + frame,
                    "video_id": video_id,
                    "instance_id": self._n_instances,
                    "cell_id": cell.life.cell_id,
                    "category_id": category,
                    "bbox": [x, y, width, height],
                    "time_of_death": cell.event_frame if cell.fate == APOPTOSIS else None,
                    "time_of_division": cell.event_frame if cell.fate == MITOSIS else None,
                    "time_step": frame,
                }
            )


def _category(cell: SimulatedCell, frame: int) -> int | None:
    """Category of a cell's annotation in a frame; None where it is not annotated."""
    if frame <= cell.last_frame:
        return CELL
    after_death = cell.fate == APOPTOSIS and frame <= cell.life.event_frame + BODY_FRAMES // 2
    return REMAINS if after_death else None
