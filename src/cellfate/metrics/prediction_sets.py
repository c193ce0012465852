"""Prediction sets: calibrated on tested groups, a group's own on the other ones, and how often they hold what came."""

import logging
from collections.abc import Iterator
from itertools import product
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cellfate.cohort.settings import FollowUpSettings
from cellfate.core.predictors import BLEND, CLASSIFIER
from cellfate.core.tables import EVERYTHING, PredictionSets, SetThresholds
from cellfate.core.words import name_question, show_count
from cellfate.metrics.forecasts import Asked, is_within, read_forecasts
from cellfate.metrics.settings import ScoreSettings
from cellfate.prediction.settings import PredictionSetSettings
from cellfate.statistics.bootstrap import BoolArray, FloatArray, draw_groups, mean_by_group, summarise
from cellfate.statistics.conformal import fewest_groups, find_threshold, leave_groups_out, list_members

logger = logging.getLogger(__name__)

ANSWERS: Final = (CLASSIFIER, BLEND)
"""Predictors whose forecasts are written for a reader."""


def calibrate_sets(
    forecasts: pd.DataFrame, landmarks: pd.DataFrame, follow_up: FollowUpSettings, sets: PredictionSetSettings
) -> pd.DataFrame:
    """Find the thresholds of prediction sets: of every tested group from all others, and of new cells from all.

    Parameters
    ----------
    forecasts, landmarks, follow_up
        As of `scoring.score_forecasts`; of the classifier and the blend, within the headline horizon and which fate.
    sets
        The level.

    Returns
    -------
    DataFrame
        Table `SetThresholds`. With too few groups thresholds are NaN, with the reason, and a warning is logged.

    Notes
    -----
    But for splits by cell, no model and no weight saw the cells of a group that is tested. Where one model forecasts
    all tested groups, each is as good as a new one to the others, and the level holds for a landmark of it. With folds
    dealt at random that goes for tested groups, each forecast without itself; new ones are forecast by all members
    together, for which nothing proves a level: the bounds of Barber et al. (Ann. Stat. 49, 486 (2021)) are of the
    jackknife+ and cross-validation+, which hold a new group against every member by itself.
    """
    rows = [row for asked in _answers(forecasts, landmarks, follow_up) for row in _calibrate(asked, landmarks, sets)]
    table = pd.DataFrame(rows, columns=list(SetThresholds.to_schema().columns)).astype({"n_groups": "int64"})
    for reason, refused in table.groupby("reason", sort=False):
        whose = "new cells" if refused["group_id"].isna().any() else "tested cells"
        logger.warning("There are no prediction sets of %s: %s", whose, reason)
    return table


def _answers(forecasts: pd.DataFrame, landmarks: pd.DataFrame, follow_up: FollowUpSettings) -> list[Asked]:
    asked_h = forecasts["within_h"].isna() | is_within(forecasts["within_h"], follow_up.headline_h)
    told = forecasts[forecasts["predictor"].isin(ANSWERS) & asked_h]
    if told.empty:
        return []
    return read_forecasts(told, landmarks, follow_up.model_copy(update={"report_h": (follow_up.headline_h,)}))


def _name_groups(asked: Asked, landmarks: pd.DataFrame) -> NDArray[np.object_]:
    return landmarks.set_index("landmark_id")["group_id"].reindex(asked.landmark_ids_n).to_numpy(object)


def _score_misses(asked: Asked) -> FloatArray:
    """1 less the forecast of what came, (n,); where that is not known, of the likeliest: its weight is 0."""
    known_n = asked.truth_n >= 0
    came_n = np.where(known_n, asked.truth_n, 0)
    return np.asarray(1 - asked.probabilities_nk[np.arange(len(came_n)), came_n], dtype=np.float64)


def _calibrate(asked: Asked, landmarks: pd.DataFrame, sets: PredictionSetSettings) -> Iterator[dict[str, Any]]:
    scores_n, needed = _score_misses(asked), fewest_groups(sets.level)
    told_g = np.empty(asked.n_groups, dtype=object)
    told_g[asked.groups_n] = _name_groups(asked, landmarks)
    known_n = asked.weights_n > 0
    with_known = set(asked.groups_n[known_n].tolist())
    found = [*leave_groups_out(scores_n, asked.groups_n, asked.weights_n, sets.level)]
    found.append(find_threshold(scores_n, asked.groups_n, asked.weights_n, sets.level))
    for group, (name, threshold) in enumerate(zip([*told_g, None], found, strict=True)):
        n_groups = len(with_known - {group})
        few = (
            f"{show_count(n_groups, 'group')} with a known answer to {name_question(asked.within_h)} can calibrate "
            f"them, but a level of {sets.level:g} takes {needed}"
        )
        yield {
            "predictor": asked.predictor,
            "within_h": asked.within_h,
            "group_id": name,
            "level": sets.level,
            "threshold": threshold,
            "n_groups": n_groups,
            "reason": few if np.isnan(threshold) else None,
        }


def score_sets(
    forecasts: pd.DataFrame,
    landmarks: pd.DataFrame,
    follow_up: FollowUpSettings,
    set_thresholds: pd.DataFrame,
    scores: ScoreSettings,
) -> pd.DataFrame:
    """Say how often the sets of tested landmarks hold what came, how large they are, and how many leave it open.

    Parameters
    ----------
    forecasts, landmarks, follow_up
        As of `calibrate_sets`.
    set_thresholds
        From there.
    scores
        Resamples and confidence; whole groups are drawn.

    Returns
    -------
    DataFrame
        Table `PredictionSets`: over all test landmarks and in each dose, for all outcomes and by the one that came. The
        level is meant for a landmark of a new group, where each group counts the same: that is `share_held` of all. By
        dose and outcome it is what was seen, and nothing promises it.
    """
    rows = [
        row
        for asked in _answers(forecasts, landmarks, follow_up)
        for row in _score(asked, landmarks, set_thresholds, scores)
    ]
    return pd.DataFrame(rows, columns=list(PredictionSets.to_schema().columns))


def _score(
    asked: Asked, landmarks: pd.DataFrame, set_thresholds: pd.DataFrame, scores: ScoreSettings
) -> Iterator[dict[str, Any]]:
    """Rows of one predictor and question: of every dose and outcome."""
    of_asked = set_thresholds[
        (set_thresholds["predictor"] == asked.predictor) & is_within(set_thresholds["within_h"], asked.within_h)
    ]
    names, reasons = _name_groups(asked, landmarks), of_asked["reason"].dropna()
    by_group = of_asked.dropna(subset="group_id").set_index("group_id")
    members_nk = list_members(asked.probabilities_nk, by_group["threshold"].reindex(names).to_numpy(np.float64))
    about = {"predictor": asked.predictor, "within_h": asked.within_h, "level": float(of_asked["level"].iloc[0])}
    doses = sorted(set(asked.dose_n.tolist()))
    for dose, outcome in product((EVERYTHING, *(doses if len(doses) > 1 else ())), (EVERYTHING, *asked.outcomes)):
        in_dose_n = (dose == EVERYTHING) | (asked.dose_n == dose)
        came_n = asked.truth_n >= 0 if outcome == EVERYTHING else asked.truth_n == asked.position(outcome)
        kept_n = in_dose_n & came_n & (asked.weights_n > 0)
        if len(reasons):
            found = _nothing(str(reasons.iloc[0]), kept_n)
        elif not kept_n.any():
            found = _nothing(f"no landmark with {outcome} here", kept_n)
        else:
            found = _measure(asked, members_nk, kept_n, scores)
        yield {**about, "condition": dose, "outcome": outcome, **found}


def _nothing(reason: str, kept_n: BoolArray) -> dict[str, Any]:
    unknown = dict.fromkeys(("share_held", "low", "high", "mean_size", "share_undecided"), np.nan)
    return {**unknown, "n_landmarks": int(kept_n.sum()), "n_groups": 0, "reason": reason}


def _measure(asked: Asked, members_nk: BoolArray, kept_n: BoolArray, scores: ScoreSettings) -> dict[str, Any]:
    """Means over landmarks of which every group counts the same, as the level is meant."""
    members, groups = members_nk[kept_n], np.unique(asked.groups_n[kept_n], return_inverse=True)[1]
    weights = asked.weights_n[kept_n] / np.bincount(groups, asked.weights_n[kept_n])[groups]
    held = members[np.arange(len(members)), asked.truth_n[kept_n]]
    sizes = members.sum(axis=1)
    n_groups = int(groups.max()) + 1
    counts_rg = draw_groups(n_groups, scores.n_resamples, scores.seed)
    share = summarise(mean_by_group(held, groups, counts_rg, weights), scores.confidence, n_groups)
    return {
        "share_held": share.estimate,
        "low": share.low,
        "high": share.high,
        "mean_size": float(np.average(sizes, weights=weights)),
        "share_undecided": float(np.average(sizes > 1, weights=weights)),
        "n_landmarks": len(members),
        "n_groups": n_groups,
        "reason": None,
    }
