"""When frames were taken, as files say it, held against the rule that a frame is one interval."""

import itertools
import math
from collections.abc import Sequence
from dataclasses import replace
from statistics import median

from cellfate.core.errors import InputError
from cellfate.imaging.headers import Remark, StackHeader, usable
from cellfate.imaging.settings import RecordingSettings

UNEVEN_TIMES = "uneven_times"
"""Check of the preflight under which uneven times are told."""
EVEN_WITHIN = 0.25
"""Largest relative difference between a step of times and the usual step; a larger one is a break."""
_DRIFT_FRAMES = 1.0
"""Frames by which times may leave the straight line from the first to the last; more, and the interval has changed."""
_SAME_WITHIN = 0.01
_CLOCK_CHANGE_MIN = 60.0
_SHOWN_STEPS = 5


def usual_step(times_min: Sequence[float]) -> float | None:
    """Median time between frames that follow each other.

    Parameters
    ----------
    times_min : sequence of float
        Time of every frame, in minutes; NaN where it is not known.

    Returns
    -------
    float or None
        Minutes; None where fewer than two times are known, or they do not go up.

    Examples
    --------
    >>> usual_step([0, 10, float("nan"), 30, 90])
    10.0
    """
    steps = [step for _, _, step in _steps(times_min)]
    return usable(median(steps)) if steps else None


def find_interval(header: StackHeader) -> float | None:
    """Minutes between two frames by a file: as it states, unless its times say otherwise."""
    stated, usual = header.frame_interval_min, usual_step(header.times_min)
    if stated is not None and (usual is None or abs(stated / usual - 1) <= _SAME_WITHIN):
        return stated
    return usual


def check_times(recording_id: str, header: StackHeader, settings: RecordingSettings) -> list[Remark]:
    """Check that every frame of a recording is one interval after the one before.

    Hours are counted from frames everywhere, so that uneven times make them wrong.

    Parameters
    ----------
    recording_id : str
        Recording, for messages.
    header : StackHeader
        What its files say.
    settings : RecordingSettings
        `uneven_times`: stop, or let frames count.

    Returns
    -------
    list of Remark
        Uneven times where frames count, and a stated interval that is not that of the times.

    Raises
    ------
    InputError
        If times are uneven and `uneven_times` is `stop`.
    """
    usual = usual_step(header.times_min)
    if usual is None:
        return []
    uneven = _find_uneven(header.times_min, usual)
    if uneven is not None and settings.uneven_times == "stop":
        raise InputError(
            f"Recording '{recording_id}' {uneven.text}, and hours are counted as frames times the interval; cut the "
            "recording there, or set recordings.uneven_times to 'frames_count' if every frame stands for one interval."
        )
    remarks = [] if uneven is None else [replace(uneven, text=f"{uneven.text}; every frame counts as one interval")]
    stated = header.frame_interval_min
    if stated is not None and abs(stated / usual - 1) > _SAME_WITHIN:
        text = f"has files that state an interval of {stated:g} min, but frames {usual:g} min apart by their times"
        remarks.append(Remark(UNEVEN_TIMES, f"{text}; what counts is recordings.frame_interval_min, else the times"))
    return remarks


def _steps(times_min: Sequence[float]) -> list[tuple[int, int, float]]:
    """Frames that follow each other among those with a time, and minutes a frame between them."""
    known = [(frame, time) for frame, time in enumerate(times_min) if math.isfinite(time)]
    return [(one, two, (later - time) / (two - one)) for (one, time), (two, later) in itertools.pairwise(known)]


def _find_uneven(times_min: Sequence[float], usual: float) -> Remark | None:
    steps = _steps(times_min)
    broken = [step for step in steps if abs(step[2] / usual - 1) > EVEN_WITHIN]
    if broken:
        return Remark(UNEVEN_TIMES, _tell_breaks(broken, usual), broken[0][1])
    first, last = steps[0][0], steps[-1][1]
    mean = (times_min[last] - times_min[first]) / (last - first)
    away = [(abs(times_min[frame] - times_min[first] - (frame - first) * mean), frame) for _, frame, _ in steps]
    farthest, frame = max(away)
    if farthest <= _DRIFT_FRAMES * mean:
        return None
    text = f"changes its interval: frame {frame} is {farthest:.3g} min off the time that even steps would give it"
    return Remark(UNEVEN_TIMES, text, frame)


def _tell_breaks(broken: list[tuple[int, int, float]], usual: float) -> str:
    steps = [f"{one} and {two} ({(two - one) * step:.4g} min)" for one, two, step in broken[:_SHOWN_STEPS]]
    more = f" and {len(broken) - _SHOWN_STEPS} more" if len(broken) > _SHOWN_STEPS else ""
    clock = any(abs(abs((two - one) * (step - usual)) - _CLOCK_CHANGE_MIN) < 0.1 * usual for one, two, step in broken)
    hint = "; a change of clocks looks like that" if clock else ""
    return f"has uneven times: {usual:.4g} min are usual, but not between frames {', '.join(steps)}{more}{hint}"
