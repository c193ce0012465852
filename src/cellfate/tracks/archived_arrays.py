"""Arrays of labels in tar and zip archives that somebody else wrote: read frame by frame, nothing is unpickled."""

import math
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray

from cellfate.core.errors import InputError
from cellfate.core.numbers import as_whole
from cellfate.tracks.records import TrackSource

MOST_JSON = 2**26
"""Bytes of text that are read at most: lineages of about 500 000 cells."""
_MOST_RAW = 64
"""Bytes of images for one pixel of labels from which on a file is not believed: eight channels of float64."""
_ZIP = b"PK\x03\x04"


def list_members(path: Path, source: TrackSource) -> Iterator[tuple[str, Callable[[], IO[bytes]]]]:
    """Go through the files of a tar or zip archive: the name of each, without folders, and what opens it.

    Each is good until the next is asked for.

    Raises
    ------
    InputError
        If a file claims to be larger than it can be; before it is unpacked.
    """
    with path.open("rb") as start:
        is_zip = start.read(len(_ZIP)) == _ZIP
    for name, size, open_member in _list_zip(path) if is_zip else _list_tar(path):
        if size > _MOST_RAW * source.n_frames * source.height_px * source.width_px + MOST_JSON:
            raise InputError(
                f"{name} in {path} claims {size} bytes, more than images of {source.n_frames} x {source.height_px} x "
                f"{source.width_px} need; give the file of this recording."
            )
        yield Path(name).name, open_member


def _list_zip(path: Path) -> Iterator[tuple[str, int, Callable[[], IO[bytes]]]]:
    with zipfile.ZipFile(path) as archive:
        for info in archive.infolist():
            yield info.filename, info.file_size, partial(archive.open, info)


def _list_tar(path: Path) -> Iterator[tuple[str, int, Callable[[], IO[bytes]]]]:
    """Files only: no links, no devices."""
    with tarfile.open(path, "r:*") as archive:
        for member in archive:
            file = archive.extractfile(member) if member.isreg() else None
            if file is not None:
                yield member.name, member.size, partial(_itself, file)


def _itself(file: IO[bytes]) -> IO[bytes]:
    return file


def read_frames(file: IO[bytes], source: TrackSource, path: Path) -> Iterator[NDArray[np.int64]]:
    """Read labels in NumPy's form, frame by frame, after their header was held against the recording.

    Axes of size 1 may stand anywhere among T, Y and X.

    Raises
    ------
    InputError
        If the array has another shape than the recording, holds no whole numbers, or ends too early.
    """
    version = np.lib.format.read_magic(file)
    readers = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
    shape, is_fortran, dtype = readers[version](file)
    expected = (source.n_frames, source.height_px, source.width_px)
    if [size for size in shape if size != 1] != [size for size in expected if size != 1]:
        raise InputError(
            f"The labels in {path} have shape {shape}, but recording '{source.recording_id}' has {expected[0]} frames "
            f"of {expected[1]} x {expected[2]} px; give one movie a file, that of this recording."
        )
    if is_fortran or dtype.kind not in "iuf":
        raise InputError(f"The labels in {path} are of type {dtype}, but whole numbers in C order were expected.")
    n_bytes = math.prod(expected[1:]) * dtype.itemsize
    for frame in range(expected[0]):
        content = file.read(n_bytes)
        if len(content) < n_bytes:
            raise InputError(f"The labels in {path} end within frame {frame} of {expected[0]}; write the file again.")
        labels_yx = np.frombuffer(content, dtype).reshape(expected[1:])
        yield as_whole(labels_yx, f"The labels in {path} are no whole numbers; write the file again.")
