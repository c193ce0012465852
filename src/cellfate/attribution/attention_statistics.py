"""Frames of much attention against the rest, within each cell.

Frames are autocorrelated, so the permutation p values here are too small as a rule; `attention_summary` holds the valid
test between cells. Shape suffixes: t frames of a cell, f features.
"""

import zlib
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from tqdm import tqdm

from cellfate.attribution.settings import AttentionStatisticsSettings
from cellfate.core.fates import NONE
from cellfate.core.tables import CELL, FRAME, AttentionStatistics
from cellfate.features.summaries import choose_features
from cellfate.statistics.effect_sizes import cliffs_delta, cohens_d
from cellfate.statistics.permutation_tests import correct_p_values, draw_subsets, permutation_p_value

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
IntArray = NDArray[np.int64]

FACTS = ["landmark_id", "outcome", "dose", "group_id"]
VALUES = ("cliffs_delta", "cohens_d", "p_value", "p_corrected")
TOO_SHORT = "fewer frames than min_frames"
EQUAL_ATTENTION = "all attention is equal"
NO_VALUES = "no value in any frame"
ONE_SIDED = "fewer than two frames on a side"
CONSTANT = "the feature is constant"


@dataclass(frozen=True, eq=False)
class AttentionCase:
    """One explained cell: which of its frames got most attention, and its features there.

    Attributes
    ----------
    landmark_id, outcome, dose, group_id
        As in the table of explained landmarks.
    frames_back_t
        Frames before the event where the outcome is one, else before the landmark: one of outcome `none` may belong
        to a cell whose event comes after the horizon, and all cells of an outcome are aligned alike.
    attention_t
        Attention of the frames.
    top_t
        Frames at or above the 90th percentile of attention.
    values_tf
        Features; NaN where not measured.
    """

    landmark_id: str
    outcome: str
    dose: str
    group_id: str
    frames_back_t: IntArray
    attention_t: FloatArray
    top_t: BoolArray
    values_tf: FloatArray


def top_attention(attention_t: FloatArray) -> BoolArray:
    """Mark the frames at or above the 90th percentile of attention: floor((L - 1) / 10) + 1 of L, and ties.

    The percentile is taken by rank and not interpolated, so that rounding never drops a frame.

    Examples
    --------
    >>> int(top_attention(np.arange(21.0)).sum())
    3
    """
    n_top = (len(attention_t) - 1) // 10 + 1
    marked: BoolArray = attention_t >= np.sort(attention_t)[-n_top]
    return marked


def compared_features(frame_features: pd.DataFrame, settings: AttentionStatisticsSettings) -> tuple[str, ...]:
    """Names of the features to compare; see `features.summaries.choose_features`."""
    return choose_features(frame_features, settings.features, "attention_statistics.features")


def gather_cases(
    attention: pd.DataFrame, frame_features: pd.DataFrame, explained_landmarks: pd.DataFrame, features: tuple[str, ...]
) -> list[AttentionCase]:
    """Put attention and features of every explained cell together, frame by frame.

    Parameters
    ----------
    attention, frame_features
        Tables `Attention` and `FrameFeatures`.
    explained_landmarks
        Table of `explained_landmarks.choose_explained_landmarks` or `explained_landmarks.choose_training_landmarks`.
    features
        Columns of `frame_features`.
    """
    facts = explained_landmarks[["landmark_id", *CELL, "outcome", "dose", "group_id", "event_frame", "last_frame"]]
    rows = attention.merge(facts, on="landmark_id", validate="many_to_one")
    rows = rows.merge(frame_features[[*FRAME, *features]], on=FRAME, how="left", validate="many_to_one")
    at_event = rows["event_frame"].notna() & (rows["outcome"] != NONE)
    ends = rows["event_frame"].astype("Float64").where(at_event, rows["last_frame"]).to_numpy(dtype=np.float64)
    rows["frames_back"] = (ends - rows["frame"].to_numpy()).astype(np.int64)
    by_landmark = rows.sort_values(["landmark_id", "frame"]).groupby("landmark_id", sort=True)
    return [_case(part, features) for _, part in by_landmark]


def _case(rows: pd.DataFrame, features: tuple[str, ...]) -> AttentionCase:
    """Make the case of one cell from its rows, one a frame."""
    weights = rows["attention"].to_numpy(dtype=np.float64)
    landmark_id, outcome, dose, group_id = rows[FACTS].iloc[0].astype(str)
    return AttentionCase(
        *(landmark_id, outcome, dose, group_id),
        frames_back_t=rows["frames_back"].to_numpy(dtype=np.int64),
        attention_t=weights,
        top_t=top_attention(weights),
        values_tf=rows[list(features)].to_numpy(dtype=np.float64),
    )


def reason_against(case: AttentionCase, min_frames: int) -> str | None:
    """Say why a cell cannot be compared at all, or None."""
    if len(case.attention_t) < min_frames:
        return TOO_SHORT
    if np.ptp(case.attention_t) == 0:
        return EQUAL_ATTENTION
    return None


def compare_top_attention_frames(
    attention: pd.DataFrame,
    frame_features: pd.DataFrame,
    explained_landmarks: pd.DataFrame,
    settings: AttentionStatisticsSettings,
) -> pd.DataFrame:
    """Compare the frames of top attention with the rest, feature by feature, within every explained cell.

    Parameters
    ----------
    attention, frame_features, explained_landmarks
        As in `gather_cases`.
    settings
        Features, resamples, seed.

    Returns
    -------
    pandas.DataFrame
        Table `AttentionStatistics` and `group_id`: Cliff's delta, Cohen's d and the two-sided permutation p of the
        difference of means; p is corrected by Benjamini and Hochberg over the whole table, all cells and features.
        Where a value is NaN, `reason` says why.
    """
    features = compared_features(frame_features, settings)
    cases = gather_cases(attention, frame_features, explained_landmarks, features)
    rows = [
        row
        for case in tqdm(cases, desc="Comparing frames of top attention", disable=None)
        for row in _compare_case(case, features, settings)
    ]
    columns = [*AttentionStatistics.to_schema().columns, "group_id"]
    table = pd.DataFrame(rows, columns=columns).astype(dict.fromkeys(VALUES, np.float64))
    return AttentionStatistics.validate(table.assign(p_corrected=correct_p_values(table["p_value"].to_numpy())))


def _compare_case(
    case: AttentionCase, features: tuple[str, ...], settings: AttentionStatisticsSettings
) -> Iterator[dict[str, object]]:
    """Compare all features of one cell; features measured in the same frames share their permutations."""
    against = reason_against(case, settings.min_frames)
    generator = np.random.default_rng([settings.seed, zlib.crc32(case.landmark_id.encode())])
    drawn_for: dict[bytes, IntArray] = {}
    facts = {name: getattr(case, name) for name in FACTS}
    for feature, values_t in zip(features, case.values_tf.T, strict=True):
        known = ~np.isnan(values_t)
        kept, top = values_t[known], case.top_t[known]
        reason = against or _reason_against_feature(kept, top)
        values: dict[str, float] = {}
        if reason is None:
            if known.tobytes() not in drawn_for:
                drawn_for[known.tobytes()] = draw_subsets(len(kept), int(top.sum()), settings.n_resamples, generator)
            values["cliffs_delta"] = float(cliffs_delta(kept[:, None], top[None])[0, 0])
            values["cohens_d"] = cohens_d(kept[top], kept[~top])
            values["p_value"] = permutation_p_value(kept, top, drawn_for[known.tobytes()])
        numbers = {"n_top": int(top.sum()), "n_other": int((~top).sum())}
        yield {**facts, "feature": feature, **numbers, "reason": reason, **values}


def _reason_against_feature(values: FloatArray, top: BoolArray) -> str | None:
    """Say why a feature of a cell cannot be compared, or None."""
    if len(values) == 0:
        return NO_VALUES
    if min(top.sum(), (~top).sum()) < 2:
        return ONE_SIDED
    return CONSTANT if np.ptp(values) == 0 else None
