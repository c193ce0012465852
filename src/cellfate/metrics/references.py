"""Predictors without a network: what track length, age, time, dose, place or measurements alone can tell.

Each is fitted to the landmarks of the training part of every fold and forecasts those of its validation and test parts,
as the models do. All give hazards in bins of time, learned from what was seen of each bin; which fate comes, given that
one comes, is a single bin in which everybody meets an event. There the fates are weighed to balance, as in the training
of the classifier, so that calls are of the likelier fate; hazards within hours are not, so that they are calibrated.

Array suffixes: n landmarks, k bins of time, e events, f inputs, r rows (a landmark and a bin).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cellfate.cohort.landmarks import asks_which_fate
from cellfate.cohort.outcomes import balance_outcomes, competing_events, label_landmarks
from cellfate.cohort.questions import WHICH_FATE, WITHIN_HOURS, is_asked
from cellfate.cohort.settings import FollowUpSettings
from cellfate.core.errors import InputError
from cellfate.core.predictors import HANDCRAFTED_AGE_AND_TIME, MEASUREMENTS
from cellfate.core.tables import CELL, FRAME
from cellfate.features.summaries import summarise_history
from cellfate.metrics.settings import ReferenceSettings
from cellfate.models.boosted_hazards import fit_boosted_hazards
from cellfate.prediction.forecast_tables import empty_forecasts, tabulate_fate_odds, tabulate_hazards
from cellfate.statistics.incidence import UNOBSERVED, number_events

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

Forecaster = Callable[[pd.DataFrame], FloatArray]
"""From the inputs of n landmarks to their hazards, (n, k, e)."""


@dataclass(frozen=True, eq=False)
class _Task:
    """A question: its landmarks, which of them teach, what was seen in their bins, and who answers."""

    landmarks: pd.DataFrame
    teach_n: NDArray[np.bool_]
    labels_nk: IntArray
    events: tuple[str, ...]
    names: tuple[str, ...]
    follow_up: FollowUpSettings | None
    """Bins and hours; null: which fate comes."""

    def tabulate(self, keys: pd.DataFrame, hazards_nke: FloatArray) -> pd.DataFrame:
        """Write hazards as rows of table `Forecasts`."""
        if self.follow_up is None:
            return tabulate_fate_odds(keys, hazards_nke[:, 0], self.events)
        return tabulate_hazards(keys, hazards_nke, self.events, self.follow_up.edges_h, self.follow_up.report_h)


def forecast_references(
    follow_ups: pd.DataFrame,
    landmarks: pd.DataFrame,
    splits: pd.DataFrame,
    detections: pd.DataFrame,
    frame_features: pd.DataFrame,
    questions: pd.DataFrame,
    follow_up: FollowUpSettings,
    references: ReferenceSettings,
    frames: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Fit every reference on each fold's training part and forecast its validation and test parts.

    Parameters
    ----------
    follow_ups, landmarks, splits, detections, frame_features, questions
        Tables `FollowUps`, `Landmarks`, `Splits`, `Detections`, `FrameFeatures` and `Questions`. All events in which
        cells end compete; questions that are not asked are not answered.
    follow_up
        Bins of time, and the hours that are reported.
    references
        Which references, and the boosting on measurements.
    frames
        All frames that are forecast within hours, from `list_forecast_frames`; not given: regular landmarks, which are
        what teaches in any case.

    Returns
    -------
    DataFrame
        Table `Forecasts`. `dose`: in every bin the events among those at risk at that dose, so within hours an
        Aalen-Johansen curve a dose. `measurements`, `handcrafted_age_and_time`: boosted hazards. All others:
        multinomial logistic hazards on the bin and on inputs that are free to bend; see `make_inputs`.

    Raises
    ------
    InputError
        If a training part lacks a fate, or none of its landmarks was watched in some bin.
    """
    events = competing_events(follow_ups)
    tables = []
    for task in _list_tasks(landmarks, frames, events, questions, follow_up, references):
        placed = _place(splits, task.landmarks)
        for name in task.names:
            inputs = make_inputs(name, task.landmarks, detections, frame_features, references.history_h)
            folds = placed.groupby("fold", sort=True)
            tables += [_forecast_fold(name, inputs, task, fold, references) for _, fold in folds]
    empty = empty_forecasts(events)
    return pd.concat(tables, ignore_index=True)[list(empty.columns)] if tables else empty


def _list_tasks(
    landmarks: pd.DataFrame,
    frames: pd.DataFrame | None,
    events: tuple[str, ...],
    questions: pd.DataFrame,
    follow_up: FollowUpSettings,
    references: ReferenceSettings,
) -> Iterator[_Task]:
    if is_asked(questions, WHICH_FATE):
        fated = landmarks[asks_which_fate(landmarks)].reset_index(drop=True)
        labels_nk = number_events(fated["fate"], events)[:, None]
        yield _Task(fated, np.ones(len(fated), dtype=bool), labels_nk, events, references.names_which_fate, None)
    if is_asked(questions, WITHIN_HOURS):
        asked = (landmarks[landmarks["regular"]] if frames is None else frames).reset_index(drop=True)
        labels_nk = label_landmarks(asked, events, follow_up.edges_h)
        teach_n = asked["regular"].to_numpy(bool)
        yield _Task(asked, teach_n, labels_nk, events, references.names_within_hours, follow_up)


def make_inputs(
    name: str, landmarks: pd.DataFrame, detections: pd.DataFrame, frame_features: pd.DataFrame, history_h: float
) -> pd.DataFrame:
    """Build what a reference sees of each landmark.

    Parameters
    ----------
    name
        `track_length`: hours from the first frame to the last, both counted. `track_age`: hours since the track began.
        `recording_time`: hours since the recording began. `dose`. `position`: y and x of the last frame and their
        squares and product. `measurements`: features summarised over the last hours. Names with `and` see both;
        `handcrafted_age_and_time`: measurements too.
    landmarks, detections, frame_features
        Tables `Landmarks`, `Detections`, `FrameFeatures`.
    history_h
        Hours that measurements are summarised over.

    Returns
    -------
    DataFrame
        One row a landmark, in the order of `landmarks`, indexed alike. Durations enter as t, t^2 and log(1 + t). `dose`
        is the name of the dose where it stands alone, else one column a dose.
    """
    hours_per_frame = landmarks["frame_interval_min"] / 60
    makers: dict[str, Callable[[], pd.DataFrame]] = {
        "track_length": lambda: _bend((landmarks["age_frames"] + 1) * hours_per_frame, "length"),
        "track_age": lambda: _bend(landmarks["age_frames"] * hours_per_frame, "age"),
        "recording_time": lambda: _bend(landmarks["last_frame"] * hours_per_frame, "time"),
        "each_dose": lambda: pd.get_dummies(landmarks["dose"], prefix="dose", dtype=float),
        "dose": lambda: landmarks[["dose"]],
        "position": lambda: _position(landmarks, detections),
        MEASUREMENTS: lambda: summarise_history(frame_features, landmarks, history_h),
    }
    both = {
        "age_and_time": ("track_age", "recording_time"),
        "length_and_dose": ("track_length", "each_dose"),
        HANDCRAFTED_AGE_AND_TIME: (MEASUREMENTS, "track_age", "recording_time"),
    }
    return pd.concat([makers[part]() for part in both.get(name, (name,))], axis=1)


def _bend(hours: "pd.Series[float]", name: str) -> pd.DataFrame:
    return pd.DataFrame({f"{name}_h": hours, f"{name}_h_squared": hours**2, f"log_{name}": np.log1p(hours)})


def _position(landmarks: pd.DataFrame, detections: pd.DataFrame) -> pd.DataFrame:
    """Place of the cell in the last frame."""
    wanted = landmarks[[*CELL, "last_frame"]].rename(columns={"last_frame": "frame"})
    found = wanted.merge(detections[[*FRAME, "y_px", "x_px"]], on=FRAME, how="left", validate="many_to_one")
    y, x = (found[name].astype(float).set_axis(landmarks.index) for name in ("y_px", "x_px"))
    return pd.DataFrame({"y_px": y, "x_px": x, "y_squared": y**2, "x_squared": x**2, "y_times_x": y * x})


def _place(splits: pd.DataFrame, landmarks: pd.DataFrame) -> pd.DataFrame:
    """Say for every landmark and fold which part its cell is in: scheme, fold, part and the landmark's row."""
    rows = landmarks[CELL].reset_index(names="row")
    return splits[["scheme", "fold", "part", *CELL]].merge(rows, on=CELL)[["scheme", "fold", "part", "row"]]


def _forecast_fold(
    name: str, inputs: pd.DataFrame, task: _Task, fold: pd.DataFrame, references: ReferenceSettings
) -> pd.DataFrame:
    """Forecast the landmarks of the validation and test parts of one fold."""
    train = fold.loc[fold["part"] == "train", "row"].to_numpy()
    train = train[task.teach_n[train]]
    labels_nk = task.labels_nk[train]
    _check_taught(labels_nk, int(fold["fold"].iloc[0]), task)
    weights_n = balance_outcomes(labels_nk[:, 0]) if task.follow_up is None else np.ones(len(train))
    forecast = _fit(name, inputs.iloc[train], labels_nk, weights_n, len(task.events), references)
    asked = fold[fold["part"] != "train"]
    rows = asked["row"].to_numpy()
    cells = task.landmarks.iloc[rows][[*CELL, "last_frame"]].rename(columns={"last_frame": "frame"})
    keys = pd.concat([asked.drop(columns="row").reset_index(drop=True), cells.reset_index(drop=True)], axis=1)
    return task.tabulate(keys.assign(predictor=name), forecast(inputs.iloc[rows]))


def _check_taught(labels_nk: IntArray, fold: int, task: _Task) -> None:
    """Refuse a training part from which some fate, or some bin, cannot be learned."""
    found = [event for number, event in enumerate(task.events, 1) if (labels_nk == number).any()]
    if task.follow_up is None and len(found) < max(2, len(task.events)):
        raise InputError(
            f"The training part of fold {fold} holds cells that end in {found}, expected at least two fates and all of "
            f"{list(task.events)}; use more recordings or another seed of the split."
        )
    watched_k = (labels_nk != UNOBSERVED).any(axis=0)
    if not watched_k.all():
        raise InputError(
            f"None of {len(labels_nk)} landmarks in the training part of fold {fold} was watched to the end of bin "
            f"{1 + int(watched_k.argmin())} of {len(watched_k)}, but hazards are learned up to horizon_h; lower "
            "horizon_h, or add longer recordings."
        )


def _fit(
    name: str,
    inputs: pd.DataFrame,
    labels_nk: IntArray,
    weights_n: FloatArray,
    n_events: int,
    references: ReferenceSettings,
) -> Forecaster:
    if name == "dose":
        return fit_dose_hazards(inputs["dose"], labels_nk, n_events, weights_n)
    if name == MEASUREMENTS:
        return fit_boosted_hazards(inputs, labels_nk, n_events, references.boosting, weights_n).hazards
    if name == HANDCRAFTED_AGE_AND_TIME:
        return fit_boosted_hazards(inputs, labels_nk, n_events, references.boosting_within_hours, weights_n).hazards
    return fit_logistic_hazards(inputs, labels_nk, n_events, weights_n)


def fit_dose_hazards(dose_n: "pd.Series[str]", labels_nk: IntArray, n_events: int, weights_n: FloatArray) -> Forecaster:
    """Count the events among those at risk, in every bin at every dose.

    Parameters
    ----------
    dose_n, labels_nk, n_events, weights_n
        Dose of each landmark, what was seen in its bins (`label_bins`), number of events, what the landmark counts for.

    Returns
    -------
    callable
        From a table with the column `dose` to hazards. A dose that was not counted, and a bin of a dose in which no one
        was at risk, get the hazards of all doses together; 0 where no one at all was at risk.
    """
    doses = dose_n.to_numpy(object)
    pooled_ke = _count_hazards(labels_nk, weights_n, np.zeros((labels_nk.shape[1], n_events)))
    of_dose = {
        dose: _count_hazards(labels_nk[doses == dose], weights_n[doses == dose], pooled_ke) for dose in set(doses)
    }

    def forecast(inputs: pd.DataFrame) -> FloatArray:
        hazards = [of_dose.get(dose, pooled_ke) for dose in inputs["dose"]]
        return np.reshape(hazards, (len(inputs), *pooled_ke.shape))

    return forecast


def _count_hazards(labels_nk: IntArray, weights_n: FloatArray, otherwise_ke: FloatArray) -> FloatArray:
    at_risk_k1 = (weights_n @ (labels_nk != UNOBSERVED))[:, None]
    numbers = range(1, otherwise_ke.shape[1] + 1)
    events_ke = np.stack([weights_n @ (labels_nk == number) for number in numbers], axis=1)
    return np.where(at_risk_k1 > 0, events_ke / np.where(at_risk_k1 > 0, at_risk_k1, 1), otherwise_ke)


def fit_logistic_hazards(inputs: pd.DataFrame, labels_nk: IntArray, n_events: int, weights_n: FloatArray) -> Forecaster:
    """Fit one multinomial logistic regression to all landmarks and bins: a constant for each bin, and the inputs.

    Parameters
    ----------
    inputs
        One row a landmark; no missing values.
    labels_nk, n_events, weights_n
        As of `fit_dose_hazards`.

    Returns
    -------
    callable
        From such inputs to hazards; an event that never occurs in `labels_nk` has hazards of 0.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    n_r, k_r = np.nonzero(labels_nk != UNOBSERVED)
    n_bins, labels_r = labels_nk.shape[1], labels_nk[n_r, k_r]
    classes = np.unique(labels_r)
    values_nf = inputs.to_numpy(np.float64)
    logistic = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
    if len(classes) > 1:
        rows_rf = _rows(values_nf[n_r], k_r, n_bins)
        logistic.fit(rows_rf, labels_r, logisticregression__sample_weight=weights_n[n_r])

    def forecast(asked: pd.DataFrame) -> FloatArray:
        n_r, k_r = (index.ravel() for index in np.indices((len(asked), n_bins)))
        probabilities = np.zeros((len(n_r), 1 + n_events))
        rows = _rows(asked.to_numpy(np.float64)[n_r], k_r, n_bins)
        probabilities[:, classes] = logistic.predict_proba(rows) if len(classes) > 1 and len(rows) else 1
        return probabilities[:, 1:].reshape(len(asked), n_bins, n_events)

    return forecast


def _rows(values_rf: FloatArray, k_r: IntArray, n_bins: int) -> FloatArray:
    return np.concatenate((values_rf, np.eye(n_bins)[k_r]), axis=1)
