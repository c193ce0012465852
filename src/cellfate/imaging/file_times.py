"""Time as file names say it: a number of a frame, a date and time, or time since the start."""

import bisect
import datetime as dt
import itertools
import re
from dataclasses import dataclass
from math import nan
from statistics import median_low

from cellfate.core.errors import InputError
from cellfate.imaging.headers import MOST_FRAMES
from cellfate.imaging.settings import RecordingSettings

_DATE = re.compile(r"(\d{4})y(\d{2})m(\d{2})d_(\d{2})h(\d{2})m")
_ELAPSED = re.compile(r"(\d+)d(\d{2})h(\d{2})m")
_EVEN_WITHIN = 0.25
"""Largest relative difference between a step of time stamps and the usual step; more is a missing or an extra frame."""
_CLOCK_CHANGE_MIN = 60


@dataclass(frozen=True)
class FileClock:
    """Which frame a time in a file name is.

    Attributes
    ----------
    values : tuple of int
        The time of every frame: its number, or minutes.
    labels : dict of int to str
        How a file name writes it.
    interval_min : float or None
        Minutes between two frames; None where names only number them.
    """

    values: tuple[int, ...]
    labels: dict[int, str]
    interval_min: float | None

    @property
    def times_min(self) -> tuple[float, ...]:
        """Minutes of every frame, NaN where no file has it; empty where names only number them."""
        return () if self.interval_min is None else tuple(v if v in self.labels else nan for v in self.values)

    @property
    def n_frames(self) -> int:
        """Number of frames."""
        return len(self.values)

    def frame_of(self, text: str) -> int:
        """Frame number of a time."""
        return bisect.bisect_left(self.values, _read_time(text)[0])

    def label(self, frame: int) -> str:
        """Time of a frame as names write it."""
        return self.labels.get(self.values[frame], str(self.values[frame]))


def order_times(recording_id: str, times: dict[str, str], settings: RecordingSettings) -> FileClock:
    """Order the times of a recording's files: texts as they stand in file names, with a file that has it.

    Numbers are frames and may start at any number; a number that no file has is a frame that is missing. Time stamps
    must be evenly spaced, to a quarter of the usual step: a longer step is taken for missing frames where these may be
    left out, unless the files alone count.

    Raises
    ------
    InputError
        If a time cannot be read, or stamps are not evenly spaced and nobody said what then.
    """
    labels: dict[int, str] = {}
    kinds: dict[str, str] = {}
    for text, file_name in times.items():
        try:
            value, kind = _read_time(text)
        except ValueError as error:
            raise InputError(
                f"File {file_name} of recording '{recording_id}' gives '{text}' as its time, but a number or a stamp "
                "such as 2020y01m05d_04h00m or 00d04h30m was expected; correct the pattern."
            ) from error
        labels.setdefault(value, text)
        kinds.setdefault(kind, file_name)
    if len(kinds) > 1:
        raise InputError(
            f"Recording '{recording_id}' has files with times of different kinds, such as "
            f"{' and '.join(kinds.values())}, so that their order is not known; name all in one way, or move some away."
        )
    values = sorted(labels)
    if "number" in kinds:
        return FileClock(_every_number(recording_id, values), labels, None)
    usual = _usual_step(values)
    uneven = _find_uneven(values, usual)
    if uneven and settings.uneven_times == "stop":
        if settings.on_missing_frames == "stop":
            raise InputError(_tell_uneven(recording_id, uneven[0], usual, labels, "date" in kinds))
        values = _fill(values, usual)
    return FileClock(tuple(values), labels, usual or None)


def _every_number(recording_id: str, values: list[int]) -> tuple[int, ...]:
    if values[-1] - values[0] >= MOST_FRAMES:
        raise InputError(
            f"The files of recording '{recording_id}' are numbered {values[0]} to {values[-1]} in time, but fewer than "
            f"{MOST_FRAMES} frames were expected; correct the pattern."
        )
    return tuple(range(values[0], values[-1] + 1))


def _usual_step(values: list[int]) -> float:
    """Usual minutes between stamps; 0 where there is one stamp."""
    steps = [after - before for before, after in itertools.pairwise(values)]
    return float(median_low(steps)) if steps else 0.0


def _find_uneven(values: list[int], usual: float) -> list[tuple[int, int]]:
    return [pair for pair in itertools.pairwise(values) if abs((pair[1] - pair[0]) / usual - 1) > _EVEN_WITHIN]


def _fill(values: list[int], usual: float) -> list[int]:
    """Put stamps of missing frames where a step is a multiple of the usual one; other steps stay as they are."""
    filled = values[:1]
    for before, after in itertools.pairwise(values):
        count = round((after - before) / usual)
        if count > 1 and abs((after - before) / usual - count) <= _EVEN_WITHIN and count < MOST_FRAMES:
            filled += [before + round(number * (after - before) / count) for number in range(1, count)]
        filled.append(after)
    return filled


def _tell_uneven(recording_id: str, pair: tuple[int, int], usual: float, labels: dict[int, str], is_date: bool) -> str:
    before, after = pair
    clock = is_date and abs(abs(after - before - usual) - _CLOCK_CHANGE_MIN) <= _EVEN_WITHIN * usual
    return (
        f"Recording '{recording_id}' has frames at {labels[before]} and {labels[after]} with none between, "
        f"{after - before} min apart, but its frames are {usual:g} min apart{' (did clocks change?)' * clock}; add the "
        "missing frame, or remove the one too many; or set recordings.on_missing_frames to 'cut' or 'gap' if frames "
        "are missing, or recordings.uneven_times to 'frames_count' if none is."
    )


def _read_time(text: str) -> tuple[int, str]:
    if text.isascii() and text.isdigit():
        return int(text[:18]), "number"
    if match := _DATE.fullmatch(text):
        moment = dt.datetime(*map(int, match.groups()), tzinfo=dt.UTC)  # type: ignore[misc, arg-type]
        return int(moment.timestamp()) // 60, "date"
    if match := _ELAPSED.fullmatch(text):
        days, hours, minutes = map(int, match.groups())
        return (days * 24 + hours) * 60 + minutes, "elapsed"
    raise ValueError(text)
