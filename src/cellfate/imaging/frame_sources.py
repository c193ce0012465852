"""Where the pixels of a recording come from. Each format has a source in a file of its own."""

from pathlib import Path
from typing import Any, Literal, Protocol

import pandas as pd
from numpy.typing import NDArray

from cellfate.imaging.image_files import ImageFiles
from cellfate.imaging.missing_frames import read_ranges
from cellfate.imaging.ome_zarr import OmeZarr
from cellfate.imaging.planes import ZChoice
from cellfate.imaging.tiff_stacks import TiffStack
from cellfate.imaging.vendor_files import VendorFile

ImageFormat = Literal["image_files", "tiff_stack", "ome_zarr", "vendor"]
"""How pixels are stored, as the column image_format of `Recordings` says."""


class FrameSource(Protocol):
    """Frames of one recording. It is small, can be sent to another process, and keeps no file open."""

    @property
    def n_frames(self) -> int:
        """Number of frames."""
        ...

    def place(self, frame: int) -> str:
        """Name the file that a frame is in, for messages."""
        ...

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
            If a file is missing, damaged, or not what it was when the recording was opened.
        """
        ...


def open_source(root: Path, recording: dict[str, Any], frame_files: pd.DataFrame) -> FrameSource:
    """Rebuild the source of a recording from its row of `Recordings` and rows of `FrameFiles`; no file is opened yet.

    Tables of earlier versions know image files only.
    """
    kind = recording.get("image_format", "image_files")
    if kind == "image_files":
        return _image_files(root, frame_files)
    name, scene = str(frame_files["file_name"].iloc[0]), str(recording["scene"])
    z: ZChoice = "max" if recording["z"] == "max" else int(recording["z"])
    n_frames = int(recording["n_frames"])
    if kind == "tiff_stack":
        n_channels = len(str(recording["channels"]).split("|"))
        whole = not read_ranges(recording.get("missing_frames"))
        return TiffStack(root / name, int(scene), str(recording["file_axes"]), n_frames, n_channels, z, whole)
    if kind == "vendor":
        return VendorFile(root / name, int(scene), n_frames, z)
    place = name if "://" in name else str(root / name)
    axes = recording.get("file_axes")
    return OmeZarr(place, scene, n_frames, z, str(recording["missing_chunks"]), axes if isinstance(axes, str) else None)


def _image_files(root: Path, frame_files: pd.DataFrame) -> FrameSource:
    keys = ["frame", *(key for key in ("channel", "z") if key in frame_files.columns)]
    ordered = frame_files.sort_values(keys, kind="stable")
    of_frames = {int(str(frame)): tuple(group) for frame, group in ordered.groupby("frame")["file_name"]}
    names = tuple(of_frames.get(frame, ()) for frame in range(max(of_frames, default=-1) + 1))
    n_planes = int(ordered["z"].nunique()) if "z" in ordered.columns else 1
    return ImageFiles(root, names, max(n_planes, 1))
