"""Simulated recordings with a known answer: what decides each fate, when and in which channel, or exact hazards."""

from cellfate.simulation.records import PlannedRecording, SimulatedCell, SimulatedRecording, SimulatedStudy
from cellfate.simulation.settings import (
    CauseSettings,
    DoseSettings,
    HazardSettings,
    ImageSettings,
    SimulationSettings,
)
from cellfate.simulation.study import simulate_study
from cellfate.simulation.true_incidence import list_true_incidence
from cellfate.simulation.truth import list_truth, score_oracle, trace_reporters
from cellfate.simulation.writer import write_study

__all__ = [
    "CauseSettings",
    "DoseSettings",
    "HazardSettings",
    "ImageSettings",
    "PlannedRecording",
    "SimulatedCell",
    "SimulatedRecording",
    "SimulatedStudy",
    "SimulationSettings",
    "list_true_incidence",
    "list_truth",
    "score_oracle",
    "simulate_study",
    "trace_reporters",
    "write_study",
]
