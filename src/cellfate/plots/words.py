"""Names of predictors, metrics and conditions as they stand on figures, and the order of doses."""

from collections.abc import Iterable
from typing import Final

from cellfate.core.predictors import MODEL
from cellfate.plots.theme import COLOURS, SEQUENCE

PREDICTORS: Final = {
    "cellfate": "Model",
    "cellfate_background_swapped": "Model, on other surroundings",
    "ensemble": "Ensemble (clock and boosting)",
    "clock": "Clock (network)",
    "truth": "True hazards",
    "track_length": "Track length",
    "track_age": "Track age",
    "recording_time": "Time in the recording",
    "age_and_time": "Track age and time",
    "dose": "Dose",
    "length_and_dose": "Track length and dose",
    "position": "Position in the image",
    "handcrafted": "Boosting, handcrafted features",
    "handcrafted_and_age": "Boosting, handcrafted features and age",
}
"""What a predictor is called; a predictor that is not listed keeps its own name."""

METRICS: Final = {
    "balanced_accuracy": "Balanced accuracy",
    "auroc": "AUROC",
    "average_precision": "Average precision",
    "brier": "Brier score (lower is better)",
    "recall": "Recall",
}
"""What a metric is called; a metric that is not listed keeps its own name."""

ATTRIBUTIONS: Final = {
    "attention": "Pooling attention",
    "attention_rollout": "Attention, rolled out",
    "occlusion_window": "Occlusion of windows",
    "occlusion_window_channel": "Occlusion of channels in windows",
    "shapley": "Shapley values",
    "gradient_x_input": "Gradient times input",
    "tree_shapley": "TreeSHAP of the boosting",
}
"""What an attribution method is called."""

ATTRIBUTION_SCORES: Final = {
    "deletion_gain": "Deletion, over random",
    "insertion_gain": "Insertion, over random",
    "over_reverse": "Over reverse order",
    "randomised_weights": "Weights randomised",
    "label_permuted": "Outcomes permuted",
    "retrained": "Trained again",
    "seed_stability": "Other seed",
    "agreement": "Agreement with others",
    "window_auroc": "Planted hours, AUROC",
    "window_precision": "Planted hours, precision",
    "channel_hit": "Planted channel",
}
"""What a score of attributions is called."""

_DOSES: Final = ("Control", "Low", "Medium", "High", "Unknown")


def name_predictor(name: str) -> str:
    """Name of a predictor on a figure."""
    return PREDICTORS.get(name, name.replace("_", " "))


def name_method(method: str) -> str:
    """Name of an attribution method on a figure and in a table."""
    return ATTRIBUTIONS.get(method, method.replace("_", " "))


def name_score(score: str) -> str:
    """Name of a score of attributions on a figure and in a table."""
    return ATTRIBUTION_SCORES.get(score, score.replace("_", " "))


def name_metric(metric: str, outcome: str = "all") -> str:
    """Name of a metric on a figure, with the class it is of."""
    name = METRICS.get(metric, metric.replace("_", " "))
    return name if outcome == "all" else f"{name} of {outcome}"


def colour_method(method: str) -> str:
    """Colour of an attribution method: the same in every figure."""
    return SEQUENCE[list(ATTRIBUTIONS).index(method) % len(SEQUENCE)] if method in ATTRIBUTIONS else SEQUENCE[-1]


def colour_predictor(name: str, position: int) -> str:
    """Colour of a predictor: dark for the model, others by position."""
    return COLOURS["model"] if name == MODEL else SEQUENCE[1 + position % (len(SEQUENCE) - 1)]


def order_doses(doses: Iterable[str]) -> list[str]:
    """List different doses: the known names from low to high, others by name.

    Examples
    --------
    >>> order_doses(["High", "Control", "High"])
    ['Control', 'High']
    """
    found = set(doses)
    return [dose for dose in _DOSES if dose in found] + sorted(found - set(_DOSES))


def write_title(title: str, subtitle: str) -> str:
    """Write a title with a smaller second line."""
    return f"{title}<br><span style='font-size:12px'>{subtitle}</span>"


def write_counts(n_samples: int, n_groups: int, n_cells: int | None = None, *, what: str = "samples") -> str:
    """Write how much was scored, and what: samples, or landmarks.

    Examples
    --------
    >>> write_counts(120, 10, 80)
    'n = 120 samples of 80 cells in 10 groups'
    """
    cells = "" if n_cells is None else f" of {n_cells:,} cells"
    return f"n = {n_samples:,} {what}{cells} in {n_groups:,} groups"
