"""How far the forecasts can be trusted on cells that are not those of training, in words and in a table."""

from typing import Any, Final

import pandas as pd

from cellfate.core.predictors import choose_leading, label_predictor, name_predictor, order_predictors
from cellfate.core.tables import CELL
from cellfate.core.words import (
    TRANSFER_LIMITS,
    capitalise,
    list_events,
    list_words,
    name_asked,
    name_dose,
    name_metric,
    order_doses,
    show_score,
)
from cellfate.plots.theme import at_question
from cellfate.report.leaks import count_shared
from cellfate.report.page import ReportTable
from cellfate.report.tables import as_report_table

_VERBS: Final = {"transfers": "transfer", "does not": "do not transfer"}


def describe_test(splits: pd.DataFrame, follow_ups: pd.DataFrame, leakage: pd.DataFrame) -> str:
    """Say to what kind of cells a verdict speaks: those that test and did not train.

    Parameters
    ----------
    splits, follow_ups, leakage
        Tables of these names.
    """
    shared = count_shared(leakage)["n_shared"]
    if shared["recording"]:
        return "other groups of cells of the same recordings"
    placed = splits.merge(follow_ups[[*CELL, "dose"]], on=CELL)
    strange = {
        str(dose)
        for _, of_fold in placed.groupby("fold")
        for dose in set(of_fold.loc[of_fold["part"] == "test", "dose"])
        - set(of_fold.loc[of_fold["part"] == "train", "dose"])
    }
    unknown = (
        f", of the {'doses' if len(strange) > 1 else 'dose'} {list_words(order_doses(strange))} that did not train"
    )
    return f"other recordings{unknown if strange else ''}"


def write_transfer(transfer: pd.DataFrame, to: str, headline_h: float) -> tuple[str, ...]:
    """Say of each event whether the leading predictor's forecasts transfer, and where they do not.

    Parameters
    ----------
    transfer
        Table `Transfer`; without rows nothing is said.
    to
        From `describe_test`.
    headline_h
        Hours within which the events happen.
    """
    rows = at_question(transfer, headline_h)
    leading = choose_leading(rows["predictor"])
    rows = rows[rows["predictor"] == leading]
    whole = rows[rows["kind"] == "all"].set_index("outcome")
    return tuple(
        _write_event(name_predictor(str(leading)), event, whole.loc[[event]].iloc[0], to)
        + _name_failing(rows[rows["outcome"] == event])
        for event in list_events(whole.index)
    )


def _write_event(predictor: str, event: str, row: "pd.Series[Any]", to: str) -> str:
    of = f"forecasts of {name_asked(event, float(row['within_h']))}, by {predictor},"
    values = list_words(f"{name_metric(metric)} {_show(row, metric)}" for metric in TRANSFER_LIMITS)
    if row["verdict"] in _VERBS:
        return f"{capitalise(of)} {_VERBS[row['verdict']]} to {to}: {values}."
    measured = f" ({values})" if pd.notna(row[list(TRANSFER_LIMITS)]).any() else ""
    return f"Whether {of} transfer to {to} cannot be told: {row['reason']}{measured}."


def _name_failing(rows: pd.DataFrame) -> str:
    """Name the doses and recordings at which they do not transfer."""
    failing = rows[(rows["kind"] != "all") & (rows["verdict"] == "does not")]["condition"].astype(str)
    return f" They do not at {list_words(order_doses(failing))}." if len(failing) else ""


def tabulate_transfer(transfer: pd.DataFrame, headline_h: float) -> ReportTable | None:
    """List both scores and the verdict: every predictor over all test cells, the leading one by dose and recording.

    Parameters
    ----------
    transfer, headline_h
        As of `write_transfer`; None is given where nothing was scored.
    """
    rows = at_question(transfer, headline_h)
    leading = choose_leading(rows["predictor"])
    if leading is None:
        return None
    predictors, doses = order_predictors(rows["predictor"]), order_doses(rows["condition"])
    rows = rows[(rows["kind"] == "all") | (rows["predictor"] == leading)]
    rows = rows.assign(
        event=rows["outcome"].map(list_events(rows["outcome"]).index),
        whole=rows["kind"] != "all",
        rank=rows["predictor"].map(predictors.index),
        place=rows["condition"].map(doses.index),
    ).sort_values(["event", "whole", "rank", "place"], kind="stable")
    frame = pd.DataFrame(
        {
            "event": rows["outcome"].to_list(),
            "predictor": [label_predictor(name) for name in rows["predictor"]],
            "test cells": [name_dose(condition) for condition in rows["condition"]],
            **{name_metric(metric): [_show(row, metric) for _, row in rows.iterrows()] for metric in TRANSFER_LIMITS},
            "groups with it": rows["n_event_groups"].to_list(),
            "verdict": rows["verdict"].to_list(),
            "because": rows["reason"].fillna("").to_list(),
        }
    )
    return as_report_table(frame, "Do forecasts transfer to the cells that tested?", folded=True)


def _show(row: "pd.Series[Any]", metric: str) -> str:
    return show_score(row[metric], row[f"{metric}_low"], row[f"{metric}_high"])
