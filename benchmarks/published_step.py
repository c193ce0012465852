"""A training step of the published model on real frames alone, against a plainly written padded one; CPU seconds.

Cells of 19 to 118 frames, shuffled, in batches of four. The padded step pads frames, encodes padding too and masks it
in torch's own layers; encoder, weights, loss and optimizer are the same, so what is left of the ratio is padding, which
allows padded over real frames. `python -m benchmarks.published_step 48 2` takes two pairs of steps on frames of 48 x 48
px, for a quick look.
"""

import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch
import yaml
from monai.networks.nets.resnet import ResNet
from torch import Tensor, nn

from benchmarks.measure import print_table
from cellfate.models.fate_classifier import FateClassifier
from cellfate.models.settings import ModelSettings
from cellfate.models.temporal import sinusoidal_positions
from cellfate.training.classifier_module import cell_losses

PAPER = Path(__file__).resolve().parents[1] / "conf" / "paper" / "parameters.yml"
LENGTHS = (19, 26, 31, 36, 41, 45, 51, 57, 64, 73, 87, 118)
SIDE_PX, CELLS, PAIRS, GAIN_FRAMES = 112, 4, 5, 96
TARGET = 0.95
"""Least part of padded over real frames that has to be reached."""

Batch = tuple[Tensor, Tensor, Tensor]
"""Packed frames, lengths and targets."""


def main(side_px: int = SIDE_PX, n_pairs: int = PAIRS) -> bool:
    """Print seconds of all batches, forward, backward and optimizer step; true when the target is reached."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    given = yaml.safe_load(PAPER.read_text())
    network = FateClassifier(ModelSettings(**given["model"]), 3, 2).train()
    rates = {"lr": given["training"]["learning_rate"], "weight_decay": given["training"]["weight_decay"]}
    optimizer = torch.optim.Adam(network.parameters(), **rates)
    padded_layers = share_layers(network)
    batches = draw_batches(side_px)
    ways: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
        "padded": lambda frames, lengths: read_padded(network, padded_layers, frames, lengths),
        "packed": lambda frames, lengths: network(frames, positions_of(lengths), lengths),
    }
    train(ways["packed"], batches[:1], optimizer)  # the optimizer's state is made in the first step
    taken: list[dict[str, float]] = []
    for _ in range(n_pairs):
        taken.append({name: train(read, batches, optimizer) for name, read in ways.items()})
        print({name: round(seconds, 1) for name, seconds in taken[-1].items()}, flush=True)
    print_gains(network, side_px)
    return judge(taken, [lengths for _, lengths, _ in batches], side_px)


def print_gains(network: FateClassifier, side_px: int) -> None:
    """Print CPU seconds of the encoder alone, forward and backward, computed in several ways; the better of two."""
    frames = torch.randn(GAIN_FRAMES, 3, side_px, side_px)
    orders: dict[str, Callable[[Tensor], Tensor]] = {
        "channels first": lambda given: ResNet.forward(network.encoder, given),
        "channels last": network.encoder,
    }
    rows = []
    for order, encode in orders.items():
        for name, mixed in (("float32", False), ("bfloat16", True)):
            seconds = min(encode_once(encode, frames, mixed) for _ in range(2))
            rows.append((order, name, seconds, GAIN_FRAMES / seconds))
    print_table(("encoder", "precision", "CPU s", "frames a CPU s"), rows)


def encode_once(encode: Callable[[Tensor], Tensor], frames: Tensor, mixed: bool) -> float:
    """CPU seconds of one pass, forward and backward."""
    started = time.process_time()
    with torch.autocast("cpu", torch.bfloat16, enabled=mixed):
        embeddings = encode(frames)
    embeddings.float().sum().backward()
    return time.process_time() - started


def judge(taken: list[dict[str, float]], lengths: list[Tensor], side_px: int) -> bool:
    """Print the table and hold the ratio against what removing padding allows."""
    n_real = int(sum(int(lengths_b.sum()) for lengths_b in lengths))
    n_padded = sum(len(lengths_b) * int(lengths_b.max()) for lengths_b in lengths)
    allowed, found = n_padded / n_real, median(pair["padded"] / pair["packed"] for pair in taken)
    seconds = {name: median(pair[name] for pair in taken) for name in taken[0]}
    rows = [(name, seconds[name], n_real / seconds[name]) for name in seconds]
    print_table(("step", f"CPU s, {side_px} px", "real frames a CPU s"), rows)
    print(f"{n_padded} padded frames over {n_real} real ones: {allowed:.3f}; padded over packed, median: {found:.3f}")
    print(f"reached {found / allowed:.3f} of it; at least {TARGET}")
    return found / allowed >= TARGET


def draw_batches(side_px: int) -> list[Batch]:
    """Batches of four cells, in random order, of pixels of chance."""
    lengths = np.random.default_rng(0).permutation(LENGTHS)
    parts = [torch.from_numpy(part) for part in lengths.reshape(-1, CELLS)]
    return [(torch.randn(int(part.sum()), 3, side_px, side_px), part, torch.tensor([0, 1, 0, 1])) for part in parts]


def positions_of(lengths_b: Tensor) -> Tensor:
    """Positions of packed frames without gaps."""
    return torch.cat([torch.arange(length) for length in lengths_b.tolist()])


def train(read: Callable[[Tensor, Tensor], Tensor], batches: list[Batch], optimizer: torch.optim.Optimizer) -> float:
    """CPU seconds of a step on each batch."""
    started = time.process_time()
    for frames, lengths, targets in batches:
        optimizer.zero_grad()
        cell_losses(read(frames, lengths), targets).mean().backward()
        optimizer.step()
    return time.process_time() - started


def share_layers(network: FateClassifier) -> nn.ModuleList:
    """Make torch's own layers on the very parameters of the network."""
    layers = nn.ModuleList()
    for layer in network.layers:
        attention = layer.self_attn
        sizes: tuple[int, int, int, float] = (
            attention.embed_dim,
            attention.num_heads,
            layer.linear1.out_features,
            layer.dropout.p,
        )
        with torch.device("meta"):
            theirs = nn.TransformerEncoderLayer(*sizes, batch_first=True, norm_first=True)
        theirs.load_state_dict(layer.state_dict(keep_vars=True), assign=True)
        layers.append(theirs)
    return layers


def read_padded(network: FateClassifier, layers: nn.ModuleList, frames_nchw: Tensor, lengths_b: Tensor) -> Tensor:
    """Logits of the published model as one would write it plainly: frames padded with zeros, padding masked."""
    longest, n_cells = int(lengths_b.max()), len(lengths_b)
    real_bt = torch.arange(longest) < lengths_b[:, None]
    frames_btchw = frames_nchw.new_zeros(n_cells, longest, *frames_nchw.shape[1:])
    frames_btchw[real_bt] = frames_nchw
    embeddings_btd = network.encoder(frames_btchw.flatten(0, 1)).unflatten(0, (n_cells, longest))
    first_b1d = network.class_token.expand(n_cells, 1, -1)
    tokens_bsd: Any = torch.cat((first_b1d, embeddings_btd), dim=1)
    tokens_bsd = tokens_bsd + sinusoidal_positions(torch.arange(1 + longest), network.size)
    padding_bs = torch.cat((torch.zeros(n_cells, 1, dtype=torch.bool), ~real_bt), dim=1)
    for layer in layers:
        tokens_bsd = layer(tokens_bsd, src_key_padding_mask=padding_bs)
    normed_bsd = network.pooling.norm(tokens_bsd)
    asked = normed_bsd[:, :1], normed_bsd, normed_bsd
    pooled_b1d, _ = network.pooling.attention(*asked, key_padding_mask=padding_bs, need_weights=True)
    logits_bk: Tensor = network.head(network.norm(pooled_b1d[:, 0]))
    return logits_bk


if __name__ == "__main__":
    sys.exit(not main(*(int(argument) for argument in sys.argv[1:3])))
