"""Schemas of the tables that flow between pipelines; the one place where their columns are declared.

Units stand in the names: `_px`, `_um`, `_h`, `_min`. Frames count from 0. Pixel centres are integers, y runs down and
x to the right. The catalog validates every saved table against its schema (`validator:` of the entry); columns that are
not declared are kept unless the schema is strict.
"""

from cellfate.core.tables.base import CELL, EVERYTHING, FRAME, PARTS, WITHIN_DOSES, Table
from cellfate.core.tables.cohort import FollowUps, Landmarks, Leakage, Normalisation, Questions, Splits, TrainingHistory
from cellfate.core.tables.explanations import (
    Attention,
    AttentionStatistics,
    AttentionSummary,
    AttributionAgreement,
    AttributionCells,
    Attributions,
    AttributionScores,
    FaithfulnessCurves,
    FeatureAssociation,
    RandomisedWeights,
)
from cellfate.core.tables.forecasts import (
    Commitments,
    FateTable,
    Forecasts,
    ForecastTable,
    MaskedForecasts,
    TrackForecasts,
)
from cellfate.core.tables.preflight import (
    PREFLIGHT_ERRORS,
    PREFLIGHT_WARNINGS,
    FrameQuality,
    PreflightCells,
    PreflightFindings,
    PreflightSummary,
)
from cellfate.core.tables.recordings import (
    Cells,
    Detections,
    FrameFeatures,
    FrameFiles,
    Recordings,
    ReporterTraces,
    SetAside,
    Truth,
)
from cellfate.core.tables.scores import (
    Calibration,
    CommitmentSummary,
    Comparisons,
    Confusion,
    DoseIncidence,
    MaskingCurves,
    Metrics,
    ObservedIncidence,
    OperatingCurves,
)

__all__ = [
    "CELL",
    "EVERYTHING",
    "FRAME",
    "PARTS",
    "PREFLIGHT_ERRORS",
    "PREFLIGHT_WARNINGS",
    "WITHIN_DOSES",
    "Attention",
    "AttentionStatistics",
    "AttentionSummary",
    "AttributionAgreement",
    "AttributionCells",
    "AttributionScores",
    "Attributions",
    "Calibration",
    "Cells",
    "CommitmentSummary",
    "Commitments",
    "Comparisons",
    "Confusion",
    "Detections",
    "DoseIncidence",
    "FaithfulnessCurves",
    "FateTable",
    "FeatureAssociation",
    "FollowUps",
    "ForecastTable",
    "Forecasts",
    "FrameFeatures",
    "FrameFiles",
    "FrameQuality",
    "Landmarks",
    "Leakage",
    "MaskedForecasts",
    "MaskingCurves",
    "Metrics",
    "Normalisation",
    "ObservedIncidence",
    "OperatingCurves",
    "PreflightCells",
    "PreflightFindings",
    "PreflightSummary",
    "Questions",
    "RandomisedWeights",
    "Recordings",
    "ReporterTraces",
    "SetAside",
    "Splits",
    "Table",
    "TrackForecasts",
    "TrainingHistory",
    "Truth",
]
