"""Conditions compared by what was observed, in words and tables."""

from typing import Any, Final

import pandas as pd

from cellfate.core.tables import EVERYTHING
from cellfate.core.words import (
    EMPTY,
    list_events,
    list_words,
    show_count,
    show_number,
    show_p_value,
    show_score,
    write_hours,
)
from cellfate.report.page import ReportPart, ReportTable
from cellfate.report.tables import as_report_table

CONDITION_TABLES: Final = ("condition_summary", "condition_tests", "dose_response")


def tell_conditions(summary: pd.DataFrame, tests: pd.DataFrame, response: pd.DataFrame) -> ReportPart:
    """Say whether conditions differ, how many cells met each event by when, and how much dose that takes.

    Parameters
    ----------
    summary, tests, response
        Tables `ConditionSummary`, `ConditionTests` and `DoseResponse`.
    """
    if summary.empty:
        return ReportPart(sentences=("Conditions are not compared: no cell met an event that is shown.",))
    if len(summary["curve"].unique()) == 1:
        one = f"Conditions are not compared: all cells are of one, {summary['curve'].iloc[0]}."
        return ReportPart(sentences=(one,), tables=(_tabulate_summary(summary),))
    tables = [_tabulate_summary(summary), _tabulate_tests(tests)]
    tables += [_tabulate_response(response)] if len(response) else []
    return ReportPart(sentences=(_write_tests(tests),), tables=tuple(tables))


def _write_tests(tests: pd.DataFrame) -> str:
    whole = tests.drop_duplicates("outcome")
    said = list_words(_write_test(row) for _, row in whole.iterrows())
    n_units = show_count(whole["n_units"].max(), "group")
    return f"Do conditions differ? Gray's test, its p value from dealing out {n_units} anew: {said}."


def _write_test(row: "pd.Series[Any]") -> str:
    if pd.isna(row["p_value"]):
        return f"{row['outcome']} cannot be told ({row['reason']})"
    bound = f" ({row['reason']})" if pd.notna(row["reason"]) else ""
    return f"{row['outcome']} p {show_p_value(row['p_value'])}{bound}"


def _tabulate_summary(summary: pd.DataFrame) -> ReportTable:
    events = list_events(summary["outcome"])
    rows = summary.assign(place=summary["outcome"].map(events.index)).sort_values("place", kind="stable")
    by_h = write_hours(float(rows["by_h"].iloc[0]))
    frame = pd.DataFrame(
        {
            "event": rows["outcome"].to_list(),
            "condition": rows["curve"].to_list(),
            "cells": rows["n_cells"].to_list(),
            "groups": rows["n_groups"].to_list(),
            f"share by {by_h}": _show(rows, "incidence", "", 2),
            "hours until half": _show(rows, "half_h", "half_", 1),
            "because": rows["reason"].fillna("").to_list(),
        }
    )
    since = rows["since"].iloc[0]
    return as_report_table(frame, f"Observed in each condition, hours since the {since} (Aalen-Johansen)")


def _show(rows: pd.DataFrame, value: str, prefix: str, decimals: int) -> list[str]:
    ends = rows[[value, f"{prefix}low", f"{prefix}high"]].to_numpy(float)
    return [EMPTY if pd.isna(found) else show_score(found, low, high, decimals) for found, low, high in ends]


def _tabulate_tests(tests: pd.DataFrame) -> ReportTable:
    frame = pd.DataFrame(
        {
            "event": tests["outcome"].to_list(),
            "compared": [_name_pair(row) for _, row in tests.iterrows()],
            "groups": tests["n_units"].to_list(),
            "Gray's statistic": [show_number(value) for value in tests["statistic"]],
            "p by groups": _show_p(tests["p_value"]),
            "corrected (Holm)": _show_p(tests["p_corrected"]),
            "smallest possible": _show_p(tests["least_p"]),
            "p of cells": _show_p(tests["p_of_cells"]),
            "because": tests["reason"].fillna("").to_list(),
        }
    )
    caption = "Gray's test of conditions; p of cells, as if those of a group had nothing in common, is too small"
    return as_report_table(frame, caption, folded=True)


def _show_p(values: "pd.Series[float]") -> list[str]:
    return [EMPTY if pd.isna(p) else show_p_value(p) for p in values]


def _name_pair(row: "pd.Series[Any]") -> str:
    return "all" if row["compared"] == EVERYTHING else f"{row['compared']} against {row['reference']}"


def _tabulate_response(response: pd.DataFrame) -> ReportTable:
    halves = _show(response, "half_dose", "half_", 3)
    frame = pd.DataFrame(
        {
            "condition": response["condition"].to_list(),
            "event": response["outcome"].to_list(),
            "doses": response["n_doses"].to_list(),
            "share without": [show_number(share) for share in response["bottom"]],
            "share at most": [show_number(share) for share in response["top"]],
            "half-way dose": [f"{half} {unit}".strip() for half, unit in zip(halves, response["unit"], strict=True)],
            "slope": [show_number(slope) for slope in response["slope"]],
            "because": response["reason"].fillna("").to_list(),
        }
    )
    by_h = write_hours(float(response["by_h"].iloc[0]))
    return as_report_table(frame, f"Response to the dose by {by_h}: log-logistic curves")
