"""Nodes of the `simulation` pipeline."""

from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import tifffile

from cellfate.imaging.records import RecordingFolder
from cellfate.plots.simulation import draw_recording
from cellfate.simulation import (
    SimulatedStudy,
    SimulationSettings,
    list_truth,
    score_oracle,
    simulate_study,
    trace_reporters,
)
from cellfate.simulation.settings import CHANNELS
from cellfate.simulation.writer import image_name


def simulate_recordings(
    simulation: SimulationSettings,
) -> tuple[SimulatedStudy, pd.DataFrame, pd.DataFrame, dict[str, Any]]:
    """Simulate a study; its images are made while it is saved.

    Returns
    -------
    raw_recordings, truth, reporter_traces, oracle_scores
        The study, what decided every fate, the true reporter levels, and how well an oracle does.
    """
    study = simulate_study(simulation)
    return study, list_truth(study), trace_reporters(study), score_oracle(study)


def preview_recordings(
    folder: RecordingFolder, reporter_traces: pd.DataFrame, simulation: SimulationSettings
) -> go.Figure:
    """Draw a few frames of the first recording beside the true reporters of example cells."""
    name = str(reporter_traces["recording_id"].min())
    frames = np.linspace(0, simulation.n_frames - 1, 3).astype(int)
    images = [tifffile.imread(folder.root / "images" / image_name(name, int(frame))) for frame in frames]
    return draw_recording(
        np.stack(images).transpose(0, 3, 1, 2),
        frames * simulation.frame_h,
        CHANNELS,
        reporter_traces,
        {cause.channel: cause.window_h for cause in simulation.causes},
    )
