"""Scores with clustered intervals, references, comparisons, calibration, masking: tables in, tables out.

>>> from cellfate.metrics import ScoreSettings
>>> ScoreSettings().n_resamples
2000
"""

from cellfate.metrics.calibration import calibrate_forecasts
from cellfate.metrics.comparisons import compare_forecasts, summarise_scores
from cellfate.metrics.references import forecast_references
from cellfate.metrics.scoring import score_forecasts
from cellfate.metrics.settings import ReferenceSettings, ScoreSettings

__all__ = [
    "ReferenceSettings",
    "ScoreSettings",
    "calibrate_forecasts",
    "compare_forecasts",
    "forecast_references",
    "score_forecasts",
    "summarise_scores",
]
