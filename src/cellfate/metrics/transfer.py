"""Whether forecasts hold for recordings or conditions that did not train: a verdict from intervals, or none.

Only of what happens within hours: which fate comes is taught on fates of equal weight, so that its forecasts of a rare
fate are too high by design.
"""

from collections.abc import Iterator
from typing import Final

import numpy as np
import pandas as pd

from cellfate.cohort.settings import FollowUpSettings
from cellfate.core.tables import EVERYTHING, WITHIN_DOSES, Transfer
from cellfate.core.words import FEW_GROUPS, TRANSFER_LIMITS, list_words, name_metric
from cellfate.metrics.forecasts import read_forecasts
from cellfate.metrics.scoring import score_transfer, tidy_scores
from cellfate.metrics.settings import ScoreSettings
from cellfate.statistics.bootstrap import draw_groups

TRANSFERS: Final = "transfers"
DOES_NOT: Final = "does not"
CANNOT_BE_TOLD: Final = "cannot be told"
SAME_GROUPS: Final = "test cells share groups with cells that trained"
_ROW: Final = ["predictor", "within_h", "outcome", "kind", "condition"]


def judge_transfer(
    metrics: pd.DataFrame,
    forecasts: pd.DataFrame,
    landmarks: pd.DataFrame,
    leakage: pd.DataFrame,
    follow_up: FollowUpSettings,
    scores: ScoreSettings,
) -> pd.DataFrame:
    """Judge, for all test cells, each dose and each recording, whether forecasts can be taken at their word.

    Parameters
    ----------
    metrics
        Table `Metrics` of the same forecasts: slopes and ratios over all test cells and by dose.
    forecasts, landmarks, follow_up, scores
        As of `scoring.score_forecasts`; read where groups are parts of recordings, for each recording by itself.
    leakage
        Table `Leakage`: where test cells share groups with training, nothing is said of transfer.

    Returns
    -------
    DataFrame
        Table `Transfer`. `transfers`: the whole intervals of observed over expected and of the calibration slope lie
        within `words.TRANSFER_LIMITS`. `does not`: one of them lies wholly outside. Else, or where fewer than
        `words.FEW_GROUPS` groups hold the event or the rest, it cannot be told.
    """
    scored = metrics[metrics["condition"] != WITHIN_DOSES]
    scored = scored.assign(kind=np.where(scored["condition"] == EVERYTHING, EVERYTHING, "dose"))
    tables = [scored, pd.DataFrame(list(_score_recordings(forecasts, landmarks, follow_up, scores)))]
    found = pd.concat([table for table in tables if len(table)] or [scored])
    found = found[found["metric"].isin(TRANSFER_LIMITS) & found["within_h"].notna()]
    tested = leakage[(leakage["part"] == "test") & (leakage["shared"] == "group")]
    same_groups = bool((tested["n_shared"] > 0).any())
    rows = [_judge(rows, same_groups) for _, rows in found.groupby(_ROW, sort=False)]
    return Transfer.validate(pd.DataFrame(rows, columns=list(Transfer.to_schema().columns)))


def _score_recordings(
    forecasts: pd.DataFrame, landmarks: pd.DataFrame, follow_up: FollowUpSettings, scores: ScoreSettings
) -> Iterator[dict[str, object]]:
    """Rows of each of several recordings, where their cells are of several groups: else none has an interval."""
    n_groups = landmarks.groupby("recording_id")["group_id"].nunique()
    if len(n_groups) < 2 or n_groups.max() < 2:
        return
    of_hours = forecasts[forecasts["within_h"].notna()]
    for asked in read_forecasts(of_hours, landmarks, follow_up):
        recordings_n = np.array([name.rsplit(":", 2)[0] for name in asked.landmark_ids_n], dtype=object)
        for recording in sorted(set(recordings_n)):
            known = asked.keep(recordings_n == recording).known()
            values = score_transfer(known, draw_groups(known.n_groups, scores.n_resamples, scores.seed))
            rows = tidy_scores(known, recording, values, scores)
            yield from ({**row, "kind": "recording"} for row in rows)


def _judge(rows: pd.DataFrame, same_groups: bool) -> dict[str, object]:
    """Both scores of a predictor, question, outcome and condition in one row, with the verdict."""
    by_metric = rows.set_index("metric")
    first = by_metric.loc["observed_over_expected"]
    verdict, reason = _decide(by_metric, same_groups)
    return {
        **{name: first[name] for name in (*_ROW, "n_landmarks", "n_groups", "n_event_groups")},
        **{
            f"{metric}{end}": by_metric.loc[metric, value]
            for metric in TRANSFER_LIMITS
            for end, value in (("", "estimate"), ("_low", "low"), ("_high", "high"))
        },
        "verdict": verdict,
        "reason": reason,
    }


def _decide(by_metric: pd.DataFrame, same_groups: bool) -> tuple[str, str | None]:
    """Verdict, and why it is not that forecasts transfer."""
    if same_groups:
        return CANNOT_BE_TOLD, SAME_GROUPS
    undefined = by_metric["reason"].dropna()
    if len(undefined):
        return CANNOT_BE_TOLD, str(undefined.iloc[0])
    n_groups = int(by_metric["n_event_groups"].min())
    if n_groups < FEW_GROUPS:
        hold = "group holds" if n_groups == 1 else "groups hold"
        return CANNOT_BE_TOLD, f"{n_groups} {hold} the event or the rest, expected are at least {FEW_GROUPS}"
    wide = []
    for metric, (least, most) in TRANSFER_LIMITS.items():
        low, high = by_metric.loc[metric, ["low", "high"]].to_numpy(float)
        if high < least or low > most:
            return DOES_NOT, f"{name_metric(metric)} lies outside {least:g} to {most:g}"
        if low < least or high > most:
            wide.append(name_metric(metric))
    if wide:
        return CANNOT_BE_TOLD, f"the intervals reach beyond the limits ({list_words(wide)})"
    return TRANSFERS, None
