"""A folder of tracks, a CSV and a GEFF a recording, as a dataset."""

from pathlib import Path

import geff
import pandas as pd
import pytest
from kedro.io import DatasetError

from cellfate.datasets.track_files import TrackFilesDataset

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


def make_dataset(tmp_path: Path) -> TrackFilesDataset:
    return TrackFilesDataset(filepath=str(tmp_path / "tracks"))


def test_a_table_comes_back(tmp_path: Path) -> None:
    dataset = make_dataset(tmp_path)
    assert not dataset.exists()
    for table in (TABLE, TABLE.iloc[:2], TABLE):
        dataset.save(table)
        pd.testing.assert_frame_equal(dataset.load(), table, check_dtype=False)
    assert sorted(path.name for path in (tmp_path / "tracks").iterdir()) == ["a.csv", "a.geff", "b.csv", "b.geff"]
    assert [path.name for path in tmp_path.iterdir()] == ["tracks"]


def test_the_graph_holds_numbers_only(tmp_path: Path) -> None:
    """A viewer, napari-geff 0.0.4, opens no graph with text."""
    make_dataset(tmp_path).save(TABLE)
    graph, metadata = geff.read(tmp_path / "tracks" / "b.geff")
    assert set(metadata.node_props_metadata) == {"cell_id", "t", "y", "x", "parent_id"}
    assert [graph.nodes[node] for node in graph] == [{"cell_id": 4, "t": 3, "y": 3.5, "x": 6.0, "parent_id": 2}]


def test_a_file_of_others_is_not_overwritten(tmp_path: Path) -> None:
    precious = tmp_path / "tracks" / "mine.csv"
    precious.parent.mkdir()
    precious.write_text("a")
    with pytest.raises(DatasetError, match="is no file of tracks and would be overwritten"):
        make_dataset(tmp_path).save(TABLE)
    assert precious.read_text() == "a"


@pytest.mark.parametrize("name", ["..", "a/b", "a\\b", ""])
def test_a_name_that_leaves_the_folder_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(DatasetError, match="a name that is no file name"):
        make_dataset(tmp_path).save(TABLE.assign(recording_id=name))


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="tracks holds no tracks"):
        make_dataset(tmp_path).load()
