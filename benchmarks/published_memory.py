"""Memory of a training step of the published model at its largest batch, by sizes of tensors; nothing is computed.

Tensors are fake: torch follows shapes, and its memory tracker counts what is alive: weights, gradients, Adam's moments,
activations, and what is in between. The workspace of convolutions and what the allocator cannot use are not counted.
"""

import sys
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import torch
import yaml
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.distributed._tools.mem_tracker import MemTracker

from benchmarks.measure import print_table
from cellfate.models.fate_classifier import FateClassifier
from cellfate.models.recomputing import recompute_stages
from cellfate.models.settings import ModelSettings
from cellfate.training.classifier_module import cell_losses

PAPER = Path(__file__).resolve().parents[1] / "conf" / "paper" / "parameters.yml"
SIDE_PX, N_CELLS, STEPS = 112, 4, 2
CARD_GB, SPARE_GB = 12.0, 1.5
"""A small card, and what the driver, workspaces and gaps may take of it."""


def main() -> bool:
    """Print peaks; true when the published batch fits a card of 12 GB with stages computed again."""
    given = yaml.safe_load(PAPER.read_text())
    n_frames = given["training"]["max_frames_per_batch"]
    ways = [(precision, again) for precision in ("32-true", "bf16-mixed") for again in (False, True)]
    peaks = {way: peak_gb(given["model"], n_frames, *way) for way in ways}
    rows = [(precision, "twice" if again else "once", f"{gb:.1f}") for (precision, again), gb in peaks.items()]
    print_table(("precision", "blocks computed", f"peak GB, {n_frames} frames"), rows)
    print(f"with blocks computed twice, in float32, at most {CARD_GB - SPARE_GB:g} GB")
    return peaks["32-true", True] <= CARD_GB - SPARE_GB


def peak_gb(model: dict[str, Any], n_frames: int, precision: str, again: bool) -> float:
    """Peak of two steps, GB (10^9 bytes); in the first Adam's moments are made."""
    with FakeTensorMode():
        network = FateClassifier(ModelSettings(**model), 3, 2).train()
        if again:
            recompute_stages(network)
        optimizer = torch.optim.Adam(network.parameters(), lr=1e-5, weight_decay=1e-3)
        lengths = [n_frames // N_CELLS] * N_CELLS
        tracker = MemTracker()
        tracker.track_external(network, optimizer)
        with tracker:
            frames = torch.empty(n_frames, 3, SIDE_PX, SIDE_PX)
            for _ in range(STEPS):
                take_step(network, optimizer, frames, lengths, precision)
        (of_device,) = tracker.get_tracker_snapshot("peak").values()
    return max(of_device.values()) / 1e9


def take_step(
    network: FateClassifier, optimizer: torch.optim.Optimizer, frames: torch.Tensor, lengths: list[int], precision: str
) -> None:
    """Forward, backward, optimizer; as `FateClassifier.forward`, but lengths are numbers: fake tensors hold none."""
    mixed: Any = torch.autocast("cpu", torch.bfloat16) if precision == "bf16-mixed" else nullcontext()
    optimizer.zero_grad()
    with mixed:
        embeddings = network.encode(frames)
        tokens = torch.cat([torch.cat((network.class_token[None], part)) for part in embeddings.split(lengths)])
        n_tokens = [1 + length for length in lengths]
        for layer in network.layers:
            tokens = network.run_stage(layer, tokens, n_tokens)
        logits = network.head(network.norm(network.pooling(tokens, n_tokens)))
    targets = torch.zeros(len(lengths), dtype=torch.int64)
    cell_losses(logits.to(frames.dtype), targets).mean().backward()
    optimizer.step()


if __name__ == "__main__":
    sys.exit(not main())
