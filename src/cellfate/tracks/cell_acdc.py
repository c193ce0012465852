"""Importer of Cell-ACDC's `acdc_output.csv`: a row a cell and frame, with its annotations.

Two ways of dividing are told apart. With a lineage tree (`parent_ID_tree`) daughters have numbers of their own. With
annotations of budding (`generation_num`, `relationship`, `relative_ID`) a mother keeps her number and her generation
counts up, so every generation is a cell, numbered Cell_ID x 1000 + generation; a bud is part of its mother until it
divides from her, and its rows before are left out. Excluded cells are left out. `is_cell_dead` counts as apoptosis, in
the first frame that is marked, where `columns.fate` names it.
"""

import logging
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cellfate.core.errors import InputError
from cellfate.core.fates import APOPTOSIS
from cellfate.core.numbers import LARGEST
from cellfate.core.text_tables import optional_whole_numbers
from cellfate.tracks.marks import drop_untracked, read_columns, read_marks
from cellfate.tracks.records import TrackedCells, TrackSource, make_tracked
from cellfate.tracks.settings import TrackSettings

_log = logging.getLogger(__name__)
_NAMES = {"cell_id": "Cell_ID", "frame": "frame_i", "y": "y_centroid", "x": "x_centroid"}
_TREE, _BUDDING = "parent_ID_tree", ("generation_num", "relationship", "relative_ID")
_DEAD, _EXCLUDED = "is_cell_dead", "is_cell_excluded"
_WORDS = {"1": True, "1.0": True, "true": True, "0": False, "0.0": False, "false": False, "": False, "nan": False}
_GENERATIONS = 1000
"""Generations of a cell are numbered below this."""


def read_recording(source: TrackSource, tracks: TrackSettings) -> TrackedCells:
    """Read the table of one recording; a reader as `importing.ReadRecording`."""
    path, fate = source.find(tracks.file_template), tracks.columns.fate
    needed = list(_NAMES.values()) if fate is None else [*_NAMES.values(), fate]
    table = read_columns(path, needed, optional=(_TREE, *_BUDDING, _DEAD, _EXCLUDED), features=tracks.spot_features)
    table = drop_untracked(table, _NAMES["cell_id"], tracks, path)
    if _EXCLUDED in table:
        excluded = _flags(table[_EXCLUDED], path)
        _log.info("%s: %d rows of excluded cells are left out", path, excluded.sum())
        table = table[~excluded]
    marks = read_marks(table, _NAMES, source, tracks, path)
    dead = _flags(table[fate or _DEAD], path) if fate or _DEAD in table else np.zeros(len(table), dtype=bool)
    parents: dict[int, int] | None = None
    if _TREE in table and (_optional(table[_TREE], path) > 0).any():
        parents = _parents_of_tree(marks, _optional(table[_TREE], path), path)
    elif set(_BUDDING) <= set(table):
        marks, kept, parents = _cut_generations(marks, table, path)
        dead = dead[kept]
    elif _TREE in table:
        parents = {}
    if dead.any() and fate is None:
        text = "%s marks %d cells as dead; set tracks.columns.fate to %s if they died by apoptosis"
        _log.warning(text, path, marks.loc[dead, "cell_id"].nunique(), _DEAD)
    return make_tracked(marks, parents, None if fate is None else _deaths(marks[dead]))


def _optional(column: pd.Series, path: Path) -> NDArray[np.int64]:
    return optional_whole_numbers(column, path).fillna(-1).to_numpy(np.int64)


def _flags(column: pd.Series, path: Path) -> NDArray[np.bool_]:
    words = column.str.strip().str.lower()
    unknown = ~words.isin(list(_WORDS))
    if unknown.any():
        raise InputError(
            f"Line {column.index[unknown][0]} of {path} has {column[unknown].iloc[0]!r:.60} in column {column.name}, "
            "but True or False was expected; correct it."
        )
    return words.map(_WORDS).to_numpy(bool)


def _deaths(marked: pd.DataFrame) -> pd.DataFrame:
    first = marked.groupby("cell_id")["frame"].min()
    return pd.DataFrame({"fate": APOPTOSIS, "event_frame": first.astype("Int64")}, index=first.index)


def _parents_of_tree(marks: pd.DataFrame, column: NDArray[np.int64], path: Path) -> dict[int, int]:
    pairs = marks.assign(parent=column)[["cell_id", "parent"]]
    pairs = pairs[pairs["parent"] > 0].drop_duplicates()
    twice = pairs[pairs["cell_id"].duplicated()]
    if len(twice):
        raise InputError(f"Cell {twice['cell_id'].iloc[0]} in {path} has two parents in {_TREE}; correct the table.")
    return dict(zip(pairs["cell_id"].tolist(), pairs["parent"].tolist(), strict=True))


def _cut_generations(
    marks: pd.DataFrame, table: pd.DataFrame, path: Path
) -> tuple[pd.DataFrame, NDArray[np.bool_], dict[int, int]]:
    """Make a cell of every generation; which rows are kept, and parents."""
    generations, relatives = _optional(table["generation_num"], path), _optional(table["relative_ID"], path)
    too_large = (generations < 0) | (generations >= _GENERATIONS) | (marks["cell_id"] > LARGEST).to_numpy()
    if too_large.any():
        raise InputError(
            f"File {path} has generations outside 0 to {_GENERATIONS - 1}, or a Cell_ID above 2^53; correct it."
        )
    is_bud = (table["relationship"].str.strip().str.lower() == "bud").to_numpy() & (generations == 0)
    rows = marks.assign(own=marks["cell_id"], cell_id=marks["cell_id"] * _GENERATIONS + generations, relative=relatives)
    number = rows.drop_duplicates(["own", "frame"]).set_index(["own", "frame"])["cell_id"]
    buds = rows[is_bud].sort_values("frame").drop_duplicates("own", keep="last")
    mothers = {
        own: number.get((relative, frame)) for own, relative, frame in buds[["own", "relative", "frame"]].to_numpy()
    }
    kept = rows[~is_bud].sort_values("frame").drop_duplicates("cell_id")[["own", "cell_id"]]
    before = kept.groupby("own")["cell_id"].shift()
    came_from = before.fillna(kept["own"].map(mothers))
    known = came_from.notna()
    parents = dict(zip(kept.loc[known, "cell_id"].tolist(), came_from[known].astype("int64").tolist(), strict=True))
    _log.info("%s: %d rows of buds that are part of their mothers are left out", path, is_bud.sum())
    return marks.assign(cell_id=rows["cell_id"])[~is_bud], ~is_bud, parents
