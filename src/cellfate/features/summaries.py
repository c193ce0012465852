"""What predictors that take one row a landmark see of it: its last hours in measurements, its age."""

from collections.abc import Iterator
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cellfate.core.errors import InputError
from cellfate.core.spot_features import list_spot_columns
from cellfate.core.tables import CELL, FRAME
from cellfate.features.context import AGE_ALONE, Context, describe_context
from cellfate.features.morphology import SHAPE_FEATURES

FloatArray = NDArray[np.float64]

SUMMARIES: Final = ("mean", "last", "sd", "slope_per_h")

NOT_COMPARED: Final = frozenset(
    {"recording_id", "cell_id", "frame", "segmented", "equivalent_diameter", "mask_overlap", "consistent"}
)
"""Keys, the equivalent diameter (its ranks are those of the area, so it is no second feature), and what is said of the
mask and not of the cell."""


def choose_features(frame_features: pd.DataFrame, chosen: tuple[str, ...] | None, parameter: str) -> tuple[str, ...]:
    """Names of the features to compare: those a person chose, else all that tell cells or frames apart.

    Parameters
    ----------
    frame_features
        Table `FrameFeatures`.
    chosen
        Columns of it; None: all but `NOT_COMPARED`, in the table's order.
    parameter
        The parameter that they were chosen by, for the error.

    Raises
    ------
    InputError
        When a feature was not measured.
    """
    if chosen is None:
        return tuple(str(name) for name in frame_features.columns if name not in NOT_COMPARED)
    missing = [name for name in chosen if name not in frame_features.columns]
    if missing:
        raise InputError(
            f"Parameter {parameter} names {missing[0]!r}, but the table of frame features has "
            f"{', '.join(frame_features.columns)}; name some of these, or null for all."
        )
    return chosen


def feature_columns(frame_features: pd.DataFrame) -> list[str]:
    """Names of the features that predictors are given: those of the crops, then those of the tracker."""
    return [*crop_feature_columns(frame_features), *list_spot_columns(frame_features.columns)]


def crop_feature_columns(frame_features: pd.DataFrame) -> list[str]:
    """Names of what was measured on crops for predictors: shapes, neighbours and intensities, in the table's order.

    Texture, rates of change and what is said of masks are not among them: boosted references and the fate clock were
    tuned and published on these columns, so a further measurement must not change their inputs.
    """
    names = [str(name) for name in frame_features.columns]
    return [name for name in names if name in (*SHAPE_FEATURES, "n_neighbors") or name.startswith("intensity_")]


def summarise_history(frame_features: pd.DataFrame, landmarks: pd.DataFrame, history_h: float) -> pd.DataFrame:
    """Summarise the last hours before landmarks, of recordings of any frame interval.

    Parameters
    ----------
    frame_features
        Table `FrameFeatures`.
    landmarks
        Table `Landmarks`.
    history_h
        Hours before the landmark, in whole frames, at least one; a younger cell is summarised whole.

    Returns
    -------
    pandas.DataFrame of float64
        One row a landmark, in the order and with the index of `landmarks`: for each feature `<feature>_mean`,
        `<feature>_last` (the last frame measured), `<feature>_sd` and `<feature>_slope_per_h` (least squares); NaN
        where nothing was measured.
    """
    names = feature_columns(frame_features)
    ordered = frame_features.sort_values(FRAME, kind="stable")
    by_cell = ordered.groupby(CELL, sort=False).indices
    frames = ordered["frame"].to_numpy(dtype=np.int64)
    values = ordered[names].to_numpy(dtype=np.float64)
    rows = np.full((len(landmarks), len(SUMMARIES), len(names)), np.nan)
    for i, (key, last, first, hours_a_frame) in enumerate(_history_bounds(landmarks, history_h)):
        of_cell = np.asarray(by_cell.get(key, ()), dtype=np.int64)
        low, high = np.searchsorted(frames[of_cell], [first, last + 1])
        chosen = of_cell[low:high]
        rows[i] = summarise_series(values[chosen], frames[chosen] * hours_a_frame)
    columns = [f"{name}_{summary}" for summary in SUMMARIES for name in names]
    return pd.DataFrame(rows.reshape(len(landmarks), len(columns)), columns=columns, index=landmarks.index)


def describe_landmarks(
    frame_features: pd.DataFrame, landmarks: pd.DataFrame, history_h: float, context: Context = AGE_ALONE
) -> pd.DataFrame:
    """Build the inputs of boosted hazards; nothing after a landmark is looked at.

    Parameters
    ----------
    frame_features
        Table `FrameFeatures`.
    landmarks
        Table `Landmarks`, or one with its columns `recording_id`, `cell_id`, `first_frame` (of the cell), `last_frame`
        (the landmark) and `frame_interval_min`, and those that the context needs.
    history_h
        Hours before the landmark that the features are summarised over, whatever the frame interval.
    context
        What is told beside measurements.

    Returns
    -------
    pandas.DataFrame of float64
        One row a landmark, in the order and with the index of `landmarks`: the columns of `summarise_history`, then
        those of `describe_context`.
    """
    told = describe_context(landmarks, frame_features, context)
    return pd.concat([summarise_history(frame_features, landmarks, history_h), told], axis=1)


def _history_bounds(landmarks: pd.DataFrame, history_h: float) -> Iterator[tuple[tuple[str, int], int, int, float]]:
    """Yield (recording, cell), last frame, first frame summarised and hours a frame of every landmark."""
    last = landmarks["last_frame"].to_numpy(dtype=np.int64)
    interval_min = landmarks["frame_interval_min"].to_numpy(dtype=np.float64)
    n_frames = np.maximum(1, np.rint(history_h * 60 / interval_min)).astype(np.int64)
    first = np.maximum(landmarks["first_frame"].to_numpy(dtype=np.int64), last - n_frames + 1)
    keys = zip(landmarks["recording_id"], landmarks["cell_id"], strict=True)
    yield from zip(keys, last.tolist(), first.tolist(), (interval_min / 60).tolist(), strict=True)


def summarise_series(values_tf: FloatArray, hours_t: FloatArray) -> FloatArray:
    """Mean, last value, standard deviation and slope per hour of each column, leaving out NaN, (4, F)."""
    known = ~np.isnan(values_tf)
    n = known.sum(axis=0)
    filled = np.where(known, values_tf, 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = filled.sum(axis=0) / n
        hours_mean = (known * hours_t[:, None]).sum(axis=0) / n
        hours_off = np.where(known, hours_t[:, None] - hours_mean, 0.0)
        off = np.where(known, values_tf - mean, 0.0)
        sd = np.sqrt((off**2).sum(axis=0) / n)
        slope = (hours_off * off).sum(axis=0) / (hours_off**2).sum(axis=0)
    return np.stack([mean, _last_known(filled, known), sd, np.where(n > 1, slope, np.nan)])


def _last_known(filled_tf: FloatArray, known_tf: NDArray[np.bool_]) -> FloatArray:
    """Take the last value of each column that is not NaN, or NaN."""
    n_frames, n_features = filled_tf.shape
    if n_frames == 0:
        return np.full(n_features, np.nan)
    last = n_frames - 1 - known_tf[::-1].argmax(axis=0)
    return np.where(known_tf.any(axis=0), filled_tf[last, np.arange(n_features)], np.nan)
