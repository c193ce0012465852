"""Conditions as wide tables, one column a curve or a group, as Prism and R read them."""

import numpy as np
import pandas as pd

from cellfate.cohort.outcomes import competing_events
from cellfate.cohort.questions import shown_events
from cellfate.cohort.settings import FollowUpSettings
from cellfate.core.tables import ConditionCurves, ConditionGroups
from cellfate.metrics.conditions import last_common_hour, list_watched, order_curves
from cellfate.statistics.aalen_johansen import aalen_johansen
from cellfate.statistics.bootstrap import number_groups
from cellfate.statistics.incidence import number_events


def widen_curves(condition_incidence: pd.DataFrame) -> pd.DataFrame:
    """Put all curves side by side: the time, then estimate, low and high of each curve and event.

    Parameters
    ----------
    condition_incidence
        Table `ConditionIncidence`.

    Returns
    -------
    DataFrame
        Table `ConditionCurves`: at every time of any curve; a curve keeps its value until its next time, and is blank
        after the hour to which it was watched.
    """
    times = pd.Index(sorted(set(condition_incidence["time_h"])), name="time_h", dtype=float)
    columns: dict[str, pd.Series[float]] = {}
    for (outcome, curve), rows in condition_incidence.groupby(["outcome", "curve"], sort=False):
        of_curve = rows.set_index("time_h")[["incidence", "low", "high"]]
        level = of_curve.iloc[np.searchsorted(of_curve.index, times, side="right") - 1].set_axis(times)
        ends = {"incidence": "", "low": " low", "high": " high"}
        columns |= {
            f"{outcome}: {curve}{end}": level[name].where(times <= of_curve.index[-1]) for name, end in ends.items()
        }
    return ConditionCurves.validate(pd.DataFrame(columns, index=times).reset_index())


def list_group_shares(cells: pd.DataFrame, recordings: pd.DataFrame, follow_up: FollowUpSettings) -> pd.DataFrame:
    """List the incidence in each group by the last hour that all conditions were watched to.

    Parameters
    ----------
    cells, recordings, follow_up
        As of `conditions.compare_conditions`.

    Returns
    -------
    DataFrame
        Table `ConditionGroups`: one row an event and condition, with columns `group_1`, `group_2` and on, in the order
        of the groups' names; blank where a condition has fewer groups. Where groups are lineages of one recording, the
        recording is a group.
    """
    watched = list_watched(cells, recordings)
    events, by_h = competing_events(watched), last_common_hour(watched)
    rows: list[dict[str, object]] = []
    for curve in order_curves(watched):
        of = watched[watched["curve"] == curve]
        groups_n = number_groups(of["unit"].to_numpy(object))
        counts_rg, numbers_n = np.eye(int(groups_n.max()) + 1), number_events(of["fate"], events)
        of_groups = (groups_n, counts_rg, of["entry_h"])
        shares_re = aalen_johansen(of["end_h"], numbers_n, len(events), [by_h], *of_groups)[:, 0]
        named = {"condition": of["condition"].iloc[0], "dose": of["dose"].iloc[0], "by_h": by_h}
        for event in shown_events(events, follow_up):
            shares = {f"group_{n}": share for n, share in enumerate(shares_re[:, events.index(event)], start=1)}
            rows.append({"outcome": event, **named, **shares})
    table = pd.DataFrame(rows, columns=None if rows else list(ConditionGroups.to_schema().columns))
    return ConditionGroups.validate(table.sort_values("outcome", kind="stable", ignore_index=True))
