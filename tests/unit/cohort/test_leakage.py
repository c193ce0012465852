"""The leakage report against cells counted by hand."""

import numpy as np
import pandas as pd

from cellfate.cohort.leakage import report_leakage
from cellfate.core.tables import SHARED, Leakage


def tables(parents: list[int | None], lineages: list[str | None]) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Six cells in recordings a, a, a, b, b, c; cells 1, 2, 5 train, cell 3 validates, cells 4 and 6 test."""
    cell = pd.DataFrame({"recording_id": list("aaabbc"), "cell_id": range(1, 7)})
    cells = cell.assign(parent_id=pd.array(parents, dtype="Int64"), lineage_id=pd.array(lineages, dtype="str"))
    follow_ups = cell.assign(group_id=cell["recording_id"])
    parts = ["train", "train", "validation", "test", "train", "test"]
    return follow_ups, cells, cell.assign(scheme="x", fold=0, part=parts)


def counts(found: pd.DataFrame, part: str) -> dict[str, tuple[int, int]]:
    """Cells that share something, of how many it is known, by what is shared."""
    rows = found[found["part"] == part].set_index("shared")
    return {shared: (rows.loc[shared, "n_shared"], rows.loc[shared, "n_known"]) for shared in SHARED}


def test_cells_are_counted() -> None:
    # cells 2 and 3 are daughters of 9 in recording a; cell 4 of 9 too, but of recording b's; 6 has an unknown parent
    found = report_leakage(*tables([None, 9, 9, 9, 8, None], ["l1", "l2", "l2", "l3", "l4", "l5"]))
    assert found.groupby("part")["n_cells"].first().to_dict() == {"test": 2, "validation": 1}
    assert counts(found, "test") == {
        "recording": (1, 2), "group": (1, 2), "lineage": (0, 2), "mother": (0, 1), "sister": (0, 1),
    }  # fmt: skip
    assert counts(found, "validation") == {
        "recording": (1, 1), "group": (1, 1), "lineage": (1, 1), "mother": (0, 1), "sister": (1, 1),
    }  # fmt: skip
    of_recording = found[(found["part"] == "test") & (found["shared"] == "recording")]
    assert of_recording["share"].tolist() == [0.5]


def test_mothers_are_found_from_either_side_and_in_the_validation_part_too() -> None:
    # cell 6 of c becomes cell 4's mother; 4's sister 3 validates: all three in one recording
    follow_ups, cells, splits = tables([None, None, 6, 6, None, None], ["l1", "l2", "l6", "l6", "l5", "l6"])
    follow_ups, cells, splits = (table.assign(recording_id="a") for table in (follow_ups, cells, splits))
    found = report_leakage(follow_ups, cells, splits)
    # of the test cells 4 and 6: 4's mother is tested with it, 6's daughter 3 validates; 4's sister 3 does
    assert counts(found, "test")["mother"] == (1, 2)
    assert counts(found, "test")["sister"] == (1, 1)
    assert counts(found, "test")["lineage"] == (2, 2)
    trains = splits.assign(part=["train", "train", "validation", "test", "train", "train"])
    assert counts(report_leakage(follow_ups, cells, trains), "test")["mother"] == (1, 1)


def test_a_group_of_several_recordings_is_shared_across_them() -> None:
    follow_ups, cells, splits = tables([None] * 6, [None] * 6)
    found = report_leakage(follow_ups.assign(group_id=list("pppppq")), cells, splits)
    assert counts(found, "test")["group"] == (1, 2)


def test_unknown_parents_give_nan_not_zero() -> None:
    found = (
        Leakage.validate(report_leakage(*tables([None] * 6, [None] * 6))).query("part == 'test'").set_index("shared")
    )
    assert np.isnan(found.loc[["lineage", "mother", "sister"], "share"]).all()
    assert found.loc["recording", "share"] == 0.5
