"""Records of the room: a folder of recordings, and one opened recording."""

from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cellfate.core.errors import InputError
from cellfate.imaging.frame_sources import FrameSource
from cellfate.imaging.tiff import read_label_image


@dataclass(frozen=True)
class RecordingFolder:
    """A folder of recordings on disk, in one of the known layouts.

    Attributes
    ----------
    root : Path
        The folder. It exists.

    Raises
    ------
    InputError
        If there is no such folder.
    """

    root: Path

    def __post_init__(self) -> None:
        if self.root.is_file():
            raise InputError(f"The folder of recordings {self.root} is a file; give the folder that it is in.")
        if not self.root.is_dir():
            raise InputError(f"The folder of recordings {self.root} does not exist; {_name_nearest(self.root)}.")


def _name_nearest(path: Path) -> str:
    """Say what there is in the place of a folder that does not exist."""
    there = next((folder for folder in path.parents if folder.is_dir()), Path())
    gone = path.relative_to(there).parts[0]
    near = get_close_matches(gone, sorted(found.name for found in there.iterdir() if found.is_dir()), 1)
    return f"did you mean {there / near[0]}" if near else f"in {there} there is no folder '{gone}'"


@dataclass(frozen=True)
class Recording:
    """One field of view over time; its pixels stay on disk until a frame is asked for.

    It holds no pixels and no open file, so it can be sent to another process.

    Attributes
    ----------
    recording_id : str
        Name of the recording.
    channels : tuple of str
        Channel names, in the order of the first axis of a frame.
    source : FrameSource
        Where its pixels come from.
    label_paths : tuple of (Path or None)
        Label image of every frame, or None where a frame has none.
    height_px, width_px : int
        Rows and columns of an image.
    dtype : str
        NumPy name of the camera's pixel type.
    missing_frames : frozenset of int
        Frames without pixels, which are never shown.
    """

    recording_id: str
    channels: tuple[str, ...]
    source: FrameSource
    label_paths: tuple[Path | None, ...]
    height_px: int
    width_px: int
    dtype: str
    missing_frames: frozenset[int] = frozenset()

    @property
    def n_frames(self) -> int:
        """Number of frames."""
        return self.source.n_frames

    def read_frame(self, frame: int) -> NDArray[Any]:
        """Decode one frame.

        Parameters
        ----------
        frame : int
            Frame number, from 0.

        Returns
        -------
        ndarray, shape (C, Y, X), the recording's dtype
            Pixels on the camera's own scale.

        Raises
        ------
        InputError
            If there is no such frame, it is missing, or its file is damaged or not what it was when the recording was
            opened.
        """
        self._checked(frame)
        if frame in self.missing_frames:
            raise InputError(f"Frame {frame} of recording '{self.recording_id}' is missing; ask for another.")
        try:
            image_cyx = self.source.read(frame)
        except InputError as error:
            raise InputError(self._unreadable(frame, error)) from error
        expected = (len(self.channels), self.height_px, self.width_px)
        if image_cyx.shape != expected or image_cyx.dtype != np.dtype(self.dtype):
            raise InputError(
                f"Frame {frame} of recording '{self.recording_id}' ({self.source.place(frame)}) has shape "
                f"{image_cyx.shape} (C, Y, X) and type {image_cyx.dtype}, but {expected} and {self.dtype} were found "
                "when it was opened; run data_processing again."
            )
        return image_cyx

    def read_labels(self, frame: int) -> NDArray[Any] | None:
        """Decode the label image of one frame: every pixel holds the cell_id it belongs to, or 0.

        Parameters
        ----------
        frame : int
            Frame number, from 0.

        Returns
        -------
        ndarray of integers, shape (Y, X), or None
            None where the frame has no label image.

        Raises
        ------
        InputError
            If there is no such frame, or its label image is damaged, has another size, or holds no integers.
        """
        path = self.label_paths[self._checked(frame)]
        if path is None:
            return None
        try:
            return read_label_image(path, self.height_px, self.width_px)
        except InputError as error:
            raise InputError(self._unreadable(frame, error)) from error

    def _checked(self, frame: int) -> int:
        if not 0 <= frame < self.n_frames:
            raise InputError(
                f"Frame {frame} of recording '{self.recording_id}' does not exist: its frames are 0 to "
                f"{self.n_frames - 1}; correct the frame number."
            )
        return frame

    def _unreadable(self, frame: int, error: InputError) -> str:
        return f"Frame {frame} of recording '{self.recording_id}' cannot be read: {error}"
