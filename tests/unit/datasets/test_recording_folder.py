"""The folder of recordings as a dataset."""

from pathlib import Path
from unittest.mock import patch

import pytest
from kedro.io import DatasetError

from cellfate.datasets.recording_folder import RecordingFolderDataset
from cellfate.simulation import simulate_study
from tests.cases.simulated import tiny_settings


def make_dataset(tmp_path: Path) -> RecordingFolderDataset:
    return RecordingFolderDataset(filepath=str(tmp_path / "recordings"))


def test_a_study_is_saved_and_its_folder_loaded(tmp_path: Path) -> None:
    dataset = make_dataset(tmp_path)
    assert not dataset.exists()
    for n_recordings in (2, 1):  # a simulation may replace a simulation
        dataset.save(simulate_study(tiny_settings(n_recordings=n_recordings)))
        root = dataset.load().root
        assert len(list((root / "images").iterdir())) == n_recordings
    assert [path.name for path in tmp_path.iterdir()] == ["recordings"]


def test_recordings_that_no_simulation_made_are_not_overwritten(tmp_path: Path) -> None:
    precious = tmp_path / "recordings" / "mine.tif"
    precious.parent.mkdir()
    precious.write_bytes(b"pixels")
    with pytest.raises(DatasetError, match="recordings that no simulation made"):
        make_dataset(tmp_path).save(simulate_study(tiny_settings(n_recordings=1)))
    assert precious.read_bytes() == b"pixels"


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"recordings does not exist.*pipeline simulation"):
        make_dataset(tmp_path).load()


def test_a_killed_run_leaves_nothing_to_load(tmp_path: Path) -> None:
    dataset = make_dataset(tmp_path)
    study = simulate_study(tiny_settings(n_recordings=1))
    with patch("tifffile.imwrite", side_effect=KeyboardInterrupt), pytest.raises(KeyboardInterrupt):
        dataset.save(study)
    assert not dataset.exists()
    dataset.save(study)
    assert [path.name for path in tmp_path.iterdir()] == ["recordings"]
