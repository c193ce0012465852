"""Tables of the report: what went in, what was left out, how it was split, what was scored."""

from collections.abc import Sequence
from typing import Any

import pandas as pd
from pydantic import BaseModel

from cellfate.core.fates import FATES, OUTCOMES
from cellfate.core.tables import PARTS, WITHIN_DOSES
from cellfate.plots.preflight import name_check
from cellfate.plots.words import order_doses
from cellfate.report.page import ReportTable
from cellfate.report.words import capitalise, list_words, name_metric, name_predictor, show_cell, show_interval


def as_report_table(frame: pd.DataFrame, caption: str, longest: int | None = None, folded: bool = False) -> ReportTable:
    """Write a table as text, its columns named with spaces, cut after `longest` rows."""
    shown = frame if longest is None else frame.head(longest)
    return ReportTable(
        caption=caption,
        columns=tuple(capitalise(str(name).removeprefix("n_").replace("_", " ")) for name in frame.columns),
        rows=tuple(tuple(show_cell(value) for value in row) for row in shown.astype(object).to_numpy().tolist()),
        left_out=len(frame) - len(shown),
        folded=folded,
    )


def write_preflight(findings: pd.DataFrame, summary: pd.DataFrame) -> str:
    """Write how much the preflight found, in one sentence."""
    counts = findings.groupby("severity")["n_cases"].sum()
    errors, warnings = (int(counts.get(severity, 0)) for severity in ("error", "warning"))
    bad, odd = (int((summary[name] > 0).sum()) for name in ("n_errors", "n_warnings"))
    return (
        f"Found here: {errors:,} error{'s' * (errors != 1)} in {bad:,} and {warnings:,} warning{'s' * (warnings != 1)} "
        f"in {odd:,} of {len(summary):,} recording{'s' * (len(summary) != 1)}."
    )


def tabulate_findings(findings: pd.DataFrame) -> ReportTable:
    """Count the findings of each check, errors first, with the first of them as an example."""
    grouped = findings.groupby(["severity", "check"], sort=False)
    frame = pd.DataFrame(
        {
            "severity": [severity for (severity, _), _ in grouped],
            "check": [name_check(str(check)) for (_, check), _ in grouped],
            "findings": grouped["n_cases"].sum().to_list(),
            "recordings": grouped["recording_id"].nunique().to_list(),
            "for example": grouped["finding"].first().to_list(),
        }
    )
    return as_report_table(frame, "What the preflight found, by check")


def list_findings(findings: pd.DataFrame, longest: int) -> ReportTable:
    """List the findings one by one, errors first; those without a recording are of the whole folder."""
    shown = findings[["severity", "recording_id", "file", "cell_id", "frame", "finding"]]
    shown = shown.assign(recording_id=shown["recording_id"].fillna("whole folder"))
    shown = shown.rename(columns={"recording_id": "recording", "cell_id": "cell"})
    return as_report_table(shown, "Every finding, with file and cell", longest, folded=True)


def tabulate_recordings(recordings: pd.DataFrame, frame_files: pd.DataFrame, cells: pd.DataFrame) -> ReportTable:
    """List one line a fact about the recordings that were used."""
    facts = {
        "Recordings": len(recordings),
        "Frames": len(frame_files[["recording_id", "frame"]].drop_duplicates()),
        "Tracked cells": len(cells),
        "Groups (unit of the split and of the intervals)": cells["group_id"].nunique(),
        "Channels": list_words(dict.fromkeys("|".join(recordings["channels"]).split("|"))),
        "Conditions": list_words(sorted(set(recordings["condition"]))),
        "Frame interval (min)": _list_different(recordings["frame_interval_min"]),
        "Pixel size (µm)": _list_different(recordings["pixel_size_um"]),
        "Image height (px)": _list_different(recordings["height_px"]),
        "Image width (px)": _list_different(recordings["width_px"]),
    }
    frame = pd.DataFrame({"fact": list(facts), "value": list(facts.values())})
    return as_report_table(frame, "Recordings that were used")


def tabulate_fates(cells: pd.DataFrame, recordings: pd.DataFrame) -> ReportTable:
    """Count the cells of each fate, one row a dose, and all doses together."""
    with_dose = cells.merge(recordings[["recording_id", "dose"]], on="recording_id")
    return count_fates(with_dose, "Fates of the tracked cells, by dose (cells)")


def count_fates(with_dose: pd.DataFrame, caption: str) -> ReportTable:
    """Count rows with a dose and a fate, one row a dose, and all doses together."""
    counts = pd.crosstab(with_dose["dose"], with_dose["fate"]).reindex(
        index=order_doses(with_dose["dose"].tolist()), columns=list(FATES), fill_value=0
    )
    if len(counts) > 1:
        counts = pd.concat([counts, counts.sum().to_frame("all doses").T])
    counts = counts.assign(cells=counts.sum(axis=1))
    return as_report_table(counts.rename_axis("dose").reset_index(), caption)


def tabulate_set_aside(recordings_set_aside: pd.DataFrame, tracks_set_aside: pd.DataFrame, longest: int) -> ReportTable:
    """List recordings and tracks that were not used, each with its reason."""
    frame = pd.concat([recordings_set_aside, tracks_set_aside], ignore_index=True)
    frame = frame[["recording_id", "cell_id", "stage", "reason"]]
    whole = frame["cell_id"].isna()
    frame = frame.astype({"cell_id": object}).assign(
        cell_id=frame["cell_id"].astype(object).where(~whole, "whole recording")
    )
    return as_report_table(frame, "Recordings and tracks set aside, with the reason", longest)


def tabulate_excluded(
    samples_excluded: pd.DataFrame, longest: int, caption: str = "What gave no sample, counted by reason"
) -> ReportTable:
    """Count what was left out, by reason."""
    counts = (
        samples_excluded.groupby(["stage", "reason"], sort=False)
        .agg(rows=("recording_id", "size"), recordings=("recording_id", "nunique"))
        .reset_index()
        .sort_values("rows", ascending=False)
    )
    return as_report_table(counts, caption, longest)


def tabulate_parts(samples: pd.DataFrame, splits: pd.DataFrame, leakage: pd.DataFrame) -> ReportTable:
    """Count samples, cells, groups and outcomes of each part; list what its cells share with training."""
    joined = splits.merge(samples, on="sample_id")
    outcomes = [outcome for outcome in OUTCOMES if (joined["outcome"] == outcome).any()]
    parts = joined.groupby(["fold", "part"])
    counts = parts.agg(samples=("sample_id", "size"), groups=("group_id", "nunique"))
    counts.insert(1, "cells", parts.apply(lambda part: len(part[["recording_id", "cell_id"]].drop_duplicates())))
    by_outcome = {
        name: (joined["outcome"] == name).groupby([joined["fold"], joined["part"]]).sum() for name in outcomes
    }
    shares = [f"share_{what}" for what in ("recording", "lineage", "sister")]
    table = (
        counts.assign(**by_outcome)
        .reset_index()
        .merge(leakage[["fold", "part", *shares]], on=["fold", "part"], how="left")
    )
    table = table.assign(rank=table["part"].map(PARTS.index)).sort_values(["fold", "rank"]).drop(columns="rank")
    named = table.rename(columns={name: f"{name.replace('_', ' a ')} with training" for name in shares})
    scheme = list_words(splits["scheme"].unique())
    caption = f"Parts of the split ({scheme}): counts, and shares of the cells (0 to 1; a dash: not known)"
    return as_report_table(named, caption)


def tabulate_scores(metrics: pd.DataFrame, predictor: str) -> ReportTable:
    """List all scores of a predictor over all doses."""
    rows = metrics[(metrics["predictor"] == predictor) & (metrics["condition"] == "all")]
    frame = pd.DataFrame(
        {
            "score": [capitalise(name_metric(metric)) for metric in rows["metric"]],
            "of": rows["outcome"].to_list(),
            "estimate": [_show_estimate(value) for value in rows["estimate"]],
            "interval": [show_interval(low, high) for low, high in zip(rows["low"], rows["high"], strict=True)],
        }
    )
    return as_report_table(frame, f"Every score of {name_predictor(predictor)} on the test part", folded=True)


def tabulate_doses(metrics: pd.DataFrame, predictor: str, leading: Sequence[str]) -> ReportTable:
    """List the headline scores of a predictor within each dose."""
    rows = metrics[
        (metrics["predictor"] == predictor) & (metrics["condition"] != "all") & metrics["metric"].isin(leading)
    ]
    rows = rows[(rows["metric"] != "average_precision") | (rows["outcome"] != "all")]
    order = [*order_doses([name for name in rows["condition"] if name != WITHIN_DOSES]), WITHIN_DOSES]
    rows = rows.assign(rank=rows["condition"].map(order.index)).sort_values(["metric", "rank"])
    frame = pd.DataFrame(
        {
            "dose": ["mean within doses" if name == WITHIN_DOSES else name for name in rows["condition"]],
            "score": [capitalise(name_metric(metric)) for metric in rows["metric"]],
            "estimate": [_show_estimate(value) for value in rows["estimate"]],
            "interval": [show_interval(low, high) for low, high in zip(rows["low"], rows["high"], strict=True)],
            "cells": rows["n_cells"].to_list(),
            "groups": rows["n_groups"].to_list(),
        }
    )
    return as_report_table(frame, "Within each dose")


def tabulate_mapping(values: dict[str, Any], caption: str, heads: tuple[str, str], folded: bool = True) -> ReportTable:
    """List names and values, nested names joined with dots."""
    flat = flatten(values)
    rows = tuple((name, _show_value(value)) for name, value in flat.items())
    return ReportTable(caption, heads, rows, folded=folded)


def flatten(values: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Make one mapping of nested ones and of settings, names joined with dots.

    Examples
    --------
    >>> flatten({"a": {"b": 1, "c": [2]}, "d": [{"e": 3}]})
    {'a.b': 1, 'a.c': [2], 'd.0.e': 3}
    """
    flat: dict[str, Any] = {}
    for name, value in values.items():
        full = f"{prefix}{name}"
        if isinstance(value, BaseModel):
            value = value.model_dump(mode="json")
        if isinstance(value, list | tuple) and any(isinstance(item, dict | BaseModel) for item in value):
            value = dict(enumerate(value))
        if isinstance(value, dict) and value:
            flat |= flatten(value, f"{full}.")
        else:
            flat[full] = value
    return flat


def _list_different(column: pd.Series) -> str:
    values = sorted(column.dropna().unique().tolist())
    return list_words(show_cell(value) for value in values) if values else "not given"


def _show_estimate(value: float) -> str:
    return "not defined" if pd.isna(value) else f"{value:.3f}"


def _show_value(value: Any) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(_show_value(item) for item in value) or "none"
    return "null" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
