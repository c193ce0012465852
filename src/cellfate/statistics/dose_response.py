"""Log-logistic curves of a share against the dose.

Array suffixes: d doses, r resamples.
"""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from cellfate.statistics.bootstrap import FloatArray

LEAST_DOSES: Final = 4
"""Different doses, none included, that a curve is fitted to; of so many the slope is held at 1."""
STEEPEST: Final = 10.0
_BEYOND: Final = 10.0  # the half-way dose is looked for so many times below the lowest and above the highest dose


class Curve(NamedTuple):
    """Parameters of a log-logistic curve."""

    bottom: float
    """Share without a dose."""
    top: float
    """Share at the highest doses, of which the curve does not come any nearer; below `bottom` where it falls."""
    half_dose: float
    """Dose half-way between the two (EC50)."""
    slope: float


def log_logistic(dose_d: ArrayLike, curve: Curve) -> FloatArray:
    """Share at each dose, (d,).

    Examples
    --------
    >>> log_logistic([0.0, 2.0], Curve(0.1, 0.9, 2.0, 3.0)).tolist()
    [0.1, 0.5]
    """
    return _shape(np.asarray(dose_d, dtype=np.float64), np.array([*curve[:2], np.log(curve.half_dose), curve.slope]))


def fit_log_logistic(dose_d: FloatArray, share_rd: FloatArray, n_d: FloatArray) -> list[Curve]:
    """Fit a log-logistic curve to the shares of each resample by least squares, weighted by cells.

    Parameters
    ----------
    dose_d
        Different amounts, 0 for none, at least `LEAST_DOSES` of them; of so many the slope is 1, as four shares do not
        tell four parameters.
    share_rd
        Shares, 0 to 1, of each resample; the first row is the data, from whose fit all others start.
    n_d
        Cells at each dose.

    Returns
    -------
    list of Curve
        One a row; NaN where a share is. Shares stay within 0 and 1, the slope between .1 and `STEEPEST`, and the
        half-way dose within ten times the doses that were given.
    """
    given = np.log(dose_d[dose_d > 0])
    slopes = (0.1, STEEPEST) if len(dose_d) > LEAST_DOSES else (1 - 1e-6, 1 + 1e-6)
    bounds = (
        np.array([0.0, 0.0, given.min() - np.log(_BEYOND), slopes[0]]),
        np.array([1.0, 1.0, given.max() + np.log(_BEYOND), slopes[1]]),
    )
    lowest, highest = share_rd[0, dose_d.argmin()], share_rd[0, dose_d.argmax()]
    starts = [np.array([lowest, highest, half, 1.0]) for half in np.quantile(given, [0.2, 0.5, 0.8])]
    best = min((_fit(dose_d, share_rd[0], n_d, start, bounds) for start in starts), key=lambda found: found[1])[0]
    found = [best, *(_fit(dose_d, share_d, n_d, best, bounds)[0] for share_d in share_rd[1:])]
    return [Curve(float(bottom), float(top), float(np.exp(half)), float(slope)) for bottom, top, half, slope in found]


def _shape(dose_d: FloatArray, parameters: FloatArray) -> FloatArray:
    """Share at each dose, by bottom, top, logarithm of the half-way dose, and slope."""
    from scipy.special import expit

    bottom, top, half, slope = parameters
    with np.errstate(divide="ignore"):
        return np.asarray(bottom + (top - bottom) * expit(slope * (np.log(dose_d) - half)), dtype=np.float64)


def _fit(
    dose_d: FloatArray, share_d: FloatArray, n_d: FloatArray, start: FloatArray, bounds: tuple[FloatArray, FloatArray]
) -> tuple[FloatArray, float]:
    """Parameters of the curve, and what is left of the squares."""
    from scipy.optimize import least_squares

    if np.isnan(share_d).any():
        return np.full(4, np.nan), np.inf
    weight_d = np.sqrt(n_d / n_d.sum())
    inside = np.clip(start, bounds[0] + 1e-9, bounds[1] - 1e-9)
    found = least_squares(lambda p: weight_d * (_shape(dose_d, p) - share_d), inside, bounds=bounds)
    return np.asarray(found.x, dtype=np.float64), float(found.cost)
