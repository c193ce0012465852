"""Forecasts of incidence without a network: what age, dose, time or handcrafted features alone can tell.

Each is fitted to the landmarks of the training part of every fold and forecasts those of its validation and test parts,
as the fate clock does. All give hazards in the same bins of time, learned from what was watched of each bin; classes
are not balanced, so that hazards are calibrated.

Array suffixes: n landmarks, k bins of time, e events, f inputs, r rows (a landmark and a bin).
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cellfate.cohort.follow_ups import label_landmarks
from cellfate.cohort.settings import FollowUpSettings
from cellfate.core.errors import InputError
from cellfate.core.fates import NONE, probability_column
from cellfate.features import describe_landmarks
from cellfate.metrics.baselines import make_inputs
from cellfate.metrics.settings import BaselineSettings, ReferenceName, ReferenceSettings
from cellfate.models.boosted_hazards import fit_boosted_hazards
from cellfate.statistics.incidence import UNOBSERVED
from cellfate.prediction.forecast_tables import tabulate_incidence

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

Forecaster = Callable[[pd.DataFrame], FloatArray]
"""From the inputs of n landmarks to their hazards, (n, k, e)."""


@dataclass(frozen=True, eq=False)
class _Study:
    """Landmarks, what was seen in their bins, and how it is forecast."""

    landmarks: pd.DataFrame
    labels_nk: IntArray
    follow_up: FollowUpSettings
    references: ReferenceSettings


def forecast_references(
    follow_ups: pd.DataFrame,
    landmarks: pd.DataFrame,
    splits: pd.DataFrame,
    frame_features: pd.DataFrame,
    follow_up: FollowUpSettings,
    references: ReferenceSettings,
) -> pd.DataFrame:
    """Fit every reference on each fold's training part and forecast the landmarks of its validation and test parts.

    Parameters
    ----------
    follow_ups, landmarks, splits, frame_features
        Tables `FollowUps`, `Landmarks`, `Splits` (of the follow-ups) and `FrameFeatures`.
    follow_up
        Events, bins of time, and the hours by which incidence is reported.
    references
        Which references, and the hyper-parameters of the boosting.

    Returns
    -------
    DataFrame
        Table `Incidence`. The predictors: `track_age`, `age_and_time`: multinomial logistic hazards on the bin and on
        hours, which are free to bend. `dose`: in every bin the events among those at risk at that dose, so an
        Aalen-Johansen curve a dose. `handcrafted_and_age`: boosted hazards on `features.describe_landmarks`.

    Raises
    ------
    InputError
        If a training part has no landmark, or none that was watched in some bin.
    """
    labels_nk = label_landmarks(landmarks, follow_up)
    study = _Study(landmarks.reset_index(drop=True), labels_nk, follow_up, references)
    inputs = {name: _make_inputs(name, study, frame_features) for name in references.names}
    placed = _place(splits, follow_ups, study.landmarks)
    tables = [
        _forecast_fold(name, inputs[name], study, fold)
        for name in references.names
        for _, fold in placed.groupby("fold", sort=True)
    ]
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=_columns(follow_up.events))


def _place(splits: pd.DataFrame, follow_ups: pd.DataFrame, landmarks: pd.DataFrame) -> pd.DataFrame:
    """Say for every landmark and fold which part its cell is in: scheme, fold, part and the landmark's row."""
    cell = ["recording_id", "cell_id"]
    of_cells = splits.merge(follow_ups[["sample_id", *cell]], on="sample_id", validate="many_to_one")
    rows = landmarks[cell].reset_index(names="row")
    return of_cells.drop(columns="sample_id").merge(rows, on=cell)[["scheme", "fold", "part", "row"]]


def _make_inputs(name: ReferenceName, study: _Study, frame_features: pd.DataFrame) -> pd.DataFrame:
    if name == "handcrafted_and_age":
        return describe_landmarks(frame_features, study.landmarks, study.references.handcrafted_history_h)
    if name == "dose":
        return study.landmarks[["dose"]]
    return make_inputs(name, study.landmarks, pd.DataFrame(), frame_features, BaselineSettings())


def _forecast_fold(name: ReferenceName, inputs: pd.DataFrame, study: _Study, fold: pd.DataFrame) -> pd.DataFrame:
    """Forecast the landmarks of the validation and test parts of one fold."""
    train = fold.loc[fold["part"] == "train", "row"].to_numpy()
    labels_nk = study.labels_nk[train]
    _check_watched(labels_nk, int(fold["fold"].iloc[0]), study.follow_up)
    forecast = _fit(name, inputs.iloc[train], labels_nk, study)
    asked = fold[fold["part"] != "train"]
    hazards_nke = forecast(inputs.iloc[asked["row"].to_numpy()])
    return _incidence_rows(name, asked, hazards_nke, study)


def _check_watched(labels_nk: IntArray, fold: int, follow_up: FollowUpSettings) -> None:
    """Refuse a training part from which the hazards of some bin cannot be learned."""
    watched_k = (labels_nk != UNOBSERVED).any(axis=0)
    if not watched_k.all():
        upper_h = follow_up.edges_h[1 + int(watched_k.argmin())]
        raise InputError(
            f"None of {len(labels_nk)} landmarks in the training part of fold {fold} was watched for {upper_h:g} h, "
            f"but hazards are learned up to horizon_h {follow_up.horizon_h:g}; lower horizon_h, or add longer tracks."
        )


def _fit(name: ReferenceName, inputs: pd.DataFrame, labels_nk: IntArray, study: _Study) -> Forecaster:
    n_events = len(study.follow_up.events)
    if name == "dose":
        return fit_dose_hazards(inputs["dose"], labels_nk, n_events)
    if name == "handcrafted_and_age":
        return fit_boosted_hazards(inputs, labels_nk, n_events, study.references.boosting).hazards
    return fit_logistic_hazards(inputs, labels_nk, n_events)


def fit_dose_hazards(dose_n: pd.Series, labels_nk: IntArray, n_events: int) -> Forecaster:
    """Count the events among those at risk, in every bin at every dose.

    Parameters
    ----------
    dose_n
        Dose of each landmark.
    labels_nk
        From `label_bins`.
    n_events
        Number of events.

    Returns
    -------
    callable
        From a table with the column `dose` to hazards. A dose that was not counted, and a bin of a dose in which no one
        was at risk, get the hazards of all doses together; 0 where no one at all was at risk.
    """
    doses = dose_n.to_numpy(object)
    pooled_ke = _count_hazards(labels_nk, n_events, np.zeros((labels_nk.shape[1], n_events)))
    of_dose = {dose: _count_hazards(labels_nk[doses == dose], n_events, pooled_ke) for dose in set(doses)}

    def forecast(inputs: pd.DataFrame) -> FloatArray:
        hazards = [of_dose.get(dose, pooled_ke) for dose in inputs["dose"]]
        return np.reshape(hazards, (len(inputs), *pooled_ke.shape))

    return forecast


def _count_hazards(labels_nk: IntArray, n_events: int, otherwise_ke: FloatArray) -> FloatArray:
    at_risk_k1 = (labels_nk != UNOBSERVED).sum(axis=0)[:, None]
    events_ke = np.stack([(labels_nk == event).sum(axis=0) for event in range(1, n_events + 1)], axis=1)
    return np.where(at_risk_k1 > 0, events_ke / np.maximum(at_risk_k1, 1), otherwise_ke)


def fit_logistic_hazards(inputs: pd.DataFrame, labels_nk: IntArray, n_events: int) -> Forecaster:
    """Fit one multinomial logistic regression to all landmarks and bins: a constant for each bin, and the inputs.

    Parameters
    ----------
    inputs
        One row a landmark; no missing values.
    labels_nk
        From `label_bins`.
    n_events
        Number of events.

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
        logistic.fit(_rows(values_nf[n_r], k_r, n_bins), labels_r)

    def forecast(asked: pd.DataFrame) -> FloatArray:
        n_r, k_r = (index.ravel() for index in np.indices((len(asked), n_bins)))
        probabilities = np.zeros((len(n_r), 1 + n_events))
        rows = _rows(asked.to_numpy(np.float64)[n_r], k_r, n_bins)
        probabilities[:, classes] = logistic.predict_proba(rows) if len(classes) > 1 and len(rows) else 1
        return probabilities[:, 1:].reshape(len(asked), n_bins, n_events)

    return forecast


def _rows(values_rf: FloatArray, k_r: IntArray, n_bins: int) -> FloatArray:
    return np.concatenate((values_rf, np.eye(n_bins)[k_r]), axis=1)


def _incidence_rows(name: ReferenceName, asked: pd.DataFrame, hazards_nke: FloatArray, study: _Study) -> pd.DataFrame:
    """Write hazards as rows of table `Incidence`, one a landmark and hour of the report."""
    found = study.landmarks.iloc[asked["row"].to_numpy()]
    keys = asked[["scheme", "fold", "part"]].assign(
        predictor=name,
        recording_id=found["recording_id"].to_numpy(),
        cell_id=found["cell_id"].to_numpy(),
        frame=found["last_frame"].to_numpy(),
    )
    table = tabulate_incidence(
        keys, hazards_nke, study.follow_up.events, study.follow_up.edges_h, study.follow_up.report_h
    )
    return table[_columns(study.follow_up.events)]


def _columns(events: tuple[str, ...]) -> list[str]:
    keys = ["predictor", "scheme", "fold", "part", "recording_id", "cell_id", "frame", "within_h"]
    return [*keys, *map(probability_column, (*events, NONE)), "expected_h"]
