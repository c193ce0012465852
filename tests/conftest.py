"""Fixtures shared by all tests: the real data where they are present, and one finished tiny demo run."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from kedro.framework.session import KedroSession
from kedro.framework.startup import bootstrap_project
from kedro.io import DataCatalog

os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # as in cellfate.settings: before OpenMP starts

ROOT = Path(__file__).resolve().parents[1]
REAL_DATA = ROOT.parent / "shared" / "data"
DATA = Path("data/test")
"""Where environment `test` writes, in a project folder."""
CELL = ["recording_id", "cell_id"]
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
VIEW = {"width": 1280, "height": 800}


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


def run_command(folder: Path, *command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run `python -m COMMAND` in a folder, as a user would."""
    variables = {**os.environ, "OMP_NUM_THREADS": "2", "DO_NOT_TRACK": "1", **environment}
    return subprocess.run(
        [sys.executable, "-m", *command], cwd=folder, env=variables, capture_output=True, text=True, check=False
    )


@contextmanager
def open_session(project: Path, env: str = "test", **parameters: Any) -> Iterator[KedroSession]:
    """Open a Kedro session of a project folder in this process, parameters given as at the command line."""
    bootstrap_project(project)
    with KedroSession.create(project, env=env, runtime_params=parameters or None) as session:
        yield session


def run_here(
    project: Path,
    *pipelines: str,
    env: str = "test",
    from_nodes: tuple[str, ...] = (),
    tags: tuple[str, ...] = (),
    **parameters: Any,
):
    """Run pipelines of a project folder in this process: without the seconds that a new one takes to start."""
    with open_session(project, env, **parameters) as session:
        session.run(pipeline_names=list(pipelines), from_nodes=from_nodes, tags=tags)


def open_catalog(project: Path, env: str = "test", **parameters: Any) -> DataCatalog:
    """The catalog of a project folder."""
    with open_session(project, env, **parameters) as session:
        return session.load_context().catalog


def read_table(project: Path, layer: str, name: str) -> pd.DataFrame:
    """A table that a run in environment `test` left behind."""
    return pd.read_parquet(project / DATA / layer / f"{name}.parquet")


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
    finished = run_command(project, "kedro", "run", "--env", "test", "--pipelines", "demo")
    assert finished.returncode == 0, finished.stderr[-4000:]
    return project


@pytest.fixture(scope="session")
def browser():
    """Chromium, driven by playwright."""
    path = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    if path is None:
        pytest.skip(f"there is no browser here (looked for {', '.join(BROWSERS)})")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture
def context(browser):
    """A person's browser: pages of one context share cookies and what is kept."""
    opened = browser.new_context(viewport=VIEW)
    opened.set_default_timeout(30_000)
    yield opened
    opened.close()
