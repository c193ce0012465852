"""When an alarm is raised: decided here and nowhere else, from the frames up to the alarm only.

At a frame an event is *flagged* where its incidence within the horizon reaches the threshold and no other event is
likelier. An alarm is raised where it is flagged for so many frames on end, at the last of them; no second one until its
incidence has fallen below half the threshold. A frame without a forecast, as in a gap of the track, breaks the row.

Array suffixes: n forecasts, e events, a alarms.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from cellfate.core.fates import NONE, listed_outcomes, probability_column
from cellfate.core.tables import CELL, FRAME
from cellfate.prediction.settings import AlarmSettings

BoolArray = npt.NDArray[np.bool_]
IntArray = npt.NDArray[np.int64]

REARM_SHARE: Final = 0.5
"""An event can be flagged anew once its incidence has fallen below this share of the threshold."""


@dataclass(frozen=True, eq=False)
class Traces:
    """Forecasts of one horizon in the order of predictors, cells and frames, as an alarm reads them."""

    rows: pd.DataFrame
    """The forecasts; the index counts from 0."""
    events: tuple[str, ...]
    incidence_ne: npt.NDArray[np.float64]
    likeliest_n: IntArray
    """Number of the likeliest event, none not counted; the first of equals."""
    begins_n: BoolArray
    """The first forecast of its cell."""
    breaks_n: BoolArray
    """Does not follow on the forecast before: the first of its cell, or the first after a gap."""

    @property
    def n_on_end(self) -> IntArray:
        """Forecasts on end up to each, itself included, (n,)."""
        return self._count_on_end(np.ones(len(self.rows), dtype=bool))

    def on_end(self, event: str, threshold: float) -> IntArray:
        """Count for how many frames on end, up to each, an event has been flagged, (n,)."""
        e = self.events.index(event)
        return self._count_on_end((self.incidence_ne[:, e] >= threshold) & (self.likeliest_n == e))

    def _count_on_end(self, holds_n: BoolArray) -> IntArray:
        place_n = np.arange(len(holds_n))
        # The last row before the run: one at which it does not hold, or the one before a break.
        before_n = np.maximum(np.where(holds_n, -1, place_n), np.where(self.breaks_n, place_n - 1, -1))
        return np.asarray(place_n - np.maximum.accumulate(before_n), dtype=np.int64)

    def raised(self, event: str, threshold: float, frames_on_end: int) -> IntArray:
        """Rows at which alarms of an event are raised, ascending, (a,)."""
        if self.rows.empty:
            return np.zeros(0, dtype=np.int64)
        fell_n = self.incidence_ne[:, self.events.index(event)] < REARM_SHARE * threshold
        armed_n = np.cumsum(fell_n | self.begins_n)  # rows of one number can have one alarm
        under_a = np.flatnonzero(self.on_end(event, threshold) >= frames_on_end)
        first = np.unique(armed_n[under_a], return_index=True)[1]
        return np.asarray(under_a[first], dtype=np.int64)


def order_traces(forecasts: pd.DataFrame) -> Traces:
    """Order forecasts as alarms read them.

    Parameters
    ----------
    forecasts
        Rows of table `Forecasts`, or of what `Predictor` gives, of one horizon; each predictor, cell and frame once. An
        event without a probability has none.
    """
    places = {name: place for place, name in enumerate(forecasts["predictor"].unique())}
    placed = forecasts.assign(place=forecasts["predictor"].map(places))
    rows = placed.sort_values(["place", *FRAME], ignore_index=True)
    events = tuple(outcome for outcome in listed_outcomes(rows.columns) if outcome != NONE)
    incidence_ne = rows[[probability_column(event) for event in events]].fillna(0.0).to_numpy(np.float64)
    begins_n = ~rows.duplicated(["place", *CELL]).to_numpy(bool)
    follows_n = rows["frame"].diff().eq(1).to_numpy(bool)
    return Traces(
        rows=rows.drop(columns="place"),
        events=events,
        incidence_ne=incidence_ne,
        likeliest_n=incidence_ne.argmax(axis=1) if events else np.zeros(len(rows), dtype=np.int64),
        begins_n=begins_n,
        breaks_n=begins_n | ~follows_n,
    )


def find_alarms(forecasts: pd.DataFrame, alarm: AlarmSettings) -> pd.DataFrame:
    """Find the frames at which alarms are raised.

    Parameters
    ----------
    forecasts
        See `order_traces`.
    alarm
        Costs, which make the threshold, and frames on end.

    Returns
    -------
    DataFrame
        predictor, recording_id, cell_id, frame, `outcome` (the event) and `incidence` (its probability there): one row
        an alarm, by predictor in their order, cell and frame.

    Examples
    --------
    >>> rows = pd.DataFrame({"predictor": "blend", "recording_id": "r", "cell_id": 1, "frame": [7, 8, 9]})
    >>> find_alarms(rows.assign(p_mitosis=[0.4, 0.3, 0.5]), AlarmSettings())[["frame", "outcome"]].values.tolist()
    [[9, 'mitosis']]
    """
    traces = order_traces(forecasts)
    raised = {event: traces.raised(event, alarm.threshold, alarm.frames_on_end) for event in traces.events}
    row_a = np.concatenate([np.zeros(0, dtype=np.int64), *raised.values()])
    e_a = np.repeat(np.arange(len(raised)), [len(rows) for rows in raised.values()])
    order_a = np.argsort(row_a, kind="stable")  # two events are never flagged at one frame
    row_a, e_a = row_a[order_a], e_a[order_a]
    return traces.rows.loc[row_a, ["predictor", *FRAME]].assign(
        outcome=np.array(traces.events, dtype=object)[e_a] if len(row_a) else pd.Series(dtype=object),
        incidence=traces.incidence_ne[row_a, e_a] if len(row_a) else pd.Series(dtype=float),
    ).reset_index(drop=True)  # fmt: skip
