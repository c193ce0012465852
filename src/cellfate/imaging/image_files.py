"""Files with one image, TIFF or PNG: their header and their pixels."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from cellfate.core.errors import InputError
from cellfate.imaging import png, tiff
from cellfate.imaging.headers import ImageHeader
from cellfate.imaging.missing_frames import advise
from cellfate.imaging.planes import project
from cellfate.imaging.settings import RecordingSettings

Place = TypeVar("Place")


@dataclass(frozen=True)
class ImageFiles:
    """Frames that lie in files of one image each; a file holds a frame, a channel of it, or a plane of a channel.

    Attributes
    ----------
    root : Path
        Folder that the names start from.
    file_names : tuple of tuple of str
        Files of every frame: the planes of the first channel, then of the next.
    n_planes : int
        Planes a channel, of which the maximum is taken.
    """

    root: Path
    file_names: tuple[tuple[str, ...], ...]
    n_planes: int = 1

    @property
    def n_frames(self) -> int:
        """Number of frames."""
        return len(self.file_names)

    def place(self, frame: int) -> str:
        """Name the first file of a frame."""
        return str(self.root / self.file_names[frame][0])

    def read(self, frame: int) -> NDArray[Any]:
        """Decode one frame, as `FrameSource.read`; each of its files is decoded once."""
        names = self.file_names[frame]
        images = [read_pixels(self.root / name) for name in names]
        if len(images) == 1:
            return images[0]
        for image, name in zip(images, names, strict=True):
            if image.shape != images[0].shape or image.dtype != images[0].dtype or len(image) != 1:
                raise InputError(
                    f"File {self.root / name} has shape {image.shape} (S, Y, X) and type {image.dtype}, but "
                    f"{names[0]} has {images[0].shape} and {images[0].dtype}, and one sample a pixel was expected; "
                    "replace the file."
                )
        planes = np.stack([image[0] for image in images])
        return project(planes.reshape(-1, self.n_planes, *planes.shape[1:]), "max")


def read_header(path: Path) -> ImageHeader:
    """Read what a TIFF or PNG holds without decoding it.

    Raises
    ------
    InputError
        If the file is missing, damaged, cut short, or holds several images.
    """
    header: ImageHeader = _reader(path).read_header(path)
    return header


def read_headers(
    root: Path, files: Mapping[Place, str], settings: RecordingSettings
) -> tuple[dict[Place, ImageHeader], dict[Place, InputError]]:
    """Read the headers of files; where frames may be missing, what is wrong with some is returned and not raised."""
    headers: dict[Place, ImageHeader] = {}
    faults: dict[Place, InputError] = {}
    for place, file_name in files.items():
        try:
            headers[place] = read_header(root / file_name)
        except InputError as error:
            if settings.on_missing_frames == "stop":
                raise advise(error) from error
            faults[place] = error
    return headers, faults


def read_pixels(path: Path) -> NDArray[Any]:
    """Decode the one image of a TIFF or PNG: shape (S, Y, X), native dtype; S is 1 for a grey image.

    Raises
    ------
    InputError
        As `read_header`, and if the pixels cannot be decoded.
    """
    pixels: NDArray[Any] = _reader(path).read_pixels(path)
    return pixels


def _reader(path: Path) -> ModuleType:
    return png if path.suffix.lower() == ".png" else tiff
