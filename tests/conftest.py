"""Fixtures shared by all tests: the real data where they are present, and one finished tiny demo run."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
REAL_DATA = ROOT.parent / "shared" / "data"


@pytest.fixture
def real_data() -> Path:
    """Folder of real recordings; the test is skipped where it is absent."""
    if not REAL_DATA.is_dir():
        pytest.skip("real recordings are not here (../shared/data)")
    return REAL_DATA


def copy_project(folder: Path) -> Path:
    """A project folder of its own: the configuration is copied, the code is the installed package."""
    shutil.copytree(ROOT / "conf", folder / "conf")
    for name in ("pyproject.toml", ".telemetry"):
        shutil.copy(ROOT / name, folder / name)
    (folder / "src").mkdir()
    return folder


def run_kedro(project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a kedro command in a project folder, as a user would."""
    environment = {**os.environ, "OMP_NUM_THREADS": "2", "DO_NOT_TRACK": "1"}
    command = [sys.executable, "-m", "kedro", *arguments]
    return subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True, check=False)


def run_notebook(path: Path, project: Path) -> str:
    """Run a notebook in a project folder from top to bottom, and give what it printed."""
    import nbformat
    from nbclient import NotebookClient

    notebook = nbformat.read(path, as_version=4)
    finished = NotebookClient(notebook, timeout=240, resources={"metadata": {"path": str(project)}}).execute()
    code = [cell for cell in finished.cells if cell.cell_type == "code"]
    assert all(cell.execution_count for cell in code)
    printed = (output for cell in code for output in cell.outputs if output.output_type == "stream")
    return "".join(output.text for output in printed if output.name == "stdout")


@pytest.fixture(scope="session")
def demo_project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project folder in which the demo has run once at tiny size."""
    project = copy_project(tmp_path_factory.mktemp("demo"))
    finished = run_kedro(project, "run", "--env", "test", "--pipelines", "demo")
    assert finished.returncode == 0, finished.stderr[-4000:]
    return project
