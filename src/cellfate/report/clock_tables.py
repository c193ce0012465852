"""Tables on the page of the fate clock: its parts, its scores, and how early it committed itself."""

from collections.abc import Collection
from typing import Final

import numpy as np
import pandas as pd

from cellfate.core.fates import CENSORED, FATES
from cellfate.core.tables import EVERYTHING, PARTS
from cellfate.plots.incidence_words import choose_leading, order_predictors
from cellfate.plots.words import name_predictor, order_doses
from cellfate.report.page import ReportTable
from cellfate.report.tables import as_report_table
from cellfate.report.words import capitalise, list_words, name_metric, show_cell, show_interval, show_number

_COMMITTED: Final = {
    "share_right": "called right at the last frame",
    "share_right_of_committed": "right among the called",
    "share_committed": "called any event",
    "median_lead_h": "median hours before the event, of those called right",
}


def tabulate_clock_parts(follow_ups: pd.DataFrame, splits: pd.DataFrame, landmarks: pd.DataFrame) -> ReportTable:
    """Count cells, groups, fates and landmarks of each part."""
    scored = landmarks.groupby(["recording_id", "cell_id"]).size().rename("landmarks").reset_index()
    joined = splits.merge(follow_ups, on="sample_id").merge(scored, on=["recording_id", "cell_id"], how="left")
    parts = joined.groupby(["fold", "part"])
    counts = parts.agg(cells=("sample_id", "size"), groups=("group_id", "nunique"), landmarks=("landmarks", "sum"))
    fates = {fate: (joined["fate"] == fate).groupby([joined["fold"], joined["part"]]).sum() for fate in FATES}
    table = counts.assign(**fates).astype(int).reset_index()
    table = table.assign(rank=table["part"].map(PARTS.index)).sort_values(["fold", "rank"]).drop(columns="rank")
    return as_report_table(table, f"Parts of the split ({list_words(splits['scheme'].unique())})")


def tabulate_clock_doses(metrics: pd.DataFrame, headline_h: float) -> ReportTable:
    """List the headline scores of the leading predictor within each dose."""
    rows = _of_leading(metrics)
    rows = rows[np.isclose(rows["within_h"], headline_h) & (rows["condition"] != EVERYTHING)]
    rows = rows[rows["metric"].isin(["auroc", "average_precision"])]
    order = order_doses(rows["condition"])
    rows = rows.assign(rank=rows["condition"].map(order.index)).sort_values(["outcome", "metric", "rank"])
    frame = pd.DataFrame({"event": rows["outcome"], "dose": rows["condition"], **_show_scores(rows)})
    return as_report_table(frame, f"Within each dose, {_name_leading(metrics)}, within {headline_h:g} h", folded=True)


def tabulate_clock_scores(metrics: pd.DataFrame) -> ReportTable:
    """List every score of the leading predictor over all doses."""
    rows = _of_leading(metrics)
    rows = rows[rows["condition"] == EVERYTHING]
    frame = pd.DataFrame({"event": rows["outcome"], "within (h)": rows["within_h"], **_show_scores(rows)})
    return as_report_table(frame, f"Every score on the test part, {_name_leading(metrics)}", folded=True)


def _of_leading(metrics: pd.DataFrame) -> pd.DataFrame:
    return metrics[metrics["predictor"] == choose_leading(metrics["predictor"])] if len(metrics) else metrics


def _name_leading(metrics: pd.DataFrame) -> str:
    return name_predictor(choose_leading(metrics["predictor"])) if len(metrics) else "nothing was scored"


def _show_scores(rows: pd.DataFrame) -> dict[str, list[str] | pd.Series]:
    return {
        "score": [capitalise(name_metric(metric)) for metric in rows["metric"]],
        "estimate": [show_number(value, 3) for value in rows["estimate"]],
        "interval": [show_interval(low, high) for low, high in zip(rows["low"], rows["high"], strict=True)],
        "events": rows["n_events"],
        "landmarks": rows["n_samples"],
        "cells": rows["n_cells"],
        "groups": rows["n_groups"],
    }


def tabulate_commitments(summary: pd.DataFrame, events: Collection[str]) -> ReportTable:
    """List by fate and predictor how many cells were called right at the last frame shown, and how early."""
    caption = "Calls at the last frame shown, and how early they stood (with intervals)"
    if summary.empty:
        return ReportTable(caption, ("Fate", "Predictor", "Cells"), ())
    rows = []
    for fate in (fate for fate in FATES if fate in (*events, CENSORED)):
        for predictor in order_predictors(summary["predictor"]):
            found = summary[(summary["fate"] == fate) & (summary["predictor"] == predictor)]
            if len(found):
                shown = tuple(_show_summary(found, metric) for metric in _COMMITTED)
                rows.append((fate, name_predictor(predictor), show_cell(int(found["n_cells"].max())), *shown))
    return ReportTable(caption, ("Fate", "Predictor", "Cells", *map(capitalise, _COMMITTED.values())), tuple(rows))


def _show_summary(found: pd.DataFrame, metric: str) -> str:
    row = found[found["metric"] == metric]
    if row.empty:
        return ""
    estimate, low, high = row[["estimate", "low", "high"]].to_numpy(float)[0]
    decimals = 1 if metric == "median_lead_h" else 2
    value = show_number(estimate, decimals)
    return value if np.isnan(estimate) else f"{value} ({show_interval(low, high, decimals)})"
