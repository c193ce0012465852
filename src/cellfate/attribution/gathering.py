"""All methods in one table: a value for every window of a sample, and for every channel where the method tells them."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from cellfate.attribution.methods import ALL_CHANNELS, ATTENTION, COMPARED, ROLLOUT, SHARE
from cellfate.attribution.settings import ExplanationSettings
from cellfate.attribution.windows import TimeWindows, cut_time_windows, frames_in
from cellfate.core.tables import Attributions

PLAYER = ["sample_id", "method", "windows_back", "window_first_frame", "window_last_frame", "channel"]


def gather_attributions(
    attention: pd.DataFrame,
    rollout: pd.DataFrame,
    occlusion: pd.DataFrame,
    shapley: pd.DataFrame,
    gradients: pd.DataFrame,
    tree_shapley: pd.DataFrame,
    explained_samples: pd.DataFrame,
    explanation: ExplanationSettings,
) -> pd.DataFrame:
    """Put the values of all methods under each other, for the samples marked `shapley`.

    Parameters
    ----------
    attention, rollout
        Tables `Attention`; shares are summed over the frames of a window. Empty for a model without attention.
    occlusion, shapley, gradients
        Tables `Attributions`.
    tree_shapley
        Table `Attributions` with a column `feature`; values are summed over the features of a channel.
    explained_samples
        Table of `selection.select_explained_samples`.
    explanation
        Length and number of windows.

    Returns
    -------
    pandas.DataFrame
        Table `Attributions` with the methods of `methods.COMPARED`, and `windows_back`, `explained_outcome`, `group_id`
        and `towards`: 1 where the model's log odds of the explained outcome are above 0, else -1. Without samples
        an empty table.
    """
    chosen = explained_samples[explained_samples["shapley"]]
    if chosen.empty:
        return Attributions.empty()
    shares = [
        part
        for name, table in ((ATTENTION, attention), (ROLLOUT, rollout))
        for part in _sum_shares(name, table, chosen, explanation)
    ]
    trees = tree_shapley.groupby([*PLAYER, "unit"], sort=False)["value"].sum().reset_index()
    tables: list[pd.DataFrame] = [*shares, occlusion, shapley, gradients, trees]
    table = pd.concat(tables, ignore_index=True)
    table = table[table["method"].isin(list(COMPARED)) & table["sample_id"].isin(chosen["sample_id"])]
    signs = np.sign(shapley.groupby("sample_id")["prediction"].first()).replace(0.0, 1.0)
    groups = chosen.set_index("sample_id")["group_id"]
    return Attributions.validate(
        table[[*PLAYER, "value", "unit"]]
        .assign(
            explained_outcome=shapley["explained_outcome"].iloc[0] if len(shapley) else "",
            towards=table["sample_id"].map(signs),
            group_id=table["sample_id"].map(groups),
        )
        .reset_index(drop=True)
    )


def towards_forecast(attributions: pd.DataFrame) -> pd.Series:
    """Values that speak for what was forecast: signed ones times `towards`, shares as they are."""
    signed = attributions["method"].map({name: method.signed for name, method in COMPARED.items()})
    return attributions["value"].where(~signed, attributions["value"] * attributions["towards"])


def _sum_shares(
    method: str, shares: pd.DataFrame, samples: pd.DataFrame, explanation: ExplanationSettings
) -> Iterator[pd.DataFrame]:
    """Sum the shares of frames over the windows of each sample."""
    intervals = samples.set_index("sample_id")["frame_interval_min"]
    for sample_id, rows in shares[shares["sample_id"].isin(samples["sample_id"])].groupby("sample_id", sort=False):
        frames = rows["frame"].to_numpy(dtype=np.int64)
        window_frames = frames_in(explanation.window_h, float(intervals[sample_id]))
        windows = cut_time_windows(frames, window_frames, explanation.n_windows)
        yield share_windows(method, rows["attention"].to_numpy(dtype=np.float64), windows).assign(sample_id=sample_id)


def share_windows(method: str, shares_t: np.ndarray, windows: TimeWindows) -> pd.DataFrame:
    """Sum the shares of a sample's frames over its windows: columns of `Attributions` but `sample_id`."""
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
