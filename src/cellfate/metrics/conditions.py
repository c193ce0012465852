"""Conditions compared by what was observed: how many cells met each event by when, and how much dose that takes.

No model is asked. Time is that of the recordings: hours since the treatment where it is known of every recording, else
since the first frame. A cell is watched from its first frame on (delayed entry), and all cells that somebody scored
count, those that are too young to be forecast included.

Array suffixes: n cells, g groups, r resamples, m times.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from cellfate.cohort.outcomes import competing_events
from cellfate.cohort.questions import shown_events
from cellfate.cohort.settings import FollowUpSettings
from cellfate.core.amounts import is_untreated, rank_amount, read_amount, split_amount
from cellfate.core.fates import UNSCORED
from cellfate.core.tables import CELL, EVERYTHING, ConditionIncidence, ConditionSummary, DoseResponse
from cellfate.core.words import order_doses
from cellfate.metrics.observed_incidence import thin_times
from cellfate.metrics.settings import ScoreSettings
from cellfate.statistics.aalen_johansen import DECIMALS, aalen_johansen, count_at_risk
from cellfate.statistics.bootstrap import Estimate, FloatArray, IntArray, draw_groups, number_groups, summarise
from cellfate.statistics.dose_response import LEAST_DOSES, fit_log_logistic
from cellfate.statistics.incidence import number_events

HALF: Final = 0.5
NEVER: Final = "no cell met it"
NOT_HALF: Final = "half of the cells is not reached"
ONE_GROUP: Final = "no interval: one group holds the event"
SOME_NOT_HALF: Final = "no interval of the hours: half is not reached in over a tenth of the resamples"
BEYOND: Final = "half of the effect lies beyond the doses that were given"
ONE_GROUP_A_DOSE: Final = "no interval: a dose has one group"
OPEN: Final = "the interval reaches beyond the doses that were given"
_FITTED: Final = 500  # resamples that a dose-response curve is fitted to: each takes milliseconds


@dataclass(frozen=True, eq=False)
class Observed:
    """Cells of one condition and dose, with resamples of their incidence."""

    curve: str
    cells: pd.DataFrame
    groups_n: IntArray
    time_m: FloatArray
    incidence_rme: FloatArray
    n_groups: int

    def count_event_groups(self, event: str) -> int:
        """Count the groups that hold an event."""
        return len(np.unique(self.groups_n[(self.cells["fate"] == event).to_numpy(bool)]))


def list_watched(cells: pd.DataFrame, recordings: pd.DataFrame) -> pd.DataFrame:
    """List the cells that somebody scored, with their condition and the hours between which they were watched.

    Parameters
    ----------
    cells, recordings
        Tables `Cells` and `Recordings`; `treatment_h` may be lacking.

    Returns
    -------
    DataFrame
        recording_id, cell_id, group_id, fate, condition, dose; `unit`, the group or, where cells of one recording are
        of several groups, the recording; `curve`, the name of condition and dose together: the condition alone where
        all doses are the same, else the dose alone where each is of one condition; `entry_h`, `end_h` and
        `watchable_h`, the end of the recording, in hours since the treatment or the first frame, as `since` says.
        Cells that ended before the treatment, or were seen in one frame, are left out.
    """
    used = ["recording_id", "condition", "dose", "n_frames", "frame_interval_min", "treatment_h"]
    about = recordings.reindex(columns=used)
    found = cells.loc[
        cells["fate"] != UNSCORED, [*CELL, "group_id", "fate", "first_frame", "last_frame", "event_frame"]
    ]
    found = found.merge(about, on="recording_id").sort_values(CELL, ignore_index=True)
    hours = found["frame_interval_min"] / 60
    treated = bool(len(found)) and bool(found["treatment_h"].notna().all())
    start_h = found["treatment_h"] if treated else 0.0
    end = found["event_frame"].fillna(found["last_frame"]).astype(np.float64)
    found["entry_h"] = (found["first_frame"] * hours - start_h).clip(lower=0.0).round(DECIMALS)
    found["end_h"] = (end * hours - start_h).round(DECIMALS)
    found["watchable_h"] = ((found["n_frames"] - 1) * hours - start_h).round(DECIMALS)
    found["since"] = "treatment" if treated else "first frame"
    one_each = found.groupby("dose")["condition"].nunique().max() == 1
    joined = found["condition"] + ", " + found["dose"]
    found["curve"] = found["dose"] if one_each else joined.where(found["condition"] != found["dose"], found["dose"])
    if found["dose"].nunique() == 1 < found["condition"].nunique():
        found["curve"] = found["condition"]
    several = found.groupby("recording_id")["group_id"].transform("nunique") > 1
    found["unit"] = found["group_id"].where(~several, found["recording_id"])
    kept = [*CELL, "group_id", "unit", "fate", "condition", "dose", "curve", "entry_h", "end_h", "watchable_h", "since"]
    return found.loc[found["end_h"] > found["entry_h"], kept].reset_index(drop=True)


def order_curves(watched: pd.DataFrame) -> list[str]:
    """List the names of condition and dose, by dose from low to high, then by condition."""
    doses = order_doses(watched["dose"])
    listed = watched[["dose", "condition", "curve"]].drop_duplicates()
    return listed.sort_values(["dose", "condition"], key=lambda of: of.map(_rank(of, doses)))["curve"].to_list()


def last_common_hour(watched: pd.DataFrame) -> float:
    """Give the last hour to which recordings of every condition go on; 0 without cells."""
    return float(watched.groupby("curve")["watchable_h"].max().min()) if len(watched) else 0.0


def _rank(of: "pd.Series[str]", doses: list[str]) -> dict[str, int]:
    names = doses if of.name == "dose" else sorted(set(of))
    return {name: place for place, name in enumerate(names)}


def compare_conditions(
    cells: pd.DataFrame, recordings: pd.DataFrame, follow_up: FollowUpSettings, scores: ScoreSettings
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Estimate the incidence of each event in each condition, when half have met it, and the response to the dose.

    Parameters
    ----------
    cells, recordings
        Tables of these names.
    follow_up, scores
        Events that are shown; resamples, confidence, seed.

    Returns
    -------
    condition_incidence : DataFrame
        Table `ConditionIncidence`: Aalen-Johansen curves with delayed entry, at the times of events that are shown and
        at the last hour that every condition was watched to.
    condition_summary : DataFrame
        Table `ConditionSummary`: incidence by that hour, and hours until half.
    dose_response : DataFrame
        Table `DoseResponse`: log-logistic curves of the incidence by that hour, of each condition that was given in
        `LEAST_DOSES` amounts of one unit or more; cells without treatment are the dose 0 of every condition.

    Notes
    -----
    Groups are drawn among those that hold the same conditions: wells of a dose among each other, days that hold all
    doses as wholes.
    """
    watched = list_watched(cells, recordings)
    events = competing_events(watched)
    shown = shown_events(events, follow_up)
    by_h = last_common_hour(watched)
    observed = _observe(watched, events, shown, by_h, scores)
    tables = (
        (ConditionIncidence, [row for each in observed for row in _trace(each, events, shown, scores)]),
        (ConditionSummary, [row for each in observed for row in _summarise(each, events, shown, by_h, scores)]),
        (DoseResponse, list(_fit_doses(observed, events, shown, by_h, scores))),
    )
    incidence, summary, response = (
        schema.validate(pd.DataFrame(rows, columns=list(schema.to_schema().columns))) for schema, rows in tables
    )
    return incidence, summary, response


def _observe(
    watched: pd.DataFrame, events: tuple[str, ...], shown: tuple[str, ...], by_h: float, scores: ScoreSettings
) -> list[Observed]:
    """Resample the incidence of all conditions, with the same groups where they hold several."""
    groups_n = number_groups(watched["group_id"].to_numpy(object))
    counts_rg = _draw_alike(watched, groups_n, scores)
    found = []
    for curve in order_curves(watched):
        of_n = (watched["curve"] == curve).to_numpy(bool)
        of = watched[of_n]
        times = np.unique([0.0, of["watchable_h"].max(), *of.loc[of["fate"].isin(shown), "end_h"]])
        time_m = np.union1d(thin_times(times), by_h)
        here, own_n = np.unique(groups_n[of_n], return_inverse=True)
        numbers_n = number_events(of["fate"], events)
        counts = counts_rg[:, here]
        incidence = aalen_johansen(of["end_h"], numbers_n, len(events), time_m, own_n, counts, of["entry_h"])
        found.append(Observed(curve, of, own_n, time_m, incidence, len(here)))
    return found


def _draw_alike(watched: pd.DataFrame, groups_n: IntArray, scores: ScoreSettings) -> FloatArray:
    """Draw groups among those that hold the same conditions, (1 + resamples, g)."""
    held = watched.groupby(groups_n)["curve"].agg(lambda curves: "\n".join(sorted(set(curves))))
    counts_rg = np.ones((1 + scores.n_resamples, len(held)))
    for number, of_same in enumerate(held.groupby(held).indices.values()):
        counts_rg[:, of_same] = draw_groups(len(of_same), scores.n_resamples, [scores.seed, number])
    return counts_rg


def _trace(
    observed: Observed, events: tuple[str, ...], shown: tuple[str, ...], scores: ScoreSettings
) -> Iterator[dict[str, object]]:
    """Rows of the curves of one condition."""
    first_m = np.maximum(observed.time_m, 10.0**-DECIMALS)  # a cell is at risk after its entry: count those that begin
    at_risk_m = count_at_risk(observed.cells["end_h"], first_m, observed.cells["entry_h"])
    for event in shown:
        values_rm = observed.incidence_rme[:, :, events.index(event)]
        n_event_groups = observed.count_event_groups(event)
        for m, time_h in enumerate(observed.time_m):
            found = summarise(values_rm[:, m], scores.confidence, n_event_groups)
            counted = {"time_h": float(time_h), "n_at_risk": int(at_risk_m[m])}
            yield {**_name(observed), "outcome": event, **counted, "incidence": found.estimate, **_ends(found)}


def _name(observed: Observed) -> dict[str, object]:
    first = observed.cells.iloc[0]
    named = {name: str(first[name]) for name in ("condition", "dose", "curve", "since")}
    return {**named, "n_cells": len(observed.cells), "n_groups": observed.n_groups}


def _ends(found: Estimate, prefix: str = "") -> dict[str, float]:
    return {f"{prefix}low": found.low, f"{prefix}high": found.high}


def _summarise(
    observed: Observed, events: tuple[str, ...], shown: tuple[str, ...], by_h: float, scores: ScoreSettings
) -> Iterator[dict[str, object]]:
    """Rows of one condition: incidence by an hour, and hours until half of the cells met each event."""
    for event in shown:
        values_rm = observed.incidence_rme[:, :, events.index(event)]
        n_event_groups = observed.count_event_groups(event)
        share = summarise(values_rm[:, _place(observed, by_h)], scores.confidence, n_event_groups)
        reached_rm = values_rm >= HALF - 1e-9
        half_r = np.where(reached_rm.any(axis=1), observed.time_m[reached_rm.argmax(axis=1)], np.nan)
        half = summarise(half_r, scores.confidence, n_event_groups)
        n_events = int((observed.cells["fate"] == event).sum())
        yield {
            **_name(observed),
            "outcome": event,
            "by_h": by_h,
            "incidence": share.estimate,
            **_ends(share),
            "half_h": half.estimate,
            **_ends(half, "half_"),
            "n_events": n_events,
            "n_event_groups": n_event_groups,
            "reason": _lacking(share, half, n_events),
        }


def _place(observed: Observed, by_h: float) -> int:
    return int(np.searchsorted(observed.time_m, by_h + 1e-9, side="right")) - 1


def _lacking(share: Estimate, half: Estimate, n_events: int) -> str | None:
    """Say what is not defined of a row, and why."""
    if not n_events:
        return NEVER
    lacks = [ONE_GROUP] if np.isnan(share.low) else []
    if np.isnan(half.estimate):
        lacks.append(NOT_HALF)
    elif np.isnan(half.low) and not lacks:
        lacks.append(SOME_NOT_HALF)
    return "; ".join(lacks) or None


def _fit_doses(
    observed: list[Observed], events: tuple[str, ...], shown: tuple[str, ...], by_h: float, scores: ScoreSettings
) -> Iterator[dict[str, object]]:
    """Rows of the conditions that were given in enough amounts."""
    treated = [each for each in observed if _amount(each)[0] > 0]
    untreated = [each for each in observed if _amount(each)[0] == 0]
    for condition, unit in sorted({(_drug(each), _amount(each)[1]) for each in treated}):
        given = [each for each in treated if (_drug(each), _amount(each)[1]) == (condition, unit)]
        yield from _fit_condition([*untreated, *given], condition, events, shown, by_h, scores)


def _drug(observed: Observed) -> str:
    """Condition of which the dose is an amount; `all` where no condition is named beside the dose."""
    first = observed.cells.iloc[0]
    return EVERYTHING if first["condition"] == first["dose"] else str(first["condition"])


def _amount(observed: Observed) -> tuple[float, str]:
    """Amount of a dose and its unit; 0 of a word for no treatment, NaN of other words."""
    dose = str(observed.cells["dose"].iloc[0])
    return (0.0, "") if is_untreated(dose) else rank_amount(dose)


def _fit_condition(
    of_doses: list[Observed],
    condition: str,
    events: tuple[str, ...],
    shown: tuple[str, ...],
    by_h: float,
    scores: ScoreSettings,
) -> Iterator[dict[str, object]]:
    """Rows of one condition, one an event."""
    doses = [str(each.cells["dose"].iloc[0]) for each in of_doses]
    unit = split_amount(doses[-1])[0]
    dose_d = np.array([read_amount(dose, unit) for dose in doses])
    n_d = np.array([len(each.cells) for each in of_doses], dtype=np.float64)
    n_groups = min(each.n_groups for each in of_doses)
    if len(set(dose_d)) < LEAST_DOSES:
        return
    for event in shown:
        share_rd = np.column_stack([e.incidence_rme[:, _place(e, by_h), events.index(event)] for e in of_doses])
        rows = share_rd[: 1 + _FITTED] if n_groups > 1 else share_rd[:1]
        curves = fit_log_logistic(dose_d, rows, n_d)
        half = summarise(np.array([curve.half_dose for curve in curves]), scores.confidence, n_groups)
        yield {
            "condition": condition,
            "outcome": event,
            "by_h": by_h,
            "unit": unit,
            **curves[0]._asdict(),
            "middle": curves[0].half_dose,
            **_within(half, dose_d[dose_d > 0]),
            "n_doses": len(set(dose_d)),
            "n_cells": int(n_d.sum()),
            "n_groups": n_groups,
        }


def _within(half: Estimate, given_d: FloatArray) -> dict[str, object]:
    """Half-way dose and its interval, as far as they lie among the doses that were given; else why not."""
    least, most = given_d.min(), given_d.max()
    if not least <= half.estimate <= most:
        return {"half_dose": np.nan, "half_low": np.nan, "half_high": np.nan, "reason": BEYOND}
    low, high = (end if least <= end <= most else np.nan for end in half[1:])
    reason = ONE_GROUP_A_DOSE if np.isnan(half.low) else OPEN if np.isnan(low) or np.isnan(high) else None
    return {"half_dose": half.estimate, "half_low": low, "half_high": high, "reason": reason}
