"""Reading the frames that are looked at, and the findings about them."""

from dataclasses import dataclass, field
from typing import Any
from zlib import crc32

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from tqdm import tqdm

from cellfate.core.errors import InputError
from cellfate.core.tables import FrameQuality
from cellfate.imaging.opening import lazy_recordings
from cellfate.imaging.records import Recording, RecordingFolder
from cellfate.preflight.findings import list_findings, make_findings, name_files
from cellfate.preflight.frames import choose_frames, gather_quality, measure_frame
from cellfate.preflight.on_cells import check_on_cells, rank_positions
from cellfate.preflight.settings import PreflightSettings
from cellfate.preflight.shown_frames import make_small
from cellfate.tracks.settings import TrackSettings

_SERIES = ["recording_id", "channel"]
_MANY_CELLS = 30
"""Cells of a recording from which on every second frame looked at is enough to see whether tracks lie on cells."""
_FEWEST = 3
"""Frames of a recording, or recordings of a folder, that a median needs before one of them can be called odd."""


@dataclass(frozen=True, eq=False)
class LookedAt:
    """What came of the frames that were decoded.

    Attributes
    ----------
    quality : DataFrame
        Table `FrameQuality`.
    findings : list of DataFrame
        Tables `PreflightFindings`, one a check. A frame that cannot be decoded is one of them.
    images : dict of str to (int, ndarray of uint8, shape (Y, X))
        By recording, the frame with the most cells and its picture, made small.
    """

    quality: pd.DataFrame
    findings: list[pd.DataFrame]
    images: dict[str, tuple[int, NDArray[np.uint8]]]


def look_at_images(
    folder: RecordingFolder,
    recordings: pd.DataFrame,
    frame_files: pd.DataFrame,
    placed: pd.DataFrame,
    cell_px: float,
    tracks: TrackSettings,
    settings: PreflightSettings,
) -> LookedAt:
    """Decode some frames of each recording, say how good they are, and whether the tracks lie on cells."""
    marks = {str(name): rows for name, rows in placed[placed["exists"]].groupby("recording_id")}
    decoded = _Decoded()
    recordings = recordings[recordings["height_px"] > 0]
    opened = lazy_recordings(folder, recordings, frame_files)
    for recording in tqdm(opened, total=len(recordings), desc="Preflight", unit="recording", disable=None):
        own = marks.get(recording.recording_id, placed.head(0))
        _decode(recording, own, cell_px, settings.image_frames, decoded)
    found = [_tell_unreadable(decoded.unreadable, frame_files)]
    if not decoded.measured:
        return LookedAt(FrameQuality.empty(), found, decoded.images)
    frames, files = pd.concat(decoded.measured, ignore_index=True), name_files(frame_files)
    quality = gather_quality(frames)
    found += [_find_not_finite(frames.merge(files), settings), _find_copies(decoded.digests, quality, settings)]
    found += check_quality(quality.merge(files), settings)
    found += check_on_cells(pd.concat(decoded.ranks, ignore_index=True), tracks, settings)
    return LookedAt(quality, found, decoded.images)


@dataclass(frozen=True)
class _Decoded:
    """What is gathered while frames are decoded: a frame's pixels are measured and forgotten."""

    measured: list[pd.DataFrame] = field(default_factory=list)
    ranks: list[pd.DataFrame] = field(default_factory=list)
    unreadable: list[dict[str, Any]] = field(default_factory=list)
    digests: dict[str, list[int]] = field(default_factory=dict)
    images: dict[str, tuple[int, NDArray[np.uint8]]] = field(default_factory=dict)


def _decode(recording: Recording, own: pd.DataFrame, cell_px: float, n_frames: int | None, decoded: _Decoded) -> None:
    """Decode the frames of a recording that are looked at; the one with the most cells is kept as a picture."""
    shown, most = None, -1
    ranked_every = 1 if own["cell_id"].nunique() < _MANY_CELLS else 2
    there = sorted(set(range(recording.n_frames)) - recording.missing_frames)
    for number_looked_at, frame in enumerate(there[number] for number in choose_frames(len(there), n_frames)):
        place: dict[str, Any] = {"recording_id": recording.recording_id, "frame": frame}
        try:
            image_cyx = recording.read_frame(frame)
        except InputError as error:
            decoded.unreadable.append({**place, "finding": str(error)})
            continue
        decoded.digests.setdefault(recording.recording_id, []).append(crc32(image_cyx.tobytes()))
        here = own[own["frame"] == frame]
        decoded.measured.append(measure_frame(image_cyx, recording.channels).assign(**place))
        if not number_looked_at % ranked_every:
            decoded.ranks.append(rank_positions(image_cyx, recording.channels, here, cell_px))
        if len(here) > most:
            shown, most = (frame, image_cyx), len(here)
    if shown is not None:
        decoded.images[recording.recording_id] = shown[0], make_small(shown[1])


def _tell_unreadable(unreadable: list[dict[str, Any]], frame_files: pd.DataFrame) -> pd.DataFrame:
    problems = pd.DataFrame(unreadable, columns=["recording_id", "frame", "finding"])
    problems = problems.astype({"recording_id": "str", "frame": "int64"})
    return make_findings("unreadable_frame", problems.merge(name_files(frame_files), how="left"))


def check_quality(quality: pd.DataFrame, settings: PreflightSettings) -> list[pd.DataFrame]:
    """Find frames that are saturated, empty or out of focus, and recordings that are less sharp than the others.

    `quality` has the file of each frame, too.
    """
    saturated = quality[quality["saturated_share"] > settings.saturated_share]
    empty = _find_empty(quality, settings.empty_share)
    lit = quality.drop(empty.index)  # the sharpness of an empty frame is that of its noise
    saturated = saturated.assign(value=saturated["saturated_share"], limit=settings.saturated_share)
    checks = (
        ("saturation", saturated, _SATURATED),
        ("empty_frame", empty, _EMPTY),
        ("focus", _find_blurred_recordings(lit, settings.focus_share), _BLURRED_RECORDING),
        ("focus", _find_blurred(lit, settings), _BLURRED),
    )
    # value is larger where it is worse in the first check only
    return [
        list_findings(cases, name, sentence, settings.max_rows_a_check, larger_is_worse=name == "saturation")
        for name, cases, sentence in checks
    ]


_SATURATED = (
    "{value:.2%} of the pixels of channel {channel} in frame {frame} are at the camera's ceiling, more than "
    "{limit:.2%}; intensities there are too low"
)
_EMPTY = (
    "channel {channel} of frame {frame} is empty: its pixels spread over {spread:.4g} counts, where {usual:.4g} are "
    "usual; check shutter, lamp and file"
)
_BLURRED = (
    "channel {channel} of frame {frame} is out of focus: its sharpness is {value:.0%} of that of the frames around it, "
    "less than {limit:.0%}"
)
_BLURRED_RECORDING = (
    "channel {channel} is less sharp than in the other recordings: its median focus is {value:.0%} of theirs, less "
    "than {limit:.0%}"
)
_COPY = (
    "the frames that were looked at are those of recording '{original}'; leave one of both out, or the "
    "same cells train and test"
)
_NOT_FINITE = "{value:.2%} of the pixels of channel {channel} in frame {frame} are no finite numbers; replace the file"


def _find_copies(digests: dict[str, list[int]], quality: pd.DataFrame, settings: PreflightSettings) -> pd.DataFrame:
    """Find recordings whose frames have the pixels of one before, unless there is nothing on them."""
    lit = set(quality.loc[quality["spread"] > 0, "recording_id"])
    firsts: dict[tuple[int, ...], str] = {}
    each = [(name, firsts.setdefault(tuple(own), name)) for name, own in digests.items() if name in lit]
    copies = [(name, original, 1.0, 0.0) for name, original in each if name != original]
    cases = pd.DataFrame(copies, columns=["recording_id", "original", "value", "limit"])
    return list_findings(cases, "same_images", _COPY, settings.max_rows_a_check)


def _find_not_finite(frames: pd.DataFrame, settings: PreflightSettings) -> pd.DataFrame:
    cases = frames[frames["not_finite_share"] > 0]
    cases = cases.assign(value=cases["not_finite_share"], limit=0.0)
    return list_findings(cases, "not_finite", _NOT_FINITE, settings.max_rows_a_check)


def _find_empty(quality: pd.DataFrame, share: float) -> pd.DataFrame:
    usual = quality.groupby(_SERIES)["spread"].transform("median")
    cases = quality.assign(usual=usual, value=quality["spread"] / usual.where(usual > 0), limit=share)
    return cases.loc[(cases["spread"] <= 0) | (cases["value"] < share)]


def _find_blurred(quality: pd.DataFrame, settings: PreflightSettings) -> pd.DataFrame:
    ordered = quality.sort_values([*_SERIES, "frame"], kind="stable")
    usual = ordered.groupby(_SERIES)["focus"].transform(
        lambda focus: focus.rolling(settings.focus_frames, center=True, min_periods=_FEWEST).median()
    )
    cases = ordered.assign(value=ordered["focus"] / usual.where(usual > 0), limit=settings.focus_share)
    return cases[cases["value"] < settings.focus_share]


def _find_blurred_recordings(quality: pd.DataFrame, share: float) -> pd.DataFrame:
    medians = quality.groupby(_SERIES)["focus"].median().reset_index()
    by_channel = medians.groupby("channel")["focus"]
    usual = by_channel.transform("median").where(by_channel.transform("count") >= _FEWEST)
    cases = medians.assign(value=medians["focus"] / usual.where(usual > 0), limit=share)
    return cases[cases["value"] < share]
