"""Importer of tables with a row a cell: when it was born, when reporters switched, when and how it ended.

Cells are seen in the frames from birth to end. The value of a reporter in a frame is what was known of it there: a
switch that was not seen yet counts as none, so that no frame tells what comes after it.
"""

from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cellfate.core.errors import InputError
from cellfate.core.fates import EVENTS
from cellfate.core.text_tables import is_blank, optional_real_numbers, real_numbers, whole_numbers
from cellfate.tracks.csv_columns import read_parent_column
from cellfate.tracks.event_times import event_frames
from cellfate.tracks.fate_tables import state_fates
from cellfate.tracks.marks import check_frames
from cellfate.tracks.reading import list_sources, open_track_table, read_each
from cellfate.tracks.records import OpenedRecordings, Remark, Tables, TrackedCells, TrackSource, make_tracked
from cellfate.tracks.settings import TrackSettings, name_reporter_values
from cellfate.tracks.spot_features import add_features, add_text_features

FloatArray = NDArray[np.float64]

HOURS: Final = {"h": 1.0, "min": 1 / 60}
_ROUNDED_FRAMES: Final = 0.25
"""A switch may lie so far outside the life of its cell: times are rounded."""


def read_tracks(opened: OpenedRecordings) -> Tables:
    """Read the tables of all recordings; an importer as `importing.ReadTracks`."""
    columns, intervals = opened.tracks.columns, opened.tracks.intervals
    switches = (*intervals.switched_on.values(), *intervals.switched_off.values())
    names = (columns.cell_id, columns.parent_id, columns.fate, intervals.birth, intervals.end, *switches)
    rows_of = open_track_table(opened, names)
    sources = list_sources(opened.folder, opened.table)
    return read_each(sources, lambda source: _read_cells(rows_of(source), source, opened.tracks))


def _read_cells(table: pd.DataFrame, source: TrackSource, tracks: TrackSettings) -> TrackedCells:
    columns, path = tracks.columns, source.find_table(tracks)
    cell_ids = whole_numbers(table[columns.cell_id], path)
    _check_once(cell_ids, table, path)
    known = columns.parent_id is not None
    parents = read_parent_column(cell_ids, table[columns.parent_id], path) if known else None
    words = None if columns.fate is None else table[columns.fate]
    stated = state_fates(cell_ids, words, None, tracks, path)
    fates = pd.Series(cell_ids).map({} if stated is None else stated["fate"])
    ends_n = (fates.isin(EVENTS) | pd.Series(cell_ids).isin(list((parents or {}).values()))).to_numpy(bool)
    first_n, last_n, event_n = _find_frames(table, ends_n, source, tracks)
    if stated is not None:
        frames = pd.Series(event_n, index=cell_ids).reindex(stated.index).astype("Int64")
        stated = stated.assign(event_frame=frames.where(stated["fate"].isin(EVENTS)))
    short_n = last_n < first_n
    _check_short_mothers(cell_ids, short_n, parents, source)
    lengths_n = np.maximum(last_n, first_n) - first_n + 1
    rows_m = np.repeat(np.arange(len(table)), lengths_n)
    frames_m = first_n[rows_m] + np.arange(len(rows_m)) - np.repeat(np.cumsum(lengths_n) - lengths_n, lengths_n)
    marks = pd.DataFrame({"cell_id": cell_ids[rows_m], "frame": frames_m, "y_px": np.nan, "x_px": np.nan})
    marks = add_text_features(marks, table.iloc[rows_m], tracks, path)
    hours_m = frames_m * source.frame_interval_min / 60
    values, remarks = _sample_switches(table, rows_m, hours_m, source, tracks)
    remarks += _tell_short(cell_ids, short_n, source)
    return make_tracked(add_features(marks, values, path), parents, stated, remarks=tuple(remarks))


def _check_once(cell_ids: NDArray[np.int64], table: pd.DataFrame, path: Path) -> None:
    twice = pd.Series(cell_ids, index=table.index)
    twice = twice[twice.duplicated(keep=False)]
    if len(twice):
        lines = twice.index[twice == twice.iloc[0]]
        raise InputError(
            f"Cell {twice.iloc[0]} is on line {lines[0]} and on line {lines[1]} of {path}, but a table of intervals "
            "has a line a cell of a recording; keep one, or tell recordings apart (recordings.traces.recording)."
        )


def _find_frames(
    table: pd.DataFrame, ends_n: NDArray[np.bool_], source: TrackSource, tracks: TrackSettings
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """First and last frame in which each cell is seen, and that of its end, after checks.

    An event is first seen in the frame after it, in which the cell is not seen any more; a cell without an event is
    seen up to its end.
    """
    columns, path, unit = tracks.intervals, source.find_table(tracks), tracks.time_unit or "frame"
    births, ends = table[columns.birth], table[columns.end]
    for column in (births, ends):
        blank = column.index[is_blank(column)]
        if len(blank):
            raise InputError(
                f"Line {blank[0]} of {path} has no time in column {column.name} ({len(blank)} such lines), but a cell "
                "is seen from its birth to its end; give both, or leave the cell out."
            )
        if unit == "frame":
            check_frames(column, path, "min or h")
    early = table.index[real_numbers(ends, path) < real_numbers(births, path)]
    if len(early):
        raise InputError(
            f"The cell on line {early[0]} of {path} ends at {ends[early[0]]}, before its birth at {births[early[0]]} "
            f"({len(early)} such lines); correct the times."
        )
    counted = tracks.model_copy(update={"fates_time_unit": unit})
    about = (source.frame_interval_min, counted, path)
    first = event_frames(births, pd.Series(False, index=table.index), *about)
    end = event_frames(ends, pd.Series(~ends_n, index=table.index), *about)
    _check_within(table, first, end, source, tracks)
    first_n, end_n = first.to_numpy(np.int64), end.to_numpy(np.int64)
    return first_n, np.where(ends_n, end_n - 1, end_n), end_n


def _check_within(
    table: pd.DataFrame, first: pd.Series, end: pd.Series, source: TrackSource, tracks: TrackSettings
) -> None:
    """Refuse times before the recording, and after it, as where hours and frames are mixed."""
    outside = table.index[(first < 0) | (first >= source.n_frames) | (end >= source.n_frames)]
    if len(outside):
        row, columns = table.loc[outside[0]], tracks.intervals
        last_h = (source.n_frames - 1) * source.frame_interval_min / 60
        raise InputError(
            f"The cell on line {outside[0]} of {source.find_table(tracks)} lives from {row[columns.birth]} to "
            f"{row[columns.end]} ({tracks.time_unit or 'frame'}), but recording '{source.recording_id}' goes from 0 to "
            f"frame {source.n_frames - 1}, {last_h:g} h ({len(outside)} such lines); correct the times, "
            "tracks.time_unit (frame, min or h, the same for all times), or the end of the recording "
            "(recordings.traces.end_h)."
        )


def _check_short_mothers(
    cell_ids: NDArray[np.int64], short_n: NDArray[np.bool_], parents: dict[int, int] | None, source: TrackSource
) -> None:
    mothers = sorted(set(cell_ids[short_n].tolist()) & set((parents or {}).values()))
    if mothers:
        raise InputError(
            f"In recording '{source.recording_id}' cell {mothers[0]} is born and divides between two frames of "
            f"{source.frame_interval_min:g} min, so that it would never be seen before its daughters; lower "
            "recordings.frame_interval_min, or correct its times."
        )


def _tell_short(cell_ids: NDArray[np.int64], short_n: NDArray[np.bool_], source: TrackSource) -> list[Remark]:
    if not short_n.any():
        return []
    return [
        Remark(
            "short_cell",
            f"In recording '{source.recording_id}' {short_n.sum()} of {len(cell_ids)} cells begin and end between two "
            f"frames of {source.frame_interval_min:g} min, the first is cell {cell_ids[short_n][0]}; they count as "
            "seen in the frame after their birth, and no more.",
        )
    ]


def _sample_switches(
    table: pd.DataFrame, rows_m: NDArray[np.int64], hours_m: FloatArray, source: TrackSource, tracks: TrackSettings
) -> tuple[dict[str, FloatArray], list[Remark]]:
    """Sample every reporter at the frames of all cells.

    Of a reporter: 1 from where it was seen to appear to where it vanished, else 0; hours since either, NaN before. All
    NaN where it never switches in the recording: then it was not looked at.
    """
    values: dict[str, FloatArray] = {}
    silent: list[str] = []
    remarks: list[Remark] = []
    for name in tracks.intervals.reporters:
        on_h, off_h = _read_switches(name, table, source, tracks)
        remarks += _tell_outside(name, on_h, off_h, table, source, tracks)
        if np.isnan(on_h).all() and np.isnan(off_h).all():
            silent.append(name)
        since_on, since_off = hours_m - on_h[rows_m], hours_m - off_h[rows_m]
        was_on, was_off = since_on >= 0, since_off >= 0  # NaN: not seen
        state = np.full(len(rows_m), np.nan) if name in silent else (was_on & ~was_off).astype(np.float64)
        told = state, np.where(was_on, since_on, np.nan), np.where(was_off, since_off, np.nan)
        values |= dict(zip(name_reporter_values(name), told, strict=True))
    sentence = "In recording '{}' the reporter {} never switches in {} cells; it is taken as not measured there."
    never = [Remark("never_switches", sentence.format(source.recording_id, name, len(table))) for name in silent]
    return values, [*remarks, *never]


def _read_switches(
    name: str, table: pd.DataFrame, source: TrackSource, tracks: TrackSettings
) -> tuple[FloatArray, FloatArray]:
    """Hours of the recording at which a reporter appears and vanishes in each cell; NaN where it was not seen."""
    path, read = source.find_table(tracks), []
    for named in (tracks.intervals.switched_on, tracks.intervals.switched_off):
        seen = name in named
        times = optional_real_numbers(table[named[name]], path) if seen else np.full(len(table), np.nan)
        read.append(_to_hours(times, source, tracks))
    on_h, off_h = read
    wrong = table.index[off_h < on_h]
    if len(wrong):
        raise InputError(
            f"The reporter {name} of the cell on line {wrong[0]} of {path} vanishes before it appears ({len(wrong)} "
            "such lines); correct the times."
        )
    return on_h, off_h


def _tell_outside(
    name: str, on_h: FloatArray, off_h: FloatArray, table: pd.DataFrame, source: TrackSource, tracks: TrackSettings
) -> list[Remark]:
    """Tell of switches before the birth or after the end of their cell by more than times are rounded."""
    columns, path = tracks.intervals, source.find_table(tracks)
    birth_h, end_h = (
        _to_hours(real_numbers(table[column], path), source, tracks) for column in (columns.birth, columns.end)
    )
    rounded_h = _ROUNDED_FRAMES * source.frame_interval_min / 60
    outside = np.zeros(len(table), dtype=bool)
    for switch_h in (on_h, off_h):
        outside |= (switch_h < birth_h - rounded_h) | (switch_h > end_h + rounded_h)
    lines = table.index[outside]
    if not len(lines):
        return []
    return [
        Remark(
            "switch_outside",
            f"In recording '{source.recording_id}' the reporter {name} of the cell on line {lines[0]} of {path.name} "
            f"switches before its birth or after its end ({len(lines)} such cells); what is after the end is never "
            "shown, what is before the birth counts from its own time: correct the times if they are wrong.",
        )
    ]


def _to_hours(times: FloatArray, source: TrackSource, tracks: TrackSettings) -> FloatArray:
    """Hours since the first frame."""
    if (tracks.time_unit or "frame") == "frame":
        return (times - tracks.first_frame) * source.frame_interval_min / 60
    return times * HOURS[str(tracks.time_unit)]
