"""The crop store as a Kedro dataset."""

import os
from pathlib import Path
from unittest.mock import patch

import pytest
from kedro.io import DataCatalog, DatasetError
from kedro.pipeline import Pipeline, node
from kedro.runner import SequentialRunner

from cellfate.crops.cutting import CropPlan
from cellfate.crops.store import CropStore
from cellfate.datasets.crop_store import CropStoreDataset
from cellfate.imaging.records import Recording
from tests.cases.coco_folder import write_coco_folder
from tests.unit.crops.test_crop_plan import COCO, plan_of


@pytest.fixture
def plan(tmp_path: Path) -> CropPlan:
    return plan_of(write_coco_folder(tmp_path / "raw"), COCO)


def test_a_plan_is_carried_out_by_a_pipeline(tmp_path: Path, plan: CropPlan) -> None:
    dataset = CropStoreDataset(filepath=str(tmp_path / "crops.zarr"))
    assert not dataset.exists()

    def plan_crops() -> CropPlan:
        return plan

    def count_cells(crops: CropStore) -> int:
        return len(crops.tracks)

    steps = Pipeline(
        [node(plan_crops, None, "crops", name="cut_crops"), node(count_cells, "crops", "n_cells", name="count_cells")]
    )
    catalog = DataCatalog({"crops": dataset})
    found = SequentialRunner().run(steps, catalog)
    assert found["n_cells"].load() == 5
    assert dataset.exists()


def test_crops_of_the_same_images_are_the_same_though_their_files_are_newer(tmp_path: Path, plan: CropPlan) -> None:
    dataset = CropStoreDataset(filepath=str(tmp_path / "crops.zarr"))
    assert dataset.digest is None
    dataset.save(plan)
    before, manifest = dataset.digest, (tmp_path / "crops.zarr/manifest.json").read_text()
    for path in (tmp_path / "raw").rglob("*.tif"):
        os.utime(path, (1, 1))
    dataset.save(plan)
    assert (tmp_path / "crops.zarr/manifest.json").read_text() != manifest
    assert dataset.digest == before
    changed = manifest.replace('"n_cells": 3', '"n_cells": 2')
    (tmp_path / "crops.zarr/manifest.json").write_text(changed)
    assert dataset.digest != before


def test_the_preview_lists_recordings(tmp_path: Path, plan: CropPlan) -> None:
    dataset = CropStoreDataset(filepath=str(tmp_path / "crops.zarr"))
    dataset.save(plan)
    shown = dataset.preview()
    assert shown["columns"][:3] == ["recording_id", "n_cells", "n_frames"]
    assert [row[:3] for row in shown["data"]] == [["001", 3, 15], ["002", 2, 13]]
    assert dataset.preview(nrows=1)["index"] == [0]


def test_a_missing_store_is_named_with_the_pipeline_that_makes_it(tmp_path: Path) -> None:
    dataset = CropStoreDataset(filepath=str(tmp_path / "crops.zarr"))
    with pytest.raises(DatasetError, match=r"crops\.zarr has no manifest\.json.*run data_processing"):
        dataset.load()


def test_a_killed_run_leaves_nothing_to_load(tmp_path: Path, plan: CropPlan) -> None:
    dataset = CropStoreDataset(filepath=str(tmp_path / "crops.zarr"))
    with (
        patch.object(Recording, "read_frame", side_effect=KeyboardInterrupt),
        pytest.raises(KeyboardInterrupt),
    ):
        dataset.save(plan)
    assert not dataset.exists()
    dataset.save(plan)
    assert len(dataset.load().tracks) == 5
    assert [path.name for path in tmp_path.iterdir() if "crops" in path.name] == ["crops.zarr"]


def test_a_url_is_loaded_from_and_not_written_to(tmp_path: Path, plan: CropPlan) -> None:
    CropStoreDataset(filepath=str(tmp_path / "crops.zarr")).save(plan)
    remote = CropStoreDataset(filepath=f"file://{tmp_path}/crops.zarr")
    assert len(remote.load().tracks) == 5
    with pytest.raises(DatasetError, match="written to a folder, but filepath is file://"):
        remote.save(plan)
