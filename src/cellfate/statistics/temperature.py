"""Temperature: what log odds are divided by so that forecasts are as sure as they are right.

One number does not change ranks and is not easily fitted to chance; all the same it is used only if it helps on groups
that it was not fitted to (Guo et al., ICML 70, 1321 (2017)).

Array suffixes: n landmarks.
"""

from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cellfate.statistics.bootstrap import BoolArray, FloatArray
from cellfate.statistics.calibration_slope import calibration_slope
from cellfate.statistics.stacking import MOST_FOLDS

MOST: Final = 20.0
"""Largest temperature, and 1 over the smallest: where one threshold parts the classes there is no smallest."""


class Temperature(NamedTuple):
    """A temperature, and what it does to forecasts of groups that it was not fitted to.

    Attributes
    ----------
    temperature
        Fitted to all landmarks; NaN: it could not be.
    slope_before, slope_after
        Calibration slope; NaN where it is not defined.
    log_loss_before, log_loss_after
        Mean, in nats; NaN where no temperature was fitted.
    reason
        Why it is not to be used; empty: it is.
    """

    temperature: float
    slope_before: float
    slope_after: float
    log_loss_before: float
    log_loss_after: float
    reason: str


def choose_temperature(log_odds_n: FloatArray, happened_n: BoolArray, groups_n: NDArray[Any]) -> Temperature:
    """Fit a temperature, and say whether it is worth using.

    Parameters
    ----------
    log_odds_n
        Of landmarks that the model was not fitted to.
    happened_n
        Whether it happened.
    groups_n
        Group of each landmark.

    Returns
    -------
    Temperature
        Slope and log loss after it are of at most `MOST_FOLDS` inner folds: each whole group is scored by a temperature
        that was fitted without it. The reason is empty where the slope comes nearer to 1 and log loss does not rise.
    """
    from sklearn.model_selection import GroupKFold

    n_groups = len(np.unique(groups_n))
    if n_groups < 2:
        return _not_fitted(f"it takes two groups, and there {'is one' if n_groups else 'is none'}")
    folds = list(GroupKFold(min(MOST_FOLDS, n_groups)).split(log_odds_n, groups=groups_n))
    if any(len(np.unique(happened_n[others])) < 2 for others, _ in folds):
        return _not_fitted("one of the two outcomes is absent, or in too few groups to leave some out")
    after_n = np.zeros_like(log_odds_n)
    for others, held_out in folds:
        after_n[held_out] = log_odds_n[held_out] / fit_temperature(log_odds_n[others], happened_n[others])
    slope_before, loss_before = _judge(log_odds_n, happened_n)
    slope_after, loss_after = _judge(after_n, happened_n)
    return Temperature(
        fit_temperature(log_odds_n, happened_n),
        slope_before,
        slope_after,
        loss_before,
        loss_after,
        _argue(slope_before, slope_after, loss_before, loss_after),
    )


def fit_temperature(log_odds_n: FloatArray, happened_n: BoolArray) -> float:
    """Find the temperature of the largest likelihood, between 1 / `MOST` and `MOST`; both outcomes are there.

    Examples
    --------
    >>> round(fit_temperature(np.full(4, 2 * np.log(3)), np.array([True, True, True, False])), 6)
    2.0
    """
    from scipy.optimize import brentq
    from scipy.special import expit

    def slope_of_loss(sharpness: float) -> float:  # rises: log loss is convex in 1 / temperature
        return float(log_odds_n @ (expit(sharpness * log_odds_n) - happened_n))

    if slope_of_loss(1 / MOST) >= 0:
        return MOST
    if slope_of_loss(MOST) <= 0:
        return 1 / MOST
    return 1 / float(brentq(slope_of_loss, 1 / MOST, MOST, xtol=1e-10))


def _judge(log_odds_n: FloatArray, happened_n: BoolArray) -> tuple[float, float]:
    """Calibration slope and log loss."""
    from scipy.special import expit

    together_n, once = np.zeros(len(log_odds_n), dtype=np.int64), np.ones((1, 1))
    slope = calibration_slope(expit(log_odds_n), happened_n, together_n, once)[0]
    return float(slope), float((np.logaddexp(0, log_odds_n) - happened_n * log_odds_n).mean())


def _argue(slope_before: float, slope_after: float, loss_before: float, loss_after: float) -> str:
    """Say what speaks against a temperature; empty: nothing."""
    if not np.isfinite([slope_before, slope_after]).all():
        return "the calibration slope is not defined"
    against = [] if abs(slope_after - 1) < abs(slope_before - 1) else ["the calibration slope comes no nearer to 1"]
    against += ["log loss rises"] if loss_after > loss_before else []
    return " and ".join(against)


def _not_fitted(reason: str) -> Temperature:
    return Temperature(np.nan, np.nan, np.nan, np.nan, np.nan, reason)
