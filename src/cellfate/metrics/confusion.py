"""Confusion tables: which fate was called, by which one came."""

import numpy as np
import pandas as pd

from cellfate.cohort.settings import FollowUpSettings
from cellfate.core.tables import Confusion
from cellfate.metrics.forecasts import read_forecasts
from cellfate.statistics.scores import count_confusion


def count_confusions(forecasts: pd.DataFrame, landmarks: pd.DataFrame, follow_up: FollowUpSettings) -> pd.DataFrame:
    """Count test landmarks at which it is asked which fate comes, by the fate that came and the one that was called.

    Parameters
    ----------
    forecasts, landmarks, follow_up
        As of `scoring.score_forecasts`.

    Returns
    -------
    DataFrame
        Table `Confusion`: one row a predictor, `threshold` (`headline`: the likeliest fate; `tuned`: chosen on
        validation), `outcome` that came and `call`.
    """
    rows = []
    for asked in read_forecasts(forecasts, landmarks, follow_up):
        if not np.isnan(asked.within_h):
            continue
        called = {"headline": asked.calls()}
        if asked.tuned_n is not None and not np.isnan(asked.tuned_n).any():
            called["tuned"] = asked.tuned_calls()
        everything = np.ones((1, asked.n_groups))
        for threshold, calls_n in called.items():
            counts_kk = count_confusion(asked.truth_n, calls_n, asked.groups_n, everything, len(asked.outcomes))[0]
            rows += [
                {
                    "predictor": asked.predictor,
                    "threshold": threshold,
                    "outcome": outcome,
                    "call": call,
                    "n_landmarks": int(counts_kk[i, j]),
                    "share": counts_kk[i, j] / counts_kk[i].sum() if counts_kk[i].sum() else np.nan,
                }
                for i, outcome in enumerate(asked.outcomes)
                for j, call in enumerate(asked.outcomes)
            ]
    return pd.DataFrame(rows, columns=list(Confusion.to_schema().columns))
