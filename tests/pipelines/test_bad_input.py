"""A wrong input ends a run with one sentence that names it, and leaves nothing that the next run would believe."""

import shutil
from pathlib import Path

import pandas as pd
import pytest

from cellfate.attribution.settings import ExplanationSettings
from cellfate.core.errors import InputError
from cellfate.crops.store import CropStore
from cellfate.pipelines.explainability.nodes import choose_tested_landmarks
from cellfate.prediction.model_folder import load_model_folder
from tests.conftest import DATA, copy_project, read_table, run_command, run_here

pytestmark = pytest.mark.pipeline

RECORDINGS = DATA / "01_raw" / "recordings"


@pytest.fixture
def project(tmp_path: Path, demo_project: Path) -> Path:
    """A project with recordings of its own and nothing else."""
    folder = tmp_path / "project"
    folder.mkdir()
    copy_project(folder)
    shutil.copytree(demo_project / RECORDINGS, folder / RECORDINGS)
    return folder


def failure_of(project: Path, **parameters: object) -> str:
    """The sentence with which a run ends, as it must here."""
    with pytest.raises(Exception, match=r"\w") as caught:
        run_here(project, "data_processing", **parameters)
    assert isinstance(caught.value, InputError) or "DatasetError" in type(caught.value).__name__
    assert not (project / DATA / "03_primary" / "crops.zarr" / "manifest.json").exists()
    return str(caught.value)


def test_a_missing_folder_is_named(project):
    assert "no/such/folder" in failure_of(project, recordings_root="no/such/folder")


def test_the_last_line_that_is_printed_names_a_misspelt_parameter(project):
    arguments = ("--env", "test", "--pipelines", "data_processing", "--params", "follow_up.gaurd_h=2")
    finished = run_command(project, "kedro", "run", *arguments)
    assert finished.returncode != 0
    assert "Parameter follow_up.gaurd_h does not exist" in finished.stderr.strip().splitlines()[-1]


def test_a_parameter_out_of_range_is_named(project):
    message = failure_of(project, follow_up={"guard_h": -1})
    assert "Parameter follow_up.guard_h is -1: input should be greater than or equal to 0" in message


@pytest.mark.parametrize("group", ["samples", "baselines", "new_recordings", "ensemble"])
def test_a_group_of_an_older_version_is_named(project, group):
    assert f"Parameter '{group}' is read by no pipeline" in failure_of(project, **{group: {"seed": 1}})


def damage_one_image(project: Path) -> Path:
    """Cut one image of the second recording in half."""
    folder = sorted(path for path in (project / RECORDINGS / "images").iterdir() if path.is_dir())[1]
    path = sorted(folder.iterdir())[3]
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    return path


def test_a_truncated_image_is_named(project):
    assert damage_one_image(project).name in failure_of(project)


def test_a_bad_recording_can_be_set_aside(project):
    path = damage_one_image(project)
    run_here(project, "data_processing", recordings={"on_bad_recording": "skip"})
    tables = [pd.read_parquet(table) for table in (project / DATA).rglob("*set_aside.parquet")]
    reasons = pd.concat(tables)["reason"]
    assert reasons.str.contains(path.name, regex=False).any()


def test_an_annotation_file_that_is_not_json_is_named(project):
    (project / RECORDINGS / "annotations.json").write_text("{")
    assert "annotations.json" in failure_of(project)


def test_what_an_earlier_pipeline_makes_is_asked_for(project):
    with pytest.raises(InputError, match="first run pipeline data_processing"):
        run_here(project, "model_training")


@pytest.mark.parametrize("reading", ["classifier", "clock"])
def test_a_model_that_was_trained_on_other_splits_is_not_explained(demo_project, reading):
    """Its test cells may have trained it."""
    crops = CropStore(demo_project / DATA / "03_primary" / "crops.zarr")
    model = load_model_folder(demo_project / DATA / "06_models" / f"{reading}_model")
    names = ("landmarks", "splits", "follow_ups")
    landmarks, splits, follow_ups = (read_table(demo_project, "05_model_input", name) for name in names)
    measured = read_table(demo_project, "04_feature", "frame_features")
    also = (crops, *((follow_ups, measured) if reading == "clock" else ()))
    swapped = splits.assign(part=splits["part"].replace({"train": "test", "test": "train"}))
    assert len(choose_tested_landmarks(crops, landmarks, splits, model, ExplanationSettings(), *also))
    with pytest.raises(InputError, match="so it may have seen the test cells"):
        choose_tested_landmarks(crops, landmarks, swapped, model, ExplanationSettings(), *also)


def test_a_table_that_was_changed_by_hand_is_refused(demo_project, tmp_path):
    project = shutil.copytree(demo_project, tmp_path / "project")
    path = project / DATA / "05_model_input" / "splits.parquet"
    splits = pd.read_parquet(path)
    splits.assign(part=splits["part"].replace({"train": "test", "test": "train"})).to_parquet(path)
    with pytest.raises(InputError, match=r"'splits' in .* is not as it was saved.*run pipeline data_processing again"):
        run_here(project, "explainability")


@pytest.mark.parametrize("changed", [{"follow_up": {"min_frames": 6}}, {"features": {"smoothing_px": 2.0}}])
def test_a_stage_with_other_settings_than_its_tables_is_refused(demo_project, changed):
    with pytest.raises(InputError, match=r"min_frames|smoothing_px is .*, but '\w+' was made with"):
        run_here(demo_project, "model_training", **changed)
