"""Cells that were lost before the answer was known: how many, what makes up for them, and what if some of them died.

Weights take losses as chance within a dose. They are not where dying cells let go of the dish, and no table can show
it; so the scores are computed once more as if a share of the lost cells had died at the moment of loss.
"""

import logging
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

import numpy as np
import pandas as pd

from cellfate.cohort.settings import FollowUpSettings
from cellfate.core.fates import APOPTOSIS
from cellfate.core.tables import EVERYTHING, Losses, LossSensitivity
from cellfate.core.words import name_question, show_percent
from cellfate.metrics.comparisons import leading_predictors
from cellfate.metrics.forecasts import Asked, place_outcomes, read_forecasts
from cellfate.metrics.scoring import compare_scores
from cellfate.metrics.settings import ScoreSettings
from cellfate.statistics.censoring import MOST_WEIGHT, list_outcomes

logger = logging.getLogger(__name__)

OBSERVED_SHARE: Final = "observed_share"
"""Weighted share of landmarks with the event, beside the scores of it."""
_REPEATS: Final = 20
"""Times that cells are drawn among the lost ones; what is reported is the mean."""


def count_losses(forecasts: pd.DataFrame, landmarks: pd.DataFrame, follow_up: FollowUpSettings) -> pd.DataFrame:
    """Count the test landmarks whose cell was lost before the horizon, by dose, and say whose losses make the weights.

    Parameters
    ----------
    forecasts, landmarks, follow_up
        As of `scoring.score_forecasts`; the landmarks of the first leading predictor are counted.

    Returns
    -------
    DataFrame
        Table `Losses`, by horizon: all doses, then each. A warning is logged where weights were cut.
    """
    rows = [row for asked in _leading(forecasts, landmarks, follow_up)[:1] for each in asked for row in _count(each)]
    table = pd.DataFrame(rows, columns=list(Losses.to_schema().columns))
    cut = table[(table["dose"] == EVERYTHING) & (table["share_truncated"] > 0)]
    for hours, share in cut[["within_h", "share_truncated"]].itertuples(index=False):
        logger.warning(
            "Asked %s, %s of the landmarks with a known answer stand for more than %g each, and are cut to that: so "
            "many cells are lost by then that scores are of the few that are left",
            *(name_question(float(hours)), show_percent(float(share)), MOST_WEIGHT),
        )
    return table


def _leading(forecasts: pd.DataFrame, landmarks: pd.DataFrame, follow_up: FollowUpSettings) -> list[list[Asked]]:
    """Read what the leading predictors were asked of hours, predictor by predictor."""
    names = leading_predictors(forecasts["predictor"].unique().tolist()) or forecasts["predictor"].unique()[:1].tolist()
    asked = read_forecasts(forecasts[forecasts["predictor"].isin(names)], landmarks, follow_up)
    of_hours = [[each for each in asked if each.predictor == name and np.isfinite(each.within_h)] for name in names]
    return [of_name for of_name in of_hours if of_name]


def _count(asked: Asked) -> Iterator[dict[str, object]]:
    """Rows of one horizon."""
    for dose in (EVERYTHING, *sorted(set(asked.dose_n))):
        of_dose = asked if dose == EVERYTHING else asked.keep(asked.dose_n == dose)
        lost_n, own_n = of_dose.truth_n < 0, of_dose.strata_n > 0
        yield {
            "within_h": asked.within_h,
            "dose": dose,
            "n_landmarks": len(lost_n),
            "n_lost_landmarks": int(lost_n.sum()),
            "n_lost_cells": len(np.unique(of_dose.cells_n[lost_n])),
            "weights": "own" if own_n.all() else "some own" if own_n.any() else "pooled",
            "largest_weight": float(of_dose.weights_n.max(initial=0.0)),
            "share_truncated": float(of_dose.truncated_n[~lost_n].mean()) if not lost_n.all() else np.nan,
        }


def assume_deaths(
    forecasts: pd.DataFrame, landmarks: pd.DataFrame, follow_up: FollowUpSettings, scores: ScoreSettings
) -> pd.DataFrame:
    """Score the leading predictors as if some of the lost cells had died at the moment of loss.

    Parameters
    ----------
    forecasts, landmarks, follow_up, scores
        As of `scoring.score_forecasts`; the headline horizon, and `scores.died_shares`.

    Returns
    -------
    DataFrame
        Table `LossSensitivity`: scores of each event and the share of landmarks with it, with none of the lost cells
        dead (as everywhere else) and with each share, the mean over draws of the cells. The other lost cells are made
        up for by weights. Where apoptosis is not among the events, a dead cell is one that met none of them.
    """
    rows = []
    for asked in (each for of_name in _leading(forecasts, landmarks, follow_up) for each in of_name):
        if asked.within_h == follow_up.headline_h and asked.n_groups:
            rows += [row for share in (0.0, *scores.died_shares) for row in _score(asked, share, scores.seed)]
    return pd.DataFrame(rows, columns=list(LossSensitivity.to_schema().columns))


def _score(asked: Asked, share: float, seed: int) -> Iterator[dict[str, object]]:
    """Rows of one predictor and share."""
    rng = np.random.default_rng([seed, round(1e6 * share)])
    drawn = [_score_once(draw_deaths(asked, share, rng)) for _ in range(_REPEATS if share else 1)]
    for metric, outcome in drawn[0]:
        yield {
            "predictor": asked.predictor,
            "within_h": asked.within_h,
            "metric": metric,
            "outcome": outcome,
            "died_share": share,
            "estimate": float(np.mean([values[metric, outcome] for values in drawn])),
            "n_lost_cells": len(np.unique(asked.cells_n[asked.truth_n < 0])),
        }


def _score_once(known: Asked) -> dict[tuple[str, str], float]:
    values = compare_scores(known, np.ones((1, known.n_groups)))
    scored = {key: float(value[0]) for key, value in values.items() if key[1] != EVERYTHING}
    happened = {event: known.truth_n == known.position(event) for event in known.events}
    total = known.weights_n.sum()
    return scored | {(OBSERVED_SHARE, event): known.weights_n[of_n].sum() / total for event, of_n in happened.items()}


def draw_deaths(asked: Asked, share: float, rng: np.random.Generator) -> Asked:
    """Let a share of the lost cells die where they were lost, and weigh anew; the landmarks whose answer is known.

    Parameters
    ----------
    asked
        Landmarks of one predictor and horizon.
    share
        Of the cells with a landmark from which they were lost before the horizon, to the nearest cell.
    rng
        Source of which cells.
    """
    lost_n = asked.truth_n < 0
    lost_cells = np.unique(asked.cells_n[lost_n])
    dead = rng.choice(lost_cells, size=round(share * len(lost_cells)), replace=False)
    dies_n = lost_n & np.isin(asked.cells_n, dead)
    if APOPTOSIS in asked.outcomes:
        time_n, event_n = asked.time_n, np.where(dies_n, asked.position(APOPTOSIS) + 1, asked.event_n)
    else:
        time_n, event_n = np.where(dies_n, asked.horizon_h, asked.time_n), asked.event_n
    always_n = np.full(len(time_n), np.inf)
    found = list_outcomes(time_n, event_n, always_n, asked.horizon_h, asked.dose_n.astype(str), asked.cells_n)
    truth_n = place_outcomes(found.event_n, asked.n_events)
    return replace(asked, time_n=time_n, event_n=event_n, truth_n=truth_n, weights_n=found.weights_n).known()
