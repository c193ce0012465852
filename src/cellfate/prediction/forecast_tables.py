"""Hazards as rows of table `Forecasts`."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from cellfate.core.fates import NONE, probability_column
from cellfate.statistics.incidence import cumulative_incidence, expected_time_h


def tabulate_hazards(
    keys: pd.DataFrame,
    hazards_nke: ArrayLike,
    events: Sequence[str],
    edges_h: Sequence[float],
    report_h: Sequence[float],
) -> pd.DataFrame:
    """Write hazards as rows of table `Forecasts`: one a landmark and hour of the report.

    Parameters
    ----------
    keys
        One row a landmark: predictor, scheme, fold, part, recording_id, cell_id, frame.
    hazards_nke
        Probability of each event in each bin, given that nothing happened before, in the order of `keys`.
    events
        Names of the events, in order.
    edges_h, report_h
        Edges of the bins, and the upper edges that are reported.

    Returns
    -------
    DataFrame
        Table `Forecasts`; the hours of a landmark stand one after the other.
    """
    incidence_nke = cumulative_incidence(hazards_nke)
    bins_h = np.abs(np.asarray(edges_h)[1:] - np.asarray(report_h)[:, None]).argmin(axis=1)
    reported_re = incidence_nke[:, bins_h].reshape(-1, len(events))
    again_r = np.repeat(np.arange(len(keys)), len(report_h))
    return (
        keys.iloc[again_r]
        .reset_index(drop=True)
        .assign(
            within_h=np.tile(np.asarray(report_h, dtype=np.float64), len(keys)),
            **{probability_column(event): reported_re[:, e] for e, event in enumerate(events)},
            **{probability_column(NONE): np.clip(1 - reported_re.sum(axis=1), 0, 1)},
            expected_h=expected_time_h(incidence_nke, edges_h)[again_r],
        )
    )
