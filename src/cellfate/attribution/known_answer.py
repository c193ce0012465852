"""Known answer: whether an attribution finds the channel and the hours that were planted."""

from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cellfate.attribution.gathering import towards_forecast
from cellfate.attribution.methods import COMPARED, TREE_SHAPLEY
from cellfate.core.tables import CELL, AttributionCells
from cellfate.statistics.effect_sizes import separation

NOTHING_PLANTED: Final = "no hours and no channel decide"
EVERYTHING_PLANTED: Final = "the planted hours are all that is shown, or none of it"
NO_CHANNELS: Final = "the method does not tell channels apart"
NOT_A_CHANNEL: Final = "what decides is not a channel of the image"

FloatArray = NDArray[np.float64]


def score_planted(attributions: pd.DataFrame, explained_landmarks: pd.DataFrame, truth: pd.DataFrame) -> pd.DataFrame:
    """Score every method for finding what was planted, in cells whose forecast is right.

    Parameters
    ----------
    attributions, explained_landmarks
        Tables of `gathering.gather_attributions` and `explained_landmarks.choose_explained_landmarks`.
    truth
        Table `Truth`.

    Returns
    -------
    pandas.DataFrame
        Table `AttributionCells`. `window_auroc`: area under the receiver operating characteristic of the windows'
        values over frames, planted frames against the others; `window_precision`: share of planted frames among as many
        frames of highest value, ties shared; `channel_hit`: 1 where the part with the highest value is of the planted
        channel (the pointing game of Zhang et al. 2018). Where a value is NaN, `reason` says why.
    """
    facts = ["landmark_id", "outcome", *CELL, "shown_from", "last_frame"]
    planted = [*CELL, "deciding_channel", "window_first_frame", "window_last_frame"]
    hours = truth[planted].rename(
        columns={"window_first_frame": "planted_first_frame", "window_last_frame": "planted_last_frame"}
    )
    landmarks = explained_landmarks[facts].merge(hours, on=CELL, validate="many_to_one")
    values = attributions.assign(value=towards_forecast(attributions)).merge(landmarks, on="landmark_id")
    explained = values["explained_outcome"].astype(str).str.split(" ").str[0]  # "apoptosis within 5 h"
    right = (values["towards"] > 0) == (values["outcome"] == explained)
    rows = [
        row
        for (landmark_id, method), part in values[right].groupby(["landmark_id", "method"], sort=False)
        for row in _score_landmark(str(landmark_id), str(method), part)
    ]
    return AttributionCells.validate(
        pd.DataFrame(rows, columns=["landmark_id", "group_id", "method", "score", "value", "reason"])
    )


def _score_landmark(landmark_id: str, method: str, rows: pd.DataFrame) -> list[dict[str, object]]:
    """All scores of one landmark and method."""
    first = rows.iloc[0]
    if pd.isna(first["deciding_channel"]):
        scores: dict[str, tuple[float, str | None]] = dict.fromkeys(
            ("window_auroc", "window_precision", "channel_hit"), (np.nan, NOTHING_PLANTED)
        )
    else:
        score_t, planted_t = _spread_over_frames(rows.groupby("window_first_frame")["value"].sum(), first)
        reason = None if 0 < planted_t.sum() < len(planted_t) else EVERYTHING_PLANTED
        scores = {
            "window_auroc": (separation(score_t, planted_t), reason),
            "window_precision": (top_precision(score_t, planted_t), reason),
            "channel_hit": _hit(method, rows, str(first["deciding_channel"])),
        }
    facts = {"landmark_id": landmark_id, "group_id": first["group_id"], "method": method}
    return [{**facts, "score": name, "value": value, "reason": why} for name, (value, why) in scores.items()]


def _spread_over_frames(windows: pd.Series, facts: pd.Series) -> tuple[FloatArray, NDArray[np.bool_]]:
    """Give every frame the value of its window, named by its first frame, and tell whether the frame was planted."""
    frames = np.arange(facts["shown_from"], facts["last_frame"] + 1)
    ordered = windows.sort_index()
    at = np.searchsorted(ordered.index.to_numpy(), frames, side="right") - 1
    planted = (frames >= facts["planted_first_frame"]) & (frames <= facts["planted_last_frame"])
    return ordered.to_numpy(dtype=np.float64)[np.maximum(at, 0)], planted.astype(bool)


def top_precision(score_t: FloatArray, planted_t: NDArray[np.bool_]) -> float:
    """Share of planted frames among as many frames of highest score; frames that tie at the edge share their places.

    Examples
    --------
    >>> top_precision(np.array([1.0, 1.0, 0.0, 0.0]), np.array([True, False, False, False]))
    0.5
    """
    n_planted = int(planted_t.sum())
    if n_planted in (0, len(planted_t)):
        return float("nan")
    edge = np.sort(score_t)[-n_planted]
    above, at_edge = score_t > edge, score_t == edge
    left = n_planted - above.sum()
    return float((planted_t[above].sum() + left * planted_t[at_edge].mean()) / n_planted)


def _hit(method: str, rows: pd.DataFrame, deciding_channel: str) -> tuple[float, str | None]:
    """Whether the channel of the highest value is the planted one, and why that cannot be said."""
    if not COMPARED[method].by_channel:
        return np.nan, NO_CHANNELS
    if deciding_channel not in set(rows["channel"]):
        return np.nan, NOT_A_CHANNEL if method != TREE_SHAPLEY else "no feature speaks of it"
    highest = rows["channel"].to_numpy()[rows["value"].to_numpy().argmax()]
    return float(highest == deciding_channel), None
