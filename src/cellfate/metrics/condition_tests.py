"""Gray's test of the conditions of a study, permuted by group: cells of a well share more than their dose.

Array suffixes: n cells, u units that are dealt out, r assignments.
"""

from typing import Final

import numpy as np
import pandas as pd

from cellfate.cohort.outcomes import competing_events
from cellfate.cohort.questions import shown_events
from cellfate.cohort.settings import FollowUpSettings
from cellfate.core.tables import EVERYTHING, ConditionTests
from cellfate.core.words import show_number
from cellfate.metrics.conditions import NEVER, list_watched, order_curves
from cellfate.metrics.settings import ScoreSettings
from cellfate.statistics.bootstrap import FloatArray, IntArray, number_groups
from cellfate.statistics.gray_test import count_units, gray_statistics
from cellfate.statistics.incidence import number_events
from cellfate.statistics.permutation_tests import correct_by_holm, count_assignments, list_assignments

ALIKE: Final = "no two ways to deal the groups out differ, as where each condition is one group"
NOT_TOGETHER: Final = "no two conditions are watched at the same hours"
_STEP: Final = 1e-9  # statistics of equal assignments differ by their rounding


def permute_conditions(
    cells: pd.DataFrame, recordings: pd.DataFrame, follow_up: FollowUpSettings, scores: ScoreSettings
) -> pd.DataFrame:
    """Test whether the conditions of a study differ in the incidence of each event.

    Parameters
    ----------
    cells, recordings
        Tables of these names.
    follow_up, scores
        Events that are shown; `n_resamples` assignments, seed.

    Returns
    -------
    DataFrame
        Table `ConditionTests`: all conditions together, then each against the reference, the first of `order_curves`
        (untreated cells, if there are some). The statistic is of cells; p is the share of the ways to deal the
        conditions out among units with as large a statistic: all ways where they are no more than the resamples. A unit
        is a group or, where cells of one recording are of several groups, the recording. Where groups hold several
        conditions, as a day with all doses does, conditions are dealt out within each group. No rows for one condition.
    """
    watched = list_watched(cells, recordings)
    events, curves = competing_events(watched), order_curves(watched)
    if len(curves) < 2:
        return ConditionTests.empty()
    pairs = [[curves[0], other] for other in curves[1:]] if len(curves) > 2 else []
    rows = []
    for event in shown_events(events, follow_up):
        tested = [_test(watched, of, events, event, scores) for of in (curves, *pairs)]
        p_pairs = np.array([row["p_value"] for row in tested[1:]], dtype=np.float64)
        corrected = [np.nan, *correct_by_holm(p_pairs)]
        rows += [{**row, "p_corrected": p} for row, p in zip(tested, corrected, strict=True)]
    return ConditionTests.validate(pd.DataFrame(rows, columns=list(ConditionTests.to_schema().columns)))


def _test(
    watched: pd.DataFrame, curves: list[str], events: tuple[str, ...], event: str, scores: ScoreSettings
) -> dict[str, object]:
    """Row of one event and set of conditions."""
    of = watched[watched["curve"].isin(curves)]
    units_n, labels_u, strata_u = deal_units(of, curves)
    entered_n, time_n = (of[name].to_numpy(np.float64) for name in ("entry_h", "end_h"))
    event_n = number_events(of["fate"], events)
    counts = count_units(entered_n, time_n, event_n, events.index(event) + 1, units_n)
    rng = np.random.default_rng(scores.seed)
    assigned_ru = list_assignments(labels_u, strata_u, scores.n_resamples, rng)
    statistic = float(gray_statistics(counts, labels_u[None], len(curves))[0])
    exact = count_assignments(labels_u, strata_u) <= scores.n_resamples
    found = {
        "outcome": event,
        "compared": EVERYTHING if len(curves) > 2 else curves[1],
        "reference": None if len(curves) > 2 else curves[0],
        "statistic": statistic,
        "df": len(curves) - 1,
        "p_of_cells": _chi_squared_tail(statistic, len(curves) - 1),
        "n_assignments": len(assigned_ru),
        "exact": exact,
        "n_units": len(labels_u),
        "n_cells": len(of),
    }
    if np.isnan(statistic):
        happened = bool((of["fate"] == event).any())
        return {**found, "p_value": np.nan, "least_p": np.nan, "reason": NOT_TOGETHER if happened else NEVER}
    return {**found, **_permute(statistic, gray_statistics(counts, assigned_ru, len(curves)))}


def _permute(statistic: float, null_r: FloatArray) -> dict[str, object]:
    """Give p, the smallest that it could be, and what stands against it."""
    known_r = np.nan_to_num(null_r, nan=-1.0)
    slack = _STEP * max(1.0, statistic)
    p_value, least = (float((known_r >= value - slack).mean()) for value in (statistic, known_r.max()))
    if least == 1:
        return {"p_value": np.nan, "least_p": 1.0, "reason": ALIKE}
    bound = f"with so few groups p is never below {show_number(least)}" if least > 0.05 else None
    return {"p_value": p_value, "least_p": least, "reason": bound}


def deal_units(watched: pd.DataFrame, curves: list[str]) -> tuple[IntArray, IntArray, IntArray]:
    """Say which cells belong together, which condition each unit has, and among which units conditions are dealt out.

    Parameters
    ----------
    watched
        From `conditions.list_watched`, of the conditions that are compared.
    curves
        Names of these conditions.

    Returns
    -------
    units_n, labels_u, strata_u : ndarray of int64
        Unit of each cell, place of its condition in `curves`, and stratum: 0 of units whose group holds one condition.
    """
    whole = watched["unit"]
    mixed = watched.groupby(whole)["curve"].transform("nunique") > 1
    units_n = number_groups((whole + "\n" + watched["curve"]).to_numpy(object))
    first = np.unique(units_n, return_index=True)[1]
    labels_u = watched["curve"].map(curves.index).to_numpy(np.int64)[first]
    strata_u = number_groups(whole.where(mixed, "").to_numpy(object))[first]
    return units_n, labels_u, strata_u


def _chi_squared_tail(statistic: float, df: int) -> float:
    from scipy.special import chdtrc

    return float(chdtrc(df, statistic))
