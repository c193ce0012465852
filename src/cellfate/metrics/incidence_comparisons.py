"""Paired differences between predictors of incidence."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from cellfate.cohort.settings import FollowUpSettings
from cellfate.core.errors import InputError
from cellfate.core.predictors import ENSEMBLE
from cellfate.core.tables import IncidenceComparisons
from cellfate.metrics.incidence_forecasts import IncidenceForecasts, read_incidence
from cellfate.metrics.incidence_scoring import COMPARED_METRICS, compute_compared, draw_known, select_known
from cellfate.metrics.settings import ScoreSettings
from cellfate.statistics.bootstrap import FloatArray, summarise

Values = dict[str, dict[str, FloatArray]]
"""Predictor -> metric -> one value a row of counts."""


def compare_incidence(
    incidence: pd.DataFrame,
    reference_incidence: pd.DataFrame,
    landmarks: pd.DataFrame,
    follow_up: FollowUpSettings,
    scores: ScoreSettings,
) -> pd.DataFrame:
    """Differences between the models and the references, on the same landmarks and the same resamples.

    Parameters
    ----------
    incidence, reference_incidence
        Tables `Incidence` of the models and of the references; the test parts are compared.
    landmarks
        Table `Landmarks`.
    follow_up
        Events, and the horizons that are reported.
    scores
        Resamples, confidence, seed.

    Returns
    -------
    DataFrame
        Table `IncidenceComparisons`: every predictor of `incidence` less every reference, and `ensemble` less every
        other predictor of `incidence`; AUROC, average precision and Brier of each event at each horizon.

    Raises
    ------
    InputError
        If the predictors did not forecast the same landmarks.
    """
    forecasts = read_incidence(incidence, reference_incidence, landmarks, follow_up)
    _check_same_landmarks(forecasts)
    pairs = _pairs(incidence, reference_incidence, {f.predictor for f in forecasts})
    rows: list[dict[str, object]] = []
    for horizon, within_h in enumerate(follow_up.report_h if pairs else ()):
        known = {f.predictor: select_known(f, horizon) for f in forecasts}
        first = next(iter(known.values()))
        counts_rg = draw_known(first, scores)
        about = {"within_h": within_h, "n_samples": len(first.event_n), "n_groups": first.n_groups}
        for event, name in enumerate(follow_up.events):
            values = {predictor: compute_compared(of, event, counts_rg) for predictor, of in known.items()}
            rows += [{**about, "outcome": name, **row} for row in _differences(pairs, values, scores, first.n_groups)]
    return pd.DataFrame(rows, columns=list(IncidenceComparisons.to_schema().columns))


def _pairs(incidence: pd.DataFrame, reference_incidence: pd.DataFrame, present: set[str]) -> list[tuple[str, str]]:
    """Predictor and reference of every comparison."""
    models, references = (
        [str(name) for name in table["predictor"].unique() if str(name) in present]
        for table in (incidence, reference_incidence)
    )
    within = [(ENSEMBLE, model) for model in models if model != ENSEMBLE] if ENSEMBLE in models else []
    return [(model, reference) for model in models for reference in references] + within


def _differences(
    pairs: list[tuple[str, str]], values: Values, settings: ScoreSettings, n_groups: int
) -> Iterator[dict[str, object]]:
    for metric in COMPARED_METRICS:
        for predictor, reference in pairs:
            difference_r = values[predictor][metric] - values[reference][metric]
            estimate = summarise(difference_r, settings.confidence, n_groups)
            yield {
                "predictor": predictor,
                "reference": reference,
                "metric": metric,
                "difference": estimate.estimate,
                "low": estimate.low,
                "high": estimate.high,
            }


def _check_same_landmarks(forecasts: list[IncidenceForecasts]) -> None:
    for other in forecasts[1:]:
        if not np.array_equal(other.sample_ids_n, forecasts[0].sample_ids_n):
            differing = sorted(set(other.sample_ids_n) ^ set(forecasts[0].sample_ids_n))
            raise InputError(
                f"{other.predictor!r} and {forecasts[0].predictor!r} forecast different landmarks ({differing[0]!r} is "
                f"one of {len(differing)}), expected the same; make both forecasts again from the same landmarks and "
                f"splits."
            )
