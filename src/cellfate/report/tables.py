"""Tables of the report: scores in numbers, what went in, what was left out, how it was split."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

import pandas as pd
from pydantic import BaseModel

from cellfate.cohort.landmarks import asks_which_fate
from cellfate.core.fates import CENSORED, EVENTS, FATES
from cellfate.core.predictors import choose_leading, label_predictor, order_predictors, what_it_sees
from cellfate.core.tables import CELL, EVERYTHING, PARTS
from cellfate.core.words import (
    capitalise,
    list_events,
    list_words,
    name_asked,
    name_metric,
    name_outcome,
    name_question,
    order_doses,
    show_cell,
    show_count,
    show_difference,
    show_interval,
    show_number,
    show_score,
)
from cellfate.plots.cells import choose_called
from cellfate.plots.curves import CALIBRATION
from cellfate.plots.preflight import name_check
from cellfate.plots.theme import at_question
from cellfate.report.headline import Key, find_difference, find_row, headline_keys
from cellfate.report.page import ReportTable

_COMMITMENTS: Final = {
    "share_called": "called any event at the last frame shown",
    "share_from_first": "of those called rightly, so from their first forecast on",
    "median_lead_h": "median commitment time of the right ones (h before the event)",
}


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
    found = [
        f"{show_count(counts.get(severity, 0), severity)} in {int((summary[f'n_{severity}s'] > 0).sum()):,}"
        for severity in ("error", "warning")
    ]
    return f"Found here: {' and '.join(found)} of {show_count(len(summary), 'recording')}."


def tabulate_findings(findings: pd.DataFrame) -> ReportTable:
    """Count the cases of each check, the gravest first, with the finding that stands for most of them."""
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
    """List the findings, a row a check and recording; those without a recording are of the whole folder."""
    shown = findings[["severity", "recording_id", "file", "cell_id", "frame", "n_cases", "finding"]]
    names = {name: shown[name].astype("string") for name in ("cell_id", "frame")}  # an id has no thousands
    shown = shown.assign(recording_id=shown["recording_id"].fillna("whole folder"), **names)
    shown = shown.rename(columns={"recording_id": "recording", "cell_id": "cell"})
    return as_report_table(
        shown,
        "Every recording, with the worst case of each check; each case is in preflight_cases.csv",
        longest,
        folded=True,
    )


def tabulate_recordings(recordings: pd.DataFrame, frame_files: pd.DataFrame, cells: pd.DataFrame) -> ReportTable:
    """List one line a fact about the recordings that were used."""
    shows = recordings["height_px"].gt(0).any()
    of_images = {
        "Channels": list_words(dict.fromkeys("|".join(recordings["channels"]).split("|"))),
        "Pixel size (µm)": _list_different(recordings["pixel_size_um"]),
        "Image height (px)": _list_different(recordings["height_px"]),
        "Image width (px)": _list_different(recordings["width_px"]),
    }
    n_frames = len(frame_files[["recording_id", "frame"]].drop_duplicates()) if shows else recordings["n_frames"].sum()
    facts = {
        "Recordings": len(recordings),
        "Frames": n_frames,
        "Tracked cells": len(cells),
        "Groups (unit of the split and of the intervals)": cells["group_id"].nunique(),
        "Conditions": list_words(sorted(set(recordings["condition"]))),
        "Frame interval (min)": _list_different(recordings["frame_interval_min"]),
        **(of_images if shows else {"Images": "none: tables of traces"}),
    }
    frame = pd.DataFrame({"fact": list(facts), "value": list(facts.values())})
    return as_report_table(frame, "Recordings that were used")


def tabulate_fates(
    cells: pd.DataFrame, recordings: pd.DataFrame, follow_ups: pd.DataFrame, landmarks: pd.DataFrame
) -> ReportTable:
    """Count the tracked cells of each fate by dose, those that were followed, and of these those old enough."""
    with_dose = cells.merge(recordings[["recording_id", "dose"]], on="recording_id")
    counts = pd.crosstab(with_dose["dose"], with_dose["fate"]).reindex(
        index=order_doses(with_dose["dose"]), columns=list(FATES), fill_value=0
    )
    counts = counts.loc[:, [fate for fate in FATES if fate != "unscored" or counts[fate].any()]]
    asked = landmarks.drop_duplicates(CELL)["dose"].value_counts()
    followed = follow_ups["dose"].value_counts()
    counts = counts.assign(cells=counts.sum(axis=1), followed=followed, old_enough_to_be_asked=asked)
    counts = counts.fillna(0).astype(int)
    if len(counts) > 1:
        counts = pd.concat([counts, counts.sum().to_frame("all doses").T])
    return as_report_table(counts.rename_axis("dose").reset_index(), "Fates of the tracked cells, by dose (cells)")


def tabulate_left_out(tables: Sequence[pd.DataFrame], longest: int) -> ReportTable:
    """Count what was left out, by reason: recordings, tracks and cells.

    Parameters
    ----------
    tables
        Tables `SetAside`.
    longest
        Most rows.
    """
    joined = pd.concat([table.astype({"cell_id": object}) for table in tables], ignore_index=True)
    whole = joined["cell_id"].isna()
    grouped = joined.assign(recordings=whole, cells=~whole).groupby(["stage", "reason"], sort=False)
    counts = grouped.agg(recordings=("recordings", "sum"), cells=("cells", "sum"), first=("recording_id", "first"))
    counts = counts.reset_index().rename(columns={"first": "for example recording"})
    return as_report_table(counts, "Left out, by reason; cells too young to be forecast are followed too", longest)


def tabulate_parts(follow_ups: pd.DataFrame, landmarks: pd.DataFrame, splits: pd.DataFrame) -> ReportTable:
    """Count cells, groups, fates and landmarks of each part."""
    asked = landmarks.assign(which_fate=asks_which_fate(landmarks))
    of_cell = asked.assign(old=~asked.duplicated(CELL)).groupby(CELL)[["old", "which_fate", "regular"]].sum()
    joined = splits.merge(follow_ups, on=CELL).merge(of_cell.reset_index(), on=CELL, how="left")
    fates = {fate: (joined["fate"] == fate).astype(int) for fate in (*EVENTS, CENSORED)}
    counts = joined.assign(**fates).groupby(["fold", "part"], as_index=False)
    table = counts.agg(
        cells=("cell_id", "size"),
        groups=("group_id", "nunique"),
        **{fate: (fate, "sum") for fate in fates},
        old_enough=("old", "sum"),
        asked_which_fate=("which_fate", "sum"),
        landmarks_within_hours=("regular", "sum"),
    )
    table = table.fillna(0).astype({"old_enough": int, "asked_which_fate": int, "landmarks_within_hours": int})
    table = table.assign(rank=table["part"].map(PARTS.index)).sort_values(["fold", "rank"]).drop(columns="rank")
    return as_report_table(table, f"Parts of the split ({list_words(splits['scheme'].unique())})")


def tabulate_beside(
    metrics: pd.DataFrame, comparisons: pd.DataFrame, within_h: float | None, images: bool = True
) -> ReportTable | None:
    """List the headline scores of every predictor, and how much higher the model's are; None: nothing was scored.

    Parameters
    ----------
    metrics, comparisons
        Tables of the same names.
    within_h
        Hours within which something happens; None: which fate comes.
    images
        Whether the study has images.
    """
    scored = at_question(metrics[metrics["condition"] == EVERYTHING], within_h)
    compared = at_question(comparisons, within_h)
    keys, predictors = headline_keys(scored, within_h), order_predictors(scored["predictor"])
    if not keys:
        return None
    ranks = [[("auroc", event), ("average_precision", event)] for event in list_events(scored["outcome"])]
    blocks = [[*keys, *ranks[0]]] if within_h is None and ranks else ranks or [keys]
    shown = (scored, compared, predictors[0], images)
    rows = [_list_beside(*shown, block, name) for block in blocks for name in predictors]
    heads = [capitalise(name_metric(metric)) for metric, _ in blocks[0]]
    minus = f"{label_predictor(predictors[0])} minus this one"
    columns = ("Outcome", "Predictor", "What it sees", heads[0], minus, *heads[1:])
    return ReportTable(f"Every predictor: {name_question(within_h)}", columns, tuple(rows), folded=True)


def _list_beside(
    scored: pd.DataFrame, compared: pd.DataFrame, leading: str, images: bool, keys: Sequence[Key], predictor: str
) -> tuple[str, ...]:
    found = [find_row(scored, key, predictor=predictor) for key in keys]
    scores = ["not scored" if row is None else show_score(row["estimate"], row["low"], row["high"]) for row in found]
    difference = find_difference(compared, keys[0], leading, predictor)
    minus = "" if difference is None else show_difference(*difference)
    outcome = name_outcome(keys[-1][1])
    return (outcome, label_predictor(predictor), what_it_sees(predictor, images), scores[0], minus, *scores[1:])


def tabulate_scores(metrics: pd.DataFrame, within_h: float | None) -> ReportTable | None:
    """List every score of the leading predictor over all doses; None: nothing was scored.

    Parameters
    ----------
    metrics
        Table `Metrics`.
    within_h
        None: which fate comes; else what happens within hours, of every horizon.
    """
    rows = metrics[metrics["within_h"].isna() == (within_h is None)]
    leading = choose_leading(rows["predictor"])
    rows = rows[(rows["predictor"] == leading) & (rows["condition"] == EVERYTHING)]
    if leading is None or rows.empty:
        return None
    frame = pd.DataFrame(
        {
            "of": [name_asked(name_outcome(of), h) for of, h in zip(rows["outcome"], rows["within_h"], strict=True)],
            "score": [capitalise(name_metric(metric)) for metric in rows["metric"]],
            "estimate": [show_number(value, 3) for value in rows["estimate"]],
            "interval": [show_interval(low, high, 3) for low, high in zip(rows["low"], rows["high"], strict=True)],
            "events": rows["n_events"].to_list(),
            "landmarks": rows["n_landmarks"].to_list(),
            "groups": rows["n_groups"].to_list(),
            "groups with it": rows["n_event_groups"].to_list(),
            "not defined because": rows["reason"].fillna("").to_list(),
        }
    )
    return as_report_table(frame, f"Every score, {label_predictor(leading)}", folded=True)


def tabulate_calibration(metrics: pd.DataFrame, within_h: float | None) -> ReportTable | None:
    """List slope, intercept, observed over expected and Brier skill of every predictor; None: nothing was scored.

    Parameters
    ----------
    metrics
        Table `Metrics`.
    within_h
        Hours within which something happens; None: which fate comes.
    """
    scored = at_question(metrics[metrics["condition"] == EVERYTHING], within_h)
    scored = scored[scored["metric"].isin(CALIBRATION)]
    rows = []
    for event in list_events(scored["outcome"]):
        for name in order_predictors(scored["predictor"]):
            found = [find_row(scored, (metric, event), predictor=name) for metric in CALIBRATION]
            shown = ["" if row is None else show_score(row["estimate"], row["low"], row["high"]) for row in found]
            rows.append((name_outcome(event), label_predictor(name), *shown))
    heads = ("Outcome", "Predictor", *(capitalise(name_metric(metric)) for metric in CALIBRATION))
    return ReportTable(f"Calibration in numbers: {name_question(within_h)}", heads, tuple(rows)) if rows else None


def tabulate_commitments(summary: pd.DataFrame, events: Collection[str]) -> ReportTable | None:
    """List by fate and predictor how many cells are called an event in the end, and since when; None: no cell.

    Where some were right from their first forecast on, nobody knows since when: the median is a lower bound.
    """
    rows = []
    for fate in (fate for fate in FATES if fate in (*events, CENSORED)):
        for predictor in choose_called(summary["predictor"]):
            found = summary[(summary["fate"] == fate) & (summary["predictor"] == predictor)].set_index("metric")
            if len(found):
                shown = [_show_summary(found, metric) for metric in _COMMITMENTS]
                rows.append((fate, label_predictor(predictor), show_cell(int(found["n_cells"].max())), *shown))
    heads = ("Fate", "Predictor", "Cells", *map(capitalise, _COMMITMENTS.values()))
    return ReportTable("Commitments, looking back from the last frame shown", heads, tuple(rows)) if rows else None


def _show_summary(found: pd.DataFrame, metric: str) -> str:
    if metric not in found.index:
        return ""
    value, low, high = found.loc[[metric], ["estimate", "low", "high"]].to_numpy(float)[0]
    n = int(found.loc[[metric], "n_cells"].to_numpy()[0])
    of_n = "" if n == found["n_cells"].max() else f", n = {n:,}"
    if metric != "median_lead_h":
        return f"{show_score(value, low, high)}{of_n}"
    from_first = bool((found.loc[found.index == "share_from_first", "estimate"] > 0).any())
    return f"{'at least ' if from_first else ''}{show_score(value, low, high, 1)}{of_n}"


def tabulate_mapping(values: Mapping[str, Any], caption: str, heads: tuple[str, str]) -> ReportTable:
    """List names and values, nested names joined with dots."""
    flat = flatten(values)
    rows = tuple((name, _show_value(value)) for name, value in flat.items())
    return ReportTable(caption, heads, rows, folded=True)


def flatten(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
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


def _show_value(value: Any) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(_show_value(item) for item in value) or "none"
    return "null" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
