"""Recordings that are not whole: which frames are left out, as a person decides, and how these are written."""

import itertools
from collections.abc import Iterable, Mapping

from cellfate.core.errors import InputError
from cellfate.imaging.headers import Remark
from cellfate.imaging.settings import RecordingSettings

MISSING_FRAMES = "missing_frames"
"""Check of the preflight under which frames are told that are left out."""
_ADVICE = "; or set recordings.on_missing_frames to 'cut' or 'gap' to go on without what is missing."


def leave_out_frames(
    recording_id: str, n_frames: int, faults: Mapping[int, InputError], settings: RecordingSettings
) -> tuple[int, tuple[int, ...], tuple[Remark, ...]]:
    """Decide what becomes of a recording of which frames are missing.

    Parameters
    ----------
    faults : mapping of int to InputError
        Frames of which a plane, or all, is missing, and what is wrong with them.

    Returns
    -------
    n_frames : int
        Frames from 0 to the last that is used.
    missing : tuple of int
        All frames that are left out; those from `n_frames` on were cut off.
    remarks : tuple of Remark
        What was left out.

    Raises
    ------
    InputError
        The first fault, with what else can be done, if frames are missing and `on_missing_frames` is `stop`; or if no
        frame is whole, or none before the first that is missing and it is `cut`.
    """
    if not faults:
        return n_frames, (), ()
    error = faults[min(faults)]
    if settings.on_missing_frames == "stop":
        raise advise(error) from error
    whole = sorted(set(range(n_frames)) - set(faults))
    kept = min(faults) if settings.on_missing_frames == "cut" else (whole[-1] + 1 if whole else 0)
    if kept == 0:
        raise InputError(f"No frame of recording '{recording_id}' can be kept: {error}") from error
    left_out = tuple(sorted({*faults, *range(kept, n_frames)}))
    gaps = [frame for frame in left_out if frame < kept]
    text = f"is read without frame(s) {write_ranges(left_out)}: {str(error).rstrip('.').split('; ')[0]}"
    text += f"; a gap stays at frame(s) {write_ranges(gaps)}" if gaps else f"; the recording ends with frame {kept - 1}"
    return kept, left_out, (Remark(MISSING_FRAMES, text, left_out[0]),)


def advise(error: InputError) -> InputError:
    """Add to an error about a frame that recordings can be read without it."""
    return InputError(str(error).rstrip(".") + _ADVICE)


def write_ranges(frames: Iterable[int]) -> str:
    """Write frame numbers in short.

    Examples
    --------
    >>> write_ranges([3, 7, 8, 9])
    '3, 7-9'
    """
    runs = itertools.groupby(enumerate(sorted(frames)), key=lambda pair: pair[1] - pair[0])
    ends = [(run[0][1], run[-1][1]) for run in (list(group) for _, group in runs)]
    return ", ".join(f"{first}-{last}" if last > first else str(first) for first, last in ends)


def read_ranges(text: object) -> frozenset[int]:
    """Read what `write_ranges` wrote; nothing but text is no frame.

    Examples
    --------
    >>> sorted(read_ranges("3, 7-9")), read_ranges(None)
    ([3, 7, 8, 9], frozenset())
    """
    if not isinstance(text, str):
        return frozenset()
    parts = [part.split("-") for part in text.split(",") if part.strip()]
    return frozenset(frame for part in parts for frame in range(int(part[0]), int(part[-1]) + 1))
