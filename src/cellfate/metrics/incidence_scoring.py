"""Scores of incidence forecasts: every predictor, event and horizon, overall and in each dose, censoring weighed in.

An event is scored against everything else that is known by the horizon: no event yet, and the other event, which will
keep this one from happening.
"""

import warnings
from collections.abc import Iterator
from typing import Final, NamedTuple

import numpy as np
import pandas as pd

from cellfate.cohort.settings import FollowUpSettings
from cellfate.core.tables import EVERYTHING, IncidenceMetrics
from cellfate.metrics.incidence_forecasts import IncidenceForecasts, read_incidence
from cellfate.metrics.settings import ScoreSettings
from cellfate.statistics import scores as score
from cellfate.statistics.bootstrap import FloatArray, IntArray, draw_groups, number_groups, summarise
from cellfate.statistics.calibration_slope import calibration_slope

COMPARED_METRICS: Final = ("auroc", "average_precision", "brier")
_SHOWN_UNDEFINED: Final = 6


class KnownLandmarks(NamedTuple):
    """Landmarks whose outcome is known by one horizon, with the forecasts of one predictor."""

    incidence_ne: FloatArray
    event_n: IntArray
    """0: no event by the horizon; else the number of the event."""
    weights_n: FloatArray
    groups_n: IntArray
    cells_n: IntArray

    @property
    def n_groups(self) -> int:
        """Number of groups among them."""
        return int(self.groups_n.max()) + 1 if len(self.groups_n) else 0


def score_incidence(
    incidence: pd.DataFrame,
    reference_incidence: pd.DataFrame,
    landmarks: pd.DataFrame,
    follow_up: FollowUpSettings,
    scores: ScoreSettings,
) -> pd.DataFrame:
    """Score the forecasts of all predictors at every horizon that is reported.

    Parameters
    ----------
    incidence, reference_incidence
        Tables `Incidence`; the test parts are scored.
    landmarks
        Table `Landmarks`.
    follow_up
        Events, and the horizons that are reported.
    scores
        Resamples, confidence, bins, seed.

    Returns
    -------
    DataFrame
        Table `IncidenceMetrics`: `auroc`, `average_precision`, `brier` (0 to 1), `calibration_slope` and
        `calibration_error` of each event, over all doses and within each. Undefined scores are NaN, and one warning
        names them.

    Notes
    -----
    Landmarks are weighted by the inverse probability of being known (`censoring.list_outcomes`). The weights are those
    of the data as they are, of the dose's own landmarks within a dose: resamples draw groups with their weights and do
    not estimate them again, so that intervals leave out what the weights themselves are unsure of.
    AUROC is the cumulative, dynamic one; with competing events both kinds of those without the event are its controls
    (Blanche et al., Statist. Med. 32, 5381 (2013)).
    """
    rows = [
        row
        for forecasts in read_incidence(incidence, reference_incidence, landmarks, follow_up)
        for row in _rows(forecasts, scores)
    ]
    table = pd.DataFrame(rows, columns=list(IncidenceMetrics.to_schema().columns))
    _warn_of_undefined(table)
    return table


def select_known(forecasts: IncidenceForecasts, horizon: int) -> KnownLandmarks:
    """Landmarks whose outcome is known by a horizon, weighted; groups are numbered anew."""
    outcomes = forecasts.outcomes(forecasts.horizons_h[horizon])
    known = outcomes.known_n
    return KnownLandmarks(
        incidence_ne=forecasts.incidence_nhe[known, horizon],
        event_n=outcomes.event_n[known],
        weights_n=outcomes.weights_n[known],
        groups_n=number_groups(forecasts.groups_n[known]),
        cells_n=forecasts.cells_n[known],
    )


def draw_known(known: KnownLandmarks, scores: ScoreSettings) -> FloatArray:
    """Draw groups of these landmarks; see `draw_groups`. Without a landmark, nothing is drawn."""
    if not known.n_groups:
        return np.ones((1 + scores.n_resamples, 0))
    return draw_groups(known.n_groups, scores.n_resamples, scores.seed)


def compute_compared(known: KnownLandmarks, event: int, counts_rg: FloatArray) -> dict[str, FloatArray]:
    """Scores that predictors are compared by, of the event at a position, one value a row of counts."""
    of_event = (known.incidence_ne[:, event], known.event_n == event + 1, known.groups_n, counts_rg, known.weights_n)
    auroc, average_precision = score.auroc_and_average_precision(*of_event)
    values = (auroc, average_precision, score.binary_brier(*of_event))
    return dict(zip(COMPARED_METRICS, values, strict=True))


def _compute_calibration(
    known: KnownLandmarks, event: int, counts_rg: FloatArray, n_bins: int
) -> dict[str, FloatArray]:
    p, happened = known.incidence_ne[:, event], known.event_n == event + 1
    slope = calibration_slope(p, happened, known.groups_n, counts_rg, known.weights_n)
    error = score.calibration_error(p, happened, known.groups_n, counts_rg, n_bins, known.weights_n)
    return {"calibration_slope": slope, "calibration_error": error}


def _rows(forecasts: IncidenceForecasts, settings: ScoreSettings) -> Iterator[dict[str, object]]:
    """Rows of one predictor: overall, then each dose."""
    doses = sorted(set(forecasts.dose_n))
    selections = [(EVERYTHING, forecasts)]
    if len(doses) > 1:
        selections += [(dose, forecasts.select(forecasts.dose_n == dose)) for dose in doses]
    for condition, selected in selections:
        for horizon, within_h in enumerate(selected.horizons_h):
            known = select_known(selected, horizon)
            counts_rg = draw_known(known, settings)
            for event, name in enumerate(selected.events):
                values = compute_compared(known, event, counts_rg)
                values |= _compute_calibration(known, event, counts_rg, settings.calibration_bins)
                about = {"predictor": selected.predictor, "outcome": name, "condition": condition, "within_h": within_h}
                yield from ({**about, **row} for row in _tidy(known, event, values, settings))


def _tidy(
    known: KnownLandmarks, event: int, values: dict[str, FloatArray], settings: ScoreSettings
) -> Iterator[dict[str, object]]:
    for metric, values_r in values.items():
        yield {
            "metric": metric,
            **summarise(values_r, settings.confidence, known.n_groups)._asdict(),
            "n_cells": len(np.unique(known.cells_n)),
            "n_samples": len(known.event_n),
            "n_events": int((known.event_n == event + 1).sum()),
            "n_groups": known.n_groups,
        }


def _warn_of_undefined(table: pd.DataFrame) -> None:
    undefined = table[table["estimate"].isna()]
    # A forecast that is the same everywhere has no slope: that is no surprise, and so it is named last.
    undefined = undefined.sort_values("metric", key=lambda metric: metric == "calibration_slope", kind="stable")
    if undefined.empty:
        return
    names = [
        f"{r.metric} of {r.outcome} within {r.within_h:g} h ({r.predictor}, {r.condition})"
        for r in undefined.itertuples()
    ]
    more = f" and {len(names) - _SHOWN_UNDEFINED} more" if len(names) > _SHOWN_UNDEFINED else ""
    warnings.warn(
        f"{len(names)} scores of incidence are undefined and stay NaN: {'; '.join(names[:_SHOWN_UNDEFINED])}{more}.",
        stacklevel=3,
    )
