"""What acting on forecasts is worth at every threshold: decision curves."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from cellfate.cohort.outcomes import competing_events
from cellfate.cohort.questions import shown_events
from cellfate.cohort.settings import FollowUpSettings
from cellfate.core.tables import NetBenefit
from cellfate.metrics.settings import ScoreSettings
from cellfate.metrics.watched import THRESHOLDS, Watched, list_conditions, select_traced
from cellfate.prediction.settings import AlarmSettings
from cellfate.statistics.bootstrap import draw_groups, mean_by_group, summarise


def weigh_benefit(
    forecasts: pd.DataFrame,
    follow_ups: pd.DataFrame,
    follow_up: FollowUpSettings,
    alarm: AlarmSettings,
    scores: ScoreSettings,
) -> pd.DataFrame:
    """Net benefit of acting where an event is flagged, by threshold, beside acting always and never.

    Parameters
    ----------
    forecasts, follow_ups, follow_up, alarm, scores
        As in `summarise_alarms`.

    Returns
    -------
    DataFrame
        Table `NetBenefit`, clustered intervals: over all cells, and in each dose. What is judged is every forecast
        with `frames_on_end` - 1 others right before it: whether the event is flagged in all of these. A right flag
        counts 1, a wrong one minus t / (1 - t), a missed event and a rightly silent forecast 0; the mean over forecasts
        is the net benefit, so that acting never has 0.

    Notes
    -----
    Source: Vickers & Elkin, Med. Decis. Making 26, 565 (2006); weighted for censoring and competing events as all
    scores here.
    """
    shown = shown_events(competing_events(follow_ups), follow_up)
    rows = [
        row
        for of_predictor in select_traced(forecasts, follow_ups, follow_up)
        for condition, _, watched in list_conditions(of_predictor, follow_up, alarm)
        for event in shown
        if event in watched.traces.events
        for row in _weigh(watched, event, alarm, scores, condition)
    ]
    return pd.DataFrame(rows, columns=list(NetBenefit.to_schema().columns))


def _weigh(
    watched: Watched, event: str, alarm: AlarmSettings, scores: ScoreSettings, condition: str
) -> Iterator[dict[str, object]]:
    """Rows of table `NetBenefit` of one predictor, event and condition."""
    judged_n = watched.came.scored_n & (watched.traces.n_on_end >= alarm.frames_on_end)
    groups_n, weights_n = watched.groups_n, watched.came.weights_n * judged_n
    n_event_groups = len(np.unique(groups_n[judged_n & watched.happened(event)]))
    counts_rg = draw_groups(int(groups_n.max()) + 1, scores.n_resamples, scores.seed)
    happened_n = watched.happened(event)
    for threshold in sorted({*THRESHOLDS, alarm.threshold}):
        worth_n = np.where(happened_n, 1.0, -threshold / (1 - threshold))
        flagged_n = watched.traces.on_end(event, threshold) >= alarm.frames_on_end
        benefit_r, for_all_r, flagged_r = (
            mean_by_group(values_n, groups_n, counts_rg, weights_n)
            for values_n in (worth_n * flagged_n, worth_n, flagged_n)
        )
        estimate = summarise(benefit_r, scores.confidence, n_event_groups)
        yield {
            "predictor": watched.predictor,
            "outcome": event,
            "condition": condition,
            "threshold": threshold,
            "chosen": threshold == alarm.threshold,
            "net_benefit": estimate.estimate,
            "low": estimate.low,
            "high": estimate.high,
            "for_all": float(for_all_r[0]),
            "share_flagged": float(flagged_r[0]),
            "n_forecasts": int(judged_n.sum()),
            "n_groups": len(np.unique(groups_n[judged_n])),
        }
