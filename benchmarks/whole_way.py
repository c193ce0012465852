"""The demo, stage by stage, in an empty project folder: time, memory and size on disk of each stage."""

import shutil
import sys
import tempfile
from pathlib import Path

from benchmarks.measure import folder_size_mb, measure_command, print_table

ROOT = Path(__file__).resolve().parents[1]
STAGES = ("simulation", "data_processing", "model_training", "evaluation", "explainability", "reporting")


def main() -> bool:
    """Run every stage once; true when none failed."""
    with tempfile.TemporaryDirectory() as name:
        project = Path(name)
        shutil.copytree(ROOT / "conf", project / "conf")
        for file in ("pyproject.toml", ".telemetry"):
            shutil.copy(ROOT / file, project / file)
        (project / "src").mkdir()
        rows, good = [], True
        for stage in STAGES:
            used = measure_command([sys.executable, "-m", "kedro", "run", "--pipelines", stage], project)
            good &= used.exit_code == 0
            size_mb = folder_size_mb(project / "data")
            rows.append((stage, used.wall_s, used.cpu_s, used.peak_memory_mb, size_mb))
        total = ("all", *(sum(row[i] for row in rows) for i in (1, 2)), max(row[3] for row in rows), rows[-1][4])
        print_table(("stage", "wall s", "CPU s", "peak MB", "data/ MB"), [*rows, total])
    return good


if __name__ == "__main__":
    sys.exit(not main())
