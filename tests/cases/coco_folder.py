"""A COCO-VID folder in the published layout: two small recordings, five cells, every kind of fate.

recording 001  cell 1  frames 0-3, divides in frame 4
               cell 2  frames 0-2 and 4-5 (a gap), dies in frame 6
               cell 3  frames 2-7, neither
recording 002  cell 1  frames 0-7, neither
               cell 2  frames 1-5, dies in frame 6
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import tifffile

N_FRAMES = 8
HEIGHT_PX, WIDTH_PX = 32, 48
CHANNELS = ("circadian", "p53", "cell_cycle")


@dataclass(frozen=True)
class CocoCell:
    """A cell to write: where it is in which frame (y, x in px), and when it dies or divides."""

    recording_id: str
    cell_id: int
    centres: dict[int, tuple[float, float]]
    time_of_death: int | None = None
    time_of_division: int | None = None
    category: int = 1


def _path(frames: Iterable[int], y: float, x: float) -> dict[int, tuple[float, float]]:
    return {frame: (y, x + frame) for frame in frames}


CELLS = (
    CocoCell("001", 1, _path(range(4), 8, 10), time_of_division=4),
    CocoCell("001", 2, _path((0, 1, 2, 4, 5), 20, 30), time_of_death=6),
    CocoCell("001", 3, _path(range(2, 8), 15.25, 0)),
    CocoCell("002", 1, _path(range(8), 5, 5)),
    CocoCell("002", 2, _path(range(1, 6), 25, 20), time_of_death=6),
)


def write_coco_folder(root: Path, cells: Iterable[CocoCell] = CELLS, seed: int = 0) -> Path:
    """Write images, annotations and conditions.

    Parameters
    ----------
    root : Path
        Folder to write into; made if it does not exist.
    cells : iterable of CocoCell
        Cells; their recordings are written.
    seed : int
        Of the pixels, and of the order of the annotations.

    Returns
    -------
    Path
        `root`.
    """
    cells = tuple(cells)
    names = sorted({cell.recording_id for cell in cells})
    rng = np.random.default_rng(seed)
    for name in names:
        folder = root / "images" / name
        folder.mkdir(parents=True, exist_ok=True)
        for frame in range(N_FRAMES):
            pixels = rng.integers(90, 200, (HEIGHT_PX, WIDTH_PX, len(CHANNELS)), dtype=np.uint16)
            tifffile.imwrite(folder / f"{frame:04d}.tif", pixels, photometric="rgb", compression="zlib")
    write_annotations(root, annotation_content(cells, seed))
    doses = "".join(f"{name},drug,{'High' if number % 2 else 'Control'}\n" for number, name in enumerate(names))
    (root / "conditions.csv").write_text("recording_id,condition,dose\n" + doses)
    return root


def annotation_content(cells: Iterable[CocoCell] = CELLS, seed: int = 0) -> dict[str, list[dict[str, Any]]]:
    """Content of the annotation file; annotations and images stand in random order."""
    cells = tuple(cells)
    names = sorted({cell.recording_id for cell in cells})
    videos = [{"id": number + 1, "name": name} for number, name in enumerate(names)]
    places = [(names.index(name), frame) for name in names for frame in range(N_FRAMES)]
    images = [_image(names, place, number) for number, place in enumerate(places)]
    marks = [_mark(cell, frame, names, places) for cell in cells for frame in cell.centres]
    rng = np.random.default_rng(seed)
    marks = [{"id": number, **marks[place]} for number, place in enumerate(rng.permutation(len(marks)))]
    images = [images[place] for place in rng.permutation(len(images))]
    return {"videos": videos, "images": images, "annotations": marks, "categories": [{"id": 1, "name": "cell"}]}


def write_annotations(root: Path, content: dict[str, Any]) -> None:
    """Write `annotations.json`."""
    root.mkdir(parents=True, exist_ok=True)
    (root / "annotations.json").write_text(json.dumps(content))


def changed_cell(recording_id: str, cell_id: int, **changes: Any) -> tuple[CocoCell, ...]:
    """The cells of the case, with one of them changed."""
    chosen = (recording_id, cell_id)
    return tuple(replace(cell, **changes) if (cell.recording_id, cell.cell_id) == chosen else cell for cell in CELLS)


def _image(names: list[str], place: tuple[int, int], number: int) -> dict[str, Any]:
    video, frame = place
    file_name = f"{names[video]}/{frame:04d}.tif"
    size = {"width": WIDTH_PX, "height": HEIGHT_PX}
    return {"id": 100 + number, "video_id": video + 1, "frame_id": frame, "file_name": file_name, **size}


def _mark(cell: CocoCell, frame: int, names: list[str], places: list[tuple[int, int]]) -> dict[str, Any]:
    video = names.index(cell.recording_id)
    y, x = cell.centres[frame]
    return {
        "image_id": 100 + places.index((video, frame)),
        "video_id": video + 1,
        "instance_id": cell.cell_id,
        "cell_id": cell.cell_id,
        "category_id": cell.category,
        "bbox": [(x + 0.5) / WIDTH_PX, (y + 0.5) / HEIGHT_PX, 10 / WIDTH_PX, 10 / HEIGHT_PX],
        "time_of_death": cell.time_of_death,
        "time_of_division": cell.time_of_division,
        "time_step": frame,
    }
