"""Opening recordings: every file is checked by its header, none is decoded."""

import itertools
import logging
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from tqdm import tqdm

from cellfate.core.errors import InputError
from cellfate.imaging.checks import check_recording
from cellfate.imaging.conditions import match_conditions, read_conditions
from cellfate.imaging.file_patterns import look_at_pattern
from cellfate.imaging.frame_sources import open_source
from cellfate.imaging.frame_times import check_times, find_interval
from cellfate.imaging.headers import (
    Examined,
    Looked,
    Remark,
    StackHeader,
    check_sizes,
    look,
    settle_channels,
    settle_interval,
)
from cellfate.imaging.layouts import list_recordings
from cellfate.imaging.missing_frames import read_ranges, write_ranges
from cellfate.imaging.ome_zarr import look_at_zarr
from cellfate.imaging.recording_names import check_name
from cellfate.imaging.records import Recording, RecordingFolder
from cellfate.imaging.settings import RecordingSettings
from cellfate.imaging.stated import Fact, compare_facts
from cellfate.imaging.tiff_stacks import look_at_stacks
from cellfate.imaging.traces import open_traces
from cellfate.imaging.vendor_files import look_at_vendor_files

_log = logging.getLogger(__name__)
_STAGE = "open_recordings"
_REOPENED_AS_IMAGE_FILES = {"image_format": "image_files", "scene": "0", "file_axes": None, "missing_chunks": None}
_REMARKS = ["recording_id", "check", "frame", "finding"]


def open_recordings(
    folder: RecordingFolder, settings: RecordingSettings
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """List the recordings of a folder and check that each is whole, by the headers of its files.

    Every frame from 0 on must be there once, all of one size and pixel type, with a sample a pixel for each channel.

    Parameters
    ----------
    folder : RecordingFolder
        Folder of recordings.
    settings : RecordingSettings
        Its layout and what its files do not say.

    Returns
    -------
    recordings : DataFrame
        Table `Recordings`.
    frame_files : DataFrame
        Table `FrameFiles`.
    set_aside : DataFrame
        Table `SetAside`: recordings that cannot be used; empty unless `on_bad_recording` is `skip`.

    Raises
    ------
    InputError
        If the folder or its tables are not usable, or a recording is not and `on_bad_recording` is `stop`, or none is.
    """
    recordings, frame_files, set_aside, remarks = open_with_remarks(folder, settings)
    for sentence in remarks["finding"]:
        _log.warning("%s", sentence)
    return recordings, frame_files, set_aside


def open_with_remarks(
    folder: RecordingFolder, settings: RecordingSettings
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Open recordings as `open_recordings` does, and say what a person should know of those that can be used.

    Returns
    -------
    recordings, frame_files, set_aside : DataFrame
        As `open_recordings`.
    remarks : DataFrame
        recording_id, check (of the preflight), frame (null: none) and finding, a sentence.
    """
    if settings.layout == "traces":
        return *open_traces(folder.root, settings), set_aside_table({}, _STAGE), _tabulate([])
    found = look_at_recordings(folder.root, settings)
    found = itertools.chain([next(found)], found)  # a wrong folder is told as such before what it lacks
    conditions = _read_conditions(folder, settings)
    rows: list[dict[str, Any]] = []
    stored: dict[str, tuple[str, tuple[str, ...]]] = {}
    frames: list[pd.DataFrame] = []
    reasons: dict[str, str] = {}
    remarks: list[tuple[str, str, int | None, str]] = []
    for looked in tqdm(found, desc="Opening recordings", unit="recording", disable=None):
        try:
            row, told = _recording_row(looked, settings)
            stored = _check_channels(looked, row, stored)
        except InputError as error:
            if settings.on_bad_recording == "stop":
                raise
            reasons[looked.recording_id] = str(error)
            continue
        rows.append(row)
        frames.append(_frame_rows(looked))
        name = row["recording_id"]
        remarks += [(name, one.check, one.frame, f"Recording '{name}' {one.text}.") for one in told]
    treated = _find_conditions(folder, settings, conditions, [row["recording_id"] for row in rows] + list(reasons))
    if not rows:
        raise InputError(all_set_aside_message(str(folder.root), reasons))
    nullable = dict.fromkeys(("file_axes", "missing_chunks", "missing_frames"), "str")
    return (
        pd.DataFrame(rows).astype(nullable).join(treated, on="recording_id"),
        pd.concat(frames, ignore_index=True),
        set_aside_table(reasons, _STAGE),
        _tabulate(remarks),
    )


def _tabulate(remarks: list[tuple[str, str, int | None, str]]) -> pd.DataFrame:
    return pd.DataFrame(remarks, columns=_REMARKS).astype({"frame": "Int64"})


def look_at_recordings(root: Path, settings: RecordingSettings) -> Iterator[Looked]:
    """Look at the recordings of a folder one by one, by the headers of their files, each when it is asked for.

    Raises
    ------
    InputError
        If there is none, or the folder as a whole is not usable.
    """
    yield from _LAYOUTS.get(settings.layout, _look_at_listed)(root, settings)


def lazy_recordings(
    folder: RecordingFolder, recordings: pd.DataFrame, frame_files: pd.DataFrame
) -> Iterator[Recording]:
    """Go through opened recordings one by one; pixels are read when a frame is asked for.

    Parameters
    ----------
    folder : RecordingFolder
        Folder that the tables were made from.
    recordings, frame_files : DataFrame
        Tables `Recordings` and `FrameFiles`.

    Yields
    ------
    Recording
        In the order of `recordings`.
    """
    files = {str(name): frames for name, frames in frame_files.sort_values("frame").groupby("recording_id")}
    for row in recordings.to_dict("records"):
        frames = files[row["recording_id"]]
        labels = dict(zip(frames["frame"], frames["label_file_name"], strict=True))
        paths = [labels.get(frame) for frame in range(int(row["n_frames"]))]
        yield Recording(
            recording_id=row["recording_id"],
            channels=tuple(row["channels"].split("|")),
            source=open_source(folder.root, {str(key): value for key, value in row.items()}, frames),
            label_paths=tuple(None if pd.isna(name) else folder.root / str(name) for name in paths),
            height_px=int(row["height_px"]),
            width_px=int(row["width_px"]),
            dtype=row["dtype"],
            missing_frames=read_ranges(row.get("missing_frames")),
        )


def set_aside_table(reasons: dict[str, str], stage: str) -> pd.DataFrame:
    """Table `SetAside` of whole recordings, by the reason of each; each is logged as a warning."""
    for recording_id, reason in reasons.items():
        _log.warning("Recording '%s' is set aside: %s", recording_id, reason)
    columns = {"recording_id": list(reasons), "cell_id": pd.array([pd.NA] * len(reasons), dtype="Int64")}
    table = pd.DataFrame({**columns, "stage": [stage] * len(reasons), "reason": list(reasons.values())})
    return table.astype({"recording_id": "str", "stage": "str", "reason": "str"})


def all_set_aside_message(where: str, reasons: dict[str, str]) -> str:
    """Sentence for the user when no recording is left."""
    first = next(iter(reasons.values()))
    return f"None of the {len(reasons)} recordings in {where} can be used, but at least one must be; the first: {first}"


def _look_at_listed(root: Path, settings: RecordingSettings) -> Iterator[Looked]:
    for listed in list_recordings(root, settings):
        yield look(listed.recording_id, listed.source, partial(check_recording, root, listed, settings))


LookAt = Callable[[Path, RecordingSettings], Iterator[Looked]]
"""Looks at every recording of a folder (or URL), as the settings say; no pixel is decoded.

It yields a recording, or why it cannot be used, and raises `InputError` if there is none or the folder as a whole is
not usable."""
_LAYOUTS: dict[str, LookAt] = {
    "file_pattern": look_at_pattern,
    "tiff_stacks": look_at_stacks,
    "ome_zarr": look_at_zarr,
    "vendor": look_at_vendor_files,
}


def _read_conditions(folder: RecordingFolder, settings: RecordingSettings) -> pd.DataFrame | None:
    if settings.conditions_file is None:
        return None
    return read_conditions(folder.root / settings.conditions_file, settings.conditions_columns, settings.dose_unit)


def _find_conditions(
    folder: RecordingFolder, settings: RecordingSettings, conditions: pd.DataFrame | None, names: list[str]
) -> pd.DataFrame:
    twice = sorted({name for name in names if names.count(name) > 1}) if len(set(names)) < len(names) else []
    if twice:
        raise InputError(f"Two recordings in {folder.root} are named '{twice[0]}'; rename a file or a folder.")
    if conditions is not None:
        found = match_conditions(folder.root / str(settings.conditions_file), conditions, sorted(names))
        return found.drop(columns="recording_end_h")  # images end by themselves
    unknown = {"condition": "unknown", "dose": "Unknown", "treatment_h": float("nan")}
    return pd.DataFrame({**unknown, "group_id": names}, index=pd.Index(names))


def _recording_row(looked: Looked, settings: RecordingSettings) -> tuple[dict[str, Any], list[Remark]]:
    if isinstance(looked.outcome, InputError):
        raise looked.outcome
    name, header = check_name(looked.recording_id), looked.outcome.header
    _check_type(name, header.dtype)
    check_sizes(f"Recording '{name}'", header, settings.max_frame_mb)
    remarks = [*looked.outcome.remarks, *_tell_sides(header, settings), *check_times(name, header, settings)]
    remarks += _compare_header(looked, settings)
    pixel_size_um = header.pixel_size_um if settings.pixel_size_um is None else settings.pixel_size_um
    row = {
        "recording_id": name,
        "source": looked.source,
        "axes": "TCYX",
        "channels": "|".join(settle_channels(name, settings.channels, header)),
        "n_frames": header.n_frames,
        "height_px": header.height_px,
        "width_px": header.width_px,
        "dtype": header.dtype,
        "frame_interval_min": settle_interval(name, settings.frame_interval_min, find_interval(header)),
        "pixel_size_um": float("nan") if pixel_size_um is None else pixel_size_um,
        **_REOPENED_AS_IMAGE_FILES,
        "z": str(settings.z),
        "missing_frames": write_ranges(looked.outcome.missing) or None,
        **looked.outcome.reopening,
    }
    return row, remarks


def _compare_header(looked: Looked, settings: RecordingSettings) -> list[Remark]:
    """Tell where the headers of a recording and the parameters contradict each other."""
    assert isinstance(looked.outcome, Examined)
    header, given = looked.outcome.header, settings.model_dump(include={"frame_interval_min", "pixel_size_um"})
    found = {"frame_interval_min": find_interval(header), "pixel_size_um": header.pixel_size_um}
    stated = [Fact(looked.source, what, value) for what, value in found.items() if value is not None]
    counts = [
        Fact(f"the parameter recordings.{what}", what, value) for what, value in given.items() if value is not None
    ]
    told = compare_facts(stated, counts)
    return [Remark(check, f"is read with what its files do not say: {sentence}") for check, sentence in told]


def _tell_sides(header: StackHeader, settings: RecordingSettings) -> list[Remark]:
    if header.pixel_sides_um is None:
        return []
    width, height = header.pixel_sides_um
    text = f"has pixels that are {width:g} um wide and {height:g} um high by its file, so that shapes are distorted and"
    used = "no pixel size is used" if settings.pixel_size_um is None else "recordings.pixel_size_um is used"
    return [Remark("pixel_sides", f"{text} {used}; scale the images to square pixels, or correct their file")]


def _check_channels(
    looked: Looked, row: dict[str, Any], stored: dict[str, tuple[str, tuple[str, ...]]]
) -> dict[str, tuple[str, tuple[str, ...]]]:
    """Check that a recording stores the channels that those before it store, by the names in use and in its files.

    What is stored is returned: for each kind of name the first recording that has them, and its channels.
    """
    assert isinstance(looked.outcome, Examined)
    found = {"used": tuple(str(row["channels"]).split("|"))}
    found |= {"own": looked.outcome.header.channels} if looked.outcome.header.channels else {}
    for kind, names in found.items():
        first, others = stored.get(kind, (looked.recording_id, names))
        if names != others and (kind == "used" or set(names) == set(others)):
            raise InputError(
                f"Recording '{looked.recording_id}' stores the channels {', '.join(names)}, but '{first}' stores "
                f"{', '.join(others)}; all recordings of a study need the same channels in one order: save one anew, "
                "or process them apart."
            )
    return {kind: (looked.recording_id, names) for kind, names in found.items()} | stored


def _check_type(recording_id: str, dtype: str) -> None:
    if np.dtype(dtype).kind not in "iuf":
        raise InputError(
            f"Recording '{recording_id}' has pixels of type {dtype}, but whole numbers or floats were expected; "
            "convert it."
        )


def _frame_rows(looked: Looked) -> pd.DataFrame:
    assert isinstance(looked.outcome, Examined)
    files = looked.outcome.frame_files
    return pd.DataFrame(
        {
            "recording_id": looked.recording_id,
            "frame": [file.frame for file in files],
            "channel": pd.array([file.channel for file in files], dtype="Int64"),
            "z": pd.array([file.z for file in files], dtype="Int64"),
            "file_name": [file.file_name for file in files],
            "label_file_name": pd.Series([file.label_file_name for file in files], dtype="str"),
        }
    )
