"""Times that a person wrote beside fates: the frames that they mean, and in which unit they fit the tracks."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cellfate.core.text_tables import real_numbers, whole_numbers
from cellfate.tracks.settings import TrackSettings

UNITS: Final = {"h": "hours", "min": "minutes", "frame": "frames"}
"""Values of `tracks.fates_time_unit`, and what they are called."""
_MINUTES: Final = {"h": 60.0, "min": 1.0}
_TOLERANCE_FRAMES: Final = 1e-6
_MOST_ROUNDING_FRAMES: Final = 0.25
"""Times that were rounded by more are not taken for those of the nearest frame."""
_MOST_LOST_FRAMES: Final = 12.0
"""A unit in which more than this was lost by rounding to frames is not proposed."""


def event_frames(
    times: pd.Series, censored: pd.Series, frame_interval_min: float, tracks: TrackSettings, path: Path
) -> pd.Series:
    """Find frames of events, first seen in the later of two frames, and of ends of watching, last seen in the earlier.

    Parameters
    ----------
    times : Series of str, length N
        In `tracks.fates_time_unit`, blank where none is given.
    censored : Series of bool, length N
        Whose time is the end of watching.

    Returns
    -------
    Series of Int64, length N
        From 0; null where no time is given.

    Raises
    ------
    InputError
        If a time is no number, or a frame no whole one.
    """
    given = times.str.strip() != ""
    frames = pd.Series(pd.NA, index=times.index, dtype="Int64")
    if tracks.fates_time_unit == "frame":
        frames[given] = whole_numbers(times[given], path) - tracks.first_frame
        return frames
    in_frames = _MINUTES[tracks.fates_time_unit] / frame_interval_min
    numbers = np.clip(real_numbers(times[given], path) * in_frames, -1e9, 1e9)
    tolerance = np.clip(_rounding(times[given]) * in_frames, _TOLERANCE_FRAMES, _MOST_ROUNDING_FRAMES)
    earlier, later = np.floor(numbers + tolerance), np.ceil(numbers - tolerance)
    frames[given] = np.where(censored[given], earlier, later).astype(np.int64)
    return frames


def read_otherwise(
    frames: pd.Series, first_frames: pd.Series, frame_interval_min: float, tracks: TrackSettings
) -> Iterator[tuple[pd.Series, float, str]]:
    """Read times in the other units, and as counted from the first frame of each cell.

    Parameters
    ----------
    frames : Series of float64
        As the times were read, from 0.
    first_frames : Series of float64
        First frame of each cell.

    Yields
    ------
    frames : Series of float64
        As another reading has it.
    finest : float
        How finely whole numbers tell frames in that unit.
    advice : str
        What they fit as, and what to do if that is so.

    Examples
    --------
    >>> tracks = TrackSettings(format="csv", fates_file="f.csv")
    >>> hours, first = pd.Series([10.0]), pd.Series([0.0])  # read as frames of 30 min
    >>> frames, finest, advice = next(read_otherwise(hours, first, 30.0, tracks))
    >>> frames.tolist(), finest, advice
    ([20.0], 2.0, 'as hours: if they are, set tracks.fates_time_unit to h')
    """
    if tracks.fates_file is not None or tracks.columns.event_frame is not None:
        yield from _in_other_units(frames, frame_interval_min, tracks)
    since_birth = "if they are counted from the first frame of each cell: give them from that of the recording"
    yield frames + first_frames, 0.0, since_birth


def _in_other_units(
    frames: pd.Series, frame_interval_min: float, tracks: TrackSettings
) -> Iterator[tuple[pd.Series, float, str]]:
    of_table = tracks.fates_file is not None
    read = tracks.fates_time_unit if of_table else "frame"
    a_unit = {unit: minutes / frame_interval_min for unit, minutes in _MINUTES.items()} | {"frame": 1.0}
    numbers = (frames + (tracks.first_frame if read == "frame" else 0)) / a_unit[read]
    lost = 0.0 if read == "frame" else 1 / a_unit[read]  # by rounding to frames
    for unit, name in UNITS.items():
        if unit == read or lost * a_unit[unit] > _MOST_LOST_FRAMES:
            continue
        finest = max(1.0, lost) * a_unit[unit]
        set_unit = f"set tracks.fates_time_unit to {unit}"
        do = set_unit if of_table else f"give frames in that column, or {name} in tracks.fates_file ({set_unit})"
        other = numbers * a_unit[unit] - (tracks.first_frame if unit == "frame" else 0)
        yield other, finest, f"as {name}: if they are, {do}"


def _rounding(times: pd.Series) -> NDArray[np.float64]:
    """Half of the last digit after the point: so much was rounded away, at most; of whole numbers nothing."""
    after_point = times.str.strip().str.extract(r"[.,](\d+)$", expand=False)
    decimals = after_point.str.len().to_numpy(np.float64, na_value=np.nan)
    return np.asarray(np.nan_to_num(0.5 * 10.0**-decimals), dtype=np.float64)
