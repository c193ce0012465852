"""Forecasts of simulated cells against the incidence that the simulation knows exactly.

Array suffixes: n forecasts or cells, g groups, r rows of counts.
"""

from collections.abc import Iterator
from typing import Final, NamedTuple

import numpy as np
import pandas as pd

from cellfate.cohort.settings import FollowUpSettings
from cellfate.core.errors import InputError
from cellfate.core.fates import NONE, probability_column
from cellfate.core.tables import EVERYTHING
from cellfate.metrics.commitments import (
    CELL,
    FRAME,
    choose_thresholds,
    commit_cells,
    list_known_outcomes,
    median_of,
    select_horizon,
    select_tested,
    share_of,
)
from cellfate.metrics.settings import ScoreSettings
from cellfate.statistics import scores as score
from cellfate.statistics.bootstrap import FloatArray, IntArray, draw_groups, number_groups, summarise
from cellfate.statistics.incidence import HOURS_TOLERANCE

CLOSE_H: Final = 1.0
"""A commitment is right in time when it is at most so many hours from the true one."""
_LEAST_LOGIT_P: Final = 0.01  # logits beyond this are noise of the estimate, and would rule the slope
_LEAST_VARIANCE: Final = 1e-12  # of a probability; less is rounding of equal ones


class Line(NamedTuple):
    """Least squares for every row of counts; NaN where one side does not vary, each (r,)."""

    slope: FloatArray
    intercept: FloatArray
    correlation: FloatArray


def score_against_truth(
    incidence: pd.DataFrame,
    true_incidence: pd.DataFrame,
    commitments: pd.DataFrame,
    landmarks: pd.DataFrame,
    follow_ups: pd.DataFrame,
    follow_up: FollowUpSettings,
    scores: ScoreSettings,
) -> dict[str, object]:
    """Score forecasts of the test parts, and what they committed to, against the truth of a simulation.

    Parameters
    ----------
    incidence
        Table `Incidence` of one or more predictors, validation and test parts.
    true_incidence
        Table `Incidence` of the truth: every frame that is forecast, the same horizons.
    commitments
        Table `Commitments` of the same predictors.
    landmarks
        Table `Landmarks`: what followed.
    follow_ups
        Table `FollowUps`.
    follow_up
        Events and horizons.
    scores
        Resamples, confidence, seed.

    Returns
    -------
    dict
        Plain numbers, null where undefined; a score is `estimate`, `low`, `high` (clustered).
        `incidence`: one entry a predictor, event and horizon. Over all forecasts of test parts: `calibration_slope` and
        `calibration_intercept` of the line of truth on forecast, `logit_slope` of the same line between logits (of
        probabilities clipped to .01-.99), `correlation`, `mean_absolute_error`. Over the landmarks of a known outcome:
        `auroc`, and `auroc_of_truth`, the best any forecast can be expected to reach.
        `commitments`: one entry a predictor and event (or `all`), over the `n_cells` in which the truth, called with
        the thresholds of the predictor, commits to the event: `share_within_1h` of them whose forecast commits to the
        same event at most 1 h apart; `median_difference_h`, absolute, over the `n_same_event`; `n_never_committed`;
        `n_other_event`.

    Raises
    ------
    InputError
        If the truth of a forecast is missing, or the commitments are not those of the forecasts.
    """
    return {
        "incidence": list(_score_incidence(incidence, true_incidence, landmarks, follow_ups, follow_up, scores)),
        "commitments": list(
            _score_commitments(incidence, true_incidence, commitments, landmarks, follow_ups, follow_up, scores)
        ),
        "close_h": CLOSE_H,
    }


def _score_incidence(
    incidence: pd.DataFrame,
    true_incidence: pd.DataFrame,
    landmarks: pd.DataFrame,
    follow_ups: pd.DataFrame,
    follow_up: FollowUpSettings,
    scores: ScoreSettings,
) -> Iterator[dict[str, object]]:
    events = follow_up.events
    for within_h in follow_up.report_h:
        forecasts = select_horizon(incidence, within_h, events)
        pairs = _add_truth(forecasts[forecasts["part"] == "test"], true_incidence, within_h, events)
        pairs = pairs.merge(follow_ups[[*CELL, "group_id"]], on=CELL, validate="many_to_one")
        known = list_known_outcomes(landmarks, within_h, events)[[*FRAME, "outcome"]]
        pairs = pairs.merge(known, on=FRAME, how="left", validate="many_to_one")
        for predictor, rows in pairs.groupby("predictor", sort=False):
            for event in events:
                yield {
                    "predictor": str(predictor),
                    "outcome": event,
                    "within_h": within_h,
                    **_score_event(rows, event, scores),
                }


def _add_truth(
    forecasts: pd.DataFrame, true_incidence: pd.DataFrame, within_h: float, events: tuple[str, ...]
) -> pd.DataFrame:
    """Join the true incidence of each forecast as columns `true_<event>`."""
    truth = select_horizon(true_incidence, within_h, events)
    names = {probability_column(event): f"true_{event}" for event in events}
    joined = forecasts.merge(
        truth[[*FRAME, *names]].rename(columns=names), on=FRAME, how="left", validate="many_to_one"
    )
    missing = joined[joined[list(names.values())].isna().any(axis=1)]
    if len(missing):
        first = missing.iloc[0]
        raise InputError(
            f"The true incidence within {within_h} h of cell {first['cell_id']} of recording {first['recording_id']!r} "
            f"at frame {first['frame']} is missing, expected it for every forecast; simulate and forecast the same "
            f"recordings."
        )
    return joined


def _score_event(rows: pd.DataFrame, event: str, scores: ScoreSettings) -> dict[str, object]:
    """Scores of one predictor, event and horizon."""
    groups_n = number_groups(rows["group_id"].to_numpy(object))
    counts_rg = draw_groups(int(groups_n.max()) + 1, scores.n_resamples, scores.seed)
    forecast_n = rows[probability_column(event)].to_numpy(np.float64)
    true_n = rows[f"true_{event}"].to_numpy(np.float64)
    known_n = rows["outcome"].notna().to_numpy(bool)
    positive_n = (rows["outcome"] == event).to_numpy(bool)
    return {
        "n_forecasts": len(rows),
        "n_cells": len(rows[CELL].drop_duplicates()),
        "n_groups": counts_rg.shape[1],
        "n_landmarks": int(known_n.sum()),
        "n_events": int(positive_n.sum()),
        **{
            name: _plain(values_r, scores, groups_n)
            for name, values_r in _compare_probabilities(forecast_n, true_n, groups_n, counts_rg).items()
        },
        **{
            name: _plain(
                score.auroc(p_n[known_n], positive_n[known_n], groups_n[known_n], counts_rg), scores, groups_n[known_n]
            )
            for name, p_n in (("auroc", forecast_n), ("auroc_of_truth", true_n))
        },
    }


def _compare_probabilities(
    forecast_n: FloatArray, true_n: FloatArray, groups_n: IntArray, counts_rg: FloatArray
) -> dict[str, FloatArray]:
    line = fit_line(forecast_n, true_n, groups_n, counts_rg)
    error_r = counts_rg @ np.bincount(groups_n, np.abs(forecast_n - true_n), counts_rg.shape[1])
    return {
        "calibration_slope": line.slope,
        "calibration_intercept": line.intercept,
        "logit_slope": fit_line(_logit(forecast_n), _logit(true_n), groups_n, counts_rg).slope,
        "correlation": line.correlation,
        "mean_absolute_error": error_r / (counts_rg @ np.bincount(groups_n, minlength=counts_rg.shape[1])),
    }


def _logit(p_n: FloatArray) -> FloatArray:
    clipped_n = np.clip(p_n, _LEAST_LOGIT_P, 1 - _LEAST_LOGIT_P)
    return np.asarray(np.log(clipped_n / (1 - clipped_n)), dtype=np.float64)


def fit_line(x_n: FloatArray, y_n: FloatArray, groups_n: IntArray, counts_rg: FloatArray) -> Line:
    """Line of y on x by least squares, and their correlation, for every row of counts.

    Examples
    --------
    >>> line = fit_line(np.array([0.0, 1.0]), np.array([0.5, 0.75]), np.array([0, 1]), np.ones((1, 2)))
    >>> [float(values_r[0]) for values_r in line]
    [0.25, 0.5, 1.0]
    """
    dx_n, dy_n = x_n - x_n[0], y_n - y_n[0]  # so that equal values leave sums of exactly 0
    summed = (np.ones(len(x_n)), dx_n, dy_n, dx_n**2, dy_n**2, dx_n * dy_n)
    by_group = np.stack([np.bincount(groups_n, values_n, counts_rg.shape[1]) for values_n in summed], axis=1)
    n, x, y, xx, yy, xy = (counts_rg @ by_group).T
    covariance, variance_x, variance_y = xy / n - x * y / n**2, _spread(xx, x, n), _spread(yy, y, n)
    slope = covariance / variance_x
    return Line(slope, y_n[0] + y / n - slope * (x_n[0] + x / n), covariance / np.sqrt(variance_x * variance_y))


def _spread(squares_r: FloatArray, sums_r: FloatArray, n_r: FloatArray) -> FloatArray:
    """Variance; NaN where there is none."""
    variance_r = squares_r / n_r - (sums_r / n_r) ** 2
    return np.where(variance_r > _LEAST_VARIANCE, variance_r, np.nan)


def _score_commitments(
    incidence: pd.DataFrame,
    true_incidence: pd.DataFrame,
    commitments: pd.DataFrame,
    landmarks: pd.DataFrame,
    follow_ups: pd.DataFrame,
    follow_up: FollowUpSettings,
    scores: ScoreSettings,
) -> Iterator[dict[str, object]]:
    events = follow_up.events
    thresholds = choose_thresholds(incidence, landmarks, follow_up)
    tested = _add_truth(select_tested(incidence, follow_up), true_incidence, follow_up.headline_h, events)
    truth = tested.assign(**{probability_column(event): tested[f"true_{event}"] for event in events})
    true_commitments = commit_cells(truth, thresholds, follow_ups, follow_up)
    pairs = _pair_commitments(commitments, true_commitments, follow_ups)
    for predictor, cells in pairs.groupby("predictor", sort=False):
        for event in (EVERYTHING, *events):
            yield {
                "predictor": str(predictor),
                "outcome": event,
                "within_h": follow_up.headline_h,
                **_score_pairs(cells, event, scores),
            }


def _pair_commitments(commitments: pd.DataFrame, truth: pd.DataFrame, follow_ups: pd.DataFrame) -> pd.DataFrame:
    """Forecast's and true commitment of each cell, and how many hours they are apart."""
    key = ["predictor", *CELL]
    found = commitments[[*key, "call", "frame"]]
    pairs = truth.merge(found, on=key, how="left", suffixes=("_true", ""), validate="one_to_one")
    missing = pairs[pairs["call"].isna()]
    if len(missing):
        first = missing.iloc[0]
        raise InputError(
            f"The commitments hold no row of predictor {first['predictor']!r} for cell {first['cell_id']} of recording "
            f"{first['recording_id']!r}, expected one for each tested cell; find them from this incidence table."
        )
    pairs = pairs.merge(follow_ups[[*CELL, "frame_interval_min"]], on=CELL, validate="many_to_one")
    apart = (pairs["frame"] - pairs["frame_true"]).abs().to_numpy(np.float64, na_value=np.nan)
    return pairs.assign(apart_h=apart * pairs["frame_interval_min"] / 60)


def _score_pairs(cells: pd.DataFrame, event: str, scores: ScoreSettings) -> dict[str, object]:
    """Compare commitments over the cells in which the truth commits itself to the event (or to any)."""
    groups_n = number_groups(cells["group_id"].to_numpy(object))
    counts_rg = draw_groups(int(groups_n.max()) + 1, scores.n_resamples, scores.seed)
    apart_n = cells["apart_h"].to_numpy(np.float64)
    truth, call = cells["call_true"], cells["call"]
    committed_n = ((truth != NONE) if event == EVERYTHING else (truth == event)).to_numpy(bool)
    same_n = committed_n & (truth == call).to_numpy(bool)
    never_n = committed_n & (call == NONE).to_numpy(bool)
    close_n = same_n & (apart_n <= CLOSE_H + HOURS_TOLERANCE)
    share_r = share_of(close_n, committed_n, groups_n, counts_rg)
    median_r = median_of(apart_n[same_n], groups_n[same_n], counts_rg)
    return {
        "n_cells": int(committed_n.sum()),
        "n_groups": len(np.unique(groups_n[committed_n])),
        "n_same_event": int(same_n.sum()),
        "n_other_event": int((committed_n & ~same_n & ~never_n).sum()),
        "n_never_committed": int(never_n.sum()),
        "share_within_1h": _plain(share_r, scores, groups_n[committed_n]),
        "median_difference_h": _plain(median_r, scores, groups_n[same_n]),
    }


def _plain(values_r: FloatArray, scores: ScoreSettings, groups_n: IntArray) -> dict[str, float | None]:
    """Score with its interval as numbers that JSON can hold: null instead of NaN."""
    estimate = summarise(values_r, scores.confidence, len(np.unique(groups_n)))._asdict()
    return {name: float(value) if np.isfinite(value) else None for name, value in estimate.items()}
