"""The leakage report against shares counted by hand."""

import numpy as np
import pandas as pd
import pytest

from cellfate.cohort.leakage import report_leakage


def tables(parents: list[int | None], lineages: list[str | None]) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Six cells in recordings a, a, a, b, b, c; cells 1, 2, 5 train, cell 3 validates, cells 4 and 6 test."""
    cell = pd.DataFrame({"recording_id": list("aaabbc"), "cell_id": range(1, 7)})
    cells = cell.assign(parent_id=pd.array(parents, dtype="Int64"), lineage_id=pd.array(lineages, dtype="str"))
    follow_ups = cell.assign(group_id=cell["recording_id"])
    parts = ["train", "train", "validation", "test", "train", "test"]
    return follow_ups, cells, cell.assign(scheme="x", fold=0, part=parts)


def test_shares_are_counted_in_cells() -> None:
    # cells 2 and 3 are daughters of 9 in recording a; cell 4 of 9 too, but of recording b's; 6 has an unknown parent
    found = report_leakage(*tables([None, 9, 9, 9, 8, None], ["l1", "l2", "l2", "l3", "l4", "l5"])).set_index("part")
    assert found["n_cells"].to_dict() == {"train": 3, "validation": 1, "test": 2}
    assert found["n_groups"].to_dict() == {"train": 2, "validation": 1, "test": 2}
    assert found.loc["test", "share_recording"] == 0.5
    assert found.loc["test", ["share_lineage", "share_sister"]].tolist() == [0.0, 0.0]
    assert found.loc["validation", ["share_recording", "share_lineage", "share_sister"]].tolist() == [1.0, 1.0, 1.0]
    assert found.loc["train", ["share_recording", "share_lineage", "share_sister"]].isna().all()


def test_unknown_parents_give_nan_not_zero() -> None:
    found = report_leakage(*tables([None] * 6, [None] * 6)).set_index("part")
    assert np.isnan(found.loc["test", "share_lineage"])
    assert np.isnan(found.loc["test", "share_sister"])
    assert found.loc["test", "share_recording"] == pytest.approx(0.5)
