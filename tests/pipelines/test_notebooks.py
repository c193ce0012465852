"""Every notebook runs from top to bottom on the outputs of a finished run."""

from pathlib import Path

import nbformat
import pytest

from tests.conftest import ROOT, run_notebook

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))


@pytest.mark.pipeline
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
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


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_stored_without_outputs_and_defines_nothing(path: Path):
    cells = [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]
    assert all(not cell.outputs and cell.execution_count is None for cell in cells)
    assert not any(line.startswith(("def ", "class ")) for cell in cells for line in cell.source.splitlines())
