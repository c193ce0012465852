"""What images look like in numbers: noise against level, likeness in time. It serves to hold recordings side by side.

Array suffixes: t frame, y row, x column, n series.
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cellfate.core.errors import InputError

Floats = NDArray[np.float64]

_SECOND_DIFFERENCE: Final = (1.0, -2.0, 1.0)
"""Applied along both axes it gives Immerkaer's operator: flat and evenly sloping patches become 0."""
_OPERATOR_GAIN: Final = 36.0
"""Variance of the operator's response to white noise of variance 1: the sum of its squared weights."""
_MEDIAN_CHI_SQUARE: Final = 0.454936423119573
"""Median of a chi-square number of one degree of freedom: squared normal noise has this median and the mean 1."""
_LEVEL_PERCENTILES: Final = (0.05, 99.95)
"""Levels between these percentiles are cut into bins; a few stray pixels must not stretch them."""
_EVEN: Final = 1e-9
"""Spread under which a frame counts as even: what rounding leaves, in counts."""


@dataclass(frozen=True)
class NoiseLine:
    """Noise variance as a line over the level: `variance = gain * level + constant`.

    Attributes
    ----------
    gain : float
        Counts a photo-electron, where nothing but photons makes the noise grow.
    constant : float
        Counts^2. With the camera's offset o and read noise s it is `s^2 - gain * o`.
    """

    gain: float
    constant: float


def trace_noise(frames_tyx: NDArray[Any], n_levels: int = 24, fewest_pixels: int = 200) -> pd.DataFrame:
    """Trace the variance of the noise over the level: the photon transfer curve, from images of whatever is there.

    Every patch of 3 x 3 pixels gives its mean and the response of the difference operator of Immerkaer (1996, Comput.
    Vis. Image Underst. 64:300), which is blind to even slopes and uncorrelated with the mean. Over patches of like mean
    the median of the squared response is taken and scaled to the variance of normal noise: edges and grains of cells
    make some responses large, which would pull a mean up, but they are not half of the patches, so long as images
    are smooth on the scale of a pixel. Where they are not, the variance is too large.

    Parameters
    ----------
    frames_tyx : ndarray, shape (T, Y, X)
        Frames on the camera's own scale.
    n_levels : int
        Bins of the level; they are even in the square root of its height, as noise of photons is.
    fewest_pixels : int
        Bins of fewer patches are left out.

    Returns
    -------
    DataFrame
        One row a bin: level (mean, counts), variance (counts^2), n_pixels.

    Raises
    ------
    InputError
        If the array is not of three axes, holds no frame, or frames are smaller than 3 x 3 pixels.
    """
    _check_frames(frames_tyx, smallest_px=3)
    patches = [_respond(frame_yx.astype(np.float64)) for frame_yx in frames_tyx]
    level, squared = (np.concatenate([patch[i] for patch in patches]) for i in (0, 1))
    low, high = np.percentile(level, _LEVEL_PERCENTILES)
    height = np.sqrt(np.clip(level - low, 0, None))
    width = float(np.sqrt(high - low)) / n_levels if high > low else 1.0
    kept = (level >= low) & (level <= high)
    bins = np.minimum((height[kept] / width).astype(np.int64), n_levels - 1)
    grouped = pd.DataFrame({"level": level[kept], "squared": squared[kept]}).groupby(bins)
    curve = grouped.agg(level=("level", "mean"), variance=("squared", "median"), n_pixels=("level", "size"))
    curve["variance"] /= _OPERATOR_GAIN * _MEDIAN_CHI_SQUARE
    return curve[curve["n_pixels"] >= fewest_pixels].reset_index(drop=True)


def fit_noise(curve: pd.DataFrame) -> NoiseLine:
    """Fit a line to the variance of the noise over the level, by weighted least squares.

    Parameters
    ----------
    curve : DataFrame
        What `trace_noise` gives. A variance from n patches has a standard error in proportion to `variance / sqrt(n)`.

    Returns
    -------
    NoiseLine
        NaN where fewer than two levels are known.
    """
    if len(curve) < 2:
        return NoiseLine(float("nan"), float("nan"))
    errors = curve["variance"].to_numpy(dtype=np.float64) / np.sqrt(curve["n_pixels"].to_numpy(dtype=np.float64))
    weights = 1 / np.maximum(errors, np.finfo(np.float64).tiny)
    gain, constant = np.polyfit(curve["level"].to_numpy(), curve["variance"].to_numpy(), 1, w=weights / weights.max())
    return NoiseLine(float(gain), float(constant))


def autocorrelate(series_nt: Floats, max_lag: int) -> Floats:
    """Autocorrelation of series, one a row: the usual estimate, whose sums at every lag are held against lag 0.

    Parameters
    ----------
    series_nt : ndarray, shape (N, T)
        Series; NaN where nothing was measured. Only pairs with both values known enter a sum.
    max_lag : int
        Largest lag, in frames.

    Returns
    -------
    ndarray, shape (N, max_lag + 1)
        1 at lag 0; NaN for a series that does not change, and at lags that no pair has.

    Notes
    -----
    A series' own mean is subtracted, which pulls the values of short series down by about (1 + 2 * sum of the true
    values) / T. Only series of one length may be compared.

    Examples
    --------
    >>> autocorrelate(np.array([[1.0, 2.0, 3.0, 4.0]]), 2).tolist()
    [[1.0, 0.25, -0.3]]
    """
    known_nt = ~np.isnan(series_nt)
    n_known = known_nt.sum(axis=1, keepdims=True)
    means = np.where(known_nt, series_nt, 0.0).sum(axis=1, keepdims=True) / np.maximum(n_known, 1)
    off_nt = np.where(known_nt, series_nt - means, 0.0)
    n_frames = series_nt.shape[1]
    result = np.full((len(series_nt), max_lag + 1), np.nan)
    squares = (off_nt**2).sum(axis=1)
    for lag in range(min(max_lag, n_frames - 1) + 1):
        early, late = slice(0, n_frames - lag), slice(lag, n_frames)
        has_pair = (known_nt[:, early] & known_nt[:, late]).any(axis=1)
        sums = (off_nt[:, early] * off_nt[:, late]).sum(axis=1)
        np.divide(sums, squares, out=result[:, lag], where=has_pair & (squares > 0))
    return result


def correlate_frames(frames_tyx: NDArray[Any], max_lag: int, region_px: int) -> Floats:
    """Correlate frames with later ones, region by region: how long a picture stays like itself.

    It needs no tracks, and few frames. Each frame is averaged over squares, so that noise counts little, and loses its
    broad background (a surface of second order, fitted to the squares), so that uneven light, which never moves, does
    not count as likeness.

    Parameters
    ----------
    frames_tyx : ndarray, shape (T, Y, X)
        Frames.
    max_lag : int
        Largest lag, in frames.
    region_px : int
        Side of the squares, px; what is left over at the end of a row or column is cut off.

    Returns
    -------
    ndarray, shape (max_lag + 1,)
        Mean Pearson correlation of frames so many frames apart; NaN where there are none, or a frame is even.

    Raises
    ------
    InputError
        If the array is not of three axes, holds no frame, or frames are smaller than a square.
    """
    _check_frames(frames_tyx, smallest_px=region_px)
    off_tn = _flatten_light(_average_regions(frames_tyx, region_px))
    spread = off_tn.std(axis=1, keepdims=True)
    scores_tn = np.divide(off_tn, spread, out=np.full_like(off_tn, np.nan), where=spread > _EVEN)
    result = np.full(max_lag + 1, np.nan)
    n_frames = len(frames_tyx)
    for lag in range(min(max_lag, n_frames - 1) + 1):
        result[lag] = (scores_tn[: n_frames - lag] * scores_tn[lag:]).mean(axis=1).mean()
    return result


def _respond(frame_yx: Floats) -> tuple[Floats, Floats]:
    """Mean of every patch of 3 x 3 pixels, and the squared response of the difference operator; both flat."""
    outer, middle, _ = _SECOND_DIFFERENCE
    rows = (frame_yx[:-2], frame_yx[1:-1], frame_yx[2:])
    summed, differed = rows[0] + rows[1] + rows[2], outer * (rows[0] + rows[2]) + middle * rows[1]
    mean = (summed[:, :-2] + summed[:, 1:-1] + summed[:, 2:]) / 9
    response = outer * (differed[:, :-2] + differed[:, 2:]) + middle * differed[:, 1:-1]
    return mean.ravel(), (response**2).ravel()


def _average_regions(frames_tyx: NDArray[Any], region_px: int) -> Floats:
    """Means over squares, (T, rows, columns)."""
    rows, columns = (size // region_px for size in frames_tyx.shape[1:])
    cut_tyx = frames_tyx[:, : rows * region_px, : columns * region_px]
    squares = cut_tyx.reshape(len(frames_tyx), rows, region_px, columns, region_px)
    means: Floats = squares.mean(axis=(2, 4), dtype=np.float64)
    return means


def _flatten_light(regions_tyx: Floats) -> Floats:
    """Subtract from every frame the surface of second order that fits it best; flat frames, (T, regions)."""
    _, rows, columns = regions_tyx.shape
    y, x = np.meshgrid(np.linspace(-1, 1, rows), np.linspace(-1, 1, columns), indexing="ij")
    surface_nk = np.stack([np.ones_like(y), y, x, y * y, y * x, x * x], axis=-1).reshape(-1, 6)
    values_nt = regions_tyx.reshape(len(regions_tyx), -1).T
    weights_kt = np.linalg.lstsq(surface_nk, values_nt, rcond=None)[0]
    left_tn: Floats = (values_nt - surface_nk @ weights_kt).T
    return left_tn


def _check_frames(frames_tyx: NDArray[Any], smallest_px: int) -> None:
    if frames_tyx.ndim != 3 or len(frames_tyx) == 0 or min(frames_tyx.shape[1:]) < smallest_px:
        raise InputError(
            f"The frames have shape {frames_tyx.shape}, but at least one frame, of {smallest_px} x {smallest_px} px or "
            "more, was expected as (T, Y, X); give frames of one channel."
        )
