"""Operating curves: what every threshold would find, and what it would cost."""

from typing import Final

import numpy as np
import pandas as pd

from cellfate.core.tables import OperatingCurves
from cellfate.metrics.forecasts import Forecasts, read_forecasts
from cellfate.metrics.scoring import stack_tables

_MOST_POINTS: Final = 400


def trace_curves(predictions: pd.DataFrame, baseline_predictions: pd.DataFrame, samples: pd.DataFrame) -> pd.DataFrame:
    """Points of the ROC and precision-recall curves of every predictor and outcome.

    Parameters
    ----------
    predictions, baseline_predictions
        Tables `Predictions`; the test parts are used.
    samples
        Table `Samples`.

    Returns
    -------
    DataFrame
        Table `OperatingCurves`.
        One row a predictor, `outcome` (against the rest) and `threshold`, descending: calling the outcome from this
        probability on gives this recall, false positive rate and precision. The first row has threshold inf and
        calls nothing: its precision is NaN. At most 400 points a curve, evenly thinned; an outcome without positives or
        without negatives has no rows.
    """
    points = [
        _points(forecasts, position)
        for forecasts in read_forecasts(stack_tables(predictions, baseline_predictions), samples)
        for position in range(len(forecasts.outcomes))
        if 0 < (forecasts.truth_n == position).sum() < len(forecasts.truth_n)
    ]
    columns = list(OperatingCurves.to_schema().columns)
    return pd.concat(points, ignore_index=True)[columns] if points else pd.DataFrame(columns=columns)


def _points(forecasts: Forecasts, position: int) -> pd.DataFrame:
    """Points of one curve."""
    probability_n, positive_n = forecasts.probabilities_nk[:, position], forecasts.truth_n == position
    order = np.argsort(-probability_n, kind="stable")
    ends = np.flatnonzero(np.diff(probability_n[order], append=-np.inf))
    found = np.concatenate([[0], np.cumsum(positive_n[order])[ends]])
    called = np.concatenate([[0], ends + 1])
    thresholds = np.concatenate([[np.inf], probability_n[order][ends]])
    n_positive, n_negative = int(positive_n.sum()), int((~positive_n).sum())
    kept = np.unique(np.linspace(0, len(found) - 1, min(_MOST_POINTS, len(found))).round().astype(int))
    found, called = found[kept], called[kept]
    return pd.DataFrame(
        {
            "predictor": forecasts.predictor,
            "outcome": forecasts.outcomes[position],
            "threshold": thresholds[kept],
            "recall": found / n_positive,
            "false_positive_rate": (called - found) / n_negative,
            "precision": found / np.where(called > 0, called, np.nan),
            "n_positive": n_positive,
            "n_negative": n_negative,
        }
    )
