"""What really happened to the cells of each dose, by when, and what was forecast for them.

Time runs from the first regular landmark of a cell: the first frame at which it is asked what comes. Every cell is
watched from hour 0 of that time on, however late in the recording that is, so that there is no late entry to account
for. Cells that were lost are counted while they were watched (Aalen-Johansen); all events compete.

Array suffixes: n cells, m times that are asked for, e events, r rows of counts.
"""

from collections.abc import Iterator
from typing import Final

import numpy as np
import pandas as pd

from cellfate.cohort.outcomes import competing_events
from cellfate.cohort.questions import shown_events
from cellfate.cohort.settings import FollowUpSettings
from cellfate.core.fates import UNSCORED
from cellfate.core.tables import CELL, EVERYTHING, DoseIncidence, ObservedIncidence
from cellfate.metrics.forecasts import Asked, read_forecasts
from cellfate.metrics.settings import ScoreSettings
from cellfate.statistics.aalen_johansen import DECIMALS, count_at_risk, standardised_incidence
from cellfate.statistics.bootstrap import FloatArray, draw_groups, mean_by_group, number_groups, summarise
from cellfate.statistics.censoring import choose_strata
from cellfate.statistics.incidence import HOURS_TOLERANCE, number_events

MOST_TIMES: Final = 200
"""A curve has at most so many times."""


def observe_incidence(landmarks: pd.DataFrame, follow_up: FollowUpSettings, scores: ScoreSettings) -> pd.DataFrame:
    """Estimate the cumulative incidence of each event from each cell's first landmark on.

    Parameters
    ----------
    landmarks
        Table `Landmarks`; the first regular one of each cell that was scored is used.
    follow_up, scores
        Events that are shown; resamples, confidence, seed.

    Returns
    -------
    DataFrame
        Table `ObservedIncidence`: over all cells (`all`), then for each dose, Aalen-Johansen with clustered intervals
        at time 0 and at the times of events that are shown, the same for every event of a dose. Of more than
        `MOST_TIMES` times, that many are kept, evenly among them and with the last. `n_at_risk` cells were watched, and
        had no event, just before the time. No interval of an event that fewer than two groups hold.
    """
    first = list_first_landmarks(landmarks)
    events = competing_events(first)
    selections = [(EVERYTHING, first)] if len(first) else []
    selections += [(str(dose), cells) for dose, cells in first.groupby("dose")]
    rows = [row for dose, cells in selections for row in _trace_curves(dose, cells, events, follow_up, scores)]
    return pd.DataFrame(rows, columns=list(ObservedIncidence.to_schema().columns))


def list_first_landmarks(landmarks: pd.DataFrame) -> pd.DataFrame:
    """First regular landmark of each cell that was scored, by cell."""
    asked = landmarks[landmarks["regular"] & (landmarks["fate"] != UNSCORED)]
    return asked.sort_values([*CELL, "last_frame"], ignore_index=True).drop_duplicates(CELL)


def _trace_curves(
    dose: str, cells: pd.DataFrame, events: tuple[str, ...], follow_up: FollowUpSettings, scores: ScoreSettings
) -> Iterator[dict[str, object]]:
    """Rows of one dose."""
    time_n, event_n = cells["time_h"].to_numpy(np.float64), number_events(cells["fate"], events)
    groups_n = number_groups(cells["group_id"].to_numpy(object))
    counts_rg = draw_groups(int(groups_n.max()) + 1, scores.n_resamples, scores.seed)
    shown = shown_events(events, follow_up)
    happened_n = cells["fate"].isin(shown).to_numpy(bool)
    time_m = thin_times(np.unique(np.append(0.0, np.round(time_n[happened_n], DECIMALS))))
    lost_n = (event_n == 0) & (time_n < cells["watchable_h"].to_numpy(np.float64) - HOURS_TOLERANCE)
    strata_n = choose_strata(cells["dose"].to_numpy(str), lost_n, np.arange(len(cells)))
    incidence_rme = standardised_incidence(time_n, event_n, len(events), time_m, strata_n, groups_n, counts_rg)
    at_risk_m = count_at_risk(time_n, time_m)
    for event in shown:
        n_event_groups = len(np.unique(groups_n[(cells["fate"] == event).to_numpy(bool)]))
        for m, time_h in enumerate(time_m):
            incidence_r = incidence_rme[:, m, events.index(event)]
            estimate, low, high = summarise(incidence_r, scores.confidence, n_event_groups)
            yield {
                "dose": dose,
                "outcome": event,
                "time_h": float(time_h),
                "incidence": estimate,
                "low": low,
                "high": high,
                "n_at_risk": int(at_risk_m[m]),
                "n_cells": len(cells),
                "n_groups": counts_rg.shape[1],
            }


def thin_times(time_m: FloatArray) -> FloatArray:
    """Keep at most `MOST_TIMES` of ascending times, the first and the last among them."""
    places = np.linspace(0, len(time_m) - 1, min(len(time_m), MOST_TIMES)).round().astype(np.int64)
    return time_m[places]


def compare_doses(
    forecasts: pd.DataFrame, landmarks: pd.DataFrame, follow_up: FollowUpSettings, scores: ScoreSettings
) -> pd.DataFrame:
    """Compare the mean forecast of the cells of each dose with the share of them that met the event.

    Parameters
    ----------
    forecasts, landmarks, follow_up, scores
        As of `scoring.score_forecasts`; the first regular landmark of each cell is used.

    Returns
    -------
    DataFrame
        Table `DoseIncidence`, over all cells (`all`), then for each dose. Forecast and observed are of the same cells:
        those forecast at their first landmark, in recordings that go on from there up to the horizon.

    Raises
    ------
    InputError
        See `read_forecasts`.
    """
    first = set(list_first_landmarks(landmarks)["landmark_id"])
    asked = [each for each in read_forecasts(forecasts, landmarks, follow_up) if not np.isnan(each.within_h)]
    selections = [each.keep(np.array([name in first for name in each.landmark_ids_n], dtype=bool)) for each in asked]
    doses = sorted({dose for each in selections for dose in each.dose_n})
    rows = [
        row
        for predictor in dict.fromkeys(each.predictor for each in selections)
        for dose in (EVERYTHING, *doses)
        for each in selections
        if each.predictor == predictor
        for row in _compare(dose, each, scores)
    ]
    return pd.DataFrame(rows, columns=list(DoseIncidence.to_schema().columns))


def _compare(dose: str, asked: Asked, scores: ScoreSettings) -> Iterator[dict[str, object]]:
    """Rows of one predictor, horizon and dose."""
    cells = asked if dose == EVERYTHING else asked.keep(asked.dose_n == dose)
    if not cells.n_groups:
        return
    counts_rg = draw_groups(cells.n_groups, scores.n_resamples, scores.seed)
    strata_n = choose_strata(cells.dose_n.astype(str), cells.truth_n < 0, cells.cells_n)
    of_cells = (cells.time_n, cells.event_n, cells.n_events, [cells.within_h])
    incidence_rme = standardised_incidence(*of_cells, strata_n, cells.groups_n, counts_rg)
    for event in cells.events:
        place = cells.position(event)
        n_event_groups = len(np.unique(cells.groups_n[cells.truth_n == place]))
        forecast_r = mean_by_group(cells.probabilities_nk[:, place], cells.groups_n, counts_rg)
        observed, low, high = summarise(incidence_rme[:, 0, place], scores.confidence, n_event_groups)
        forecast = summarise(forecast_r, scores.confidence, cells.n_groups)
        apart = summarise(forecast_r - incidence_rme[:, 0, place], scores.confidence, n_event_groups)
        yield {
            "predictor": cells.predictor,
            "dose": dose,
            "outcome": event,
            "within_h": cells.within_h,
            "forecast": forecast.estimate,
            "forecast_low": forecast.low,
            "forecast_high": forecast.high,
            "difference": apart.estimate,
            "difference_low": apart.low,
            "difference_high": apart.high,
            "observed": observed,
            "low": low,
            "high": high,
            "n_cells": len(cells.time_n),
            "n_groups": cells.n_groups,
        }
