"""Every notebook runs from top to bottom: on the outputs of a finished run, or on files that it makes itself."""

from pathlib import Path

import nbformat
import pytest

from tests.conftest import ROOT, run_notebook

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
OPEN_YOUR_FILES = ROOT / "notebooks" / "open_your_files.ipynb"
OF_A_RUN = [path for path in NOTEBOOKS if path.stem in ("look_at_a_run", "simulated_beside_real")]
"""explain_one_cell is run with its scenario, in test_known_answer."""


@pytest.mark.pipeline
@pytest.mark.parametrize("path", OF_A_RUN, ids=lambda path: path.stem)
def test_a_notebook_runs(path: Path, demo_project: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("KEDRO_ENV", "test")
    printed = run_notebook(path, demo_project)
    assert ("Left out" in printed) == (path.stem == "simulated_beside_real")


@pytest.mark.pipeline
@pytest.mark.real
def test_simulated_recordings_are_compared_with_real_ones(
    demo_project: Path, real_data: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("KEDRO_ENV", "test")
    beside = demo_project.parent / "shared"
    beside.symlink_to(real_data.parent)
    try:
        printed = run_notebook(ROOT / "notebooks" / "simulated_beside_real.ipynb", demo_project)
    finally:
        beside.unlink()
    assert "Left out" not in printed


@pytest.mark.pipeline
def test_files_of_every_format_are_opened_without_a_run(tmp_path: Path):
    """What was written is compared with what was read in the notebook itself."""
    printed = run_notebook(OPEN_YOUR_FILES, tmp_path)
    assert printed.count("Left out") == 3
    assert "is cut short" in printed
    assert printed.count("the same positions: True - cells: True") == 2


@pytest.mark.pipeline
@pytest.mark.real
def test_real_files_are_opened_likewise(tmp_path: Path, real_data: Path):
    project = tmp_path / "project"
    project.mkdir()
    (tmp_path / "shared").symlink_to(real_data.parent)
    printed = run_notebook(OPEN_YOUR_FILES, project)
    assert "Left out" not in printed
    assert "674 cells, {'censored': 465, 'mitosis': 209}" in printed
    assert "409 cells, 220 with a mother, {'censored': 298, 'mitosis': 110, 'apoptosis': 1}" in printed


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_stored_without_outputs_and_defines_nothing(path: Path):
    cells = [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]
    assert all(not cell.outputs and cell.execution_count is None for cell in cells)
    assert not any(line.startswith(("def ", "class ")) for cell in cells for line in cell.source.splitlines())
