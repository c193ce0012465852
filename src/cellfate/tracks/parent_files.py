"""Files that say who came from whom, beside tracks that do not: JSON, a table, or the lines of the Challenge."""

import json
from collections.abc import Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cellfate.core.errors import InputError
from cellfate.core.text_tables import optional_whole_numbers, read_header, whole_numbers
from cellfate.tracks.graphs import forget_rejoined, refuse_merges, tell_merges
from cellfate.tracks.marks import read_columns
from cellfate.tracks.records import Remark, TrackSource
from cellfate.tracks.settings import TrackSettings

_BEYOND = 2**63
_LINE = 4
"""Numbers of a line of the Challenge: label, first frame, last frame, parent."""
_CHILD = ("child", "daughter", "child_track_id", "cell_id", "label", "track_id", "id")
_PARENT = ("parent", "parent_id", "parent_track_id", "mother", "parent_label", "mother_id")
"""Headers that the two columns of a table go by, in small letters, the likeliest first."""


def read_parents(
    source: TrackSource, tracks: TrackSettings, cell_ids: NDArray[np.int64]
) -> tuple[dict[int, int] | None, tuple[Remark, ...]]:
    """Read the parents that `graph_file` names, None without one; and where tracks that merge were cut.

    Raises
    ------
    InputError
        If the file is not usable, names a cell without a track, or tracks merge and `on_merge` is `stop`.
    """
    if tracks.graph_file is None:
        return None, ()
    path = source.find(tracks.graph_file, "graph_file")
    listed = _read_listed(path)
    unknown = set(listed) - set(cell_ids.tolist())
    if unknown:
        raise InputError(f"Graph {path} names cell {min(unknown)}, which has no row in the tracks; correct either.")
    merges = {cell: cells for cell, cells in sorted(listed.items()) if len(cells) > 1}
    places = [f"cell {cell}" for cell in merges]
    if tracks.on_merge == "stop":
        refuse_merges(places, path)
    single = {cell: cells[0] for cell, cells in listed.items() if cell not in merges}
    parents = forget_rejoined(single, merges.values())
    return parents, tell_merges(places, path, chain.from_iterable(listed.values()), parents)


def read_track_lines(path: Path) -> pd.DataFrame:
    """Read the lines of `man_track.txt` or `res_track.txt`: cell_id, begin, end and parent_id (0 for none), int64.

    Raises
    ------
    InputError
        If a line does not hold four whole numbers.
    """
    try:
        lines = path.read_text().splitlines()
        numbers = np.array([line.split() for line in lines if line.strip()], dtype=np.int64)
    except (ValueError, OverflowError, OSError) as error:
        raise InputError(
            f"Track file {path} cannot be read ({error}); expected four whole numbers a line; correct it."
        ) from error
    if numbers.size == 0 or numbers.shape[1] != _LINE:
        raise InputError(
            f"Track file {path} has {numbers.shape[-1] if numbers.size else 0} numbers a line, but four were "
            "expected (label, first frame, last frame, parent); correct it."
        )
    return pd.DataFrame(numbers, columns=["cell_id", "begin", "end", "parent_id"])


def _read_listed(path: Path) -> dict[int, list[int]]:
    """Parents of each cell that has one."""
    if path.suffix.lower() == ".json":
        return _read_json(path)
    if path.suffix.lower() == ".txt" and _has_lines(path):
        lines = read_track_lines(path)
        cells, parents = lines["cell_id"], lines["parent_id"].where(lines["parent_id"] > 0)
    else:
        cells, parents = _read_table(path)
    pairs = pd.DataFrame({"cell": cells.to_numpy(), "parent": parents.astype("Int64").array}).dropna()
    pairs = pairs[(pairs["parent"] != -1) & (pairs["parent"] != pairs["cell"])].drop_duplicates()
    listed: dict[int, list[int]] = {}
    for cell, parent in zip(pairs["cell"].tolist(), pairs["parent"].tolist(), strict=True):
        listed.setdefault(cell, []).append(parent)
    return listed


def _has_lines(path: Path) -> bool:
    with path.open("rb") as file:
        fields = file.readline(200).split()
    return len(fields) == _LINE and all(field.isdigit() for field in fields)


def holds_parents(path: Path) -> bool:
    """Whether a text file has lines of the Challenge, or columns of cells and parents."""
    return _has_lines(path) or None not in _columns_of_parents(read_header(path))


def _columns_of_parents(header: Sequence[str]) -> tuple[str | None, str | None]:
    small = {name.lower().replace(" ", "_"): name for name in reversed(header)}
    child, parent = (next((small[one] for one in names if one in small), None) for names in (_CHILD, _PARENT))
    return child, parent


def _read_table(path: Path) -> tuple[pd.Series, pd.Series]:
    header = read_header(path)
    child, parent = _columns_of_parents(header)
    if child is None or parent is None:
        raise InputError(
            f"The table of parents {path} has the columns {', '.join(header)[:300]}, but one of cells "
            f"({', '.join(_CHILD)}) and one of parents ({', '.join(_PARENT)}) were expected; rename them."
        )
    table = read_columns(path, [child, parent])
    cells, parents = whole_numbers(table[child], path), optional_whole_numbers(table[parent], path)
    return pd.Series(cells, index=table.index), parents if (cells == 0).any() else parents.mask(parents == 0)


def _read_json(path: Path) -> dict[int, list[int]]:
    try:
        with path.open(encoding="utf-8") as file:
            content = json.load(file, object_pairs_hook=_refuse_repeats)
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(
            f'Graph {path} cannot be read ({error}); expected JSON such as {{"7": [3]}}; correct it.'
        ) from error
    if not isinstance(content, dict):
        raise InputError(f"Graph {path} holds no JSON object, but {{daughter: [parent]}} was expected; correct it.")
    return {_cell(daughter, path): _parents(daughter, parents, path) for daughter, parents in content.items()}


def _refuse_repeats(pairs: list[tuple[str, Any]]) -> Mapping[str, Any]:
    if len({key for key, _ in pairs}) < len(pairs):
        raise ValueError("an entry stands there twice")
    return dict(pairs)


def _cell(value: Any, path: Path) -> int:
    try:
        whole = int(value)
        is_whole = whole == float(value) or not isinstance(value, float)
    except (TypeError, ValueError, OverflowError):
        whole, is_whole = 0, False
    if not is_whole or isinstance(value, bool) or abs(whole) >= _BEYOND:
        raise InputError(f"Graph {path} has {value!r:.60} in the place of the number of a cell; correct it.")
    return whole


def _parents(daughter: str, parents: Any, path: Path) -> list[int]:
    listed = parents if isinstance(parents, list) else [parents]
    if not listed:
        raise InputError(
            f"Graph {path} gives cell {daughter:.40} 0 parents, but one was expected; leave founders out of the graph."
        )
    return [_cell(parent, path) for parent in listed]
