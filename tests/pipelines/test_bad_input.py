"""A wrong input ends a run with one sentence that names it, and leaves nothing that the next run would believe."""

import json
import shutil
from pathlib import Path

import pandas as pd
import pytest

from tests.conftest import copy_project, run_kedro

pytestmark = pytest.mark.pipeline


@pytest.fixture
def project(tmp_path: Path, demo_project: Path) -> Path:
    """A project with recordings of its own and nothing else."""
    folder = tmp_path / "project"
    folder.mkdir()
    copy_project(folder)
    shutil.copytree(demo_project / "data/test/01_raw/recordings", folder / "data/test/01_raw/recordings")
    return folder


def failure_of(project: Path, *arguments: str) -> str:
    """The last line that a run prints when it fails, as it must here."""
    finished = run_kedro(project, "run", "--env", "test", "--pipelines", "data_processing", *arguments)
    assert finished.returncode != 0
    assert not (project / "data/test/03_primary/crops.zarr/manifest.json").exists()
    return finished.stderr.strip().splitlines()[-1]


def test_a_missing_folder_is_named(project):
    assert "no/such/folder" in failure_of(project, "--params", "recordings_root=no/such/folder")


def test_a_misspelt_parameter_is_named(project):
    message = failure_of(project, "--params", "samples.gaurd_h=2")
    assert "Parameter samples.gaurd_h does not exist" in message


def test_a_parameter_out_of_range_is_named(project):
    message = failure_of(project, "--params", "samples.guard_h=-1")
    assert "Parameter samples.guard_h is -1: input should be greater than or equal to 0" in message


def damage_one_image(project: Path) -> Path:
    """Cut one image of the second recording in half."""
    folder = sorted(path for path in (project / "data/test/01_raw/recordings/images").iterdir() if path.is_dir())[1]
    path = sorted(folder.iterdir())[3]
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    return path


def test_a_truncated_image_is_named(project):
    assert damage_one_image(project).name in failure_of(project)


def test_a_bad_recording_can_be_set_aside(project):
    path = damage_one_image(project)
    finished = run_kedro(
        project,
        "run",
        "--env",
        "test",
        "--pipelines",
        "data_processing",
        "--params",
        "recordings.on_bad_recording=skip",
    )
    assert finished.returncode == 0, finished.stderr[-3000:]
    tables = [
        pd.read_parquet(table)
        for table in (project / "data/test").rglob("*.parquet")
        if "set_aside" in table.name or "excluded" in table.name
    ]
    reasons = pd.concat(tables)["reason"]
    assert reasons.str.contains(path.name, regex=False).any()


def test_an_annotation_file_that_is_not_json_is_named(project):
    (project / "data/test/01_raw/recordings/annotations.json").write_text("{")
    assert "annotations.json" in failure_of(project)


def test_one_fate_only_is_an_error(project):
    path = project / "data/test/01_raw/recordings/annotations.json"
    content = json.loads(path.read_text())
    for annotation in content["annotations"]:
        annotation["time_of_death"] = None
    path.write_text(json.dumps(content))
    finished = run_kedro(project, "run", "--env", "test", "--pipelines", "data_processing")
    assert finished.returncode != 0
    assert "apoptosis" in finished.stdout + finished.stderr


def test_a_model_with_other_channels_is_refused(project, demo_project):
    shutil.copytree(demo_project / "data/test/06_models/fate_model", project / "data/test/06_models/fate_model")
    parameters = project / "conf/base/parameters/inference.yml"
    parameters.write_text(parameters.read_text().replace("[circadian, p53, cell_cycle]", "[red, green, blue]"))
    root = "new_recordings_root=data/test/01_raw/recordings"
    finished = run_kedro(project, "run", "--env", "test", "--pipelines", "inference", "--params", root)
    assert finished.returncode != 0
    printed = finished.stdout + finished.stderr
    assert "circadian" in printed
    assert "red" in printed
