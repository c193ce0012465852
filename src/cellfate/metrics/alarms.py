"""How often an alarm is right, and how many events are foretold.

An alarm of an event is right only if the event follows within the headline horizon. Where a cell is lost before it, the
answer is not known, and alarms like it stand for this one (inverse probability of censoring, as everywhere). All of it
holds given the guard: what is about to happen within it is never shown, and nobody is warned of it.

Array suffixes: n forecasts, a alarms, c cells, r rows of counts.
"""

import warnings
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pandas as pd

from cellfate.cohort.outcomes import competing_events
from cellfate.cohort.questions import shown_events
from cellfate.cohort.settings import FollowUpSettings
from cellfate.core.fates import EVENTS, FALSE, RIGHT, UNKNOWN
from cellfate.core.tables import Alarms, AlarmSummary
from cellfate.metrics.settings import ScoreSettings
from cellfate.metrics.watched import Watched, list_conditions, select_traced, watch
from cellfate.prediction.settings import AlarmSettings
from cellfate.statistics.bootstrap import (
    BoolArray,
    FloatArray,
    IntArray,
    draw_groups,
    mean_by_group,
    median_by_group,
    sum_by_group,
    summarise,
)
from cellfate.statistics.incidence import UNOBSERVED


class Raised(NamedTuple):
    """Alarms of one event, by cell and frame."""

    row_a: IntArray
    right_a: BoolArray
    unknown_a: BoolArray
    scored_a: BoolArray
    """The recording goes on for the horizon after it."""
    weights_a: FloatArray
    """0 where it is not scored, or its answer is not known."""


class Measure(NamedTuple):
    """A score for every row of counts, and what stands behind it."""

    values_r: FloatArray
    n: int
    groups: IntArray
    """Group of every one of these n, or of the forecasts."""
    reason: str
    """Why it is not defined, where it is not."""


def list_alarms(
    forecasts: pd.DataFrame, follow_ups: pd.DataFrame, follow_up: FollowUpSettings, alarm: AlarmSettings
) -> pd.DataFrame:
    """List the alarms that each predictor raises in tested cells, and what came of them.

    Parameters
    ----------
    forecasts
        Table `Forecasts`; those of the headline horizon are read, at every frame. Predictors that are asked at every
        few frames only raise no alarm and are left out.
    follow_ups
        Table `FollowUps`: how the watching of each cell ended.
    follow_up
        Headline horizon.
    alarm
        Costs and frames on end.

    Returns
    -------
    DataFrame
        Table `Alarms`, of all events that are forecast, by predictor in their order, cell and frame.

    Raises
    ------
    InputError
        If the horizon is not forecast, a cell is forecast twice for a frame, or a tested cell has no follow-up.
    """
    tables: list[pd.DataFrame] = []
    for rows in select_traced(forecasts, follow_ups, follow_up):
        watched = watch(rows, follow_up.headline_h)
        raised = {
            event: _raise(watched, event, alarm.threshold, alarm.frames_on_end) for event in watched.traces.events
        }
        found = [_tabulate(watched, event, alarms) for event, alarms in raised.items() if len(alarms.row_a)]
        tables += [pd.concat(found).sort_index()] if found else []
    columns = list(Alarms.to_schema().columns)
    return pd.concat(tables, ignore_index=True)[columns] if tables else Alarms.empty()[columns]


def summarise_alarms(
    forecasts: pd.DataFrame,
    follow_ups: pd.DataFrame,
    follow_up: FollowUpSettings,
    alarm: AlarmSettings,
    scores: ScoreSettings,
) -> pd.DataFrame:
    """Say how many events each predictor foretells, and how often its alarms are right.

    Parameters
    ----------
    forecasts, follow_ups, follow_up, alarm
        As in `list_alarms`; events that are not shown raise alarms and are not reported.
    scores
        Resamples, confidence, seed.

    Returns
    -------
    DataFrame
        Table `AlarmSummary`, clustered intervals: at the threshold of the costs over all cells and in each dose, and at
        those of `THRESHOLDS` over all cells. `share_foretold`: of the events of cells with at least `frames_on_end`
        forecasts, those that an alarm foretold within the horizon. `predictive_value`: of the alarms, those that
        the event follows. `false_per_100_h`: alarms that it does not follow, in 100 hours of forecasts of a cell.
        `median_warning_h`: hours from the first right alarm to the event. `share_unknown`: of the alarms, those whose
        answer is not known. The second and third are weighted; alarms so near the end of the recording that it
        does not go on for the horizon are left out of all but the first and fourth, with their forecasts. What is
        undefined is NaN and has its reason; one warning says how many there are.
    """
    shown = shown_events(competing_events(follow_ups), follow_up)
    rows = [
        row
        for of_predictor in select_traced(forecasts, follow_ups, follow_up)
        for condition, thresholds, watched in list_conditions(of_predictor, follow_up, alarm)
        for event in shown
        if event in watched.traces.events
        for row in _summarise(watched, event, thresholds, alarm, scores, condition)
    ]
    table = pd.DataFrame(rows, columns=list(AlarmSummary.to_schema().columns))
    _warn_of_undefined(table)
    return table


def _raise(watched: Watched, event: str, threshold: float, frames_on_end: int) -> Raised:
    """Raise the alarms of an event and say what is known of each."""
    row_a = watched.traces.raised(event, threshold, frames_on_end)
    known_a = watched.known_n[row_a]
    return Raised(
        row_a=row_a,
        right_a=known_a == EVENTS.index(event) + 1,
        unknown_a=known_a == UNOBSERVED,
        scored_a=watched.came.scored_n[row_a],
        weights_a=watched.came.weights_n[row_a],
    )


def _tabulate(watched: Watched, event: str, raised: Raised) -> pd.DataFrame:
    """Write alarms of an event as rows of table `Alarms`."""
    rows = watched.traces.rows.loc[raised.row_a]
    return rows.assign(
        outcome=event,
        within_h=watched.within_h,
        incidence=watched.traces.incidence_ne[raised.row_a, watched.traces.events.index(event)],
        answer=np.select([raised.right_a, raised.unknown_a], [RIGHT, UNKNOWN], FALSE),
        weight=raised.weights_a,
        warning_h=np.where(raised.right_a, watched.time_n[raised.row_a], np.nan),
    )


def _summarise(
    watched: Watched,
    event: str,
    thresholds: tuple[float, ...],
    alarm: AlarmSettings,
    scores: ScoreSettings,
    condition: str,
) -> Iterator[dict[str, object]]:
    """Rows of one predictor, event and condition: every threshold and measure."""
    counts_rg = draw_groups(int(watched.groups_n.max()) + 1, scores.n_resamples, scores.seed)
    scored_n = watched.came.scored_n
    for threshold in thresholds:
        raised = _raise(watched, event, threshold, alarm.frames_on_end)
        counts = {
            "n_alarms": len(raised.row_a),
            "n_unknown": int((raised.scored_a & raised.unknown_a).sum()),
            "n_near_end": int((~raised.scored_a).sum()),
            "forecast_h": float(watched.frame_h[scored_n].sum()),
            "n_cells": int(watched.cells_n.max()) + 1,
        }
        about = {"predictor": watched.predictor, "outcome": event, "condition": condition, "threshold": threshold}
        chosen = threshold == alarm.threshold
        for metric, measure in _measure(watched, event, raised, alarm.frames_on_end, counts_rg):
            n_groups = len(np.unique(measure.groups))
            estimate = summarise(measure.values_r, scores.confidence, n_groups)
            reason = _why(estimate.estimate, estimate.low, measure, n_groups)
            behind = {"n": measure.n, **counts, "n_groups": n_groups, "reason": reason}
            yield {**about, "chosen": chosen, "metric": metric, **estimate._asdict(), **behind}


def _measure(
    watched: Watched, event: str, raised: Raised, frames_on_end: int, counts_rg: FloatArray
) -> Iterator[tuple[str, Measure]]:
    """Yield the measures of alarms of one event."""
    groups_n, groups_a = watched.groups_n, watched.groups_n[raised.row_a]
    n_frames_c = np.bincount(watched.cells_n)
    first_c = np.flatnonzero(watched.traces.begins_n)
    ends_so_c = (watched.traces.rows["fate"].iloc[first_c] == event).to_numpy(bool)
    events_c = np.flatnonzero(ends_so_c & (n_frames_c >= frames_on_end))
    right_row = raised.row_a[raised.right_a]
    cells, place = np.unique(watched.cells_n[right_row], return_index=True)
    groups_c = groups_n[first_c[events_c]]
    yield "share_foretold", Measure(
        mean_by_group(np.isin(events_c, cells), groups_c, counts_rg),
        len(events_c), groups_c, f"no tested cell of at least {frames_on_end} forecasts ends in {event}",
    )  # fmt: skip
    counted_a, wrong_a = raised.scored_a & ~raised.unknown_a, ~raised.right_a
    no_alarm = "no alarm whose recording goes on for the horizon was raised"
    yield "predictive_value", Measure(
        mean_by_group(raised.right_a, groups_a, counts_rg, raised.weights_a),
        int(counted_a.sum()), groups_a[counted_a], no_alarm if not raised.scored_a.any() else "no answer is known",
    )  # fmt: skip
    hours_r = sum_by_group(watched.frame_h * watched.came.scored_n, groups_n, counts_rg)
    yield "false_per_100_h", Measure(
        100 * sum_by_group(raised.weights_a * wrong_a, groups_a, counts_rg) / np.where(hours_r > 0, hours_r, np.nan),
        int((counted_a & wrong_a).sum()), groups_n[watched.came.scored_n],
        f"no recording goes on for {watched.within_h:g} h after a forecast",
    )  # fmt: skip
    warned = right_row[place]
    yield "median_warning_h", Measure(
        median_by_group(watched.time_n[warned], groups_n[warned], counts_rg),
        len(warned), groups_n[warned], "no alarm was right",
    )  # fmt: skip
    yield "share_unknown", Measure(
        mean_by_group(raised.unknown_a, groups_a, counts_rg, raised.scored_a),
        int(raised.scored_a.sum()), groups_a[raised.scored_a], no_alarm,
    )  # fmt: skip


def _why(estimate: float, low: float, measure: Measure, n_groups: int) -> str | None:
    """Why a score has no value or no interval; null where it has both."""
    if np.isnan(estimate):
        return measure.reason
    if np.isnan(low):
        return "one group: no interval" if n_groups < 2 else "too few groups hold any: no interval"
    return None


def _warn_of_undefined(table: pd.DataFrame) -> None:
    undefined = table[table["chosen"] & table["estimate"].isna()]
    if len(undefined):
        first = undefined.iloc[0]
        warnings.warn(
            f"{len(undefined)} of {table['chosen'].sum()} alarm scores are undefined and stay NaN, "
            f"first {first['metric']} of {first['outcome']} ({first['predictor']}, {first['condition']}): "
            f"{first['reason']}.",
            stacklevel=3,
        )
