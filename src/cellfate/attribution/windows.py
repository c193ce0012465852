"""Time windows of what is shown at a landmark, counted back from it."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

IntArray = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class TimeWindows:
    """Windows at one landmark in order of time; each holds at least one frame.

    Attributes
    ----------
    first_frames, last_frames
        First and last tracked frame of each window (frame numbers of the recording).
    windows_back
        How many windows before the last one each of them is; 0 is the last.
    window_of_t
        Window of each frame shown.
    """

    first_frames: IntArray
    last_frames: IntArray
    windows_back: IntArray
    window_of_t: IntArray

    def __len__(self) -> int:
        return len(self.first_frames)


def cut_time_windows(frame_numbers_t: IntArray, window_frames: int, n_windows: int) -> TimeWindows:
    """Cut frames into windows of equal length, counted back from the last one.

    The earliest window also takes every frame before it. A window that falls in a gap of the track does not exist.

    Parameters
    ----------
    frame_numbers_t
        Frame numbers, ascending.
    window_frames
        Frames of the recording in a window.
    n_windows
        Most windows.

    Examples
    --------
    >>> windows = cut_time_windows(np.arange(10, 17), window_frames=3, n_windows=2)
    >>> windows.first_frames.tolist(), windows.last_frames.tolist()
    ([10, 14], [13, 16])
    """
    back_t = np.minimum((frame_numbers_t[-1] - frame_numbers_t) // window_frames, n_windows - 1)
    minus_back, starts, window_of_t = np.unique(-back_t, return_index=True, return_inverse=True)
    ends = np.append(starts[1:], len(frame_numbers_t)) - 1
    return TimeWindows(frame_numbers_t[starts], frame_numbers_t[ends], -minus_back, window_of_t.astype(np.int64))


def frames_in(hours: float, frame_interval_min: float) -> int:
    """Frames in a time window: the nearest whole number, at least one."""
    return max(1, int(np.floor(hours * 60.0 / frame_interval_min + 0.5)))


def name_players(windows: TimeWindows, channels: tuple[str, ...]) -> pd.DataFrame:
    """One row a window and channel: window by window, the channels within."""
    n_channels = len(channels)
    return pd.DataFrame(
        {
            "window_first_frame": np.repeat(windows.first_frames, n_channels),
            "window_last_frame": np.repeat(windows.last_frames, n_channels),
            "channel": list(channels) * len(windows),
            "windows_back": np.repeat(windows.windows_back, n_channels),
        }
    )


def place_windows(attributions: pd.DataFrame, landmarks: pd.DataFrame) -> pd.DataFrame:
    """Say from when to when every window lasts, in hours from its landmark.

    Parameters
    ----------
    attributions
        Table `Attributions`.
    landmarks
        Table `Landmarks`, those of `attributions` at least.

    Returns
    -------
    pandas.DataFrame
        `attributions` with first_h and last_h, negative before the landmark. A frame lasts from half an interval
        before its time to half an interval after it, so that windows touch.
    """
    facts = landmarks.set_index("landmark_id")[["last_frame", "frame_interval_min"]].loc[attributions["landmark_id"]]
    hours_a_frame = facts["frame_interval_min"].to_numpy(dtype=np.float64) / 60.0
    last_frames = facts["last_frame"].to_numpy(dtype=np.int64)
    return attributions.assign(
        first_h=(attributions["window_first_frame"].to_numpy() - last_frames - 0.5) * hours_a_frame,
        last_h=(attributions["window_last_frame"].to_numpy() - last_frames + 0.5) * hours_a_frame,
    )
