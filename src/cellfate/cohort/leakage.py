"""What a split lets through: how many cells that are tested share something with cells that trained."""

import pandas as pd

from cellfate.core.tables import PARTS

_CELL = ["recording_id", "cell_id"]


def report_leakage(samples: pd.DataFrame, cells: pd.DataFrame, splits: pd.DataFrame) -> pd.DataFrame:
    """Count, for every fold and part, the cells that share a recording, a lineage or a sister with training.

    Parameters
    ----------
    samples, cells, splits : DataFrame
        Tables `Samples`, `Cells`, `Splits`.

    Returns
    -------
    DataFrame
        One row a fold and part: scheme, fold, part, n_samples, n_cells, n_groups, share_recording (of the part's
        cells), share_lineage (of its cells whose lineage is known), share_sister (of its cells whose parent is known; a
        sister has the same parent). A share is NaN where no cell's family is known, and in the training part.
    """
    table = splits.merge(samples[["sample_id", *_CELL, "group_id"]], on="sample_id")
    table = table.merge(cells[[*_CELL, "parent_id", "lineage_id"]], on=_CELL, how="left")
    folds = table.groupby(["scheme", "fold"])
    rows = [{"scheme": scheme, "fold": fold, **_row(group, part)} for (scheme, fold), group in folds for part in PARTS]
    return pd.DataFrame(rows)


def _row(of_fold: pd.DataFrame, part: str) -> dict[str, object]:
    training, members = of_fold[of_fold["part"] == "train"], of_fold[of_fold["part"] == part]
    one_a_cell = members.drop_duplicates(_CELL)
    row: dict[str, object] = {
        "part": part,
        "n_samples": len(members),
        "n_cells": len(one_a_cell),
        "n_groups": members["group_id"].nunique(),
    }
    shared = {"recording": [], "lineage": ["lineage_id"], "sister": ["parent_id"]}
    for name, columns in shared.items():
        key = ["recording_id", *columns]
        row[f"share_{name}"] = float("nan") if part == "train" else _share(one_a_cell, training, key)
    return row


def _share(members: pd.DataFrame, training: pd.DataFrame, key: list[str]) -> float:
    known = members[key].dropna()
    if known.empty:
        return float("nan")
    trained = pd.MultiIndex.from_frame(training[key].dropna().drop_duplicates())
    return float(pd.MultiIndex.from_frame(known).isin(trained).mean())
