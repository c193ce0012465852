"""What a table of fates says, held against the tracks of its recording; what cannot be is told with its line."""

from collections.abc import Callable
from functools import partial
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
Refuse = Callable[[pd.DataFrame, str], None]


def check_fates(rows: pd.DataFrame, cells: pd.DataFrame, source: TrackSource, tracks: TrackSettings) -> None:
    """Refuse what a table of fates cannot mean.

    `rows` has cell_id, fate (null where blank), event_frame (Int64) and time (as it is written), indexed by the line;
    `cells` of the recording have the columns `reading.CELL_KINDS`.

    Raises
    ------
    InputError
        If a cell is not there, is listed twice, has another fate in its track, or an event without a time or a time
        without an event; or a time lies before its cell or after the movie. The table and a line are named.
    """
    refuse = partial(_refuse, source, tracks)
    rows = rows.reset_index(names="line")
    _check_cells(rows, cells, refuse)
    both = rows.merge(cells, on="cell_id", how="inner", suffixes=("", "_of_tracks"))
    _check_words(both, refuse)
    _check_times(both, source, tracks, refuse)
    # 0 for no time: the cell would be shown in one frame only
    goes_on = (both["first_frame"] == 0) & (both["last_frame"] > NEAR_FRAMES)
    refuse(
        both[((both["fate"] == CENSORED) & (both["event_frame"] == 0) & goes_on).fillna(False).astype(bool)],
        "{where} puts the end of watching of {cell} at {time}, the first frame, but the cell is seen up to frame "
        "{last_frame} ({n} such lines); leave column {columns.time} blank where there is no time",
    )


def advise_unit(timed: pd.DataFrame, frame_interval_min: float, tracks: TrackSettings) -> str:
    """Say in which other reading times lie near the ends of their tracks; empty where they do so in none.

    `timed` has event_frame, first_frame and last_frame.
    """
    end, frames, first = (timed[name].astype("float64") for name in ("last_frame", "event_frame", "first_frame"))
    for read, finest, text in read_otherwise(frames, first, frame_interval_min, tracks):
        if float(((read - end).abs() <= max(NEAR_FRAMES, finest) + 1).mean()) >= FIT:
            return f"the times fit {text}"
    return ""


def _refuse(source: TrackSource, tracks: TrackSettings, wrong: pd.DataFrame, sentence: str) -> None:
    """Refuse the first of the rows that are wrong, with how many there are."""
    if wrong.empty:
        return
    row = {str(key): value for key, value in wrong.iloc[0].items()}
    table = f"table of fates {source.find(str(tracks.fates_file)).name}"
    told = {
        "where": f"Line {row['line']} of the {table}",
        "cell": f"cell {row['cell_id']} of recording '{source.recording_id}'",
        "time": row["time"].strip(),
        "table": table,
        "columns": tracks.fates_columns,
        "n": len(wrong),
    }
    raise InputError(f"{sentence.format(**row | told)}.")


def _check_cells(rows: pd.DataFrame, cells: pd.DataFrame, refuse: Refuse) -> None:
    same = rows[rows["cell_id"].isin(rows.loc[rows["cell_id"].duplicated(), "cell_id"].head(1))]
    said = ", ".join(same["fate"].fillna("blank").tolist()[:_SHOWN])
    lines = ", ".join(map(str, same["line"][:_SHOWN]))
    refuse(
        same.assign(said=said, lines=lines),
        "The {table} lists {cell} {n} times ({said}; lines {lines}, column {columns.cell_id}), but a cell has one "
        "fate; keep one line",
    )
    if len(cells):  # without cells the tracks themselves were not usable, and that is said elsewhere
        refuse(
            rows[~rows["cell_id"].isin(cells["cell_id"])],
            "{where} lists {cell} ({n} such cells), which has no track; correct the number in column "
            "{columns.cell_id}, or remove the line",
        )


def _check_words(both: pd.DataFrame, refuse: Refuse) -> None:
    of_tracks = both["fate_of_tracks"].isin(EVENTS)
    says = both["fate"].notna() & (both["fate"] != UNSCORED)
    refuse(
        both[says & of_tracks & (both["fate"] != both["fate_of_tracks"])],
        "{where} says {fate} of {cell}, but its track says {fate_of_tracks}, and a cell has one fate; correct column "
        "{columns.fate}, or the track",
    )
    refuse(
        both[both["fate"].isin(EVENTS) & both["event_frame"].isna() & both["event_frame_of_tracks"].isna()],
        "{where} says that {cell} has the fate '{fate}' but no event frame in column {columns.time} ({n} such lines); "
        "fill it in, or name the column of its time in tracks.fates_columns.time",
    )
    is_blank = both["fate"].isna() & ~of_tracks
    refuse(
        both[both["event_frame"].notna() & (is_blank | (both["fate"] == UNSCORED))],
        "By line {line} of the {table} {cell} is unscored but has an event in frame {event_frame}; name its fate in "
        "column {columns.fate}, or remove the time from column {columns.time}",
    )


def _check_times(both: pd.DataFrame, source: TrackSource, tracks: TrackSettings, refuse: Refuse) -> None:
    frame = both["event_frame"]
    beyond = source.n_frames + (both["fate"] == CENSORED)  # "lost after 8 frames" is all of 8
    early = (frame < both["first_frame"]).fillna(False).astype(bool)
    wrong = both[early | (frame >= beyond).fillna(False).astype(bool)]
    if wrong.empty:
        return
    is_early = bool(early[wrong.index[0]])
    place = f"but the movie has {source.n_frames} frames counted from 0"
    place = f"before the cell is first seen in frame {wrong['first_frame'].iloc[0]}" if is_early else place
    advice = advise_unit(both[frame.notna()], source.frame_interval_min, tracks) or (
        f"correct column {tracks.fates_columns.time}{' or the track' * is_early}, or, if its times are not "
        f"{UNITS[tracks.fates_time_unit]}, tracks.fates_time_unit"
    )
    unit = "" if tracks.fates_time_unit == "frame" else f" {tracks.fates_time_unit}"
    what = wrong["fate"].map({CENSORED: "the end of watching"}).fillna("the event")
    refuse(
        wrong.assign(what=what, unit=unit, place=place, advice=advice),
        "{where} puts {what} of {cell} at {time}{unit}, frame {event_frame}, {place} ({n} such lines); {advice}",
    )
