"""What people scored: how much of the study rests on it, what contradicts, and how far scorers agree."""

from collections.abc import Hashable
from typing import Any

import numpy as np
import pandas as pd

from cellfate.core.fates import UNUSABLE
from cellfate.core.tables import CELL, DISAGREE, USED
from cellfate.core.words import show_count, show_number
from cellfate.report.page import ReportPart, ReportTable
from cellfate.report.tables import as_report_table


def tell_labels(
    cells: pd.DataFrame, splits: pd.DataFrame, findings: pd.DataFrame, agreement: pd.DataFrame, longest: int
) -> ReportPart:
    """Say what rests on labels; nothing where nobody scored.

    Parameters
    ----------
    cells, splits, findings, agreement
        Tables `Cells`, `Splits`, `LabelFindings` and `LabelAgreement`.
    longest
        Rows of a table at most.
    """
    if "labelled" not in cells.columns:
        return ReportPart()
    listed = (_tabulate_findings(findings, longest), _tabulate_agreement(agreement))
    sentences = (
        _write_counts(cells),
        _write_tests(cells, splits),
        *map(_write_agreement, agreement.to_dict("records")),
    )
    return ReportPart(
        sentences=tuple(each for each in sentences if each),
        tables=tuple(table for table in listed if table is not None),
    )


def _write_counts(cells: pd.DataFrame) -> str:
    counts = cells["labelled"].value_counts()
    used = cells[cells["labelled"] == USED]
    frames = used["event_frame"].ne(used["recorded_event_frame"]).fillna(False) & used["event_frame"].notna()
    changed = int((used["fate"].ne(used["recorded_fate"]) | frames).sum())
    words = [
        f"The fate of {show_count(counts.get(USED, 0), 'cell')} of {len(cells):,} is a label that a person gave",
        f"{changed:,} of these differ from what was recorded",
    ]
    if counts.get(UNUSABLE, 0):
        words.append(f"called unusable and set aside: {show_count(counts[UNUSABLE], 'track')}")
    if counts.get(DISAGREE, 0):
        words.append(f"unscored because scorers differ: {show_count(counts[DISAGREE], 'cell')}")
    return "; ".join(words) + "."


def _write_tests(cells: pd.DataFrame, splits: pd.DataFrame) -> str:
    only = cells.loc[cells["training_only"], CELL]
    if only.empty:
        return ""
    trained = pd.MultiIndex.from_frame(only).isin(pd.MultiIndex.from_frame(splits[CELL]))
    return (
        f"Chosen by forecasts, or scored with forecasts in sight: {show_count(len(only), 'cell')}. None of them "
        f"validates or tests, and {int((~trained).sum()):,} rest, because their group is held out."
    )


def _write_agreement(row: dict[Hashable, Any]) -> str:
    """Say how far two scorers agree."""
    both = f"{row['scorer']} and {row['other_scorer']} both scored {show_count(row['n_cells'], 'cell')}"
    if np.isnan(row["kappa"]):
        return f"{both}; {row['reason']}."
    text = f"{both}: Cohen's kappa is {show_number(row['kappa'])}"
    if not np.isnan(row["low"]):
        text += f" ({show_number(row['low'])} to {show_number(row['high'])})"
    if row["n_events"]:
        text += f", and their event frames lie {show_number(row['median_apart_h'])} h apart in the median"
    return f"{text}."


def _tabulate_findings(findings: pd.DataFrame, longest: int) -> ReportTable | None:
    if findings.empty:
        return None
    shown = findings.rename(columns={"recording_id": "recording", "cell_id": "cell"})
    shown = shown.assign(
        recording=shown["recording"].fillna("whole study"),
        cell=shown["cell"].astype("string"),
        check=shown["check"].str.replace("_", " "),
    )
    return as_report_table(shown, "What is odd about labels", longest, folded=True)


def _tabulate_agreement(agreement: pd.DataFrame) -> ReportTable | None:
    if agreement.empty:
        return None
    names = {"scorer": "scorer", "other_scorer": "other scorer", "n_cells": "cells", "n_groups": "groups"}
    names |= {
        "share_same": "said the same",
        "kappa": "Cohen's kappa",
        "low": "from",
        "high": "to",
        "n_events": "events",
    }
    names |= {"median_apart_h": "hours apart, median", "largest_apart_h": "hours apart, most"}
    return as_report_table(agreement[list(names)].rename(columns=names), "How far scorers agree", folded=True)
