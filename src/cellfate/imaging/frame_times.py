"""When frames were taken, as files say it, held against the rule that a frame is one interval."""

import itertools
import math
from collections.abc import Sequence
from dataclasses import replace
from statistics import median

from cellfate.core.errors import InputError
from cellfate.imaging.headers import Remark, StackHeader, usable, written_interval
from cellfate.imaging.settings import RecordingSettings

UNEVEN_TIMES = "uneven_times"
"""Check of the preflight under which uneven times are told."""
EVEN_WITHIN = 0.25
"""Largest relative difference between a step of times and the usual step; a larger one is a break."""
_DRIFT_FRAMES = 1.0
"""Frames by which times may leave the straight line from the first to the last; more, and the interval has changed."""
_SAME_WITHIN = 0.01
_MOST_BREAKS = 1 / 3
"""Share of steps that may differ from the usual one; with more, nobody knows what interval a frame stands for."""
_CLOCK_CHANGE_MIN = 60.0
_SHOWN_STEPS = 5
_Step = tuple[int, int, float]
"""Two frames, and minutes a frame between them."""


def usual_step(times_min: Sequence[float]) -> float | None:
    """Median minutes between frames that follow each other, NaN where a time is not known.

    None where fewer than two times are known, or they do not go up.

    Examples
    --------
    >>> usual_step([0, 10, float("nan"), 30, 90])
    10.0
    """
    steps = [step for _, _, step in _steps(times_min)]
    return usable(median(steps)) if steps else None


def find_interval(header: StackHeader) -> float | None:
    """Minutes between two frames by a file: as it states, unless its times say otherwise.

    Times say nothing where they only count frames, or where there is no step that most frames keep.
    """
    stated, clear = header.frame_interval_min, _clear_step(header.times_min)
    return stated if clear is None or (stated is not None and not _contradict(stated, clear)) else clear


def check_times(recording_id: str, header: StackHeader, settings: RecordingSettings) -> list[Remark]:
    """Check that every frame of a recording is one interval after the one before.

    Hours are counted from frames everywhere, so that uneven times make them wrong. Told are uneven times where frames
    count, and a stated interval that is not that of the times.

    Raises
    ------
    InputError
        If times are uneven and `uneven_times` is `stop`, or nobody knows what interval a frame then stands for.
    """
    usual, stated = usual_step(header.times_min), header.frame_interval_min
    if not any(step for *_, step in _steps(header.times_min)):
        return []
    uneven = _find_uneven(header.times_min, usual)
    if uneven is None and written_interval(usual) is None:
        return _tell_counted(stated or settings.frame_interval_min)
    contradict = stated is not None and _contradict(stated, usual)
    if uneven is None:
        return [Remark(UNEVEN_TIMES, _OTHER.format(stated, usual))] if contradict else []
    said = f", while its files state an interval of {stated:g} min" if contradict else ""
    clear = _clear_step(header.times_min)
    is_clear = (stated is None) != (clear is None) or (clear is not None and not contradict)
    is_known = is_clear or settings.frame_interval_min is not None
    if settings.uneven_times == "stop" or not is_known:
        advice = _advise(settings, is_known, clear is not None)
        raise InputError(f"Recording '{recording_id}' {uneven.text}{said}, and hours are counted as {advice}")
    return [replace(uneven, text=f"{uneven.text}{said}; every frame counts as one interval")]


_OTHER = (
    "has files that state an interval of {:g} min, but frames {:g} min apart by their times; what counts is "
    "recordings.frame_interval_min, else the times"
)


def _tell_counted(interval_min: float | None) -> list[Remark]:
    """Tell of times that only count frames, where an interval is known that they contradict."""
    if written_interval(interval_min) is None:
        return []  # without an interval, opening asks for one
    text = f"has files whose times are 1 s apart, but an interval of {interval_min:g} min is stated or given"
    return [Remark(UNEVEN_TIMES, f"{text}; such times only count frames, and are not used")]


def _advise(settings: RecordingSettings, is_known: bool, is_break: bool) -> str:
    """Say how to go on with uneven times, all at once."""
    if settings.uneven_times == "frames_count":
        return "frames times the interval; give in recordings.frame_interval_min the interval that a frame stands for."
    cut = "cut the recording there, or " if is_break else ""
    interval = "" if is_known else ", and recordings.frame_interval_min to that interval"
    counting = "set recordings.uneven_times to 'frames_count' if every frame stands for one interval"
    return f"frames times the interval; {cut}{counting}{interval}."


def _contradict(stated: float, by_times: float | None) -> bool:
    return by_times is None or abs(stated / by_times - 1) > _SAME_WITHIN


def _clear_step(times_min: Sequence[float]) -> float | None:
    """Take the usual step for the interval if most steps are it; of 1 s, it only counts frames."""
    usual = written_interval(usual_step(times_min))
    if usual is None:
        return None
    steps = _steps(times_min)
    return usual if len(_find_breaks(steps, usual)) <= _MOST_BREAKS * len(steps) else None


def _find_breaks(steps: list[_Step], usual: float) -> list[_Step]:
    return [step for step in steps if abs(step[2] / usual - 1) > EVEN_WITHIN]


def _steps(times_min: Sequence[float]) -> list[_Step]:
    """Frames that follow each other among those with a time, and minutes a frame between them."""
    known = [(frame, time) for frame, time in enumerate(times_min) if math.isfinite(time)]
    return [(one, two, (later - time) / (two - one)) for (one, time), (two, later) in itertools.pairwise(known)]


def _find_uneven(times_min: Sequence[float], usual: float | None) -> Remark | None:
    steps = _steps(times_min)
    if usual is None:
        broken = [step for step in steps if step[2] <= 0]
        return Remark(UNEVEN_TIMES, f"has times that do not go up between frames {_list(broken)}", broken[0][1])
    broken = _find_breaks(steps, usual)
    if broken:
        told = _tell_breaks(broken, usual) if len(broken) <= _MOST_BREAKS * len(steps) else _tell_spread(steps)
        return Remark(UNEVEN_TIMES, told, broken[0][1])
    first, last = steps[0][0], steps[-1][1]
    mean = (times_min[last] - times_min[first]) / (last - first)
    away = [(abs(times_min[frame] - times_min[first] - (frame - first) * mean), frame) for _, frame, _ in steps]
    farthest, frame = max(away)
    if farthest <= _DRIFT_FRAMES * mean:
        return None
    text = f"changes its interval: frame {frame} is {farthest:.3g} min off the time that even steps would give it"
    return Remark(UNEVEN_TIMES, text, frame)


def _tell_breaks(broken: list[_Step], usual: float) -> str:
    clock = any(abs(abs((two - one) * (step - usual)) - _CLOCK_CHANGE_MIN) < 0.1 * usual for one, two, step in broken)
    hint = "; a change of clocks looks like that" if clock else ""
    return f"has uneven times: {usual:.4g} min are usual, but not between frames {_list(broken)}{hint}"


def _tell_spread(steps: list[_Step]) -> str:
    lengths = [step for _, _, step in steps]
    kept = f"{min(lengths):.4g} to {max(lengths):.4g} min a frame, and none that most frames keep"
    return f"has uneven times: {kept}, such as between frames {_list(steps[:2])}"


def _list(broken: list[_Step]) -> str:
    steps = [f"{one} and {two} ({(two - one) * step:.4g} min)" for one, two, step in broken[:_SHOWN_STEPS]]
    more = f" and {len(broken) - _SHOWN_STEPS} more" if len(broken) > _SHOWN_STEPS else ""
    return ", ".join(steps) + more
