"""A tiny study for the page: two recordings as TIFF stacks, tracks as CSV, one cell with two daughters, no run yet."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import tifffile

from cellfate.crops.settings import CropSettings
from cellfate.imaging import RecordingSettings
from cellfate.labels.journal import Journal
from cellfate.review.labelling import Labelling
from cellfate.review.study import Study, StudySource, open_study
from cellfate.tracks.settings import TrackSettings

N_FRAMES, SIDE, CROP = 30, 64, 16
NASTY = "<img src=x onerror=window.hacked=1>"
"""A condition that would do harm if it were taken for markup."""


def write_recordings(root: Path, names: tuple[str, ...] = ("A1", "B1"), cells_each: int = 3) -> None:
    """Write recordings whose pixels say where they are: frame * 1000 + row * 10 + channel."""
    root.mkdir(parents=True)
    rows_tyx = np.arange(N_FRAMES)[:, None, None] * 1000 + np.arange(SIDE)[None, :, None] * 10 + np.zeros((1, 1, SIDE))
    for name in names:
        stack_tcyx = np.stack([rows_tyx, rows_tyx + 1], axis=1).astype(np.uint16)
        tifffile.imwrite(root / f"{name}.tif", stack_tcyx, imagej=True, metadata={"axes": "TCYX"})
        write_tracks(root / f"{name}.csv", cells_each)
    lines = [
        "recording_id,condition,dose",
        *(f'{name},"{NASTY if i else "plain"}",Low' for i, name in enumerate(names)),
    ]
    (root / "conditions.csv").write_text("\n".join(lines))


def write_tracks(path: Path, n_cells: int) -> None:
    """Write tracks: cell 1 divides into 2 and 3 at frame 10; further cells are there from frame 12 to 15."""
    spans = {1: (2, 9, 0), 2: (10, 20, 1), 3: (10, 18, 1)} | dict.fromkeys(range(4, n_cells + 1), (12, 15, 0))
    rows = [
        {"cell_id": cell, "frame": frame, "y": 20.0 + cell % 20, "x": 30.0, "parent": parent or None}
        for cell, (first, last, parent) in list(spans.items())[:n_cells]
        for frame in range(first, last + 1)
        if (cell, frame) != (2, 15)  # a gap
    ]
    pd.DataFrame(rows).astype({"parent": "Int64"}).to_csv(path, index=False)


def find_source(folder: Path, **changes: Any) -> StudySource:
    """Where the study in a folder is: recordings in `raw`, everything else in `data`."""
    made = (
        "recordings",
        "frame_files",
        "detections",
        "cells",
        "unscored_forecasts",
        "set_thresholds",
        "splits",
        "applied_labels",
    )
    paths = {name: folder / "data" / f"{name}.parquet" for name in (*made, "forecasts", "questions", "frame_features")}
    paths |= {"raw_recordings": folder / "raw", "labels": folder / "data" / "labels", "crops": folder / "crops.zarr"}
    paths |= {name: folder / "data" / f"{name}.csv" for name in ("preflight_findings",)}
    settings: dict[str, Any] = {
        "recordings": RecordingSettings(
            layout="tiff_stacks",
            channels=("red", "green"),
            frame_interval_min=30.0,
            files="*.tif",
            conditions_file="conditions.csv",
        ),
        "tracks": TrackSettings(
            format="csv",
            files="{recording_id}.csv",
            columns={"cell_id": "cell_id", "frame": "frame", "y": "y", "x": "x", "parent_id": "parent"},
        ),
        "crops": CropSettings(height_px=CROP, width_px=CROP),
    }
    return StudySource(name="tiny", run="cellfate run --env tiny", paths=paths, **(settings | changes))


def open_tiny(folder: Path, **look: Any) -> Study:
    """Write the recordings, and open the study without any run."""
    write_recordings(folder / "raw", **look)
    return open_study(find_source(folder))


def open_labelling(study: Study) -> Labelling:
    """Labels of a study, in its own folder."""
    return Labelling(study, Journal(study.source.paths["labels"]))


def read_film(content: bytes) -> tuple[dict[str, Any], dict[int, tuple[bool, np.ndarray]], dict[str, Any]]:
    """Take a film apart: its header; by frame whether it was read, and its pixels (C, H, W); and its figure."""
    length = int.from_bytes(content[:4], "little")
    header = json.loads(content[4 : 4 + length])
    at, frames = 4 + length, {}
    for frame in header["frames"]:
        one = content[at : at + header["frame_bytes"]]
        shape = (len(header["channels"]), header["height"], header["width"])
        pixels = np.frombuffer(one, header["dtype"], int(np.prod(shape)), offset=4).reshape(shape)
        frames[frame] = (one[0] == 0, pixels)
        at += header["frame_bytes"]
    rest = content[at:]
    return header, frames, json.loads(rest) if rest else {}
