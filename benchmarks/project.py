"""Project folders of their own, runs in them, and what a run left behind."""

import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]


def make_project(folder: Path) -> Path:
    """Copy the configuration into a folder, where runs then write."""
    shutil.copytree(ROOT / "conf", folder / "conf")
    for file in ("pyproject.toml", ".telemetry"):
        shutil.copy(ROOT / file, folder / file)
    (folder / "src").mkdir()
    return folder


def kedro_run(pipelines: str, *arguments: str) -> list[str]:
    """Command that runs pipelines."""
    return [sys.executable, "-m", "kedro", "run", "--pipelines", pipelines, *arguments]


def run(project: Path, pipelines: str, *arguments: str) -> None:
    """Run pipelines in a project folder; what the run prints goes to standard error."""
    subprocess.run(kedro_run(pipelines, *arguments), cwd=project, check=True, stdout=sys.stderr.fileno())


def load_run(
    project: Path, names: Iterable[str], settings: Mapping[str, Any], env: str | None = None
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Load tables and settings of the last run by their catalog names, through the catalog."""
    from kedro.framework.session import KedroSession
    from kedro.framework.startup import bootstrap_project

    bootstrap_project(project)
    with KedroSession.create(project_path=project, env=env) as session:
        catalog = session.load_context().catalog
        loaded = {name: catalog.load(name) for name in names}
        return loaded, {name: kind.model_validate(catalog.load(f"params:{name}")) for name, kind in settings.items()}
