"""Reliability of incidence: whether of landmarks forecast at 70 % within 5 h, 70 % see the event within 5 h."""

import numpy as np
import pandas as pd

from cellfate.cohort.settings import FollowUpSettings
from cellfate.core.tables import IncidenceCalibration
from cellfate.metrics.incidence_forecasts import IncidenceForecasts, read_incidence
from cellfate.metrics.settings import ScoreSettings
from cellfate.statistics.aalen_johansen import resample_incidence
from cellfate.statistics.bootstrap import FloatArray, IntArray, draw_groups, summarise
from cellfate.statistics.scores import equal_mass_bins


def calibrate_incidence(
    incidence: pd.DataFrame,
    reference_incidence: pd.DataFrame,
    landmarks: pd.DataFrame,
    follow_up: FollowUpSettings,
    scores: ScoreSettings,
) -> pd.DataFrame:
    """Forecast against observed incidence, over bins of equal mass of the forecast.

    Parameters
    ----------
    incidence, reference_incidence
        Tables `Incidence`; the test parts are used.
    landmarks
        Table `Landmarks`; those are used whose recording goes on up to the horizon.
    follow_up
        Events, and the horizons that are reported.
    scores
        Bins, resamples, confidence, seed.

    Returns
    -------
    DataFrame
        Table `IncidenceCalibration`: one row a predictor, event, horizon and bin, ascending from 0. The observed share
        is the Aalen-Johansen estimate at the horizon over the landmarks of the bin, so that lost cells count as long
        as they were watched. Equal forecasts share a bin, so there may be fewer bins than asked for. Resamples keep the
        bins.
    """
    rows: list[dict[str, object]] = []
    for forecasts in read_incidence(incidence, reference_incidence, landmarks, follow_up):
        for horizon, within_h in enumerate(forecasts.horizons_h):
            scored = forecasts.select(forecasts.outcomes(within_h).scored_n)
            if not scored.n_groups:
                continue
            counts_rg = draw_groups(scored.n_groups, scores.n_resamples, scores.seed)
            for event in range(len(scored.events)):
                rows += _reliability(scored, horizon, event, counts_rg, scores)
    return pd.DataFrame(rows, columns=list(IncidenceCalibration.to_schema().columns))


def _reliability(
    forecasts: IncidenceForecasts, horizon: int, event: int, counts_rg: FloatArray, settings: ScoreSettings
) -> list[dict[str, object]]:
    """Rows of one event and horizon."""
    probability_n = forecasts.incidence_nhe[:, horizon, event]
    bins_n = equal_mass_bins(probability_n, settings.calibration_bins)
    return [
        {
            "predictor": forecasts.predictor,
            "outcome": forecasts.events[event],
            "within_h": forecasts.horizons_h[horizon],
            "bin": b,
            "mean_probability": float(probability_n[bins_n == b].mean()),
            **_observe(forecasts, horizon, event, np.flatnonzero(bins_n == b), counts_rg, settings),
        }
        for b in range(int(bins_n.max()) + 1)
    ]


def _observe(
    forecasts: IncidenceForecasts,
    horizon: int,
    event: int,
    places_m: IntArray,
    counts_rg: FloatArray,
    settings: ScoreSettings,
) -> dict[str, object]:
    """Observed incidence of some landmarks."""
    groups_m = forecasts.groups_n[places_m]
    n_groups = len(np.unique(groups_m))
    incidence_rme = resample_incidence(
        forecasts.time_n[places_m],
        forecasts.event_n[places_m],
        len(forecasts.events),
        groups_m,
        counts_rg,
        [forecasts.horizons_h[horizon]],
    )
    observed, low, high = summarise(incidence_rme[:, 0, event], settings.confidence, n_groups)
    return {"observed": observed, "low": low, "high": high, "n_samples": len(places_m), "n_groups": n_groups}
