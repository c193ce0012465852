"""The headline: scores with intervals, chance, and the paired difference to what needs no image, in words."""

from collections.abc import Sequence

import pandas as pd

from cellfate.core.fates import NONE
from cellfate.core.predictors import CLOCK, ENSEMBLE, MODEL, TRUTH
from cellfate.metrics.settings import TRIVIAL_BASELINES
from cellfate.report.page import ReportScore, ReportTable
from cellfate.report.words import (
    capitalise,
    choose_decimals,
    list_words,
    name_metric,
    name_predictor,
    show_count,
    show_interval,
    show_number,
    show_percent,
)

FEW_GROUPS = 10
"""Under this many groups a clustered bootstrap interval tends to be too narrow, and the report says so."""


def headline_metrics(outcomes: Sequence[str]) -> tuple[str, ...]:
    """Choose the metrics of the headline: balanced accuracy between fates, ranking scores where one is rare.

    Parameters
    ----------
    outcomes
        Outcomes of the model in order; the first is the positive one.
    """
    return ("auroc", "average_precision") if NONE in outcomes else ("balanced_accuracy",)


def ask_question(outcomes: Sequence[str], samples_settings: dict[str, object]) -> str:
    """Put the question that the model answers in one sentence."""
    guard_h = samples_settings.get("guard_h")
    if NONE in outcomes:
        events = " or ".join(outcome for outcome in outcomes if outcome != NONE)
        horizon = samples_settings.get("horizon_h")
        return (
            f"Seen at one moment with its recent past: will this cell go through {events} within the next {horizon} h? "
            f"Moments less than {guard_h} h before an event are left out."
        )
    return (
        f"From its track up to {guard_h} h before the event: will this cell end in {' or in '.join(outcomes)}? "
        "Cells that end in neither are not part of this question."
    )


def find_score(metrics: pd.DataFrame, predictor: str, metric: str, outcomes: Sequence[str]) -> pd.Series | None:
    """Find the row of a metric over all conditions; None where there is none.

    Average precision is that of the positive outcome where there are two outcomes; else metrics are of all of them.
    """
    of_positive = metric == "average_precision" and len(outcomes) == 2
    match = metrics[
        (metrics["predictor"] == predictor)
        & (metrics["metric"] == metric)
        & (metrics["condition"] == "all")
        & (metrics["outcome"] == (outcomes[0] if of_positive else "all"))
    ]
    return match.iloc[0] if len(match) else None


def find_difference(comparisons: pd.DataFrame, reference: str, metric: str) -> pd.Series | None:
    """Find the row of the model minus `reference`; None where there is none."""
    match = comparisons[
        (comparisons["predictor"] == MODEL)
        & (comparisons["reference"] == reference)
        & (comparisons["metric"] == metric)
    ]
    return match.iloc[0] if len(match) else None


def find_best_baseline(comparisons: pd.DataFrame, metric: str) -> str | None:
    """Find the baseline that is marked as the best without images for a metric; None where none was compared."""
    marked = comparisons[(comparisons["metric"] == metric) & comparisons["best_trivial"].astype(bool)]
    return str(marked["reference"].iloc[0]) if len(marked) else None


def write_scores(
    metrics: pd.DataFrame, outcomes: Sequence[str], confidence: float, share_positive: float
) -> tuple[ReportScore, ...]:
    """Write the headline numbers of the model.

    Parameters
    ----------
    metrics
        Table `Metrics`.
    outcomes
        Outcomes of the model in order.
    confidence
        Probability content of the intervals.
    share_positive
        Share of test samples with the positive outcome: the average precision of a predictor that knows nothing.
    """
    scores = []
    for metric in headline_metrics(outcomes):
        row = find_score(metrics, MODEL, metric, outcomes)
        if row is None:
            continue
        scores.append(
            ReportScore(
                name=capitalise(name_metric(metric)),
                value=show_number(row["estimate"]),
                interval=name_interval(row, confidence),
                chance=f"no knowledge would give {show_number(find_chance(metric, outcomes, share_positive))}",
            )
        )
    return tuple(scores)


def name_interval(row: pd.Series, confidence: float) -> str:
    """Write the interval of a score with its probability content; say why where there is none."""
    if pd.isna(row["low"]) or pd.isna(row["high"]):
        return "no interval: too few groups or cells"
    return f"{show_percent(confidence)} interval {show_interval(row['low'], row['high'])}"


def find_chance(metric: str, outcomes: Sequence[str], share_positive: float) -> float:
    """Find what a headline metric is for a predictor that knows nothing.

    Average precision is then the share of the positive outcome; averaged over more than two outcomes, the mean of their
    shares.
    """
    if metric == "average_precision" and len(outcomes) == 2:
        return share_positive
    return 0.5 if metric == "auroc" else 1 / len(outcomes)


def write_headline(
    metrics: pd.DataFrame, comparisons: pd.DataFrame, outcomes: Sequence[str], unit: str, confidence: float
) -> tuple[str, ...]:
    """Write the headline in sentences, made from the numbers alone.

    Parameters
    ----------
    metrics, comparisons
        Tables `Metrics` and `Comparisons`.
    outcomes
        Outcomes of the model in order.
    unit
        What a group is: "recording" or "lineage".
    confidence
        Probability content of the intervals.

    Returns
    -------
    tuple of str
        Paragraphs: what was tested on, with a warning where the groups are few; then for each headline metric the
        difference to the best baseline without images, and to handcrafted features where those were scored.
    """
    leading = headline_metrics(outcomes)
    row = find_score(metrics, MODEL, leading[0], outcomes)
    if row is None:
        return ("The model was not scored: no sample of the test part has a known outcome.",)
    measured = [name for name in metrics["predictor"].unique() if name not in (MODEL, *TRIVIAL_BASELINES)]
    paragraphs = [_write_tested_on(row, _count_outcomes(metrics, outcomes), unit, confidence)]
    for metric in leading:
        trivial = find_best_baseline(comparisons, metric)
        references = [(trivial, "The best predictor that sees no image")] if trivial else []
        references += [(name, "") for name in measured]
        sentences = [
            sentence
            for reference, role in references
            for sentence in _write_against(metrics, comparisons, metric, outcomes, reference, role)
        ]
        paragraphs += [" ".join(sentences)] if sentences else []
    return tuple(paragraphs)


def _count_outcomes(metrics: pd.DataFrame, outcomes: Sequence[str]) -> str:
    recalls = metrics.query("predictor == @MODEL and metric == 'recall' and condition == 'all'")
    counts = recalls.set_index("outcome")["n_samples"]
    return list_words(f"{counts[outcome]:,} {outcome}" for outcome in outcomes if outcome in counts.index)


def _write_tested_on(row: pd.Series, by_outcome: str, unit: str, confidence: float) -> str:
    n_cells, n_samples = int(row["n_cells"]), int(row["n_samples"])
    samples = f" ({show_count(n_samples, 'sample')}: {by_outcome})" if n_samples != n_cells else f" ({by_outcome})"
    return f"Tested on {show_count(n_cells, 'cell')}{samples} {describe_groups(row, unit, confidence)}"


def describe_groups(row: pd.Series, unit: str, confidence: float) -> str:
    """Say how many groups stand behind a score and what the intervals are, with a warning where the groups are few.

    Parameters
    ----------
    row
        A row of `Metrics` or `IncidenceMetrics`.
    unit
        What a group is: "recording" or "lineage".
    confidence
        Probability content of the intervals.
    """
    n_groups, many = int(row["n_groups"]), "" if int(row["n_groups"]) == 1 else "s"
    sentence = (
        f"of {n_groups} {unit}{many} that the scored model was not trained on; intervals hold "
        f"{show_percent(confidence)} and resample whole {unit}s."
    )
    if 1 < n_groups < FEW_GROUPS and pd.notna(row["low"]):
        sentence += f" With only {n_groups} {unit}{many} the intervals are rough and tend to be too narrow."
    return sentence


def _write_against(
    metrics: pd.DataFrame, comparisons: pd.DataFrame, metric: str, outcomes: Sequence[str], reference: str, role: str
) -> list[str]:
    score = find_score(metrics, reference, metric, outcomes)
    if score is None:
        return []
    difference = find_difference(comparisons, reference, metric)
    name = name_predictor(reference)
    opening = f"{role}, {name}," if role else capitalise(name)
    sentence = f"{opening} reaches {name_metric(metric)} {show_number(score['estimate'])}"
    interval = show_interval(score["low"], score["high"])
    if difference is None:
        return [f"{sentence} ({interval}); the difference to the model was not computed."]
    return [f"{sentence} ({interval}). {judge_difference(difference)}"]


def judge_difference(difference: pd.Series, name: str = "the model") -> str:
    """Put the paired difference of a predictor to a reference in words, and what its interval allows one to say.

    Parameters
    ----------
    difference
        A row of `Comparisons` or `IncidenceComparisons`: predictor minus reference, higher is better.
    name
        What the predictor is called in the sentence.
    """
    value, low, high = (float(difference[name]) for name in ("difference", "low", "high"))
    if pd.isna(value) or pd.isna(low) or pd.isna(high):
        return "The paired difference is not defined here, so nothing can be said about which is better."
    decimals = choose_decimals(value, low, high)
    amount = f"{show_number(abs(value), decimals)} (paired difference {show_interval(low, high, decimals)})"
    side = "higher" if value >= 0 else "lower"
    if low > 0 or high < 0:
        return f"{capitalise(name)} is {side} by {amount}: the interval excludes zero."
    return (
        f"{capitalise(name)} is {side} by {amount}: the interval includes zero, so these data do not show that "
        f"{name} is better or worse."
    )


def tabulate_beside(
    metrics: pd.DataFrame, comparisons: pd.DataFrame, outcomes: Sequence[str], predictors: Sequence[str]
) -> ReportTable:
    """List the headline scores of the model and of every baseline beside each other.

    Parameters
    ----------
    metrics, comparisons
        Tables `Metrics` and `Comparisons`.
    outcomes
        Outcomes of the model in order.
    predictors
        Predictors in the order of the rows.
    """
    leading = headline_metrics(outcomes)
    rows = []
    for predictor in predictors:
        cells = [capitalise(name_predictor(predictor)), what_it_sees(predictor)]
        for metric in leading:
            score = find_score(metrics, predictor, metric, outcomes)
            difference = find_difference(comparisons, predictor, metric)
            cells += ["not scored" if score is None else show_score(score["estimate"], score["low"], score["high"])]
            cells += ["" if difference is None else show_difference(difference)]
        rows.append(tuple(cells))
    heads = [head for metric in leading for head in (capitalise(name_metric(metric)), "Model minus this one")]
    return ReportTable("The model beside other predictors", ("Predictor", "What it sees", *heads), tuple(rows))


def what_it_sees(predictor: str) -> str:
    """Say what a predictor makes its forecast from."""
    if predictor in TRIVIAL_BASELINES:
        return "no image"
    known = {MODEL: "images", CLOCK: "images", ENSEMBLE: "images and measurements on them", TRUTH: "the simulation"}
    return known.get(predictor, "measurements on images")


def show_score(estimate: float, low: float, high: float) -> str:
    """Write a score with its interval; "not defined" where it is NaN."""
    return "not defined" if pd.isna(estimate) else f"{estimate:.2f} ({show_interval(low, high)})"


def show_difference(row: pd.Series) -> str:
    """Write a paired difference with its sign and interval; "not defined" where it is NaN."""
    value, low, high = (float(row[name]) for name in ("difference", "low", "high"))
    decimals = choose_decimals(value, low, high)
    return "not defined" if pd.isna(value) else f"{value:+.{decimals}f} ({show_interval(low, high, decimals)})"
