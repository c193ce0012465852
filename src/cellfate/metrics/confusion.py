"""Confusion tables: what was called, by what was true."""

import numpy as np
import pandas as pd

from cellfate.core.tables import Confusion
from cellfate.metrics.forecasts import read_forecasts
from cellfate.metrics.scoring import stack_tables
from cellfate.statistics.scores import count_confusion


def count_confusions(
    predictions: pd.DataFrame, baseline_predictions: pd.DataFrame, samples: pd.DataFrame
) -> pd.DataFrame:
    """Count test samples by true and called outcome.

    Parameters
    ----------
    predictions, baseline_predictions
        Tables `Predictions`.
    samples
        Table `Samples`.

    Returns
    -------
    DataFrame
        Table `Confusion`.
        One row a predictor, `threshold` (`headline`: .5 or the likeliest; `tuned`: chosen on validation), true
        `outcome` and `call`: `n_samples`, and their `share` of the true outcome (NaN where it is absent).
    """
    rows = []
    for forecasts in read_forecasts(stack_tables(predictions, baseline_predictions), samples):
        called = {"headline": forecasts.calls()}
        if forecasts.tuned_n is not None and not np.isnan(forecasts.tuned_n).any():
            called["tuned"] = forecasts.calls(forecasts.tuned_n)
        everything = np.ones((1, max(1, forecasts.n_groups)))
        for threshold, calls_n in called.items():
            counts_kk = count_confusion(
                forecasts.truth_n, calls_n, forecasts.groups_n, everything, len(forecasts.outcomes)
            )[0]
            rows += [
                {
                    "predictor": forecasts.predictor,
                    "threshold": threshold,
                    "outcome": outcome,
                    "call": call,
                    "n_samples": int(counts_kk[i, j]),
                    "share": counts_kk[i, j] / counts_kk[i].sum() if counts_kk[i].sum() else np.nan,
                }
                for i, outcome in enumerate(forecasts.outcomes)
                for j, call in enumerate(forecasts.outcomes)
            ]
    return pd.DataFrame(rows, columns=list(Confusion.to_schema().columns))
