"""What really happened to the cells of each dose, by when, and what was forecast for them.

Time runs from the first landmark of a cell: the first frame at which it is forecast at all. Cells that were lost are
counted while they were watched (Aalen-Johansen).

Array suffixes: n cells, m times that are asked for, e events, g groups, r rows of counts.
"""

from collections.abc import Iterator
from typing import Final

import numpy as np
import pandas as pd

from cellfate.cohort.settings import FollowUpSettings
from cellfate.core.fates import probability_column
from cellfate.core.tables import EVERYTHING, DoseIncidence, ObservedIncidence
from cellfate.metrics.commitments import (
    CELL,
    FRAME,
    is_hour,
    require_once,
    select_horizon,
)
from cellfate.metrics.scoring import stack_tables
from cellfate.metrics.settings import ScoreSettings
from cellfate.statistics.aalen_johansen import DECIMALS, aalen_johansen, resample_incidence
from cellfate.statistics.bootstrap import FloatArray, draw_groups, number_groups, summarise
from cellfate.statistics.incidence import HOURS_TOLERANCE, number_events

MOST_TIMES: Final = 200
"""A curve has at most so many times."""

Observed = tuple[FloatArray, int]
"""Incidence for every row of counts, (r, m, e), and the number of groups."""


def observe_incidence(landmarks: pd.DataFrame, follow_up: FollowUpSettings, scores: ScoreSettings) -> pd.DataFrame:
    """Estimate the cumulative incidence of each event from each cell's first landmark on.

    Parameters
    ----------
    landmarks
        Table `Landmarks`; the first of each cell is used.
    follow_up
        Events; a cell that ended in another one was lost there.
    scores
        Resamples, confidence, seed.

    Returns
    -------
    DataFrame
        Table `ObservedIncidence`: over all cells (`all`), then for each dose, Aalen-Johansen with clustered intervals
        at time 0 and at the times of events, the same for every event of a dose. Of more than `MOST_TIMES` times,
        that many are kept, evenly among them and with the last. `n_at_risk` cells were watched, and had no event, just
        before the time.
    """
    events = follow_up.events
    rows = [
        row
        for dose, cells in _by_dose(list_first_landmarks(landmarks))
        for row in _trace_curves(dose, cells, events, scores)
    ]
    return pd.DataFrame(rows, columns=list(ObservedIncidence.to_schema().columns))


def compare_doses(
    incidence: pd.DataFrame,
    reference_incidence: pd.DataFrame,
    landmarks: pd.DataFrame,
    follow_up: FollowUpSettings,
    scores: ScoreSettings,
) -> pd.DataFrame:
    """Compare the mean forecast of the cells of each dose with the share of them that met the event.

    Parameters
    ----------
    incidence, reference_incidence
        Tables `Incidence`; the test parts are compared, so that each cell is forecast by the fold that did not see it.
    landmarks
        Table `Landmarks`; the first of each cell is used.
    follow_up
        Events and horizons.
    scores
        Resamples, confidence, seed.

    Returns
    -------
    DataFrame
        Table `DoseIncidence`, over all cells (`all`), then for each dose. Forecast and observed are of the same cells:
        those forecast at their first landmark, in recordings that go on from there up to the horizon.

    Raises
    ------
    InputError
        If an event or a horizon is not forecast, or a cell is forecast twice for a frame.
    """
    events = follow_up.events
    stacked = stack_tables(incidence, reference_incidence)
    first = list_first_landmarks(landmarks)
    forecasts = pd.concat([_join_first(stacked, first, hours, events) for hours in follow_up.report_h])
    rows = [
        row
        for dose, of_dose in _by_dose(forecasts)
        for within_h in follow_up.report_h
        for row in _compare(dose, within_h, of_dose[is_hour(of_dose["within_h"], within_h)], events, scores)
    ]
    table = pd.DataFrame(rows, columns=list(DoseIncidence.to_schema().columns))
    places = {name: place for place, name in enumerate(forecasts["predictor"].unique())}
    return table.sort_values("predictor", key=lambda names: names.map(places), kind="stable", ignore_index=True)


def list_first_landmarks(landmarks: pd.DataFrame) -> pd.DataFrame:
    """First landmark of each cell, by cell; the landmark stands in `frame`."""
    ordered = landmarks.sort_values([*CELL, "last_frame"], ignore_index=True).drop_duplicates(CELL)
    return ordered.rename(columns={"last_frame": "frame"})


def _by_dose(cells: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    """All cells, then those of each dose."""
    if len(cells):
        yield EVERYTHING, cells
    for dose, of_dose in cells.groupby("dose"):
        yield str(dose), of_dose


def _trace_curves(
    dose: str, cells: pd.DataFrame, events: tuple[str, ...], scores: ScoreSettings
) -> Iterator[dict[str, object]]:
    """Rows of one dose."""
    time_n, event_n = cells["time_h"].to_numpy(np.float64), number_events(cells["fate"], events)
    time_m = _thin(np.unique(np.append(0.0, np.round(time_n[event_n > 0], DECIMALS))))
    incidence_rme, n_groups = _observe(cells, events, time_m, scores)
    at_risk_m = aalen_johansen(time_n, event_n, len(events)).count_at_risk(time_m)
    for e, event in enumerate(events):
        for m, time_h in enumerate(time_m):
            estimate = summarise(incidence_rme[:, m, e], scores.confidence, n_groups)
            yield {
                "dose": dose,
                "outcome": event,
                "time_h": float(time_h),
                "incidence": estimate.estimate,
                "low": estimate.low,
                "high": estimate.high,
                "n_at_risk": round(at_risk_m[m]),
                "n_cells": len(cells),
                "n_groups": n_groups,
            }


def _thin(time_m: FloatArray) -> FloatArray:
    """At most `MOST_TIMES` of ascending times, the first and the last among them."""
    places = np.linspace(0, len(time_m) - 1, min(len(time_m), MOST_TIMES)).round().astype(np.int64)
    return time_m[places]


def _observe(cells: pd.DataFrame, events: tuple[str, ...], time_m: FloatArray, scores: ScoreSettings) -> Observed:
    """Aalen-Johansen of some cells by some times, for every resample of their groups."""
    groups_n = number_groups(cells["group_id"].to_numpy(object))
    counts_rg = draw_groups(int(groups_n.max()) + 1, scores.n_resamples, scores.seed)
    time_n, event_n = cells["time_h"].to_numpy(np.float64), number_events(cells["fate"], events)
    incidence_rme = resample_incidence(time_n, event_n, len(events), groups_n, counts_rg, time_m)
    return np.clip(incidence_rme, 0.0, 1.0), counts_rg.shape[1]  # sums of floats pass 1 by their rounding


def _join_first(incidence: pd.DataFrame, first: pd.DataFrame, within_h: float, events: tuple[str, ...]) -> pd.DataFrame:
    """Test forecasts of one horizon at the cells' first landmarks, where the recording goes on up to the horizon."""
    forecasts = select_horizon(incidence, within_h, events)
    tested = forecasts.loc[forecasts["part"] == "test", ["predictor", *FRAME, *map(probability_column, events)]]
    require_once(tested)
    watchable = first[first["watchable_h"] >= within_h - HOURS_TOLERANCE]
    return tested.merge(watchable, on=FRAME, validate="many_to_one").assign(within_h=within_h)


def _compare(
    dose: str, within_h: float, forecasts: pd.DataFrame, events: tuple[str, ...], scores: ScoreSettings
) -> Iterator[dict[str, object]]:
    """Rows of one dose and horizon, by predictor; predictors of the same cells share what is observed."""
    observed: dict[frozenset[str], Observed] = {}
    for predictor, cells in forecasts.groupby("predictor", sort=False):
        key = frozenset(cells["sample_id"])
        if key not in observed:
            observed[key] = _observe(cells, events, np.array([within_h]), scores)
        incidence_rme, n_groups = observed[key]
        for e, event in enumerate(events):
            estimate = summarise(incidence_rme[:, 0, e], scores.confidence, n_groups)
            yield {
                "predictor": str(predictor),
                "dose": dose,
                "outcome": event,
                "within_h": within_h,
                "forecast": float(cells[probability_column(event)].clip(0, 1).mean()),
                "observed": estimate.estimate,
                "low": estimate.low,
                "high": estimate.high,
                "n_cells": len(cells),
                "n_groups": n_groups,
            }
