"""Known answer: whether an attribution finds the channel and the hours that were planted."""

from collections.abc import Mapping
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
NO_HOURS: Final = "what decides is there at all hours"
NO_CHANNELS: Final = "the method does not tell channels apart"
NOT_A_CHANNEL: Final = "what decides is not a channel of the image"
ONE_CHANNEL: Final = "the model sees one channel only"
NO_FEATURE: Final = "no feature speaks of it"
AREA: Final = "area"
SAID_BY: Final = {AREA: {"mask", "area", "perimeter"}, "shape": {"mask", "shape"}}
"""What names a cause that is no reporter: the outline that a network sees as channel `mask`, and measurements."""

SCORES: Final = ("window_auroc", "window_precision", "channel_hit")

FloatArray = NDArray[np.float64]


def score_planted(
    attributions: pd.DataFrame,
    explained_landmarks: pd.DataFrame,
    truth: pd.DataFrame,
    tree_shapley: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Score every method for finding what was planted, in cells whose forecast is right.

    Parameters
    ----------
    attributions, explained_landmarks
        Tables of `gathering.gather_attributions` and `explained_landmarks.choose_explained_landmarks`.
    truth
        Table `Truth`.
    tree_shapley
        Table `Attributions` of TreeSHAP with a column `feature`, which it has to name where area decides; without it
        the channel.

    Returns
    -------
    pandas.DataFrame
        Table `AttributionCells`. `window_auroc`: area under the receiver operating characteristic of the windows'
        values over frames, planted frames against the others; `window_precision`: share of planted frames among as many
        frames of highest value, ties shared; `channel_hit`: 1 where the part with the highest value is of the planted
        channel (the pointing game of Zhang et al. 2018), or names it as `SAID_BY` lists. Where a value is NaN, `reason`
        says why.
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
    measured = pd.DataFrame({"landmark_id": []}) if tree_shapley is None else tree_shapley
    trees = {str(landmark_id): part for landmark_id, part in measured.groupby("landmark_id")}
    rows = [
        row
        for (landmark_id, method), part in values[right].groupby(["landmark_id", "method"], sort=False)
        for row in _score_landmark(str(landmark_id), str(method), part, trees)
    ]
    return AttributionCells.validate(
        pd.DataFrame(rows, columns=["landmark_id", "group_id", "method", "score", "value", "reason"])
    )


def _score_landmark(
    landmark_id: str, method: str, rows: pd.DataFrame, trees: Mapping[str, pd.DataFrame]
) -> list[dict[str, object]]:
    """All scores of one landmark and method."""
    first = rows.iloc[0]
    if pd.isna(first["deciding_channel"]):
        scores: dict[str, tuple[float, str | None]] = dict.fromkeys(SCORES, (np.nan, NOTHING_PLANTED))
    else:
        hit = _hit(method, _name_parts(method, rows, trees.get(landmark_id)), str(first["deciding_channel"]))
        scores = {**_score_hours(rows), "channel_hit": hit}
    facts = {"landmark_id": landmark_id, "group_id": first["group_id"], "method": method}
    return [{**facts, "score": name, "value": value, "reason": why} for name, (value, why) in scores.items()]


def _score_hours(rows: pd.DataFrame) -> dict[str, tuple[float, str | None]]:
    """Scores of the hours at one landmark, and why there are none."""
    first = rows.iloc[0]
    if pd.isna(first["planted_first_frame"]):
        return dict.fromkeys(SCORES[:2], (np.nan, NO_HOURS))
    score_t, planted_t = _spread_over_frames(rows.groupby("window_first_frame")["value"].sum(), first)
    reason = None if 0 < planted_t.sum() < len(planted_t) else EVERYTHING_PLANTED
    return {
        "window_auroc": (separation(score_t, planted_t), reason),
        "window_precision": (top_precision(score_t, planted_t), reason),
    }


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


def _name_parts(method: str, rows: pd.DataFrame, trees: pd.DataFrame | None) -> pd.DataFrame:
    """Parts with value and channel; where TreeSHAP has to name a measurement, by feature in place of the channel."""
    first = rows.iloc[0]
    if method != TREE_SHAPLEY or first["deciding_channel"] != AREA or trees is None:
        return rows[["channel", "value"]]
    return pd.DataFrame({"channel": trees["feature"], "value": trees["value"] * first["towards"]})


def _hit(method: str, parts: pd.DataFrame, decides: str) -> tuple[float, str | None]:
    """Whether the part of the highest value names what decides, and why that cannot be said."""
    if not COMPARED[method].by_channel:
        return np.nan, NO_CHANNELS
    named, sought = set(parts["channel"]), SAID_BY.get(decides, {decides})
    if not named & sought:
        return np.nan, NO_FEATURE if method == TREE_SHAPLEY else NOT_A_CHANNEL
    if len(named) == 1:
        return np.nan, ONE_CHANNEL
    return float(parts["channel"].to_numpy()[parts["value"].to_numpy().argmax()] in sought), None
