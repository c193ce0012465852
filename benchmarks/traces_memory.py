"""Peak memory and time of studies of traces: 2,000 cells the whole way, 100,000 cells of 100 frames to their landmarks.

Cells are simulated: in families of seven, half of which die and half divide; a reporter appears some hours before a
division. A row of the table is a cell. Each run is a process of its own in a project folder of its own.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import yaml

from benchmarks.measure import measure_command, print_table
from benchmarks.project import kedro_run, make_project

SMALL, LARGE = 2_000, 100_000
LIFE_H, END_H = 50.0, 200.0
"""Usual life of a cell, of 100 frames; hours filmed."""
MOST_CPU_S, MOST_SMALL_MB, MOST_LARGE_MB = 300, 1_000, 4_000


def simulate_cells(n_cells: int, seed: int) -> pd.DataFrame:
    """Make a table of intervals: founders, their daughters and granddaughters, hours since the first frame."""
    rng = np.random.default_rng(seed)
    n_families = -(-n_cells // 7)
    lives_h = np.clip(rng.normal(LIFE_H, 5.0, (n_families, 7)), 10, 65).round(2)
    births_h = np.zeros((n_families, 7))
    for place in range(1, 7):
        mother = (place - 1) // 2
        births_h[:, place] = (births_h[:, mother] + lives_h[:, mother]).round(2)
    ends_h = (births_h + lives_h).round(2)
    divides = np.ones((n_families, 7), dtype=bool)
    divides[:, 3:] = rng.random((n_families, 4)) < 0.5
    switch_h = np.where(divides, ends_h - rng.uniform(4, 9, ends_h.shape), np.nan).round(2)
    numbers = np.arange(n_families * 7).reshape(n_families, 7) + 1
    mothers = np.zeros_like(numbers)
    mothers[:, 1:] = numbers[:, [0, 0, 1, 1, 2, 2]]
    columns = {"cell_id": numbers, "parent_id": mothers, "birth_h": births_h, "end_h": ends_h, "red_on_h": switch_h}
    table = pd.DataFrame({name: values.ravel() for name, values in columns.items()})
    table["fate"] = np.where(divides.ravel(), "divided", "died")
    table["stimulus"] = np.where(table.index < len(table) // 2, "Control", "High")
    return table.assign(red_off_h=np.nan, green_on_h=np.nan, green_off_h=np.nan)


def write_parameters(project: Path) -> None:
    """Change the parameters of `conf/traces` in a project folder to those of these tables."""
    path = project / "conf/traces/parameters.yml"
    settings = yaml.safe_load(path.read_text())
    settings["recordings"] |= {"files": "*.csv", "traces": {"recording": "{file}", "end_h": END_H}}
    settings["follow_up"] |= {"stride_frames": 10}
    settings["splits"] = {"scheme": "grouped_holdout"}
    path.write_text(yaml.safe_dump(settings))


def write_tables(root: Path, n_cells: int) -> None:
    """Write twenty recordings, as many wells, half of them of either dose."""
    root.mkdir(parents=True)
    for well in range(20):
        table = simulate_cells(n_cells // 20, well)
        table.assign(stimulus="Control" if well % 2 else "High").to_csv(root / f"well{well:02d}.csv", index=False)


def main() -> bool:
    """Compare in a small process: what a large one starts counts with the memory of that one."""
    return subprocess.run([sys.executable, "-m", "benchmarks.traces_memory", "measure"]).returncode == 0


def measure() -> bool:
    """Print the table; true when both runs stay within their limits."""
    rows, good = [], True
    for n_cells, pipeline, most_mb in ((SMALL, "traces", MOST_SMALL_MB), (LARGE, "data_processing", MOST_LARGE_MB)):
        with tempfile.TemporaryDirectory() as name:
            project = make_project(Path(name))
            write_parameters(project)
            write_tables(project / "tables", n_cells)
            command = kedro_run(pipeline, "--env", "traces", "--params", f"recordings_root={project / 'tables'}")
            used = measure_command(command, project)
        rows.append((n_cells, pipeline, used.cpu_s, used.peak_memory_mb, most_mb))
        good &= used.exit_code == 0 and used.peak_memory_mb <= most_mb
        good &= n_cells != SMALL or used.cpu_s <= MOST_CPU_S
    print_table(("cells", "pipeline", "CPU s", "peak MB", "at most MB"), rows)
    return good


if __name__ == "__main__":
    sys.exit(not (measure() if sys.argv[1:] == ["measure"] else main()))
