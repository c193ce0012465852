"""Tracks that do not belong to their images: one finding a recording, instead of one a detection."""

from collections.abc import Callable

import numpy as np
import pandas as pd

from cellfate.core.tables import PreflightFindings
from cellfate.preflight.findings import make_findings
from cellfate.tracks.settings import DEFAULT_FILES, LABEL_FORMATS, OWN_FRAMES, TrackSettings

_MOST_STRAYS = 3
"""Detections of a recording that are told one by one, as strays; more of them are told together."""
_MOST = 0.5
"""Share of detections outside the image from which on the positions as a whole are told."""
_FIT = 0.95
"""Share of detections inside the image from which on another reading of the positions is taken for the right one."""


def find_misfits(placed: pd.DataFrame, tracks: TrackSettings, track_file: Callable[[str, str], str]) -> pd.DataFrame:
    """Find recordings whose tracks last longer than the images, or lie mostly outside them.

    Parameters
    ----------
    placed : DataFrame
        As `tracks.place_detections` gives them, with source.
    tracks : TrackSettings
        How the tracks were read: what may be said wrongly there.
    track_file : callable
        Name of the file that the tracks of a recording are in, given its name and its image file.

    Returns
    -------
    DataFrame
        Table `PreflightFindings`, of the checks absent_frame and outside, at most one row a recording and check.
    """
    found: list[pd.DataFrame] = [PreflightFindings.empty()]
    for name, marks in placed.groupby("recording_id"):
        image = str(marks["source"].iloc[0])
        where = f"In recording '{name}' ({image}; tracks in {track_file(str(name), image)})"
        absent, there = marks[~marks["exists"]], marks[marks["exists"]]
        outside = there[~(there["beyond_px"] <= 0)]
        if len(absent) > _MOST_STRAYS:
            found.append(_make("absent_frame", absent, f"{where} {_tell_absent(absent, there, tracks)}"))
        if len(outside) > max(_MOST_STRAYS, _MOST * len(there)):
            found.append(_make("outside", outside, f"{where} {_tell_outside(outside, there, tracks)}"))
    return pd.concat(found, ignore_index=True)


def leave_out(placed: pd.DataFrame, misfits: pd.DataFrame, check: str) -> pd.DataFrame:
    """Leave out recordings that have a misfit of a check: the rest is told one by one."""
    return placed[~placed["recording_id"].isin(misfits.loc[misfits["check"] == check, "recording_id"])]


def _make(check: str, marks: pd.DataFrame, sentence: str) -> pd.DataFrame:
    columns = {"recording_id": [marks["recording_id"].iloc[0]], "finding": [sentence], "value": [float(len(marks))]}
    return make_findings(check, pd.DataFrame({**columns, "limit": [0.0]}))


def _tell_absent(absent: pd.DataFrame, there: pd.DataFrame, tracks: TrackSettings) -> str:
    last, n_frames = absent["frame"].max(), absent["n_frames"].iloc[0]
    late_by_one = last == n_frames and absent["frame"].min() > 0 and not (there["frame"] == 0).any()
    if late_by_one and tracks.format not in OWN_FRAMES:
        advice = f"the tracks seem to count frames from {tracks.first_frame + 1}: set tracks.first_frame to that"
    else:
        advice = _ONE_FRAME if n_frames == 1 else "give all images, or the tracks of these images only"
    return (
        f"{_count(absent)} lie in frames {absent['frame'].min()} to {last}, but the images are the frames 0 to "
        f"{n_frames - 1}; {advice}."
    )


_ONE_FRAME = (
    "its images are read as one frame: if every file is a frame of a recording, set recordings.layout to file_pattern; "
    "if planes or channels are time points, set recordings.file_axes, such as TYX, of vendors' files after saving them "
    "as TIFF"
)


def _tell_outside(outside: pd.DataFrame, there: pd.DataFrame, tracks: TrackSettings) -> str:
    size = there.iloc[0]
    ranges = ", ".join(f"{axis} {there[f'{axis}_px'].min():.1f} to {there[f'{axis}_px'].max():.1f}" for axis in "xy")
    return (
        f"{len(outside) / len(there):.0%} of {_count(there)} lie outside the image, which is {size['width_px']} px "
        f"wide and {size['height_px']} px high, while positions go over {ranges} px; {_advise(there, tracks)}."
    )


def _advise(there: pd.DataFrame, tracks: TrackSettings) -> str:
    x, y = there["x_px"], there["y_px"]
    own_unit = tracks.format in DEFAULT_FILES and tracks.format not in LABEL_FORMATS
    if _share_inside(there, x, y) >= _FIT:
        named = {"csv": "in tracks.columns", "btrack": "by tracks.btrack_axes"}.get(str(tracks.format), "in the file")
        return f"x and y fit when swapped: correct that {named}"
    pixel_um = there["pixel_size_um"].iloc[0]
    for unit, factor, said in (("px", pixel_um, "pixels, read as micrometres"), ("um", 1 / pixel_um, "micrometres")):
        if own_unit and tracks.position_unit != unit and _share_inside(there, y * factor, x * factor) >= _FIT:
            return f"they fit as {said} ({pixel_um:g} um a pixel): if they are, set tracks.position_unit to {unit}"
    if own_unit:
        return "check whether the tracks are of these images, and in the unit that tracks.position_unit says"
    return "check whether the tracks are of these images"


def _share_inside(there: pd.DataFrame, y: pd.Series, x: pd.Series) -> float:
    inside = y.between(-0.5, there["height_px"] - 0.5) & x.between(-0.5, there["width_px"] - 0.5)
    return float(np.mean(inside))


def _count(marks: pd.DataFrame) -> str:
    return f"{len(marks)} detections of {marks['cell_id'].nunique()} cell(s)"
