"""Peak memory of cropping 1 and 8 recordings of 100 frames, and one recording with a small limit of memory.

Each is a process of its own. Frames are 512 x 512 x 3 uint16, with 20 cells of 112 x 112 in each: 150 MB of crops a
recording.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import tifffile

from benchmarks.measure import measure_command, print_table

SIDE, N_FRAMES, N_CELLS, CROP = 512, 100, 20, 112
TARGET = 1.1
"""Largest accepted ratio of the memory of 8 recordings to that of 1."""
MEASURED = ((1, 1024), (8, 1024), (1, 16))
"""Recordings, and limit of memory in MB."""


def write_frames(root: Path) -> None:
    """Write the images that every recording shows."""
    rng = np.random.default_rng(0)
    for frame in range(N_FRAMES):
        image_yxs = rng.poisson(400, (SIDE, SIDE, 3)).astype(np.uint16)
        tifffile.imwrite(root / f"{frame:03d}.tif", image_yxs, photometric="rgb", compression="zlib", predictor=True)


def crop(root: Path, store: Path, n_recordings: int, memory_limit_mb: int) -> None:
    """Carry out a plan of several recordings."""
    from cellfate.crops.cutting import plan_crops
    from cellfate.crops.settings import CropBuildSettings, CropSettings
    from cellfate.crops.store import write_crops
    from cellfate.imaging.records import RecordingFolder
    from cellfate.imaging.settings import RecordingSettings

    settings = RecordingSettings(layout="coco_vid", channels=("a", "b", "c"), frame_interval_min=30.0)
    size = CropSettings(height_px=CROP, width_px=CROP)
    building = CropBuildSettings(memory_limit_mb=memory_limit_mb)
    plan = plan_crops(RecordingFolder(root), *_tables(n_recordings), size, settings, building)
    write_crops(store, plan, size)


def _tables(n_recordings: int) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    names = [f"r{number}" for number in range(n_recordings)]
    shared = {"channels": "a|b|c", "height_px": SIDE, "width_px": SIDE, "dtype": "uint16", "n_frames": N_FRAMES}
    recordings = pd.DataFrame({"recording_id": names}).assign(**shared, frame_interval_min=30.0)
    every = pd.MultiIndex.from_product([names, range(N_FRAMES)], names=["recording_id", "frame"]).to_frame(index=False)
    files = every.assign(file_name=[f"{frame:03d}.tif" for frame in every["frame"]], label_file_name=None)
    detections = every.merge(pd.DataFrame({"cell_id": range(1, N_CELLS + 1)}), how="cross")
    places = np.random.default_rng(1).uniform(0, SIDE, (2, len(detections)))
    return recordings, files, detections.assign(y_px=places[0], x_px=places[1])


def main() -> bool:
    """Compare in a small process: what a large one starts counts with the memory of that one."""
    return subprocess.run([sys.executable, "-m", "benchmarks.crop_memory"]).returncode == 0


def compare() -> bool:
    """Print the table; true when 8 recordings take little more than one."""
    rows = []
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        write_frames(root)
        for n_recordings, limit in MEASURED:
            given = [str(root), str(root / f"{n_recordings}_{limit}"), str(n_recordings), str(limit)]
            usage = measure_command([sys.executable, "-m", "benchmarks.crop_memory", *given], Path.cwd())
            if usage.exit_code:
                return False
            rows.append((n_recordings, limit, usage.peak_memory_mb, usage.cpu_s))
    print_table(("recordings", "limit MB", "peak memory MB", "CPU s"), rows)
    print(f"8 recordings / 1: {rows[1][2] / rows[0][2]:.3f}")
    return rows[1][2] <= TARGET * rows[0][2] and rows[2][2] < rows[0][2]


if __name__ == "__main__":
    if len(sys.argv) == 5:
        crop(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))
    else:
        sys.exit(not compare())
