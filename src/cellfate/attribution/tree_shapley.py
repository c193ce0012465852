"""TreeSHAP on gradient boosting over measurements: an explanation that knows no pixel.

The boosting sees the mean of every feature in every time window of what is shown at a landmark, so that its values
speak of the same hours as those of the network. The values are exact Shapley values of the trees (Lundberg et al.
2020), as LightGBM computes them.

Array suffixes: n landmarks, f inputs.
"""

from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cellfate.attribution.methods import LOGIT, TREE_SHAPLEY, no_attributions
from cellfate.attribution.settings import ExplanationSettings
from cellfate.attribution.windows import frames_in
from cellfate.core.spot_features import SPOT_PREFIX
from cellfate.core.tables import CELL, FRAME, Attributions
from cellfate.features.summaries import feature_columns
from cellfate.statistics.effect_sizes import separation

if TYPE_CHECKING:
    from lightgbm import Booster

SHAPE: Final = "shape"
NEIGHBORS: Final = "neighbors"
TRACKER: Final = "tracker"
_BOOSTING: Final = {
    "objective": "binary",
    "learning_rate": 0.05,
    "num_leaves": 6,
    "min_data_in_leaf": 12,
    "lambda_l2": 2.0,
    "is_unbalance": True,
    "deterministic": True,
    "force_row_wise": True,
    "verbosity": -1,
}
_ROUNDS: Final = 150
_TOLERANCE: Final = 1e-6


def no_trees() -> pd.DataFrame:
    """Table of `explain_boosting` without rows."""
    return no_attributions(feature=object, boosting_auroc=np.float64)


def explain_boosting(
    frame_features: pd.DataFrame,
    answered: pd.DataFrame,
    splits: pd.DataFrame,
    explained_landmarks: pd.DataFrame,
    outcome: str,
    explanation: ExplanationSettings,
) -> pd.DataFrame:
    """Fit a boosting on each fold's training part, and explain the landmarks marked `shapley` that it did not see.

    It is there to be explained, not to be scored: it has no weights for censoring.

    Parameters
    ----------
    frame_features, splits
        Tables `FrameFeatures` and `Splits`.
    answered
        Table `Landmarks` with `outcome` and `shown_from`, the first frame that is shown.
    explained_landmarks
        Those to explain, with `fold` and `shapley`.
    outcome, explanation
        Outcome whose log odds against all others are explained; windows and seed.

    Returns
    -------
    pandas.DataFrame
        Table `Attributions`, one row a landmark, window and feature, in logits; `feature`; channel: that of an
        intensity, `neighbors`, `shape`, or `tracker` of all spot features; `boosting_auroc`: how well the boosting
        tells the outcome in its fold's test part.

    Raises
    ------
    ArithmeticError
        When the values at a landmark do not add up to the boosting's log odds.
    """
    inputs = describe_windows(frame_features, answered, explanation)
    parts = splits.merge(answered[["landmark_id", *CELL, "outcome"]], on=CELL)
    chosen = explained_landmarks[explained_landmarks["shapley"]]
    tables = [
        _explain_fold(inputs, rows, chosen[chosen["fold"] == fold], outcome, explanation)
        for fold, rows in parts.groupby("fold", sort=True)
        if (chosen["fold"] == fold).any()
    ]
    return Attributions.validate(pd.concat(tables, ignore_index=True)) if tables else no_trees()


def describe_windows(
    frame_features: pd.DataFrame, landmarks: pd.DataFrame, explanation: ExplanationSettings
) -> pd.DataFrame:
    """Average every feature over every window of what is shown at every landmark.

    Returns
    -------
    pandas.DataFrame
        Indexed by landmark_id; columns (feature, windows_back). NaN where a landmark has no such window.
    """
    names = feature_columns(frame_features)
    bounds = landmarks[["landmark_id", *CELL, "shown_from", "last_frame", "frame_interval_min"]]
    rows = frame_features[[*FRAME, *names]].merge(bounds, on=CELL)
    rows = rows[rows["frame"].between(rows["shown_from"], rows["last_frame"])]
    sizes = {minutes: frames_in(explanation.window_h, minutes) for minutes in rows["frame_interval_min"].unique()}
    back = (rows["last_frame"] - rows["frame"]) // rows["frame_interval_min"].map(sizes)
    rows = rows.assign(windows_back=np.minimum(back, explanation.n_windows - 1).astype(int))
    means = rows.groupby(["landmark_id", "windows_back"])[names].mean()
    wide = pd.concat({back: part.droplevel(1) for back, part in means.groupby(level=1)}, axis=1)
    named = wide.swaplevel(axis=1).sort_index(axis=1).rename_axis(columns=["feature", "windows_back"])
    return named.reindex(landmarks["landmark_id"])


def channel_of(feature: str) -> str:
    """Channel that a feature speaks of: that of an intensity, `neighbors`, `shape`, or `tracker`."""
    if feature.startswith(SPOT_PREFIX):
        return TRACKER
    if feature.startswith("intensity_"):
        return feature.removeprefix("intensity_")
    return NEIGHBORS if feature == "n_neighbors" else SHAPE


def _explain_fold(
    inputs: pd.DataFrame, parts: pd.DataFrame, explained: pd.DataFrame, outcome: str, explanation: ExplanationSettings
) -> pd.DataFrame:
    """Fit on the training part of a fold, and explain its landmarks."""
    import lightgbm

    train, test = (parts[parts["part"] == part] for part in ("train", "test"))
    labels = (train["outcome"] == outcome).to_numpy(dtype=int)
    data = lightgbm.Dataset(inputs.loc[train["landmark_id"]].to_numpy(), labels)
    booster = lightgbm.train({**_BOOSTING, "seed": explanation.seed, "num_threads": 1}, data, _ROUNDS)
    scores = booster.predict(inputs.loc[test["landmark_id"]].to_numpy(), raw_score=True)
    auroc = separation(np.asarray(scores, dtype=np.float64), (test["outcome"] == outcome).to_numpy(dtype=bool))
    explained_inputs = inputs.loc[explained["landmark_id"]]
    values_nf = _contributions(booster, explained_inputs.to_numpy())
    table = pd.DataFrame(values_nf, index=explained_inputs.index, columns=explained_inputs.columns)
    values = _lengthen(table.where(_has_window(explained_inputs)))
    return _describe(values, explained, explanation).assign(boosting_auroc=auroc)


def _has_window(inputs: pd.DataFrame) -> pd.DataFrame:
    """Tell for every input whether its landmark has the window at all."""
    there = inputs.notna().T.groupby(level="windows_back").transform("any").T
    return there.astype(bool)


def _lengthen(table: pd.DataFrame) -> pd.DataFrame:
    """One row a landmark, feature and window that is there: landmark_id, feature, windows_back, value."""
    named = table.rename_axis(index="landmark_id", columns=["feature", "windows_back"])
    return named.melt(ignore_index=False, value_name="value").reset_index().dropna(subset=["value"])


def _describe(values: pd.DataFrame, explained: pd.DataFrame, explanation: ExplanationSettings) -> pd.DataFrame:
    """Add what table `Attributions` wants: the frames of each window, its channel, method and unit."""
    facts = explained[["landmark_id", "shown_from", "last_frame", "frame_interval_min"]]
    rows = values.merge(facts, on="landmark_id", validate="many_to_one")
    size = rows["frame_interval_min"].map(lambda minutes: frames_in(explanation.window_h, minutes))
    earliest = rows["windows_back"] == rows.groupby("landmark_id")["windows_back"].transform("max")
    ends = rows["last_frame"] - rows["windows_back"] * size
    return pd.DataFrame(
        {
            "landmark_id": rows["landmark_id"],
            "method": TREE_SHAPLEY,
            "window_first_frame": (ends - size + 1).where(~earliest, rows["shown_from"]).astype(int),
            "window_last_frame": ends.astype(int),
            "channel": rows["feature"].map(channel_of),
            "value": rows["value"],
            "unit": LOGIT,
            "windows_back": rows["windows_back"].astype(int),
            "feature": rows["feature"],
        }
    )


def _contributions(booster: "Booster", inputs_nf: NDArray[np.float64]) -> NDArray[np.float64]:
    """Shapley values of the trees, (n, f), checked to add up."""
    found = np.asarray(booster.predict(inputs_nf, pred_contrib=True), dtype=np.float64)
    raw = np.asarray(booster.predict(inputs_nf, raw_score=True), dtype=np.float64)
    gap = np.abs(found.sum(axis=1) - raw).max(initial=0.0)
    if not gap <= _TOLERANCE * max(1.0, np.abs(raw).max(initial=0.0)):
        raise ArithmeticError(
            f"Shapley values of the trees miss the boosting's log odds by {gap:.1e} logits; do not use them."
        )
    values: NDArray[np.float64] = found[:, :-1]
    return values
