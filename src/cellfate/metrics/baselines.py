"""Predictors without a network: what track length, age, dose, place or handcrafted features alone can tell.

Each is fitted on the training part of every fold with fixed hyper-parameters and forecasts its validation and test
parts, as the model does. Classes are weighted to balance, as in the training of the model, so that a threshold of .5
is the natural one; probabilities of rare outcomes are therefore too high (see `calibration`).
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from cellfate.core.errors import InputError
from cellfate.core.fates import OUTCOMES, probability_column
from cellfate.features.landmarks import summarise_hours
from cellfate.metrics.forecasts import call_outcomes
from cellfate.metrics.settings import BaselineName, BaselineSettings
from cellfate.models.boosted_hazards import smallest_leaf
from cellfate.statistics.bootstrap import FloatArray

if TYPE_CHECKING:
    from sklearn.base import ClassifierMixin


def predict_baselines(
    samples: pd.DataFrame,
    splits: pd.DataFrame,
    detections: pd.DataFrame,
    frame_features: pd.DataFrame,
    baselines: BaselineSettings,
) -> pd.DataFrame:
    """Fit every baseline on each fold's training part and forecast its validation and test parts.

    Parameters
    ----------
    samples, splits, detections, frame_features
        Tables `Samples`, `Splits`, `Detections`, `FrameFeatures`.
    baselines
        Which baselines, and the hyper-parameters of the boosting.

    Returns
    -------
    DataFrame
        Table `Predictions`, one predictor a baseline.

    Raises
    ------
    InputError
        If a training part lacks an outcome.
    """
    known = samples.dropna(subset=["outcome"]).reset_index(drop=True)
    outcomes = tuple(outcome for outcome in OUTCOMES if (known["outcome"] == outcome).any())
    inputs = {name: make_inputs(name, known, detections, frame_features, baselines) for name in baselines.names}
    placed = splits.merge(known[["sample_id"]].reset_index(names="row"), on="sample_id", validate="many_to_one")
    tables = [
        _predict_fold(name, inputs[name], known, fold, outcomes, baselines)
        for name in baselines.names
        for _, fold in placed.groupby("fold", sort=True)
    ]
    columns = ["predictor", "scheme", "fold", "part", "sample_id", "call", *map(probability_column, outcomes)]
    return pd.concat(tables, ignore_index=True)[columns] if tables else pd.DataFrame(columns=columns)


def make_inputs(
    name: BaselineName,
    samples: pd.DataFrame,
    detections: pd.DataFrame,
    frame_features: pd.DataFrame,
    baselines: BaselineSettings,
) -> pd.DataFrame:
    """Build what a baseline sees of each sample.

    Parameters
    ----------
    name
        `track_length`: hours from first to last frame. `track_age`: hours since the track began.
        `recording_time`: hours since the recording began. `dose`. `position`:
        y and x of the last frame and their squares and product. `handcrafted`: features summarised over the last
        `handcrafted_history_h`. Names with `and` see both.
    samples, detections, frame_features
        Tables `Samples`, `Detections`, `FrameFeatures`.
    baselines
        Length of the history.

    Returns
    -------
    DataFrame, float64
        One row a sample, in the order of `samples`, indexed alike. Durations enter as t, t^2 and log(1 + t), so that
        the logistic regression on them is free to bend.
    """
    hours_per_frame = samples["frame_interval_min"] / 60
    makers: dict[str, Callable[[], pd.DataFrame]] = {
        "track_length": lambda: _bend((samples["last_frame"] - samples["first_frame"] + 1) * hours_per_frame, "length"),
        "track_age": lambda: _bend(samples["age_frames"] * hours_per_frame, "age"),
        "recording_time": lambda: _bend(samples["last_frame"] * hours_per_frame, "time"),
        "dose": lambda: pd.get_dummies(samples["dose"], prefix="dose", dtype=float),
        "position": lambda: _position(samples, detections),
        "handcrafted": lambda: summarise_hours(frame_features, samples, baselines.handcrafted_history_h),
    }
    parts = {
        "age_and_time": ("track_age", "recording_time"),
        "length_and_dose": ("track_length", "dose"),
        "handcrafted_and_age": ("handcrafted", "track_age"),
    }.get(name, (name,))
    return pd.concat([makers[part]() for part in parts], axis=1)


def _bend(hours: pd.Series, name: str) -> pd.DataFrame:
    return pd.DataFrame({f"{name}_h": hours, f"{name}_h_squared": hours**2, f"log_{name}": np.log1p(hours)})


def _position(samples: pd.DataFrame, detections: pd.DataFrame) -> pd.DataFrame:
    """Place of the cell in the sample's last frame."""
    keys = ["recording_id", "cell_id", "frame"]
    places = detections[[*keys, "y_px", "x_px"]]
    wanted = samples[["recording_id", "cell_id", "last_frame"]].rename(columns={"last_frame": "frame"})
    found = wanted.merge(places, on=keys, how="left", validate="many_to_one").set_axis(samples.index)
    y, x = found["y_px"].astype(float), found["x_px"].astype(float)
    return pd.DataFrame({"y_px": y, "x_px": x, "y_squared": y**2, "x_squared": x**2, "y_times_x": y * x})


def _predict_fold(
    name: BaselineName,
    inputs: pd.DataFrame,
    samples: pd.DataFrame,
    fold: pd.DataFrame,
    outcomes: tuple[str, ...],
    baselines: BaselineSettings,
) -> pd.DataFrame:
    """Forecast the validation and test parts of one fold."""
    train = fold.loc[fold["part"] == "train", "row"].to_numpy()
    truth = samples["outcome"].to_numpy(object)
    missing = [outcome for outcome in outcomes if not (truth[train] == outcome).any()]
    if missing or len(outcomes) < 2:
        raise InputError(
            f"The training part of fold {fold['fold'].iloc[0]} holds {sorted(set(truth[train]))}, expected at least "
            f"two outcomes and all of {list(outcomes)}; use more recordings or another seed of the split."
        )
    classifier = _make_classifier(name, len(train), baselines).fit(inputs.iloc[train], truth[train])
    asked = fold[fold["part"] != "train"]
    probabilities_nk = classifier.predict_proba(inputs.iloc[asked["row"].to_numpy()])
    positions = [list(classifier.classes_).index(outcome) for outcome in outcomes]
    return _predictions(name, asked, probabilities_nk[:, positions], outcomes)


def _predictions(
    name: str, asked: pd.DataFrame, probabilities_nk: FloatArray, outcomes: tuple[str, ...]
) -> pd.DataFrame:
    calls_n = call_outcomes(probabilities_nk)
    return asked[["scheme", "fold", "part", "sample_id"]].assign(
        predictor=name,
        call=np.array(outcomes, dtype=object)[calls_n],
        **{probability_column(outcome): probabilities_nk[:, k] for k, outcome in enumerate(outcomes)},
    )


def _make_classifier(name: BaselineName, n_train: int, baselines: BaselineSettings) -> "ClassifierMixin":
    """Boosting for handcrafted features (it takes missing values); logistic regression for the few-variable ones."""
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    if name.startswith("handcrafted"):
        return HistGradientBoostingClassifier(
            learning_rate=baselines.learning_rate,
            max_iter=baselines.n_trees,
            max_leaf_nodes=baselines.max_leaf_nodes,
            min_samples_leaf=smallest_leaf(baselines.min_samples_leaf, n_train),
            l2_regularization=baselines.l2_regularization,
            early_stopping=False,
            class_weight="balanced",
            random_state=baselines.seed,
        )
    logistic = LogisticRegression(class_weight="balanced", max_iter=1000)
    return make_pipeline(SimpleImputer(keep_empty_features=True), StandardScaler(), logistic)
