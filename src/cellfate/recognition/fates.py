"""Which table says how cells ended: told by a column of cell numbers beside one of words for fates."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import pandas as pd

from cellfate.core.errors import InputError
from cellfate.core.fates import EVENTS
from cellfate.core.text_tables import parse_numbers, read_table
from cellfate.recognition.columns import (
    fate_column,
    find_columns,
    matching_column,
    meaning,
    named_recordings,
    parts_of_names,
    plain,
    whole,
)
from cellfate.recognition.csv_tracks import fate_words
from cellfate.recognition.images import Images
from cellfate.recognition.naming import match_files
from cellfate.recognition.proposals import OPEN, Part, Proposal, ask, choose_table, found
from cellfate.recognition.survey import Survey, shown
from cellfate.recognition.tracks import Tracks

_UNREAD = ("unread",)
_AGREEING = 0.8
"""Least share of the numbers in a column that must be cells with tracks."""
_HOURS = ("h", "hr", "hour", "timeh", "hoursh", "eventh", "eventtimeh", "timeofeventh")
_FRAMES = ("timepoint", "slice", "frameofevent")


@dataclass(frozen=True, kw_only=True)
class ScoredFates(Part):
    """A table of fates that a person scored; without values where there is none.

    Attributes
    ----------
    fates : frozenset of str
        Fates that its words mean.
    """

    fates: frozenset[str] = frozenset()


@dataclass(frozen=True, eq=False)
class _Candidate:
    template: str
    files: tuple[str, ...]
    table: pd.DataFrame
    by: str | None
    cell: str | None
    fate: str
    calls: tuple[str, ...]

    @property
    def times(self) -> list[str]:
        """Columns that may say when, the likeliest first."""
        return [column for column in find_columns("time", list(self.table.columns)) if _is_time(self, column)]


def recognise_fates(survey: Survey, images: Images, tracks: Tracks, tables: list[str]) -> ScoredFates:
    """Recognise the table of fates among tables that are no tracks.

    Parameters
    ----------
    survey : Survey
        Names of what lies in the folder.
    images, tracks
        Its recordings and their tracks.
    tables : list of str
        Files that are tables.
    """
    matched = match_files(tables, images.names)
    looked = (_look(survey, images, tracks, template, files) for template, files in matched.items())
    candidates = [one for one in looked if one is not None]
    shown_by_tracks = {fate for fate in EVENTS if tracks.shows(fate)}
    timeless = [one for one in candidates if not one.times and _fates([one]) & set(EVENTS) <= shown_by_tracks]
    candidates = [one for one in candidates if one not in timeless]
    notes = tuple(f"{one.files[0]} has words for fates but not when; it is not used." for one in timeless)
    if not candidates:
        return ScoredFates(notes=notes)
    first, names = candidates[0], [one.template for one in candidates]
    return ScoredFates(
        values=choose_table(_values(first, images, tracks), names, "Fates"),
        notes=tuple(_notes(first, images, tracks)) if len(candidates) == 1 else (),
        fates=_fates(candidates),
        used=frozenset(name for one in candidates for name in one.files),
    )


def _fates(candidates: list[_Candidate]) -> frozenset[str]:
    return frozenset(filter(None, (meaning(word) for one in candidates for word in one.table[one.fate].unique())))


def _look(survey: Survey, images: Images, tracks: Tracks, template: str, files: Mapping[str, str]) -> _Candidate | None:
    name = next(iter(files.values()), template)
    try:
        table = read_table(survey.root / name)
    except InputError:
        return None
    by = None if files else matching_column(table, images.names)
    fate = fate_column(table)
    if fate is None:
        return None
    if not files and by is None and len(images.names) > 1:
        by = OPEN if find_columns("cell_id", list(table.columns)) else None
        if by is None:
            return None
    rows = _rows_of_cells(table, by, images, tracks)
    cell, calls = _cell_column(table, {by, fate}, rows, next(iter(files), None), tracks)
    return _Candidate(template, tuple(files.values()) or (name,), table, by, cell, fate, calls)


def _rows_of_cells(table: pd.DataFrame, by: str | None, images: Images, tracks: Tracks) -> pd.Series:
    """Mark the rows about recordings whose tracks were read."""
    if by in (None, OPEN) or tracks.cells is None:
        return pd.Series(True, index=table.index)
    recordings = table[by].str.strip().map(named_recordings(table[by], images.names))
    return recordings.isin(set(tracks.cells["recording_id"]))


def _cell_column(
    table: pd.DataFrame, others: set[str | None], rows: pd.Series, recording: str | None, tracks: Tracks
) -> tuple[str | None, tuple[str, ...]]:
    """Find the column of cells, and by what it calls them; one that is called so first, a column of times last.

    It holds their numbers, or the names that the tracker gives them: by the name of their track, or by its TRACK_ID.
    """
    called_so, times = find_columns("cell_id", list(table.columns)), find_columns("time", list(table.columns))
    rest = [str(column) for column in table.columns if column not in called_so and column not in times]
    for column in (*called_so, *rest):
        if column in others:
            continue
        held = table[column][rows].str.strip()
        calls = _calls(held[held != ""].tolist(), recording, tracks)
        if calls and (calls != _UNREAD or (column in called_so and whole(table[column]) is not None)):
            return column, calls
    return None, ()


def _calls(held: list[str], recording: str | None, tracks: Tracks) -> tuple[str, ...]:
    """Tell by what fields call cells, as far as it fits: cell_id, track_name or track_id."""
    if tracks.cells is None or tracks.cells.empty:
        return _UNREAD
    cells = tracks.cells if recording is None else tracks.cells[tracks.cells["recording_id"] == recording]
    names = cells["cell_name"].dropna() if "cell_name" in cells else ()
    known = {"cell_id": set(cells["cell_id"].astype(str)), "track_name": set(names), "track_id": tracks.by_track_id}
    plain_numbers = [text.removesuffix(".0") for text in held]
    return tuple(
        by for by, ids in known.items() if held and sum(text in ids for text in plain_numbers) >= _AGREEING * len(held)
    )


def _values(one: _Candidate, images: Images, tracks: Tracks) -> list[Proposal]:
    name, times = one.files[0], one.times
    columns = {"recording_id": one.by, "cell_id": one.cell or OPEN, "fate": one.fate, "time": [*times, OPEN][0]}
    values = [found("tracks.fates_file", one.template, f"{name}: column {one.fate} holds words for fates")]
    if OPEN in columns.values():
        lacking = [_lack_of_cells(tracks)] if one.cell is None else []
        lacking += [] if times else ["no column says when"]
        if one.by == OPEN:
            part = parts_of_names(one.table, images.names)
            lacking.append(f"no column names recordings as the folder does ({shown(images.names)}){part}")
        question = (
            f"{name} has the columns {', '.join(one.table.columns)}, but {', and '.join(lacking)}; name or add it."
        )
        values.append(ask("tracks.fates_columns", question, columns))
    else:
        values.append(found("tracks.fates_columns", columns, f"the columns of {name}"))
    words = fate_words(one.table[one.fate], f"column {one.fate} of {name}")
    return [*values, *_named(one), *([_unit(one, times[0], images)] if times else ()), *words]


def _named(one: _Candidate) -> list[Proposal]:
    """Say by what the table calls cells, where that is not their number."""
    if len(one.calls) > 1:
        question = (
            f"Column {one.cell} of {one.files[0]} may hold the IDs of the cells' first spots (cell_id), or names that "
            f"TrackMate gives (cell_name; then set tracks.name_cells_by too): {', '.join(one.calls)} all fit."
        )
        return [ask("tracks.fates_cell", question)]
    if one.calls in (("track_name",), ("track_id",)):
        words = f"column {one.cell} of {one.files[0]} holds names of cells by {one.calls[0]}"
        return [found("tracks.fates_cell", "cell_name", words), found("tracks.name_cells_by", one.calls[0], words)]
    return []


def _lack_of_cells(tracks: Tracks) -> str:
    cells = [] if tracks.cells is None else tracks.cells["cell_id"].tolist()
    such = f", such as {shown(map(str, cells))}" if cells else ""
    hint = " (the ID of a cell's first spot, or its name in TrackMate)" if tracks.format == "trackmate_xml" else ""
    return f"no column holds the numbers that cells have in the tracks{such}{hint}"


def _is_time(one: _Candidate, column: str) -> bool:
    if column in (one.by, one.cell, one.fate):
        return False
    given = one.table[column][one.table[column].str.strip() != ""]
    return len(given) > 0 and bool(pd.notna(parse_numbers(given)).all())


def _unit(one: _Candidate, time: str, images: Images) -> Proposal:
    """Tell hours from frames: by the name of the column, else by what fits the length of the recordings."""
    key, name = "tracks.fates_time_unit", plain(time)
    column = one.table[time][one.table[time].str.strip() != ""]
    numbers = parse_numbers(column)
    if name in _HOURS or name.endswith(("hours", "hrs", "inh")):
        return found(key, "h", f"the name of column {time}")
    if name in _FRAMES or name.endswith(("frame", "frames")):
        return found(key, "frame", f"the name of column {time}")
    seen = f"column {time} of {one.files[0]} has times up to {numbers.max():g}"
    if name.endswith(("min", "mins", "minutes")):
        return ask(
            key,
            f"{seen}, which its name calls minutes; write hours into the table, then set h.",
        )
    if (numbers % 1 != 0).any():
        return found(key, "h", f"column {time} has fractions, which frames have not")
    n_frames = images.header.n_frames if images.header else None
    minutes = images.frame_interval_min
    if n_frames and minutes and numbers.max() > n_frames * minutes / 60:
        return found(key, "frame", f"{seen}, longer than the recordings in hours")
    if n_frames and numbers.max() > n_frames:
        return found(key, "h", f"{seen}, more than the recordings have frames")
    return ask(key, f"{seen}: hours since the first frame (h), or frames (frame)? Both fit.")


def _notes(one: _Candidate, images: Images, tracks: Tracks) -> Iterator[str]:
    if one.by not in (None, OPEN):
        matched = named_recordings(one.table[one.by], images.names)
        strangers = sorted(word for word, recording in matched.items() if recording is None)
        if strangers:
            yield (
                f"{one.files[0]} names recordings that the folder does not have ({len(strangers)}), such as "
                f"{strangers[0]!r}; the folder's are called {shown(images.names)}."
            )
        n_matched = len(set(matched.values()) - {None})
        yield f"{n_matched} of {len(images.names)} recordings have fates in {one.files[0]}."
    elif one.by is None and len(images.names) > 1:
        yield f"{len(one.files)} of {len(images.names)} recordings have a table of fates."
    if tracks.cells is not None and len(tracks.cells) and len(images.names) == 1:
        listed = (one.table[one.cell].str.strip() != "").sum() if one.cell else 0
        yield f"{one.files[0]} lists {listed} of {len(tracks.cells)} cells; tracks.unlisted_cells says what others are."
