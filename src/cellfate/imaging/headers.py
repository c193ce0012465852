"""What is known of images before any is decoded."""

import logging
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from cellfate.core.errors import InputError

_log = logging.getLogger(__name__)
_SAME_WITHIN = 0.01
"""Relative difference up to which a file and a parameter say the same."""

MOST_FRAMES = 1_000_000
"""Frames of a recording: a larger number is a mistake, or a file made to exhaust the memory."""
ADVICE = "replace the file, or set recordings.on_bad_recording to 'skip' to go on without its recording."


@dataclass(frozen=True)
class Remark:
    """Something about a recording that a person should know although it can be used.

    Attributes
    ----------
    check : str
        Check of the preflight that it is told under, a warning.
    text : str
        What was found and what to do; a sentence that goes on after the name of the recording, without the full stop.
    frame : int or None
        The first frame that it is about.
    """

    check: str
    text: str
    frame: int | None = None


@dataclass(frozen=True)
class ImageHeader:
    """What the header of a file with one image says.

    Attributes
    ----------
    axes : str
        `YX`, or with several samples a pixel `YXS` or `SYX`.
    n_samples, height_px, width_px : int
        Samples a pixel, rows, columns.
    dtype : str
        NumPy name of the pixel type.
    time_min : float or None
        When the image was taken, in minutes since anything; it does not count when headers are compared.
    """

    axes: str
    n_samples: int
    height_px: int
    width_px: int
    dtype: str
    time_min: float | None = field(default=None, compare=False)

    def describe(self) -> str:
        """Say it in words."""
        return f"{self.width_px} x {self.height_px} px, {self.dtype}, {self.n_samples} sample(s) ({self.axes})"


@dataclass(frozen=True)
class StackHeader:
    """What is known of a whole recording before it is decoded.

    Attributes
    ----------
    n_frames, n_channels, n_planes, height_px, width_px : int
        Sizes of T, C, Z, Y and X.
    dtype : str
        NumPy name of the pixel type.
    channels : tuple of str, or None
        Names that the file gives its channels.
    frame_interval_min, pixel_size_um : float or None
        What the file says; None where it says nothing, or nothing that can be.
    pixel_sides_um : tuple of float, or None
        Width and height of a pixel where they differ; then there is no pixel_size_um.
    times_min : tuple of float
        When each frame was taken, in minutes since anything, NaN where that is not known; empty: of none.
    """

    n_frames: int
    n_channels: int
    n_planes: int
    height_px: int
    width_px: int
    dtype: str
    channels: tuple[str, ...] | None = None
    frame_interval_min: float | None = None
    pixel_size_um: float | None = None
    pixel_sides_um: tuple[float, float] | None = None
    times_min: tuple[float, ...] = field(default=(), repr=False)


@dataclass(frozen=True)
class FrameFile:
    """A file that pixels of a frame are in.

    Attributes
    ----------
    frame : int
        Frame number.
    file_name : str
        Relative to the root, or a URL.
    channel, z : int or None
        The channel and plane that the file holds; None: all of them.
    label_file_name : str or None
        Label image of the frame.
    """

    frame: int
    file_name: str
    channel: int | None = None
    z: int | None = None
    label_file_name: str | None = None


@dataclass(frozen=True)
class Examined:
    """A recording that was looked at and found whole.

    Attributes
    ----------
    header : StackHeader
        What its files say.
    frame_files : tuple of FrameFile
        Where its pixels are, ordered by frame, channel and plane.
    reopening : dict of str to str
        What else is needed to read them: columns of `Recordings`.
    missing : tuple of int
        Frames of which pixels are missing, ordered: those among n_frames, which stay gaps, and those after.
    remarks : tuple of Remark
        What a person should know.
    """

    header: StackHeader
    frame_files: tuple[FrameFile, ...] = field(repr=False)
    reopening: dict[str, str] = field(default_factory=dict)
    missing: tuple[int, ...] = ()
    remarks: tuple[Remark, ...] = ()


@dataclass(frozen=True)
class Looked:
    """The outcome of looking at a recording.

    Attributes
    ----------
    recording_id : str
        Its name.
    source : str
        Its folder or file, relative to the root, or a URL.
    outcome : Examined or InputError
        What was found, or why it cannot be used.
    """

    recording_id: str
    source: str
    outcome: Examined | InputError


def look(recording_id: str, source: str, examine: Callable[[], Examined]) -> Looked:
    """Look at a recording: what `examine` finds, or the `InputError` that it raises."""
    try:
        return Looked(recording_id, source, examine())
    except InputError as error:
        return Looked(recording_id, source, error)


def missing_file(path: Path, error: OSError | None = None) -> InputError:
    """Error for the user about a file that is missing or, if `error` says so, cannot be opened."""
    reason = "is missing"
    if error is not None and not isinstance(error, FileNotFoundError):
        reason = f"cannot be read ({error.strerror})"
    return InputError(
        f"File {path} {reason}; put the file there, or set recordings.on_bad_recording to 'skip' to go on without its "
        "recording."
    )


def check_sizes(where: str, header: StackHeader, max_frame_mb: float) -> StackHeader:
    """Check before anything is decoded, or listed frame by frame, that the memory holds what a file claims.

    All channels and planes of a frame may take `max_frame_mb`.

    Raises
    ------
    InputError
        If a frame is larger, or there are more frames than any recording has.
    """
    frame_px = header.n_channels * header.n_planes * header.height_px * header.width_px
    frame_mb = frame_px * np.dtype(header.dtype).itemsize / 1e6
    if frame_mb > max_frame_mb:
        raise InputError(
            f"{where} claims frames of {header.n_channels} channel(s) x {header.n_planes} plane(s) x "
            f"{header.height_px} x {header.width_px} px, {frame_mb:.4g} MB each, but {max_frame_mb:g} MB are allowed; "
            "replace the file, or raise recordings.max_frame_mb if it is right."
        )
    if header.n_frames > MOST_FRAMES:
        raise InputError(f"{where} claims {header.n_frames} frames, more than {MOST_FRAMES}; {ADVICE}")
    return header


def check_regular(path: Path) -> None:
    """Check that a path, links followed, is a file with a beginning and an end: a pipe or a device would never end.

    Raises
    ------
    InputError
        If it is missing, or is anything else.
    """
    if not path.exists():
        raise missing_file(path)
    if not path.is_file():
        raise InputError(f"{path} is a folder, a pipe or a device, but a file with an image was expected; {ADVICE}")


def damaged(path: Path, cause: object, kind: str = "TIFF") -> str:
    """Sentence for the user about a damaged file."""
    return f"File {path} is not a whole, readable {kind} image ({first_line(cause)}); {ADVICE}"


def first_line(cause: object) -> str:
    """First line of an error, or its kind where it says nothing."""
    return str(cause).splitlines()[0] if str(cause) else type(cause).__name__


def usable(value: object) -> float | None:
    """Read a positive, finite number; None for anything else: files often say 0, -1 or NaN for what was never set."""
    try:
        number = float(str(value))
    except ValueError:
        return None
    return number if math.isfinite(number) and number > 0 else None


def written_interval(minutes: float | None) -> float | None:
    """Take an interval for one that somebody wrote, unless it is 1 s: programs fill that in where nobody did.

    Examples
    --------
    >>> written_interval(10.0), written_interval(1 / 60)
    (10.0, None)
    """
    return None if minutes is None or math.isclose(minutes * 60, 1, rel_tol=1e-6) else minutes


def pixel_facts(width_um: float | None, height_um: float | None) -> dict[str, Any]:
    """Say how large a pixel is: pixel_size_um of a square one, else pixel_sides_um.

    Examples
    --------
    >>> pixel_facts(0.5, 0.502), pixel_facts(0.5, None)
    ({'pixel_size_um': 0.5}, {'pixel_size_um': 0.5})
    >>> pixel_facts(0.5, 0.65)
    {'pixel_sides_um': (0.5, 0.65)}
    """
    if width_um is not None and height_um is not None and abs(height_um / width_um - 1) > _SAME_WITHIN:
        return {"pixel_sides_um": (width_um, height_um)}
    return {"pixel_size_um": width_um}


def settle_channels(recording_id: str, given: tuple[str, ...] | None, header: StackHeader) -> tuple[str, ...]:
    """Decide on the names of the channels: the parameter's, else the file's.

    Raises
    ------
    InputError
        If neither names them, or as many as there are were not named, or two have one name.
    """
    names = given or header.channels
    if names is None and header.n_channels == 1:
        names = ("channel",)
    if names is None:
        raise InputError(
            f"Recording '{recording_id}' has {header.n_channels} channels that its files do not name; give their names "
            "in recordings.channels."
        )
    if len(names) != header.n_channels:
        raise InputError(
            f"Recording '{recording_id}' has {header.n_channels} channel(s), but channels names {len(names)} "
            f"({', '.join(names)}); correct recordings.channels or the file."
        )
    if given and header.channels and given != header.channels:
        _log.warning(
            "Recording '%s': its file calls the channels %s but the parameter %s; the parameter is used",
            recording_id,
            ", ".join(header.channels),
            ", ".join(given),
        )
    if len(set(names)) < len(names) or any(not name.strip() or "|" in name for name in names):
        raise InputError(
            f"Recording '{recording_id}' calls its channels {', '.join(names)}, but different names without '|' were "
            "expected; name them in recordings.channels."
        )
    return names


def settle_interval(recording_id: str, given: float | None, found: float | None) -> float:
    """Decide on the minutes between two frames: the parameter's, else the file's.

    Raises
    ------
    InputError
        If neither says it.
    """
    minutes = found if given is None else given
    if minutes is None:
        raise InputError(
            f"The files of recording '{recording_id}' do not say the time between two frames (or say 0, or 1 s, which "
            "programs write where nobody did); give it in minutes in recordings.frame_interval_min."
        )
    return minutes
