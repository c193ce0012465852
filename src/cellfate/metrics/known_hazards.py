"""Forecasts of simulated cells against the incidence that the simulation knows exactly.

Array suffixes: n forecasts or cells, g groups, r rows of counts.
"""

from collections.abc import Iterator
from typing import Final, NamedTuple

import numpy as np
import pandas as pd

from cellfate.cohort.outcomes import competing_events, outcomes_within
from cellfate.cohort.questions import shown_events
from cellfate.cohort.settings import FollowUpSettings
from cellfate.core.errors import InputError
from cellfate.core.fates import NONE, listed_outcomes, probability_column
from cellfate.core.tables import CELL, EVERYTHING, FRAME
from cellfate.metrics.commitments import find_commitments, select_tested
from cellfate.metrics.comparisons import plain
from cellfate.metrics.forecasts import is_within
from cellfate.metrics.settings import ScoreSettings
from cellfate.statistics import scores as score
from cellfate.statistics.bootstrap import (
    FloatArray,
    IntArray,
    draw_groups,
    mean_by_group,
    median_by_group,
    number_groups,
    summarise,
)
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
    forecasts: pd.DataFrame,
    true_forecasts: pd.DataFrame,
    commitments: pd.DataFrame,
    landmarks: pd.DataFrame,
    follow_ups: pd.DataFrame,
    follow_up: FollowUpSettings,
    scores: ScoreSettings,
) -> dict[str, object]:
    """Score forecasts of the test parts, and their lasting calls, against the truth of a simulation.

    Parameters
    ----------
    forecasts
        Table `Forecasts`; those within hours are scored.
    true_forecasts
        Table `Forecasts` of the truth: every frame that is forecast, the same hours.
    commitments
        Table `Commitments` of the same predictors.
    landmarks, follow_ups
        Tables `Landmarks` and `FollowUps`.
    follow_up, scores
        Events that are shown, and hours; resamples, confidence, seed.

    Returns
    -------
    dict
        Plain numbers, null where undefined; a score is `estimate`, `low`, `high` (clustered).
        `incidence`: one entry a predictor, event and horizon. Over all forecasts of test parts: `calibration_slope` and
        `calibration_intercept` of the line of truth on forecast, `logit_slope` of the same line between logits (of
        probabilities clipped to .01-.99), `correlation`, `mean_absolute_error`. Over the landmarks of a known outcome:
        `auroc`, and `auroc_of_truth`, the best any forecast can be expected to reach.
        `commitments`: one entry a predictor and event (or `all`), over the `n_cells` in which the truth calls the
        event: `share_within_1h` of them whose forecast calls the same event, from at most 1 h apart on;
        `median_difference_h`, absolute, over the `n_same_event`; `n_never_called`; `n_other_event`.

    Raises
    ------
    InputError
        If the truth of a forecast is missing, or the commitments are not those of the forecasts.
    """
    shown = shown_events(competing_events(follow_ups), follow_up)
    incidence = [
        {"predictor": str(predictor), "outcome": event, "within_h": within_h, **_score_event(rows, event, scores)}
        for within_h in follow_up.report_h
        for predictor, rows in _pair(forecasts, true_forecasts, landmarks, follow_ups, within_h)
        for event in shown
    ]
    pairs = _pair_commitments(forecasts, true_forecasts, commitments, follow_ups, follow_up)
    called = [
        {
            "predictor": str(predictor), "outcome": event, "within_h": follow_up.headline_h,
            **_score_commitments(cells, event, scores),
        }
        for predictor, cells in pairs.groupby("predictor", sort=False)
        for event in (EVERYTHING, *shown)
    ]  # fmt: skip
    return {"incidence": incidence, "commitments": called, "close_h": CLOSE_H}


def _pair(
    forecasts: pd.DataFrame,
    true_forecasts: pd.DataFrame,
    landmarks: pd.DataFrame,
    follow_ups: pd.DataFrame,
    within_h: float,
) -> Iterator[tuple[object, pd.DataFrame]]:
    """Forecasts beside the truth, groups, and outcomes where these are known, a predictor at a time."""
    pairs = _add_truth(select_tested(forecasts, within_h), true_forecasts, within_h)
    pairs = pairs.merge(follow_ups[[*CELL, "group_id"]], on=CELL, validate="many_to_one")
    asked = landmarks[landmarks["regular"]].rename(columns={"last_frame": "frame"})
    outcome = outcomes_within(asked, competing_events(follow_ups), within_h)
    known = asked[FRAME].assign(outcome=outcome).dropna(subset=["outcome"])
    yield from pairs.merge(known, on=FRAME, how="left", validate="many_to_one").groupby("predictor", sort=False)


def _add_truth(forecasts: pd.DataFrame, true_forecasts: pd.DataFrame, within_h: float) -> pd.DataFrame:
    """Join the true probabilities of each forecast as columns `true_p_<outcome>`."""
    truth = true_forecasts[is_within(true_forecasts["within_h"], within_h)]
    columns = [probability_column(outcome) for outcome in listed_outcomes(true_forecasts.columns)]
    names = {column: f"true_{column}" for column in columns}
    told = truth[[*FRAME, *columns]].rename(columns=names)
    joined = forecasts.merge(told, on=FRAME, how="left", validate="many_to_one")
    missing = joined[joined[list(names.values())].isna().any(axis=1)]
    if len(missing):
        first = missing.iloc[0]
        raise InputError(
            f"The true incidence within {within_h:g} h of cell {first['cell_id']} of recording "
            f"{first['recording_id']!r} at frame {first['frame']} is missing, expected it for every forecast; simulate "
            f"and forecast the same recordings."
        )
    return joined


def _score_event(rows: pd.DataFrame, event: str, scores: ScoreSettings) -> dict[str, object]:
    """Scores of one predictor, event and horizon."""
    groups_n = number_groups(rows["group_id"].to_numpy(object))
    counts_rg = draw_groups(int(groups_n.max()) + 1, scores.n_resamples, scores.seed)
    column = probability_column(event)
    forecast_n, true_n = (rows[name].to_numpy(np.float64) for name in (column, f"true_{column}"))
    known_n = rows["outcome"].notna().to_numpy(bool)
    positive_n = (rows["outcome"] == event).to_numpy(bool)
    compared = _compare_probabilities(forecast_n, true_n, groups_n, counts_rg)
    of_known = groups_n[known_n]
    for name, p_n in (("auroc", forecast_n), ("auroc_of_truth", true_n)):
        compared[name] = score.auroc(p_n[known_n], positive_n[known_n], of_known, counts_rg)
    return {
        "n_forecasts": len(rows),
        "n_cells": len(rows[CELL].drop_duplicates()),
        "n_groups": counts_rg.shape[1],
        "n_landmarks": int(known_n.sum()),
        "n_events": int(positive_n.sum()),
        **{
            name: _estimate(values_r, scores, of_known if name.startswith("auroc") else groups_n)
            for name, values_r in compared.items()
        },
    }


def _compare_probabilities(
    forecast_n: FloatArray, true_n: FloatArray, groups_n: IntArray, counts_rg: FloatArray
) -> dict[str, FloatArray]:
    line = fit_line(forecast_n, true_n, groups_n, counts_rg)
    return {
        "calibration_slope": line.slope,
        "calibration_intercept": line.intercept,
        "logit_slope": fit_line(_logit(forecast_n), _logit(true_n), groups_n, counts_rg).slope,
        "correlation": line.correlation,
        "mean_absolute_error": mean_by_group(np.abs(forecast_n - true_n), groups_n, counts_rg),
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
    means = (mean_by_group(of_n, groups_n, counts_rg) for of_n in (dx_n, dy_n, dx_n**2, dy_n**2, dx_n * dy_n))
    x, y, xx, yy, xy = means
    variance_x, variance_y = (np.where(v_r > _LEAST_VARIANCE, v_r, np.nan) for v_r in (xx - x**2, yy - y**2))
    covariance = xy - x * y
    slope = covariance / variance_x
    return Line(slope, y_n[0] + y - slope * (x_n[0] + x), covariance / np.sqrt(variance_x * variance_y))


def _pair_commitments(
    forecasts: pd.DataFrame,
    true_forecasts: pd.DataFrame,
    commitments: pd.DataFrame,
    follow_ups: pd.DataFrame,
    follow_up: FollowUpSettings,
) -> pd.DataFrame:
    """Forecast's and true commitment of each cell, and how many hours they are apart."""
    tested = _add_truth(select_tested(forecasts, follow_up.headline_h), true_forecasts, follow_up.headline_h)
    told = [name for name in tested.columns if name.startswith("true_p_")]
    truth = tested.assign(**{name.removeprefix("true_"): tested[name] for name in told})
    key = ["predictor", *CELL]
    found = commitments[[*key, "call", "frame"]]
    pairs = find_commitments(truth, follow_ups, follow_up).merge(
        found, on=key, how="left", suffixes=("_true", ""), validate="one_to_one"
    )
    missing = pairs[pairs["call"].isna()]
    if len(missing):
        first = missing.iloc[0]
        raise InputError(
            f"The commitments hold no row of predictor {first['predictor']!r} for cell {first['cell_id']} of recording "
            f"{first['recording_id']!r}, expected one for each tested cell; find them from this table of forecasts."
        )
    pairs = pairs.merge(follow_ups[[*CELL, "frame_interval_min"]], on=CELL, validate="many_to_one")
    apart = (pairs["frame"] - pairs["frame_true"]).abs().to_numpy(np.float64, na_value=np.nan)
    return pairs.assign(apart_h=apart * pairs["frame_interval_min"] / 60)


def _score_commitments(cells: pd.DataFrame, event: str, scores: ScoreSettings) -> dict[str, object]:
    """Compare commitments over the cells in which the truth calls the event (or any)."""
    groups_n = number_groups(cells["group_id"].to_numpy(object))
    counts_rg = draw_groups(int(groups_n.max()) + 1, scores.n_resamples, scores.seed)
    apart_n = cells["apart_h"].to_numpy(np.float64)
    truth, call = cells["call_true"], cells["call"]
    called_n = ((truth != NONE) if event == EVERYTHING else (truth == event)).to_numpy(bool)
    same_n = called_n & (truth == call).to_numpy(bool)
    never_n = called_n & (call == NONE).to_numpy(bool)
    close_n = same_n & (apart_n <= CLOSE_H + HOURS_TOLERANCE)
    share_r = mean_by_group(close_n, groups_n, counts_rg, called_n)
    median_r = median_by_group(apart_n[same_n], groups_n[same_n], counts_rg)
    return {
        "n_cells": int(called_n.sum()),
        "n_groups": len(np.unique(groups_n[called_n])),
        "n_same_event": int(same_n.sum()),
        "n_other_event": int((called_n & ~same_n & ~never_n).sum()),
        "n_never_called": int(never_n.sum()),
        "share_within_1h": _estimate(share_r, scores, groups_n[called_n]),
        "median_difference_h": _estimate(median_r, scores, groups_n[same_n]),
    }


def _estimate(values_r: FloatArray, scores: ScoreSettings, groups_n: IntArray) -> dict[str, float | None]:
    """Score with its interval as numbers that JSON can hold: null instead of NaN."""
    estimate = summarise(values_r, scores.confidence, len(np.unique(groups_n)))._asdict()
    return {name: plain(value) for name, value in estimate.items()}
