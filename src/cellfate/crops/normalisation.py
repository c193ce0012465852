"""Per-channel mean and standard deviation over the pixels of training cells.

Shapes: t frames, c channels, h rows, w columns, k folds.
"""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from tqdm import tqdm

from cellfate.core.errors import InputError
from cellfate.core.tables import CELL
from cellfate.crops.store import CellSequence, CropStore

Moments = tuple[float, NDArray[np.float64], NDArray[np.float64]]
"""Number of pixels, mean a channel, sum of squared deviations a channel."""


def fit_normalisation(crops: CropStore, follow_ups: pd.DataFrame, splits: pd.DataFrame) -> pd.DataFrame:
    """Fit mean and standard deviation of each channel over the pixels of each fold's training cells.

    Every frame that is shown of a cell counts once; pixels outside the image are left out. Sums are float64, and each
    cell is read once for all folds. Standard deviations are of the population.

    Parameters
    ----------
    crops : CropStore
        Where the pixels are.
    follow_ups, splits : DataFrame
        Tables `FollowUps` and `Splits`.

    Returns
    -------
    DataFrame
        Table `Normalisation`: one row a fold and channel.

    Raises
    ------
    InputError
        If a channel is the same everywhere.
    """
    folds_of_cell = splits[splits["part"] == "train"].groupby(CELL)["fold"].agg(list)
    totals = {int(fold): _no_pixels(len(crops.channels)) for fold in sorted(splits["fold"].unique())}
    cells = follow_ups.merge(folds_of_cell.rename("folds").reset_index(), on=CELL)
    row: Any
    for row in tqdm(cells.itertuples(), desc="Measuring pixels", total=len(cells), unit="cell", disable=None):
        shown = crops.read(row.recording_id, row.cell_id, row.first_frame, row.last_frame, with_masks=False)
        moments = _measure(shown)
        for fold in row.folds:
            totals[fold] = _combine(totals[fold], moments)
    tables = [_fold_table(fold, crops.channels, moments) for fold, moments in totals.items()]
    return pd.concat(tables, ignore_index=True)


def normalise(
    frames_tchw: NDArray[Any], inside_thw: NDArray[np.bool_], mean_c: NDArray[Any], sd_c: NDArray[Any]
) -> NDArray[np.float32]:
    """Subtract the mean and divide by the standard deviation of each channel; pixels outside the image become 0.

    Parameters
    ----------
    frames_tchw : ndarray, any numeric dtype
        Crops on the camera's own scale.
    inside_thw : ndarray of bool
        Pixels that lie in the image.
    mean_c, sd_c : ndarray, shape (C,)
        Statistics of the training cells.

    Returns
    -------
    ndarray of float32, shape (T, C, H, W)
        Scaled once; a copy.
    """
    mean = np.asarray(mean_c, dtype=np.float32)[:, None, None]
    scale = np.asarray(1 / np.asarray(sd_c, dtype=np.float64), dtype=np.float32)[:, None, None]
    scaled_tchw: NDArray[np.float32] = (frames_tchw.astype(np.float32) - mean) * scale
    scaled_tchw *= inside_thw[:, None]
    return scaled_tchw


def _measure(sequence: CellSequence) -> Moments:
    pixels_cn = np.moveaxis(sequence.frames_tchw, 1, 0)[:, sequence.inside_thw].astype(np.float64)
    if pixels_cn.shape[1] == 0:
        return _no_pixels(len(pixels_cn))
    mean_c = pixels_cn.mean(axis=1)
    return float(pixels_cn.shape[1]), mean_c, np.square(pixels_cn - mean_c[:, None]).sum(axis=1)


def _no_pixels(n_channels: int) -> Moments:
    return 0.0, np.zeros(n_channels), np.zeros(n_channels)


def _combine(one: Moments, other: Moments) -> Moments:
    """Pool two sets of pixels exactly (Chan, Golub and LeVeque 1979)."""
    n = one[0] + other[0]
    if n == 0:
        return one
    delta_c = other[1] - one[1]
    mean_c = one[1] + delta_c * (other[0] / n)
    return n, mean_c, one[2] + other[2] + np.square(delta_c) * (one[0] * other[0] / n)


def _fold_table(fold: int, channels: tuple[str, ...], moments: Moments) -> pd.DataFrame:
    n_pixels, mean_c, squares_c = moments
    sd_c = np.sqrt(squares_c / n_pixels) if n_pixels else np.zeros(len(channels))
    for channel, mean, sd in zip(channels, mean_c, sd_c, strict=True):
        if not sd > 0:
            raise InputError(
                f"Channel '{channel}' has the same value ({mean:g}) in all {n_pixels:.0f} pixels of the training cells "
                f"of fold {fold}, so it cannot be scaled; check the recordings or leave the channel out."
            )
    return pd.DataFrame({"fold": fold, "channel": list(channels), "mean": mean_c, "sd": sd_c, "n_pixels": n_pixels})
