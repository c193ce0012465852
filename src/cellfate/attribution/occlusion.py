"""Occlusion: how much the log odds fall when a time window, a channel, or both are absent.

Zeiler and Fergus 2014, with the project's notion of absent: 0 after normalisation, positions kept.
"""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cellfate.attribution.games import FrameGame
from cellfate.attribution.methods import ALL_CHANNELS, LOGIT, OCCLUSION, OCCLUSION_CHANNEL, OCCLUSION_WINDOW
from cellfate.attribution.windows import TimeWindows, name_players


def occlude(game: FrameGame, windows: TimeWindows, channels: tuple[str, ...], width: int = 1) -> pd.DataFrame:
    """Occlude stretches of windows, every channel, and every channel in stretches of windows at one landmark.

    What is occluded slides over the windows. A single window may say nothing where its neighbours say the same, so a
    stretch may be wider; a window's value is the mean over the stretches that cover it.

    Parameters
    ----------
    game
        What is shown, embedded at least under `games.occlusion_subsets`.
    windows, channels
        Its time windows, and the names of the channels.
    width
        Windows in a stretch; at both ends stretches are shorter.

    Returns
    -------
    pandas.DataFrame
        Columns of `Attributions` but `landmark_id`; value = f(x) - f(x without it), in logits. Rows of
        `occlusion_channel` span all that is shown.
    """
    n_windows, n_channels = len(windows), len(channels)
    covers_sw = cover_windows(n_windows, width)
    covered_st = covers_sw[:, windows.window_of_t]
    chosen_kc = np.concatenate([np.ones((1, n_channels), dtype=bool), np.eye(n_channels, dtype=bool)])
    absent_sktc = covered_st[:, None, :, None] & chosen_kc[None, :, None, :]
    whole_ktc = np.broadcast_to(chosen_kc[:, None], (1 + n_channels, covered_st.shape[1], n_channels))
    absent_btc = np.concatenate([absent_sktc.reshape(-1, *absent_sktc.shape[2:]), whole_ktc])
    values_b = game.values(np.concatenate([np.ones_like(absent_btc[:1]), ~absent_btc]))
    lost_b = values_b[0] - values_b[1:]
    lost_sk, lost_k = lost_b[: -1 - n_channels].reshape(len(covers_sw), -1), lost_b[-1 - n_channels :]
    lost_wk = (covers_sw.T @ lost_sk) / covers_sw.sum(axis=0)[:, None]
    return pd.concat([_of_windows(windows, channels, lost_wk), _of_channels(windows, channels, lost_k[1:])])


def cover_windows(n_windows: int, width: int) -> NDArray[np.bool_]:
    """Tell which windows each stretch covers, (S, W): every stretch of `width` windows, cut off at both ends.

    Examples
    --------
    >>> cover_windows(3, 2).astype(int).tolist()
    [[1, 0, 0], [1, 1, 0], [0, 1, 1], [0, 0, 1]]
    """
    starts_s = np.arange(1 - width, n_windows)[:, None]
    windows_w = np.arange(n_windows)
    covers: NDArray[np.bool_] = (windows_w >= starts_s) & (windows_w < starts_s + width)
    return covers


def _of_windows(windows: TimeWindows, channels: tuple[str, ...], lost_wk: NDArray[np.float64]) -> pd.DataFrame:
    """Rows of all channels together and of each channel, window by window."""
    together = name_players(windows, (ALL_CHANNELS,)).assign(method=OCCLUSION_WINDOW, value=lost_wk[:, 0])
    apart = name_players(windows, channels).assign(method=OCCLUSION, value=lost_wk[:, 1:].ravel())
    return pd.concat([together, apart], ignore_index=True).assign(unit=LOGIT)


def _of_channels(windows: TimeWindows, channels: tuple[str, ...], lost_c: NDArray[np.float64]) -> pd.DataFrame:
    """Rows of each channel over all that is shown."""
    return pd.DataFrame(
        {
            "window_first_frame": windows.first_frames[0],
            "window_last_frame": windows.last_frames[-1],
            "channel": channels,
            "windows_back": 0,
            "method": OCCLUSION_CHANNEL,
            "value": lost_c,
            "unit": LOGIT,
        }
    )
