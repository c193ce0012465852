"""Incidence forecasts of one predictor as arrays, joined with what happened to the landmarks.

Array suffixes: n landmarks, h horizons, e events.
"""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from cellfate.cohort.settings import FollowUpSettings
from cellfate.core.errors import InputError
from cellfate.core.fates import probability_column
from cellfate.metrics.scoring import stack_tables
from cellfate.statistics.bootstrap import FloatArray, IntArray, number_groups
from cellfate.statistics.censoring import Outcomes, list_outcomes
from cellfate.statistics.incidence import HOURS_TOLERANCE, number_events
from cellfate.statistics.scores import BoolArray

_KEYS = ["recording_id", "cell_id", "frame"]
_TOLERANCE = 1e-6  # of a probability, as of table `Incidence`


@dataclass(frozen=True, eq=False)
class IncidenceForecasts:
    """Tested landmarks of one predictor, ordered by recording, cell and frame, so that predictors line up."""

    predictor: str
    events: tuple[str, ...]
    horizons_h: tuple[float, ...]
    sample_ids_n: npt.NDArray[np.object_]
    incidence_nhe: FloatArray
    """Forecast probability that each event has happened by each horizon, 0 to 1."""
    event_n: IntArray
    """How the watching of the cell ended: 0 censored (or in an event that is not forecast), else the event from 1."""
    time_n: FloatArray
    """Hours from the landmark to that end."""
    watchable_n: FloatArray
    """Hours from the landmark to the last frame of the recording."""
    groups_n: IntArray
    """Bootstrap group of each landmark, 0 .. n_groups - 1."""
    cells_n: IntArray
    """Cell of each landmark."""
    dose_n: npt.NDArray[np.object_]

    @property
    def n_groups(self) -> int:
        """Number of bootstrap groups."""
        return int(self.groups_n.max()) + 1 if len(self.groups_n) else 0

    def select(self, kept_n: BoolArray) -> "IncidenceForecasts":
        """Keep some landmarks; groups are numbered anew."""
        return replace(
            self,
            sample_ids_n=self.sample_ids_n[kept_n],
            incidence_nhe=self.incidence_nhe[kept_n],
            event_n=self.event_n[kept_n],
            time_n=self.time_n[kept_n],
            watchable_n=self.watchable_n[kept_n],
            groups_n=number_groups(self.groups_n[kept_n]),
            cells_n=self.cells_n[kept_n],
            dose_n=self.dose_n[kept_n],
        )

    def outcomes(self, within_h: float) -> Outcomes:
        """Say what is known by a horizon; see `list_outcomes`."""
        return list_outcomes(self.time_n, self.event_n, self.watchable_n, within_h)


def read_incidence(
    incidence: pd.DataFrame, reference_incidence: pd.DataFrame, landmarks: pd.DataFrame, follow_up: FollowUpSettings
) -> list[IncidenceForecasts]:
    """Join forecasts of the test parts with what happened.

    Test parts of several folds are pooled: each landmark is scored by the model that did not see its cell. Forecasts of
    frames that are no landmarks, and by horizons that are not reported, are left out.

    Parameters
    ----------
    incidence, reference_incidence
        Tables `Incidence`.
    landmarks
        Table `Landmarks`.
    follow_up
        Events, and the horizons that are reported.

    Returns
    -------
    list of IncidenceForecasts
        One a predictor, in their order in the tables.

    Raises
    ------
    InputError
        If the probability of an event is not there, not a number or not between 0 and 1, or a predictor forecasts a
        landmark twice by one horizon, or by some horizons only.
    """
    table = stack_tables(incidence, reference_incidence)
    missing = [p for p in map(probability_column, follow_up.events) if p not in table]
    if missing:
        raise InputError(
            f"The incidence table lacks the column {missing[0]!r}, expected one for each of the events "
            f"{list(follow_up.events)}; forecast with the model that was trained for them."
        )
    ordered = landmarks.sort_values(["recording_id", "cell_id", "last_frame"], ignore_index=True)
    tested = _tested_rows(table, ordered, follow_up)
    return [
        _forecasts_of(str(name), rows, ordered, follow_up) for name, rows in tested.groupby("predictor", sort=False)
    ]


def _tested_rows(table: pd.DataFrame, ordered: pd.DataFrame, follow_up: FollowUpSettings) -> pd.DataFrame:
    """Forecasts of the test parts, with the position of their landmark and of their horizon."""
    tested = table.loc[table["part"] == "test", ["predictor", *_KEYS, "within_h", *_columns(follow_up)]]
    distance_nh = np.abs(tested["within_h"].to_numpy(np.float64)[:, None] - np.array(follow_up.report_h))
    reported = tested.assign(horizon=distance_nh.argmin(axis=1))[distance_nh.min(axis=1) < HOURS_TOLERANCE]
    places = ordered[["recording_id", "cell_id"]].assign(frame=ordered["last_frame"], place=np.arange(len(ordered)))
    joined: pd.DataFrame = reported.merge(places, on=_KEYS, how="inner", validate="many_to_one")
    return joined


def _columns(follow_up: FollowUpSettings) -> list[str]:
    return [probability_column(event) for event in follow_up.events]


def _forecasts_of(
    name: str, rows: pd.DataFrame, ordered: pd.DataFrame, follow_up: FollowUpSettings
) -> IncidenceForecasts:
    """Arrays of one predictor."""
    places_n, order = np.unique(rows["place"].to_numpy(), return_inverse=True)
    known = ordered.iloc[places_n]
    filled_nh = np.zeros((len(places_n), len(follow_up.report_h)), dtype=np.int64)
    np.add.at(filled_nh, (order, rows["horizon"].to_numpy()), 1)
    _check_once(name, known, filled_nh, follow_up)
    incidence_nhe = np.empty((*filled_nh.shape, len(follow_up.events)))
    incidence_nhe[order, rows["horizon"].to_numpy()] = rows[_columns(follow_up)].to_numpy(np.float64)
    _check_probabilities(name, known, incidence_nhe)
    return IncidenceForecasts(
        predictor=name,
        events=follow_up.events,
        horizons_h=follow_up.report_h,
        sample_ids_n=known["sample_id"].to_numpy(object),
        incidence_nhe=np.clip(incidence_nhe, 0, 1),
        event_n=number_events(known["fate"], follow_up.events),
        time_n=known["time_h"].to_numpy(np.float64),
        watchable_n=known["watchable_h"].to_numpy(np.float64),
        groups_n=number_groups(known["group_id"].to_numpy(object)),
        cells_n=np.asarray(known.groupby(["recording_id", "cell_id"]).ngroup(), dtype=np.int64),
        dose_n=known["dose"].to_numpy(object),
    )


def _check_once(name: str, known: pd.DataFrame, filled_nh: IntArray, follow_up: FollowUpSettings) -> None:
    """Refuse landmarks that are forecast twice, or by some horizons only."""
    for landmark, horizon in np.argwhere(filled_nh != 1)[:1]:
        found = "no forecast" if filled_nh[landmark, horizon] == 0 else f"{filled_nh[landmark, horizon]} forecasts"
        raise InputError(
            f"Predictor {name!r} has {found} of landmark {known['sample_id'].iloc[landmark]!r} within "
            f"{follow_up.report_h[horizon]:g} h in the test parts, expected one; score one split scheme at a time, by "
            f"the report_h that was set when the forecasts were made."
        )


def _check_probabilities(name: str, known: pd.DataFrame, incidence_nhe: FloatArray) -> None:
    wrong = np.argwhere(~((incidence_nhe >= -_TOLERANCE) & (incidence_nhe <= 1 + _TOLERANCE)))
    for landmark, horizon, event in wrong[:1]:
        raise InputError(
            f"Predictor {name!r} gives landmark {known['sample_id'].iloc[landmark]!r} the probability "
            f"{incidence_nhe[landmark, horizon, event]:.4g}, expected 0 to 1; make the forecasts again."
        )
