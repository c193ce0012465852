"""Loading whole sequences from the page cache: CPU milliseconds a sequence, and the size of the store.

The floor reads the bytes of the same chunk files with `readinto`, into memory that is made for every sequence, and
checks nothing. `zarr` reads the same ranges of the same store with zarr-python. Sequences are of 24 to 96 frames, 3
channels, uint16, Poisson noise; every cell is read once, in random order.
"""

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.measure import folder_size_mb, print_table
from cellfate.crops.cutting import RecordingCrops
from cellfate.crops.settings import CropSettings
from cellfate.crops.store import CropStore, write_crops

N_CELLS, REPEATS = 40, 7
SIDES = (40, 112)
TARGET = 2.0
"""Largest accepted ratio to the floor, without compression."""


def draw_crops(side: int) -> RecordingCrops:
    """Crops of a recording's cells."""
    rng = np.random.default_rng(0)
    lengths = rng.integers(24, 97, N_CELLS)
    n = int(lengths.sum())
    return RecordingCrops(
        recording_id="r",
        channels=("circadian", "p53", "cell_cycle"),
        frame_interval_min=30.0,
        height_px=1024,
        width_px=1024,
        frames_nchw=rng.poisson(400, (n, 3, side, side)).astype(np.uint16),
        masks_nhw=None,
        cell_ids=np.arange(1, N_CELLS + 1, dtype=np.int64),
        offsets=np.cumsum([0, *lengths]).astype(np.int64),
        frame_numbers=np.concatenate([np.arange(length) for length in lengths]),
        y0_px=np.full(n, 100),
        x0_px=np.full(n, 100),
    )


def read_floor(store: CropStore, folder: Path, first: int, stop: int) -> None:
    """Read the chunk files of a range of rows, whole, one after the other into one piece of memory."""
    rows = store.settings.chunk_frames
    paths = [
        folder / "frames" / "c" / str(number) / "0" / "0" / "0" for number in range(first // rows, -(-stop // rows))
    ]
    sizes = [path.stat().st_size for path in paths]
    memory = np.empty(sum(sizes), np.uint8).data
    place = 0
    for path, size in zip(paths, sizes, strict=True):
        with path.open("rb", buffering=0) as file:
            file.readinto(memory[place : place + size])
        place += size


def cpu_ms(read: Callable[[int], Any], cells: list[int]) -> float:
    """CPU milliseconds a sequence: the best of several."""
    times = []
    for _ in range(REPEATS):
        started = time.process_time()
        for cell in cells:
            read(cell)
        times.append(time.process_time() - started)
    return 1000 * min(times) / len(cells)


def measure(path: Path, crops: RecordingCrops, compression: str) -> tuple[Any, ...]:
    """Time one store: compression, side, size ratio, ours, zarr, floor, ratio."""
    import zarr

    side = crops.frames_nchw.shape[-1]
    write_crops(path, [crops], CropSettings(height_px=side, width_px=side, compression=compression))
    store = CropStore(path)
    folder = path / store.manifest["recordings"][0]["group"]
    array: Any = zarr.open_group(folder, mode="r")["frames"]
    cells = [int(cell) for cell in np.random.default_rng(1).permutation(crops.cell_ids)]
    ends = {cell: (int(crops.offsets[cell - 1]), int(crops.offsets[cell])) for cell in cells}
    ours = cpu_ms(lambda cell: store.read("r", cell), cells)
    by_zarr = cpu_ms(lambda cell: array[slice(*ends[cell])], cells)
    floor = cpu_ms(lambda cell: read_floor(store, folder, *ends[cell]), cells)
    size = folder_size_mb(folder / "frames") * 1e6 / crops.frames_nchw.nbytes
    return compression, side, size, ours, by_zarr, floor, ours / floor


def main() -> bool:
    """Print the table; true when the uncompressed store stays within the target of the floor."""
    rows = []
    with tempfile.TemporaryDirectory() as name:
        for side in SIDES:
            crops = draw_crops(side)
            rows += [measure(Path(name) / f"{side}_{kind}", crops, kind) for kind in ("none", "lz4", "zstd")]
    print_table(("compression", "side px", "size ratio", "ours ms", "zarr ms", "floor ms", "ours / floor"), rows)
    return all(row[-1] <= TARGET for row in rows if row[0] == "none")


if __name__ == "__main__":
    sys.exit(not main())
