"""Fates that stand in columns: on the rows of the tracks, or in a table of their own that is joined to the cells."""

import logging
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cellfate.core.errors import InputError
from cellfate.core.fates import CENSORED, UNSCORED
from cellfate.core.tables import CELL
from cellfate.imaging.file_search import find_written
from cellfate.imaging.records import RecordingFolder
from cellfate.tracks.event_times import event_frames
from cellfate.tracks.fate_checks import check_fates
from cellfate.tracks.named_cells import find_cells
from cellfate.tracks.problems import problem_table
from cellfate.tracks.reading import list_sources, open_table
from cellfate.tracks.records import TrackSource, name_file
from cellfate.tracks.settings import TrackSettings, is_file_each

_log = logging.getLogger(__name__)


def state_fates(
    cell_ids: NDArray[np.int64],
    words: pd.Series | None,
    event_frames: pd.Series | None,
    tracks: TrackSettings,
    path: Path,
) -> pd.DataFrame | None:
    """Read the fate of each cell off the rows of its track: fate and event_frame (Int64), indexed by cell_id.

    `words` and `event_frames` stand on the rows of `cell_ids` (shape (N,)), blank and null where nothing is stated;
    None without such a column. A frame is that of the event, from 0, of a censored cell that of the end of watching.
    Cells without a stated fate are left out; None without a column of fates.

    Raises
    ------
    InputError
        If a word is not known, or the rows of a cell disagree.
    """
    if words is None:
        return None
    rows = pd.DataFrame({"cell_id": cell_ids, "fate": _translate(words, tracks, path).to_numpy()})
    rows["event_frame"] = pd.array([pd.NA] * len(rows), dtype="Int64") if event_frames is None else event_frames.array
    _check_agree(rows, "fate", path)
    _check_agree(rows, "event_frame", path)
    cells = rows.groupby("cell_id")[["fate", "event_frame"]].first()
    return cells[cells["fate"].notna() | cells["event_frame"].notna()]


def join_fates(
    cells: pd.DataFrame, folder: RecordingFolder, recordings: pd.DataFrame, tracks: TrackSettings
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Join a separate table of fates to imported cells.

    Parameters
    ----------
    recordings : DataFrame
        Table `Recordings`. Rows about others are left out, and counted.

    Returns
    -------
    cells : DataFrame
        With the fates of the table. Cells that it does not list, leaves blank, or calls unscored keep what the tracks
        show; event_frame of a censored cell is the last frame in which it was watched.
    problems : DataFrame
        recording_id and reason: a fate of an unknown cell, two fates of a cell, a time that cannot be.

    Raises
    ------
    InputError
        If the one table of all recordings is missing or not usable.
    """
    if tracks.fates_file is None:
        return cells, problem_table()
    sources = _with_table(list_sources(folder, recordings), tracks.fates_file, tracks)
    if not sources:
        return cells, problem_table()
    columns, problems, stated = tracks.fates_columns, [], []
    by = None if is_file_each(tracks.fates_file) else columns.recording_id
    names = (columns.cell_id, columns.fate, columns.time)
    rows_of = open_table(folder, recordings, "fates_file", tracks.fates_file, names, by)
    for source in sources:
        mine = cells[cells["recording_id"] == source.recording_id]
        try:
            rows = _read_fates(rows_of(source), mine, source, tracks)
            check_fates(rows, mine, source, tracks)
        except InputError as error:
            problems.append((source.recording_id, str(error)))
            continue
        stated.append(rows.assign(recording_id=source.recording_id))
    return _with_fates(cells, stated), problem_table(problems)


def _with_table(sources: list[TrackSource], template: str, tracks: TrackSettings) -> list[TrackSource]:
    """Leave out recordings without a table of fates, unless a missing one has to stop the run."""
    if tracks.missing_fates == "stop":
        return sources
    names = (name_file(template, each.recording_id, each.image) for each in sources)
    found = [each for each, name in zip(sources, names, strict=True) if find_written(each.root, name).exists()]
    if len(found) < len(sources):
        text = (
            "There is no table of fates %s for %d of %d recordings: their cells are unscored, also those that divide "
            "in their tracks, and new ones are forecast up to their last frame, not up to the guard before a division"
        )
        _log.warning(text, template, len(sources) - len(found), len(sources))
    return found


def _read_fates(table: pd.DataFrame, cells: pd.DataFrame, source: TrackSource, tracks: TrackSettings) -> pd.DataFrame:
    columns, path = tracks.fates_columns, source.find(str(tracks.fates_file))
    fates = _translate(table[columns.fate], tracks, path)
    given = fates.notna() | (table[columns.time].str.strip() != "")
    table, fates = table[given], fates[given]
    interval_min, times = source.frame_interval_min, table[columns.time]
    return pd.DataFrame(
        {
            "cell_id": find_cells(table[columns.cell_id], cells, tracks.fates_cell, path),
            "fate": fates.to_numpy(),
            "event_frame": event_frames(times, fates == CENSORED, interval_min, tracks, path).array,
            "time": times.to_numpy(),
        },
        index=table.index,
    )


def _translate(words: pd.Series, tracks: TrackSettings, path: Path) -> pd.Series:
    meanings = {word: tracks.fate_of(word) for word in words.unique() if word.strip()}
    unknown = [word for word, fate in meanings.items() if fate is None]
    if unknown:
        line = words.index[words == unknown[0]][0]
        raise InputError(
            f"Line {line} of {path} has the fate {unknown[0]!r:.60}, but apoptosis, mitosis, censored, unscored or a "
            "blank was expected; correct it, or say what it means in tracks.fate_names."
        )
    return words.map(meanings).astype(object)


def _check_agree(rows: pd.DataFrame, column: str, path: Path) -> None:
    differing = rows.groupby("cell_id")[column].nunique()
    if (differing > 1).any():
        cell = differing.index[differing > 1][0]
        first, second = rows.loc[rows["cell_id"] == cell, column].dropna().unique()[:2]
        raise InputError(
            f"Cell {cell} in {path} has the {column} {first} on one row and {second} on another, but a cell has "
            "one fate; state the same on every row."
        )


def _with_fates(cells: pd.DataFrame, stated: list[pd.DataFrame]) -> pd.DataFrame:
    if not stated:
        return cells
    rows = pd.concat(stated, ignore_index=True).drop(columns="time")
    rows = rows.rename(columns={"fate": "fate_of_table", "event_frame": "frame_of_table"})
    joined = cells.merge(rows.astype({"cell_id": "int64"}), on=CELL, how="left", validate="many_to_one")
    silent = joined["fate_of_table"].isna()
    fate = joined["fate"].where(silent, joined["fate_of_table"]).astype("str")
    frame = joined["frame_of_table"].astype("Int64")
    of_tracks = joined["event_frame"].where(fate != UNSCORED)
    listed = joined["stated"] | ~silent | frame.notna()
    return joined.assign(fate=fate, event_frame=frame.fillna(of_tracks), stated=listed)[list(cells.columns)]
