"""Words a reader sees: what metrics, outcomes, questions and methods are called, and how numbers are written."""

import math
from collections.abc import Iterable
from typing import Final

import pandas as pd

from cellfate.core.amounts import is_untreated, rank_amount
from cellfate.core.fates import APOPTOSIS, EVENTS, MITOSIS, NONE, OUTCOMES
from cellfate.core.spot_features import SPOT_PREFIX
from cellfate.core.tables.base import EVERYTHING, WITHIN_DOSES

READINGS: Final = {"classifier": "Classifier", "clock": "Fate clock"}
"""What the two models are called in a heading."""

METRICS: Final = {
    "balanced_accuracy": "balanced accuracy",
    "macro_f1": "macro F1",
    "f1": "F1",
    "auroc": "AUROC",
    "auroc_within_time": "AUROC within the same time",
    "auroc_within_time_and_age": "AUROC within the same time and age",
    "log_likelihood": "log-likelihood",
    "average_precision": "average precision",
    "brier": "Brier score",
    "log_loss": "log loss",
    "matthews": "Matthews correlation",
    "calibration_error": "expected calibration error",
    "calibration_slope": "calibration slope",
    "calibration_intercept": "calibration intercept",
    "observed_over_expected": "observed over expected",
    "brier_skill": "Brier skill",
    "observed_share": "share of landmarks with it",
}
"""What a metric is called in a sentence; one that is not listed keeps its own name with spaces."""

LOWER_IS_BETTER: Final = ("brier", "log_loss", "calibration_error")
"""Metrics of which less is better."""

HAPPENED: Final = {APOPTOSIS: "died (apoptosis)", MITOSIS: "divided (mitosis)"}
"""What became of a cell that met an event."""

METHODS: Final = {
    "attention": "Attention",
    "attention_rollout": "Attention rollout",
    "occlusion_window": "Occlusion of windows",
    "occlusion_window_channel": "Occlusion of channels in windows",
    "shapley": "Shapley values",
    "gradient_x_input": "Gradient times input",
    "timing": "Integrated gradients (TIMING)",
    "tree_shapley": "TreeSHAP of boosting",
}
"""What an attribution method is called."""

ABSENT: Final = {
    "mean_pixel": "the mean pixel",
    "background": "the background of the crop",
    "other_cells": "the same hours of training cells",
    "own_mean": "the cell's own mean over time",
}
"""What stands in for absent parts, by `explanation.absent`."""

METHOD_SCORES: Final = {
    "deletion_gain": "Deletion, over random",
    "insertion_gain": "Insertion, over random",
    "deletion_over_shared": "Deletion, over a shared order",
    "insertion_over_shared": "Insertion, over a shared order",
    "deletion_over_matched": "Deletion, over matched cells",
    "insertion_over_matched": "Insertion, over matched cells",
    "deletion_over_mean": "Deletion, over the others' mean",
    "insertion_over_mean": "Insertion, over the others' mean",
    "over_reverse": "Over reverse order",
    "cumulative_deletion": "Cumulative deletion, over random",
    "cumulative_preservation": "Cumulative preservation, over random",
    "alike_in_cells": "Alike in all cells",
    "randomised_weights": "Weights randomised",
    "randomised_chance": "Weights randomised, by chance",
    "label_permuted": "Outcomes permuted",
    "retrained": "Trained again",
    "retrained_over_permuted": "Trained again, over permuted",
    "seed_stability": "Other seed",
    "monte_carlo_error": "Monte Carlo error",
    "value_size": "Size of a value",
    "agreement": "Agreement with others",
    "window_auroc": "Planted hours, AUROC",
    "window_precision": "Planted hours, precision",
    "channel_hit": "Planted channel",
}
"""What a score of an attribution method is called."""

FEW_GROUPS: Final = 20
"""Where fewer groups hold an outcome, no sentence says that one predictor is better than another."""

TRANSFER_LIMITS: Final = {"observed_over_expected": (0.8, 1.25), "calibration_slope": (0.8, 1.2)}
"""Between these a forecast is near enough to what happens to be taken at its word."""

EMPTY: Final = "\u2013"
"""What stands in a table where there is no value: a dash."""

_DOSES: Final = ("Control", "Low", "Medium", "High", "Unknown")
_FEATURES: Final = {"n_neighbors": "neighbours"}
_UNITS: Final = {"area": "px²", "perimeter": "px", "equivalent_diameter": "px"}


def name_metric(name: str) -> str:
    """Name of a metric in a sentence."""
    stem = name.removesuffix("_tuned")
    threshold = ", threshold chosen on validation" if stem != name else ""
    return METRICS.get(stem, stem.replace("_", " ")) + threshold


def label_metric(name: str, outcome: str = EVERYTHING) -> str:
    """Name of a metric on a figure, with the outcome it is of and the side that is better where that is the lower.

    Examples
    --------
    >>> label_metric("average_precision", "mitosis"), label_metric("brier")
    ('Average precision of mitosis', 'Brier score (lower is better)')
    """
    of = "" if outcome == EVERYTHING else f" of {name_outcome(outcome)}"
    return capitalise(name_metric(name)) + of + (" (lower is better)" if name in LOWER_IS_BETTER else "")


def name_outcome(name: str) -> str:
    """Name of an outcome in a sentence."""
    return {NONE: "no event", EVERYTHING: "all outcomes"}.get(name, name)


def name_question(within_h: float | None) -> str:
    """Name of a question: what happens within some hours or, where they are None or NaN, which fate comes.

    Examples
    --------
    >>> name_question(None), name_question(5.0)
    ('which fate comes', 'what happens within 5 h')
    """
    return "which fate comes" if _is_missing(within_h) else f"what happens within {write_hours(within_h or 0.0)}"


def name_asked(outcome: str, within_h: float | None) -> str:
    """Name an outcome with the hours it is asked of.

    Examples
    --------
    >>> name_asked("mitosis", None), name_asked("mitosis", 5.0)
    ('mitosis', 'mitosis within 5 h')
    """
    return outcome if _is_missing(within_h) else f"{name_outcome(outcome)} within {write_hours(within_h or 0.0)}"


_CONTEXT: Final = {
    "age": "age",
    "recording_time": "time in the recording",
    "treatment_time": "time since treatment",
    "dose": "dose",
    "crowding": "crowding",
    "mother": "the mother's cycle",
    "sister": "the sister",
}


def name_context(context: str) -> str:
    """Name a context in a sentence, from what table `AddedValue` calls it.

    Examples
    --------
    >>> name_context("age, recording_time")
    'age and time in the recording'
    """
    return list_words(_CONTEXT.get(name, name.replace("_", " ")) for name in context.split(", "))


def name_method(method: str) -> str:
    """Name of an attribution method."""
    return METHODS.get(method, method.replace("_", " "))


def name_score(score: str) -> str:
    """Name of a score of an attribution method."""
    return METHOD_SCORES.get(score, score.replace("_", " "))


def name_feature(feature: str, *, unit: bool = False) -> str:
    """Name of a measured feature, with its unit where it has one and that is asked for.

    Examples
    --------
    >>> name_feature("intensity_p53", unit=True), name_feature("n_neighbors"), name_feature("tracker_AREA")
    ('p53 (counts)', 'neighbours', 'AREA (tracker)')
    """
    if feature.startswith(SPOT_PREFIX):
        return f"{feature.removeprefix(SPOT_PREFIX)} (tracker)"
    name = _FEATURES.get(feature, feature.removeprefix("intensity_").replace("_", " "))
    unit_name = "counts" if feature.startswith("intensity_") else _UNITS.get(feature)
    return f"{name} ({unit_name})" if unit and unit_name else name


def name_dose(dose: str) -> str:
    """Name of a dose, or of all or the mean of them."""
    return {EVERYTHING: "all doses", WITHIN_DOSES: "mean within doses"}.get(dose, dose)


def order_doses(doses: Iterable[str]) -> list[str]:
    """List different doses from low to high: known names, names of no treatment, amounts, and others by name.

    Last come the mean within doses, and all of them. Amounts are ordered by number, with the prefix of their unit.

    Examples
    --------
    >>> order_doses(["all", "High", "Control", "High"])
    ['Control', 'High', 'all']
    >>> order_doses(["10 uM", "2.5 uM", "500 nM", "DMSO", "0 uM", "combined"])
    ['DMSO', '0 uM', '500 nM', '2.5 uM', '10 uM', 'combined']
    """
    found = set(doses)
    last = [name for name in (WITHIN_DOSES, EVERYTHING) if name in found]
    return [dose for dose in _DOSES if dose in found] + sorted(found - {*_DOSES, *last}, key=_rank_dose) + last


def _rank_dose(dose: str) -> tuple[int, str, float, str]:
    number, unit = rank_amount(dose)
    if math.isnan(number):
        return (0 if is_untreated(dose) else 2, "", 0.0, dose)
    return (1, unit if number else "", number, dose)


def list_events(outcomes: Iterable[str]) -> list[str]:
    """List the events among outcomes, in their fixed order."""
    found = set(outcomes)
    return [event for event in EVENTS if event in found]


def list_outcomes(outcomes: Iterable[str]) -> list[str]:
    """List outcomes, no event included, in their fixed order."""
    found = set(outcomes)
    return [outcome for outcome in OUTCOMES if outcome in found]


def capitalise(text: str) -> str:
    """Give the same text a capital at its start; other letters stay.

    Examples
    --------
    >>> capitalise("the AUROC")
    'The AUROC'
    """
    return text[:1].upper() + text[1:]


def list_words(words: Iterable[str]) -> str:
    """Words joined as in a sentence.

    Examples
    --------
    >>> list_words(["a", "b", "c"])
    'a, b and c'
    """
    names = list(words)
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}" if names else "none"


def write_hours(hours: float) -> str:
    """Write hours without needless decimals.

    Examples
    --------
    >>> write_hours(5.0), write_hours(1.3333)
    ('5 h', '1.3 h')
    """
    return f"{round(hours, 1):g} h"


def show_count(n: float, one: str, many: str | None = None) -> str:
    """Write a count with its noun.

    Examples
    --------
    >>> show_count(1, "cell"), show_count(1200, "cell"), show_count(2, "lineage of cells", "lineages of cells")
    ('1 cell', '1,200 cells', '2 lineages of cells')
    """
    noun = one if n == 1 else (many or f"{one}s")
    return f"{int(n):,} {noun}"


def say_too_few(n_groups: int, outcome: str) -> str:
    """Say that groups are too few (under `FEW_GROUPS`) to tell predictors apart.

    Examples
    --------
    >>> say_too_few(10, "mitosis")
    'Too few groups to tell predictors apart: 10 test groups hold mitosis, expected are at least 20.'
    """
    held = "every outcome" if outcome == EVERYTHING else name_outcome(outcome)
    holding = f"{show_count(n_groups, 'test group')} {'holds' if n_groups == 1 else 'hold'} {held}"
    return f"Too few groups to tell predictors apart: {holding}, expected are at least {FEW_GROUPS}."


def show_number(value: float, decimals: int = 2) -> str:
    """Write a number with fixed decimals; "not defined" where it is NaN.

    Examples
    --------
    >>> show_number(0.8749), show_number(float("nan"))
    ('0.87', 'not defined')
    """
    return "not defined" if _is_missing(value) else f"{value:.{decimals}f}"


def show_interval(low: float, high: float, decimals: int = 2) -> str:
    """Write an interval as "0.82 to 0.91"; "no interval" where a bound is NaN."""
    if _is_missing(low) or _is_missing(high):
        return "no interval"
    return f"{show_number(low, decimals)} to {show_number(high, decimals)}"


def show_score(value: float, low: float, high: float, decimals: int = 2) -> str:
    """Write a score with its interval; "not defined" where it is NaN.

    Examples
    --------
    >>> show_score(0.9, 0.85, 0.95), show_score(0.9, float("nan"), 0.95)
    ('0.90 (0.85 to 0.95)', '0.90 (no interval)')
    """
    written = show_number(value, decimals)
    return written if _is_missing(value) else f"{written} ({show_interval(low, high, decimals)})"


def show_difference(value: float, low: float, high: float) -> str:
    """Write a difference with its sign and interval, none but 0 as zero; "not defined" where it is NaN.

    Examples
    --------
    >>> show_difference(0.03, -0.004, 0.05)
    '+0.030 (-0.004 to 0.050)'
    """
    decimals = 3 if any(bound != 0 and round(bound, 2) == 0 for bound in (value, low, high)) else 2
    return ("+" if value >= 0 else "") + show_score(value, low, high, decimals)


def show_p_value(p: float) -> str:
    """Show a p value with its sign.

    Examples
    --------
    >>> show_p_value(0.0123), show_p_value(0.00002)
    ('= 0.012', '< 0.001')
    """
    return "< 0.001" if p < 0.001 else f"= {p:.3f}"


def show_percent(share: float) -> str:
    """Write a share in 0..1 as whole percent; "not known" where it is NaN."""
    return "not known" if _is_missing(share) else f"{100 * share:.0f} %"


def show_cell(value: object) -> str:
    """Write any value of a table as text: counts without decimals, other numbers with three significant digits."""
    if isinstance(value, str):
        return value
    if _is_missing(value):
        return EMPTY
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:,.0f}" if value == int(value) and abs(value) >= 1 else f"{value:.3g}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def _is_missing(value: object) -> bool:
    if isinstance(value, float):
        return not math.isfinite(value)
    return value is None or value is pd.NA or value is pd.NaT
