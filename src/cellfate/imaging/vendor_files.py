"""Vendor files (.nd2, .czi, .lif) through bioio, which is an extra. It was not tested on files of the vendors."""

import datetime as dt
import threading
from collections.abc import Iterator
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cellfate.core.errors import InputError
from cellfate.imaging.file_search import check_inside, find_files, recording_name
from cellfate.imaging.headers import ADVICE, Examined, FrameFile, Looked, StackHeader, usable
from cellfate.imaging.planes import ZChoice, check_plane, project
from cellfate.imaging.settings import RecordingSettings

_SUFFIXES = (".nd2", ".czi", ".lif")


@dataclass(frozen=True)
class VendorFile:
    """Frames of one scene of a file that bioio reads.

    Attributes
    ----------
    path : Path
        The file.
    scene : int
        Number of the scene in the file, from 0.
    n_frames : int
        Size of T.
    z : 'max' or int
        Planes that are used.
    """

    path: Path
    scene: int
    n_frames: int
    z: ZChoice

    def place(self, frame: int) -> str:
        """Name the file."""
        return str(self.path)

    def read(self, frame: int) -> NDArray[Any]:
        """Decode one frame.

        Parameters
        ----------
        frame : int
            Frame number, from 0.

        Returns
        -------
        ndarray, shape (C, Y, X)
            Pixels in the camera's type.

        Raises
        ------
        InputError
            If bioio cannot read it.
        """
        planes = {} if self.z == "max" else {"Z": slice(self.z, self.z + 1)}
        with self._lock:
            try:
                lazy = self._image.get_image_dask_data("CZYX", T=frame, **planes)
                pixels = np.asarray(lazy.compute(scheduler="synchronous"))
            except InputError:
                raise
            except Exception as error:  # readers of vendors' files raise errors of many kinds
                raise InputError(_damaged(self.path, error)) from error
        return project(pixels, "max")

    @property
    def _lock(self) -> threading.Lock:
        lock: threading.Lock = self.__dict__.setdefault("_kept_lock", threading.Lock())  # one, whoever comes first
        return lock

    @cached_property
    def _image(self) -> Any:
        image = open_vendor_file(self.path)
        image.set_scene(self.scene)
        return image

    def __getstate__(self) -> dict[str, Any]:
        return {field.name: getattr(self, field.name) for field in fields(self)}


def open_vendor_file(path: Path) -> Any:
    """Open a file with the bioio plugin for its kind.

    Parameters
    ----------
    path : Path
        File to open.

    Returns
    -------
    bioio.BioImage
        Its first scene is chosen.

    Raises
    ------
    InputError
        If bioio is not installed, or it cannot open the file.
    """
    try:
        from bioio import BioImage
    except ImportError as error:
        message = f"File {path} needs bioio, which is not installed; install the extra: pip install -e '.[formats]'."
        raise InputError(message) from error
    if not path.is_file():
        message = f"File {path} is missing; put it there, or set on_bad_recording to 'skip' to go on without it."
        raise InputError(message)
    try:
        return BioImage(path)
    except Exception as error:  # as above
        raise InputError(_damaged(path, error)) from error


def look_at_vendor_files(root: Path, settings: RecordingSettings) -> Iterator[Looked]:
    """Look at every vendor file of a folder; no pixel is decoded.

    Parameters
    ----------
    root : Path
        Folder of recordings.
    settings : RecordingSettings
        Which files, and what they do not say.

    Yields
    ------
    Looked
        A recording a scene, or why it cannot be used.

    Raises
    ------
    InputError
        If there is no such file.
    """
    for path in find_files(root, settings.files, _SUFFIXES):
        name, place = recording_name(root, path, (path.suffix.lower(),)), path.relative_to(root).as_posix()
        try:
            check_inside(root, name, [place])
            image = open_vendor_file(path)
            n_scenes = len(image.scenes)
        except InputError as error:
            yield Looked(name, place, error)
            continue
        for scene in range(n_scenes):
            called = name if n_scenes == 1 else f"{name}_{scene}"
            try:
                yield Looked(called, place, _examine(path, place, image, scene, settings))
            except InputError as error:
                yield Looked(called, place, error)


def _examine(path: Path, place: str, image: Any, scene: int, settings: RecordingSettings) -> Examined:
    try:
        image.set_scene(scene)
        sizes = {axis: int(getattr(image.dims, axis)) for axis in "TCZYX"}
        dtype = str(np.dtype(image.dtype).newbyteorder("="))
        names = tuple(str(name) for name in image.channel_names or ())
        interval_min = _minutes(image.time_interval)
        size_um = usable(getattr(image.physical_pixel_sizes, "X", None))
    except Exception as error:  # as above
        raise InputError(_damaged(path, error)) from error
    check_plane(str(path), settings.z, sizes["Z"])
    header = StackHeader(
        n_frames=sizes["T"],
        n_channels=sizes["C"],
        n_planes=sizes["Z"],
        height_px=sizes["Y"],
        width_px=sizes["X"],
        dtype=dtype,
        channels=names if len(names) == sizes["C"] else None,
        frame_interval_min=interval_min,
        pixel_size_um=size_um,
    )
    frame_files = tuple(FrameFile(frame, place) for frame in range(header.n_frames))
    return Examined(header, frame_files, {"image_format": "vendor", "scene": str(scene)})


def _minutes(interval: object) -> float | None:
    """Minutes of what bioio gives as time between frames: a timedelta, or seconds."""
    if isinstance(interval, dt.timedelta):
        return usable(interval.total_seconds() / 60)
    seconds = usable(interval)
    return None if seconds is None else seconds / 60


def _damaged(path: Path, cause: object) -> str:
    reason = str(cause).splitlines()[0] if str(cause) else type(cause).__name__
    return f"File {path} cannot be read by bioio ({reason}); {ADVICE}"
