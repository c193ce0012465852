"""TreeSHAP on gradient boosting over handcrafted features: an explanation that knows no pixel.

The boosting sees the mean of every feature in every time window of a sample, so that its values speak of the same hours
as those of the network. The values are exact Shapley values of the trees (Lundberg et al. 2020), as LightGBM computes
them.

Array suffixes: n samples, f inputs.
"""

from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cellfate.attribution.methods import LOGIT, TREE_SHAPLEY
from cellfate.attribution.settings import ExplanationSettings
from cellfate.attribution.windows import frames_in
from cellfate.core.fates import OUTCOMES
from cellfate.core.tables import Attributions
from cellfate.features.summaries import feature_columns

if TYPE_CHECKING:
    from lightgbm import Booster

SHAPE: Final = "shape"
NEIGHBORS: Final = "neighbors"
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


def attribute_trees(
    frame_features: pd.DataFrame,
    samples: pd.DataFrame,
    splits: pd.DataFrame,
    explained_samples: pd.DataFrame,
    explanation: ExplanationSettings,
) -> pd.DataFrame:
    """Fit a boosting on each fold's training part, and explain the samples marked `shapley` that it did not see.

    Parameters
    ----------
    frame_features, samples, splits
        Tables `FrameFeatures`, `Samples` and `Splits`.
    explained_samples
        Table of `selection.select_explained_samples`.
    explanation
        Windows and explained outcome.

    Returns
    -------
    pandas.DataFrame
        Table `Attributions`, one row a sample, window and feature, in logits; `feature`; channel: that of an intensity,
        `neighbors`, or `shape`; `boosting_auroc`: how well the boosting tells the outcomes of its fold's test part.

    Raises
    ------
    ArithmeticError
        When a sample's values do not add up to the boosting's log odds.
    """
    known = samples[samples["outcome"].notna()]
    inputs = describe_windows(frame_features, known, explanation)
    outcome = explanation.outcome or first_outcome(known)
    parts = splits.merge(known[["sample_id", "outcome"]], on="sample_id", validate="many_to_one")
    chosen = explained_samples[explained_samples["shapley"]]
    tables = [
        _explain_fold(inputs, rows, chosen[chosen["fold"] == fold], outcome, explanation)
        for fold, rows in parts.groupby("fold", sort=True)
        if (chosen["fold"] == fold).any()
    ]
    return Attributions.validate(pd.concat([Attributions.empty(), *tables], ignore_index=True))


def describe_windows(
    frame_features: pd.DataFrame, samples: pd.DataFrame, explanation: ExplanationSettings
) -> pd.DataFrame:
    """Average every feature over every window of every sample.

    Returns
    -------
    pandas.DataFrame
        Indexed by sample_id; columns (feature, windows_back). NaN where a sample has no such window.
    """
    names = feature_columns(frame_features)
    keys = ["recording_id", "cell_id"]
    bounds = samples[["sample_id", *keys, "first_frame", "last_frame", "frame_interval_min"]]
    rows = frame_features[[*keys, "frame", *names]].merge(bounds, on=keys)
    rows = rows[rows["frame"].between(rows["first_frame"], rows["last_frame"])]
    sizes = {minutes: frames_in(explanation.window_h, minutes) for minutes in rows["frame_interval_min"].unique()}
    back = (rows["last_frame"] - rows["frame"]) // rows["frame_interval_min"].map(sizes)
    rows = rows.assign(windows_back=np.minimum(back, explanation.n_windows - 1).astype(int))
    means = rows.groupby(["sample_id", "windows_back"])[names].mean()
    wide = pd.concat({back: part.droplevel(1) for back, part in means.groupby(level=1)}, axis=1)
    named = wide.swaplevel(axis=1).sort_index(axis=1).rename_axis(columns=["feature", "windows_back"])
    return named.reindex(samples["sample_id"])


def first_outcome(samples: pd.DataFrame) -> str:
    """First of the outcomes, in their usual order, that samples have: what a model explains unless told otherwise."""
    return next(outcome for outcome in OUTCOMES if (samples["outcome"] == outcome).any())


def channel_of(feature: str) -> str:
    """Channel that a feature speaks of: that of an intensity, `neighbors`, or `shape`."""
    if feature.startswith("intensity_"):
        return feature.removeprefix("intensity_")
    return NEIGHBORS if feature == "n_neighbors" else SHAPE


def _explain_fold(
    inputs: pd.DataFrame, parts: pd.DataFrame, explained: pd.DataFrame, outcome: str, explanation: ExplanationSettings
) -> pd.DataFrame:
    """Fit on the training part of a fold, and explain its samples."""
    import lightgbm
    from sklearn.metrics import roc_auc_score

    train, test = (parts[parts["part"] == part] for part in ("train", "test"))
    labels = (train["outcome"] == outcome).to_numpy(dtype=int)
    data = lightgbm.Dataset(inputs.loc[train["sample_id"]].to_numpy(), labels)
    booster = lightgbm.train({**_BOOSTING, "seed": explanation.seed, "num_threads": 1}, data, _ROUNDS)
    truth = (test["outcome"] == outcome).to_numpy()
    scores = booster.predict(inputs.loc[test["sample_id"]].to_numpy(), raw_score=True)
    auroc = roc_auc_score(truth, scores) if 0 < truth.sum() < len(truth) else np.nan
    of_samples = inputs.loc[explained["sample_id"]]
    values_nf = _contributions(booster, of_samples.to_numpy())
    table = pd.DataFrame(values_nf, index=of_samples.index, columns=of_samples.columns).where(_has_window(of_samples))
    return _describe(_lengthen(table), explained, explanation).assign(boosting_auroc=auroc)


def _has_window(inputs: pd.DataFrame) -> pd.DataFrame:
    """Tell for every input whether its sample has the window at all."""
    there = inputs.notna().T.groupby(level="windows_back").transform("any").T
    return there.astype(bool)


def _lengthen(table: pd.DataFrame) -> pd.DataFrame:
    """One row a sample, feature and window that is there: sample_id, feature, windows_back, value."""
    named = table.rename_axis(index="sample_id", columns=["feature", "windows_back"])
    return named.melt(ignore_index=False, value_name="value").reset_index().dropna(subset=["value"])


def _describe(values: pd.DataFrame, explained: pd.DataFrame, explanation: ExplanationSettings) -> pd.DataFrame:
    """Add what table `Attributions` wants: the frames of each window, its channel, method and unit."""
    facts = explained[["sample_id", "first_frame", "last_frame", "frame_interval_min"]]
    rows = values.merge(facts, on="sample_id", validate="many_to_one")
    size = rows["frame_interval_min"].map(lambda minutes: frames_in(explanation.window_h, minutes))
    earliest = rows["windows_back"] == rows.groupby("sample_id")["windows_back"].transform("max")
    ends = rows["last_frame"] - rows["windows_back"] * size
    return pd.DataFrame(
        {
            "sample_id": rows["sample_id"],
            "method": TREE_SHAPLEY,
            "window_first_frame": (ends - size + 1).where(~earliest, rows["first_frame"]).astype(int),
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
        message = f"Shapley values of the trees miss the boosting's log odds by {gap:.1e} logits; do not use them."
        raise ArithmeticError(message)
    values: NDArray[np.float64] = found[:, :-1]
    return values
