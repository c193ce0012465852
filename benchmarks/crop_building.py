"""Crop building: CPU milliseconds a frame of ours, of decoding once a cell (plain), and of the floor.

The floor decodes each image once with the same codec, compresses the same crops once with the same compressor in chunks
of the same size, and writes them once, to one file; nobody calls fsync. Images are Poisson noise, 1024 x 1024 x 3
uint16, as deflate-compressed TIFF (tifffile) and as PNG (imagecodecs); crops are 112 x 112.
"""

import itertools
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import pandas as pd
import tifffile
from numcodecs import Blosc
from numpy.typing import NDArray

from benchmarks.measure import print_table
from cellfate.crops.cutting import crop_recording
from cellfate.crops.settings import CropSettings
from cellfate.crops.store import write_crops
from cellfate.imaging.image_files import ImageFiles
from cellfate.imaging.records import Recording
from cellfate.imaging.windows import cut_window

SIDE, N_FRAMES, CROP = 1024, 12, 112
CELLS = (5, 20, 40)
CHANNELS = ("circadian", "p53", "cell_cycle")
SIZE = CropSettings(height_px=CROP, width_px=CROP)
REPEATS = 5
TARGET = 1.5
"""Largest accepted ratio to the floor."""


def read_png(path: Path) -> NDArray[Any]:
    """Decode a PNG file."""
    return imagecodecs.png_decode(path.read_bytes())


DECODE: dict[str, Callable[[Path], NDArray[Any]]] = {".tif": tifffile.imread, ".png": read_png}


def write_frames(folder: Path, suffix: str, n_frames: int = N_FRAMES) -> Recording:
    """Write the images of one recording."""
    rng = np.random.default_rng(0)
    paths = tuple(folder / f"{frame:03d}{suffix}" for frame in range(n_frames))
    for path in paths:
        image_yxs = rng.poisson(400, (SIDE, SIDE, 3)).astype(np.uint16)
        if suffix == ".png":
            path.write_bytes(imagecodecs.png_encode(image_yxs))
        else:
            tifffile.imwrite(path, image_yxs, photometric="rgb", compression="zlib", predictor=True)
    source = ImageFiles(folder, tuple((path.name,) for path in paths))
    return Recording("r", CHANNELS, source, (None,) * n_frames, SIDE, SIDE, "uint16")


def detect(n_cells: int, n_frames: int = N_FRAMES) -> pd.DataFrame:
    """Cells at random places, tracked through every frame."""
    rng = np.random.default_rng(1)
    cell_id, frame = np.meshgrid(np.arange(1, n_cells + 1), np.arange(n_frames))
    table = pd.DataFrame({"recording_id": "r", "cell_id": cell_id.ravel(), "frame": frame.ravel()})
    return table.assign(y_px=rng.uniform(0, SIDE - 1, len(table)), x_px=rng.uniform(0, SIDE - 1, len(table)))


def build_ours(recording: Recording, detections: pd.DataFrame, crops: NDArray[Any], folder: Path) -> None:
    """Crop and store as the data_processing pipeline does; an older store is taken away first."""
    write_crops(folder / "ours", [crop_recording(recording, detections, SIZE, 30.0)], SIZE)


def build_plain(recording: Recording, detections: pd.DataFrame, crops: NDArray[Any], folder: Path) -> None:
    """Decode the image again for every cell in it."""
    cut = [
        cut_window(recording.read_frame(row.frame), row.y_px, row.x_px, CROP, CROP) for row in detections.itertuples()
    ]
    np.save(folder / "plain.npy", np.stack(cut))


def build_floor(recording: Recording, detections: pd.DataFrame, crops: NDArray[Any], folder: Path) -> None:
    """Decode each image once, and compress and write the crops, which are there already, once."""
    for path in map(Path, map(recording.source.place, range(recording.n_frames))):
        DECODE[path.suffix](path)
    codec = Blosc("lz4", SIZE.compression_level, Blosc.BITSHUFFLE)
    with (folder / "floor").open("wb") as file:
        for first in range(0, len(crops), SIZE.chunk_frames):
            file.write(codec.encode(crops[first : first + SIZE.chunk_frames]))


def cpu_ms_per_frame(build: Callable[..., None], repeats: int, *given: Any) -> float:
    """CPU milliseconds a frame: the best of several."""
    times = []
    for _ in range(repeats):
        started = time.process_time()
        build(*given)
        times.append(time.process_time() - started)
    return 1000 * min(times) / N_FRAMES


def main() -> bool:
    """Print the table; true when ours stays within the target of the floor."""
    rows = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        recordings = {suffix: write_frames(folder, suffix) for suffix in DECODE}
        build_ours(recordings[".tif"], detect(1, 1), np.empty(0), folder)  # imports are not measured
        for suffix, n_cells in itertools.product(DECODE, CELLS):
            detections = detect(n_cells)
            crops = crop_recording(recordings[suffix], detections, SIZE, 30.0).frames_nchw
            given = (recordings[suffix], detections, crops, folder)
            ours, floor = (cpu_ms_per_frame(build, REPEATS, *given) for build in (build_ours, build_floor))
            plain = cpu_ms_per_frame(build_plain, 1, *given)
            rows.append((suffix, n_cells, ours, plain, floor, ours / floor, plain / ours))
    print_table(("file", "cells a frame", "ours ms", "plain ms", "floor ms", "ours / floor", "plain / ours"), rows)
    return all(row[5] <= TARGET for row in rows)


if __name__ == "__main__":
    sys.exit(not main())
