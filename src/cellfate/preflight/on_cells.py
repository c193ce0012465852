"""Whether tracks lie on cells: pixels at the positions, held against the transposed positions and against random ones.

A cell has other pixels than its surroundings: brighter, darker, or more varied (phase contrast). For each frame looked
at, the brightness over the surroundings and the standard deviation of the pixels in a window at each position are
ranked among those of windows at random places of the same frame. A rank is a share, 0 to 1, and .5 for positions that
know nothing of the image; the mean rank is the area under the ROC curve that tells cells from random places. Ranks of a
cell are averaged first: a cell in many frames is one piece of evidence.
"""

from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cellfate.core.tables import CELL
from cellfate.preflight.findings import list_findings
from cellfate.preflight.misfits import name_axes
from cellfate.preflight.settings import PreflightSettings
from cellfate.tracks.settings import TrackSettings

RANKS: Final = ("own", "transposed")
"""What is ranked: the positions as they are, and with x and y swapped."""
_MEASURES = ("brightness", "deviation")
_MOST_POSITIONS = 40
_N_RANDOM = 100
_MOST_SAMPLES = 11
"""Pixels of a window along an axis: those of larger windows are thinned out."""
_AROUND = 3
"""How many times as wide as a window its surroundings are: what they share is the lamp, not the cell."""
_FEWEST_CELLS = 30
"""Cells from which on tracks are told that lie nowhere, by themselves or of all recordings together."""
_FEWEST_SWAPPED = 10
"""Cells from which on swapped axes are told, and tracks that lie nowhere where other recordings confirm it."""
_SEEN = 0.3
"""Distance of the mean rank from .5 from which on the cells of a study are plainly seen."""
_LIES_ON = 0.1
"""Distance of the mean rank from .5 up to which positions know nothing of the image."""
_SWAPPED = 0.2
"""Distance of the mean rank from .5 from which on transposed positions lie on cells, up to which those as given do not,
and by which the first must be farther."""
_CERTAIN = 4.0
"""Standard errors from where on something is not taken for chance."""
_SEED = 0


def rank_positions(
    image_cyx: NDArray[Any], channels: tuple[str, ...], marks: pd.DataFrame, cell_px: float
) -> pd.DataFrame:
    """Rank the pixels at the positions of one frame among those at random places.

    Parameters
    ----------
    image_cyx : ndarray, shape (C, Y, X), any number type
        Pixels of the frame.
    marks : DataFrame
        recording_id, cell_id, y_px and x_px of the cells in the frame; at most 40 of them are looked at.
    cell_px : float
        Diameter of a cell (px): the side of the window.

    Returns
    -------
    DataFrame
        One row a cell, channel and measure (brightness, deviation): recording_id, cell_id, channel, measure, own and
        transposed, the ranks (0 to 1). Transposed is NaN where that is outside the image. No row where the image is
        too small, or all its pixels are alike.
    """
    height, width = image_cyx.shape[1:]
    half = max(1, min(round(cell_px / 2), (min(height, width) - 1) // 4))
    inside = marks["y_px"].between(0, height - 1) & marks["x_px"].between(0, width - 1)
    marks = marks.loc[inside, [*CELL, "y_px", "x_px"]].iloc[:: max(1, -(-int(inside.sum()) // _MOST_POSITIONS))]
    if marks.empty or min(height, width) < 3 or image_cyx.min() == image_cyx.max():
        return pd.DataFrame(columns=["recording_id", "cell_id", "channel", "measure", *RANKS])
    generator = np.random.default_rng(_SEED)
    random_yx = generator.uniform((half, half), (height - 1 - half, width - 1 - half), (_N_RANDOM, 2))
    own_yx = marks[["y_px", "x_px"]].to_numpy(np.float64)
    beside = _measure_windows(image_cyx, random_yx, half)
    ranks = {
        name: _rank(_measure_windows(image_cyx, places_yx, half), beside)
        for name, places_yx in (("own", own_yx), ("transposed", own_yx[:, ::-1]))
    }
    outside = (own_yx[:, 1] > height - 1) | (own_yx[:, 0] > width - 1)
    ranks["transposed"][:, :, outside] = np.nan
    n_series, n_marks = len(_MEASURES) * len(channels), len(marks)
    return pd.DataFrame(
        {
            **{name: np.tile(marks[name].to_numpy(), n_series) for name in CELL},
            "channel": np.tile(np.repeat(np.array(channels, dtype=object), n_marks), len(_MEASURES)),
            "measure": np.repeat(np.array(_MEASURES, dtype=object), len(channels) * n_marks),
            **{name: ranks[name].ravel() for name in RANKS},
        }
    )


def check_on_cells(ranks: pd.DataFrame, tracks: TrackSettings, settings: PreflightSettings) -> list[pd.DataFrame]:
    """Find recordings whose tracks do not lie on cells, or do when x and y are swapped."""
    evidence = weigh_ranks(ranks)
    swapped = (evidence["n_cells"] >= _FEWEST_SWAPPED) & (evidence["own"] <= _SWAPPED)
    swapped &= evidence["transposed"] >= np.maximum(_SWAPPED, _CERTAIN * evidence["error"])
    swapped &= evidence["transposed"] >= evidence["own"] + _SWAPPED
    nowhere = (evidence["own"] <= _LIES_ON) & ~swapped & _are_enough(evidence, ranks)
    transposed = evidence[swapped].assign(value=evidence["transposed"], limit=_SWAPPED, where=name_axes(tracks))
    checks = (
        ("swapped", transposed, _TRANSPOSED),
        ("off_cells", evidence[nowhere].assign(value=_LIES_ON - evidence["own"], limit=0.0), _NOWHERE),
    )
    return [list_findings(cases, name, sentence, settings.max_rows_a_check) for name, cases, sentence in checks]


def _are_enough(evidence: pd.DataFrame, ranks: pd.DataFrame) -> pd.Series:
    """Whether a recording has cells enough to be told; fewer do where other recordings show what to expect of them.

    That is so where the tracks of another recording lie on cells, or those of all together lie nowhere.
    """
    together = weigh_ranks(
        ranks.assign(cell_id=ranks["recording_id"] + ":" + ranks["cell_id"].astype(str), recording_id="")
    )
    nowhere = ((together["n_cells"] >= _FEWEST_CELLS) & (together["own"] <= _LIES_ON)).any()
    elsewhere = (evidence["own"] >= np.maximum(_SEEN, _CERTAIN * evidence["error"])).any()
    return evidence["n_cells"] >= (_FEWEST_SWAPPED if nowhere or elsewhere else _FEWEST_CELLS)


def weigh_ranks(ranks: pd.DataFrame) -> pd.DataFrame:
    """Say how far positions are from knowing nothing of the image.

    Returns
    -------
    DataFrame
        One row a recording: recording_id, n_cells, own and transposed (largest distance of the mean rank from .5, of
        any channel and measure, 0 to .5), error (standard error of a mean rank of positions that know nothing).
    """
    if ranks.empty:
        return pd.DataFrame(columns=["recording_id", "n_cells", *RANKS, "error"]).astype(dict.fromkeys(RANKS, float))
    series = ["recording_id", "channel", "measure"]
    cells = ranks.groupby([*series, "cell_id"])[list(RANKS)].mean().reset_index()
    means = cells.groupby(series)[list(RANKS)].mean()
    evidence = (means - 0.5).abs().groupby("recording_id").max()
    n_cells = cells.groupby("recording_id")["cell_id"].nunique()
    # a rank that is uniform over 0 to 1 has a variance of 1 / 12
    return evidence.assign(n_cells=n_cells, error=(12 * n_cells) ** -0.5).reset_index()


_TRANSPOSED = (
    "x and y look swapped: the pixels at the positions of {n_cells} cells are like those of random places, and the "
    "transposed positions lie on cells (mean rank {transposed:.2f} from chance, as given {own:.2f}); correct that "
    "{where}"
)
_NOWHERE = (
    "the tracks do not seem to lie on cells: the pixels at the positions of {n_cells} cells are like those of random "
    "places (mean rank {own:.2f} from chance); look at the figure of the tracks, whether file, unit and axes are right"
)


def _measure_windows(image_cyx: NDArray[Any], places_yx: NDArray[np.float64], half: int) -> NDArray[np.float64]:
    """Brightness over the surroundings, and standard deviation, in a window at each place, shape (2, C, N)."""
    windows = _cut_windows(image_cyx, places_yx, half)
    around = _cut_windows(image_cyx, places_yx, _AROUND * half)
    return np.stack([windows.mean(axis=(2, 3)) - around.mean(axis=(2, 3)), windows.std(axis=(2, 3))])


def _cut_windows(image_cyx: NDArray[Any], places_yx: NDArray[np.float64], half: int) -> NDArray[np.float64]:
    """Windows at places, shape (C, N, K, K); what lies outside the image repeats its border."""
    steps = np.arange(-half, half + 1, max(1, -(-(2 * half + 1) // _MOST_SAMPLES)))
    corner = np.floor(places_yx + 0.5).astype(np.int64)
    rows = np.clip(corner[:, 0, None] + steps, 0, image_cyx.shape[1] - 1)
    columns = np.clip(corner[:, 1, None] + steps, 0, image_cyx.shape[2] - 1)
    return np.asarray(image_cyx[:, rows[:, :, None], columns[:, None, :]], dtype=np.float64)


def _rank(values: NDArray[np.float64], beside: NDArray[np.float64]) -> NDArray[np.float64]:
    """Share of the random places with a smaller value; those with the same count half."""
    values, beside = values[..., :, None], beside[..., None, :]
    return np.asarray((beside < values).mean(axis=-1) + (beside == values).mean(axis=-1) / 2)
