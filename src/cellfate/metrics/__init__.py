"""Scores with clustered intervals, baselines, masking curves, calibration: tables in, tables out.

>>> from cellfate.metrics import ScoreSettings
>>> ScoreSettings().n_resamples
2000
"""

from cellfate.metrics.baselines import predict_baselines
from cellfate.metrics.calibration import measure_calibration
from cellfate.metrics.comparisons import compare_predictors, summarise_scores
from cellfate.metrics.confusion import count_confusions
from cellfate.metrics.curves import trace_curves
from cellfate.metrics.masking import mask_sequences
from cellfate.metrics.masking_curves import score_masking
from cellfate.metrics.scoring import score_inference, score_predictions
from cellfate.metrics.settings import BaselineSettings, MaskingSettings, ScoreSettings

__all__ = [
    "BaselineSettings",
    "MaskingSettings",
    "ScoreSettings",
    "compare_predictors",
    "count_confusions",
    "mask_sequences",
    "measure_calibration",
    "predict_baselines",
    "score_inference",
    "score_masking",
    "score_predictions",
    "summarise_scores",
    "trace_curves",
]
