"""Vendor files (.nd2, .czi, .lif) through bioio, which is an extra; of these, a real .nd2 file was at hand."""

import datetime as dt
import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cellfate.core.errors import InputError
from cellfate.imaging.file_search import check_inside, find_files, name_root, recording_name
from cellfate.imaging.folder_contents import VENDOR_ENDINGS
from cellfate.imaging.headers import (
    ADVICE,
    Examined,
    FrameFile,
    Looked,
    StackHeader,
    check_regular,
    check_sizes,
    first_line,
    look,
    pixel_facts,
    usable,
)
from cellfate.imaging.missing_frames import leave_out_frames
from cellfate.imaging.planes import ZChoice, check_plane, project
from cellfate.imaging.reopening import Reopened
from cellfate.imaging.settings import RecordingSettings


@dataclass(frozen=True)
class VendorFile(Reopened):
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
        """Decode one frame, as `FrameSource.read`."""
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

    @cached_property
    def _image(self) -> Any:
        image = open_vendor_file(self.path)
        image.set_scene(self.scene)
        return image


def open_vendor_file(path: Path) -> Any:
    """Open a file with the bioio plugin for its kind.

    Raises
    ------
    InputError
        If bioio is not installed, or it cannot open the file.
    """
    try:
        from bioio import BioImage
    except ImportError as error:
        raise InputError(
            f"File {path} needs bioio, which is not installed; install the extra: pip install -e '.[formats]'."
        ) from error
    check_regular(path)
    try:
        return BioImage(path)
    except Exception as error:  # as above
        raise InputError(_damaged(path, error)) from error


def look_at_vendor_files(root: Path, settings: RecordingSettings) -> Iterator[Looked]:
    """Look at every vendor file of a folder; as `opening.LookAt`."""
    for path in find_files(root, settings, VENDOR_ENDINGS):
        name = recording_name(name_root(root, settings.files), path, (path.suffix.lower(),))
        place = path.relative_to(root).as_posix()
        try:
            check_inside(root, name, [place])
            image = open_vendor_file(path)
            n_scenes = len(image.scenes)
        except InputError as error:
            yield Looked(name, place, error)
            continue
        for scene in range(n_scenes):
            called = name if n_scenes == 1 else f"{name}_{scene}"
            yield look(called, place, partial(_examine, called, path, place, image, scene, settings))


def _examine(name: str, path: Path, place: str, image: Any, scene: int, settings: RecordingSettings) -> Examined:
    try:
        image.set_scene(scene)
        sizes = {axis: int(getattr(image.dims, axis)) for axis in "TCZYX"}
        dtype = str(np.dtype(image.dtype).newbyteorder("="))
        names = tuple(str(name) for name in image.channel_names or ())
        interval_min = _minutes(image.time_interval)
        sides = [usable(getattr(image.physical_pixel_sizes, axis, None)) for axis in "XY"]
        times_min, faults = _look_into_nd2(path, image, scene, sizes["T"])
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
        times_min=times_min,
        **pixel_facts(*sides),
    )
    check_sizes(f"File {path}", header, settings.max_frame_mb)
    n_frames, missing, remarks = leave_out_frames(name, header.n_frames, faults, settings)
    header = replace(header, n_frames=n_frames, times_min=header.times_min[:n_frames])
    frame_files = tuple(FrameFile(frame, place) for frame in range(n_frames) if frame not in missing)
    return Examined(header, frame_files, {"image_format": "vendor", "scene": str(scene)}, missing, remarks)


def _look_into_nd2(
    path: Path, image: Any, scene: int, n_frames: int
) -> tuple[tuple[float, ...], dict[int, InputError]]:
    """Minutes at which the frames of a position of an .nd2 file were begun, and frames of which an image is missing.

    bioio gives neither: it knows a planned interval only, and fills images that are not in the file with zeros.
    """
    if not type(image.reader).__module__.startswith("bioio_nd2"):
        return (), {}
    import nd2

    with nd2.ND2File(path) as file:
        events, places = file.events(orient="records"), file.loop_indices
        held = set(getattr(file._rdr, "_frame_offsets", range(len(places))))  # nothing public tells
    times: dict[int, float] = {}
    for event in events:
        frame, seconds = int(event.get("T Index", 0)), usable(event.get("Time [s]"))
        if int(event.get("P Index", 0)) == scene and seconds is not None:
            times[frame] = min(seconds / 60, times.get(frame, math.inf))
    faults: dict[int, InputError] = {}
    for number, at in enumerate(places):
        if number not in held and at.get("P", 0) == scene:
            where = f"frame {at.get('T', 0)}" + (f", plane {at['Z']}" if "Z" in at else "")
            faults.setdefault(at.get("T", 0), InputError(f"File {path} has no pixels of {where}; {ADVICE}"))
    return tuple(times.get(frame, math.nan) for frame in range(n_frames)) if times else (), faults


def _minutes(interval: object) -> float | None:
    """Minutes of what bioio gives as time between frames: a timedelta, or seconds."""
    if isinstance(interval, dt.timedelta):
        return usable(interval.total_seconds() / 60)
    seconds = usable(interval)
    return None if seconds is None else seconds / 60


def _damaged(path: Path, cause: object) -> str:
    return f"File {path} cannot be read by bioio ({first_line(cause)}); {ADVICE}"
