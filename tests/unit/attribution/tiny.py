"""Tiny models for the tests of attributions."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class MeanPixelModel:
    """Embeds a frame as the mean of each channel, and takes a logit from the matrix of embeddings (T, C)."""

    logit: Callable[[np.ndarray, np.ndarray], float]

    def encode(self, frames_tchw: np.ndarray) -> np.ndarray:
        return np.tanh(frames_tchw.mean(axis=(2, 3))).astype(np.float32)

    def logits(self, embeddings: Sequence[np.ndarray], positions: Sequence[np.ndarray]) -> np.ndarray:
        values = [[self.logit(e, p)] for e, p in zip(embeddings, positions, strict=True)]
        return np.asarray(values, dtype=np.float32)


def crooked(embeddings: np.ndarray, positions: np.ndarray) -> float:
    """Products over time and channels: every player interacts with every other."""
    weights = 1.0 + 0.1 * positions[:, None]
    total = (embeddings * weights).sum()
    return float(np.sin(3 * total) + 2 * np.prod(1 + embeddings.sum(axis=1)) + embeddings[-1, 0])


def pairwise(embeddings: np.ndarray, positions: np.ndarray) -> float:
    """Effects of single players and of pairs only."""
    return float((embeddings * (1 + positions[:, None])).sum() + embeddings[0, 0] * embeddings[-1, -1] * 5)


CROOKED = MeanPixelModel(crooked)
PAIRWISE = MeanPixelModel(pairwise)


def frames(n_frames: int, n_channels: int, seed: int = 0) -> np.ndarray:
    """Normalised frames (T, C, 4, 4)."""
    return np.random.default_rng(seed).normal(0.3, 1.0, (n_frames, n_channels, 4, 4)).astype(np.float32)
