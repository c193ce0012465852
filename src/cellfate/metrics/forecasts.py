"""What each predictor was asked, what it forecast, and what came: one record a predictor and question.

A question is told by `within_h`: the hours after a landmark or, where it is NaN, which fate comes. Both are scored
alike, the second with everything known and every weight 1.

Array suffixes: n landmarks, k outcomes.
"""

import logging
from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from cellfate.cohort.landmarks import asks_which_fate
from cellfate.cohort.outcomes import competing_events
from cellfate.cohort.questions import shown_events
from cellfate.cohort.settings import FollowUpSettings
from cellfate.core.errors import InputError
from cellfate.core.fates import EVENTS, NONE, UNSCORED, probability_column
from cellfate.core.tables import CELL, EVERYTHING, FRAME
from cellfate.core.words import name_question
from cellfate.statistics.bootstrap import BoolArray, FloatArray, IntArray, count_rarer_side, number_groups
from cellfate.statistics.censoring import list_outcomes
from cellfate.statistics.incidence import EVENT_FREE, HOURS_TOLERANCE, number_events
from cellfate.statistics.thresholds import choose_threshold

logger = logging.getLogger(__name__)

_OUT_OF_RANGE = 1e-6  # of a probability, as of table `Forecasts`
_SUM_TOLERANCE = 1e-3  # float32 probabilities of a few outcomes, written and read


@dataclass(frozen=True, eq=False)
class Asked:
    """Test forecasts of one predictor for one question, by recording, cell and frame, so that predictors line up.

    The landmarks are those whose answer can be known: of which fate comes, where one came; within some hours, where the
    recording goes on for so long. Of these, cells that were lost too early have no truth, and no weight.
    """

    predictor: str
    within_h: float
    """Hours after the landmark; NaN: which fate comes."""
    outcomes: tuple[str, ...]
    """All events that compete and, within hours, `none`."""
    events: tuple[str, ...]
    """Those of the outcomes that are scored."""
    landmark_ids_n: npt.NDArray[np.object_]
    probabilities_nk: FloatArray
    time_n: FloatArray
    """Hours from the landmark to the event, or to where the cell was lost; 0 where only the fate is asked."""
    event_n: IntArray
    """0: lost; else the number of the event from 1."""
    truth_n: IntArray
    """Position of what came in `outcomes`; -1: not known."""
    weights_n: FloatArray
    """Inverse probability of being known; 0 where it is not known."""
    strata_n: IntArray
    """Number of the dose, from 1, whose losses made the weights; 0: doses that lost few cells, together."""
    truncated_n: BoolArray
    """The weight was cut (`censoring.MOST_WEIGHT`)."""
    groups_n: IntArray
    """Bootstrap group of each landmark, 0 .. n_groups - 1."""
    cells_n: IntArray
    dose_n: npt.NDArray[np.object_]
    tuned_n: FloatArray | None
    """Which of two fates: threshold of the first, chosen on the validation part of the landmark's fold (NaN: it could
    not be); null: none was chosen."""

    @property
    def n_groups(self) -> int:
        """Number of bootstrap groups."""
        return int(self.groups_n.max()) + 1 if len(self.groups_n) else 0

    def count_event_groups(self, outcome: str) -> int:
        """Count the groups that hold an outcome or, where fewer do, the rest; of `all`, the least of any outcome."""
        if outcome != EVERYTHING:
            return count_rarer_side(self.groups_n, self.truth_n == self.position(outcome))
        held = [len(np.unique(self.groups_n[self.truth_n == place])) for place in np.unique(self.truth_n)]
        return min(held, default=0)

    @property
    def n_events(self) -> int:
        """Kinds of event that compete."""
        return sum(outcome != NONE for outcome in self.outcomes)

    @property
    def horizon_h(self) -> float:
        """Hours by which the answer is known; infinite where only the fate is asked."""
        return np.inf if np.isnan(self.within_h) else self.within_h

    def position(self, outcome: str) -> int:
        """Position of an outcome; the number of an event is one more."""
        return self.outcomes.index(outcome)

    def keep(self, kept_n: BoolArray) -> "Asked":
        """Keep some landmarks with their weights; groups are numbered anew."""
        names = [field.name for field in fields(self) if field.name.endswith(("_n", "_nk"))]
        kept: dict[str, Any] = {name: getattr(self, name)[kept_n] for name in names if getattr(self, name) is not None}
        kept["groups_n"] = number_groups(kept["groups_n"])
        return replace(self, **kept)

    def known(self) -> "Asked":
        """Keep the landmarks whose answer is known."""
        return self.keep(self.truth_n >= 0)

    def calls(self) -> IntArray:
        """Position of the likeliest outcome of each landmark, the first of equals."""
        return np.asarray(self.probabilities_nk.argmax(axis=1), dtype=np.int64)

    def tuned_calls(self) -> IntArray:
        """Position of the first of two fates where it reaches its tuned threshold, else of the second."""
        assert self.tuned_n is not None, "thresholds are tuned where one of two fates is asked for"
        return np.where(self.probabilities_nk[:, 0] >= self.tuned_n, 0, 1).astype(np.int64)


def read_forecasts(forecasts: pd.DataFrame, landmarks: pd.DataFrame, follow_up: FollowUpSettings) -> list[Asked]:
    """Join forecasts of the test parts with what came.

    Test parts of several folds are pooled: each landmark is scored by the model that did not see its cell. Which fate
    comes is asked at last landmarks of cells that met one, what comes within hours at regular landmarks. Forecasts of
    other frames, by hours that are not reported and of cells that nobody scored are left out.

    Parameters
    ----------
    forecasts
        Table `Forecasts` of one or more predictors. An event in which cells end but of which a predictor says nothing
        (no column, or an empty one) competes with a probability of 0.
    landmarks
        Table `Landmarks`.
    follow_up
        Events that are scored within hours (of which fate comes, all are), and the hours that are reported.

    Returns
    -------
    list of Asked
        By predictor in their order in the table, and then by question: which fate comes, then the hours.

    Raises
    ------
    InputError
        If probabilities are not between 0 and 1 or do not add up to 1, or a predictor forecasts a landmark twice, or by
        some of the reported hours only.
    """
    scored = landmarks[landmarks["fate"] != UNSCORED].sort_values([*CELL, "last_frame"], ignore_index=True)
    events = _competing(forecasts, scored)
    columns = [probability_column(outcome) for outcome in (*events, NONE)]
    kept = ["predictor", "fold", "part", *FRAME, "within_h"]
    rows = forecasts[[*kept, *forecasts.columns.intersection(columns)]].reindex(
        columns=[*kept, *columns], fill_value=0.0
    )
    moments = scored.rename(columns={"last_frame": "frame"}).assign(place=np.arange(len(scored)))
    joined = rows.merge(moments, on=FRAME, how="inner", validate="many_to_one").sort_values("place", kind="stable")
    found: list[Asked] = []
    for name in forecasts["predictor"].unique():
        own = joined[joined["predictor"] == name]
        unsaid = {column: 0.0 for column in columns if own[column].isna().all()}
        found += _questions_of(str(name), own.fillna(unsaid), events, scored, follow_up)
    return found


def place_outcomes(event_n: IntArray, n_events: int) -> IntArray:
    """Position of what came among the events and none, from what `list_outcomes` says; -1: not known, (n,)."""
    return np.where(event_n == EVENT_FREE, n_events, np.maximum(event_n - 1, -1)).astype(np.int64)


def is_within(within_h: "pd.Series[float]", hours: float) -> "pd.Series[bool]":
    """Whether rows of table `Forecasts` are of a question, given their `within_h`; NaN: which fate comes."""
    return within_h.isna() if np.isnan(hours) else (within_h - hours).abs() < HOURS_TOLERANCE


def require_same_landmarks(asked: list[Asked]) -> None:
    """Check that predictors answer a question at the same landmarks.

    Raises
    ------
    InputError
        If they do not.
    """
    for other in asked[1:]:
        if not np.array_equal(other.landmark_ids_n, asked[0].landmark_ids_n):
            differing = sorted(set(other.landmark_ids_n) ^ set(asked[0].landmark_ids_n))
            raise InputError(
                f"{other.predictor!r} and {asked[0].predictor!r} forecast different landmarks ({differing[0]!r} is one "
                f"of {len(differing)}), expected the same; make both forecasts again from the same landmarks and "
                f"splits."
            )


def _competing(forecasts: pd.DataFrame, landmarks: pd.DataFrame) -> tuple[str, ...]:
    """Events that are forecast or in which cells end, in order."""
    found = competing_events(landmarks)
    unknown = [event for event in found if probability_column(event) not in forecasts]
    if unknown and len(forecasts):
        logger.warning(
            "Cells end in %s, which is not forecast: it competes with a probability of 0", " and ".join(unknown)
        )
    return tuple(event for event in EVENTS if event in found or probability_column(event) in forecasts)


def _questions_of(
    name: str, rows: pd.DataFrame, events: tuple[str, ...], landmarks: pd.DataFrame, follow_up: FollowUpSettings
) -> Iterator[Asked]:
    """Make the records of one predictor; the rows are in the order of landmarks."""
    happened = competing_events(landmarks)
    of_fate = rows[rows["within_h"].isna() & asks_which_fate(rows)]
    tested = of_fate[of_fate["part"] == "test"]
    if len(tested):
        yield _record(name, tested, np.nan, events, happened, _tuned_thresholds(of_fate, tested, events))
    of_hours = rows[rows["within_h"].notna() & rows["regular"] & (rows["part"] == "test")]
    by_hours = {hours: of_hours[is_within(of_hours["within_h"], hours)] for hours in follow_up.report_h}
    if happened and len(of_hours):
        _require_every_hour(name, by_hours)
        for hours, asked in by_hours.items():
            yield _record(name, asked, hours, (*events, NONE), shown_events(happened, follow_up), None)


def _record(
    name: str,
    rows: pd.DataFrame,
    within_h: float,
    outcomes: tuple[str, ...],
    scored: tuple[str, ...],
    tuned_n: FloatArray | None,
) -> Asked:
    """Arrays of one predictor and question."""
    repeated = rows["landmark_id"][rows["landmark_id"].duplicated()]
    if len(repeated):
        raise InputError(
            f"Predictor {name!r}, asked {name_question(within_h)}, forecasts landmark {repeated.iloc[0]!r} in more "
            f"than one test part, expected one; score one split scheme at a time."
        )
    events = tuple(outcome for outcome in outcomes if outcome != NONE)
    event_n = number_events(rows["fate"], events)
    if np.isnan(within_h):
        time_n, watchable_n, horizon_h = np.zeros(len(rows)), np.full(len(rows), np.inf), np.inf
    else:
        time_n, watchable_n = (rows[column].to_numpy(np.float64) for column in ("time_h", "watchable_h"))
        horizon_h = within_h
    cells_n = np.asarray(rows.groupby(CELL).ngroup(), dtype=np.int64)
    dose_n = rows["dose"].to_numpy(object)
    known = list_outcomes(time_n, event_n, watchable_n, horizon_h, dose_n.astype(str), cells_n)
    asked = Asked(
        predictor=name,
        within_h=within_h,
        outcomes=outcomes,
        events=tuple(event for event in scored if event in events),
        landmark_ids_n=rows["landmark_id"].to_numpy(object),
        probabilities_nk=_probabilities(name, rows, outcomes, within_h),
        time_n=time_n,
        event_n=event_n,
        truth_n=place_outcomes(known.event_n, len(events)),
        weights_n=known.weights_n,
        strata_n=known.strata_n,
        truncated_n=known.truncated_n,
        groups_n=number_groups(rows["group_id"].to_numpy(object)),
        cells_n=cells_n,
        dose_n=dose_n,
        tuned_n=tuned_n,
    )
    return asked.keep(known.scored_n)


def _probabilities(name: str, rows: pd.DataFrame, outcomes: tuple[str, ...], within_h: float) -> FloatArray:
    """One column an outcome, checked and clipped to 0 .. 1."""
    p_nk = rows[[probability_column(outcome) for outcome in outcomes]].to_numpy(np.float64)
    inside_n = ((p_nk >= -_OUT_OF_RANGE) & (p_nk <= 1 + _OUT_OF_RANGE)).all(axis=1)
    wrong = np.flatnonzero(~(inside_n & (np.abs(p_nk.sum(axis=1) - 1) <= _SUM_TOLERANCE)))
    if len(wrong):
        raise InputError(
            f"Predictor {name!r}, asked {name_question(within_h)}, gives landmark "
            f"{rows['landmark_id'].iloc[wrong[0]]!r} the probabilities {np.round(p_nk[wrong[0]], 4).tolist()} of "
            f"{list(outcomes)}, expected each from 0 to 1 and a sum of 1; make the forecasts again."
        )
    return np.asarray(np.clip(p_nk, 0.0, 1.0), dtype=np.float64)


def _require_every_hour(name: str, by_hours: dict[float, pd.DataFrame]) -> None:
    """Refuse landmarks that are forecast by some of the hours only."""
    listed = {hours: set(rows["landmark_id"]) for hours, rows in by_hours.items()}
    everything = set.union(*listed.values())
    for hours, landmark_ids in listed.items():
        lacking = sorted(everything - landmark_ids)
        if lacking or not everything:
            found = f"of landmark {lacking[0]!r}" if lacking else "of any landmark"
            raise InputError(
                f"Predictor {name!r}, asked {name_question(hours)}, has no forecast {found} in the test parts, "
                f"expected one; forecast by the report_h that are set."
            )


def _tuned_thresholds(rows: pd.DataFrame, tested: pd.DataFrame, outcomes: tuple[str, ...]) -> FloatArray | None:
    """Threshold of each tested landmark, chosen on the validation part of its fold."""
    validation = rows[rows["part"] == "validation"]
    if len(outcomes) != 2 or validation.empty:
        return None
    column = probability_column(outcomes[0])
    chosen = {
        fold: choose_threshold(part[column].to_numpy(np.float64), (part["fate"] == outcomes[0]).to_numpy(bool))
        for fold, part in validation.groupby("fold")
    }
    return np.array([chosen.get(fold, np.nan) for fold in tested["fold"]])
