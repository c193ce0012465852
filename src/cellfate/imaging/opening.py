"""Opening recordings: every file is checked by its header, none is decoded."""

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
from tqdm import tqdm

from cellfate.core.errors import InputError
from cellfate.imaging.checks import check_recording
from cellfate.imaging.conditions import read_conditions
from cellfate.imaging.layouts import ListedRecording, list_recordings
from cellfate.imaging.records import Recording, RecordingFolder
from cellfate.imaging.settings import RecordingSettings
from cellfate.imaging.tiff import TiffHeader

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
            header = check_recording(folder.root, recording, settings)
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
    files = {str(name): frames for name, frames in frame_files.sort_values("frame").groupby("recording_id")}
    for row in recordings.to_dict("records"):
        frames = files[row["recording_id"]]
        yield Recording(
            recording_id=row["recording_id"],
            channels=tuple(row["channels"].split("|")),
            frame_paths=tuple(folder.root / name for name in frames["file_name"]),
            label_paths=tuple(None if pd.isna(name) else folder.root / name for name in frames["label_file_name"]),
            height_px=int(row["height_px"]),
            width_px=int(row["width_px"]),
            dtype=row["dtype"],
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
