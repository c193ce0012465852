"""What forecasts rest on and which explanation to believe: verdicts from the scores of attributions."""

from typing import Any, Final

import pandas as pd

from cellfate.core.attribution_thresholds import FEW_EXPLAINED, check_scores
from cellfate.core.predictors import CLASSIFIER, NETWORK, ON_OTHER_BACKGROUND
from cellfate.core.tables import EVERYTHING
from cellfate.core.words import (
    EMPTY,
    list_words,
    name_asked,
    name_feature,
    name_method,
    name_metric,
    name_score,
    show_count,
    show_score,
)
from cellfate.plots.aligned_time import choose_alignment
from cellfate.plots.attributions import join_outcomes, window_labels
from cellfate.report.page import ReportTable
from cellfate.report.tables import as_report_table

CHANCE_AUROC: Final = 0.5
"""Area under the ROC curve of a forecast that knows nothing."""
FAR_FROM_BASE: Final = 2.0
"""Logits between the forecast with nothing shown and the base rate from which the report warns."""
NOTHING_TO_EXPLAIN: Final = (
    "The AUROC interval of the network that is explained includes .5, so it may know nothing and there is nothing to "
    "explain: believe none of them, whatever their scores."
)
EXPLAINED: Final = {"classifier": CLASSIFIER, "clock": NETWORK}
"""Predictor of each reading whose forecasts are explained."""


def judge_methods(attribution_scores: pd.DataFrame) -> pd.DataFrame:
    """Hold every method against the checks it must pass.

    Parameters
    ----------
    attribution_scores
        Table `AttributionScores`.

    Returns
    -------
    pandas.DataFrame
        One row a method: method, verdict (`passes`, `fails` or `not checked`), reasons: what failed, or what could not
        be checked.
    """
    rows = [
        {"method": method, **_judge(part.set_index("score"), check_scores(part))}
        for method, part in attribution_scores.groupby("method", sort=False)
    ]
    return pd.DataFrame(rows, columns=["method", "verdict", "reasons"])


def _judge(scores: pd.DataFrame, passed: dict[str, bool]) -> dict[str, str]:
    """Verdict on one method from its scores, and which of them pass."""
    failed = {score for score, passes in passed.items() if not passes}
    gains = {"deletion_gain": "deletion", "insertion_gain": "insertion"}
    unclear = [words for score, words in gains.items() if score in failed]
    are = "are" if len(unclear) > 1 else "is"
    failures = [f"{list_words(unclear)} {are} not told apart from random orders"] if unclear else []
    if "randomised_weights" in failed:
        failures.append("it stays alike when the weights are random")
    if "label_permuted" in failed:
        failures.append("a model of permuted outcomes gives it as well as one trained again")
    if "window_auroc" in failed:
        failures.append(f"it misses the planted hours (AUROC {scores['value']['window_auroc']:.2f})")
    if failures:
        return {"verdict": "fails", "reasons": list_words(failures)}
    if "deletion_gain" not in passed:
        return {
            "verdict": "not checked",
            "reasons": _say_too_few(scores) or str(scores["reason"].get("deletion_gain", "")),
        }
    return {"verdict": "passes", "reasons": ""}


def _say_too_few(scores: pd.DataFrame) -> str:
    """Say that cells of too few groups were explained to tell methods from random orders; empty where they are enough.

    `scores` are rows of `AttributionScores`, the index names scores.
    """
    known = scores[(scores.index == "deletion_gain") & scores["value"].notna()]
    n_groups = 0 if known.empty else int(known["n_groups"].max())
    if not 0 < n_groups < FEW_EXPLAINED:
        return ""
    return f"cells of {show_count(n_groups, 'group')} were explained, expected are at least {FEW_EXPLAINED}"


def is_at_chance(metrics: pd.DataFrame, predictor: str, explained: str) -> bool:
    """Tell whether the AUROC of what is explained is not clearly above .5: then there is nothing to explain.

    Parameters
    ----------
    metrics
        Table `Metrics`. Where the interval is not defined (one group), the model is not called at chance.
    predictor
        Predictor whose forecasts are explained.
    explained
        Explained outcome in the words of `core.words.name_asked`; where it was not scored within these hours, the other
        hours count, all of them.
    """
    rows = metrics[(metrics["predictor"] == predictor) & (metrics["metric"] == "auroc")]
    rows = rows[(rows["condition"] == EVERYTHING) & (rows["outcome"] == explained.split(" ")[0])]
    exact = [name_asked(*row) == explained for row in zip(rows["outcome"], rows["within_h"], strict=True)]
    lows = rows.loc[exact, "low"] if any(exact) else rows["low"]
    return bool(len(lows)) and bool((lows <= CHANCE_AUROC).all())


def write_belief(attribution_scores: pd.DataFrame, at_chance: bool = False) -> str:
    """Say which methods deserve belief here, and why the others do not.

    Parameters
    ----------
    attribution_scores
        Table `AttributionScores`.
    at_chance
        Whether the model forecasts no better than chance; see `is_at_chance`.
    """
    if at_chance:
        return NOTHING_TO_EXPLAIN
    verdicts = judge_methods(attribution_scores)
    named = {
        verdict: [name_method(str(method)) for method in part["method"].tolist()]
        for verdict, part in verdicts.groupby("verdict")
    }
    passing = named.get("passes", [])
    few = _say_too_few(attribution_scores.set_index("score"))
    if passing:
        first = f"Believe first: {list_words(passing)}. "
    elif few:
        first = f"Too few groups to tell methods from random orders: {few}. "
    else:
        first = "No method passes every check here: take none of them as what the model does. "
    failing = verdicts[verdicts["verdict"] == "fails"].groupby("reasons", sort=False)["method"]
    rest = "; ".join(f"{list_words(map(name_method, methods))}: {reasons}" for reasons, methods in failing)
    return first + (f"Do not rely on {rest}." if rest else "No method fails a check that could be made.")


def write_explained(shapley: pd.DataFrame, explained_landmarks: pd.DataFrame) -> str:
    """Say what Shapley values explain, in how many cells, and how far from the base rate a forecast of nothing lies.

    Parameters
    ----------
    shapley
        Table `Attributions` of Shapley values with `baseline`; at least one landmark.
    explained_landmarks
        Table `Landmarks` with `reference_log_odds`.
    """
    nothing = shapley.groupby("landmark_id")["baseline"].first()
    base = explained_landmarks.set_index("landmark_id")["reference_log_odds"].reindex(nothing.index)
    said = (
        f"Shapley values explain {shapley['explained_outcome'].iloc[0]}, in {show_count(len(nothing), 'test cell')}; "
        f"mean log odds with nothing shown {nothing.mean():.1f}, base rate {base.mean():.1f}"
    )
    if abs(nothing.mean() - base.mean()) <= FAR_FROM_BASE:
        return f"{said}."
    return f"{said}. Warning: they lie over {FAR_FROM_BASE:g} apart, so the values also tell that there is a cell."


def tabulate_attribution_scores(attribution_scores: pd.DataFrame) -> ReportTable:
    """List methods by scores: value and interval; a dash where a score is not defined."""
    shown = attribution_scores.assign(text=[write_attribution_score(row) for row in attribution_scores.itertuples()])
    wide = shown.pivot_table(index="method", columns="score", values="text", aggfunc="first", sort=False)
    wide = wide[[score for score in wide if (wide[score] != EMPTY).any()]]
    verdicts = judge_methods(attribution_scores).set_index("method")["verdict"]
    table = wide.rename(columns=name_score).assign(verdict=verdicts.reindex(wide.index))
    table = table.rename(index=name_method).rename_axis("method").reset_index()
    return as_report_table(table, "Every method and score, mean over cells [interval]", folded=True)


def write_attribution_score(row: Any) -> str:
    """Write a score with its interval."""
    if pd.isna(row.value):
        return EMPTY
    return f"{row.value:.2f}" if pd.isna(row.low) else f"{row.value:.2f} [{row.low:.2f}, {row.high:.2f}]"


def tabulate_background_swap(background_swap: pd.DataFrame) -> ReportTable:
    """List balanced accuracy and AUROC before and after the surroundings are swapped."""
    rows = background_swap[background_swap["condition"] == EVERYTHING]
    is_first = ~rows.duplicated(["predictor", "metric"])  # of two fates the second has the AUROC of the first
    rows = rows[(rows["metric"] == "balanced_accuracy") | ((rows["metric"] == "auroc") & is_first)]
    shown = {CLASSIFIER: "as recorded", ON_OTHER_BACKGROUND: "on another cell's surroundings"}
    frame = pd.DataFrame(
        {
            "cells shown": [shown.get(name, name) for name in rows["predictor"]],
            "score": [name_metric(metric) for metric in rows["metric"]],
            "estimate": [show_score(*row) for row in rows[["estimate", "low", "high"]].to_numpy(float)],
        }
    )
    return as_report_table(frame, "Does the model read the cell, or what lies beside it?")


def tabulate_rests_on(
    shapley: pd.DataFrame, tree_shapley: pd.DataFrame, explained_landmarks: pd.DataFrame
) -> tuple[ReportTable, ...]:
    """List what forecasts rest on: channels and hours of the network, as its figure has them; boosting's features."""
    tables = []
    if len(shapley):
        _, shown = join_outcomes(shapley, explained_landmarks)
        labels, clock = window_labels(shapley, shown), choose_alignment(shown).title
        hours = shapley["windows_back"].map(labels.__getitem__)
        size = shapley.assign(size=shapley["value"].abs(), hours=hours)
        by_channel = _share(size, "channel")
        by_hours = _share(size, "hours").set_index("hours").reindex(labels[::-1]).reset_index(names=clock)
        tables.append(as_report_table(by_channel, "Share of the values' size, by channel"))
        tables.append(as_report_table(by_hours, "By time window"))
    if len(tree_shapley):
        of_features = tree_shapley.assign(
            size=tree_shapley["value"].abs(), feature=tree_shapley["feature"].map(name_feature)
        )
        auroc = tree_shapley["boosting_auroc"].mean()
        caption = f"Of boosting (AUROC {auroc:.2f}), by feature"
        tables.append(as_report_table(_share(of_features, "feature"), caption, longest=5))
    return tuple(tables)


def _share(rows: pd.DataFrame, name: str) -> pd.DataFrame:
    """Share of the size of values, largest first."""
    sums = rows.groupby(name)["size"].sum().sort_values(ascending=False)
    return pd.DataFrame({name: sums.index, "share": [f"{share:.2f}" for share in sums / max(sums.sum(), 1e-12)]})
