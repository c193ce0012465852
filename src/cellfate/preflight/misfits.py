"""Tracks that do not belong to their images: one finding a recording, instead of one a detection."""

from collections.abc import Callable

import numpy as np
import pandas as pd

from cellfate.core.tables import PreflightFindings
from cellfate.imaging.units import MINUTES, unit_in_name
from cellfate.preflight.findings import make_findings
from cellfate.tracks.settings import DEFAULT_FILES, LABEL_FORMATS, TIMED_FORMATS, TrackSettings

_MOST_STRAYS = 3
"""Detections of a recording that are told one by one, as strays; more of them are told together."""
_MOST = 0.5
"""Share of detections outside the image from which on the positions as a whole are told."""
_FIT = 0.95
"""Share of detections inside the image from which on another reading of the positions is taken for the right one."""

_FEWEST_TIMES = 3
"""Different times from which on another unit of them is looked for."""
_ROUNDED = 0.5
"""Times in a file of whole numbers were rounded by so much, at most."""
_COARSER = 2
"""Units in which a frame lasts less than so many times as long as in the one that was read are not looked for."""


def find_misfits(placed: pd.DataFrame, tracks: TrackSettings, track_file: Callable[[str, str], str]) -> pd.DataFrame:
    """Find recordings whose tracks last longer than the images, or lie mostly outside them: at most one row of each.

    `track_file` names the file that the tracks of a recording are in, given its name and its image file.
    """
    found: list[pd.DataFrame] = [PreflightFindings.empty()]
    for name, marks in placed.groupby("recording_id"):
        image = str(marks["source"].iloc[0])
        where = f"In recording '{name}' ({image}; tracks in {track_file(str(name), image)})"
        absent, there = marks[~marks["exists"]], marks[marks["exists"]]
        outside = there[~(there["beyond_px"] <= 0)]
        others = placed[placed["recording_id"] != name]
        advice = _advise_times(marks, tracks) or _advise_count(marks, others, tracks)
        if len(absent) > _MOST_STRAYS or (len(absent) and advice):
            found.append(_make("absent_frame", absent, f"{where} {_tell_absent(absent, advice)}"))
        if len(outside) > max(_MOST_STRAYS, _MOST * len(there)):
            found.append(_make("outside", outside, f"{where} {_tell_outside(outside, there, tracks)}"))
    return pd.concat(found, ignore_index=True)


def leave_out(placed: pd.DataFrame, misfits: pd.DataFrame, check: str) -> pd.DataFrame:
    """Leave out recordings that have a misfit of a check: the rest is told one by one."""
    return placed[~placed["recording_id"].isin(misfits.loc[misfits["check"] == check, "recording_id"])]


def _make(check: str, marks: pd.DataFrame, sentence: str) -> pd.DataFrame:
    columns = {"recording_id": [marks["recording_id"].iloc[0]], "finding": [sentence], "value": [float(len(marks))]}
    return make_findings(check, pd.DataFrame({**columns, "limit": [0.0]}))


def _tell_absent(absent: pd.DataFrame, advice: str) -> str:
    frames, n_frames = absent["frame"], absent["n_frames"].iloc[0]
    otherwise = _ONE_FRAME if n_frames == 1 else "give all images, or the tracks of these images only"
    return (
        f"{_count(absent)} lie in frames {frames.min()} to {frames.max()}, but the images are the frames 0 to "
        f"{n_frames - 1}; {advice or otherwise}."
    )


_ONE_FRAME = (
    "its images are read as one frame: if every file is a frame of a recording, set recordings.layout to file_pattern; "
    "if planes or channels are time points, set recordings.file_axes, such as TYX, of vendors' files after saving them "
    "as TIFF"
)


def _advise_times(marks: pd.DataFrame, tracks: TrackSettings) -> str:
    unit = find_unit(marks, tracks)
    return f"they fit as times in {unit}: if they are, set tracks.time_unit to {unit}" if unit else ""


def find_unit(marks: pd.DataFrame, tracks: TrackSettings) -> str:
    """Find a smaller unit of time in which the frames of one recording fit its images; empty where there is none."""
    interval, n_frames = float(marks["frame_interval_min"].iloc[0]), marks["n_frames"].iloc[0]
    steps = {"frame": 1.0} | {unit: interval / MINUTES[unit] for unit in ("min", "s", "h")}
    used = tracks.time_unit or "frame"
    times = np.unique(marks["frame"] + tracks.first_frame) * steps[used]
    if tracks.format not in TIMED_FORMATS or len(times) < _FEWEST_TIMES:
        return ""
    for unit, step in steps.items():
        frames = np.round(times / step)
        near = (np.abs(times - frames * step) <= _ROUNDED).all() and len(np.unique(frames)) == len(times)
        if step >= _COARSER * steps[used] and near and 0 <= frames.min() <= frames.max() < n_frames:
            return unit
    return ""


def _advise_count(marks: pd.DataFrame, others: pd.DataFrame, tracks: TrackSettings) -> str:
    """Say from where on frames seem to be counted, if all of a recording, or of all, fit when counted from there."""
    lowest, shift = int(marks["frame"].min()), int(marks["frame"].max()) + 1 - int(marks["n_frames"].iloc[0])
    if lowest < 0:
        shift = lowest
    first = tracks.first_frame + shift
    if not tracks.counts_frames or first < 0 or shift > min(lowest, 1) or not _fit(marks, shift).all():
        return ""
    apart = others[~_fit(others, shift)]
    if apart.empty:
        return f"the tracks seem to count frames from {first}: set tracks.first_frame to that"
    return (
        f"they seem to be counted from {first}, those of recording '{apart['recording_id'].iloc[0]}' from "
        f"{tracks.first_frame} (tracks.first_frame): count them alike in the files"
    )


def _fit(marks: pd.DataFrame, shift: int) -> pd.Series:
    return (marks["frame"] - shift).between(0, marks["n_frames"] - 1)


def _tell_outside(outside: pd.DataFrame, there: pd.DataFrame, tracks: TrackSettings) -> str:
    size = there.iloc[0]
    ranges = ", ".join(f"{axis} {there[f'{axis}_px'].min():.1f} to {there[f'{axis}_px'].max():.1f}" for axis in "xy")
    return (
        f"{len(outside) / len(there):.0%} of {_count(there)} lie outside the image, which is {size['width_px']} px "
        f"wide and {size['height_px']} px high, while positions go over {ranges} px; {_advise(there, tracks)}."
    )


def _advise(there: pd.DataFrame, tracks: TrackSettings) -> str:
    x, y, pixel_um = there["x_px"], there["y_px"], there["pixel_size_um"].iloc[0]
    if _share_inside(there, x, y) >= _FIT:
        return f"x and y fit when swapped: correct that {name_axes(tracks)}"
    for unit, factor, said in (("px", pixel_um, "pixels, read as micrometres"), ("um", 1 / pixel_um, "micrometres")):
        if unit in other_units(tracks) and _share_inside(there, y * factor, x * factor) >= _FIT:
            return f"they fit as {said} ({pixel_um:g} um a pixel): if they are, set tracks.position_unit to {unit}"
    of_these = "check whether the tracks are of these images, and the images neither cut out nor turned since"
    return of_these + ", and the unit that tracks.position_unit says" * bool(other_units(tracks))


def name_axes(tracks: TrackSettings) -> str:
    """Say where a person can correct which coordinate of the tracks is which."""
    named = {"csv": "in tracks.columns", "geff": "in tracks.columns", "btrack": "by tracks.btrack_axes"}
    return named.get(str(tracks.format), "in the file")


def other_units(tracks: TrackSettings) -> tuple[str, ...]:
    """Units in which positions can be, and were not read; TrackMate's XML says itself how large its pixels are."""
    if tracks.format not in DEFAULT_FILES or tracks.format in LABEL_FORMATS:
        return ()
    if tracks.position_unit is None:
        by_name = tracks.format == "csv" and "um" in {unit_in_name(tracks.columns.x), unit_in_name(tracks.columns.y)}
        stated = by_name or tracks.format in {"trackmate_csv", "geff", "imaris_csv"}
        return () if tracks.format == "trackmate_xml" else ("px", "um") if stated else ("um",)
    return ("px",) if tracks.position_unit == "um" else ("um",)


def _share_inside(there: pd.DataFrame, y: pd.Series, x: pd.Series) -> float:
    inside = y.between(-0.5, there["height_px"] - 0.5) & x.between(-0.5, there["width_px"] - 0.5)
    return float(np.mean(inside))


def _count(marks: pd.DataFrame) -> str:
    return f"{len(marks)} detections of {marks['cell_id'].nunique()} cell(s)"
