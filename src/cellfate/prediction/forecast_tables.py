"""Forecasts as rows of tables.

Array suffixes: n landmarks, k bins of time, e events.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from cellfate.core.fates import NONE, probability_column
from cellfate.core.tables import Forecasts
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


def tabulate_fate_odds(keys: pd.DataFrame, probabilities_ne: ArrayLike, events: Sequence[str]) -> pd.DataFrame:
    """Write probabilities of fates, given that one comes, as rows of table `Forecasts`: one a landmark.

    Parameters
    ----------
    keys, events
        As in `tabulate_hazards`.
    probabilities_ne
        Probability of each event, in the order of `keys`.
    """
    probabilities = np.asarray(probabilities_ne, dtype=np.float64)
    columns = {probability_column(event): probabilities[:, e] for e, event in enumerate(events)}
    return keys.reset_index(drop=True).assign(
        within_h=np.nan, **columns, **{probability_column(NONE): 0.0}, expected_h=np.nan
    )


def fate_odds(hazards_nke: ArrayLike) -> NDArray[np.float64]:
    """Probability of each event, given that one comes by the end of the last bin, (n, e); equal where none can come.

    Examples
    --------
    >>> fate_odds([[[0.1, 0.3]], [[0.0, 0.0]]]).round(3).tolist()
    [[0.25, 0.75], [0.5, 0.5]]
    """
    last_ne = cumulative_incidence(hazards_nke)[:, -1]
    total_n1 = last_ne.sum(axis=1, keepdims=True)
    equal_ne = np.full_like(last_ne, 1 / last_ne.shape[1])
    return np.asarray(np.divide(last_ne, total_n1, out=equal_ne, where=total_n1 > 0), dtype=np.float64)


def empty_forecasts(events: Sequence[str]) -> pd.DataFrame:
    """Table `Forecasts` without rows, with the columns of these events."""
    keys = Forecasts.empty().drop(columns=["within_h", "p_none", "expected_h"])
    return tabulate_fate_odds(keys, np.zeros((0, len(events))), events)
