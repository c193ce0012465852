"""How often an alarm is right, how many events are foretold, and what that is worth.

An alarm of an event is right only if the event follows within the headline horizon. Where a cell is lost before it, the
answer is not known, and alarms like it stand for this one (inverse probability of censoring, as everywhere). All of it
holds given the guard: what is about to happen within it is never shown, and nobody is warned of it.

Array suffixes: n forecasts, a alarms, c cells, r rows of counts.
"""

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
import pandas as pd

from cellfate.cohort.outcomes import competing_events
from cellfate.cohort.questions import shown_events
from cellfate.cohort.settings import FollowUpSettings
from cellfate.core.fates import FALSE, RIGHT, UNKNOWN, UNSCORED
from cellfate.core.tables import EVERYTHING, Alarms, AlarmSummary, NetBenefit
from cellfate.metrics.commitments import join_endings, select_tested
from cellfate.metrics.settings import ScoreSettings
from cellfate.prediction.alarms import Traces, order_traces
from cellfate.prediction.settings import AlarmSettings
from cellfate.statistics.bootstrap import (
    BoolArray,
    FloatArray,
    IntArray,
    draw_groups,
    mean_by_group,
    median_by_group,
    number_groups,
    sum_by_group,
    summarise,
)
from cellfate.statistics.censoring import Outcomes, list_outcomes
from cellfate.statistics.incidence import UNOBSERVED, number_events

THRESHOLDS: Final = tuple(round(0.05 + 0.025 * step, 3) for step in range(19))
"""Thresholds of the curves, .05 to .5; the chosen one is added."""


@dataclass(frozen=True, eq=False)
class Watched:
    """Forecasts of one predictor in some tested cells, and what came after each."""

    predictor: str
    traces: Traces
    within_h: float
    time_n: FloatArray
    """Hours from the frame to the event or to where the cell was last seen."""
    came: Outcomes
    """What came within the horizon, where the recording goes on for so long."""
    known_n: IntArray
    """The same wherever it was seen: near the end of a recording only events are."""
    groups_n: IntArray
    cells_n: IntArray
    frame_h: FloatArray
    """Hours that each forecast stands for: the frame interval."""


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
    for rows in _by_predictor(forecasts, follow_ups, follow_up):
        watched = _watch(rows, follow_up.headline_h)
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
    rows = [
        row
        for of_predictor, events in _questions(forecasts, follow_ups, follow_up)
        for condition, thresholds, watched in _conditions(of_predictor, follow_up, alarm)
        for event in events
        if event in watched.traces.events
        for row in _summarise(watched, event, thresholds, alarm, scores, condition)
    ]
    table = pd.DataFrame(rows, columns=list(AlarmSummary.to_schema().columns))
    _warn_of_undefined(table)
    return table


def weigh_benefit(
    forecasts: pd.DataFrame,
    follow_ups: pd.DataFrame,
    follow_up: FollowUpSettings,
    alarm: AlarmSettings,
    scores: ScoreSettings,
) -> pd.DataFrame:
    """Net benefit of acting where an event is flagged, by threshold, beside acting always and never.

    Parameters
    ----------
    forecasts, follow_ups, follow_up, alarm, scores
        As in `summarise_alarms`.

    Returns
    -------
    DataFrame
        Table `NetBenefit`, clustered intervals: over all cells, and in each dose. What is judged is every forecast
        with `frames_on_end` - 1 others right before it: whether the event is flagged in all of these. A right flag
        counts 1, a wrong one minus t / (1 - t), a missed event and a rightly silent forecast 0; the mean over forecasts
        is the net benefit, so that acting never has 0.

    Notes
    -----
    Source: Vickers & Elkin, Med. Decis. Making 26, 565 (2006); weighted for censoring and competing events as all
    scores here.
    """
    rows = [
        row
        for of_predictor, events in _questions(forecasts, follow_ups, follow_up)
        for condition, _, watched in _conditions(of_predictor, follow_up, alarm)
        for event in events
        if event in watched.traces.events
        for row in _weigh(watched, event, alarm, scores, condition)
    ]
    return pd.DataFrame(rows, columns=list(NetBenefit.to_schema().columns))


def _by_predictor(forecasts: pd.DataFrame, follow_ups: pd.DataFrame, follow_up: FollowUpSettings) -> list[pd.DataFrame]:
    """Select the tested forecasts of each predictor that is asked at frames on end, with how cells ended."""
    tested = join_endings(select_tested(forecasts, follow_up.headline_h), follow_ups)
    tested = tested[tested["fate"] != UNSCORED]
    traces = order_traces(tested)
    on_end = set(traces.rows.loc[~traces.breaks_n, "predictor"])
    names = [name for name in tested["predictor"].unique() if name in on_end or not on_end]
    return [tested[tested["predictor"] == name] for name in names]


def _questions(
    forecasts: pd.DataFrame, follow_ups: pd.DataFrame, follow_up: FollowUpSettings
) -> Iterator[tuple[pd.DataFrame, tuple[str, ...]]]:
    """Yield the forecasts of each predictor, with the events that are shown."""
    shown = shown_events(competing_events(follow_ups), follow_up)
    yield from ((rows, shown) for rows in _by_predictor(forecasts, follow_ups, follow_up))


def _conditions(
    rows: pd.DataFrame, follow_up: FollowUpSettings, alarm: AlarmSettings
) -> Iterator[tuple[str, tuple[float, ...], Watched]]:
    """Yield all cells with the thresholds of the curves, and the cells of each dose with the chosen one."""
    everywhere = tuple(sorted({*THRESHOLDS, alarm.threshold}))
    yield EVERYTHING, everywhere, _watch(rows, follow_up.headline_h)
    doses = sorted(set(rows["dose"]))
    if len(doses) > 1:
        yield from (
            (dose, (alarm.threshold,), _watch(rows[rows["dose"] == dose], follow_up.headline_h)) for dose in doses
        )


def _watch(rows: pd.DataFrame, within_h: float) -> Watched:
    """Order the forecasts of one predictor, and say what came after each."""
    traces = order_traces(rows)
    told = traces.rows
    frame_h = told["frame_interval_min"].to_numpy(np.float64) / 60
    time_n = (told["end_frame"] - told["frame"]).to_numpy(np.float64) * frame_h
    watchable_n = (told["recording_frames"] - 1 - told["frame"]).to_numpy(np.float64) * frame_h
    event_n = number_events(told["fate"], traces.events)
    return Watched(
        predictor=str(told["predictor"].iloc[0]),
        traces=traces,
        within_h=within_h,
        time_n=time_n,
        came=list_outcomes(time_n, event_n, watchable_n, within_h),
        known_n=list_outcomes(time_n, event_n, np.full(len(told), np.inf), within_h).event_n,
        groups_n=number_groups(told["group_id"].to_numpy(object)),
        cells_n=np.cumsum(traces.begins_n) - 1,
        frame_h=frame_h,
    )


def _raise(watched: Watched, event: str, threshold: float, frames_on_end: int) -> Raised:
    """Raise the alarms of an event and say what is known of each."""
    row_a = watched.traces.raised(event, threshold, frames_on_end)
    known_a = watched.known_n[row_a]
    return Raised(
        row_a=row_a,
        right_a=known_a == watched.traces.events.index(event) + 1,
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


def _weigh(
    watched: Watched, event: str, alarm: AlarmSettings, scores: ScoreSettings, condition: str
) -> Iterator[dict[str, object]]:
    """Rows of table `NetBenefit` of one predictor, event and condition."""
    judged_n = watched.came.scored_n & (watched.traces.n_on_end >= alarm.frames_on_end)
    groups_n, weights_n = watched.groups_n, watched.came.weights_n * judged_n
    n_groups = len(np.unique(groups_n[judged_n]))
    counts_rg = draw_groups(int(groups_n.max()) + 1, scores.n_resamples, scores.seed)
    happened_n = watched.came.event_n == watched.traces.events.index(event) + 1
    for threshold in sorted({*THRESHOLDS, alarm.threshold}):
        worth_n = np.where(happened_n, 1.0, -threshold / (1 - threshold))
        flagged_n = watched.traces.on_end(event, threshold) >= alarm.frames_on_end
        benefit_r, for_all_r, flagged_r = (
            mean_by_group(values_n, groups_n, counts_rg, weights_n)
            for values_n in (worth_n * flagged_n, worth_n, flagged_n)
        )
        estimate = summarise(benefit_r, scores.confidence, n_groups)
        yield {
            "predictor": watched.predictor,
            "outcome": event,
            "condition": condition,
            "threshold": threshold,
            "chosen": threshold == alarm.threshold,
            "net_benefit": estimate.estimate,
            "low": estimate.low,
            "high": estimate.high,
            "for_all": float(for_all_r[0]),
            "share_flagged": float(flagged_r[0]),
            "n_forecasts": int(judged_n.sum()),
            "n_groups": n_groups,
        }
