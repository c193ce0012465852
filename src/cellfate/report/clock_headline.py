"""The headline of the fate clock: scores by event, and whether they are better than the best reference, in words."""

from collections.abc import Sequence
from itertools import product
from typing import Final

import numpy as np
import pandas as pd

from cellfate.cohort.settings import FollowUpSettings
from cellfate.core.predictors import CLOCK, ENSEMBLE, TRUTH
from cellfate.core.tables import EVERYTHING
from cellfate.plots.incidence_words import choose_leading, list_events, order_predictors, write_hours
from cellfate.report.headline import (
    describe_groups,
    judge_difference,
    name_interval,
    show_difference,
    show_score,
    what_it_sees,
)
from cellfate.report.page import ReportScore, ReportTable
from cellfate.report.words import (
    capitalise,
    list_words,
    name_metric,
    name_predictor,
    show_count,
    show_interval,
    show_number,
)

LEADING: Final = ("auroc", "average_precision")
"""Metrics of the headline."""
OURS: Final = (ENSEMBLE, CLOCK)
"""Predictors that the page is about; the others are references."""
SHORT: Final = {ENSEMBLE: "the ensemble", CLOCK: "the clock"}
"""What they are called in a sentence."""


def ask_question(follow_up: FollowUpSettings) -> str:
    """Put the question that the clock answers in words."""
    return (
        f"At every frame: what will this cell do within {write_hours(follow_up.headline_h)}, how surely, since when "
        f"was it clear? Frames less than {write_hours(follow_up.guard_h)} before the end of a track are never shown."
    )


def select_headline(rows: pd.DataFrame, follow_up: FollowUpSettings) -> pd.DataFrame:
    """Select the scores or differences at the headline horizon, over all doses."""
    selected = rows[np.isclose(rows["within_h"], follow_up.headline_h)]
    return selected[selected["condition"] == EVERYTHING] if "condition" in selected else selected


def find_score(headline: pd.DataFrame, predictor: str, metric: str, event: str) -> pd.Series | None:
    """Find the score of a predictor for an event among those of `select_headline`; None where there is none."""
    return _find(headline, predictor=predictor, metric=metric, outcome=event)


def _find(rows: pd.DataFrame, **values: str) -> pd.Series | None:
    match = rows[np.logical_and.reduce([rows[column] == value for column, value in values.items()])]
    return match.iloc[0] if len(match) else None


def find_difference(
    headline: pd.DataFrame, predictor: str, reference: str, metric: str, event: str
) -> pd.Series | None:
    """Find the paired difference of a predictor to a reference; None where there is none."""
    return _find(headline, predictor=predictor, reference=reference, metric=metric, outcome=event)


def find_best_reference(headline: pd.DataFrame, metric: str, event: str) -> str | None:
    """Find the reference of the highest score; None where no reference has one."""
    references = [name for name in order_predictors(headline["predictor"]) if name not in (*OURS, TRUTH)]
    scores = {name: find_score(headline, name, metric, event) for name in references}
    known = {name: float(row["estimate"]) for name, row in scores.items() if row is not None}
    defined = {name: value for name, value in known.items() if not np.isnan(value)}
    return max(defined, key=defined.__getitem__) if defined else None


def write_scores(metrics: pd.DataFrame, follow_up: FollowUpSettings, confidence: float) -> tuple[ReportScore, ...]:
    """Write the headline numbers of the ensemble or, without one, of the clock.

    Parameters
    ----------
    metrics
        Table `IncidenceMetrics`.
    follow_up
        Its headline horizon is the one that is written.
    confidence
        Probability content of the intervals.
    """
    boxes = []
    headline = select_headline(metrics, follow_up)
    for event in list_events(headline["outcome"]):
        for metric in LEADING:
            row = find_score(headline, choose_leading(headline["predictor"]), metric, event)
            if row is None:
                continue
            chance = 0.5 if metric == "auroc" else row["n_events"] / max(1, row["n_samples"])
            boxes.append(
                ReportScore(
                    name=f"{capitalise(name_metric(metric))}, {event}",
                    value=show_number(row["estimate"]),
                    interval=name_interval(row, confidence),
                    chance=f"no knowledge would give {show_number(chance)}",
                )
            )
    return tuple(boxes)


def write_headline(
    metrics: pd.DataFrame, comparisons: pd.DataFrame, follow_up: FollowUpSettings, unit: str, confidence: float
) -> tuple[str, ...]:
    """Write the headline in sentences, made from the numbers alone.

    Parameters
    ----------
    metrics, comparisons
        Tables `IncidenceMetrics` and `IncidenceComparisons`.
    follow_up
        Its headline horizon is the one that is written about.
    unit
        What a group is: "recording" or "lineage".
    confidence
        Probability content of the intervals.

    Returns
    -------
    tuple of str
        Paragraphs: what was tested on; in how many scores the ensemble (or, without one, the clock) is better than the
        best reference; then for each event and score that of the ensemble, the clock and the best reference, and the
        paired differences.
    """
    scored, compared = select_headline(metrics, follow_up), select_headline(comparisons, follow_up)
    ours = [name for name in OURS if name in set(scored["predictor"])]
    of_first = scored[(scored["predictor"] == ours[0]) & (scored["metric"] == LEADING[0])] if ours else scored.head(0)
    if of_first.empty:
        return ("The clock was not scored: no landmark of the test part has a known answer.",)
    within, events = write_hours(follow_up.headline_h), list_events(of_first["outcome"])
    paragraphs = [_write_tested_on(of_first, within, unit, confidence)]
    paragraphs += _write_verdict(scored, compared, ours[0], events)
    paragraphs += [
        f"{capitalise(event)} within {within}: {_write_event(scored, compared, ours, metric, event)}"
        for event, metric in product(events, LEADING)
    ]
    return tuple(paragraphs)


def _write_tested_on(rows: pd.DataFrame, within: str, unit: str, confidence: float) -> str:
    first = rows.iloc[0]
    counts = zip(rows["outcome"], rows["n_events"], strict=True)
    followed = list_words(f"{n:,} followed by {event}" for event, n in counts)
    return (
        f"Tested on {show_count(first['n_samples'], 'landmark')} ({followed} within {within}) of "
        f"{show_count(first['n_cells'], 'cell')} {describe_groups(first, unit, confidence)}"
    )


def _write_verdict(scored: pd.DataFrame, compared: pd.DataFrame, predictor: str, events: Sequence[str]) -> list[str]:
    """Count in how many headline scores a predictor is better than the best reference of that score."""
    verdicts = []
    for metric, event in product(LEADING, events):
        reference = find_best_reference(scored, metric, event)
        row = None if reference is None else find_difference(compared, predictor, reference, metric, event)
        if row is not None:
            verdicts.append("better" if row["low"] > 0 else "worse" if row["high"] < 0 else "open")
    better, worse, unclear = (verdicts.count(word) for word in ("better", "worse", "open"))
    sentence = (
        f"Beside the best reference of each of these {len(verdicts)} scores, {SHORT[predictor]} is better in {better} "
        f"and worse in {worse} (paired intervals that exclude zero); in {unclear} these data do not tell them apart."
    )
    return [sentence] if verdicts else []


def _write_event(scored: pd.DataFrame, compared: pd.DataFrame, ours: Sequence[str], metric: str, event: str) -> str:
    """Write one score of an event: of the ensemble, the clock and the best reference, with the paired differences."""
    reached = [_write_reached(scored, name, SHORT[name], metric, event) for name in ours]
    sentence = f"in {name_metric(metric)} {list_words(reached)}."
    reference = find_best_reference(scored, metric, event)
    if reference is None:
        return f"{sentence} No reference was scored."
    sentence += f" {capitalise(_write_reached(scored, reference, 'the best reference, ', metric, event))}."
    for name in ours:
        row = find_difference(compared, name, reference, metric, event)
        words = f"The difference of {SHORT[name]} to it was not computed."
        sentence += f" {words if row is None else judge_difference(row, SHORT[name])}"
    return sentence


def _write_reached(scored: pd.DataFrame, predictor: str, name: str, metric: str, event: str) -> str:
    row = find_score(scored, predictor, metric, event)
    full = f"{name}{name_predictor(predictor)}," if name.endswith(", ") else name
    if row is None:
        return f"{full} was not scored"
    return f"{full} reaches {show_number(row['estimate'])} ({show_interval(row['low'], row['high'])})"


def tabulate_beside(
    metrics: pd.DataFrame, comparisons: pd.DataFrame, follow_up: FollowUpSettings
) -> ReportTable | None:
    """List the headline scores of every predictor by event, and how much higher the ensemble's (or clock's) are."""
    scored, compared = select_headline(metrics, follow_up), select_headline(comparisons, follow_up)
    predictors = order_predictors(scored["predictor"])
    if not predictors:
        return None
    rows = tuple(
        _list_beside(scored, compared, predictors[0], predictor, event)
        for event, predictor in product(list_events(scored["outcome"]), predictors)
    )
    minus = f"{capitalise(name_predictor(predictors[0]).removeprefix('the ').split(' of ')[0])} minus this one"
    heads = [head for metric in LEADING for head in (capitalise(name_metric(metric)), minus)]
    caption = f"Beside other predictors, within {write_hours(follow_up.headline_h)}"
    return ReportTable(caption, ("Event", "Predictor", "What it sees", *heads), rows)


def _list_beside(
    scored: pd.DataFrame, compared: pd.DataFrame, leading: str, predictor: str, event: str
) -> tuple[str, ...]:
    cells = [event, capitalise(name_predictor(predictor)), what_it_sees(predictor)]
    for metric in LEADING:
        score = find_score(scored, predictor, metric, event)
        difference = find_difference(compared, leading, predictor, metric, event)
        cells += ["not scored" if score is None else show_score(score["estimate"], score["low"], score["high"])]
        cells += ["" if difference is None else show_difference(difference)]
    return tuple(cells)
