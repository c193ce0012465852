"""The chapter on published figures: a few sentences and folded tables."""

from collections.abc import Mapping
from typing import Any, Final

import pandas as pd

from cellfate.core.tables import EVERYTHING
from cellfate.core.words import EMPTY, capitalise, name_feature, name_metric, show_number, show_score
from cellfate.report.page import ReportPart
from cellfate.report.reproduction import NO_TABLES
from cellfate.report.tables import as_report_table

_TABLES: Final = {
    "The test set": ("T1",),
    "Balanced accuracy of shortened tracks": ("T2", "T3", "T4"),
    "Frames of most attention against the rest (Cliff's delta, median over cells)": ("T5", "T6"),
}
_WORDS: Final = {
    "median_delta": "Cliff's delta",
    "whole_deltas": "deltas are whole numbers of pairs (share of cells)",
    "identical_deltas": "area and equivalent diameter have the same delta (share of cells)",
    "remove_last": "Last {} frames removed",
    "keep_last": "Last {} frames kept",
}
_DECIMALS: Final = {"T1": 5, "T2": 4, "T3": 3, "T4": 4, "T5": 3, "T6": 2}
"""Decimals of the published figures."""


def tabulate_reproduction(reproduction: pd.DataFrame) -> ReportPart:
    """Show published figures, computed again, beside those of this study.

    Parameters
    ----------
    reproduction
        Table `Reproduction`; of shortened tracks the balanced accuracy alone is shown, and nothing where no figure
        has a counterpart in this study.
    """
    known = reproduction[reproduction["here"].notna()]
    if known.empty:
        return ReportPart()
    said = [
        f"Of {len(reproduction)} published figures, {len(known)} have a counterpart here; table reproduction has all."
    ]
    clauses = dict.fromkeys(clause for text in known["differs"] for clause in text.split("; "))
    said.append(f"Agreement is no proof and a difference no error: {'; '.join(clauses)}.")
    if (reproduction["recomputed_from"] == NO_TABLES).any():
        said.append(f"Where nothing is recomputed, {NO_TABLES}.")
    tables = []
    for caption, items in _TABLES.items():
        rows = reproduction[reproduction["item"].isin(items)]
        rows = rows[rows["experiment"].isna() | (rows["quantity"] == "balanced_accuracy")]
        shown = pd.DataFrame([_show(row) for row in rows.to_dict("records")])
        tables.append(as_report_table(shown, caption, folded=True))
    return ReportPart(sentences=tuple(said), tables=tuple(tables))


def _show(row: Mapping[Any, Any]) -> dict[str, str]:
    decimals = _DECIMALS[row["item"]]
    again = EMPTY if pd.isna(row["recomputed"]) else show_number(row["recomputed"], decimals)
    here = str(row["reason"]) if pd.isna(row["here"]) else show_score(row["here"], row["low"], row["high"])
    return {
        "figure": _name(row),
        "published": show_number(row["published"], decimals),
        "recomputed": again,
        "here": here,
        "cells_here": f"{row['n_cells']:,}" if row["n_cells"] else EMPTY,
    }


def _name(row: Mapping[Any, Any]) -> str:
    words = [capitalise(_WORDS.get(str(row["quantity"]), name_metric(str(row["quantity"]))))]
    if not pd.isna(row["experiment"]):
        words = [_WORDS[str(row["experiment"])].format(row["k_frames"])]
    if not pd.isna(row["feature"]):
        words = [name_feature(str(row["feature"]))]
    second = ["second test set"] if row["item"] == "T4" else []
    return ", ".join([*words, *second, *([] if row["outcome"] == EVERYTHING else [str(row["outcome"])])])
