"""The page of `cellfate review` in a browser: 20,000 cells, of which 200 have crops of 112 x 112 x 3 and images.

Medians: from a click on a cell to its first picture (nothing fetched before); from the key `j` to the next cell's
picture (fetched before); between two frames played; from letters in the search to the rows that are left; the time of a
script that scores by keys, and its requests; and the largest memory of the server.
"""

import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import tifffile

from benchmarks.measure import print_table
from cellfate.crops.cutting import RecordingCrops
from cellfate.crops.settings import CropSettings
from cellfate.crops.store import write_crops
from cellfate.imaging import RecordingFolder, RecordingSettings, open_recordings
from cellfate.review.study import StudySource
from cellfate.tracks.settings import TrackSettings

N_CELLS, N_WITH_CROPS, N_FRAMES, SIDE, IMAGE = 20_000, 200, 72, 112, 512
CHANNELS = ("circadian", "p53", "cell_cycle")
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
SETTINGS = RecordingSettings(layout="tiff_stacks", channels=CHANNELS, frame_interval_min=30.0, files="*.tif")
CROPS = CropSettings(height_px=SIDE, width_px=SIDE)
TARGETS = {
    "first picture, s": 0.3,
    "next cell, s": 0.15,
    "time between two frames played, s": 1 / 15 * 1.05,
    "search of 20,000 rows, s": 1.0,
    "time to score a cell, s": 3.0,
    "requests a cell": 2.0,
    "memory of the server, MB": 600.0,
}
"""Largest that is accepted."""


def find_source(folder: Path) -> StudySource:
    """Where the study of the benchmark is."""
    names = ("recordings", "frame_files", "detections", "cells", "frame_features", "forecasts", "questions")
    paths = {name: folder / f"{name}.parquet" for name in names}
    paths |= {"raw_recordings": folder / "raw", "crops": folder / "crops.zarr", "labels": folder / "labels"}
    tracks = TrackSettings(format="csv", files="{recording_id}.csv")
    return StudySource("bench", "cellfate run", paths, SETTINGS, tracks, CROPS)


def write_study(folder: Path) -> None:
    """Write one recording with images and crops, and tables of 20,000 cells in 100 recordings."""
    rng = np.random.default_rng(0)
    (folder / "raw").mkdir()
    stack_tcyx = rng.poisson(400, (N_FRAMES, 3, IMAGE, IMAGE)).astype(np.uint16)
    tifffile.imwrite(folder / "raw" / "W000.tif", stack_tcyx, imagej=True, metadata={"axes": "TCYX"})
    recordings, frame_files, _ = open_recordings(RecordingFolder(folder / "raw"), SETTINGS)
    names = [f"W{well:03d}" for well in range(N_CELLS // N_WITH_CROPS)]
    pd.concat([recordings] * len(names)).assign(recording_id=names).to_parquet(folder / "recordings.parquet")
    frame_files.to_parquet(folder / "frame_files.parquet")
    places = pd.MultiIndex.from_product([names, range(1, N_WITH_CROPS + 1)], names=["recording_id", "cell_id"])
    cells = places.to_frame(index=False).assign(
        parent_id=pd.array([pd.NA] * N_CELLS, dtype="Int64"),
        lineage_id=None,
        first_frame=5,
        last_frame=54,
        fate="unscored",
        event_frame=pd.array([pd.NA] * N_CELLS, dtype="Int64"),
        group_id=lambda table: table["recording_id"],
    )
    cells.to_parquet(folder / "cells.parquet")
    frames = np.arange(5, 55)
    seen = cells[["recording_id", "cell_id"]].loc[np.repeat(np.arange(N_CELLS), len(frames))].reset_index(drop=True)
    seen = seen.assign(frame=np.tile(frames, N_CELLS))
    seen.assign(y_px=250.0, x_px=250.0).to_parquet(folder / "detections.parquet")
    measured = {
        name: rng.normal(size=len(seen)) for name in (*(f"intensity_{c}" for c in CHANNELS), "area", "circularity")
    }
    seen.assign(**measured).to_parquet(folder / "frame_features.parquet")
    write_crops(folder / "crops.zarr", [_draw_crops(len(frames), frames, rng)], CROPS)


def _draw_crops(n_frames: int, frames: Any, rng: np.random.Generator) -> RecordingCrops:
    one_tchw = rng.poisson(400, (n_frames, 3, SIDE, SIDE)).astype(np.uint16)
    n = N_WITH_CROPS * n_frames
    return RecordingCrops(
        recording_id="W000",
        channels=CHANNELS,
        frame_interval_min=30.0,
        height_px=IMAGE,
        width_px=IMAGE,
        frames_nchw=np.concatenate([one_tchw + cell for cell in range(N_WITH_CROPS)]).astype(np.uint16),
        masks_nhw=None,
        cell_ids=np.arange(1, N_WITH_CROPS + 1, dtype=np.int64),
        offsets=np.arange(0, n + 1, n_frames, dtype=np.int64),
        frame_numbers=np.tile(frames, N_WITH_CROPS),
        y0_px=np.full(n, 194),
        x0_px=np.full(n, 194),
    )


class Page:
    """The page, and the times at which things are true of it."""

    def __init__(self, browser: Any, address: str) -> None:
        self.asked = 0
        self._page = browser.new_page(viewport={"width": 1280, "height": 800})
        self._page.add_init_script("localStorage.setItem('cellfate:scorer', 'bench')")
        self._page.goto(address)
        self.wait("window.review && review.pictureMs !== null")
        self._page.on("request", self._count)

    def _count(self, _: object) -> None:
        self.asked += 1

    def tell(self, expression: str) -> Any:
        """Value of an expression."""
        return self._page.evaluate(expression)

    def wait(self, is_true: str) -> None:
        """Wait until an expression is true."""
        end = time.monotonic() + 60
        while not self.tell(f"!!({is_true})"):
            if time.monotonic() > end:
                raise TimeoutError(is_true)
            time.sleep(0.005)

    def press(self, key: str) -> None:
        """Press a key."""
        self._page.keyboard.press(key)

    def time_picture(self, act: Callable[[], object]) -> float:
        """Time from an act to the picture of the cell that it opens, as the page measured it, seconds."""
        self.tell("review.pictureMs = null")
        act()
        self.wait("review.pictureMs !== null")
        taken = self.tell("review.pictureMs") / 1000
        self.wait("[...review.state.films.values()].every((film) => film.done)")
        return float(taken)


def measure(page: Page) -> dict[str, float]:
    """Measure everything but memory."""
    of_cell = "(() => { location.hash = '#W000/%d'; })()"
    first = [page.time_picture(lambda cell=cell: page.tell(of_cell % cell)) for cell in range(20, 180, 10)]
    page.tell("document.getElementById('queue').value = 'by_recording'")
    page.tell("document.getElementById('queue').dispatchEvent(new Event('change'))")
    page.wait("review.state.order.length && review.state.order[0] === 0")
    page.time_picture(lambda: page.tell(of_cell % 2))
    following = [page.time_picture(lambda: page.press("j")) for _ in range(15)]
    page.press("Space")
    started, at = page.tell("[performance.now(), review.played]")
    time.sleep(4)
    ended, until = page.tell("[performance.now(), review.played]")
    page.press("Space")
    search = []
    for text in ("W07", "W099", "", "W0"):
        began = time.perf_counter()
        page.tell(f"review.state.grid.setGridOption('quickFilterText', '{text}')")
        page.tell("review.state.grid.getDisplayedRowCount()")
        search.append(time.perf_counter() - began)
    page.tell("review.state.grid.setGridOption('quickFilterText', '')")
    page.asked, began = 0, time.perf_counter()
    n_scored = 20
    for cell in range(n_scored):
        page.press("ArrowLeft")
        page.press("manlx"[cell % 5])
        page.wait("review.state.drawn !== null")
    page.wait("review.state.outbox.length === 0")
    taken = time.perf_counter() - began
    return {
        "first picture, s": statistics.median(first),
        "next cell, s": statistics.median(following),
        "time between two frames played, s": (ended - started) / 1000 / max(1, until - at),
        "search of 20,000 rows, s": statistics.median(search),
        "time to score a cell, s": taken / n_scored,
        "requests a cell": page.asked / n_scored,
    }


def peak_memory_mb(pid: int) -> float:
    """Largest resident size of a process so far, MB (10^6 bytes)."""
    lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
    return int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) * 1024 / 1e6


def main() -> bool:
    """Serve the study, look at it, and say whether each target is met; without a browser nothing is measured."""
    path = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    if path is None:
        print(f"no browser is here (looked for {', '.join(BROWSERS)}): not measured")
        return True
    from playwright.sync_api import sync_playwright

    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        write_study(folder)
        code = (
            "import sys; from pathlib import Path; from benchmarks.review_latency import find_source; "
            "from cellfate.review.serving import serve; "
            "serve(find_source(Path(sys.argv[1])), 0, lambda line: print(line, flush=True))"
        )
        with subprocess.Popen([sys.executable, "-c", code, place], stdout=subprocess.PIPE, text=True) as server:
            assert server.stdout is not None
            address = server.stdout.readline().split("open ")[1].strip()
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
                found = measure(Page(browser, address))
                browser.close()
            found["memory of the server, MB"] = peak_memory_mb(server.pid)
            server.kill()
    rows = [
        [name, value, TARGETS[name], "met" if value <= TARGETS[name] else "MISSED"] for name, value in found.items()
    ]
    print_table(["", "median", "target", ""], rows)
    return all(value <= TARGETS[name] for name, value in found.items())
