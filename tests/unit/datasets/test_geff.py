"""A folder of GEFF graphs as a dataset."""

from pathlib import Path

import pandas as pd
import pytest
from kedro.io import DatasetError

from cellfate.datasets.geff import GeffDataset

TABLE = pd.DataFrame(
    {
        "recording_id": ["a", "a", "b"],
        "cell_id": [1, 1, 4],
        "frame": [0, 1, 3],
        "y_px": [1.5, 2.5, 3.5],
        "x_px": [4.0, 5.0, 6.0],
        "parent_id": pd.array([pd.NA, pd.NA, 2], dtype="Int64"),
        "call": ["mitosis", "mitosis", None],
    }
)


def make_dataset(tmp_path: Path) -> GeffDataset:
    return GeffDataset(filepath=str(tmp_path / "graphs"))


def test_a_table_comes_back(tmp_path: Path) -> None:
    dataset = make_dataset(tmp_path)
    assert not dataset.exists()
    for table in (TABLE, TABLE.iloc[:2], TABLE):
        dataset.save(table)
        pd.testing.assert_frame_equal(dataset.load(), table, check_dtype=False)
    assert sorted(path.name for path in (tmp_path / "graphs").iterdir()) == ["a.geff", "b.geff"]
    assert [path.name for path in tmp_path.iterdir()] == ["graphs"]


def test_what_is_no_geff_is_not_overwritten(tmp_path: Path) -> None:
    precious = tmp_path / "graphs" / "mine.csv"
    precious.parent.mkdir()
    precious.write_text("a")
    with pytest.raises(DatasetError, match="is no GEFF and would be overwritten"):
        make_dataset(tmp_path).save(TABLE)
    assert precious.read_text() == "a"


@pytest.mark.parametrize("name", ["..", "a/b", "a\\b", ""])
def test_a_name_that_leaves_the_folder_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(DatasetError, match="a name that is no file name"):
        make_dataset(tmp_path).save(TABLE.assign(recording_id=name))


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="graphs holds no GEFF"):
        make_dataset(tmp_path).load()
