"""Carrying out a plan: restarts, additions, workers and clusters all give the store of one process, byte for byte."""

import os
from dataclasses import replace
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pandas as pd
import pytest

from cellfate.core.errors import InputError
from cellfate.crops.cutting import CropPlan
from cellfate.crops.fingerprint import fingerprint_inputs
from cellfate.crops.settings import CropBuildSettings
from cellfate.crops.store import CropStore, write_crops
from cellfate.imaging.records import Recording
from tests.cases.coco_folder import write_coco_folder
from tests.unit.crops.test_crop_plan import COCO, SIZE, plan_of

FIRST, SECOND = "001", "002"


@pytest.fixture
def plan(tmp_path: Path) -> CropPlan:
    return plan_of(write_coco_folder(tmp_path / "raw"), COCO)


def files_of(path: Path) -> dict[str, bytes]:
    return {str(file.relative_to(path)): file.read_bytes() for file in path.rglob("*") if file.is_file()}


def only(plan: CropPlan, *names: str) -> CropPlan:
    return replace(plan, recordings=plan.recordings[plan.recordings["recording_id"].isin(names)])


def decoded(path: Path, plan: CropPlan) -> list[str]:
    """Write the store and tell which recordings were decoded for it."""
    with patch.object(Recording, "read_frame", autospec=True, side_effect=Recording.read_frame) as read:
        write_crops(path, plan, plan.settings)
    return sorted({call.args[0].recording_id for call in read.call_args_list})


def test_a_second_run_decodes_nothing(tmp_path: Path, plan: CropPlan) -> None:
    assert decoded(tmp_path / "crops.zarr", plan) == [FIRST, SECOND]
    before = files_of(tmp_path / "crops.zarr")
    assert decoded(tmp_path / "crops.zarr", plan) == []
    assert files_of(tmp_path / "crops.zarr") == before


def test_a_killed_run_goes_on_where_it_was(tmp_path: Path, plan: CropPlan) -> None:
    def die_in_the_second(recording: Recording, frame: int) -> np.ndarray:
        if recording.recording_id == SECOND and frame == 2:
            raise KeyboardInterrupt
        return real(recording, frame)

    real = Recording.read_frame
    with (
        patch.object(Recording, "read_frame", autospec=True, side_effect=die_in_the_second),
        pytest.raises(KeyboardInterrupt),
    ):
        write_crops(tmp_path / "crops.zarr", plan, plan.settings)
    with pytest.raises(InputError, match="never finished"):
        CropStore(tmp_path / "crops.zarr")
    assert decoded(tmp_path / "crops.zarr", plan) == [SECOND]
    write_crops(tmp_path / "fresh.zarr", plan, plan.settings)
    assert files_of(tmp_path / "crops.zarr") == files_of(tmp_path / "fresh.zarr")


def test_a_run_killed_while_writing_leaves_no_group(tmp_path: Path, plan: CropPlan) -> None:
    with (
        patch("cellfate.crops.stored_groups._measure", side_effect=KeyboardInterrupt),
        pytest.raises(KeyboardInterrupt),
    ):
        write_crops(tmp_path / "crops.zarr", plan, plan.settings)
    assert [path.name.endswith(".partial") for path in (tmp_path / "crops.zarr").iterdir()] == [True]
    assert decoded(tmp_path / "crops.zarr", plan) == [FIRST, SECOND]
    assert not list((tmp_path / "crops.zarr").glob("*.partial"))


def test_a_recording_that_is_added_is_the_only_one_cropped(tmp_path: Path, plan: CropPlan) -> None:
    assert decoded(tmp_path / "crops.zarr", only(plan, SECOND)) == [SECOND]
    assert decoded(tmp_path / "crops.zarr", plan) == [FIRST]
    assert CropStore(tmp_path / "crops.zarr").recording_ids == (FIRST, SECOND)


def test_a_recording_that_is_gone_leaves_the_store(tmp_path: Path, plan: CropPlan) -> None:
    write_crops(tmp_path / "crops.zarr", plan, plan.settings)
    assert decoded(tmp_path / "crops.zarr", only(plan, SECOND)) == []
    assert CropStore(tmp_path / "crops.zarr").recording_ids == (SECOND,)
    assert len([path for path in (tmp_path / "crops.zarr").iterdir() if path.is_dir()]) == 1


@pytest.mark.parametrize(
    "harm", ["cut short", "lost", "no record", "record of nonsense", "record of another", "flipped bit"]
)
def test_a_damaged_group_is_made_again(tmp_path: Path, plan: CropPlan, harm: str) -> None:
    path = tmp_path / "crops.zarr"
    write_crops(path, plan, plan.settings)
    before = files_of(path)
    first, second = (path / entry["group"] for entry in CropStore(path).manifest["recordings"])
    chunk = first / "frames" / "c" / "0" / "0" / "0" / "0"
    if harm == "cut short":
        chunk.write_bytes(chunk.read_bytes()[:-1])
    elif harm == "lost":
        chunk.unlink()
    elif harm == "flipped bit":
        chunk.write_bytes(bytes([chunk.read_bytes()[0] ^ 1]) + chunk.read_bytes()[1:])
    elif harm == "no record":
        (first / "record.json").unlink()
    else:
        (first / "record.json").write_text("{" if "nonsense" in harm else (second / "record.json").read_text())
    assert decoded(path, plan) == [FIRST]
    assert files_of(path) == before


def test_whatever_crops_are_made_of_makes_them_anew(tmp_path: Path, plan: CropPlan) -> None:
    def change(table: pd.DataFrame, **columns: object) -> pd.DataFrame:
        return table.assign(**columns)

    (first, second) = plan.parts()
    image = plan.folder.root / first.frame_files["file_name"].iloc[0]
    before = fingerprint_inputs(first)
    others = [
        second,
        replace(first, settings=SIZE.model_copy(update={"height_px": 14})),
        replace(first, settings=SIZE.model_copy(update={"compression": "none"})),
        replace(first, recordings=change(first.recordings, frame_interval_min=31.0)),
        replace(first, detections=change(first.detections, y_px=first.detections["y_px"] + 1e-9)),
        replace(first, detections=first.detections.iloc[1:]),
        replace(first, frame_files=first.frame_files.iloc[:-1]),
    ]
    same = [
        first,
        replace(first, detections=first.detections.sample(frac=1.0, random_state=0)),
        replace(first, recordings=change(first.recordings, dose="Other", condition="other", group_id="g")),
        replace(first, building=CropBuildSettings(workers=2, memory_limit_mb=7)),
    ]
    assert {fingerprint_inputs(part) for part in same} == {before}
    found = [before, *(fingerprint_inputs(part) for part in others)]
    os.utime(image, ns=(1, 1))
    found.append(fingerprint_inputs(first))
    image.write_bytes(image.read_bytes() + b"0")
    os.utime(image, ns=(1, 1))
    found.append(fingerprint_inputs(first))
    image.unlink()
    found.append(fingerprint_inputs(first))
    assert len(set(found)) == len(others) + 4


def test_a_changed_file_in_a_folder_of_images_is_seen(tmp_path: Path, plan: CropPlan) -> None:
    part = next(plan.parts())
    folder = plan.folder.root / "image.ome.zarr" / "0"
    folder.mkdir(parents=True)
    (folder / "0").write_text("a")
    part = replace(part, frame_files=part.frame_files.assign(file_name="image.ome.zarr"))
    before = fingerprint_inputs(part)
    assert fingerprint_inputs(part) == before
    (folder / "0").write_text("ab")
    assert fingerprint_inputs(part) != before


def test_the_older_store_can_be_read_until_the_newer_one_is_whole(tmp_path: Path, plan: CropPlan) -> None:
    path = tmp_path / "crops.zarr"
    write_crops(path, plan, plan.settings)
    older = CropStore(path)
    before = older.read(FIRST, 1).frames_tchw
    larger = replace(plan, settings=SIZE.model_copy(update={"height_px": 20}))
    with (
        patch("cellfate.crops.store._collect", side_effect=lambda built, _: [*built, *"x"][99]),
        pytest.raises(IndexError),
    ):
        write_crops(path, larger, larger.settings)
    assert np.array_equal(CropStore(path).read(FIRST, 1).frames_tchw, before)
    assert decoded(path, larger) == []
    assert CropStore(path).read(FIRST, 1).frames_tchw.shape[-2] == 20
    assert len([folder for folder in path.iterdir() if folder.is_dir()]) == 2


def test_a_folder_that_is_no_group_is_left_alone(tmp_path: Path, plan: CropPlan) -> None:
    (tmp_path / "notes").mkdir()
    write_crops(tmp_path, plan, plan.settings)
    assert (tmp_path / "notes").is_dir()
    assert (tmp_path / "raw").is_dir()


def test_two_processes_give_the_same_store(tmp_path: Path, plan: CropPlan) -> None:
    write_crops(tmp_path / "one.zarr", plan, plan.settings)
    parallel = replace(plan, building=CropBuildSettings(workers=2))
    write_crops(tmp_path / "two.zarr", parallel, plan.settings)
    assert files_of(tmp_path / "one.zarr") == files_of(tmp_path / "two.zarr")


def test_two_dask_workers_give_the_same_store(tmp_path: Path, plan: CropPlan) -> None:
    distributed = pytest.importorskip("distributed")
    write_crops(tmp_path / "one.zarr", plan, plan.settings)
    with distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster:
        spread = replace(plan, building=CropBuildSettings(scheduler_address=cluster.scheduler_address))
        write_crops(tmp_path / "two.zarr", spread, plan.settings)
        assert decoded_nothing_again(tmp_path / "two.zarr", spread)
        broken = plan.folder.root / plan.frame_files["file_name"].iloc[3]
        broken.write_bytes(broken.read_bytes()[:300])
        with pytest.raises(InputError, match=broken.name):
            write_crops(tmp_path / "three.zarr", spread, plan.settings)
        tolerant = replace(spread, skip_bad_recordings=True)
        write_crops(tmp_path / "three.zarr", tolerant, plan.settings)
        assert CropStore(tmp_path / "three.zarr").recording_ids == (SECOND,)
    assert files_of(tmp_path / "one.zarr") == files_of(tmp_path / "two.zarr")


def decoded_nothing_again(path: Path, plan: CropPlan) -> bool:
    times = {file: file.stat().st_mtime_ns for file in path.glob("*/record.json")}
    write_crops(path, plan, plan.settings)
    return times == {file: file.stat().st_mtime_ns for file in path.glob("*/record.json")}


def test_a_scheduler_that_does_not_answer_is_named(tmp_path: Path, plan: CropPlan) -> None:
    pytest.importorskip("distributed")
    spread = replace(plan, building=CropBuildSettings(scheduler_address="carrier-pigeon://1"))
    with pytest.raises(InputError, match="No dask scheduler answers at 'carrier-pigeon://1'"):
        write_crops(tmp_path / "crops.zarr", spread, plan.settings)


def test_a_scratch_file_gives_the_same_store(tmp_path: Path, plan: CropPlan) -> None:
    write_crops(tmp_path / "one.zarr", plan, plan.settings)
    with patch("cellfate.crops.cutting.BYTES_IN_MB", 1):  # a limit of one byte
        cramped = replace(plan, building=CropBuildSettings(memory_limit_mb=1))
        assert isinstance(next(iter(cramped)).frames_nchw, np.memmap)
        write_crops(tmp_path / "two.zarr", cramped, plan.settings)
    assert files_of(tmp_path / "one.zarr") == files_of(tmp_path / "two.zarr")
    assert not isinstance(next(iter(plan)).frames_nchw, np.memmap)


def test_settings_that_exclude_each_other_are_refused() -> None:
    with pytest.raises(ValueError, match="workers is 2 and scheduler_address is 'tcp://a:1'"):
        CropBuildSettings(workers=2, scheduler_address="tcp://a:1")
