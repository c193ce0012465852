"""Why a score, or its interval, is not defined: a word for every NaN in the tables of scores."""

import numpy as np

from cellfate.core.tables import EVERYTHING
from cellfate.core.words import list_words, name_outcome
from cellfate.metrics.forecasts import Asked
from cellfate.statistics.bootstrap import Estimate

NOTHING_KNOWN = "no landmark has a known answer"
ONE_GROUP = "no interval: one group holds it all, or all of the outcome"
FEW_RESAMPLES = "no interval: not defined in over a tenth of the resamples"
ALL_EQUAL = "all forecasts are equal"
PARTED = "one threshold parts the outcome from the rest: the slope is infinite"
NEVER_FORECAST = "the outcome is forecast at 0 everywhere"
NO_THRESHOLD = "no threshold could be chosen on the validation part"


def reason_against(known: Asked, metric: str, outcome: str, found: Estimate) -> str | None:
    """Say why a score is not defined or, where it is, why its interval is not; None: both are.

    Parameters
    ----------
    known
        Landmarks whose answer is known, of one predictor.
    metric, outcome
        The score; the outcome is `all` where it is of no single one.
    found
        Its value and interval.
    """
    if np.isnan(found.estimate):
        return _lacking(known, outcome) or _reason_of(known, metric, outcome)
    if np.isnan(found.low):
        return ONE_GROUP if known.count_event_groups(outcome) < 2 else FEW_RESAMPLES
    return None


def _lacking(known: Asked, outcome: str) -> str | None:
    """Say which side of what is told apart has no landmark."""
    if not len(known.truth_n):
        return NOTHING_KNOWN
    if outcome == EVERYTHING:
        missing = [name for place, name in enumerate(known.outcomes) if not (known.truth_n == place).any()]
        return f"no landmark with {list_words(map(name_outcome, missing))}" if missing else None
    happened_n = known.truth_n == known.position(outcome)
    if happened_n.any() and not happened_n.all():
        return None
    return f"{'every' if happened_n.any() else 'no'} landmark with {name_outcome(outcome)}"


def _reason_of(known: Asked, metric: str, outcome: str) -> str:
    """Say what a score misses although both sides are there."""
    if metric.endswith("_tuned") and known.tuned_n is not None and np.isnan(known.tuned_n).any():
        return NO_THRESHOLD
    if metric == "observed_over_expected":
        return NEVER_FORECAST
    if metric.startswith("calibration"):
        return ALL_EQUAL if np.ptp(known.probabilities_nk[:, known.position(outcome)]) == 0 else PARTED
    return "only one outcome is called" if outcome == EVERYTHING else f"{name_outcome(outcome)} is never called"
