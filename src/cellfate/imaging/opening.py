"""Opening recordings: every file is checked by its header, none is decoded."""

import logging
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import pandas as pd
from tqdm import tqdm

from cellfate.core.errors import InputError
from cellfate.imaging.conditions import read_conditions
from cellfate.imaging.layouts import ListedRecording, list_recordings
from cellfate.imaging.records import Recording, RecordingFolder
from cellfate.imaging.settings import RecordingSettings
from cellfate.imaging.tiff import TiffHeader, read_header

_log = logging.getLogger(__name__)
_STAGE = "open_recordings"


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
    listed = list_recordings(folder, settings)
    conditions = _find_conditions(folder.root, listed, settings)
    rows: list[dict[str, Any]] = []
    frames: list[pd.DataFrame] = []
    reasons: dict[str, str] = {}
    for recording in tqdm(listed, desc="Opening recordings", unit="recording", disable=None):
        try:
            header = _check_recording(folder.root, recording, settings)
        except InputError as error:
            if settings.on_bad_recording == "stop":
                raise
            reasons[recording.recording_id] = str(error)
            continue
        rows.append(_recording_row(recording, header, settings))
        frames.append(_frame_rows(recording))
    if not rows:
        raise InputError(all_set_aside_message(str(folder.root), reasons))
    return (
        pd.DataFrame(rows).join(conditions, on="recording_id"),
        pd.concat(frames, ignore_index=True),
        set_aside_table(reasons, _STAGE),
    )


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
    files = dict(tuple(frame_files.sort_values("frame").groupby("recording_id")))
    for row in recordings.itertuples(index=False):
        frames = files[row.recording_id]
        yield Recording(
            recording_id=str(row.recording_id),
            channels=tuple(str(row.channels).split("|")),
            frame_paths=tuple(folder.root / name for name in frames["file_name"]),
            label_paths=tuple(None if pd.isna(name) else folder.root / name for name in frames["label_file_name"]),
            height_px=int(row.height_px),
            width_px=int(row.width_px),
            dtype=str(row.dtype),
        )


def set_aside_table(reasons: dict[str, str], stage: str) -> pd.DataFrame:
    """Table `SetAside` of whole recordings.

    Parameters
    ----------
    reasons : dict of str to str
        Why each recording is set aside.
    stage : str
        The step that found it.

    Returns
    -------
    DataFrame
        Table `SetAside`, a row a recording; each is logged as a warning.
    """
    for recording_id, reason in reasons.items():
        _log.warning("Recording '%s' is set aside: %s", recording_id, reason)
    columns = {"recording_id": list(reasons), "cell_id": pd.array([pd.NA] * len(reasons), dtype="Int64")}
    table = pd.DataFrame({**columns, "stage": [stage] * len(reasons), "reason": list(reasons.values())})
    return table.astype({"recording_id": "str", "stage": "str", "reason": "str"})


def all_set_aside_message(where: str, reasons: dict[str, str]) -> str:
    """Sentence for the user when no recording is left."""
    first = next(iter(reasons.values()))
    return f"None of the {len(reasons)} recordings in {where} can be used, but at least one must be; the first: {first}"


def _find_conditions(root: Path, listed: list[ListedRecording], settings: RecordingSettings) -> pd.DataFrame:
    names = [recording.recording_id for recording in listed]
    if settings.conditions_file is not None:
        return read_conditions(root / settings.conditions_file, names)
    return pd.DataFrame({"condition": "unknown", "dose": "Unknown", "group_id": names}, index=pd.Index(names))


def _check_recording(root: Path, recording: ListedRecording, settings: RecordingSettings) -> TiffHeader:
    name = recording.recording_id
    _check_frame_numbers(recording)
    for _, file_name in recording.frame_files:
        _check_inside(name, file_name)
    headers = [read_header(root / file_name) for _, file_name in recording.frame_files]
    first, first_file = headers[0], recording.frame_files[0][1]
    if first.n_samples != len(settings.channels):
        message = (
            f"File {first_file} of recording '{name}' has {first.n_samples} sample(s) a pixel, but channels names "
            f"{len(settings.channels)} ({', '.join(settings.channels)}); correct the parameter or the file."
        )
        raise InputError(message)
    for header, (_, file_name) in zip(headers, recording.frame_files, strict=True):
        if header != first:
            message = (
                f"File {file_name} of recording '{name}' is {_describe(header)}, but {first_file} is {_describe(first)} and "
                "all frames of a recording must agree; replace the file."
            )
            raise InputError(message)
    _check_declared_size(recording, first)
    _check_labels(root, recording, first)
    return first


def _check_frame_numbers(recording: ListedRecording) -> None:
    name, frames = recording.recording_id, [frame for frame, _ in recording.frame_files]
    if not frames:
        message = f"Recording '{name}' has no images in {recording.source}, but at least one was expected; add them or remove the recording."
        raise InputError(message)
    twice = sorted({frame for frame, following in zip(frames, frames[1:], strict=False) if frame == following})
    missing = sorted(set(range(max(frames) + 1)) - set(frames))
    if twice or missing or min(frames) < 0:
        found = (
            f"lists frame {twice[0]} twice"
            if twice
            else f"has no image of frame {missing[0]}"
            if missing
            else "has a negative frame"
        )
        message = (
            f"Recording '{name}' {found}: its {len(frames)} images are numbered {min(frames)} to {max(frames)}, but every frame "
            "from 0 to the last was expected once; add the missing image or number the frames anew."
        )
        raise InputError(message)


def _check_inside(name: str, file_name: str) -> None:
    path = PurePosixPath(file_name)
    if path.is_absolute() or ".." in path.parts:
        message = (
            f"Recording '{name}' names the file {file_name}, which lies outside the folder of recordings; give paths "
            "relative to the image folder, without '..'."
        )
        raise InputError(message)


def _check_declared_size(recording: ListedRecording, header: TiffHeader) -> None:
    wrong = recording.declared_sizes - {(header.height_px, header.width_px)}
    if wrong:
        height, width = min(wrong)
        message = (
            f"The annotation file says that images of recording '{recording.recording_id}' are {width} x {height} px (width x "
            f"height), but {recording.frame_files[0][1]} is {header.width_px} x {header.height_px} px; correct the annotation file."
        )
        raise InputError(message)


def _check_labels(root: Path, recording: ListedRecording, image: TiffHeader) -> None:
    if recording.labels_expected is None:
        return
    name, frames = recording.recording_id, {frame for frame, _ in recording.frame_files}
    if not recording.label_files:
        message = (
            f"Recording '{name}' has no label images in {recording.labels_expected}, but the parameter labels asks for them; "
            "add them, or set labels to 'none'."
        )
        raise InputError(message)
    without = len(frames - set(recording.label_files))
    if without:
        _log.warning("Recording '%s': %d of %d frames have no label image", name, without, len(frames))
    for frame in sorted(frames & set(recording.label_files)):
        header = read_header(root / recording.label_files[frame])
        same = (header.n_samples, header.height_px, header.width_px) == (1, image.height_px, image.width_px)
        if not same or np.dtype(header.dtype).kind not in "iu":
            message = (
                f"Label image {recording.label_files[frame]} of recording '{name}' is {_describe(header)}, but integers of "
                f"{image.width_px} x {image.height_px} px with one sample were expected; replace it."
            )
            raise InputError(message)


def _describe(header: TiffHeader) -> str:
    return f"{header.width_px} x {header.height_px} px, {header.dtype}, {header.n_samples} sample(s) ({header.axes})"


def _recording_row(recording: ListedRecording, header: TiffHeader, settings: RecordingSettings) -> dict[str, Any]:
    return {
        "recording_id": recording.recording_id,
        "source": recording.source,
        "axes": "TCYX",
        "channels": "|".join(settings.channels),
        "n_frames": len(recording.frame_files),
        "height_px": header.height_px,
        "width_px": header.width_px,
        "dtype": header.dtype,
        "frame_interval_min": settings.frame_interval_min,
        "pixel_size_um": float("nan") if settings.pixel_size_um is None else settings.pixel_size_um,
    }


def _frame_rows(recording: ListedRecording) -> pd.DataFrame:
    frames = [frame for frame, _ in recording.frame_files]
    return pd.DataFrame(
        {
            "recording_id": recording.recording_id,
            "frame": frames,
            "file_name": [name for _, name in recording.frame_files],
            "label_file_name": pd.Series([recording.label_files.get(frame) for frame in frames], dtype="str"),
        }
    )
