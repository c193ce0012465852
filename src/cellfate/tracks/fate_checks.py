"""What a table of fates says, held against the tracks of its recording; what cannot be is told with its line."""

from pathlib import Path
from typing import Final

import pandas as pd

from cellfate.core.errors import InputError
from cellfate.core.fates import CENSORED, EVENTS, UNSCORED
from cellfate.tracks.event_times import UNITS, read_otherwise
from cellfate.tracks.records import TrackSource
from cellfate.tracks.settings import TrackSettings

NEAR_FRAMES: Final = 3.0
"""A time as near as this to the end of its track fits it."""
FIT: Final = 0.8
"""Share of the times that another unit must put right, to be named."""
_SHOWN: Final = 3


def check_fates(rows: pd.DataFrame, cells: pd.DataFrame, source: TrackSource, tracks: TrackSettings) -> None:
    """Refuse what a table of fates cannot mean.

    Parameters
    ----------
    rows : DataFrame
        cell_id, fate (null where blank), event_frame (Int64) and time (as it is written), indexed by the line.
    cells : DataFrame
        Cells of the recording, columns `reading.CELL_KINDS`.

    Raises
    ------
    InputError
        If a cell is not there, is listed twice, has another fate in its track, or an event without a time or a time
        without an event; or a time lies before its cell or after the movie. The table and a line are named.
    """
    path = source.find(str(tracks.fates_file))
    _check_cells(rows, cells, source, tracks, path)
    both = rows.reset_index(names="line").merge(cells, on="cell_id", how="inner", suffixes=("", "_of_tracks"))
    _check_words(both, source, tracks, path)
    _check_times(both, source, tracks, path)
    _check_zeros(both, source, tracks, path)


def advise_unit(timed: pd.DataFrame, frame_interval_min: float, tracks: TrackSettings) -> str:
    """Say in which other reading times lie near the ends of their tracks; empty where they do so in none.

    Parameters
    ----------
    timed : DataFrame
        event_frame, first_frame and last_frame.
    """
    end, frames, first = (timed[name].astype("float64") for name in ("last_frame", "event_frame", "first_frame"))
    for read, finest, text in read_otherwise(frames, first, frame_interval_min, tracks):
        if float(((read - end).abs() <= max(NEAR_FRAMES, finest) + 1).mean()) >= FIT:
            return f"the times fit {text}"
    return ""


def _check_cells(
    rows: pd.DataFrame, cells: pd.DataFrame, source: TrackSource, tracks: TrackSettings, path: Path
) -> None:
    column, recording = tracks.fates_columns.cell_id, f"of recording '{source.recording_id}'"
    twice = rows[rows["cell_id"].duplicated()]
    if len(twice):
        same = rows[rows["cell_id"] == twice["cell_id"].iloc[0]]
        said = ", ".join(same["fate"].fillna("blank").tolist()[:_SHOWN])
        lines = ", ".join(map(str, same.index[:_SHOWN]))
        raise InputError(
            f"The table of fates {path.name} lists cell {twice['cell_id'].iloc[0]} {recording} {len(same)} times "
            f"({said}; lines {lines}, column {column}), but a cell has one fate; keep one line."
        )
    unknown = rows[~rows["cell_id"].isin(cells["cell_id"])]
    if len(unknown) and len(cells):  # without cells the tracks themselves were not usable, and that is said elsewhere
        raise InputError(
            f"Line {unknown.index[0]} of the table of fates {path.name} lists cell {unknown['cell_id'].iloc[0]} "
            f"{recording} ({len(unknown)} such cells), which has no track; correct the number in column {column}, or "
            "remove the line."
        )


def _check_words(both: pd.DataFrame, source: TrackSource, tracks: TrackSettings, path: Path) -> None:
    columns, of_tracks = tracks.fates_columns, both["fate_of_tracks"].isin(EVENTS)
    says = both["fate"].notna() & (both["fate"] != UNSCORED)
    differing = both[says & of_tracks & (both["fate"] != both["fate_of_tracks"])]
    if len(differing):
        row = differing.iloc[0]
        raise InputError(
            f"{_line(row, path)} says {row['fate']} of cell {row['cell_id']} of recording '{source.recording_id}', "
            f"but its track says {row['fate_of_tracks']}, and a cell has one fate; correct column {columns.fate}, or "
            "the track."
        )
    without = both[both["fate"].isin(EVENTS) & both["event_frame"].isna() & both["event_frame_of_tracks"].isna()]
    if len(without):
        row = without.iloc[0]
        raise InputError(
            f"{_line(row, path)} says that cell {row['cell_id']} of recording '{source.recording_id}' has the fate "
            f"'{row['fate']}' but no event frame in column {columns.time} ({len(without)} such lines); fill it in, or "
            "name the column of its time in tracks.fates_columns.time."
        )
    is_blank = both["fate"].isna() & ~of_tracks
    timed = both[both["event_frame"].notna() & (is_blank | (both["fate"] == UNSCORED))]
    if len(timed):
        row = timed.iloc[0]
        raise InputError(
            f"By line {row['line']} of the table of fates {path.name} cell {row['cell_id']} of recording "
            f"'{source.recording_id}' is unscored but has an event in frame {row['event_frame']}; name its fate in "
            f"column {columns.fate}, or remove the time from column {columns.time}."
        )


def _check_zeros(both: pd.DataFrame, source: TrackSource, tracks: TrackSettings, path: Path) -> None:
    """Refuse 0 for no time: the cell would be shown in one frame only."""
    goes_on = (both["first_frame"] == 0) & (both["last_frame"] > NEAR_FRAMES)
    zeros = both[((both["fate"] == CENSORED) & (both["event_frame"] == 0) & goes_on).fillna(False).astype(bool)]
    if len(zeros):
        row = zeros.iloc[0]
        raise InputError(
            f"{_line(row, path)} puts the end of watching of cell {row['cell_id']} of recording "
            f"'{source.recording_id}' at {row['time'].strip()}, the first frame, but the cell is seen up to frame "
            f"{row['last_frame']} ({len(zeros)} such lines); leave column {tracks.fates_columns.time} blank "
            "where there is no time."
        )


def _check_times(both: pd.DataFrame, source: TrackSource, tracks: TrackSettings, path: Path) -> None:
    frame = both["event_frame"]
    beyond = source.n_frames + (both["fate"] == CENSORED)  # "lost after 8 frames" is all of 8
    early, late = frame < both["first_frame"], frame >= beyond
    wrong = both[(early | late).fillna(False).astype(bool)]
    if wrong.empty:
        return
    row = wrong.iloc[0]
    what = "the end of watching" if row["fate"] == CENSORED else "the event"
    is_early = bool(row["event_frame"] < row["first_frame"])
    unit = "" if tracks.fates_time_unit == "frame" else f" {tracks.fates_time_unit}"
    place = (
        f"before the cell is first seen in frame {row['first_frame']}"
        if is_early
        else f"but the movie has {source.n_frames} frames counted from 0"
    )
    known = UNITS[tracks.fates_time_unit]
    advice = advise_unit(both[frame.notna()], source.frame_interval_min, tracks) or (
        f"correct column {tracks.fates_columns.time}{' or the track' * is_early}, or, if its times are not {known}, "
        "tracks.fates_time_unit"
    )
    raise InputError(
        f"{_line(row, path)} puts {what} of cell {row['cell_id']} of recording '{source.recording_id}' at "
        f"{row['time'].strip()}{unit}, frame {row['event_frame']}, {place} ({len(wrong)} such lines); {advice}."
    )


def _line(row: pd.Series, path: Path) -> str:
    return f"Line {row['line']} of the table of fates {path.name}"
