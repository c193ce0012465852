"""How often an alarm is right, in sentences and in a table."""

from typing import Final

import pandas as pd

from cellfate.cohort.settings import FollowUpSettings
from cellfate.core.predictors import choose_leading, label_predictor, name_predictor, order_predictors
from cellfate.core.tables import EVERYTHING
from cellfate.core.words import (
    capitalise,
    list_events,
    name_dose,
    order_doses,
    show_count,
    show_interval,
    show_percent,
    show_score,
    write_hours,
)
from cellfate.prediction.settings import AlarmSettings
from cellfate.report.page import ReportTable
from cellfate.report.tables import as_report_table

_MEASURES: Final = {
    "predictive_value": "alarms that are right",
    "share_foretold": "events foretold in time",
    "false_per_100_h": "false alarms in 100 h of a cell",
    "median_warning_h": "median warning (h)",
    "share_unknown": "answer not known",
}


def write_alarms(summary: pd.DataFrame, follow_up: FollowUpSettings, alarm: AlarmSettings) -> tuple[str, ...]:
    """Write the rule, and what the alarms of the leading predictor are worth, a sentence an event.

    Parameters
    ----------
    summary
        Table `AlarmSummary`; without rows nothing is written.
    follow_up, alarm
        Guard and horizon; threshold and frames on end.
    """
    rows = summary[summary["chosen"] & (summary["condition"] == EVERYTHING)]
    leading = choose_leading(rows["predictor"])
    if leading is None:
        return ()
    within = write_hours(follow_up.headline_h)
    held = f", for {alarm.frames_on_end} frames on end" if alarm.frames_on_end > 1 else ""
    rule = (
        f"An alarm is raised where the probability of an event within {within} reaches {alarm.threshold:.2g} and no "
        f"other event is likelier{held}. That follows from the costs that were set, {alarm.cost_false:g} for a false "
        f"alarm and {alarm.cost_miss:g} for a missed event; it is not tuned."
    )
    guard = (
        f"All of it holds given the guard: the last {write_hours(follow_up.guard_h)} before every event are never "
        "shown, so that nobody is warned by what dying or dividing looks like."
    )
    told = [
        _write_event(name_predictor(leading), event, _select(rows, event, EVERYTHING, leading))
        for event in list_events(rows["outcome"])
    ]
    return (rule, *told, guard)


def _write_event(predictor: str, event: str, found: pd.DataFrame) -> str:
    by_metric = {str(row["metric"]): row for _, row in found.iterrows()}
    right, foretold, false = (by_metric[name] for name in ("predictive_value", "share_foretold", "false_per_100_h"))
    said = capitalise(f"{predictor} raised {show_count(right['n_alarms'], 'alarm')} of {event}")
    if pd.isna(right["estimate"]):
        said = f"{said}: {right['reason']}."
    else:
        wide = show_interval(100 * right["low"], 100 * right["high"], 0)
        said = f"{said}; of {right['n']:,} with a known answer {show_percent(right['estimate'])} ({wide}) were right."
    if pd.notna(foretold["estimate"]):
        n_foretold = round(foretold["estimate"] * foretold["n"])
        warning = by_metric["median_warning_h"]["estimate"]
        early = f", half of them {write_hours(warning)} before or earlier" if pd.notna(warning) else ""
        said += f" {n_foretold:,} of {show_count(foretold['n'], 'event')} were foretold in time{early}."
    if pd.notna(false["estimate"]):
        said += f" In 100 hours of forecasts of a cell {false['estimate']:.2g} alarms were false."
    return said


def tabulate_alarms(summary: pd.DataFrame) -> ReportTable | None:
    """List the measures of alarms at the chosen threshold: every predictor over all cells, the leading one by dose.

    Parameters
    ----------
    summary
        Table `AlarmSummary`; None is given for one without rows.
    """
    rows = summary[summary["chosen"]]
    leading = choose_leading(rows["predictor"])
    if leading is None:
        return None
    asked = [(EVERYTHING, name) for name in order_predictors(rows["predictor"])]
    asked += [(dose, leading) for dose in order_doses(rows["condition"]) if dose != EVERYTHING]
    listed = [
        {
            "event": event,
            "predictor": label_predictor(name),
            "cells": name_dose(dose),
            "alarms": int(found["n_alarms"].iloc[0]),
            **{_MEASURES[row["metric"]]: _show(row) for _, row in found.iterrows()},
        }
        for event in list_events(rows["outcome"])
        for dose, name in asked
        if len(found := _select(rows, event, dose, name))
    ]
    near_h = "alarms whose recording ends before the horizon count for the events foretold only"
    return as_report_table(pd.DataFrame(listed), f"Alarms at the chosen threshold; {near_h}", folded=True)


def _select(rows: pd.DataFrame, event: str, dose: str, predictor: str) -> pd.DataFrame:
    """Rows of the measures, in the order of `_MEASURES`."""
    of_event = (rows["outcome"] == event) & (rows["condition"] == dose) & (rows["predictor"] == predictor)
    return rows[of_event].sort_values("metric", key=lambda names: names.map(list(_MEASURES).index))


def _show(row: pd.Series) -> str:
    """Write a measure with its interval and what it is over."""
    shown = show_score(row["estimate"], row["low"], row["high"], 1 if row["metric"] == "median_warning_h" else 2)
    return shown if row["metric"] == "false_per_100_h" or pd.isna(row["estimate"]) else f"{shown}, n = {row['n']:,}"
