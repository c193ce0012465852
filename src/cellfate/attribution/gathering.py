"""All methods in one table: a value for every window, and for every channel where the method tells them."""

from collections.abc import Iterator

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cellfate.attribution.methods import ALL_CHANNELS, ATTENTION, COMPARED, ROLLOUT, SHARE, no_attributions
from cellfate.attribution.settings import ExplanationSettings
from cellfate.attribution.windows import TimeWindows, cut_time_windows, frames_in
from cellfate.core.tables import Attributions

PLAYER = ["landmark_id", "method", "windows_back", "window_first_frame", "window_last_frame", "channel"]


def gather_attributions(
    attention: pd.DataFrame,
    rollout: pd.DataFrame,
    occlusion: pd.DataFrame,
    shapley: pd.DataFrame,
    gradients: pd.DataFrame,
    tree_shapley: pd.DataFrame,
    explained_landmarks: pd.DataFrame,
    explanation: ExplanationSettings,
) -> pd.DataFrame:
    """Put the values of all methods under each other, for the landmarks marked `shapley`.

    Parameters
    ----------
    attention, rollout
        Tables `Attention`; shares are summed over the frames of a window. Empty for a model without attention.
    occlusion, shapley, gradients
        Tables `Attributions`.
    tree_shapley
        Table `Attributions` with a column `feature`; values are summed over the features of a channel.
    explained_landmarks, explanation
        Table of `explained_landmarks.choose_explained_landmarks`; length and number of windows.

    Returns
    -------
    pandas.DataFrame
        Table `Attributions` with the methods of `methods.COMPARED`, and `windows_back`, `explained_outcome`, `group_id`
        and `towards`: 1 where the model's log odds of the explained outcome are at least `reference_log_odds`, else -1.
    """
    chosen = explained_landmarks[explained_landmarks["shapley"]]
    if chosen.empty:
        return no_attributions(towards=np.float64, group_id=object).drop(columns="window_h")
    shares = _sum_shares({ATTENTION: attention, ROLLOUT: rollout}, chosen, explanation)
    trees = tree_shapley.groupby([*PLAYER, "unit"], sort=False)["value"].sum().reset_index()
    table = pd.concat([part for part in (*shares, occlusion, shapley, gradients, trees) if len(part)])
    kept = table["method"].isin(list(COMPARED)) & table["landmark_id"].isin(chosen["landmark_id"])
    table = table.loc[kept, [*PLAYER, "value", "unit"]].reset_index(drop=True)
    of_landmark = chosen.set_index("landmark_id")
    above = shapley.groupby("landmark_id")["prediction"].first() - of_landmark["reference_log_odds"]
    return Attributions.validate(
        table.assign(
            explained_outcome=shapley["explained_outcome"].iloc[0],
            towards=table["landmark_id"].map((above >= 0).map({True: 1.0, False: -1.0})),
            group_id=table["landmark_id"].map(of_landmark["group_id"]),
        )
    )


def towards_forecast(attributions: pd.DataFrame) -> pd.Series:
    """Values that speak for what was forecast: signed ones times `towards`, shares as they are."""
    signed = attributions["method"].map({name: method.signed for name, method in COMPARED.items()}).astype(bool)
    return attributions["value"].where(~signed, attributions["value"] * attributions["towards"])


def _sum_shares(
    tables: dict[str, pd.DataFrame], landmarks: pd.DataFrame, explanation: ExplanationSettings
) -> Iterator[pd.DataFrame]:
    """Sum the shares of frames, in tables by method, over the windows at each landmark."""
    minutes = landmarks.set_index("landmark_id")["frame_interval_min"]
    for method, shares in tables.items():
        for name, rows in shares[shares["landmark_id"].isin(minutes.index)].groupby("landmark_id", sort=False):
            window_frames = frames_in(explanation.window_h, float(minutes[name]))
            windows = cut_time_windows(rows["frame"].to_numpy(dtype=np.int64), window_frames, explanation.n_windows)
            yield share_windows(method, rows["attention"].to_numpy(dtype=np.float64), windows).assign(landmark_id=name)


def share_windows(method: str, shares_t: NDArray[np.float64], windows: TimeWindows) -> pd.DataFrame:
    """Sum the shares of frames over the windows at a landmark: columns of `Attributions` but `landmark_id`."""
    return pd.DataFrame(
        {
            "method": method,
            "windows_back": windows.windows_back,
            "window_first_frame": windows.first_frames,
            "window_last_frame": windows.last_frames,
            "channel": ALL_CHANNELS,
            "value": np.bincount(windows.window_of_t, shares_t, minlength=len(windows)),
            "unit": SHARE,
        }
    )
