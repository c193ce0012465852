"""Reading the frames that are looked at, and the findings about them."""

from typing import Any

import pandas as pd
from tqdm import tqdm

from cellfate.core.errors import InputError
from cellfate.core.tables import FrameQuality
from cellfate.imaging.opening import lazy_recordings
from cellfate.imaging.records import RecordingFolder
from cellfate.preflight.findings import list_findings, make_findings, name_files
from cellfate.preflight.frames import choose_frames, gather_quality, measure_frame
from cellfate.preflight.settings import PreflightSettings

_SERIES = ["recording_id", "channel"]
_FEWEST = 3
"""Frames of a recording, or recordings of a folder, that a median needs before one of them can be called odd."""


def look_at_images(
    folder: RecordingFolder, recordings: pd.DataFrame, frame_files: pd.DataFrame, settings: PreflightSettings
) -> tuple[pd.DataFrame, list[pd.DataFrame]]:
    """Decode some frames of each recording, and say how good they are.

    Parameters
    ----------
    folder : RecordingFolder
        Folder of recordings.
    recordings, frame_files : DataFrame
        Tables `Recordings` and `FrameFiles`.
    settings : PreflightSettings
        How many frames, and from where on something is told.

    Returns
    -------
    quality : DataFrame
        Table `FrameQuality`.
    findings : list of DataFrame
        Tables `PreflightFindings`, one a check. A frame that cannot be decoded is one of them.
    """
    measured: list[pd.DataFrame] = []
    unreadable: list[dict[str, Any]] = []
    opened = lazy_recordings(folder, recordings, frame_files)
    for recording in tqdm(opened, total=len(recordings), desc="Preflight", unit="recording", disable=None):
        for frame in choose_frames(recording.n_frames, settings.image_frames):
            place = {"recording_id": recording.recording_id, "frame": frame}
            try:
                measured.append(measure_frame(recording.read_frame(frame), recording.channels).assign(**place))
            except InputError as error:
                unreadable.append({**place, "finding": str(error)})
    files = name_files(frame_files)
    problems = pd.DataFrame(unreadable, columns=["recording_id", "frame", "finding"])
    found = [
        make_findings(
            "unreadable_frame", problems.astype({"recording_id": "str", "frame": "int64"}).merge(files, how="left")
        )
    ]
    if not measured:
        return FrameQuality.empty(), found
    frames = pd.concat(measured, ignore_index=True)
    quality = gather_quality(frames)
    found.append(_find_not_finite(frames.merge(files), settings))
    return quality, [*found, *check_quality(quality.merge(files), settings)]


def check_quality(quality: pd.DataFrame, settings: PreflightSettings) -> list[pd.DataFrame]:
    """Find frames that are saturated, empty or out of focus, and recordings that are less sharp than the others.

    Parameters
    ----------
    quality : DataFrame
        Table `FrameQuality`, with file.
    settings : PreflightSettings
        From where on a frame is told.

    Returns
    -------
    list of DataFrame
        Tables `PreflightFindings`.
    """
    saturated = quality[quality["saturated_share"] > settings.saturated_share]
    empty = _find_empty(quality, settings.empty_share)
    lit = quality.drop(empty.index)  # the sharpness of an empty frame is that of its noise
    saturated = saturated.assign(value=saturated["saturated_share"], limit=settings.saturated_share)
    checks = (
        ("saturation", saturated, _SATURATED),
        ("empty_frame", empty, _EMPTY),
        ("focus", _find_blurred(lit, settings), _BLURRED),
        ("focus", _find_blurred_recordings(lit, settings.focus_share), _BLURRED_RECORDING),
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
_NOT_FINITE = "{value:.2%} of the pixels of channel {channel} in frame {frame} are no finite numbers; replace the file"


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
