"""Score tables: every predictor and question, overall, in each dose and within doses, with clustered intervals.

An event is scored against everything else that is known: no event in time, and the other event, which keeps this one
from happening.
"""

import warnings
from collections.abc import Iterator
from typing import Final

import numpy as np
import pandas as pd

from cellfate.cohort.settings import FollowUpSettings
from cellfate.core.tables import EVERYTHING, WITHIN_DOSES, Metrics
from cellfate.core.words import name_question
from cellfate.metrics.forecasts import Asked, read_forecasts
from cellfate.metrics.settings import ScoreSettings
from cellfate.metrics.undefined import reason_against
from cellfate.statistics import scores as score
from cellfate.statistics.bootstrap import FloatArray, IntArray, draw_groups, summarise
from cellfate.statistics.calibration_slope import calibration_intercept, calibration_slope

Key = tuple[str, str]
"""Metric and outcome; the outcome is `all` for scores of no single event."""
Values = dict[Key, FloatArray]
"""One value a row of group counts."""

_SHOWN_UNDEFINED: Final = 6
_OFTEN_UNDEFINED: Final = ("calibration_slope", "precision")  # a constant has no slope; a rare event is never called


def score_forecasts(
    forecasts: pd.DataFrame, landmarks: pd.DataFrame, follow_up: FollowUpSettings, scores: ScoreSettings
) -> pd.DataFrame:
    """Score all predictors on the test parts, for every question they answer.

    Parameters
    ----------
    forecasts, landmarks
        Tables `Forecasts` (validation parts choose the tuned thresholds) and `Landmarks`.
    follow_up, scores
        Events that are scored within hours, and the hours that are reported; resamples, confidence, bins, seed.

    Returns
    -------
    DataFrame
        Table `Metrics`. Calls are of the likeliest outcome; where one of two fates is asked for, names that end in
        `_tuned` are at the threshold chosen on validation. Undefined scores are NaN, and one warning names them.

    Notes
    -----
    Landmarks are weighted by the inverse probability of being known (`censoring.list_outcomes`), of a dose's own losses
    where it lost enough cells; the same weights hold over all doses and within one. They are those of the data as they
    are: resamples draw groups with their weights and do not estimate them again, so that intervals leave out what the
    weights themselves are unsure of.
    AUROC is the cumulative, dynamic one; with competing events both kinds of those without the event are its controls
    (Blanche et al., Statist. Med. 32, 5381 (2013)).
    """
    rows = [row for asked in read_forecasts(forecasts, landmarks, follow_up) for row in _rows(asked, scores)]
    table = pd.DataFrame(rows, columns=list(Metrics.to_schema().columns))
    _warn_of_undefined(table)
    return table


def compare_scores(known: Asked, counts_rg: FloatArray) -> Values:
    """Scores that predictors are compared by: of all outcomes, and of each event that is scored.

    Parameters
    ----------
    known
        Landmarks whose answer is known.
    counts_rg
        From `bootstrap.draw_groups`.
    """
    each = (known.groups_n, counts_rg, known.weights_n)
    confusion_rkk = _confusion(known, known.calls(), counts_rg)
    values: Values = {
        ("balanced_accuracy", EVERYTHING): score.balanced_accuracy(confusion_rkk),
        ("brier", EVERYTHING): score.brier(known.truth_n, known.probabilities_nk, *each),
    }
    for event in known.events:
        p_n, happened_n = known.probabilities_nk[:, known.position(event)], known.truth_n == known.position(event)
        auroc, average_precision = score.auroc_and_average_precision(p_n, happened_n, *each)
        values["auroc", event], values["average_precision", event] = auroc, average_precision
        # of an event that never comes, a small squared distance says nothing of skill
        told_apart = 1.0 if happened_n.any() and not happened_n.all() else np.nan
        values["brier", event] = score.binary_brier(p_n, happened_n, *each) * told_apart
    return values


def compute_scores(known: Asked, counts_rg: FloatArray, n_bins: int) -> Values:
    """All scores of one predictor and question; `n_bins`: of the calibration error."""
    values = dict(_call_scores(known, known.calls(), counts_rg, ""))
    if known.tuned_n is not None:
        undefined = np.nan if np.isnan(known.tuned_n).any() else 1.0
        tuned = _call_scores(known, known.tuned_calls(), counts_rg, "_tuned")
        values |= {key: value * undefined for key, value in tuned}
    values |= compare_scores(known, counts_rg)
    each = (known.groups_n, counts_rg, known.weights_n)
    values["log_loss", EVERYTHING] = score.log_loss(known.truth_n, known.probabilities_nk, *each)
    values |= score_transfer(known, counts_rg)
    for event in known.events:
        p_n, happened_n = known.probabilities_nk[:, known.position(event)], known.truth_n == known.position(event)
        values["calibration_intercept", event] = calibration_intercept(p_n, happened_n, *each)
        values["brier_skill", event] = score.brier_skill(p_n, happened_n, *each)
        both_sides = np.where(np.isnan(values["brier", event][0]), np.nan, 1.0)
        error_r = score.calibration_error(p_n, happened_n, known.groups_n, counts_rg, n_bins, known.weights_n)
        values["calibration_error", event] = error_r * both_sides
    return values


def score_transfer(known: Asked, counts_rg: FloatArray) -> Values:
    """Scores that say whether forecasts can be taken at their word: calibration slope, and observed over expected.

    Parameters
    ----------
    known, counts_rg
        As of `compare_scores`.
    """
    each, values = (known.groups_n, counts_rg, known.weights_n), {}
    for event in known.events:
        p_n, happened_n = known.probabilities_nk[:, known.position(event)], known.truth_n == known.position(event)
        both_sides = 1.0 if happened_n.any() and not happened_n.all() else np.nan
        values["calibration_slope", event] = calibration_slope(p_n, happened_n, *each)
        values["observed_over_expected", event] = score.observed_over_expected(p_n, happened_n, *each) * both_sides
    return values


def _confusion(known: Asked, calls_n: IntArray, counts_rg: FloatArray) -> FloatArray:
    k = len(known.outcomes)
    return score.count_confusion(known.truth_n, calls_n, known.groups_n, counts_rg, k, known.weights_n)


def _call_scores(
    known: Asked, calls_n: IntArray, counts_rg: FloatArray, suffix: str
) -> Iterator[tuple[Key, FloatArray]]:
    """Scores of calls."""
    confusion_rkk = _confusion(known, calls_n, counts_rg)
    for name, overall in (
        ("balanced_accuracy", score.balanced_accuracy), ("macro_f1", score.macro_f1), ("matthews", score.matthews),
    ):  # fmt: skip
        yield (f"{name}{suffix}", EVERYTHING), overall(confusion_rkk)
    for name, by_outcome in (("recall", score.recall), ("precision", score.precision), ("f1", score.f1)):
        values_rk = by_outcome(confusion_rkk)
        for event in known.events:
            yield (f"{name}{suffix}", event), values_rk[:, known.position(event)]


def _rows(asked: Asked, settings: ScoreSettings) -> Iterator[dict[str, object]]:
    """Rows of one predictor and question: overall, each dose, within doses."""
    doses = sorted(set(asked.dose_n))
    selections = [(EVERYTHING, asked)]
    if len(doses) > 1:
        selections += [(dose, asked.keep(asked.dose_n == dose)) for dose in doses]
    for condition, selected in selections:
        known = selected.known()
        counts_rg = draw_groups(known.n_groups, settings.n_resamples, settings.seed)
        values = compute_scores(known, counts_rg, settings.calibration_bins)
        yield from tidy_scores(known, condition, values, settings)
    if len(doses) > 1:
        known = asked.known()
        counts_rg = draw_groups(known.n_groups, settings.n_resamples, settings.seed)
        yield from tidy_scores(known, WITHIN_DOSES, score_within_doses(known, counts_rg), settings)


def score_within_doses(known: Asked, counts_rg: FloatArray) -> Values:
    """Balanced accuracy and AUROC among landmarks of the same dose, averaged over doses.

    Each dose counts as often as the rarer side of what is told apart there; one that lacks a side (in a resample: lacks
    it there) has no weight. A predictor that knows only the dose has an AUROC of .5 here.
    """
    summed: Values = {}
    total: Values = {}
    for dose in sorted(set(known.dose_n)):
        at_n = known.dose_n == dose
        truth_n, p_nk, weights_n = known.truth_n[at_n], known.probabilities_nk[at_n], known.weights_n[at_n]
        groups_n, k = known.groups_n[at_n], len(known.outcomes)
        confusion_rkk = score.count_confusion(truth_n, known.calls()[at_n], groups_n, counts_rg, k, weights_n)
        true_rk = confusion_rkk.sum(axis=2)
        values = {("balanced_accuracy", EVERYTHING): (score.balanced_accuracy(confusion_rkk), true_rk.min(axis=1))}
        for event in known.events:
            place = known.position(event)
            auroc = score.auroc(p_nk[:, place], truth_n == place, groups_n, counts_rg, weights_n)
            positive_r = true_rk[:, place]
            values["auroc", event] = auroc, np.minimum(positive_r, true_rk.sum(axis=1) - positive_r)
        for key, (value, weight) in values.items():
            summed[key] = summed.get(key, 0.0) + np.where(weight > 0, weight * value, 0)
            total[key] = total.get(key, 0.0) + weight
    return {key: value / np.where(total[key] > 0, total[key], np.nan) for key, value in summed.items()}


def tidy_scores(known: Asked, condition: str, values: Values, settings: ScoreSettings) -> Iterator[dict[str, object]]:
    """Write scores of a predictor and question under a condition as rows of table `Metrics`."""
    happened_n = known.truth_n < known.n_events
    for (metric, outcome), values_r in values.items():
        of_n = happened_n if outcome == EVERYTHING else known.truth_n == known.position(outcome)
        n_event_groups = known.count_event_groups(outcome)
        found = summarise(values_r, settings.confidence, n_event_groups)
        yield {
            "predictor": known.predictor,
            "within_h": known.within_h,
            "metric": metric,
            "outcome": outcome,
            "condition": condition,
            **found._asdict(),
            "n_cells": len(np.unique(known.cells_n)),
            "n_landmarks": len(known.truth_n),
            "n_events": int(of_n.sum()),
            "n_groups": known.n_groups,
            "n_event_groups": n_event_groups,
            "reason": reason_against(known, metric, outcome, found),
        }


def _warn_of_undefined(table: pd.DataFrame) -> None:
    undefined = table[table["estimate"].isna()]
    if undefined.empty:
        return
    # What is no surprise is named last.
    undefined = undefined.sort_values("metric", key=lambda names: names.isin(_OFTEN_UNDEFINED), kind="stable")
    names = [
        f"{metric} of {outcome} ({predictor}, {name_question(within_h)}, {condition})"
        for predictor, within_h, metric, outcome, condition, *_ in undefined.head(_SHOWN_UNDEFINED).to_numpy()
    ]
    more = f" and {len(undefined) - _SHOWN_UNDEFINED} more" if len(undefined) > _SHOWN_UNDEFINED else ""
    warnings.warn(f"{len(undefined)} scores are undefined and stay NaN: {'; '.join(names)}{more}.", stacklevel=3)
