"""The preview of simulated recordings."""

import numpy as np

from cellfate.plots.simulation import N_EXAMPLES, draw_recording
from cellfate.simulation import simulate_study, trace_reporters
from cellfate.simulation.settings import CHANNELS
from tests.cases.simulated import tiny_settings


def test_every_channel_has_its_frames_and_its_example_cells() -> None:
    traces = trace_reporters(simulate_study(tiny_settings()))
    images = np.random.default_rng(0).integers(90, 400, (2, 3, 20, 24)).astype(np.uint16)
    figure = draw_recording(images, np.array([0.0, 6.0]), CHANNELS, traces, {"p53": (4.5, 2.0)})
    assert sum(trace.type == "image" for trace in figure.data) == 6
    counts = traces.groupby("fate")["cell_id"].size().index
    n_examples = sum(
        min(N_EXAMPLES, len(traces[traces["fate"] == fate].groupby(["recording_id", "cell_id"])))
        for fate in counts
        if fate != "censored"
    )
    lines = [trace for trace in figure.data if trace.type == "scatter"]
    assert len(lines) == 3 * n_examples
    assert max(max(line.x) for line in lines) <= 0
    assert [(shape.x0, shape.x1) for shape in figure.layout.shapes] == [(-4.5, -2.0)]
    assert "3 recordings" in figure.layout.title.text
