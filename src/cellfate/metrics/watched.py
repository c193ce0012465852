"""Forecasts of every frame of the tested cells, as alarms read them, beside what came after each.

Array suffix: n forecasts.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from cellfate.cohort.settings import FollowUpSettings
from cellfate.core.fates import EVENTS, UNSCORED
from cellfate.core.tables import EVERYTHING
from cellfate.metrics.commitments import join_endings, select_tested
from cellfate.prediction.alarms import Traces, order_traces
from cellfate.prediction.settings import AlarmSettings
from cellfate.statistics.bootstrap import BoolArray, FloatArray, IntArray, number_groups
from cellfate.statistics.censoring import Outcomes, list_outcomes
from cellfate.statistics.incidence import number_events

THRESHOLDS: Final = tuple(round(0.05 + 0.025 * step, 3) for step in range(19))
"""Thresholds of the curves, .05 to .5; the chosen one is added."""


@dataclass(frozen=True, eq=False)
class Watched:
    """Forecasts of one predictor in some tested cells, and what came after each."""

    predictor: str
    traces: Traces
    within_h: float
    time_n: FloatArray
    """Hours from the frame to the event or to where the cell was last seen."""
    came: Outcomes
    """What came within the horizon, where the recording goes on for so long."""
    known_n: IntArray
    """The same wherever it was seen: near the end of a recording only events are."""
    groups_n: IntArray
    cells_n: IntArray
    frame_h: FloatArray
    """Hours that each forecast stands for: the frame interval."""

    def happened(self, event: str) -> BoolArray:
        """Whether an event is known to follow within the horizon, (n,), where the recording goes on for so long."""
        return np.asarray(self.came.event_n == EVENTS.index(event) + 1, dtype=bool)


def select_traced(forecasts: pd.DataFrame, follow_ups: pd.DataFrame, follow_up: FollowUpSettings) -> list[pd.DataFrame]:
    """Select the tested forecasts of each predictor that is asked at frames on end, with how cells ended.

    Raises
    ------
    InputError
        If the horizon is not forecast, a cell is forecast twice for a frame, or a tested cell has no follow-up.
    """
    tested = join_endings(select_tested(forecasts, follow_up.headline_h), follow_ups)
    tested = tested[tested["fate"] != UNSCORED]
    traces = order_traces(tested)
    on_end = set(traces.rows.loc[~traces.breaks_n, "predictor"])
    names = [name for name in tested["predictor"].unique() if name in on_end or not on_end]
    return [tested[tested["predictor"] == name] for name in names]


def list_conditions(
    rows: pd.DataFrame, follow_up: FollowUpSettings, alarm: AlarmSettings
) -> Iterator[tuple[str, tuple[float, ...], Watched]]:
    """Yield all cells with the thresholds of the curves, and the cells of each dose with the chosen one."""
    everywhere = tuple(sorted({*THRESHOLDS, alarm.threshold}))
    yield EVERYTHING, everywhere, watch(rows, follow_up.headline_h)
    doses = sorted(set(rows["dose"]))
    if len(doses) > 1:
        yield from (
            (dose, (alarm.threshold,), watch(rows[rows["dose"] == dose], follow_up.headline_h)) for dose in doses
        )


def watch(rows: pd.DataFrame, within_h: float) -> Watched:
    """Order the forecasts of one predictor, and say what came after each."""
    traces = order_traces(rows)
    told = traces.rows
    frame_h = told["frame_interval_min"].to_numpy(np.float64) / 60
    time_n = (told["end_frame"] - told["frame"]).to_numpy(np.float64) * frame_h
    watchable_n = (told["recording_frames"] - 1 - told["frame"]).to_numpy(np.float64) * frame_h
    event_n = number_events(told["fate"], EVENTS)  # one that is not forecast competes too
    cells_n = np.cumsum(traces.begins_n) - 1
    return Watched(
        predictor=str(told["predictor"].iloc[0]),
        traces=traces,
        within_h=within_h,
        time_n=time_n,
        came=list_outcomes(time_n, event_n, watchable_n, within_h, told["dose"].to_numpy(str), cells_n),
        known_n=list_outcomes(time_n, event_n, np.full(len(told), np.inf), within_h).event_n,
        groups_n=number_groups(told["group_id"].to_numpy(object)),
        cells_n=cells_n,
        frame_h=frame_h,
    )
