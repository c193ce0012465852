"""How often prediction sets hold what came, in a sentence and a table."""

import pandas as pd

from cellfate.core.predictors import choose_leading, label_predictor, name_predictor
from cellfate.core.tables import EVERYTHING
from cellfate.core.words import (
    capitalise,
    list_words,
    name_dose,
    name_outcome,
    order_doses,
    show_interval,
    show_percent,
    show_score,
)
from cellfate.metrics.forecasts import is_within
from cellfate.report.page import ReportPart
from cellfate.report.tables import as_report_table
from cellfate.statistics.conformal import fewest_groups


def tell_sets(prediction_sets: pd.DataFrame, splits: pd.DataFrame, unit: str, within_h: float | None) -> ReportPart:
    """Say what prediction sets promise and what was seen, by dose and by outcome.

    Parameters
    ----------
    prediction_sets
        Table `PredictionSets`.
    splits
        Table `Splits`: what the promise rests on depends on the scheme.
    unit
        What a group of cells is called.
    within_h
        The question; null: which fate comes.
    """
    asked = prediction_sets[is_within(prediction_sets["within_h"], float("nan") if within_h is None else within_h)]
    leading = choose_leading(asked["predictor"]) or next(iter(asked["predictor"]), None)
    rows = asked[asked["predictor"] == leading]
    if rows.empty:
        return ReportPart()
    whole = rows[(rows["condition"] == EVERYTHING) & (rows["outcome"] == EVERYTHING)].iloc[0]
    if pd.isna(whole["share_held"]):
        return ReportPart(sentences=(f"No forecast is called undecided, because {whole['reason']}.",))
    seen = show_interval(100 * whole["low"], 100 * whole["high"], 0)
    said = (
        "Prediction sets list the outcomes that a forecast leaves open; with more than one the cell is undecided. Set "
        f"to hold what comes in {show_percent(whole['level'])}, those of {name_predictor(str(leading))} held it in "
        f"{show_percent(whole['share_held'])} ({seen}) and left {show_percent(whole['share_undecided'])} undecided, "
        f"every {unit} counting the same."
    )
    of_outcomes = rows[(rows["condition"] == EVERYTHING) & (rows["outcome"] != EVERYTHING) & rows["share_held"].notna()]
    held = [
        f"{name_outcome(str(outcome))} {show_percent(share)}"
        for outcome, share in zip(of_outcomes["outcome"], of_outcomes["share_held"], strict=True)
    ]
    seen_of = f"By what came, sets held it in: {list_words(held)}."
    if whole["n_groups"] < 2 * fewest_groups(whole["level"]):
        seen_of += f" With only {whole['n_groups']} {unit}s, the level costs larger sets than with twice as many."
    doses = order_doses(set(rows["condition"]) - {EVERYTHING})
    listed = [
        {
            "cells": name_dose(dose),
            "what came": "anything" if outcome == EVERYTHING else name_outcome(str(outcome)),
            "sets that hold it": show_score(row["share_held"], row["low"], row["high"]),
            "outcomes in a set": f"{row['mean_size']:.2f}",
            "undecided": show_percent(row["share_undecided"]),
            "landmarks": f"{row['n_landmarks']:,}",
            f"{unit}s": f"{row['n_groups']:,}",
        }
        for dose in (EVERYTHING, *doses)
        for outcome, row in rows[rows["condition"] == dose].set_index("outcome").iterrows()
        if pd.notna(row["share_held"])
    ]
    caption = f"Prediction sets of {label_predictor(str(leading))}; by dose and by outcome as seen, not promised"
    table = as_report_table(pd.DataFrame(listed), capitalise(caption), folded=True)
    return ReportPart(sentences=(said, seen_of, _say_promise(splits, unit)), tables=(table,))


def _say_promise(splits: pd.DataFrame, unit: str) -> str:
    """Say for what the level holds."""
    calibrated = f"The sets of a tested {unit} were calibrated on the other tested ones, those of new cells on all."
    if (splits["scheme"] == "random_by_cell").any():
        return f"{calibrated} Cells of a tested {unit} also trained the model, so a new {unit} can fare worse."
    if len(splits["fold"].unique()) > 1:
        return (
            f"{calibrated} Each was forecast by the model of its fold, a new {unit} is by all of them together: for a "
            f"cell of a new {unit} like these the level is expected, not proven; not for one dose or one outcome."
        )
    return (
        f"{calibrated} The level holds for the tested ones; for a new {unit} like these it is expected, not proven, "
        "since boosting is then fitted to all cells. It does not hold for one dose or one outcome."
    )
