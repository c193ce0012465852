"""Schemas of the tables that flow between pipelines; the one place where their columns are declared.

Units stand in the names: `_px`, `_um`, `_h`, `_min`. Frames count from 0. Pixel centres are integers, y runs down and
x to the right. The catalog validates every saved table against its schema (`validator:` of the entry); columns that are
not declared are kept unless the schema is strict.
"""

from cellfate.core.tables.base import EVERYTHING, PARTS, WITHIN_DOSES, Table
from cellfate.core.tables.explanations import (
    Attention,
    AttentionStatistics,
    AttentionSummary,
    Attributions,
)
from cellfate.core.tables.incidence import (
    ClockTable,
    Commitments,
    CommitmentSummary,
    DoseIncidence,
    Incidence,
    IncidenceCalibration,
    IncidenceComparisons,
    IncidenceMetrics,
    ObservedIncidence,
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
from cellfate.core.tables.samples import (
    ClockHistory,
    FollowUps,
    Landmarks,
    Leakage,
    Normalisation,
    Samples,
    Splits,
    TrainingHistory,
)
from cellfate.core.tables.scores import (
    Calibration,
    Comparisons,
    Confusion,
    FateTable,
    MaskedPredictions,
    MaskingCurves,
    Metrics,
    OperatingCurves,
    Predictions,
)

__all__ = [
    "EVERYTHING",
    "PARTS",
    "WITHIN_DOSES",
    "Attention",
    "AttentionStatistics",
    "AttentionSummary",
    "Attributions",
    "Calibration",
    "Cells",
    "ClockHistory",
    "ClockTable",
    "CommitmentSummary",
    "Commitments",
    "Comparisons",
    "Confusion",
    "Detections",
    "DoseIncidence",
    "FateTable",
    "FollowUps",
    "FrameFeatures",
    "FrameFiles",
    "Incidence",
    "IncidenceCalibration",
    "IncidenceComparisons",
    "IncidenceMetrics",
    "Landmarks",
    "Leakage",
    "MaskedPredictions",
    "MaskingCurves",
    "Metrics",
    "Normalisation",
    "ObservedIncidence",
    "OperatingCurves",
    "Predictions",
    "Recordings",
    "ReporterTraces",
    "Samples",
    "SetAside",
    "Splits",
    "Table",
    "TrainingHistory",
    "Truth",
]
