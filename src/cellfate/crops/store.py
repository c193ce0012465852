"""The crop store: Zarr v3, one group a recording, and a manifest that is written last.

Axes: n frames of all cells of a recording, t frames of one cell, c channels, h rows, w columns.
"""

import hashlib
import json
import logging
import shutil
from collections.abc import Iterable, Iterator, Sized
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from tqdm import tqdm

from cellfate.core.errors import InputError
from cellfate.core.whole_files import PARTIAL, replace_when_whole
from cellfate.crops.building import Built, build_recordings
from cellfate.crops.cutting import BadRecording, CropPlan, RecordingCrops, pixels_inside
from cellfate.crops.files import StoreFiles
from cellfate.crops.index import StoredRecording, open_recording
from cellfate.crops.measured import Measured
from cellfate.crops.settings import CropSettings
from cellfate.crops.stored_groups import FORMAT_VERSION, write_group

logger = logging.getLogger(__name__)

MANIFEST = "manifest.json"
_IN_DIGEST = {"height_px", "width_px", "correction", "background"}
_MANIFEST_KEYS = {"format_version", "settings", "channels", "digest", "recordings", "set_aside"}


@dataclass(frozen=True, eq=False)
class CellSequence:
    """The crops of one cell, ordered by frame number; frames in which it was not tracked are missing.

    Attributes
    ----------
    frames_tchw : ndarray, camera dtype
        Crops; pixels outside the image are 0.
    masks_thw : ndarray of bool, or None
        Pixels of the cell itself, where the tracker gave them.
    inside_thw : ndarray of bool
        Pixels that lie in the image.
    frame_numbers_t : ndarray of int64
        Frames of the recording; a gap in the track is a jump here.
    y0_px, x0_px : ndarray of int64, shape (T,)
        First row and column of every window in the image.
    recording_id : str
        Recording of the cell.
    cell_id : int
        The cell, within its recording.
    channels : tuple of str
        Channel names, in the order of axis c.
    frame_interval_min : float
        Time between two frames, in minutes.
    measured : Measured, or None
        What was measured of the cell in these frames, where a reader gives it.
    """

    frames_tchw: NDArray[Any]
    masks_thw: NDArray[np.bool_] | None
    inside_thw: NDArray[np.bool_]
    frame_numbers_t: NDArray[np.int64]
    y0_px: NDArray[np.int64]
    x0_px: NDArray[np.int64]
    recording_id: str
    cell_id: int
    channels: tuple[str, ...]
    frame_interval_min: float
    measured: Measured | None = None

    def take(self, places_t: NDArray[np.int64]) -> "CellSequence":
        """Take some of the frames, by their places in ascending order."""
        masks_thw = None if self.masks_thw is None else self.masks_thw[places_t]
        measured = None if self.measured is None else self.measured.take(places_t)
        per_frame = {
            name: getattr(self, name)[places_t]
            for name in ("frames_tchw", "inside_thw", "frame_numbers_t", "y0_px", "x0_px")
        }
        return replace(self, masks_thw=masks_thw, measured=measured, **per_frame)


def write_crops(path: Path, crops: CropPlan | Iterable[RecordingCrops | BadRecording], settings: CropSettings) -> None:
    """Write a crop store, holding one recording in memory at a time.

    Every recording becomes a group of its own, and the manifest, which is written last, lists the groups. An older
    store at the same place can be read until then; afterwards, groups that are not listed are removed. Of a `CropPlan`,
    recordings whose group is there already are not cropped again: after a run that was killed, or when a recording is
    added, only the rest is done. Only one run may write a store at a time.

    Parameters
    ----------
    path : Path
        Folder of the store, on a disk that all workers see.
    crops : CropPlan, or iterable of RecordingCrops or BadRecording
        What to write. Bad recordings are listed in the manifest.
    settings : CropSettings
        The settings that made the crops.

    Raises
    ------
    InputError
        If no recording is left, the recordings differ in their channels, or one cannot be read.
    """
    root = Path(path)
    root.mkdir(parents=True, exist_ok=True)
    built = build_recordings(root, crops) if isinstance(crops, CropPlan) else _write_each(root, crops, settings)
    n_recordings = len(crops) if isinstance(crops, Sized) else None
    manifest = _collect(tqdm(built, "Cutting crops", n_recordings, unit="recording", disable=None), settings)
    with replace_when_whole(root / MANIFEST) as path:
        path.write_text(json.dumps(manifest, indent=1), encoding="utf-8")
    _remove_unlisted(root, {entry["group"] for entry in manifest["recordings"]})


def _write_each(root: Path, crops: Iterable[RecordingCrops | BadRecording], settings: CropSettings) -> Iterator[Built]:
    for item in crops:
        yield item if isinstance(item, BadRecording) else write_group(root, item, settings)
        del item  # else it is still there when the next one is made


def _collect(built: Iterable[Built], settings: CropSettings) -> dict[str, Any]:
    entries: list[dict[str, Any]] = []
    set_aside: list[dict[str, str]] = []
    for item in built:
        if isinstance(item, BadRecording):
            logger.warning("Recording '%s' is set aside: %s", item.recording_id, item.reason)
            set_aside.append({"recording_id": item.recording_id, "reason": item.reason})
        else:
            entries.append(item)
    _check_entries(entries, set_aside)
    digests = "".join(entry["digest"] for entry in entries) + settings.model_dump_json(include=_IN_DIGEST)
    return {
        "format_version": FORMAT_VERSION,
        "settings": settings.model_dump(mode="json"),
        "channels": entries[0]["channels"],
        "digest": hashlib.sha256(digests.encode()).hexdigest(),
        "recordings": entries,
        "set_aside": set_aside,
    }


def _remove_unlisted(root: Path, groups: set[str]) -> None:
    """Remove groups of recordings that are no longer there, of other settings, and the remains of killed runs."""
    for folder in root.iterdir():
        is_group = folder.name.endswith(PARTIAL) or (folder / "zarr.json").is_file()
        if folder.is_dir() and is_group and folder.name not in groups:
            shutil.rmtree(folder, ignore_errors=True)


def _check_entries(entries: list[dict[str, Any]], set_aside: list[dict[str, str]]) -> None:
    if not entries:
        first = f" (the first: {set_aside[0]['reason']})" if set_aside else ""
        raise InputError(
            f"None of {len(set_aside)} recordings could be cropped{first}, but one is needed; mend the recordings."
        )
    for entry in entries:
        if entry["channels"] != entries[0]["channels"]:
            raise InputError(
                f"Recording '{entry['recording_id']}' has channels {entry['channels']}, but "
                f"'{entries[0]['recording_id']}' has {entries[0]['channels']}; process other channels on their own."
            )


def _read_manifest(files: StoreFiles) -> dict[str, Any]:
    name = files.name(MANIFEST)
    try:
        manifest = json.loads(files.read(MANIFEST))
    except FileNotFoundError as error:
        raise InputError(
            f"Crop store {files.name('')[:-1]} has no {MANIFEST}, so it was never finished; run data_processing again."
        ) from error
    except ValueError as error:
        raise InputError(
            f"{name} is not readable as JSON ({error}), so the store is damaged; run data_processing again."
        ) from error
    if not isinstance(manifest, dict) or not manifest.keys() >= _MANIFEST_KEYS:
        raise InputError(f"{name} lacks some of {', '.join(sorted(_MANIFEST_KEYS))}; run data_processing again.")
    if manifest["format_version"] != FORMAT_VERSION:
        raise InputError(
            f"Crop store {files.name('')[:-1]} has format {manifest['format_version']}, but format {FORMAT_VERSION} "
            "is read here; run data_processing again."
        )
    return manifest


def _checked_entry(entry: dict[str, Any]) -> dict[str, Any]:
    group = entry["group"]
    if not isinstance(group, str) or "/" in group or "\\" in group or group.startswith("."):
        raise ValueError(f"group {group!r}")
    whole = {name: int(entry[name]) for name in ("height_px", "width_px", "n_cells", "n_frames")}
    return {**entry, **whole, "frame_interval_min": float(entry["frame_interval_min"])}


class CropStore:
    """A crop store, read cell by cell. It holds no open file and may be sent to other processes.

    Parameters
    ----------
    path : Path or str
        Folder that `write_crops` made, or the URL of its copy, of a kind that fsspec knows.

    Raises
    ------
    InputError
        If there is no manifest, because the folder is missing or its writing never finished, or it is damaged.
    """

    def __init__(self, path: Path | str) -> None:
        self.path: Path | str = path if "://" in str(path) else Path(path)
        self._files = StoreFiles(self.path)
        self.manifest = _read_manifest(self._files)
        try:
            CropSettings(**self.manifest["settings"])
            self._entries = {str(entry["recording_id"]): _checked_entry(entry) for entry in self.manifest["recordings"]}
        except (TypeError, KeyError, ValueError) as error:
            raise InputError(
                f"{self._files.name(MANIFEST)} is damaged ({error!r}); run data_processing again."
            ) from error
        self._opened: dict[str, StoredRecording] = {}

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_opened": {}}

    @property
    def channels(self) -> tuple[str, ...]:
        """Channel names, in the order of axis c."""
        return tuple(self.manifest["channels"])

    @property
    def settings(self) -> CropSettings:
        """The settings that made the crops."""
        return CropSettings(**self.manifest["settings"])

    @property
    def crop_px(self) -> tuple[int, int]:
        """Rows and columns of a crop."""
        settings = self.manifest["settings"]
        return settings["height_px"], settings["width_px"]

    @property
    def digest(self) -> str:
        """SHA-256 over pixels and index of every recording and what was cut, in hexadecimal.

        Of the pixels it takes a checksum a crop. It does not depend on chunks, compression or the way of computing.
        """
        return str(self.manifest["digest"])

    @property
    def recording_ids(self) -> tuple[str, ...]:
        """Recordings in the store, in the order they were written."""
        return tuple(self._entries)

    @property
    def set_aside(self) -> pd.DataFrame:
        """Table `SetAside` of the recordings that could not be cropped."""
        rows = [{**row, "cell_id": pd.NA, "stage": "cut_crops"} for row in self.manifest["set_aside"]]
        types = {"recording_id": "str", "cell_id": "Int64", "stage": "str", "reason": "str"}
        return pd.DataFrame(rows, columns=list(types)).astype(types)

    @cached_property
    def tracks(self) -> pd.DataFrame:
        """One row a cell: recording_id, cell_id, first_frame, last_frame, n_frames (those really tracked)."""
        tables = [self._open(recording_id).tracks() for recording_id in self.recording_ids]
        return pd.concat(tables, ignore_index=True)

    def frame_numbers(self, recording_id: str, cell_id: int) -> NDArray[np.int64]:
        """Frames in which a cell was tracked, in ascending order; no pixel is read."""
        opened = self._open(recording_id)
        return opened.frame_numbers[opened.rows(cell_id)]

    def frame_interval_min(self, recording_id: str) -> float:
        """Time between two frames of a recording, in minutes."""
        return float(self._entry(recording_id)["frame_interval_min"])

    def image_shape(self, recording_id: str) -> tuple[int, int]:
        """Rows and columns of the whole image of a recording, in pixels."""
        entry = self._entry(recording_id)
        return entry["height_px"], entry["width_px"]

    def read(
        self,
        recording_id: str,
        cell_id: int,
        first_frame: int | None = None,
        last_frame: int | None = None,
        with_masks: bool = True,
    ) -> CellSequence:
        """Read the crops of a cell.

        Parameters
        ----------
        recording_id : str
            Recording of the cell.
        cell_id : int
            The cell.
        first_frame, last_frame : int, optional
            Frame numbers to start and to end at, both included; the whole track when not given.
        with_masks : bool
            Read the masks too, where there are any; without them reading takes about half the time.

        Returns
        -------
        CellSequence
            Frames tracked in that range; possibly none.

        Raises
        ------
        InputError
            If the store has no such recording or cell, or its crops are missing or damaged.
        """
        opened = self._open(recording_id)
        rows = opened.rows(cell_id, first_frame, last_frame)
        y0_px, x0_px = opened.y0_px[rows], opened.x0_px[rows]
        masks = opened.masks if with_masks else None
        try:
            frames_tchw = opened.frames.read(rows)
            masks_thw = None if masks is None else masks.read(rows)
        except InputError as error:
            raise InputError(f"Cell {cell_id} of recording '{recording_id}' cannot be read: {error}") from error
        return CellSequence(
            frames_tchw=frames_tchw,
            masks_thw=masks_thw,
            inside_thw=pixels_inside(y0_px, x0_px, self.crop_px, self.image_shape(recording_id)),
            frame_numbers_t=opened.frame_numbers[rows],
            y0_px=y0_px,
            x0_px=x0_px,
            recording_id=recording_id,
            cell_id=int(cell_id),
            channels=self.channels,
            frame_interval_min=self.frame_interval_min(recording_id),
        )

    def _entry(self, recording_id: str) -> dict[str, Any]:
        if recording_id not in self._entries:
            raise InputError(
                f"Recording '{recording_id}' is not in crop store {self.path}, which holds {len(self._entries)} "
                "recordings; run data_processing on it first."
            )
        return self._entries[recording_id]

    def _open(self, recording_id: str) -> StoredRecording:
        if recording_id not in self._opened:
            entry = self._entry(recording_id)
            self._opened[recording_id] = open_recording(self._files, entry["group"], recording_id)
        return self._opened[recording_id]
