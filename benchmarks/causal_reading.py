"""What the causal reading costs: a training step of the fate clock beside one of the classifier.

Both see the same frames through the same encoder and Transformer layers, and the encoder learns in both; peak memory is
of a process of its own.
"""

import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.measure import measure_command, print_table
from cellfate.models.fate_classifier import FateClassifier
from cellfate.models.fate_clock import AGE_INPUTS, FateClock
from cellfate.models.settings import CausalSettings, ClockNetworkSettings, ModelSettings
from cellfate.training.classifier_module import cell_losses
from cellfate.training.clock_module import frame_losses

ROOT = Path(__file__).resolve().parents[1]
N_CELLS, N_FRAMES, N_CHANNELS, SIZE_PX, N_BINS, N_EVENTS = 20, 40, 2, 48, 9, 2
N_STEPS, N_ROUNDS = 10, 3
MOST = 1.3
"""Times the classifier's memory and CPU time that the causal reading may take."""
LAYERS = ModelSettings(encoder_grid=6, n_layers=1)


def main() -> bool:
    """Measure both readings in turns, several rounds; true when the best of the causal one is within the limit."""
    seconds: dict[str, list[float]] = {"classifier": [], "causal": []}
    memory: dict[str, list[float]] = {"classifier": [], "causal": []}
    for _ in range(N_ROUNDS):
        for reading in seconds:
            command = [sys.executable, "-m", "benchmarks.causal_reading", reading]
            seconds[reading].append(float(subprocess.run(command, cwd=ROOT, check=True, capture_output=True).stdout))
            memory[reading].append(measure_command(command, ROOT).peak_memory_mb)
    best = {reading: (min(seconds[reading]), min(memory[reading])) for reading in seconds}
    print_table(
        ("reading", "CPU s a step", "peak MB"), [(reading, f"{s:.4f}", mb) for reading, (s, mb) in best.items()]
    )
    ratios = [causal / plain for causal, plain in zip(best["causal"], best["classifier"], strict=True)]
    print(f"causal / classifier: CPU time {ratios[0]:.2f}, peak memory {ratios[1]:.2f} (at most {MOST})")
    return max(ratios) <= MOST


def time_steps(reading: str) -> float:
    """CPU seconds of a training step, after one to warm up."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    n = N_CELLS * N_FRAMES
    frames = torch.randn(n, N_CHANNELS, SIZE_PX, SIZE_PX)
    positions = torch.arange(N_FRAMES).repeat(N_CELLS)
    lengths = torch.full((N_CELLS,), N_FRAMES)
    network, loss = make_step(reading, n)
    optimizer = torch.optim.AdamW(network.parameters())
    started = time.process_time()
    for step in range(N_STEPS + 1):
        if step == 1:
            started = time.process_time()
        optimizer.zero_grad()
        loss(network, frames, positions, lengths).backward()
        optimizer.step()
    return (time.process_time() - started) / N_STEPS


def make_step(reading: str, n_frames: int) -> tuple[torch.nn.Module, Any]:
    """Make a network and its loss on a batch."""
    rng = np.random.default_rng(0)
    if reading == "classifier":
        targets = torch.from_numpy(rng.integers(0, 2, N_CELLS))
        return FateClassifier(LAYERS, N_CHANNELS, 2), lambda net, *batch: cell_losses(net(*batch), targets).mean()
    ages = torch.zeros(n_frames, AGE_INPUTS)
    labels = torch.from_numpy(rng.integers(-1, 1 + N_EVENTS, (n_frames, N_BINS)))
    causal = ClockNetworkSettings(**LAYERS.model_dump(), causal=CausalSettings(hidden_size=32))
    network = FateClock(causal, N_CHANNELS, N_BINS, N_EVENTS, n_features=0)
    return network, lambda net, *batch: frame_losses(net(*batch, ages), labels).mean()


if __name__ == "__main__":
    if len(sys.argv) > 1:
        print(time_steps(sys.argv[1]))
    else:
        sys.exit(not main())
