"""When events of a table of fates happened: whether its times are numbers, and in which unit."""

import math
import re

import numpy as np
import pandas as pd

from cellfate.core.text_tables import parse_numbers
from cellfate.recognition.columns import time_unit
from cellfate.recognition.images import Images
from cellfate.recognition.proposals import Proposal, ask, found
from cellfate.tracks.event_times import UNITS

_OTHERS = {"s": "seconds", "d": "days"}
_CLOCK = re.compile(r"\d+:\d\d")


def unreadable(column: pd.Series) -> str:
    """Say what stands in a column of times that is no number; empty where all are numbers."""
    given = column[column.str.strip() != ""]
    wrong = given[~pd.notna(parse_numbers(given))]
    if len(given) == 0:
        return "nothing"
    if len(wrong) == 0:
        return ""
    seen = f"{wrong.iloc[0].strip()!r:.40} in line {wrong.index[0]}"
    is_clock = _CLOCK.match(wrong.iloc[0].strip())
    return f"the clock time {seen}; write hours as numbers, such as 1.5" if is_clock else seen


def fates_time_unit(table: pd.DataFrame, times: list[str], name: str, images: Images) -> Proposal:
    """Tell hours, minutes and frames apart: by the name of the column, else by what fits the recordings' length.

    Several `times` are columns of which it is open which is meant.
    """
    key, listed = "tracks.fates_time_unit", " or ".join(times)
    named = {time_unit(column) for column in times}
    if named in ({"h"}, {"frame"}, {"min"}):
        return found(key, named.pop(), f"the name of column {listed}")
    if len(times) > 1:
        units = "hours (h), minutes (min) or frames (frame)"
        return ask(key, f"Does the column of {name} that says when ({listed}) hold {units}?")
    numbers = parse_numbers(table[times[0]])
    numbers = numbers[np.isfinite(numbers)]
    seen = f"column {listed} of {name} has times up to {numbers.max():g}"
    if named != {None}:
        calls = _OTHERS.get(str(*named), f"'{str(*named)}'")
        return ask(
            key, f"{seen}, which its name calls {calls}; write hours or minutes into the table, then set h or min."
        )
    fitting = _fitting_units(numbers, images)
    if len(fitting) == 1:
        return found(key, fitting[0], f"{seen}, which fit as {UNITS[fitting[0]]} alone")
    if not fitting:
        return ask(
            key,
            f"{seen}, which fits neither hours (h) nor minutes (min) nor frames (frame): see that it is the time since "
            "the first frame, and correct the table.",
        )
    both = {"h": "hours since the first frame (h)", "frame": "frames (frame)", "min": "minutes (min)"}
    choices, all_fit = ", or ".join(both[unit] for unit in fitting), "Both fit" if len(fitting) == 2 else "All fit"
    return ask(key, f"{seen}: {choices}? {all_fit}.")


def _fitting_units(numbers: "np.ndarray[tuple[int], np.dtype[np.float64]]", images: Images) -> list[str]:
    """Units in which times fit the length of recordings; minutes where they fall on frames, or nothing else fits."""
    n_frames, interval_min = images.header.n_frames if images.header else math.inf, images.frame_interval_min
    length_min = n_frames * (interval_min or math.inf)
    are_whole, latest = bool((numbers % 1 == 0).all()), float(numbers.max())
    fits = {"h": latest * 60 <= length_min, "frame": are_whole and latest <= n_frames}
    on_frames = interval_min is None or bool(np.isclose(numbers / interval_min, np.rint(numbers / interval_min)).all())
    fits["min"] = latest <= length_min and (on_frames or not any(fits.values()))
    return [unit for unit, does in fits.items() if does]
