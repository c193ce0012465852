"""What MicroManager's metadata.txt says of the images beside it: versions 1.4 and 2.0."""

import json
import math
from collections.abc import Collection
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import Any

from cellfate.imaging.headers import Remark, usable
from cellfate.imaging.stated import Fact, compare_facts
from cellfate.imaging.units import MINUTES

_NAMES = "*metadata.txt"


@dataclass(frozen=True)
class SideFile:
    """What metadata.txt says; empty where there is none.

    Attributes
    ----------
    name : str
        The file, for messages.
    interval_min, pixel_size_um : float or None
        Planned interval, and side of a pixel.
    n_frames : int or None
        Planned frames.
    minutes : dict of str to float
        Minutes from the start to each image, by the name of its file, or by `FrameKey-<frame>`, the first of a frame.
    """

    name: str = ""
    interval_min: float | None = None
    pixel_size_um: float | None = None
    n_frames: int | None = None
    minutes: dict[str, float] = field(default_factory=dict)

    def time_of(self, file_name: str, time: str) -> float | None:
        """Minutes at which an image was taken, by the name of its file and the time in it; None: not said."""
        by_name = self.minutes.get(PurePosixPath(file_name).name)
        return self.minutes.get(f"FrameKey-{int(time)}") if by_name is None and time.isdigit() else by_name

    def compare_frames(self, recording_id: str, n_frames: int) -> tuple[Remark, ...]:
        """Tell where other than the planned number of frames is there."""
        if self.n_frames is None:
            return ()
        counts = [Fact(f"recording '{recording_id}'", "n_frames", n_frames)]
        told = compare_facts([Fact(self.name, "n_frames", self.n_frames)], counts)
        return tuple(Remark(check, f"is not what was planned: {sentence}") for check, sentence in told)


def read_summary(summary: dict[str, Any]) -> dict[str, float | None]:
    """Read frame_interval_min and pixel_size_um from MicroManager's summary in its files; None: not set."""
    interval = usable(summary.get("Interval_ms"))
    return {
        "frame_interval_min": interval * MINUTES["ms"] if interval else None,
        "pixel_size_um": usable(summary.get("PixelSize_um")),
    }


def read_side_file(folders: Collection[Path], is_expected: bool) -> tuple[SideFile, tuple[Remark, ...]]:
    """Read metadata.txt of the folders of a recording: the first file, with the times of all.

    Where images are MicroManager's by their names (`is_expected`) it is told if it was not copied, or is damaged.
    """
    paths = [path for folder in sorted(folders) for path in sorted(folder.glob(_NAMES))[:1]]
    found = [_parse(path, path.stat().st_mtime_ns) for path in paths]
    sides = [side for side in found if side is not None]
    remarks = () if not is_expected or (paths and len(sides) == len(paths)) else _tell_missing(paths)
    if not sides:
        return SideFile(), remarks
    first = sides[0]
    minutes = {name: time for side in sides for name, time in side.minutes.items()}
    return SideFile(first.name, first.interval_min, first.pixel_size_um, first.n_frames, minutes), remarks


def _tell_missing(paths: list[Path]) -> tuple[Remark, ...]:
    has = "with a metadata.txt that cannot be read" if paths else "without their metadata.txt"
    text = f"has images of MicroManager {has}, so that nothing tells their times, or whether the last are lacking"
    return (Remark("side_file", f"{text}; copy it beside them, or count the frames"),)


@lru_cache(maxsize=4)  # positions in one folder share the file
def _parse(path: Path, changed_ns: int) -> SideFile | None:
    """Read a file; where the program was stopped, its last bracket is lacking. None: it is of no MicroManager."""
    text = path.read_text(encoding="utf-8", errors="replace").strip()
    for ending in ("", "}"):
        try:
            content = json.loads(text.rstrip(",") + ending)
            summary = content["Summary"]
            facts, frames = read_summary(summary), usable(summary.get("Frames"))
        except (ValueError, LookupError, AttributeError, TypeError):
            continue
        minutes = _read_times(content)
        n_frames = None if frames is None else int(frames)
        return SideFile(path.name, facts["frame_interval_min"], facts["pixel_size_um"], n_frames, minutes)
    return None


def _read_times(content: dict[str, Any]) -> dict[str, float]:
    minutes: dict[str, float] = {}
    for key, about in content.items():
        try:
            time = float(about["ElapsedTime-ms"]) * MINUTES["ms"]
        except (LookupError, TypeError, ValueError):
            continue
        name = str(about.get("FileName") or PurePosixPath(key).name)
        if name.startswith("FrameKey-"):
            name = "-".join(name.split("-")[:2])
        minutes[name] = min(time, minutes.get(name, math.inf))
    return minutes
