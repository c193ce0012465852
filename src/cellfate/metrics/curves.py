"""Operating curves: what every threshold would find, and what it would cost."""

from typing import Final

import numpy as np
import pandas as pd

from cellfate.cohort.settings import FollowUpSettings
from cellfate.core.tables import OperatingCurves
from cellfate.metrics.forecasts import Asked, read_forecasts

_MOST_POINTS: Final = 400


def trace_curves(forecasts: pd.DataFrame, landmarks: pd.DataFrame, follow_up: FollowUpSettings) -> pd.DataFrame:
    """Points of the ROC and precision-recall curves of every predictor, question and event.

    Parameters
    ----------
    forecasts, landmarks, follow_up
        As of `scoring.score_forecasts`.

    Returns
    -------
    DataFrame
        Table `OperatingCurves`: one row a predictor, question, `outcome` (against the rest) and `threshold`,
        descending: calling the outcome from this probability on gives this recall, false positive rate and precision,
        landmarks weighing as in the scores. The first row has threshold inf and calls nothing: its precision is NaN. At
        most 400 points a curve, evenly thinned; an event without positives or without negatives has no rows.
    """
    points = [
        _points(known, event)
        for known in (asked.known() for asked in read_forecasts(forecasts, landmarks, follow_up))
        for event in known.events
        if 0 < (known.truth_n == known.position(event)).sum() < len(known.truth_n)
    ]
    columns = list(OperatingCurves.to_schema().columns)
    return pd.concat(points, ignore_index=True)[columns] if points else pd.DataFrame(columns=columns)


def _points(known: Asked, event: str) -> pd.DataFrame:
    """Points of one curve."""
    place = known.position(event)
    probability_n, positive_n = known.probabilities_nk[:, place], known.truth_n == place
    order = np.argsort(-probability_n, kind="stable")
    ends = np.flatnonzero(np.diff(probability_n[order], append=-np.inf))
    # each is a sum of its own, so that none passes its last value by rounding
    found, wrong = (
        np.concatenate([[0.0], np.cumsum((known.weights_n * of_n)[order])[ends]]) for of_n in (positive_n, ~positive_n)
    )
    thresholds = np.concatenate([[np.inf], probability_n[order][ends]])
    kept = np.unique(np.linspace(0, len(found) - 1, min(_MOST_POINTS, len(found))).round().astype(int))
    called = found + wrong
    return pd.DataFrame(
        {
            "predictor": known.predictor,
            "within_h": known.within_h,
            "outcome": event,
            "threshold": thresholds[kept],
            "recall": found[kept] / found[-1],
            "false_positive_rate": (wrong / wrong[-1])[kept],
            "precision": (found / np.where(called > 0, called, np.nan))[kept],
            "n_positive": int(positive_n.sum()),
            "n_negative": int((~positive_n).sum()),
        }
    )
