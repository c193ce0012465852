"""Checks of the tracks of a recording as a whole: what looks well cell by cell, and cannot be right altogether."""

import numpy as np
import pandas as pd

from cellfate.core.fates import UNSCORED
from cellfate.core.tables import CELL
from cellfate.preflight.findings import list_findings
from cellfate.preflight.misfits import find_unit, other_units
from cellfate.preflight.settings import PreflightSettings
from cellfate.tracks.settings import TrackSettings

_FEWEST_CELLS = 10
"""Cells of a recording from which on shares of them are told."""
_FEWEST_LINEAGES = 20
"""Lineages of a recording from which on the part of the image that they lie in is told: fewer are so by chance."""
_FEW_SCORED = 0.2
"""Share of cells with a fate below which a table of fates is told."""
_CROWDED = 0.55
"""Share of the height and of the width within which all cells lie when they are told as crowded: half, and a bit."""
_CORNER = 0.15
"""Share of the occupied part within which cells begin at its corner, and by which its two sides may differ: positions
of a smaller image, or in a larger unit, fill a copy of the image."""
_SHOWN_FRAMES = 4
_HALF = 0.5
"""Share of a recording before which its last cell should not be seen."""


def check_whole_tracks(
    placed: pd.DataFrame, cells: pd.DataFrame, tracks: TrackSettings, settings: PreflightSettings
) -> list[pd.DataFrame]:
    """Find frames that seem to be times or counted from 1, cells in one part of the image, and few fates."""
    checks = (
        ("times", _find_times(placed, tracks), _TIMES),
        ("first_frame", _find_late_start(placed, tracks), _LATE_START),
        ("crowded", _find_crowded(placed, cells), _CROWD + _OTHER_UNIT * bool(other_units(tracks))),
        ("few_fates", _find_few_fates(cells, tracks), _FEW_FATES),
        ("early_end", _find_early_end(placed), _EARLY_END),
    )
    return [list_findings(cases, name, sentence, settings.max_rows_a_check) for name, cases, sentence in checks]


_LATE_START = (
    "no cell is in frame 0 and the first ones are in frame 1, as where frames are counted from 1; if they are, {advice}"
)
_TIMES = (
    "cells are only in frames {frames}, which are times of frames in {unit}; if they are meant so, set "
    "tracks.time_unit to {unit}"
)
_CROWD = (
    "all {n_lineages} lineages lie in the corner of x 0 to {x_px:.0f} px and y 0 to {y_px:.0f} px of an image that is "
    "{width_px} px wide and {height_px} px high, and fill it; check whether the tracks were made on a smaller copy of "
    "the images"
)
_OTHER_UNIT = ", or are in another unit (tracks.position_unit)"
_FEW_FATES = (
    "only {n_scored} of {n_cells} cells have a fate, the others are unscored; check whether {file} is the table of "
    "these tracks, and numbers cells as they do (tracks.fates_cell)"
)
_EARLY_END = (
    "the last cell is seen in frame {last} of {n_frames}; check the unit of the times (tracks.time_unit) and the end "
    "of the recording (recordings.traces.end_h)"
)


def _find_early_end(placed: pd.DataFrame) -> pd.DataFrame:
    """Find recordings without images in whose second half no cell is seen; value: the share that has cells."""
    bare = placed[placed["height_px"] == 0]
    ends = bare.groupby("recording_id").agg(last=("frame", "max"), n_frames=("n_frames", "first")).reset_index()
    ends = ends.assign(value=(ends["last"] + 1) / ends["n_frames"], limit=_HALF)
    return ends[ends["value"] < _HALF]


def _find_late_start(placed: pd.DataFrame, tracks: TrackSettings) -> pd.DataFrame:
    """Find recordings that begin in frame 1; value: the frame. Those with absent frames are told as such."""
    by_recording = placed.groupby("recording_id")
    firsts = by_recording["frame"].min()
    late, others = firsts.index[(firsts == 1) & by_recording["exists"].all()], firsts.index[firsts < 1]
    if len(others):
        advice = f"count them from {tracks.first_frame} in its file, as in that of recording '{others[0]}'"
    else:
        advice = f"set tracks.first_frame: {tracks.first_frame + 1}"
    cases = placed.drop_duplicates("recording_id").drop(columns=["cell_id", "frame", "file"])
    told = cases[cases["recording_id"].isin(late) & tracks.counts_frames]
    return told.assign(frame=1, value=1.0, limit=0.0, advice=advice)


def _find_times(placed: pd.DataFrame, tracks: TrackSettings) -> pd.DataFrame:
    """Find recordings whose frames are spaced like times; value: frames from one to the next."""
    rows = []
    for name, marks in placed.groupby("recording_id"):
        frames, unit = np.unique(marks["frame"]), find_unit(marks, tracks)
        if unit and marks["exists"].all():
            shown = ", ".join(map(str, frames[:_SHOWN_FRAMES])) + " ..."
            rows.append((name, shown, unit, float(np.diff(frames).min()), 1.0))
    return pd.DataFrame(rows, columns=["recording_id", "frames", "unit", "value", "limit"])


def _find_crowded(placed: pd.DataFrame, cells: pd.DataFrame) -> pd.DataFrame:
    """Find recordings whose lineages fill the corner of the image at the origin; value: the share of its area."""
    founders = cells[cells["parent_id"].isna()][CELL]
    starts = placed[placed["exists"]].drop_duplicates(CELL).merge(founders, on=CELL)
    by_recording = starts.groupby("recording_id")
    ends = placed[placed["exists"]].groupby("recording_id")[["y_px", "x_px"]].max()
    sizes = by_recording[["height_px", "width_px"]].first()
    table = ends.join(sizes, how="inner").join(by_recording.size().rename("n_lineages"))
    down, across = table["y_px"] / table["height_px"], table["x_px"] / table["width_px"]
    lowest = by_recording[["y_px", "x_px"]].min()
    begins = np.maximum(lowest["y_px"] / table["y_px"], lowest["x_px"] / table["x_px"])
    crowded = (np.maximum(down, across) <= _CROWDED) & (begins <= _CORNER)
    crowded &= (np.abs(down / across - 1) <= _CORNER) & (table["n_lineages"] >= _FEWEST_LINEAGES)
    told: pd.DataFrame = table.assign(value=down * across, limit=_CROWDED**2)[crowded].reset_index()
    return told


def _find_few_fates(cells: pd.DataFrame, tracks: TrackSettings) -> pd.DataFrame:
    """Find recordings of whose cells a table of fates tells but a few; value: the share."""
    if tracks.fates_file is None:
        return cells.head(0)
    scored = (cells["fate"] != UNSCORED).groupby(cells["recording_id"]).agg(["mean", "sum", "size"])
    told = scored[(scored["mean"] < _FEW_SCORED) & (scored["size"] >= _FEWEST_CELLS)].reset_index()
    told = told.rename(columns={"mean": "value", "sum": "n_scored", "size": "n_cells"})
    return told.assign(limit=_FEW_SCORED, file=tracks.fates_file)
