"""Masking curves: CPU seconds of 30 points beside 1, and of encoding anew at every point; every frame is encoded once.

The network is the demo's with weights of chance; 100 cells of 60 frames.
"""

import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd
import torch

from benchmarks.forecasting import (
    CHANNELS,
    EVENTS,
    INTERVAL_MIN,
    N_CELLS,
    N_FRAMES,
    NOTHING,
    draw_cells,
    make_classifier,
)
from benchmarks.measure import print_table
from cellfate.metrics.masking import forecast_shortened, list_points, shorten, shorten_positions
from cellfate.metrics.settings import MaskingSettings
from cellfate.prediction.arrays import hold_cells
from cellfate.prediction.classifier_member import ClassifierMember, load_classifier_member
from cellfate.prediction.embeddings import embed_landmarks

MANY = MaskingSettings(remove_last_frames=tuple(range(0, 30, 2)), keep_last_frames=(*range(4, 60, 4), 60))
FEW = MaskingSettings(remove_last_frames=(0,), keep_last_frames=(60,))
MOST_SHARE = 0.25
"""Largest accepted CPU time of 30 points, as a share of that of encoding anew at every point."""


class CountingEncoder(torch.nn.Module):
    """An encoder that counts the frames that pass it."""

    def __init__(self, encoder: torch.nn.Module) -> None:
        super().__init__()
        self.encoder, self.n_frames = encoder, 0

    def forward(self, frames_nchw: torch.Tensor) -> Any:
        """Embed frames."""
        self.n_frames += len(frames_nchw)
        return self.encoder(frames_nchw)


def main() -> bool:
    """Print CPU times; true when frames are encoded once and the curve is within its limit."""
    torch.set_num_threads(1)
    model = make_classifier()
    held = hold_cells(draw_cells(), CHANNELS, INTERVAL_MIN, **dict.fromkeys(NOTHING, [None] * N_CELLS))
    member = load_classifier_member(model, 0)
    member.network.encoder = counter = CountingEncoder(member.network.encoder)
    landmarks = held.follow_ups.assign(landmark_id=[str(number) for number in range(N_CELLS)])

    def draw(masking: MaskingSettings) -> None:
        embedded = embed_landmarks(held, landmarks, model, 0)
        keys = landmarks[["cell_id"]]
        points = (embedded.embeddings, embedded.positions, member.probabilities, EVENTS, masking)
        pd.concat(list(forecast_shortened(keys, *points)))

    def draw_plainly() -> None:
        sequences = [member.prepare(sequence) for sequence in held.sequences.values()]
        for experiment, k_frames in list_points(MANY):
            _forecast_plainly(member, sequences, experiment, k_frames)

    ways = {"whole tracks": lambda: draw(FEW), "30 points": lambda: draw(MANY), "30 points, encoded anew": draw_plainly}
    used = {name: _count(way, counter) for name, way in ways.items()}
    print_table(("way", "CPU s", "frames encoded"), [(name, *found) for name, found in used.items()])
    (_, few), (many_s, many), (plain_s, _) = used.values()
    print(f"30 points encode {N_CELLS * N_FRAMES} frames and take at most {MOST_SHARE:g} of encoding anew")
    return few == many == N_CELLS * N_FRAMES and many_s <= MOST_SHARE * plain_s


def _forecast_plainly(
    member: ClassifierMember, sequences: Sequence[np.ndarray], experiment: str, k_frames: int
) -> None:
    left = shorten(N_FRAMES, experiment, k_frames)
    embedded = [member.encode(frames_tchw[left]) for frames_tchw in sequences]
    member.probabilities(embedded, [shorten_positions(np.arange(N_FRAMES), left, experiment)] * len(embedded))


def _count(way: Callable[[], None], counter: CountingEncoder) -> tuple[float, int]:
    """CPU seconds and frames encoded of the second of two runs."""
    way()
    counter.n_frames, started = 0, time.process_time()
    way()
    return time.process_time() - started, counter.n_frames


if __name__ == "__main__":
    sys.exit(not main())
