"""What a split lets through: how many cells that are tested share something with cells that the model has seen."""

from typing import Final

import pandas as pd

from cellfate.core.tables import CELL, SHARED, Leakage

_KEYS: Final = {
    "recording": ["recording_id"],
    "group": ["group_id"],  # a group may hold several recordings
    "lineage": ["recording_id", "lineage_id"],
    "sister": ["recording_id", "parent_id"],
}


def report_leakage(follow_ups: pd.DataFrame, cells: pd.DataFrame, splits: pd.DataFrame) -> pd.DataFrame:
    """Count, for every fold, the cells that share a recording, group, lineage, mother or sister with cells seen before.

    Parameters
    ----------
    follow_ups, cells, splits : DataFrame
        Tables `FollowUps`, `Cells`, `Splits`.

    Returns
    -------
    DataFrame
        Table `Leakage`. Validation cells are held against those that train, test cells against those that train or
        validate: these choose the epoch, the thresholds and the weights of the blend. A cell shares its mother where
        she, or a daughter of its own, was seen; a sister where another cell of the same parent was.
    """
    table = splits.merge(follow_ups[[*CELL, "group_id"]], on=CELL)
    table = table.merge(cells[[*CELL, "parent_id", "lineage_id"]], on=CELL, how="left")
    rows = []
    for (scheme, fold), of_fold in table.groupby(["scheme", "fold"]):
        for part, seen_parts in (("validation", ["train"]), ("test", ["train", "validation"])):
            members, seen = of_fold[of_fold["part"] == part], of_fold[of_fold["part"].isin(seen_parts)]
            for shared in SHARED:
                known, found = _share(shared, members, seen)
                row = {"scheme": scheme, "fold": fold, "part": part, "shared": shared, "n_cells": len(members)}
                row |= {"n_known": int(known.sum()), "n_shared": int(found.sum())}
                rows.append(row | {"share": found[known].mean()})
    return Leakage.validate(pd.DataFrame(rows))


def _share(shared: str, members: pd.DataFrame, seen: pd.DataFrame) -> tuple["pd.Series[bool]", "pd.Series[bool]"]:
    """Tell of every cell whether it is known of what it has to share, and whether it shares it."""
    if shared == "mother":
        of_mother = _is_among(members, ["recording_id", "parent_id"], seen, CELL)
        of_daughter = _is_among(members, CELL, seen, ["recording_id", "parent_id"])
        return members["parent_id"].notna() | of_daughter, of_mother | of_daughter
    key = _KEYS[shared]
    return members[key].notna().all(axis=1), _is_among(members, key, seen, key)


def _is_among(members: pd.DataFrame, key: list[str], seen: pd.DataFrame, seen_key: list[str]) -> "pd.Series[bool]":
    """Tell of every cell whether its key is found among those of the cells seen; what is not known is not found."""
    known = pd.MultiIndex.from_frame(seen[seen_key].dropna().drop_duplicates())
    found = pd.MultiIndex.from_frame(members[key]).isin(known)
    return pd.Series(found, index=members.index) & members[key].notna().all(axis=1)
