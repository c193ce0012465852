"""What forecasts rest on and which explanation to believe: verdicts from the scores of attributions."""

from collections.abc import Hashable, Mapping
from typing import Any, Final

import pandas as pd

from cellfate.attribution.methods import COMPARED as METHODS
from cellfate.core.attribution_thresholds import (
    ABOUT_CELL,
    ABOUT_MODEL,
    COMPARED,
    FEW_EXPLAINED,
    LEAST_GAIN,
    OVER_OTHERS,
    OVER_RANDOM,
    check_scores,
)
from cellfate.core.input_words import name_input, name_inputs
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
ABOUT: Final = {"about_model": "about the model", "about_cell": "about this cell"}
"""The two verdicts on a method."""
PASSES: Final = "passes"
FAILS: Final = "fails"
NOT_CHECKED: Final = "not checked"
EXPLAINED: Final = {"classifier": CLASSIFIER, "clock": NETWORK}
"""Predictor of each reading whose forecasts are explained."""


def judge_methods(attribution_scores: pd.DataFrame) -> pd.DataFrame:
    """Hold every method against the checks it must pass: whether it speaks of the model, and whether of this cell.

    Parameters
    ----------
    attribution_scores
        Table `AttributionScores`.

    Returns
    -------
    pandas.DataFrame
        One row a method: method, about_model and about_cell (`passes`, `fails` or `not checked`), reasons: what failed
        and by how much, or what could not be checked. A method that does not pass about the model is not asked more.
    """
    rows = [
        {"method": method, **_judge(str(method), part.set_index("score"), check_scores(part))}
        for method, part in attribution_scores.groupby("method", sort=False)
    ]
    return pd.DataFrame(rows, columns=["method", "about_model", "about_cell", "reasons"])


def _judge(method: str, scores: pd.DataFrame, passed: dict[str, bool]) -> dict[str, str]:
    """Both verdicts on one method from its scores, and which of them pass."""
    of_network = method not in METHODS or METHODS[method].of_network
    needed = (*OVER_RANDOM, "randomised_weights") if of_network else OVER_RANDOM
    of_model, reasons = _decide(scores, passed, ABOUT_MODEL, needed)
    if of_model != PASSES:
        return {"about_model": of_model, "about_cell": of_model, "reasons": reasons}
    of_cell, reasons = _decide(scores, passed, ABOUT_CELL, OVER_OTHERS)
    return {"about_model": of_model, "about_cell": of_cell, "reasons": reasons}


def _decide(
    scores: pd.DataFrame, passed: dict[str, bool], about: tuple[str, ...], needed: tuple[str, ...]
) -> tuple[str, str]:
    """Verdict from the scores it is about, and why it is not `passes`; without those needed there is none."""
    failed = [score for score in about if not passed.get(score, True)]
    if failed:
        return FAILS, "; ".join(_say_failure(score, scores) for score in failed)
    missing = [score for score in needed if score not in passed]
    if missing:
        few = _say_too_few(scores) if missing[0] in COMPARED else ""
        return NOT_CHECKED, few or str(scores["reason"].get(missing[0]) or "not among the scores")
    return PASSES, ""


def _say_failure(score: str, scores: pd.DataFrame) -> str:
    """Say which score fails, and by how much."""
    row = scores.to_dict("index")[score]
    if score == "monte_carlo_error":
        return f"Monte Carlo error {row['value']:.2f} beside values of {scores['value']['value_size']:.2f}"
    named = f"{name_score(score)[:1].lower()}{name_score(score)[1:]}"
    if score != "retrained_over_permuted" and score in COMPARED and row["low"] > 0:
        return f"{named} {row['value']:.3f}, expected at least {LEAST_GAIN:g} logits"
    return f"{named} {write_attribution_score(row)}"


def _say_too_few(scores: pd.DataFrame) -> str:
    """Say that cells of too few groups were explained to tell one thing from another; empty where they are enough.

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
    of_cell, of_model = (
        [name_method(str(method)) for method in verdicts.loc[kept, "method"]]
        for kept in (
            verdicts["about_cell"] == PASSES,
            (verdicts["about_model"] == PASSES) & (verdicts["about_cell"] != PASSES),
        )
    )
    few = _say_too_few(attribution_scores.set_index("score"))
    if not of_cell and not of_model:
        if few:
            return f"Too few groups to tell methods from random orders: {few}."
        return "No method passes every check about the model: take none of them as what the model does."
    said = f"Believe of a single cell: {list_words(of_cell)}. " if of_cell else ""
    said += f"Believe of the model, not of a single cell: {list_words(of_model)}." if of_model else ""
    return f"{said} {_say_alike(attribution_scores, verdicts)}".strip()


def _say_alike(attribution_scores: pd.DataFrame, verdicts: pd.DataFrame) -> str:
    """Where methods fail about this cell alone, say how much they say the same of all cells; else nothing."""
    failing = verdicts.loc[(verdicts["about_model"] == PASSES) & (verdicts["about_cell"] == FAILS), "method"]
    alike = attribution_scores[attribution_scores["score"] == "alike_in_cells"].set_index("method")["value"]
    known = alike.reindex(failing).dropna()
    if known.empty or (verdicts["about_cell"] == PASSES).any():
        return ""
    method = str(known.index[0])
    return (
        f"What is said of a cell is no better there than what is said of others: the values of {name_method(method)} "
        f"have a rank correlation of {known.iloc[0]:.2f} with the mean of the other cells. Where cells share their "
        "hours, no method can do more."
    )


def tabulate_verdicts(scores_by_reading: Mapping[str, pd.DataFrame]) -> ReportTable:
    """List both verdicts on every method, side by side for all readings; methods alike in all share a row.

    Parameters
    ----------
    scores_by_reading
        Tables `AttributionScores`, by the words that stand over their two columns; a dash where a reading has no such
        method.
    """
    wide = pd.concat(
        {
            f"{name}: {about}": judge_methods(scores).set_index("method")[column]
            for name, scores in scores_by_reading.items()
            for column, about in ABOUT.items()
        },
        axis=1,
        sort=False,
    ).fillna(EMPTY)
    methods = wide.index.to_series().map(name_method)
    rows = methods.groupby([wide[name] for name in wide], sort=False).agg(", ".join)
    return as_report_table(rows.rename("method").reset_index()[["method", *wide]], "")


def tabulate_reasons(attribution_scores: pd.DataFrame) -> ReportTable:
    """List what failed or was not checked, with its interval, method by method; methods alike share a row."""
    verdicts = judge_methods(attribution_scores)
    named = verdicts[verdicts["reasons"] != ""].assign(method=verdicts["method"].map(name_method))
    rows = named.groupby("reasons", sort=False)["method"].agg(", ".join).reset_index()[["method", "reasons"]]
    return as_report_table(rows, "What failed, or was not checked", folded=True)


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
        f"mean log odds with nothing shown {nothing.mean():z.1f}, base rate {base.mean():z.1f}"
    )
    if abs(nothing.mean() - base.mean()) <= FAR_FROM_BASE:
        return f"{said}."
    return f"{said}. Warning: they lie over {FAR_FROM_BASE:g} apart, so the values also tell that there is a cell."


def tabulate_attribution_scores(attribution_scores: pd.DataFrame) -> ReportTable:
    """List scores by methods: value and interval; a dash where a score is not defined."""
    shown = attribution_scores.assign(
        text=[write_attribution_score(row) for row in attribution_scores.to_dict("records")]
    )
    wide = shown.pivot_table(index="score", columns="method", values="text", aggfunc="first", sort=False)
    wide = wide[(wide != EMPTY).any(axis=1)]
    table = wide[[method for method in wide if (wide[method] != EMPTY).any()]]
    table = table.rename(index=name_score, columns=name_method).rename_axis("score").reset_index()
    return as_report_table(table, "Every score, mean over cells [interval]", folded=True)


def write_attribution_score(row: Mapping[Hashable, Any]) -> str:
    """Write a score with its interval."""
    if pd.isna(row["value"]):
        return EMPTY
    return f"{row['value']:.2f}" if pd.isna(row["low"]) else f"{row['value']:.2f} [{row['low']:.2f}, {row['high']:.2f}]"


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
    return as_report_table(frame, "The cell, or what lies beside it?", folded=True)


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
        named = name_inputs(size["channel"])
        by_channel = _share(size.assign(**{named: size["channel"].map(name_input)}), named)
        by_hours = _share(size, "hours").set_index("hours").reindex(labels[::-1]).reset_index(names=clock)
        tables.append(as_report_table(by_channel, f"Share of the values' size, by {named}", longest=12))
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
