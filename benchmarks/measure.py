"""Measure a command as the operating system saw it, and print plain tables."""

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Usage:
    """What one command took."""

    wall_s: float
    """Time on the clock, seconds."""
    cpu_s: float
    """User and system time of the command and its children, seconds."""
    peak_memory_mb: float
    """Largest resident size of the command, MB (10^6 bytes)."""
    exit_code: int


def measure_command(command: Sequence[str], folder: Path) -> Usage:
    """Run a command in a folder and account for it; what it prints goes to standard error."""
    started = time.perf_counter()
    process = subprocess.Popen(command, cwd=folder, stdout=sys.stderr.fileno())
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return Usage(
        wall_s=time.perf_counter() - started,
        cpu_s=usage.ru_utime + usage.ru_stime,
        peak_memory_mb=usage.ru_maxrss * 1024 / 1e6,
        exit_code=process.returncode,
    )


def folder_size_mb(folder: Path) -> float:
    """Bytes of all files below a folder, MB (10^6 bytes)."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6


def print_table(header: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print rows under a header, columns aligned."""
    cells = [[f"{value:.2f}" if isinstance(value, float) else str(value) for value in row] for row in [header, *rows]]
    widths = [max(len(row[i]) for row in cells) for i in range(len(header))]
    for row in cells:
        print("  ".join(value.rjust(width) for value, width in zip(row, widths, strict=True)))
