"""Start-up: `kedro registry list` against a bare `import pandas, kedro` in the same interpreter."""

import sys
from pathlib import Path
from statistics import median

from benchmarks.measure import measure_command, print_table

ROOT = Path(__file__).resolve().parents[1]
REPEATS = 5


def main() -> bool:
    """Print medians of wall and CPU seconds; true when the list takes under 2 CPU s."""
    commands = {
        "kedro registry list": [sys.executable, "-m", "kedro", "registry", "list"],
        "import pandas, kedro": [sys.executable, "-c", "import pandas, kedro.framework.cli.cli"],
    }
    rows = []
    for name, command in commands.items():
        runs = [measure_command(command, ROOT) for _ in range(REPEATS)]
        rows.append((name, median(run.wall_s for run in runs), median(run.cpu_s for run in runs)))
    print_table(("command", "wall s", "CPU s"), rows)
    print(f"ratio to the bare import: {rows[0][2] / rows[1][2]:.2f}")
    return rows[0][2] < 2


if __name__ == "__main__":
    sys.exit(not main())
