"""Mutated files for every reader: whatever is in them, a reader gives a sound table or one sentence, and ends.

`python -m tests.fuzz 10000` tries so many; the unit tests try a seeded thousand.
"""

import logging
import shutil
import signal
import sys
import tempfile
import traceback
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

import numpy as np
import pandas as pd

from cellfate.core.errors import InputError
from cellfate.imaging import RecordingFolder, RecordingSettings, lazy_recordings, open_recordings
from tests.cases import stored_images, trace_tables, track_formats

SECONDS = 20
"""A reader that takes longer hangs; the files are of some kilobytes."""
TOKENS = (
    b"-",
    b"9" * 30,
    b"1e400",
    b"NaN",
    b"-1",
    b"0",
    b"\x00",
    b"\xff\xfe",
    b'"',
    b"<",
    b"{",
    b"[",
    b",",
    b";",
    b"\n",
)
CONDITIONS = "Well;Drug;Dose;Plate\nA01;nutlin;2,5 uM;p1\nB02;none;0 uM;p1\n"


class HangError(BaseException):
    """A reader did not end; no reader may catch it."""


@dataclass(frozen=True)
class Target:
    """Files that are mutated, and what reads them.

    Attributes
    ----------
    name : str
        Its name.
    write : callable
        Writes whole files into a folder.
    read : callable
        Reads the folder and raises an AssertionError where what it gives is not sound.
    """

    name: str
    write: Callable[[Path], None]
    read: Callable[[Path], None]


@dataclass(frozen=True)
class Fault:
    """What a reader did that it must not do, and how to see it again."""

    target: str
    seed: int
    said: str


def list_targets() -> list[Target]:
    """Every format of tracks, of images, and the tables that a person hands in."""
    tracks = [_target_of_tracks(case) for case in track_formats.FORMATS]
    writers = {name.removeprefix("write_"): getattr(stored_images, name) for name in dir(stored_images)}
    images = [_target_of_images(name, writer) for name, writer in writers.items() if name in _IMAGES]
    return [
        *tracks,
        *images,
        Target("fates", _write_fates, _read_fates),
        Target("conditions", _write_wells, _read_wells),
        Target("intervals", _write_intervals, _read_intervals),
    ]


_IMAGES = ("imagej", "ome_tiff", "plain_pages", "plane_files", "ome_zarr", "ome_zarr_5")
_IMAGES += ("described_planes", "companion_set")


def find_faults(target: Target, seeds: Iterator[int] | range) -> Iterator[Fault]:
    """Try a target with mutations, one a seed.

    Yields
    ------
    Fault
        Any exception but `InputError`, a table that is not sound, or a reader that hangs.
    """
    with tempfile.TemporaryDirectory() as folder:
        whole = Path(folder) / "whole"
        whole.mkdir()
        target.write(whole)
        for seed in seeds:
            root = Path(folder) / str(seed)
            shutil.copytree(whole, root)
            said = _mutate(root, np.random.default_rng(seed))
            try:
                _within_seconds(lambda root=root: target.read(root))
            except InputError as error:
                if "\n" in str(error):
                    yield Fault(target.name, seed, f"{said}: several lines: {error}")
            except (Exception, HangError) as error:
                place = "".join(traceback.format_tb(error.__traceback__)[-2:])
                yield Fault(target.name, seed, f"{said}: {type(error).__name__}: {error}\n{place}")
            shutil.rmtree(root)


def _mutate(root: Path, rng: np.random.Generator) -> str:
    files = sorted(path for path in root.rglob("*") if path.is_file())
    path = files[rng.integers(len(files))]
    content = bytearray(path.read_bytes())
    for _ in range(rng.integers(1, 4)):
        place, length = int(rng.integers(len(content) + 1)), int(rng.integers(1, 40))
        match rng.integers(6):
            case 0:
                content[place : place + 1] = bytes([rng.integers(256)])
            case 1:
                del content[place : place + length]
            case 2:
                content[place:place] = content[place : place + length]
            case 3:
                content[place:place] = TOKENS[rng.integers(len(TOKENS))]
            case 4:
                content[place : place + length] = TOKENS[rng.integers(len(TOKENS))]
            case _:
                del content[place:]
    path.write_bytes(content)
    return str(path.relative_to(root))


def _within_seconds(read: Callable[[], None]) -> None:
    def stop(number: int, frame: FrameType | None) -> None:
        raise HangError(f"longer than {SECONDS} s")

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(SECONDS)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            read()
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def _target_of_tracks(case: track_formats.FormatCase) -> Target:
    own = case.name == case.layout

    def read(root: Path) -> None:
        settings = {} if own else {"format": case.name, **case.settings}
        _check_tracks(*track_formats.gather(root, case.layout, **settings))

    return Target(case.name, lambda root: case.write(root, track_formats.FAMILY), read)


def _check_tracks(detections: pd.DataFrame, cells: pd.DataFrame, problems: pd.DataFrame) -> None:
    """What is not told as a problem is sound."""
    assert problems["reason"].str.len().gt(0).all()
    if len(problems):
        return
    assert not detections.duplicated(["recording_id", "cell_id", "frame"]).any()
    assert np.isfinite(detections[["y_px", "x_px"]].to_numpy(float)).all()
    assert (detections["frame"] >= 0).all()
    assert set(cells["parent_id"].dropna()) <= set(cells["cell_id"])
    assert cells["fate"].isin(["apoptosis", "mitosis", "censored", "unscored"]).all()


def _target_of_images(name: str, writer: stored_images.Writer) -> Target:
    said = {}

    def write(root: Path) -> None:
        said.update(writer(root, stored_images.make_image()))

    def read(root: Path) -> None:
        settings = RecordingSettings(**{"frame_interval_min": stored_images.INTERVAL_MIN, **said})
        recordings, frame_files, _ = open_recordings(RecordingFolder(root), settings)
        for recording in lazy_recordings(RecordingFolder(root), recordings, frame_files):
            for frame in range(recording.n_frames):
                image = recording.read_frame(frame)
                assert image.shape == (len(recording.channels), recording.height_px, recording.width_px)

    return Target(name, write, read)


def _write_fates(root: Path) -> None:
    track_formats.write_csv(root, track_formats.FAMILY)
    track_formats.write_fates(root, track_formats.FAMILY)


def _read_fates(root: Path) -> None:
    columns = {key: track_formats.CSV_COLUMNS[key] for key in ("cell_id", "frame", "y", "x", "parent_id")}
    settings = {"format": "csv", "columns": columns, "first_frame": 1, **track_formats.FATES_SETTINGS}
    _check_tracks(*track_formats.gather(root, **settings))


def _write_wells(root: Path) -> None:
    image = stored_images.make_image(shape_tzcyx=(2, 1, 1, 8, 8))
    for name in ("A01", "B02"):
        (root / name).mkdir()
        stored_images.write_imagej(root / name, image)
        (root / name / "pos1.tif").rename(root / f"{name}.tif")
        (root / name).rmdir()
    (root / "wells.csv").write_text(CONDITIONS, encoding="utf-8")


def _read_wells(root: Path) -> None:
    columns = {"recording_id": "Well", "condition": "Drug", "dose": "Dose", "group_id": "Plate"}
    settings = RecordingSettings(
        layout="tiff_stacks", channels=("h2b",), conditions_file="wells.csv", conditions_columns=columns
    )
    recordings, _, _ = open_recordings(RecordingFolder(root), settings)
    assert (
        recordings[["condition", "dose", "group_id"]].map(lambda value: isinstance(value, str) and value).all(axis=None)
    )


def _write_intervals(root: Path) -> None:
    (root / "day1.csv").write_text(trace_tables.FAMILY)


def _read_intervals(root: Path) -> None:
    recordings, detections, cells = trace_tables.read(root)
    assert not detections.duplicated(["recording_id", "cell_id", "frame"]).any()
    assert detections["frame"].between(0, recordings["n_frames"].max() - 1).all()
    assert cells["fate"].isin(["apoptosis", "mitosis", "censored", "unscored"]).all()


def main(count: int) -> int:
    """Try so many mutations over all targets; print what is found, and answer how many faults there are."""
    logging.disable(logging.CRITICAL)
    targets, found = list_targets(), 0
    for target in targets:
        for fault in find_faults(target, range(count // len(targets))):
            found += 1
            sys.stdout.write(f"{fault.target} seed {fault.seed}: {fault.said}\n\n")
    sys.stdout.write(f"{count} mutations over {len(targets)} readers, {found} faults\n")
    return min(found, 1)


if __name__ == "__main__":
    raise SystemExit(main(int(sys.argv[1])))
