"""Numbers and names as a reader wants to see them."""

import math
from collections.abc import Iterable

import pandas as pd

PREDICTORS = {
    "cellfate": "the model",
    "cellfate_background_swapped": "the model, shown cells on other surroundings",
    "ensemble": "the ensemble of clock and boosting",
    "clock": "the clock",
    "truth": "the true hazards",
    "track_length": "track length alone",
    "track_age": "track age alone",
    "recording_time": "time in the recording alone",
    "age_and_time": "track age and time in the recording",
    "dose": "dose alone",
    "length_and_dose": "track length and dose",
    "position": "position in the image alone",
    "handcrafted": "gradient boosting on handcrafted features",
    "handcrafted_and_age": "gradient boosting on handcrafted features and track age",
}
"""What a predictor is called in a sentence; a predictor that is not listed keeps its own name."""

METRICS = {
    "balanced_accuracy": "balanced accuracy",
    "macro_f1": "macro F1",
    "f1": "F1",
    "auroc": "AUROC",
    "average_precision": "average precision",
    "brier": "Brier score (0 is perfect)",
    "log_loss": "log loss (0 is perfect)",
    "matthews": "Matthews correlation",
    "calibration_error": "expected calibration error (0 is perfect)",
}
"""What a metric is called; a metric that is not listed keeps its own name with spaces."""


EMPTY = "\u2013"
"""What stands in a table where there is no value: a dash."""


def name_predictor(name: str) -> str:
    """Name of a predictor for a sentence."""
    return PREDICTORS.get(name, name.replace("_", " "))


def name_metric(name: str) -> str:
    """Name of a metric for a sentence."""
    stem = name.removesuffix("_tuned")
    threshold = ", threshold chosen on validation" if stem != name else ""
    return METRICS.get(stem, stem.replace("_", " ")) + threshold


def capitalise(text: str) -> str:
    """Give the same text a capital at its start; other letters stay.

    Examples
    --------
    >>> capitalise("the AUROC")
    'The AUROC'
    """
    return text[:1].upper() + text[1:]


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


def choose_decimals(*values: float) -> int:
    """Choose decimals so that no value but 0 is written as zero: two, or three where two are too few.

    Examples
    --------
    >>> choose_decimals(0.12, -0.3), choose_decimals(0.03, -0.004)
    (2, 3)
    """
    return 3 if any(value != 0 and round(value, 2) == 0 for value in values) else 2


def show_count(n: float, one: str, many: str | None = None) -> str:
    """Write a count with its noun.

    Examples
    --------
    >>> show_count(1, "cell"), show_count(1200, "cell"), show_count(2, "lineage of cells", "lineages of cells")
    ('1 cell', '1,200 cells', '2 lineages of cells')
    """
    noun = one if n == 1 else (many or f"{one}s")
    return f"{int(n):,} {noun}"


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


def list_words(words: Iterable[str]) -> str:
    """Words joined as in a sentence.

    Examples
    --------
    >>> list_words(["a", "b", "c"])
    'a, b and c'
    """
    names = list(words)
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}" if names else "none"


def _is_missing(value: object) -> bool:
    if isinstance(value, float):
        return not math.isfinite(value)
    return value is None or value is pd.NA or value is pd.NaT
