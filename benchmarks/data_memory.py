"""Peak memory of the pipeline `data_processing` on 1 and on 8 recordings of 100 frames.

Frames are 512 x 512 x 3 uint16 with 20 cells in each, half of which die and half divide; crops are 112 x 112: 150 MB of
crops a recording. Each run is a process of its own in a project folder of its own.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import tifffile

from benchmarks.measure import measure_command, print_table
from benchmarks.project import kedro_run, make_project

SIDE, N_FRAMES, N_CELLS, CROP = 512, 100, 20, 112
TARGET = 1.1
"""Largest accepted ratio of the memory of 8 recordings to that of 1."""
PARAMETERS = f"""
recordings: {{conditions_file: null}}
crops: {{height_px: {CROP}, width_px: {CROP}}}
splits: {{scheme: random_by_cell}}
"""


def write_recordings(root: Path, n_recordings: int) -> None:
    """Write recordings that show the same images, each in files of its own name."""
    rng = np.random.default_rng(0)
    names = [f"r{number}" for number in range(n_recordings)]
    for name in names:
        (root / "images" / name).mkdir(parents=True)
    for frame in range(N_FRAMES):
        first = root / "images" / names[0] / f"{frame:03d}.tif"
        image_yxs = rng.poisson(400, (SIDE, SIDE, 3)).astype(np.uint16)
        tifffile.imwrite(first, image_yxs, photometric="rgb", compression="zlib", predictor=True)
        for name in names[1:]:
            os.link(first, root / "images" / name / first.name)
    (root / "annotations.json").write_text(json.dumps(_annotate(names)))


def _annotate(names: list[str]) -> dict[str, list[dict[str, object]]]:
    """Describe every cell as one that keeps its place and ends with the recording."""
    places = np.random.default_rng(1).uniform(0.1, 0.9, (N_CELLS, 2)).tolist()
    images = [
        {"id": video * N_FRAMES + frame, "video_id": video, "frame_id": frame, "file_name": f"{name}/{frame:03d}.tif"}
        for video, name in enumerate(names)
        for frame in range(N_FRAMES)
    ]
    ends = ({"time_of_death": N_FRAMES - 1}, {"time_of_division": N_FRAMES - 1})
    annotations = [
        {
            "image_id": image["id"],
            "cell_id": cell,
            "category_id": 1,
            "bbox": [*places[cell], 0.1, 0.1],
            **ends[cell % 2],
        }
        for image in images
        for cell in range(N_CELLS)
        if image["frame_id"] != N_FRAMES - 1
    ]
    videos = [{"id": number, "name": name} for number, name in enumerate(names)]
    return {"videos": videos, "images": images, "annotations": annotations, "categories": [{"id": 1, "name": "cell"}]}


def main() -> bool:
    """Compare in a small process: what a large one starts counts with the memory of that one."""
    return subprocess.run([sys.executable, "-m", "benchmarks.data_memory", "compare"]).returncode == 0


def compare() -> bool:
    """Print the table; true when 8 recordings take little more than one."""
    rows = []
    for n_recordings in (1, 8):
        with tempfile.TemporaryDirectory() as name:
            project = make_project(Path(name))
            (project / "conf/local/parameters.yml").write_text(PARAMETERS)
            write_recordings(project / "data/01_raw/recordings", n_recordings)
            usage = measure_command(kedro_run("data_processing"), project)
        if usage.exit_code:
            return False
        rows.append((n_recordings, usage.peak_memory_mb, usage.cpu_s))
    print_table(("recordings", "peak memory MB", "CPU s"), rows)
    print(f"8 recordings / 1: {rows[1][1] / rows[0][1]:.3f}, at most {TARGET}")
    return rows[1][1] <= TARGET * rows[0][1]


if __name__ == "__main__":
    sys.exit(not (compare() if sys.argv[1:] == ["compare"] else main()))
