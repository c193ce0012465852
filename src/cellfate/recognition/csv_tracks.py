"""Columns of tracks in a plain table: guessed from names, and held against the recordings and what is in them."""

import itertools
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from cellfate.core.text_tables import parse_numbers, read_table
from cellfate.recognition.columns import (
    are_same,
    are_scaled,
    fate_column,
    fate_names,
    find_column,
    find_columns,
    matching_column,
    open_table,
    parts_of_names,
    rivals,
    time_unit,
    whole,
    whole_or_blank,
)
from cellfate.recognition.images import Images
from cellfate.recognition.proposals import OPEN, Proposal, ask, found
from cellfate.recognition.survey import shown
from cellfate.recognition.track_frames import first_frame, frame_column, position_unit, row_lengths, time_column

_UNITS = {"h": "hours", "min": "minutes", "s": "seconds", "d": "days"}
_LEAST_COLUMNS, _MOST_COLUMNS = 4, 12
"""Columns of numbers that tracks have at least: cell, frame, y and x; and that are tried as cell and frame."""
_NONE = (-1, 0)
"""Numbers that stand for no parent."""


def guess_columns(root: Path, name: str, images: Images, recording: str | None) -> list[Proposal]:
    """Guess the columns of a table of tracks, which is about one recording, or names one in each row."""
    table = read_table(root / name)
    by = None if recording is not None else matching_column(table, images.names)
    columns = list(table.columns)
    within = by or (find_column("recording_id", columns) if recording is None else None)
    lengths = row_lengths(table, by, recording or next(iter(images.names), None), images)
    frame, why = frame_column(table, lengths)
    timed = time_column(table, lengths, images.frame_interval_min) if frame is None else None
    if timed is not None:
        frame, why = timed[0], ""
    doubts = [why] if why else []
    parent = find_column("parent_id", columns)
    spot = _spot_column(table, within, frame, parent)
    roles: dict[str, str | None] = {} if spot is None else {"spot_id": spot, "parent_spot_id": parent}
    if spot is None:
        roles["cell_id"] = _cell_column(table, within, frame, doubts)
    roles["frame"] = frame
    for axis in ("y", "x"):
        roles[axis] = _one_of(table, axis, find_columns(axis, columns), are_scaled, doubts)
    if by is None and recording is None and len(images.names) > 1:
        roles["recording_id"] = None
        doubts.append(
            f"No column holds the names of the recordings, such as {shown(images.names)}"
            f"{parts_of_names(table, images.names)}: add one, or make a table a recording, named like it."
        )
    roles = {role: column or OPEN for role, column in roles.items()}
    if spot is None and parent is not None and _are_parents(table, parent, str(roles["cell_id"])):
        roles["parent_id"] = parent
    words = _state_fates(table, within, roles, name, doubts)
    if by is not None:
        roles["recording_id"] = by
    counted = [] if frame is None or timed else [first_frame(table, frame, name, lengths)]
    if timed is not None:
        seen = f"times in {name} that lie on frames of {images.frame_interval_min:g} min"
        counted = [found("tracks.time_unit", timed[1], f"column {frame}: {seen}")]
        if "event_frame" in roles:
            roles["event_frame"] = OPEN
            doubts.append(f"Times of events in {name} are read in the unit of {frame}; name their column if they are.")
    if frame is None and not why:
        doubts.append("Where others hold parents, fates or frames of events, add parent_id, fate and event_frame.")
        doubts.append("Times may stand in place of frames: say their unit in tracks.time_unit.")
        counted = [ask("tracks.first_frame", f"Does {name} count frames from 0 or from 1?")]
    return [_named(roles, parent, name, columns, doubts), *words, *counted, *_measured(table, roles, name, images)]


def shared_objects(root: Path, name: str, images: Images) -> list[Proposal]:
    """Find what names recordings and frames in CellProfiler's one table of all movies, whose images go on counting."""
    table = read_table(root / name)
    by = matching_column(table, images.names)
    lengths = row_lengths(table, by, None, images)
    frame, why = frame_column(table, lengths) if by else (None, "")
    columns = {"recording_id": by or OPEN, "frame": frame or OPEN}
    if frame is None:
        question = (
            f"{name} holds the objects of several recordings, and its images go on counting: name the columns of "
            f"recordings and of frames, from 0 or 1 in each; metadata of images can be exported with the objects.{why}"
        )
        return [ask("tracks.columns", question, columns)]
    return [found("tracks.columns", columns, f"the columns of {name}"), first_frame(table, frame, name, lengths)]


def may_be_tracks(path: Path) -> bool:
    """Whether two columns of a table tell rows apart, as cells and frames do, and two more hold numbers."""
    table = open_table(path)
    if table is None:
        return False
    numbers = [column for column in table.columns if _has_numbers(table[column])]
    whole_numbers = [column for column in numbers if whole_or_blank(table[column]) is not None]
    repeated = [column for column in whole_numbers if table[column].duplicated().any()][:_MOST_COLUMNS]
    pairs = itertools.combinations(repeated, 2)
    return len(numbers) >= _LEAST_COLUMNS and any(not table.duplicated(list(pair)).any() for pair in pairs)


def _measured(table: pd.DataFrame, roles: Mapping[str, str | None], name: str, images: Images) -> list[Proposal]:
    """Tell the unit of positions, and ask for the side of a pixel where it is needed and not known."""
    if OPEN in (roles["y"], roles["x"]):
        return [ask("tracks.position_unit", f"Are positions in {name} pixels (px) or micrometres (um)?")]
    unit = position_unit(table, str(roles["y"]), str(roles["x"]), name, images)
    if unit.value != "um" or images.header is None or images.header.pixel_size_um is not None:
        return [unit]
    question = f"{unit.words} are in micrometres, and no file says the side of a pixel; give it in micrometres."
    return [unit, ask("recordings.pixel_size_um", question)]


def _named(
    roles: Mapping[str, str | None], parent: str | None, name: str, columns: list[str], doubts: list[str]
) -> Proposal:
    if OPEN in roles.values():
        why = "".join(f" {doubt.strip()}" for doubt in doubts)
        question = f"{name} has the columns {', '.join(columns)}; name those that are ???.{why}"
        return ask("tracks.columns", question, roles)
    unused = f"; {parent} holds no numbers of cells" if parent is not None and parent not in roles.values() else ""
    return found("tracks.columns", roles, f"the columns of {name}{unused}")


def _one_of(
    table: pd.DataFrame,
    role: str,
    columns: list[str],
    agree: Callable[[pd.Series, pd.Series], bool],
    doubts: list[str],
) -> str | None:
    """Take the likeliest column of a role; none, and a doubt, where two do not say the same."""
    differing = rivals(table, columns, agree)
    if not differing:
        return columns[0] if columns else None
    what = "the cell, which a table of fates must call by the same number" if role == "cell_id" else role
    doubts.append(f"Columns {', '.join(differing)} may both be {what}.")
    return None


def _state_fates(
    table: pd.DataFrame, by: str | None, roles: dict[str, str | None], name: str, doubts: list[str]
) -> list[Proposal]:
    """Add the columns that state fates and their frames, if there are any, to the roles; give what the words mean."""
    fate = fate_column(table)
    if fate is None:
        return []
    roles["fate"] = fate
    cell, frame = roles.get("cell_id", OPEN), roles["frame"]
    if cell != OPEN:
        cells = table.groupby([*([by] if by else []), cell], sort=False)[fate]
        if cells.agg(_changes).any():
            roles["fate"] = OPEN
            doubts.append(
                f"Column {fate} differs between the frames of a cell, and a fate does not: or set fate to null."
            )
    event, doubt = _event_frame(table, fate, str(cell), str(frame))
    if event is not None:
        roles["event_frame"] = event
    if doubt:
        advice = (
            "write frames into it, or into another column, and name that; or set fate and event_frame to null, and "
            "state both in a table of a row a cell, which may hold hours (tracks.fates_file)"
        )
        doubts.append(f"Column {doubt.format(name=name)}, but event_frame is a frame: {advice}.")
    return fate_words(table[fate], f"the words in column {fate}")


def _changes(fields: pd.Series) -> bool:
    """Whether the rows of a cell say more than one thing; a word on a single row is no change."""
    return bool((fields.str.strip() != "").sum() > 1 and (fields != fields.iloc[0]).any())


def _event_frame(table: pd.DataFrame, fate: str, cell: str, frame: str) -> tuple[str | None, str]:
    """Find the column of the frames of events; open, and why, where it holds other times."""
    named = [
        one for one in find_columns("event_frame", list(table.columns)) if one != fate and _has_numbers(table[one])
    ]
    event = next((one for one in named if time_unit(one) == "frame"), named[0] if named else None)
    if event is None:
        return None, ""
    unit = time_unit(event)
    if unit not in (None, "frame"):
        return OPEN, f"{event} of {{name}} holds {_UNITS.get(unit, 'no frames')}"
    if whole(table[event]) is None:
        return OPEN, f"{event} of {{name}} has fractions"
    if unit is None and OPEN not in (cell, frame) and not _are_ends(table, event, cell, frame):
        return OPEN, f"{event} of {{name}} has times that are not where tracks end"
    return event, ""


def _has_numbers(column: pd.Series) -> bool:
    given = parse_numbers(column[column.str.strip() != ""])
    return len(given) > 0 and bool(np.isfinite(given).all())


def _are_ends(table: pd.DataFrame, event: str, cell: str, frame: str) -> bool:
    """Whether most events lie where the track of their cell ends."""
    rows = pd.DataFrame(
        {"cell": table[cell], "last": parse_numbers(table[frame]), "event": parse_numbers(table[event])}
    )
    ends = rows.groupby("cell").max().dropna()
    return bool(((ends["event"] - ends["last"]).abs() <= 1).mean() >= 1 / 2)


def _spot_column(table: pd.DataFrame, by: str | None, frame: str | None, parent: str | None) -> str | None:
    """Find the column of spots: numbers that stand on one row each, most of which came from one a frame before."""
    came_from = None if parent is None or frame is None else whole_or_blank(table[parent])
    frames = None if frame is None else whole(table[frame])
    if came_from is None or frames is None or len(frames) != len(table):
        return None
    recording = table[by] if by else pd.Series("", index=table.index)
    for column in find_columns("cell_id", list(table.columns)):
        numbers = whole(table[column])
        if column == by or numbers is None or len(numbers) != len(table):
            continue
        spots = pd.Series(frames, index=pd.MultiIndex.from_arrays([recording, numbers]))
        if spots.index.has_duplicates:
            continue
        steps = frames - spots.reindex(pd.MultiIndex.from_arrays([recording, came_from])).to_numpy(np.float64)
        if (steps == 1).sum() > len(table) / 2:
            return column
    return None


def _cell_column(table: pd.DataFrame, by: str | None, frame: str | None, doubts: list[str]) -> str | None:
    """Take the column of cells; none, and a doubt, where numbers stand twice in a frame, or all of them once."""
    called_so = [column for column in find_columns("cell_id", list(table.columns)) if column != by]
    fitting = _cell_columns(table, by, frame)
    if frame is not None and called_so and not fitting:
        doubts.append(
            f"A cell has a number of its own, in one row of each of its frames, and {', '.join(called_so)} has not."
        )
    return _one_of(table, "cell_id", fitting, are_same, doubts)


def _cell_columns(table: pd.DataFrame, by: str | None, frame: str | None) -> list[str]:
    """Find the columns of cells: whole numbers, of which one stands on several rows, each of another frame."""
    found_columns = []
    for column in find_columns("cell_id", list(table.columns)):
        if frame is None or column == by or whole(table[column]) is None:
            continue
        keys = [*([by] if by else []), column]
        if not table.duplicated([*keys, frame]).any() and table.duplicated(keys).any():
            found_columns.append(column)
    return found_columns


def _are_parents(table: pd.DataFrame, parent: str, cell: str) -> bool:
    """Tell whether a column holds numbers of cells, and not, say, of spots."""
    if cell == OPEN:
        return False
    given = table[parent][~table[parent].str.strip().str.lower().isin(["", "nan", "none"])]
    numbers, cells = whole(given), whole(table[cell])
    if len(given) == 0:
        return True
    return numbers is not None and cells is not None and set(numbers) - set(cells) <= set(_NONE)


def fate_words(words: Iterable[str], source: str) -> list[Proposal]:
    """Propose what words for fates mean, and ask of those that nobody knows; nothing where all are always known."""
    proposed, unknown = fate_names(words)
    if not unknown:
        return [found("tracks.fate_names", proposed, source)] if proposed else []
    listed = ", ".join(repr(word) for word in unknown[:10])
    question = (
        f"What the fates {listed} mean, of {source}, is not known: apoptosis, mitosis, censored (watched to the end, "
        "and nothing happened) or unscored (nobody looked)."
    )
    if proposed:
        question += (
            f" Taken to mean what they seem to: {', '.join(f'{word} {fate}' for word, fate in proposed.items())}."
        )
    return [ask("tracks.fate_names", question, {**proposed, **dict.fromkeys(unknown, OPEN)})]
