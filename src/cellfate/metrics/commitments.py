"""From when on the call of each cell stayed what it was at the last frame shown, and how long before the fate that was.

A call is the likeliest outcome within the headline horizon, neither event included. This looks back: only at the last
frame is it known that a call stayed.

Array suffixes: n forecasts or cells, c cells, r rows of counts.
"""

from collections.abc import Iterator
from typing import Final

import numpy as np
import pandas as pd

from cellfate.cohort.settings import FollowUpSettings
from cellfate.core.errors import InputError
from cellfate.core.fates import EVENTS, FATES, NONE
from cellfate.core.tables import CELL, FRAME, Commitments, CommitmentSummary
from cellfate.metrics.forecasts import is_within
from cellfate.metrics.settings import ScoreSettings
from cellfate.prediction.calls import add_calls
from cellfate.statistics.bootstrap import (
    IntArray,
    draw_groups,
    mean_by_group,
    median_by_group,
    number_groups,
    summarise,
)

N_SHUFFLES: Final = 10
"""Random orders of the frames of every cell."""
_ENDINGS: Final = ["group_id", "dose", "fate", "event_frame", "end_frame", "frame_interval_min", "recording_frames"]


def find_commitments(forecasts: pd.DataFrame, follow_ups: pd.DataFrame, follow_up: FollowUpSettings) -> pd.DataFrame:
    """Find the frame from which each predictor's call of a tested cell stays what it is at the last frame shown.

    Parameters
    ----------
    forecasts
        Table `Forecasts` of one or more predictors.
    follow_ups
        Table `FollowUps`: how the watching of each cell ended.
    follow_up
        Headline horizon.

    Returns
    -------
    DataFrame
        Table `Commitments`, by predictor in their order and by cell; every tested cell, censored ones too. The call is
        of any event that competes. `hours_before_event` is up to the event that came, be the call right or wrong; of a
        cell that was called so from its first forecast on it is a lower bound: nobody asked before.

    Raises
    ------
    InputError
        If the horizon is not forecast, a cell is forecast twice for a frame, or a tested cell has no follow-up.
    """
    rows = add_calls(_order(select_tested(forecasts, follow_up.headline_h)))
    return _commit(rows, follow_ups, follow_up)


def shuffle_commitments(
    forecasts: pd.DataFrame, follow_ups: pd.DataFrame, follow_up: FollowUpSettings, scores: ScoreSettings
) -> pd.DataFrame:
    """Find the commitments of the same cells with the calls of each in random order: what chance gives.

    Looking back from any end that is right, some stretch before it is right too. Here each cell is called each event as
    often, so that only the order in time is missing.

    Parameters
    ----------
    forecasts, follow_ups, follow_up
        As in `find_commitments`.
    scores
        Its seed draws the orders.

    Returns
    -------
    DataFrame
        Table `ShuffledCommitments`: `N_SHUFFLES` rows a predictor and cell.
    """
    rows = add_calls(_order(select_tested(forecasts, follow_up.headline_h)))
    cells_n = rows.groupby(["place", *CELL]).ngroup().to_numpy()
    rng = np.random.default_rng(scores.seed)
    calls_n = rows["call"].to_numpy(object)
    shuffled = [
        _commit(rows.assign(call=calls_n[np.lexsort((rng.random(len(rows)), cells_n))]), follow_ups, follow_up).assign(
            draw=draw
        )
        for draw in range(N_SHUFFLES)
    ]
    return pd.concat(shuffled, ignore_index=True)


def _commit(rows: pd.DataFrame, follow_ups: pd.DataFrame, follow_up: FollowUpSettings) -> pd.DataFrame:
    """Find the commitments of forecasts with calls, in order."""
    starts_c = np.flatnonzero(~rows.duplicated(["predictor", *CELL]).to_numpy())
    from_c = _stays_from(number_groups(rows["call"].to_numpy(object)), starts_c)
    found = rows.iloc[from_c][["predictor", *CELL, "frame", "call"]].assign(
        within_h=follow_up.headline_h, from_first=from_c == starts_c
    )
    return _add_endings(found, follow_ups)[list(Commitments.to_schema().columns)]


def select_tested(forecasts: pd.DataFrame, within_h: float) -> pd.DataFrame:
    """Forecasts of the test parts within some hours, each cell and frame once a predictor.

    Raises
    ------
    InputError
        If hours are forecast, but not these, or forecasts of several folds or split schemes are mixed.
    """
    selected = forecasts[is_within(forecasts["within_h"], within_h)]
    hours = sorted(set(forecasts["within_h"].dropna().tolist()))
    if selected.empty and hours:
        raise InputError(
            f"The table holds forecasts within {hours} h, expected {within_h:g} h among them; forecast with the same "
            f"report_h."
        )
    tested = selected[selected["part"] == "test"]
    repeated = tested[tested.duplicated(["predictor", *FRAME])]
    if len(repeated):
        first = repeated.iloc[0]
        raise InputError(
            f"Predictor {first['predictor']!r} forecasts cell {first['cell_id']} of recording "
            f"{first['recording_id']!r} more than once for frame {first['frame']}, expected once; score one split "
            f"scheme at a time."
        )
    return tested


def _order(tested: pd.DataFrame) -> pd.DataFrame:
    """Order by predictor (in their order of appearance), cell and frame."""
    places = {name: place for place, name in enumerate(tested["predictor"].unique())}
    placed = tested.assign(place=tested["predictor"].map(places))
    return placed.sort_values(["place", *FRAME], ignore_index=True)


def _stays_from(calls_n: IntArray, starts_c: IntArray) -> IntArray:
    """Row of each cell from which its call is the same to its last row, (c,)."""
    ends_c = np.append(starts_c, len(calls_n))[1:]
    last_n = np.repeat(calls_n[ends_c - 1], ends_c - starts_c)
    differing_n = np.where(calls_n != last_n, np.arange(len(calls_n)), -1)
    return np.asarray(np.maximum(np.maximum.reduceat(differing_n, starts_c) + 1, starts_c), dtype=np.int64)


def join_endings(rows: pd.DataFrame, follow_ups: pd.DataFrame) -> pd.DataFrame:
    """Join group, dose and how the watching of each cell ended.

    Raises
    ------
    InputError
        If a cell has no follow-up.
    """
    joined = rows.merge(follow_ups[[*CELL, *_ENDINGS]], on=CELL, how="left", validate="many_to_one")
    unknown = joined[joined["fate"].isna()]
    if len(unknown):
        raise InputError(
            f"Cell {unknown['cell_id'].iloc[0]} of recording {unknown['recording_id'].iloc[0]!r} is forecast but has "
            f"no follow-up, expected one for each tested cell; forecast again from these follow-ups."
        )
    return joined


def _add_endings(found: pd.DataFrame, follow_ups: pd.DataFrame) -> pd.DataFrame:
    """Join how each cell ended; what was not called has no frame and no hours."""
    joined = join_endings(found, follow_ups)
    called = joined["call"] != NONE
    lead_h = (joined["event_frame"].astype("Float64") - joined["frame"]) * joined["frame_interval_min"] / 60
    return joined.assign(
        frame=joined["frame"].astype("Int64").where(called),
        from_first=joined["from_first"] & called,
        hours_before_event=lead_h.where(called & joined["fate"].isin(EVENTS)).to_numpy(np.float64, na_value=np.nan),
    )


def summarise_commitments(commitments: pd.DataFrame, scores: ScoreSettings) -> pd.DataFrame:
    """How often, and how early, each predictor calls an event.

    Parameters
    ----------
    commitments
        Table `Commitments`.
    scores
        Resamples, confidence, seed.

    Returns
    -------
    DataFrame
        Table `CommitmentSummary`, clustered intervals. Metrics: `share_called` of the cells of this fate, to
        whatever event, at the last frame shown; `share_from_first`, of those called rightly there the ones called so
        from their first forecast on; `median_lead_h`, hours before the event over the right ones, a lower bound where
        some were called so from the first on. Of censored cells no call is right or wrong: they have the first metric
        only. How many cells of one fate are called rightly is not said: whoever calls that event always is right in
        all.
    """
    rows = [
        row
        for predictor, cells in commitments.groupby("predictor", sort=False)
        for row in _summarise_predictor(str(predictor), cells, scores)
    ]
    return pd.DataFrame(rows, columns=list(CommitmentSummary.to_schema().columns))


def _summarise_predictor(predictor: str, cells: pd.DataFrame, scores: ScoreSettings) -> Iterator[dict[str, object]]:
    groups_n = number_groups(cells["group_id"].to_numpy(object))
    counts_rg = draw_groups(int(groups_n.max()) + 1, scores.n_resamples, scores.seed)
    called_n = (cells["call"] != NONE).to_numpy(bool)
    right_n = (cells["call"] == cells["fate"]).to_numpy(bool)
    leads_n = cells["hours_before_event"].to_numpy(np.float64)
    first_n = cells["from_first"].to_numpy(bool)
    for fate in (fate for fate in FATES if fate in set(cells["fate"])):
        of_n = (cells["fate"] == fate).to_numpy(bool)
        measured = {"share_called": (of_n, mean_by_group(called_n, groups_n, counts_rg, of_n))}
        if fate in EVENTS:
            timed_n = of_n & right_n & np.isfinite(leads_n)
            measured |= {
                "share_from_first": (timed_n, mean_by_group(first_n, groups_n, counts_rg, timed_n)),
                "median_lead_h": (timed_n, median_by_group(leads_n[timed_n], groups_n[timed_n], counts_rg)),
            }
        for metric, (among_n, values_r) in measured.items():
            n_groups = len(np.unique(groups_n[among_n]))
            estimate = summarise(values_r, scores.confidence, n_groups)._asdict()
            counts = {"n_cells": int(among_n.sum()), "n_groups": n_groups}
            yield {"predictor": predictor, "fate": fate, "metric": metric, **estimate, **counts}
