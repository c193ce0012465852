"""Reliability: whether what is forecast at 70 % comes at 70 of 100 landmarks."""

import numpy as np
import pandas as pd

from cellfate.cohort.settings import FollowUpSettings
from cellfate.core.tables import Calibration
from cellfate.metrics.forecasts import Asked, read_forecasts
from cellfate.metrics.settings import ScoreSettings
from cellfate.statistics.aalen_johansen import standardised_incidence
from cellfate.statistics.bootstrap import BoolArray, FloatArray, draw_groups, summarise
from cellfate.statistics.scores import equal_mass_bins


def calibrate_forecasts(
    forecasts: pd.DataFrame, landmarks: pd.DataFrame, follow_up: FollowUpSettings, scores: ScoreSettings
) -> pd.DataFrame:
    """Forecast against observed share, over bins of equal mass of the forecast.

    Parameters
    ----------
    forecasts, landmarks, follow_up, scores
        As of `scoring.score_forecasts`.

    Returns
    -------
    DataFrame
        Table `Calibration`: one row a predictor, question, event and bin, ascending from 0. The observed share is the
        Aalen-Johansen estimate over the landmarks of the bin, standardised over doses that lost many cells, so that
        lost cells count as long as they were watched; where nothing is lost it is the share. Equal forecasts share a
        bin, so there may be fewer bins than asked for. Resamples keep the bins. A bin has no interval where the event
        was seen in fewer than two groups of it.

    Notes
    -----
    Predictors that are trained on balanced classes forecast a rare outcome too often; that shows here, and in the Brier
    score, but not in scores of ranks.
    """
    rows: list[dict[str, object]] = []
    for asked in read_forecasts(forecasts, landmarks, follow_up):
        counts_rg = draw_groups(asked.n_groups, scores.n_resamples, scores.seed)
        for event in asked.events if asked.n_groups else ():
            rows += _reliability(asked, event, counts_rg, scores)
    return pd.DataFrame(rows, columns=list(Calibration.to_schema().columns))


def _reliability(asked: Asked, event: str, counts_rg: FloatArray, settings: ScoreSettings) -> list[dict[str, object]]:
    """Rows of one event."""
    probability_n = asked.probabilities_nk[:, asked.position(event)]
    bins_n = equal_mass_bins(probability_n, settings.calibration_bins)
    return [
        {
            "predictor": asked.predictor,
            "within_h": asked.within_h,
            "outcome": event,
            "bin": b,
            "mean_probability": float(probability_n[bins_n == b].mean()),
            **_observe(asked, event, bins_n == b, counts_rg, settings),
        }
        for b in range(int(bins_n.max()) + 1)
    ]


def _observe(
    asked: Asked, event: str, in_bin_n: BoolArray, counts_rg: FloatArray, settings: ScoreSettings
) -> dict[str, object]:
    """Observed share of some landmarks."""
    groups_m = asked.groups_n[in_bin_n]
    n_groups = len(np.unique(groups_m))
    of_bin = (asked.time_n[in_bin_n], asked.event_n[in_bin_n], asked.n_events, [asked.horizon_h])
    incidence_rme = standardised_incidence(*of_bin, asked.strata_n[in_bin_n], groups_m, counts_rg)
    place = asked.position(event)
    n_event_groups = len(np.unique(groups_m[asked.truth_n[in_bin_n] == place]))
    observed, low, high = summarise(incidence_rme[:, 0, place], settings.confidence, n_event_groups)
    return {"observed": observed, "low": low, "high": high, "n_landmarks": int(in_bin_n.sum()), "n_groups": n_groups}
