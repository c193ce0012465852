"""What a method says of other cells, laid on a cell: of matched ones, and of all others forecast alike on the mean.

Windows are laid on each other by how many of them lie behind, channels by name. Values count by how much they speak for
what was forecast of their own cell. The mean is of the cells of which the same was forecast: that of all would be a
weaker rival, for what speaks for one forecast is hardly what speaks for the other. A part that a matched cell did not
show has the mean of the others there; a part that no other cell showed has 0, it speaks for nothing.

Array suffixes: n landmarks, w windows counted back, c channels (one where the parts of a method are whole windows),
k matched cells, p parts of a landmark.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cellfate.attribution.gathering import towards_forecast
from cellfate.attribution.methods import COMPARED
from cellfate.attribution.settings import ExplanationSettings

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

MOST_WINDOWS_APART: Final = 1
"""By how many windows what is shown of a matched cell may be longer or shorter."""


@dataclass(frozen=True, eq=False)
class LaidValues:
    """Values of a method in the order of a landmark's parts.

    Attributes
    ----------
    own_p
        Its own, (P,).
    mean_p
        The mean of all other cells forecast alike, (P,); None without one.
    matched_kp
        Those of matched cells, (K, P); K = 0 without them.
    """

    own_p: FloatArray
    mean_p: FloatArray | None
    matched_kp: FloatArray


@dataclass(frozen=True, eq=False)
class OtherCells:
    """The values of every method at every landmark; `gather_cells` makes it.

    Attributes
    ----------
    numbers
        Number of each landmark by its name.
    values_nwc
        By method: values, NaN where a landmark does not show a window.
    matched_nk
        Numbers of the matched landmarks of each; -1 where there are too few.
    towards_n
        What was forecast of each: 1 or -1.
    """

    numbers: dict[str, int]
    values_nwc: dict[str, FloatArray]
    matched_nk: IntArray
    towards_n: FloatArray

    def lay_on(self, landmark_id: str, method: str, windows_back: IntArray) -> LaidValues:
        """Lay the values of a method on the windows of a landmark."""
        number, values_nwc = self.numbers[landmark_id], self.values_nwc[method]
        on_parts_np = values_nwc[:, windows_back].reshape(len(values_nwc), -1)
        alike_n = self.towards_n == self.towards_n[number]
        alike_n[number] = False
        others_np = on_parts_np[alike_n]
        known_p = np.isfinite(others_np).sum(axis=0)
        mean_p = np.where(known_p > 0, np.nansum(others_np, axis=0) / np.maximum(known_p, 1), 0.0)
        matched_k = self.matched_nk[number][self.matched_nk[number] >= 0]
        matched_kp = np.where(np.isfinite(on_parts_np[matched_k]), on_parts_np[matched_k], mean_p)
        return LaidValues(on_parts_np[number], mean_p if len(others_np) else None, matched_kp)


def gather_cells(
    attributions: pd.DataFrame, landmarks: pd.DataFrame, channels: tuple[str, ...], explanation: ExplanationSettings
) -> OtherCells:
    """Put the values of every method at every landmark into grids of windows and channels, and match the landmarks.

    Parameters
    ----------
    attributions
        Table of `gathering.gather_attributions`.
    landmarks
        Those of `attributions`, with `outcome`, `shown_from` and `last_frame`.
    channels
        Channels of the image, in order.
    explanation
        Number of matched cells; seed.
    """
    names = pd.Index(landmarks["landmark_id"])
    spoken = attributions.assign(value=towards_forecast(attributions))
    n_backs = int(attributions["windows_back"].max()) + 1
    values = {
        str(method): _grid(rows, names, n_backs, channels if COMPARED[str(method)].by_image_channel else ())
        for method, rows in spoken.groupby("method", sort=False)
    }
    windows = attributions.groupby("landmark_id")["windows_back"].nunique()
    n_windows = windows.reindex(names).to_numpy().astype(np.int64)
    matched_nk = match_landmarks(landmarks, n_windows, explanation)
    towards_n = attributions.groupby("landmark_id")["towards"].first().reindex(names).to_numpy(dtype=np.float64)
    return OtherCells({str(name): number for number, name in enumerate(names)}, values, matched_nk, towards_n)


def _grid(rows: pd.DataFrame, names: pd.Index, n_backs: int, channels: tuple[str, ...]) -> FloatArray:
    """Values of one method (N, W, C), NaN where there is none; summed over channels where `channels` is empty."""
    numbers, backs = names.get_indexer(pd.Index(rows["landmark_id"])), rows["windows_back"].to_numpy()
    columns = (
        pd.Index(channels).get_indexer(pd.Index(rows["channel"])) if channels else np.zeros(len(rows), dtype=np.int64)
    )
    places = numbers, backs, columns
    sums_nwc = np.zeros((len(names), n_backs, max(1, len(channels))))
    np.add.at(sums_nwc, places, rows["value"].to_numpy(dtype=np.float64))
    shown_nwc = np.zeros(sums_nwc.shape, dtype=bool)
    shown_nwc[places] = True
    return np.where(shown_nwc, sums_nwc, np.nan)


def match_landmarks(landmarks: pd.DataFrame, n_windows: IntArray, explanation: ExplanationSettings) -> IntArray:
    """Match each landmark to others of the same outcome that show about as much of their cells.

    Parameters
    ----------
    landmarks
        Table `Landmarks` with `outcome` and `shown_from`.
    n_windows
        Windows that each shows, (N,).
    explanation
        Number of matched landmarks; seed by which ties are broken.

    Returns
    -------
    ndarray, int64, (N, K)
        Numbers of the landmarks whose number of windows differs by at most one, nearest in frames shown first; all -1
        where there are fewer than `n_matched`.
    """
    outcomes_n = landmarks["outcome"].to_numpy()
    frames_n = (landmarks["last_frame"] - landmarks["shown_from"]).to_numpy(dtype=np.int64)
    by_chance_n = np.random.default_rng([explanation.seed, 8]).permutation(len(landmarks))
    matched_nk = np.full((len(landmarks), explanation.n_matched), -1, dtype=np.int64)
    for number, outcome in enumerate(outcomes_n):
        near_n = np.abs(n_windows - n_windows[number]) <= MOST_WINDOWS_APART
        others = np.flatnonzero((outcomes_n == outcome) & near_n & (np.arange(len(landmarks)) != number))
        nearest = others[np.lexsort((by_chance_n[others], np.abs(frames_n[others] - frames_n[number])))]
        if len(nearest) >= explanation.n_matched:
            matched_nk[number] = nearest[: explanation.n_matched]
    return matched_nk
