"""Tables of alarms, made from forecasts and follow-ups as a run makes them."""

import pandas as pd

from cellfate.metrics.alarms import list_alarms, summarise_alarms
from cellfate.metrics.net_benefit import weigh_benefit
from cellfate.metrics.settings import ScoreSettings
from cellfate.prediction.settings import AlarmSettings
from tests.cases.score_tables import FOLLOW_UP


def alarm_tables(forecasts: pd.DataFrame, follow_ups: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Tables `Alarms`, `AlarmSummary` and `NetBenefit` by catalog name."""
    asked, scores = (forecasts, follow_ups, FOLLOW_UP, AlarmSettings()), ScoreSettings(n_resamples=100)
    return {
        "alarms": list_alarms(*asked),
        "alarm_summary": summarise_alarms(*asked, scores),
        "net_benefit": weigh_benefit(*asked, scores),
    }
