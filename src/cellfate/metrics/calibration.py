"""Reliability: whether forecasts of 70 % come true in 70 of 100 cells."""

import numpy as np
import pandas as pd

from cellfate.core.tables import Calibration
from cellfate.metrics.forecasts import Forecasts, read_forecasts
from cellfate.metrics.scoring import stack_tables
from cellfate.metrics.settings import ScoreSettings
from cellfate.statistics.bootstrap import draw_groups, summarise
from cellfate.statistics.scores import equal_mass_bins


def measure_calibration(
    predictions: pd.DataFrame, baseline_predictions: pd.DataFrame, samples: pd.DataFrame, scores: ScoreSettings
) -> pd.DataFrame:
    """Reliability curves over bins of equal mass.

    Parameters
    ----------
    predictions, baseline_predictions
        Tables `Predictions`; the test parts are used.
    samples
        Table `Samples`.
    scores
        Bins, resamples, confidence, seed.

    Returns
    -------
    DataFrame
        Table `Calibration`.
        One row a predictor, `outcome` (of two, only the positive one: the other mirrors it) and `bin`, ascending from
        0: mean forecast probability, frequency of the outcome with its clustered interval, samples and groups. Equal
        probabilities share a bin, so there may be fewer bins than asked for.

    Notes
    -----
    Predictors that are trained on balanced classes forecast a rare outcome too often; that shows here, and in the
    Brier score, but not in scores of ranks.
    """
    rows: list[dict[str, object]] = []
    for forecasts in read_forecasts(stack_tables(predictions, baseline_predictions), samples):
        scored = range(1 if len(forecasts.outcomes) == 2 else len(forecasts.outcomes))
        for position in scored:
            rows += _reliability(forecasts, position, scores)
    return pd.DataFrame(rows, columns=list(Calibration.to_schema().columns))


def _reliability(forecasts: Forecasts, position: int, settings: ScoreSettings) -> list[dict[str, object]]:
    """Rows of one outcome."""
    probability_n = forecasts.probabilities_nk[:, position]
    if not len(probability_n):
        return []
    bins_n, n_groups = equal_mass_bins(probability_n, settings.calibration_bins), forecasts.n_groups
    n_bins = int(bins_n.max()) + 1
    counts_rg = draw_groups(n_groups, settings.n_resamples, settings.seed)
    cells = forecasts.groups_n * n_bins + bins_n
    samples_gb = np.bincount(cells, minlength=n_groups * n_bins).reshape(n_groups, n_bins)
    happened = (forecasts.truth_n == position).astype(np.float64)
    happened_gb = np.bincount(cells, happened, n_groups * n_bins).reshape(n_groups, n_bins)
    drawn_rb = counts_rg @ samples_gb
    frequency_rb = (counts_rg @ happened_gb) / np.where(drawn_rb > 0, drawn_rb, np.nan)
    rows: list[dict[str, object]] = []
    for b in range(n_bins):
        groups_in_bin = int((samples_gb[:, b] > 0).sum())
        frequency, low, high = summarise(frequency_rb[:, b], settings.confidence, groups_in_bin)
        rows.append(
            {
                "predictor": forecasts.predictor,
                "outcome": forecasts.outcomes[position],
                "bin": b,
                "mean_probability": float(probability_n[bins_n == b].mean()),
                "frequency": frequency,
                "low": low,
                "high": high,
                "n_samples": int(samples_gb[:, b].sum()),
                "n_groups": groups_in_bin,
            }
        )
    return rows
