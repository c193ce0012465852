"""Schemas accept what the house writes, coerce, and refuse what would mislead."""

import pandas as pd
import pandera.errors
import pytest

from cellfate.core import tables
from cellfate.core.fates import listed_outcomes, probability_column


def one_cell(**changes: object) -> pd.DataFrame:
    row = {
        "recording_id": "a",
        "cell_id": 1,
        "parent_id": None,
        "lineage_id": None,
        "first_frame": 0,
        "last_frame": 3,
        "fate": "mitosis",
        "event_frame": 4,
        "group_id": "a",
    }
    return pd.DataFrame([{**row, **changes}])


def test_null_parents_survive_a_parquet_round_trip(tmp_path):
    cells = tables.Cells.validate(one_cell())
    cells.to_parquet(tmp_path / "cells.parquet")
    again = tables.Cells.validate(pd.read_parquet(tmp_path / "cells.parquet"))
    pd.testing.assert_frame_equal(again, cells)
    assert again["parent_id"].isna().all()


@pytest.mark.parametrize("change", [{"fate": "division"}, {"first_frame": -1}, {"recording_id": None}])
def test_a_wrong_value_is_refused(change):
    with pytest.raises(pandera.errors.SchemaError):
        tables.Cells.validate(one_cell(**change))


def test_an_empty_table_keeps_its_columns_and_types():
    empty = pd.DataFrame(columns=["recording_id", "cell_id", "stage", "reason"])
    assert tables.SetAside.validate(empty).dtypes["cell_id"] == pd.Int64Dtype()


def test_outcomes_are_listed_in_one_order():
    columns = [probability_column(outcome) for outcome in ("none", "mitosis", "apoptosis")]
    assert listed_outcomes(["sample_id", *columns]) == ("apoptosis", "mitosis", "none")
