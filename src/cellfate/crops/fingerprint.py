"""What a recording's crops are made of, as one number: when it is the same, they need not be made again."""

import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cellfate.crops.cutting import CropPlan

_UNUSED = ("condition", "dose", "group_id")
"""Columns of `Recordings` that no crop depends on."""
_DETECTION_COLUMNS = {"cell_id": "<i8", "frame": "<i8", "y_px": "<f8", "x_px": "<f8"}
_FILE_COLUMNS = ("file_name", "label_file_name")


def fingerprint_inputs(part: CropPlan) -> str:
    """SHA-256 over what the crops of one recording are made of, in hexadecimal.

    These are its row of `Recordings`, its rows of `FrameFiles`, size and time of change of every file they name and of
    the flat field, its detections, and the crop settings. No image is read.

    Parameters
    ----------
    part : CropPlan
        Plan of one recording.
    """
    digest = hashlib.sha256(part.settings.model_dump_json().encode())
    digest.update(part.recordings.drop(columns=list(_UNUSED), errors="ignore").to_csv(index=False).encode())
    files = part.frame_files.sort_values("frame", kind="stable")
    digest.update(files.to_csv(index=False).encode())
    for name in _named_files(files, part.settings.flat_field_file):
        digest.update(json.dumps([name, list(_look_at(part.folder.root, name))]).encode())
    ordered = part.detections.sort_values(["cell_id", "frame"], kind="stable")
    for column, dtype in _DETECTION_COLUMNS.items():
        digest.update(ordered[column].to_numpy(np.dtype(dtype)).tobytes())
    return digest.hexdigest()


def _named_files(files: pd.DataFrame, flat_field_file: str | None) -> list[str]:
    named = [files[column].dropna() for column in _FILE_COLUMNS if column in files]
    names = list(pd.unique(pd.concat(named).astype(str)))
    return names if flat_field_file is None else [*names, flat_field_file]


def _look_at(root: Path, name: str) -> Iterator[Any]:
    """Tell size and time of change of a file, of every file of a folder, or what is known of a URL."""
    if "://" in name:
        yield from _look_at_url(name)
        return
    path = root / name
    if path.is_dir():
        for folder, folders, inner in os.walk(path):
            folders.sort()
            yield [
                [os.path.relpath(folder, path), file, *_size_and_time(Path(folder) / file)] for file in sorted(inner)
            ]
    else:
        yield _size_and_time(path)


def _size_and_time(path: Path) -> tuple[int, int]:
    try:
        found = path.stat()
    except OSError:
        return (-1, -1)  # cropping will say what is wrong with it
    return found.st_size, found.st_mtime_ns


def _look_at_url(url: str) -> Iterator[Any]:
    from fsspec.core import url_to_fs

    try:
        system, path = url_to_fs(url)
        for name, found in sorted(system.find(path, detail=True).items()):
            yield [name, *(str(found.get(key)) for key in ("size", "mtime", "LastModified", "ETag", "created"))]
    except (OSError, ValueError, ImportError):
        yield "unknown"
