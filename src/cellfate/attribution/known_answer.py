"""Known answer: whether an attribution finds the channel and the hours that were planted."""

from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cellfate.attribution.gathering import towards_forecast
from cellfate.attribution.methods import COMPARED, TREE_SHAPLEY

NOTHING_PLANTED: Final = "no hours and no channel decide"
NO_CHANNELS: Final = "the method does not tell channels apart"
NOT_A_CHANNEL: Final = "what decides is not a channel of the image"

FloatArray = NDArray[np.float64]


def score_planted(attributions: pd.DataFrame, explained_samples: pd.DataFrame, truth: pd.DataFrame) -> pd.DataFrame:
    """Score every method for finding what was planted, in cells whose forecast is right.

    Parameters
    ----------
    attributions, explained_samples
        Tables of `gathering.gather_attributions` and `selection.select_explained_samples`.
    truth
        Table `Truth`.

    Returns
    -------
    pandas.DataFrame
        sample_id, group_id, method, score, value, reason. `window_auroc`: area under the receiver operating
        characteristic of the windows' values over frames, planted frames against the others; `window_precision`: share
        of planted frames among as many frames of highest value, ties shared; `channel_hit`: 1 where the part with the
        highest value is of the planted channel (the pointing game of Zhang et al. 2018). Where a value is NaN, `reason`
        says why.
    """
    facts = ["sample_id", "outcome", "recording_id", "cell_id", "first_frame", "last_frame"]
    planted = ["recording_id", "cell_id", "deciding_channel", "window_first_frame", "window_last_frame"]
    hours = truth[planted].rename(
        columns={"window_first_frame": "planted_first_frame", "window_last_frame": "planted_last_frame"}
    )
    samples = explained_samples[facts].merge(hours, on=["recording_id", "cell_id"], validate="many_to_one")
    values = attributions.assign(value=towards_forecast(attributions)).merge(samples, on="sample_id")
    right = (values["towards"] > 0) == (values["outcome"] == values["explained_outcome"])
    rows = [
        row
        for (sample_id, method), part in values[right].groupby(["sample_id", "method"], sort=False)
        for row in _score_sample(str(sample_id), str(method), part)
    ]
    return pd.DataFrame(rows, columns=["sample_id", "group_id", "method", "score", "value", "reason"])


def _score_sample(sample_id: str, method: str, rows: pd.DataFrame) -> list[dict[str, object]]:
    """All scores of one sample and method."""
    first = rows.iloc[0]
    if pd.isna(first["deciding_channel"]):
        scores: dict[str, tuple[float, str | None]] = dict.fromkeys(
            ("window_auroc", "window_precision", "channel_hit"), (np.nan, NOTHING_PLANTED)
        )
    else:
        score_t, planted_t = _spread_over_frames(rows.groupby("window_first_frame")["value"].sum(), first)
        reason = None if 0 < planted_t.sum() < len(planted_t) else "the planted hours are all of the sample, or none"
        scores = {
            "window_auroc": (frame_auroc(score_t, planted_t), reason),
            "window_precision": (top_precision(score_t, planted_t), reason),
            "channel_hit": _hit(method, rows, str(first["deciding_channel"])),
        }
    facts = {"sample_id": sample_id, "group_id": first["group_id"], "method": method}
    return [{**facts, "score": name, "value": value, "reason": why} for name, (value, why) in scores.items()]


def _spread_over_frames(windows: pd.Series, facts: pd.Series) -> tuple[FloatArray, NDArray[np.bool_]]:
    """Give every frame the value of its window, named by its first frame, and tell whether the frame was planted."""
    frames = np.arange(facts["first_frame"], facts["last_frame"] + 1)
    ordered = windows.sort_index()
    at = np.searchsorted(ordered.index.to_numpy(), frames, side="right") - 1
    planted = (frames >= facts["planted_first_frame"]) & (frames <= facts["planted_last_frame"])
    return ordered.to_numpy(dtype=np.float64)[np.maximum(at, 0)], planted.astype(bool)


def frame_auroc(score_t: FloatArray, planted_t: NDArray[np.bool_]) -> float:
    """Area under the receiver operating characteristic of planted frames against the others; NaN without either.

    Examples
    --------
    >>> frame_auroc(np.array([0.0, 2.0, 1.0]), np.array([False, True, False]))
    1.0
    """
    from scipy.stats import rankdata

    n_in, n_out = int(planted_t.sum()), int((~planted_t).sum())
    if min(n_in, n_out) == 0:
        return float("nan")
    return float((rankdata(score_t)[planted_t].sum() - n_in * (n_in + 1) / 2) / (n_in * n_out))


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
