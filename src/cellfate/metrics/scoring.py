"""Score tables: every predictor, overall, in each dose and within doses, with clustered intervals."""

import warnings
from collections.abc import Iterator

import numpy as np
import pandas as pd

from cellfate.core.predictors import MODEL
from cellfate.core.tables import EVERYTHING, WITHIN_DOSES, Metrics
from cellfate.metrics.forecasts import Forecasts, read_forecasts
from cellfate.metrics.settings import ScoreSettings
from cellfate.statistics import scores as score
from cellfate.statistics.bootstrap import FloatArray, IntArray, draw_groups, summarise

Key = tuple[str, str]
"""Metric and outcome; the outcome is `all` for scores of no single class."""

_WITHIN_DOSES_METRICS = ("balanced_accuracy", "auroc")


def score_predictions(
    predictions: pd.DataFrame, baseline_predictions: pd.DataFrame, samples: pd.DataFrame, scores: ScoreSettings
) -> pd.DataFrame:
    """Score the model and the baselines on the same test samples.

    Parameters
    ----------
    predictions, baseline_predictions
        Tables `Predictions`; only the test parts are scored, validation parts choose the tuned thresholds.
    samples
        Table `Samples`.
    scores
        Resamples, confidence, bins, seed.

    Returns
    -------
    DataFrame
        Table `Metrics`. Scores of calls are at the threshold .5 (of more than two outcomes: the likeliest); names that
        end in `_tuned` are at the threshold chosen on validation. In rows of one outcome `n_samples` counts the
        samples that truly had it. Undefined scores are NaN, and one warning names them.
    """
    forecasts = read_forecasts(stack_tables(predictions, baseline_predictions), samples)
    table = pd.DataFrame(
        [row for forecast in forecasts for row in _rows(forecast, scores)], columns=list(Metrics.to_schema().columns)
    )
    _warn_of_undefined(table)
    return table


def score_inference(predictions: pd.DataFrame, samples: pd.DataFrame, scores: ScoreSettings) -> pd.DataFrame:
    """Score forecasts of new recordings where fates are known.

    Parameters
    ----------
    predictions
        `sample_id` and one probability column an outcome.
    samples
        Table `Samples`; samples without an outcome are left out.
    scores
        Resamples, confidence, bins, seed.

    Returns
    -------
    DataFrame
        Table `Metrics`; without rows where no fate is known.
    """
    known = samples.dropna(subset=["outcome"])
    tested = predictions[predictions["sample_id"].isin(known["sample_id"])].assign(part="test", fold=0)
    if "predictor" not in tested:
        tested = tested.assign(predictor=MODEL)
    return score_predictions(tested, tested.iloc[:0], known, scores)


def compute_scores(forecasts: Forecasts, counts_rg: FloatArray, n_bins: int) -> dict[Key, FloatArray]:
    """All scores of one predictor for every row of group counts.

    Parameters
    ----------
    forecasts
        The tested samples.
    counts_rg
        From `bootstrap.draw_groups`.
    n_bins
        Bins of the calibration error.

    Returns
    -------
    dict
        (metric, outcome) -> values, one a row of counts.
    """
    values = dict(_call_scores(forecasts, forecasts.calls(), counts_rg, ""))
    if forecasts.tuned_n is not None:
        values |= dict(_call_scores(forecasts, forecasts.calls(forecasts.tuned_n), counts_rg, "_tuned"))
        if np.isnan(forecasts.tuned_n).any():
            values = {key: v * np.nan if key[0].endswith("_tuned") else v for key, v in values.items()}
    return values | dict(_probability_scores(forecasts, counts_rg, n_bins))


def _call_scores(
    forecasts: Forecasts, calls_n: IntArray, counts_rg: FloatArray, suffix: str
) -> Iterator[tuple[Key, FloatArray]]:
    """Scores of calls."""
    confusion = score.count_confusion(
        forecasts.truth_n, calls_n, forecasts.groups_n, counts_rg, len(forecasts.outcomes)
    )
    yield (f"balanced_accuracy{suffix}", EVERYTHING), score.balanced_accuracy(confusion)
    yield (f"macro_f1{suffix}", EVERYTHING), score.macro_f1(confusion)
    yield (f"matthews{suffix}", EVERYTHING), score.matthews(confusion)
    for name, function in (("recall", score.recall), ("precision", score.precision), ("f1", score.f1)):
        by_outcome = function(confusion)
        for position, outcome in enumerate(forecasts.outcomes):
            yield (f"{name}{suffix}", outcome), by_outcome[:, position]


def _probability_scores(forecasts: Forecasts, counts_rg: FloatArray, n_bins: int) -> Iterator[tuple[Key, FloatArray]]:
    """Scores of probabilities. Scores of one outcome are one against the rest; `all` is their mean."""
    truth, probabilities, groups = forecasts.truth_n, forecasts.probabilities_nk, forecasts.groups_n
    yield ("brier", EVERYTHING), score.brier(truth, probabilities, groups, counts_rg)
    yield ("log_loss", EVERYTHING), score.log_loss(truth, probabilities, groups, counts_rg)
    # Of two outcomes the second mirrors the first in both of these, so one is computed.
    scored = range(1 if len(forecasts.outcomes) == 2 else len(forecasts.outcomes))
    aurocs = [score.auroc(probabilities[:, k], truth == k, groups, counts_rg) for k in scored]
    errors = [score.calibration_error(probabilities[:, k], truth == k, groups, counts_rg, n_bins) for k in scored]
    yield ("auroc", EVERYTHING), np.mean(aurocs, axis=0)
    yield ("calibration_error", EVERYTHING), np.mean(errors, axis=0)
    precisions = [
        score.average_precision(probabilities[:, k], truth == k, groups, counts_rg)
        for k in range(len(forecasts.outcomes))
    ]
    yield ("average_precision", EVERYTHING), np.mean(precisions, axis=0)
    for outcome, values in zip(forecasts.outcomes, precisions, strict=True):
        yield ("average_precision", outcome), values


def _rows(forecasts: Forecasts, settings: ScoreSettings) -> Iterator[dict[str, object]]:
    """Rows of one predictor: overall, each dose, within doses."""
    conditions = {EVERYTHING: np.ones(len(forecasts.truth_n), dtype=bool)}
    doses = sorted(set(forecasts.dose_n))
    if len(doses) > 1:
        conditions |= {dose: forecasts.dose_n == dose for dose in doses}
    for condition, kept_n in conditions.items():
        selected = forecasts.select(kept_n)
        counts_rg = draw_groups(selected.n_groups, settings.n_resamples, settings.seed)
        values = compute_scores(selected, counts_rg, settings.calibration_bins)
        yield from _tidy(selected, condition, values, settings)
    if len(doses) > 1:
        counts_rg = draw_groups(forecasts.n_groups, settings.n_resamples, settings.seed)
        yield from _tidy(forecasts, WITHIN_DOSES, score_within_doses(forecasts, counts_rg), settings)


def score_within_doses(forecasts: Forecasts, counts_rg: FloatArray) -> dict[Key, FloatArray]:
    """Scores among samples of the same dose, averaged over doses.

    Doses that lack an outcome (in a resample: lack it there) have no weight. A predictor that knows only the dose
    scores .5 here.

    Returns
    -------
    dict
        (metric, `all`) -> values, one a row of counts.
    """
    k = len(forecasts.outcomes)
    weighted: dict[Key, FloatArray] = {
        (metric, EVERYTHING): np.zeros(len(counts_rg)) for metric in _WITHIN_DOSES_METRICS
    }
    total = np.zeros(len(counts_rg))
    for dose in sorted(set(forecasts.dose_n)):
        kept = forecasts.dose_n == dose
        truth, groups, p = forecasts.truth_n[kept], forecasts.groups_n[kept], forecasts.probabilities_nk[kept]
        confusion = score.count_confusion(truth, forecasts.calls()[kept], groups, counts_rg, k)
        weight = confusion.sum(axis=2).min(axis=1)
        aurocs = [score.auroc(p[:, c], truth == c, groups, counts_rg) for c in range(1 if k == 2 else k)]
        values = {"balanced_accuracy": score.balanced_accuracy(confusion), "auroc": np.mean(aurocs, axis=0)}
        for metric, value in values.items():
            weighted[metric, EVERYTHING] += np.where(weight > 0, weight * value, 0)
        total += weight
    return {key: value / np.where(total > 0, total, np.nan) for key, value in weighted.items()}


def _tidy(
    forecasts: Forecasts, condition: str, values: dict[Key, FloatArray], settings: ScoreSettings
) -> Iterator[dict[str, object]]:
    for (metric, outcome), values_r in values.items():
        of_outcome = (
            np.ones(len(forecasts.truth_n), dtype=bool)
            if outcome == EVERYTHING
            else forecasts.truth_n == forecasts.outcomes.index(outcome)
        )
        yield {
            "predictor": forecasts.predictor,
            "metric": metric,
            "outcome": outcome,
            "condition": condition,
            **summarise(values_r, settings.confidence, forecasts.n_groups)._asdict(),
            "n_cells": len(np.unique(forecasts.cells_n[of_outcome])),
            "n_samples": int(of_outcome.sum()),
            "n_groups": len(np.unique(forecasts.groups_n[of_outcome])),
        }


def stack_tables(*tables: pd.DataFrame) -> pd.DataFrame:
    """Tables under each other, the empty ones left out (they would widen the types)."""
    filled = [table for table in tables if len(table)]
    return pd.concat(filled, ignore_index=True) if filled else tables[0]


def _warn_of_undefined(table: pd.DataFrame) -> None:
    undefined = table[table["estimate"].isna()]
    if undefined.empty:
        return
    names = [f"{r.metric} of {r.outcome} ({r.predictor}, {r.condition})" for r in undefined.itertuples()]
    more = f" and {len(names) - 6} more" if len(names) > 6 else ""
    warnings.warn(f"{len(names)} scores are undefined and stay NaN: {'; '.join(names[:6])}{more}.", stacklevel=3)
