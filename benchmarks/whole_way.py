"""The demo, stage by stage, in an empty project folder: time, memory and size on disk of each stage."""

import sys
import tempfile
from pathlib import Path

from benchmarks.measure import folder_size_mb, measure_command, print_table
from benchmarks.project import kedro_run, make_project

STAGES = ("simulation", "data_processing", "model_training", "evaluation", "explainability", "reporting")
MOST_CPU_S, MOST_MEMORY_MB, MOST_DISK_MB = 600, 2000, 500


def main() -> bool:
    """Run every stage once; true when none failed and all together stay within the limits."""
    with tempfile.TemporaryDirectory() as name:
        project, rows, good = make_project(Path(name)), [], True
        for stage in STAGES:
            used = measure_command(kedro_run(stage), project)
            good &= used.exit_code == 0
            size_mb = folder_size_mb(project / "data")
            rows.append((stage, used.wall_s, used.cpu_s, used.peak_memory_mb, size_mb))
        total = ("all", *(sum(row[i] for row in rows) for i in (1, 2)), max(row[3] for row in rows), rows[-1][4])
        print_table(("stage", "wall s", "CPU s", "peak MB", "data/ MB"), [*rows, total])
    print(f"at most {MOST_CPU_S} CPU s, {MOST_MEMORY_MB} MB of memory, {MOST_DISK_MB} MB on disk")
    return good and total[2] <= MOST_CPU_S and total[3] <= MOST_MEMORY_MB and total[4] <= MOST_DISK_MB


if __name__ == "__main__":
    sys.exit(not main())
