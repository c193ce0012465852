"""How good the frames are: saturation, emptiness and focus, measured on frames spread over each recording.

Focus is 1 - C(2) / C(1), where C(d) is the covariance of pixels d apart, along rows and columns together. It rests on
Vollath's autofocus function F4 = sum I(x) I(x+1) - sum I(x) I(x+2) (Vollath 1987, J Microsc 147:279), which Sun,
Duthaler and Nelson 2004 (Microsc Res Tech 65:139) compare with 17 others. Neither lag holds the pixel's own noise, and
dividing by C(1) takes out brightness and camera offset, so that a lamp that ages is no loss of focus.
"""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

_CEILINGS = tuple(2**bits - 1 for bits in (8, 10, 12, 14, 16))
"""Largest values of cameras of 8 to 16 bits, however wide the file's pixels are."""
_CERTAIN = 5.0
"""Standard errors from where on something is not taken for chance."""
_TAILS = (0.1, 99.9)
"""Percentiles of a frame between which its pixels spread: a dead or hot pixel does not count."""


def choose_frames(n_frames: int, image_frames: int | None) -> list[int]:
    """Choose frames to look at, spread evenly from the first to the last.

    Examples
    --------
    >>> choose_frames(9, 3)
    [0, 4, 8]
    """
    if image_frames is None or image_frames >= n_frames:
        return list(range(n_frames))
    return sorted({int(place) for place in np.linspace(0, n_frames - 1, image_frames).round()})


def measure_frame(image_cyx: NDArray[Any], channels: tuple[str, ...]) -> pd.DataFrame:
    """Measure one frame (C, Y, X) on the camera's scale, channel by channel.

    One row a channel: channel, spread, focus, not_finite_share, brightest (largest value), brightest_share (of pixels
    that have it), ceiling (bool: that value is where a camera ends, or pixels pile up on it).
    """
    rows = [_measure_plane(np.asarray(plane_yx)) for plane_yx in image_cyx]
    return pd.DataFrame(rows).assign(channel=list(channels))


def measure_focus(plane_yx: NDArray[np.floating]) -> float:
    """Sharpness of one channel of a frame (Y, X), from its covariance at one and at two pixels.

    About 0 for a smooth image, larger for a sharper one, whatever its brightness, offset and pixel noise. NaN where it
    is less than five standard errors of what pixel noise alone does to it, as in an empty frame, or where the image is
    smaller than 3 x 3.
    """
    if min(plane_yx.shape) < 3:
        return float("nan")
    about = plane_yx - plane_yx.mean()
    near, far = (_covariance(about, lag) for lag in (1, 2))
    if near <= 0:
        return float("nan")
    focus, error = 1 - far / near, _noise_error(float((about**2).mean()), near, 2 * about.size)
    return focus if focus > _CERTAIN * error else float("nan")


def gather_quality(measured: pd.DataFrame) -> pd.DataFrame:
    """Make the frame quality of measured frames, ordered by recording, channel and frame.

    A pixel is saturated when it has the largest value of its recording and channel, and that value is the end of a
    camera (of 8 to 16 bits, or of the pixel type), or more pixels of the frame have it than the next smaller value, by
    five standard errors of their difference. So 12-bit cameras, images with an offset and floats need no parameter.
    `measured` has recording_id, frame and the columns of `measure_frame`, of all frames looked at.
    """
    largest = measured.groupby(["recording_id", "channel"])["brightest"].transform("max")
    at_ceiling = (measured["brightest"] == largest) & measured["ceiling"]
    table = measured.assign(saturated_share=measured["brightest_share"].where(at_ceiling, 0.0))
    columns = ["recording_id", "frame", "channel", "saturated_share", "spread", "focus"]
    return table[columns].sort_values(["recording_id", "channel", "frame"], kind="stable", ignore_index=True)


def _measure_plane(plane_yx: NDArray[Any]) -> dict[str, float | bool]:
    finite = np.isfinite(plane_yx)
    missing = 1 - float(finite.mean())
    pixels = plane_yx[finite] if missing else plane_yx.ravel()
    if not pixels.size:
        nothing = {"spread": 0.0, "focus": float("nan"), "brightest": float("nan"), "brightest_share": 0.0}
        return {**nothing, "not_finite_share": missing, "ceiling": False}
    low, high = np.percentile(pixels, _TAILS)
    filled = np.where(finite, plane_yx, np.median(pixels)) if missing else plane_yx
    brightest, share, ceiling = _look_at_ceiling(pixels)
    return {
        "spread": float(high - low),
        "focus": measure_focus(filled.astype(np.float64)),
        "not_finite_share": missing,
        "brightest": brightest,
        "brightest_share": share,
        "ceiling": ceiling,
    }


def _look_at_ceiling(pixels: NDArray[Any]) -> tuple[float, float, bool]:
    brightest = pixels.max()
    at_top = pixels == brightest
    count = int(at_top.sum())
    if np.issubdtype(pixels.dtype, np.integer) and int(brightest) in (*_CEILINGS, int(np.iinfo(pixels.dtype).max)):
        return float(brightest), count / pixels.size, True
    below = pixels[~at_top]
    expected = int((below == below.max()).sum()) if below.size else count
    return float(brightest), count / pixels.size, count > expected + _CERTAIN * (expected + count) ** 0.5


def _covariance(about_yx: NDArray[np.floating], lag: int) -> float:
    """Mean product of pixels `lag` apart, along rows and along columns together."""
    across = about_yx[:, lag:] * about_yx[:, :-lag]
    down = about_yx[lag:] * about_yx[:-lag]
    return float((across.sum() + down.sum()) / (across.size + down.size))


def _noise_error(variance: float, near: float, n_pairs: int) -> float:
    """Estimate the standard error of the focus from pixel noise: what is not in C(1) is taken for it.

    Noise of variance v moves a covariance over n pairs by the root of (v^2 + 2 v C(1)) / n; two of them are compared.
    """
    noise = max(variance - near, 0.0)
    return float(np.sqrt(2 * noise * (noise + 2 * near) / n_pairs) / near)
