"""From when on the fate of each cell was called, and how long that was before the fate came.

Array suffixes: n forecasts or cells, e events, c cells, v different values, g groups, r rows of counts.
"""

from collections.abc import Iterator
from typing import Final

import numpy as np
import pandas as pd

from cellfate.cohort.settings import FollowUpSettings
from cellfate.core.errors import InputError
from cellfate.core.fates import EVENTS, FATES, NONE, listed_outcomes, probability_column
from cellfate.core.tables import Commitments
from cellfate.metrics.settings import ScoreSettings
from cellfate.statistics.bootstrap import FloatArray, IntArray, draw_groups, number_groups, sum_by_group, summarise
from cellfate.statistics.censoring import list_outcomes
from cellfate.statistics.incidence import HOURS_TOLERANCE, number_events
from cellfate.statistics.scores import BoolArray
from cellfate.statistics.thresholds import choose_threshold

CELL: Final = ["recording_id", "cell_id"]
FRAME: Final = [*CELL, "frame"]


def find_commitments(
    incidence: pd.DataFrame, landmarks: pd.DataFrame, follow_ups: pd.DataFrame, follow_up: FollowUpSettings
) -> pd.DataFrame:
    """Find the frame from which each predictor's call of a tested cell stays what it is at the last frame shown.

    At each frame the event is called whose incidence within the headline horizon reaches its threshold; if several do,
    the likeliest of them. The thresholds are chosen for each fold on its validation part, see `choose_thresholds`.

    Parameters
    ----------
    incidence
        Table `Incidence` of one or more predictors, validation and test parts.
    landmarks
        Table `Landmarks`: what followed.
    follow_ups
        Table `FollowUps`: how the watching of each cell ended.
    follow_up
        Events and headline horizon.

    Returns
    -------
    DataFrame
        Table `Commitments`, by predictor in their order and by cell; every tested cell, censored ones too.
        `hours_before_event` is up to the event that came, be the call right or wrong.

    Raises
    ------
    InputError
        If an event or the horizon is not forecast, a cell is forecast twice for a frame, or a tested cell has no
        follow-up.
    """
    thresholds = choose_thresholds(incidence, landmarks, follow_up)
    return commit_cells(select_tested(incidence, follow_up), thresholds, follow_ups, follow_up)


def select_horizon(incidence: pd.DataFrame, within_h: float, events: tuple[str, ...]) -> pd.DataFrame:
    """Forecasts of one horizon.

    Raises
    ------
    InputError
        If forecasts are given, but none of this horizon, or an event has no probability column.
    """
    missing = [event for event in events if event not in listed_outcomes(incidence.columns)]
    if missing:
        raise InputError(
            f"The incidence table has no column {probability_column(missing[0])!r}, expected one for each of "
            f"{list(events)}; forecast with the model of these events."
        )
    selected = incidence[is_hour(incidence["within_h"], within_h)]
    if selected.empty and len(incidence):
        raise InputError(
            f"The incidence table holds the horizons {sorted(set(incidence['within_h']))} h, expected {within_h} h "
            f"among them; forecast with the same report_h."
        )
    return selected


def is_hour(hours: "pd.Series[float]", hour: float) -> "pd.Series[bool]":
    """Whether each of some hours is this one."""
    return (hours - hour).abs() < HOURS_TOLERANCE


def select_tested(incidence: pd.DataFrame, follow_up: FollowUpSettings) -> pd.DataFrame:
    """Forecasts of the test parts at the headline horizon."""
    selected = select_horizon(incidence, follow_up.headline_h, follow_up.events)
    return selected[selected["part"] == "test"]


def list_known_outcomes(landmarks: pd.DataFrame, within_h: float, events: tuple[str, ...]) -> pd.DataFrame:
    """Landmarks of which it is known what happened within some hours.

    Parameters
    ----------
    landmarks
        Table `Landmarks`.
    within_h
        Hours after the landmark.
    events
        Events that count; a cell that ended otherwise was lost there.

    Returns
    -------
    DataFrame
        `recording_id`, `cell_id`, `frame`, `group_id`, and `outcome`: the event that came in time, or `none` where the
        cell was watched for so long without one. Landmarks nearer to the recording's end than `within_h` are left out,
        with an event or without: else only those with an event would stay.
    """
    time_h, watchable_h = (landmarks[name].to_numpy(np.float64) for name in ("time_h", "watchable_h"))
    outcomes = list_outcomes(time_h, number_events(landmarks["fate"], events), watchable_h, within_h)
    known = landmarks.loc[outcomes.known_n, [*CELL, "last_frame", "group_id"]].rename(columns={"last_frame": "frame"})
    return known.assign(outcome=np.array([NONE, *events], dtype=object)[outcomes.event_n[outcomes.known_n]])


def choose_thresholds(incidence: pd.DataFrame, landmarks: pd.DataFrame, follow_up: FollowUpSettings) -> pd.DataFrame:
    """Choose the incidence from which each event is called, on the validation part of each fold.

    Parameters
    ----------
    incidence
        Table `Incidence`.
    landmarks
        Table `Landmarks`; those of a known outcome at the headline horizon are used, see `list_known_outcomes`.
    follow_up
        Events and headline horizon.

    Returns
    -------
    DataFrame
        Rows (predictor, fold), one column an event: the threshold of the highest balanced accuracy of this event
        against the rest, NaN where there is none (no such event, or nothing else, among the landmarks).
    """
    events = follow_up.events
    forecasts = select_horizon(incidence, follow_up.headline_h, events)
    known = list_known_outcomes(landmarks, follow_up.headline_h, events)
    joined = forecasts[forecasts["part"] == "validation"].merge(known, on=FRAME, validate="many_to_one")
    folds = pd.MultiIndex.from_frame(forecasts[["predictor", "fold"]].drop_duplicates())
    chosen = {
        key: [
            choose_threshold(part[probability_column(e)].to_numpy(np.float64), (part["outcome"] == e).to_numpy(bool))
            for e in events
        ]
        for key, part in joined.groupby(["predictor", "fold"])
    }
    nothing = [np.nan] * len(events)
    return pd.DataFrame([chosen.get(key, nothing) for key in folds], index=folds, columns=list(events), dtype=float)


def commit_cells(
    tested: pd.DataFrame, thresholds: pd.DataFrame, follow_ups: pd.DataFrame, follow_up: FollowUpSettings
) -> pd.DataFrame:
    """Find the commitment of each cell to its last call, with given thresholds.

    Parameters
    ----------
    tested
        Rows of the table `Incidence` at the headline horizon; at most one a predictor, cell and frame.
    thresholds
        From `choose_thresholds`.
    follow_ups
        Table `FollowUps`.
    follow_up
        Events and headline horizon.

    Returns
    -------
    DataFrame
        Table `Commitments`, and `fold`.
    """
    columns = [*Commitments.to_schema().columns, "fold"]
    rows = _order(tested)
    events = follow_up.events
    folds = pd.MultiIndex.from_frame(rows[["predictor", "fold"]])
    thresholds_ne = thresholds[list(events)].reindex(folds).to_numpy(np.float64)
    calls_n = _call(rows[[probability_column(event) for event in events]].to_numpy(np.float64), thresholds_ne)
    starts_c = np.flatnonzero(~rows.duplicated(["predictor", *CELL]).to_numpy())
    from_c = _stays_from(calls_n, starts_c)
    called_c = calls_n[from_c]
    padded_ne = np.column_stack([thresholds_ne, np.full(len(rows), np.nan)])
    found = rows.iloc[from_c][["predictor", "fold", *CELL, "frame"]].assign(
        call=np.array([*events, NONE], dtype=object)[called_c],
        within_h=follow_up.headline_h,
        threshold=padded_ne[from_c, called_c],
    )
    return _add_endings(found, follow_ups, events)[columns]


def _order(tested: pd.DataFrame) -> pd.DataFrame:
    """Order by predictor (in their order of appearance), cell and frame."""
    places = {name: place for place, name in enumerate(tested["predictor"].unique())}
    rows = tested.assign(place=tested["predictor"].map(places)).sort_values(["place", *FRAME], ignore_index=True)
    require_once(rows)
    return rows


def require_once(tested: pd.DataFrame) -> None:
    """Check that each predictor forecasts each cell once for each frame.

    Raises
    ------
    InputError
        If forecasts of several folds or split schemes are mixed.
    """
    repeated = tested[tested.duplicated(["predictor", *FRAME])]
    if len(repeated):
        first = repeated.iloc[0]
        raise InputError(
            f"Predictor {first['predictor']!r} forecasts cell {first['cell_id']} of recording "
            f"{first['recording_id']!r} more than once for frame {first['frame']}, expected once; score one split "
            f"scheme at a time."
        )


def _call(p_ne: FloatArray, thresholds_ne: FloatArray) -> IntArray:
    """Position of the likeliest event that reaches its threshold; past the last event: none does, (n,)."""
    reached_ne = p_ne >= thresholds_ne  # never where the threshold is NaN
    likeliest_n = np.where(reached_ne, p_ne, -np.inf).argmax(axis=1)
    return np.asarray(np.where(reached_ne.any(axis=1), likeliest_n, p_ne.shape[1]), dtype=np.int64)


def _stays_from(calls_n: IntArray, starts_c: IntArray) -> IntArray:
    """Row of each cell from which its call is the same to its last row, (c,)."""
    ends_c = np.append(starts_c, len(calls_n))[1:]
    last_n = np.repeat(calls_n[ends_c - 1], ends_c - starts_c)
    differing_n = np.where(calls_n != last_n, np.arange(len(calls_n)), -1)
    return np.asarray(np.maximum(np.maximum.reduceat(differing_n, starts_c) + 1, starts_c), dtype=np.int64)


def _add_endings(found: pd.DataFrame, follow_ups: pd.DataFrame, events: tuple[str, ...]) -> pd.DataFrame:
    """Join how each cell ended; what was not called has no frame and no hours."""
    endings = follow_ups[[*CELL, "group_id", "dose", "fate", "event_frame", "frame_interval_min"]]
    joined = found.merge(endings, on=CELL, how="left", validate="many_to_one")
    unknown = joined[joined["fate"].isna()]
    if len(unknown):
        raise InputError(
            f"Cell {unknown['cell_id'].iloc[0]} of recording {unknown['recording_id'].iloc[0]!r} is forecast but has "
            f"no follow-up, expected one for each tested cell; forecast again from these follow-ups."
        )
    called = joined["call"] != NONE
    lead_h = (joined["event_frame"].astype("Float64") - joined["frame"]) * joined["frame_interval_min"] / 60
    return joined.assign(
        frame=joined["frame"].astype("Int64").where(called),
        hours_before_event=lead_h.where(called & joined["fate"].isin(events)).to_numpy(np.float64, na_value=np.nan),
    )


def summarise_commitments(commitments: pd.DataFrame, scores: ScoreSettings) -> pd.DataFrame:
    """How often, how rightly and how early each predictor committed itself.

    Parameters
    ----------
    commitments
        Table `Commitments`.
    scores
        Resamples, confidence, seed.

    Returns
    -------
    DataFrame
        One row a predictor, fate and metric: `estimate`, `low`, `high` (clustered), `n_cells` the metric is over, and
        their `n_groups`. Metrics: `share_committed` of the cells of this fate; `share_right`, those called rightly at
        the last frame shown; `share_right_of_committed`; `median_lead_h`, hours before the event over the right ones.
        Of censored cells no call is right or wrong: they have the first metric only.
    """
    rows = [
        row
        for predictor, cells in commitments.groupby("predictor", sort=False)
        for row in _summarise_predictor(str(predictor), cells, scores)
    ]
    columns = ["predictor", "fate", "metric", "estimate", "low", "high", "n_cells", "n_groups"]
    return pd.DataFrame(rows, columns=columns)


def _summarise_predictor(predictor: str, cells: pd.DataFrame, scores: ScoreSettings) -> Iterator[dict[str, object]]:
    groups_n = number_groups(cells["group_id"].to_numpy(object))
    counts_rg = draw_groups(int(groups_n.max()) + 1, scores.n_resamples, scores.seed)
    committed_n = (cells["call"] != NONE).to_numpy(bool)
    right_n = (cells["call"] == cells["fate"]).to_numpy(bool)
    leads_n = cells["hours_before_event"].to_numpy(np.float64)
    for fate in (fate for fate in FATES if fate in set(cells["fate"])):
        of_n = (cells["fate"] == fate).to_numpy(bool)
        measured = {"share_committed": (of_n, share_of(committed_n, of_n, groups_n, counts_rg))}
        if fate in EVENTS:
            called_n, timed_n = of_n & committed_n, of_n & right_n & np.isfinite(leads_n)
            measured |= {
                "share_right": (of_n, share_of(right_n, of_n, groups_n, counts_rg)),
                "share_right_of_committed": (called_n, share_of(right_n, called_n, groups_n, counts_rg)),
                "median_lead_h": (timed_n, median_of(leads_n[timed_n], groups_n[timed_n], counts_rg)),
            }
        for metric, (kept_n, values_r) in measured.items():
            n_groups = len(np.unique(groups_n[kept_n]))
            estimate = summarise(values_r, scores.confidence, n_groups)._asdict()
            counts = {"n_cells": int(kept_n.sum()), "n_groups": n_groups}
            yield {"predictor": predictor, "fate": fate, "metric": metric, **estimate, **counts}


def share_of(is_n: BoolArray, among_n: BoolArray, groups_n: IntArray, counts_rg: FloatArray) -> FloatArray:
    """Share of some cells that have a property, for every row of counts; NaN where there are none, (r,)."""
    among_r = sum_by_group(among_n.astype(np.float64), groups_n, counts_rg)
    having_r = sum_by_group((is_n & among_n).astype(np.float64), groups_n, counts_rg)
    return np.asarray(having_r / np.where(among_r > 0, among_r, np.nan), dtype=np.float64)


def median_of(values_n: FloatArray, groups_n: IntArray, counts_rg: FloatArray) -> FloatArray:
    """Median for every row of counts; NaN where nothing was drawn, (r,)."""
    if not len(values_n):
        return np.full(len(counts_rg), np.nan)
    values_v, places_n = np.unique(values_n, return_inverse=True)
    shape = (counts_rg.shape[1], len(values_v))
    drawn_gv = np.bincount(groups_n * shape[1] + places_n, minlength=shape[0] * shape[1]).reshape(shape)
    up_to_rv = np.cumsum(counts_rg @ drawn_gv, axis=1)
    total_r = up_to_rv[:, -1]
    lower_r, upper_r = (
        values_v[(up_to_rv <= np.maximum(place_r, 0)[:, None]).sum(axis=1).clip(max=shape[1] - 1)]
        for place_r in ((total_r - 1) // 2, total_r // 2)
    )
    return np.asarray(np.where(total_r > 0, (lower_r + upper_r) / 2, np.nan), dtype=np.float64)
