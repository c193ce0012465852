"""What a person sees when a run fails: one sentence, or a traceback that says whose fault it is."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import DATA, ROOT, copy_project, run_command

pytestmark = pytest.mark.pipeline

MISSPELT = ("--env", "test", "--pipelines", "data_processing", "--params", "follow_up.gaurd_h=2")
SENTENCE = "Parameter follow_up.gaurd_h does not exist"
TRACEBACK = "Traceback (most recent call last):"
BROKEN = """
import sys
from cellfate.preflight import checking

def fail(*_, **__):
    raise {error}

checking.look_at_images = fail
from cellfate.__main__ import main
main(sys.argv[1:])
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project folder without recordings."""
    (tmp_path / "project").mkdir()
    return copy_project(tmp_path / "project")


def ending(finished: subprocess.CompletedProcess[str]) -> list[str]:
    """The lines after the last that merely informs, of a run that failed."""
    assert finished.returncode != 0
    lines = (finished.stdout + finished.stderr).strip().splitlines()
    informing = [number for number, line in enumerate(lines) if " INFO " in line]
    return lines[max(informing, default=-1) + 1 :]


def test_a_wrong_parameter_ends_in_one_line_and_the_traceback_is_in_the_log(project):
    (line,) = ending(run_command(project, "kedro", "run", *MISSPELT))
    assert line.startswith(f"Error: {SENTENCE}")
    assert line.endswith(f"(Traceback: {DATA / 'run.log'})")
    log = (project / DATA / "run.log").read_text()
    assert TRACEBACK in log
    assert SENTENCE in log.splitlines()[-1]
    assert "Kedro project cellfate" in log


def test_an_environment_variable_brings_the_traceback_back(project):
    *above, last = ending(run_command(project, "kedro", "run", *MISSPELT, CELLFATE_TRACEBACK="1"))
    assert TRACEBACK in above
    assert SENTENCE in last


def test_a_missing_folder_is_told_in_one_line_by_a_node_s_dataset(project):
    """Kedro wraps what a dataset raises, names the node and lists what has not run: all of that is in the log."""
    (line,) = ending(run_command(project, "kedro", "run", "--env", "test", "--params", "recordings_root=/no/such"))
    assert line.startswith("Error: The folder of recordings /no/such does not exist")
    assert "No nodes ran" in (project / DATA / "run.log").read_text()


def test_a_node_s_complaint_ends_in_one_line_of_each_logger(project):
    (project / "stray").mkdir()
    (project / "stray" / "a.txt").touch()
    finished = run_command(project, "kedro", "run", "--env", "test", "--params", f"recordings_root={project}/stray")
    (line,) = ending(finished)
    assert line.startswith("Error: ")
    assert "--from-nodes" not in finished.stdout + finished.stderr  # what was made of a wrong folder is made again
    assert "failed with error" in (project / DATA / "run.log").read_text()


def test_the_installed_package_logs_below_data_root(tmp_path):
    """Elsewhere than in the project folder Kedro logs with a handler of its own."""
    (tmp_path / "empty").mkdir()
    params = f"data_root={tmp_path}/data,follow_up.gaurd_h=2"
    arguments = ("--conf-source", str(ROOT / "conf"), "--pipelines", "data_processing", "--params", params)
    finished = run_command(tmp_path / "empty", "cellfate", *arguments)
    assert finished.returncode == 1
    (line,) = finished.stderr.strip().splitlines()
    assert SENTENCE in line
    assert line.endswith(f"(Traceback: {tmp_path}/data/run.log)")
    assert TRACEBACK in (tmp_path / "data" / "run.log").read_text()
    assert list((tmp_path / "empty").iterdir()) == []


def run_broken(project: Path, error: str) -> list[str]:
    """End of `cellfate` in a process in which the preflight raises."""
    arguments = ("--env", "test", "--pipelines", "data_processing", "--params", f"recordings_root={project}")
    command = [sys.executable, "-c", BROKEN.format(error=error), *arguments]
    return ending(subprocess.run(command, cwd=project, capture_output=True, text=True, check=False))


def test_a_fault_of_ours_shows_its_traceback_and_says_so(project):
    *above, last = run_broken(project, "KeyError('a column of ours')")
    assert TRACEBACK in above
    assert any("in fail" in line for line in above)
    assert last.startswith("Error: KeyError: 'a column of ours'. This is a fault of cellfate, not of your input;")
    assert f"please report it where you got cellfate from, with the file {DATA / 'run.log'}" in last
    assert "a column of ours" in (project / DATA / "run.log").read_text()


def test_a_full_disk_is_no_fault_of_ours(project):
    (line,) = run_broken(project, "OSError(28, 'No space left on device', 'crops.zarr')")
    assert line.startswith("Error: The computer could not go on: [Errno 28] No space left on device: 'crops.zarr'.")
