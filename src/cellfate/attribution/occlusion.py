"""Occlusion: how much the log odds fall when a time window, a channel, or both are absent.

Zeiler and Fergus 2014, with the project's notion of absent: 0 after normalisation, positions kept.
"""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cellfate.attribution.games import FrameGame
from cellfate.attribution.methods import ALL_CHANNELS, LOGIT, OCCLUSION, OCCLUSION_CHANNEL, OCCLUSION_WINDOW
from cellfate.attribution.windows import TimeWindows


def occlude(game: FrameGame, windows: TimeWindows, channels: tuple[str, ...]) -> pd.DataFrame:
    """Occlude every window, every channel, and every channel in every window of one sample.

    Parameters
    ----------
    game
        The sample, embedded at least under `games.occlusion_subsets`.
    windows
        Its time windows.
    channels
        Names of the channels.

    Returns
    -------
    pandas.DataFrame
        Columns of `Attributions` but `sample_id`; value = f(x) - f(x without it), in logits. Rows of
        `occlusion_channel` span the whole sample.
    """
    names, absent_btc = _occlusions(windows, channels)
    values = game.values(np.concatenate([np.ones_like(absent_btc[:1]), ~absent_btc]))
    return names.assign(value=values[0] - values[1:], unit=LOGIT)


def _occlusions(windows: TimeWindows, channels: tuple[str, ...]) -> tuple[pd.DataFrame, NDArray[np.bool_]]:
    """Name every occlusion, and tell what is absent in it, (B, T, C)."""
    n_windows, n_channels = len(windows), len(channels)
    in_window_wt = windows.window_of_t == np.arange(n_windows)[:, None]
    is_channel_kc = np.eye(n_channels, dtype=bool)
    every_frame, every_channel = np.ones_like(in_window_wt[:1]), np.ones_like(is_channel_kc[:1])
    whole = [(int(windows.first_frames[0]), int(windows.last_frames[-1]), 0)]
    bounds = (windows.first_frames, windows.last_frames, windows.windows_back)
    each = list(zip(*(bound.tolist() for bound in bounds), strict=True))
    families = (
        (OCCLUSION_WINDOW, in_window_wt, each, every_channel, (ALL_CHANNELS,)),
        (OCCLUSION_CHANNEL, every_frame, whole, is_channel_kc, channels),
        (OCCLUSION, in_window_wt, each, is_channel_kc, channels),
    )
    rows = [
        (method, first, last, channel, back)
        for method, _, spans, _, named in families
        for first, last, back in spans
        for channel in named
    ]
    absent = [
        (frames[:, None, :, None] & chosen[None, :, None, :]).reshape(-1, frames.shape[1], n_channels)
        for _, frames, _, chosen, _ in families
    ]
    names = pd.DataFrame(rows, columns=["method", "window_first_frame", "window_last_frame", "channel", "windows_back"])
    return names, np.concatenate(absent)
