"""Shapley values of a cell (100 frames, 3 channels, 10 windows): cached embeddings against encoding every coalition.

The network is the demo's; crops are as large as the demo's, where encoding is cheap, and as the published ones.
"""

import time

import numpy as np
import torch

from benchmarks.measure import print_table
from cellfate.attribution.games import all_subsets, build_game
from cellfate.attribution.shapley import shapley_values
from cellfate.attribution.windows import cut_time_windows
from cellfate.models.fate_classifier import FateClassifier
from cellfate.models.settings import ModelSettings

N_FRAMES, CHANNELS, N_WINDOWS, N_PERMUTATIONS, N_MEASURED = 100, ("a", "b", "c"), 10, 10, 20
SIZES_PX = (40, 112)
LEAST_RATIO, TOLERANCE = 20.0, 1e-4
SETTINGS = ModelSettings(encoder_channels=(16, 32, 64), encoder_grid=5, embedding_size=64, feed_forward_size=128)


class Member:
    """The demo's network with weights of chance."""

    def __init__(self) -> None:
        torch.manual_seed(0)
        self.network = FateClassifier(SETTINGS, len(CHANNELS), 2).eval()

    def encode(self, frames_tchw: np.ndarray) -> np.ndarray:
        """Embed frames."""
        with torch.inference_mode():
            return self.network.encode(torch.from_numpy(np.ascontiguousarray(frames_tchw))).numpy()

    def logits(self, embeddings: list[np.ndarray], positions: list[np.ndarray]) -> np.ndarray:
        """Classify sequences of embeddings."""
        lengths = torch.tensor([len(each) for each in embeddings])
        packed = torch.from_numpy(np.concatenate(embeddings)), torch.from_numpy(np.concatenate(positions))
        with torch.inference_mode():
            return self.network.classify(*packed, lengths).numpy()


def main() -> bool:
    """Measure crops of both sizes; true when those of the published size meet the ratio, and all values agree."""
    torch.set_num_threads(1)
    measured = {size: measure(size) for size in SIZES_PX}
    rows = [(f"{size} px", f"{fast:.2f}", f"{slow:.1f}", f"{slow / fast:.0f}", f"{gap:.0e}")
            for size, (fast, slow, gap) in measured.items()]  # fmt: skip
    print_table(("crop", "cached, CPU s a cell", "every coalition encoded, CPU s", "ratio", "largest difference"), rows)
    fast, slow, _ = measured[SIZES_PX[-1]]
    print(f"ratio at {SIZES_PX[-1]} px at least {LEAST_RATIO:.0f}; differences at most {TOLERANCE:.0e}")
    return slow / fast >= LEAST_RATIO and max(gap for *_, gap in measured.values()) <= TOLERANCE


def measure(size_px: int) -> tuple[float, float, float]:
    """CPU seconds a cell of both ways, the slow one from some coalitions scaled to all, and the largest difference."""
    member, rng = Member(), np.random.default_rng(0)
    frames = rng.normal(size=(N_FRAMES, len(CHANNELS), size_px, size_px)).astype(np.float32)
    positions = np.arange(N_FRAMES)
    windows = cut_time_windows(positions, N_FRAMES // N_WINDOWS, N_WINDOWS)
    game = build_game(member, frames[:4], positions[:4], 0, all_subsets(len(CHANNELS)))
    shapley_values(game, cut_time_windows(positions[:4], 2, 2), CHANNELS, 1, 0)  # shap compiles at its first call
    started = time.process_time()
    game = build_game(member, frames, positions, 0, all_subsets(len(CHANNELS)))
    shapley_values(game, windows, CHANNELS, N_PERMUTATIONS, 0)
    cached = time.process_time() - started
    parts = rng.random((N_MEASURED, N_WINDOWS, len(CHANNELS))) < 0.5
    parts[::2] = parts[::2, :, :1]  # every other mask is of whole windows
    present = parts[:, windows.window_of_t]
    started = time.process_time()
    masked = [member.logits([member.encode(frames * mask[:, :, None, None])], [positions])[0, 0] for mask in present]
    direct = (time.process_time() - started) * N_PERMUTATIONS * (2 * N_WINDOWS * len(CHANNELS) + 1) / N_MEASURED
    return cached, direct, float(np.abs(game.values(present) - masked).max())
