"""Which table says how cells ended: told by a column of cell numbers beside one of words for fates."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import pandas as pd

from cellfate.core.fates import EVENTS
from cellfate.recognition.columns import (
    are_same,
    are_same_times,
    fate_column,
    find_columns,
    is_event_time,
    matching_column,
    meaning,
    named_recordings,
    open_table,
    parts_of_names,
    rivals,
    whole,
)
from cellfate.recognition.csv_tracks import fate_words
from cellfate.recognition.fate_times import fates_time_unit, unreadable
from cellfate.recognition.images import Images
from cellfate.recognition.naming import match_files
from cellfate.recognition.proposals import OPEN, Part, Proposal, ask, choose_table, found
from cellfate.recognition.survey import Survey, shown
from cellfate.recognition.tracks import Tracks

_UNREAD = ("unread",)
_PROPERTY = "property "
"""What stands before the name of a node property by which a table may call cells."""
_AGREEING = 0.8
"""Least share of the numbers in a column that must be cells with tracks."""
_TO_ADD = "fate"
"""Column that is to be added to a table without words for fates."""
_MOST_CODES, _MOST_WORDS = 4, 20
"""Numbers, and words, that a column may hold to be one of fates."""


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
    """A table that names cells; `fate` is None where no column holds words for fates."""

    template: str
    files: tuple[str, ...]
    table: pd.DataFrame
    by: str | None
    cells: list[str]
    calls: tuple[str, ...]
    fate: str | None

    @property
    def times(self) -> list[str]:
        """Columns of numbers that may say when, the likeliest first."""
        return [column for column in self.called_times if not unreadable(self.table[column])]

    @property
    def called_times(self) -> list[str]:
        """Columns that are called so."""
        others = {self.by, self.fate, *self.cells}
        return [column for column in find_columns("time", list(self.table.columns)) if column not in others]


def recognise_fates(survey: Survey, images: Images, tracks: Tracks, tables: list[str]) -> ScoredFates:
    """Recognise the table of fates among tables that are no tracks."""
    matched = match_files(tables, images.names, images.files)
    looked = (_look(survey, images, tracks, template, files) for template, files in matched.items())
    candidates = sorted((one for one in looked if one is not None), key=lambda one: one.fate is None)
    shown_by_tracks = {fate for fate in EVENTS if tracks.shows(fate)}
    timeless = [
        one for one in candidates if not one.called_times and set() < _stated(one) & set(EVENTS) <= shown_by_tracks
    ]
    candidates = [one for one in candidates if one not in timeless]
    notes = tuple(f"{one.files[0]} has words for fates but not when; it is not used." for one in timeless)
    if not candidates:
        return ScoredFates(notes=notes)
    first, names = candidates[0], [one.template for one in candidates]
    return ScoredFates(
        values=choose_table(_values(first, images, tracks), names, "Fates"),
        notes=tuple(_notes(first, images, tracks)) if len(candidates) == 1 and first.fate else (),
        fates=frozenset().union(*map(_possible, candidates)),
        used=frozenset(name for one in candidates for name in one.files),
    )


def _stated(one: _Candidate) -> frozenset[str]:
    """Fates that the words of a table mean."""
    return frozenset() if one.fate is None else frozenset(filter(None, map(meaning, one.table[one.fate].unique())))


def _possible(one: _Candidate) -> frozenset[str]:
    """Fates that a table may state; either event, where it has no words, or words that nobody knows."""
    words = {""} if one.fate is None else {word.strip() for word in one.table[one.fate].unique()} - {""}
    return _stated(one) if all(map(meaning, words)) else _stated(one) | frozenset(EVENTS)


def _look(survey: Survey, images: Images, tracks: Tracks, template: str, files: Mapping[str, str]) -> _Candidate | None:
    name = next(iter(files.values()), template)
    table = open_table(survey.root / name)
    if table is None:
        return None
    by, columns = None if files else matching_column(table, images.names), list(table.columns)
    fate, called_so = fate_column(table), find_columns("cell_id", columns)
    if not files and by is None and len(images.names) > 1:
        if not called_so:
            return None
        by = OPEN
    rows = _rows_of_cells(table, by, images, tracks)
    cells, calls = _cell_columns(table, {by, fate}, rows, next(iter(files), None), tracks)
    one = _Candidate(template, tuple(files.values()) or (name,), table, by, cells, calls, fate)
    if fate is not None:
        return one
    return replace(one, fate=_called_fate(one)) if _names_cells_once(one, called_so) else None


def _called_fate(one: _Candidate) -> str | None:
    """Column that is called so, of a few words or codes that nobody knows; None if there is none."""
    for column in find_columns("fate", list(one.table.columns)):
        words = set(one.table[column].str.strip()) - {""}
        few = _MOST_CODES if whole(one.table[column]) is not None else _MOST_WORDS
        if column not in (one.by, *one.cells) and not is_event_time(column) and 0 < len(words) <= few:
            return column
    return None


def _names_cells_once(one: _Candidate, called_so: list[str]) -> bool:
    """Whether a table without words for fates may still say how cells end: it has one row a cell, and times of events.

    Where it names recordings and cells that are known, no time is needed.
    """
    if not one.cells or one.cells[0] not in called_so:
        return False
    keys = [*([one.by] if one.by not in (None, OPEN) else []), one.cells[0]]
    is_known = one.by != OPEN and one.calls != _UNREAD
    return not one.table.duplicated(keys).any() and (is_known or any(map(is_event_time, one.table.columns)))


def _rows_of_cells(table: pd.DataFrame, by: str | None, images: Images, tracks: Tracks) -> pd.Series:
    """Mark the rows about recordings whose tracks were read."""
    if by in (None, OPEN) or tracks.cells is None:
        return pd.Series(True, index=table.index)
    recordings = table[by].str.strip().map(named_recordings(table[by], images.names))
    return recordings.isin(set(tracks.cells["recording_id"]))


def _cell_columns(
    table: pd.DataFrame, others: set[str | None], rows: pd.Series, recording: str | None, tracks: Tracks
) -> tuple[list[str], tuple[str, ...]]:
    """Find the columns that may be the cell, and by what the first calls them; several if they do not hold the same.

    It holds their numbers, or the names that the tracker gives them: by the name of their track, or by its TRACK_ID.
    One that is called so comes first; one of times is none.
    """
    called_so, times = find_columns("cell_id", list(table.columns)), find_columns("time", list(table.columns))
    rest = [str(column) for column in table.columns if column not in called_so and column not in times]
    fitting: dict[str, tuple[str, ...]] = {}
    for column in (*called_so, *rest):
        if column in others or (fitting and column in rest):
            continue
        held = table[column][rows].str.strip()
        calls = _calls(held[held != ""].tolist(), recording, tracks)
        if calls and (calls != _UNREAD or (column in called_so and whole(table[column]) is not None)):
            fitting[column] = calls
    columns = list(fitting)
    return (rivals(table, columns, are_same) or columns[:1], fitting[columns[0]]) if columns else ([], ())


def _calls(held: list[str], recording: str | None, tracks: Tracks) -> tuple[str, ...]:
    """Tell by what fields call cells, as far as it fits: cell_id, track_name, track_id, or a node property."""
    if tracks.cells is None or tracks.cells.empty:
        return _UNREAD
    cells = tracks.cells if recording is None else tracks.cells[tracks.cells["recording_id"] == recording]
    names = cells["cell_name"].dropna() if "cell_name" in cells else ()
    known = {"cell_id": set(cells["cell_id"].astype(str)), "track_name": set(names), "track_id": tracks.by_track_id}
    known |= {_PROPERTY + name: set(ids) for name, ids in tracks.by_property.items()}
    plain_numbers = [text.removesuffix(".0") for text in held]
    return tuple(
        by for by, ids in known.items() if held and sum(text in ids for text in plain_numbers) >= _AGREEING * len(held)
    )


def _values(one: _Candidate, images: Images, tracks: Tracks) -> list[Proposal]:
    name = one.files[0]
    times = rivals(one.table, one.times, are_same_times)
    columns: dict[str, str | None] = {
        "recording_id": OPEN if _n_blank(one) else one.by,
        "cell_id": one.cells[0] if len(one.cells) == 1 else OPEN,
        "fate": one.fate or _TO_ADD,
        "time": OPEN if times or not one.times else one.times[0],
    }
    values = [_file(one, columns)]
    doubts = list(_doubts(one, times, images, tracks))
    if doubts:
        question = (
            f"{name} has the columns {', '.join(one.table.columns)}, but {', and '.join(doubts)}; name or add it."
        )
        values.append(ask("tracks.fates_columns", question, columns))
    else:
        added = f"; {_TO_ADD} is to be added" if one.fate is None else ""
        values.append(found("tracks.fates_columns", columns, f"the columns of {name}{added}"))
    words = [] if values[0].is_open else fate_words(one.table[one.fate], f"column {one.fate} of {name}")
    return [
        *values,
        *_named(one, tracks),
        *([fates_time_unit(one.table, times or one.times[:1], name, images)] if one.times else ()),
        *words,
    ]


def _file(one: _Candidate, columns: Mapping[str, str | None]) -> Proposal:
    key, name = "tracks.fates_file", one.files[0]
    if _is_class(one):
        question = (
            f"Column {one.fate} of {name} differs between the rows of a cell, so it is a class of each frame, and no "
            "fate. Name a table with one row a cell, or set null."
        )
        return ask(key, question)
    if one.fate is not None:
        return found(key, one.template, f"{name}: column {one.fate} holds words for fates")
    return ask(
        key,
        f"{name} names cells (column {columns['cell_id']}) but has no words for fates. If it says how cells end, add a "
        f"column {_TO_ADD} to it, with apoptosis in every line if all of them died, and put {one.template} here; set "
        "null if it says something else.",
    )


def _is_class(one: _Candidate) -> bool:
    """Whether the words of most cells differ between their rows."""
    if one.fate is None or len(one.cells) != 1 or one.by == OPEN:
        return False
    words = one.table.groupby([*([one.by] if one.by else []), one.cells[0]])[one.fate].nunique()
    return bool((words > 1).mean() > 1 / 2)


def _n_blank(one: _Candidate) -> int:
    return 0 if one.by in (None, OPEN) else int((one.table[one.by].str.strip() == "").sum())


def _doubts(one: _Candidate, times: list[str], images: Images, tracks: Tracks) -> Iterator[str]:
    """Say what keeps each column of a table of fates from being known."""
    if len(one.cells) != 1:
        both = f"columns {', '.join(one.cells)} both hold numbers of cells, and only one can be that of the tracks"
        yield both if one.cells else _lack_of_cells(tracks)
    if times:
        yield f"columns {', '.join(times)} both may say when"
    elif not one.times:
        why = [f"column {column} holds {unreadable(one.table[column])}" for column in one.called_times]
        yield "no column says when" + "".join(f": {reason}" for reason in why[:1])
    if one.by == OPEN:
        part = parts_of_names(one.table, images.names)
        yield f"no column names recordings as the folder does ({shown(images.names)}){part}"
    if _n_blank(one):
        yield f"column {one.by} is blank on {_n_blank(one)} of {len(one.table)} rows: write the recording into each"


def _named(one: _Candidate, tracks: Tracks) -> list[Proposal]:
    """Say by what the table calls cells, where that is not their number."""
    held = f"column {one.cells[0]} of {one.files[0]}" if one.cells else ""
    if len(one.calls) > 1:
        return [_ask_named(one, held, tracks)]
    (by,) = one.calls or ("",)
    if by.startswith(_PROPERTY):
        name = by.removeprefix(_PROPERTY)
        columns = {**(tracks.value("tracks.columns") or {}), "cell_id": name}
        return [found("tracks.columns", columns, f"{held} holds the numbers of the node property {name}")]
    if by not in ("track_name", "track_id"):
        return []
    if tracks.format == "trackmate_csv":  # its tables know no names of tracks
        return [found("tracks.fates_cell", "cell_name", f"{held} holds names of cells by TRACK_ID")]
    words = f"{held} holds names of cells by {by}"
    return [found("tracks.fates_cell", "cell_name", words), found("tracks.name_cells_by", by, words)]


def _ask_named(one: _Candidate, held: str, tracks: Tracks) -> Proposal:
    properties = [by.removeprefix(_PROPERTY) for by in one.calls if by.startswith(_PROPERTY)]
    first, end = "IDs of the cells' first spots", f"{', '.join(one.calls)} all fit."
    if properties:
        columns = {**(tracks.value("tracks.columns") or {}), "cell_id": OPEN}
        question = (
            f"C{held[1:]} may hold the numbers of the node property {' or '.join(properties)}, or the {first}: "
            "both fit. Give the property, or keep cell_id for the spots."
        )
        return ask("tracks.columns", question, columns)
    by_id = " (cell_name)" if tracks.format == "trackmate_csv" else " (cell_name; then set tracks.name_cells_by too)"
    question = f"C{held[1:]} may hold the {first} (cell_id), or names that TrackMate gives{by_id}: {end}"
    return ask("tracks.fates_cell", question)


def _lack_of_cells(tracks: Tracks) -> str:
    cells = [] if tracks.cells is None else tracks.cells["cell_id"].tolist()
    names = [] if tracks.cells is None else sorted(tracks.cells["cell_name"].dropna().unique())
    such = f", such as {shown(map(str, cells))}" if cells else ""
    hints = {
        "trackmate_xml": " (the ID of a cell's first spot, or its name in TrackMate)",
        "trackmate_csv": " (the ID of a cell's first spot, or its TRACK_ID, as "
        f"{shown(names)}; names such as Track_3 are in TrackMate's XML alone)",
        "geff": " (the ID of a cell's first spot, or the number in a node property that numbers cells and is named in "
        "tracks.columns.cell_id)",
    }
    return f"no column holds the numbers that cells have in the tracks{such}{hints.get(tracks.format or '', '')}"


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
        listed = (one.table[one.cells[0]].str.strip() != "").sum() if one.cells else 0
        yield f"{one.files[0]} lists {listed} of {len(tracks.cells)} cells; tracks.unlisted_cells says what others are."
