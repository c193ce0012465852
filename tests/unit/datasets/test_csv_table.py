"""A table for a person as a dataset: on disk only."""

from pathlib import Path

import pandas as pd
import pytest
from kedro.io import DataCatalog, DatasetError

from cellfate.datasets.base import find_path
from cellfate.datasets.csv_table import CsvTableDataset

TABLE = pd.DataFrame({"recording_id": ["a", "b", "c"], "cell_id": [1, 2, 3]})


def test_a_table_comes_back_and_its_first_rows_are_shown(tmp_path: Path) -> None:
    dataset = CsvTableDataset(filepath=str(tmp_path / "new" / "cells.csv"))
    assert not dataset.exists()
    dataset.save(TABLE)
    pd.testing.assert_frame_equal(dataset.load(), TABLE)
    assert dataset.preview(2) == {"index": [0, 1], "columns": ["recording_id", "cell_id"], "data": [["a", 1], ["b", 2]]}
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["cells.csv"]


@pytest.mark.parametrize("kind", ["csv_table.CsvTableDataset", "track_files.TrackFilesDataset"])
def test_a_url_is_refused_and_nothing_is_written(kind: str) -> None:
    entry = {"type": f"cellfate.datasets.{kind}", "filepath": "memory://b/x.csv"}
    with pytest.raises(DatasetError, match=r"filepath is memory://b/x\.csv, but .* on a disk of this computer"):
        DataCatalog.from_config({"table": entry}).get("table")


def test_a_missing_table_is_named(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"There is no table .*cells\.csv; run the pipeline that writes it"):
        CsvTableDataset(filepath=str(tmp_path / "cells.csv")).load()


def test_the_path_of_any_dataset_is_found(tmp_path: Path) -> None:
    files = {"ours": "cellfate.datasets.csv_table.CsvTableDataset", "kedros": "pandas.ParquetDataset"}
    catalog = DataCatalog.from_config(
        {name: {"type": kind, "filepath": str(tmp_path / name)} for name, kind in files.items()}
        | {
            "away": {"type": "json.JSONDataset", "filepath": "memory://b/x.json"},
            "held": {"type": "MemoryDataset"},
        }
    )
    assert {name: find_path(catalog.get(name)) for name in catalog} == {
        **{name: tmp_path / name for name in files},
        "away": None,
        "held": None,
    }
