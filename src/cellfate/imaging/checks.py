"""Is a listed recording whole? Every file is looked at by its header."""

import itertools
import logging
from dataclasses import replace
from pathlib import Path

import numpy as np

from cellfate.core.errors import InputError
from cellfate.imaging.file_search import check_inside
from cellfate.imaging.headers import MOST_FRAMES, Examined, FrameFile, ImageHeader, Remark, StackHeader
from cellfate.imaging.image_files import read_header, read_headers
from cellfate.imaging.layouts import ListedRecording
from cellfate.imaging.missing_frames import leave_out_frames
from cellfate.imaging.settings import RecordingSettings

_log = logging.getLogger(__name__)


def check_recording(root: Path, recording: ListedRecording, settings: RecordingSettings) -> Examined:
    """Check that every frame from 0 on is there once, and that all files agree.

    Raises
    ------
    InputError
        If anything is missing, unreadable, or differs from the rest.
    """
    _check_frame_numbers(recording)
    check_inside(root, recording.recording_id, (name for _, name in recording.frame_files))
    listed = recording.frame_files
    read, damaged = read_headers(root, dict(listed), settings)
    n_frames, missing, remarks = _leave_out(recording, damaged, settings)
    headers = [read[frame] for frame, _ in listed if frame not in missing]
    recording = replace(recording, frame_files=tuple(file for file in listed if file[0] not in missing))
    _check_headers(recording, headers, settings)
    _check_declared_size(recording, headers[0])
    _check_labels(root, recording, headers[0])
    header = StackHeader(
        n_frames=n_frames,
        n_channels=headers[0].n_samples,
        n_planes=1,
        height_px=headers[0].height_px,
        width_px=headers[0].width_px,
        dtype=headers[0].dtype,
    )
    labels = recording.label_files
    files = (FrameFile(frame, name, label_file_name=labels.get(frame)) for frame, name in recording.frame_files)
    return Examined(header, tuple(files), missing=missing, remarks=remarks)


def _leave_out(
    recording: ListedRecording, damaged: dict[int, InputError], settings: RecordingSettings
) -> tuple[int, tuple[int, ...], tuple[Remark, ...]]:
    name, frames = recording.recording_id, [frame for frame, _ in recording.frame_files]
    if frames[-1] >= MOST_FRAMES:
        raise InputError(f"Recording '{name}' has a frame {frames[-1]}; number the {len(frames)} frames anew.")
    unlisted = sorted(set(range(frames[-1])) - set(frames))
    fault = InputError(
        f"Recording '{name}' has no image of frame {min(unlisted, default=0)}: its {len(frames)} images are numbered "
        f"{frames[0]} to {frames[-1]}, but every frame from 0 to the last was expected once; add the missing image or "
        "number the frames anew."
    )
    return leave_out_frames(name, frames[-1] + 1, damaged | dict.fromkeys(unlisted, fault), settings)


def _check_headers(recording: ListedRecording, headers: list[ImageHeader], settings: RecordingSettings) -> None:
    name, first, first_file = recording.recording_id, headers[0], recording.frame_files[0][1]
    channels = settings.channels or ()
    if first.n_samples != len(channels):
        raise InputError(
            f"File {first_file} of recording '{name}' has {first.n_samples} sample(s) a pixel, but channels names "
            f"{len(channels)} ({', '.join(channels)}); correct recordings.channels or the file."
        )
    for header, (_, file_name) in zip(headers, recording.frame_files, strict=True):
        if header != first:
            raise InputError(
                f"File {file_name} of recording '{name}' is {header.describe()}, but {first_file} is "
                f"{first.describe()} and all frames of a recording must agree; replace the file."
            )


def _check_frame_numbers(recording: ListedRecording) -> None:
    name, frames = recording.recording_id, [frame for frame, _ in recording.frame_files]
    if not frames:
        raise InputError(
            f"Recording '{name}' has no images in {recording.source}, but at least one was expected; add them or "
            "remove the recording."
        )
    fault = _find_numbering_fault(frames)
    if fault is not None:
        raise InputError(
            f"Recording '{name}' {fault}: its {len(frames)} images are numbered {frames[0]} to {frames[-1]}, but every "
            "frame from 0 to the last was expected once; number the frames anew."
        )


def _find_numbering_fault(frames: list[int]) -> str | None:
    twice = next((frame for frame, following in itertools.pairwise(frames) if frame == following), None)
    if twice is not None:
        return f"lists frame {twice} twice"
    return "has a negative frame number" if frames[0] < 0 else None


def _check_declared_size(recording: ListedRecording, header: ImageHeader) -> None:
    wrong = recording.declared_sizes - {(header.height_px, header.width_px)}
    if wrong:
        height, width = min(wrong)
        raise InputError(
            f"The annotation file says that images of recording '{recording.recording_id}' are {width} x {height} px "
            f"(width x height), but {recording.frame_files[0][1]} is {header.width_px} x {header.height_px} px; "
            "correct the annotation file."
        )


def _check_labels(root: Path, recording: ListedRecording, image: ImageHeader) -> None:
    if recording.labels_expected is None:
        return
    name, frames = recording.recording_id, {frame for frame, _ in recording.frame_files}
    if not recording.label_files:
        raise InputError(
            f"Recording '{name}' has no label images in {recording.labels_expected}, but recordings.labels asks for "
            "them; add them, or set it to 'none'."
        )
    without = len(frames - set(recording.label_files))
    if without:
        _log.warning("Recording '%s': %d of %d frames have no label image", name, without, len(frames))
    for frame in sorted(frames & set(recording.label_files)):
        header = read_header(root / recording.label_files[frame])
        same = (header.n_samples, header.height_px, header.width_px) == (1, image.height_px, image.width_px)
        if not same or np.dtype(header.dtype).kind not in "iu":
            raise InputError(
                f"Label image {recording.label_files[frame]} of recording '{name}' is {header.describe()}, but "
                f"integers of {image.width_px} x {image.height_px} px with one sample were expected; replace it."
            )
