"""Paired differences between predictors, and the few numbers a run is summed up by."""

from collections.abc import Callable, Collection, Hashable, Iterator, Mapping
from itertools import groupby
from typing import Any

import numpy as np
import pandas as pd

from cellfate.cohort.settings import FollowUpSettings
from cellfate.core.errors import InputError
from cellfate.core.predictors import CLASSIFIER, CLOCK_PREDICTORS, REFERENCES, TRIVIAL_REFERENCES
from cellfate.core.tables import EVERYTHING, Comparisons
from cellfate.core.words import LOWER_IS_BETTER, list_words
from cellfate.metrics.forecasts import Asked, is_within, read_forecasts, require_same_landmarks
from cellfate.metrics.scoring import compare_scores
from cellfate.metrics.settings import ReferenceSettings, ScoreSettings
from cellfate.statistics.bootstrap import Estimate, draw_groups, p_of_zero, summarise
from cellfate.statistics.permutation_tests import correct_by_holm


def compare_forecasts(
    forecasts: pd.DataFrame, landmarks: pd.DataFrame, follow_up: FollowUpSettings, scores: ScoreSettings
) -> pd.DataFrame:
    """Differences between predictors on the same landmarks and the same resamples, for every question.

    Parameters
    ----------
    forecasts, landmarks, follow_up, scores
        As of `scoring.score_forecasts`.

    Returns
    -------
    DataFrame
        Table `Comparisons`: `classifier`, and the leading predictor of the fate clock, each less every other predictor
        that was asked the same. `best_trivial`: the reference is, for this metric, the best without measurements;
        `best_reference`: the best of all without a network. Each is chosen on the test landmarks themselves, in favour
        of the references: the difference shown is the smallest there is. `p_value` is that of the paired resamples;
        `p_corrected` corrects it by Holm over the outcomes and hours that the pair is compared on by the same metric,
        but for the one result named in `scores.primary`.

    Raises
    ------
    InputError
        If the predictors did not forecast the same landmarks, or the primary result is not one that is scored.
    """
    ordered = sorted(read_forecasts(forecasts, landmarks, follow_up), key=_question_place)
    rows = [row for _, asked in groupby(ordered, _question_place) for row in _compare(list(asked), scores)]
    table = pd.DataFrame(rows, columns=list(Comparisons.to_schema().columns))
    return _correct(table.assign(primary=_is_primary(table, follow_up, scores)))


def _is_primary(table: pd.DataFrame, follow_up: FollowUpSettings, scores: ScoreSettings) -> "pd.Series[bool]":
    """Whether rows are of the result that was named beforehand."""
    primary = scores.primary
    within_h = follow_up.headline_h if primary.within_h is None else primary.within_h
    if within_h not in follow_up.report_h or (primary.event or follow_up.events[0]) not in follow_up.events:
        raise InputError(
            f"scores.primary names {primary.event or 'the first event'} within {within_h:g} h, expected one of "
            f"{list_words(follow_up.events)} within one of {list(follow_up.report_h)} h; name one that is scored."
        )
    of_hours = is_within(table["within_h"].astype(float), within_h)
    scored = set(table.loc[of_hours, "outcome"])
    event = primary.event or next((event for event in follow_up.events if event in scored), None)
    return of_hours & (table["metric"] == primary.metric) & (table["outcome"] == event)


def _correct(table: pd.DataFrame) -> pd.DataFrame:
    """Correct the p values of each pair and metric across outcomes and hours, but for the primary one."""
    corrected = table["p_value"].astype(float).copy()
    others = table[~table["primary"].astype(bool)]
    for _, rows in others.groupby(["predictor", "reference", "metric"], sort=False):
        corrected.loc[rows.index] = correct_by_holm(rows["p_value"].to_numpy(np.float64))
    return table.assign(p_corrected=corrected)


def leading_predictors(predictors: list[str]) -> list[str]:
    """Predictors that are held against the others: the classifier, and the first there is of the fate clock."""
    of_clock = [name for name in CLOCK_PREDICTORS if name in predictors][:1]
    return [name for name in (CLASSIFIER, *of_clock) if name in predictors]


def _question_place(asked: Asked) -> float:
    """Which fate comes stands before the hours."""
    return -1.0 if np.isnan(asked.within_h) else asked.within_h


def _compare(asked: list[Asked], settings: ScoreSettings) -> Iterator[dict[str, object]]:
    """Rows of one question."""
    require_same_landmarks(asked)
    known = {each.predictor: each.known() for each in asked}
    leading, first = leading_predictors(list(known)), next(iter(known.values()))
    counts_rg = draw_groups(first.n_groups, settings.n_resamples, settings.seed)
    values = {name: compare_scores(each, counts_rg) for name, each in known.items()} if len(known) > 1 else {}
    for predictor in leading:
        others = {name: of for name, of in values.items() if name != predictor}
        for key in values.get(predictor, {}):
            estimates = {name: float(of[key][0]) for name, of in others.items()}
            best_trivial, best = (best_of(names, key[0], estimates) for names in (TRIVIAL_REFERENCES, REFERENCES))
            for name, of in others.items():
                n_event_groups = first.count_event_groups(key[1])
                difference_r = values[predictor][key] - of[key]
                estimate = summarise(difference_r, settings.confidence, n_event_groups)
                yield {
                    "predictor": predictor,
                    "reference": name,
                    "within_h": first.within_h,
                    **dict(zip(("metric", "outcome"), key, strict=True)),
                    **dict(zip(("difference", "low", "high"), estimate, strict=True)),
                    "n_landmarks": len(first.truth_n),
                    "n_groups": first.n_groups,
                    "n_event_groups": n_event_groups,
                    "p_value": p_of_zero(difference_r, n_event_groups),
                    "p_corrected": np.nan,
                    "primary": False,
                    "best_trivial": name == best_trivial,
                    "best_reference": name == best,
                }


def best_of(names: Collection[str], metric: str, estimates: Mapping[str, float]) -> str | None:
    """Name of the best of some references by its estimate; null where there is none."""
    sign = -1 if metric in LOWER_IS_BETTER else 1
    known = {name: sign * value for name, value in estimates.items() if name in names and np.isfinite(value)}
    return max(known, key=known.__getitem__) if known else None


def summarise_scores(
    metrics: pd.DataFrame, comparisons: pd.DataFrame, scores: ScoreSettings, references: ReferenceSettings
) -> dict[str, object]:
    """Pick the numbers a run is summed up by, with the settings that made them.

    Parameters
    ----------
    metrics, comparisons
        Tables of `score_forecasts` and `compare_forecasts`.
    scores, references
        Their settings, written beside the numbers.

    Returns
    -------
    dict
        `questions`: question (`which_fate`, `within_5_h`) -> `scores`: predictor -> metric (or metric_outcome) ->
        [estimate, low, high] over all test landmarks; `n_cells`, `n_landmarks`, `n_groups`; `over_best` (of all
        references) and `over_best_trivial`: predictor -> metric -> reference, difference, low, high. And `settings`.
        Plain numbers, null where undefined.
    """
    overall = metrics[metrics["condition"] == EVERYTHING]
    best, trivial = (comparisons[comparisons[name].astype(bool)] for name in ("best_reference", "best_trivial"))
    by_hours = [(float(str(hours)), rows) for hours, rows in overall.groupby("within_h", dropna=False)]
    questions = {
        _question_name(hours): {
            "scores": _nested(rows, _describe_score),
            **{f"n_{unit}": int(rows[f"n_{unit}"].max()) for unit in ("cells", "landmarks", "groups")},
            "over_best": _nested(best[is_within(best["within_h"], hours)], _describe_lead),
            "over_best_trivial": _nested(trivial[is_within(trivial["within_h"], hours)], _describe_lead),
        }
        for hours, rows in by_hours
    }
    settings = {"scores": scores.model_dump(mode="json"), "references": references.model_dump(mode="json")}
    return {"questions": questions, "settings": settings}


def _question_name(within_h: float) -> str:
    return "which_fate" if np.isnan(within_h) else f"within_{within_h:g}_h"


def _nested(rows: pd.DataFrame, describe: Callable[[dict[Hashable, Any]], object]) -> dict[str, dict[str, object]]:
    """Predictor -> metric (or metric_outcome) -> what is said of the row."""
    found: dict[str, dict[str, object]] = {}
    for row in rows.to_dict("records"):
        name = row["metric"] if row["outcome"] == EVERYTHING else f"{row['metric']}_{row['outcome']}"
        found.setdefault(row["predictor"], {})[name] = describe(row)
    return found


def _describe_score(row: dict[Hashable, Any]) -> object:
    return [plain(row[bound]) for bound in Estimate._fields]


def _describe_lead(row: dict[Hashable, Any]) -> object:
    return {"reference": row["reference"], **{name: plain(row[name]) for name in ("difference", "low", "high")}}


def plain(value: float) -> float | None:
    """Make a number that JSON can hold: null instead of NaN."""
    return float(value) if np.isfinite(value) else None
