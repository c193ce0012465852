"""Paired differences between predictors, and the few numbers a run is summed up by."""

from collections.abc import Iterator, Mapping
from typing import Final

import numpy as np
import pandas as pd

from cellfate.core.errors import InputError
from cellfate.core.tables import EVERYTHING, Comparisons
from cellfate.metrics.forecasts import Forecasts, read_forecasts
from cellfate.metrics.scoring import Key, compute_scores
from cellfate.metrics.settings import TRIVIAL_BASELINES, BaselineSettings, ScoreSettings
from cellfate.statistics.bootstrap import Estimate, FloatArray, draw_groups, summarise

COMPARED_METRICS: Final = ("balanced_accuracy", "auroc", "average_precision", "brier")
LOWER_IS_BETTER: Final = ("brier", "log_loss", "calibration_error")


def compare_predictors(
    predictions: pd.DataFrame, baseline_predictions: pd.DataFrame, samples: pd.DataFrame, scores: ScoreSettings
) -> pd.DataFrame:
    """Differences between the model and every baseline, on the same samples and the same resamples.

    Parameters
    ----------
    predictions, baseline_predictions
        Tables `Predictions`; the test parts are compared.
    samples
        Table `Samples`.
    scores
        Resamples, confidence, seed.

    Returns
    -------
    DataFrame
        Table `Comparisons`. `outcome`: the class an average precision is of (two outcomes: the
        positive one), else `all`. `best_trivial`: the reference is, for this metric, the best of the baselines that
        see no image. It is chosen on the test samples themselves, in favour of the baselines: the difference shown
        is the smallest there is.

    Raises
    ------
    InputError
        If the predictors did not forecast the same samples.
    """
    references = read_forecasts(baseline_predictions, samples) if len(baseline_predictions) else []
    rows: list[dict[str, object]] = []
    for model in read_forecasts(predictions, samples):
        counts_rg = draw_groups(model.n_groups, scores.n_resamples, scores.seed)
        values = compute_scores(model, counts_rg, scores.calibration_bins)
        others = {
            r.predictor: compute_scores(_same_samples(r, model), counts_rg, scores.calibration_bins) for r in references
        }
        rows += _compare(model, values, others, scores)
    return pd.DataFrame(rows, columns=list(Comparisons.to_schema().columns))


def _same_samples(reference: Forecasts, model: Forecasts) -> Forecasts:
    if not np.array_equal(reference.sample_ids_n, model.sample_ids_n):
        differing = sorted(set(reference.sample_ids_n) ^ set(model.sample_ids_n))
        raise InputError(
            f"{reference.predictor!r} and {model.predictor!r} forecast different samples ({differing[0]!r} is one of "
            f"{len(differing)}), expected the same; make both predictions again from the same samples and splits."
        )
    return reference


def _compare(
    model: Forecasts,
    values: dict[Key, FloatArray],
    others: Mapping[str, dict[Key, FloatArray]],
    settings: ScoreSettings,
) -> Iterator[dict[str, object]]:
    for key in _compared(model.outcomes):
        best = best_reference(key[0], {name: float(other[key][0]) for name, other in others.items()})
        for name, other in others.items():
            estimate = summarise(values[key] - other[key], settings.confidence, model.n_groups)
            yield {
                "predictor": model.predictor,
                "reference": name,
                "metric": key[0],
                "outcome": key[1],
                "difference": estimate.estimate,
                "low": estimate.low,
                "high": estimate.high,
                "n_samples": len(model.truth_n),
                "n_groups": model.n_groups,
                "best_trivial": name == best,
            }


def _compared(outcomes: tuple[str, ...]) -> list[Key]:
    positive = outcomes[0] if len(outcomes) == 2 else EVERYTHING
    return [(metric, positive if metric == "average_precision" else EVERYTHING) for metric in COMPARED_METRICS]


def best_reference(metric: str, estimates: Mapping[str, float]) -> str | None:
    """Name of the best trivial baseline by its estimate; null where there is none."""
    sign = -1 if metric in LOWER_IS_BETTER else 1
    trivial = {n: sign * v for n, v in estimates.items() if n in TRIVIAL_BASELINES and np.isfinite(v)}
    return max(trivial, key=trivial.__getitem__) if trivial else None


def summarise_scores(
    metrics: pd.DataFrame, comparisons: pd.DataFrame, scores: ScoreSettings, baselines: BaselineSettings
) -> dict[str, object]:
    """Pick the numbers a run is summed up by, with the settings that made them.

    Parameters
    ----------
    metrics, comparisons
        Tables of `score_predictions` and `compare_predictors`.
    scores, baselines
        Their settings, written beside the numbers.

    Returns
    -------
    dict
        `scores`: predictor -> metric (or metric_outcome) -> [estimate, low, high] over all test samples; `n_cells`,
        `n_samples`, `n_groups`; `over_best_trivial`: metric -> reference, difference, low, high; `settings`. Plain
        numbers, null where undefined.
    """
    overall = metrics[metrics["condition"] == EVERYTHING]
    totals = overall[overall["outcome"] == EVERYTHING]
    by_predictor: dict[str, dict[str, list[float | None]]] = {}
    for row in overall.to_dict("records"):
        name = row["metric"] if row["outcome"] == EVERYTHING else f"{row['metric']}_{row['outcome']}"
        by_predictor.setdefault(row["predictor"], {})[name] = [_plain(row[bound]) for bound in Estimate._fields]
    best = comparisons[comparisons["best_trivial"].astype(bool)]
    return {
        "scores": by_predictor,
        **{
            f"n_{unit}": int(totals[f"n_{unit}"].max()) if len(totals) else 0 for unit in ("cells", "samples", "groups")
        },
        "over_best_trivial": {
            row["metric"]: {
                "reference": row["reference"],
                **{column: _plain(row[column]) for column in ("difference", "low", "high")},
            }
            for row in best.to_dict("records")
        },
        "settings": {"scores": scores.model_dump(mode="json"), "baselines": baselines.model_dump(mode="json")},
    }


def _plain(value: float) -> float | None:
    """Make a number that JSON can hold: null instead of NaN."""
    return float(value) if np.isfinite(value) else None
