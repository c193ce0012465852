"""Families of cells: who founded them, and which mothers divide."""

import numpy as np
import pandas as pd


def find_founders(cell_ids: pd.Series, parent_ids: pd.Series) -> pd.Series:
    """Follow every cell of a recording back to the first of its family; null for a cell that is its own ancestor.

    `parent_ids` is null for a founder; a parent that is not among `cell_ids` founds its family.

    Examples
    --------
    >>> find_founders(pd.Series([1, 2, 3]), pd.Series([pd.NA, 1, 2], dtype="Int64")).tolist()
    [1, 1, 1]
    """
    parent_of = {
        int(cell): int(parent) for cell, parent in zip(cell_ids, parent_ids, strict=True) if not pd.isna(parent)
    }
    founders: dict[int, int | None] = {}
    for cell in map(int, cell_ids):
        path: list[int] = []
        while cell in parent_of and cell not in founders and cell not in path:
            path.append(cell)
            cell = parent_of[cell]
        end = None if cell in path else founders.get(cell, cell)
        founders.update(dict.fromkeys([*path, cell], end))
    return pd.Series([founders[int(cell)] for cell in cell_ids], index=cell_ids.index, dtype="Int64")


def find_divisions(cells: pd.DataFrame) -> pd.DataFrame:
    """Find the mothers with at least two daughters, among cell_id, parent_id (null for a founder) and begin.

    Indexed by the mother's cell_id: n_daughters; event_frame, the first frame of the earliest daughter; same_frame,
    whether all daughters begin in it. Of mothers with one daughter the track goes on under a new number.
    """
    daughters = cells[cells["parent_id"].notna()].groupby("parent_id")["begin"].agg(["size", "min", "max"])
    mothers = daughters[daughters["size"] >= 2]
    return pd.DataFrame(
        {
            "n_daughters": mothers["size"],
            "event_frame": mothers["min"],
            "same_frame": np.asarray(mothers["min"] == mothers["max"]),
        },
        index=mothers.index,
    )
