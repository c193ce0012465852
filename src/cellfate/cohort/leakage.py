"""What a split lets through: how many cells that are tested share something with cells that trained."""

import pandas as pd

from cellfate.core.tables import CELL, PARTS, Leakage


def report_leakage(follow_ups: pd.DataFrame, cells: pd.DataFrame, splits: pd.DataFrame) -> pd.DataFrame:
    """Count, for every fold and part, the cells that share a recording, a lineage or a sister with training.

    Parameters
    ----------
    follow_ups, cells, splits : DataFrame
        Tables `FollowUps`, `Cells`, `Splits`.

    Returns
    -------
    DataFrame
        Table `Leakage`: share_recording (of the part's cells), share_lineage (of its cells whose lineage is known),
        share_sister (of its cells whose parent is known; a sister has the same parent). A share is NaN where no cell's
        family is known, and in the training part.
    """
    table = splits.merge(follow_ups[[*CELL, "group_id"]], on=CELL)
    table = table.merge(cells[[*CELL, "parent_id", "lineage_id"]], on=CELL, how="left")
    folds = table.groupby(["scheme", "fold"])
    rows = [{"scheme": scheme, "fold": fold, **_row(group, part)} for (scheme, fold), group in folds for part in PARTS]
    return Leakage.validate(pd.DataFrame(rows))


def _row(of_fold: pd.DataFrame, part: str) -> dict[str, object]:
    training, members = of_fold[of_fold["part"] == "train"], of_fold[of_fold["part"] == part]
    row: dict[str, object] = {"part": part, "n_cells": len(members), "n_groups": members["group_id"].nunique()}
    shared = {"recording": [], "lineage": ["lineage_id"], "sister": ["parent_id"]}
    for name, columns in shared.items():
        key = ["recording_id", *columns]
        row[f"share_{name}"] = float("nan") if part == "train" else _share(members, training, key)
    return row


def _share(members: pd.DataFrame, training: pd.DataFrame, key: list[str]) -> float:
    known = members[key].dropna()
    if known.empty:
        return float("nan")
    trained = pd.MultiIndex.from_frame(training[key].dropna().drop_duplicates())
    return float(pd.MultiIndex.from_frame(known).isin(trained).mean())
