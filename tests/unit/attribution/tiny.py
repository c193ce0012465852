"""Tiny models for the tests of attributions."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, Final

import numpy as np
import torch

from cellfate.cohort.outcomes import competing_events
from cellfate.features.column_scales import ColumnScale
from cellfate.features.settings import FeatureSettings
from cellfate.models.fate_classifier import FateClassifier
from cellfate.models.fate_clock import FateClock
from cellfate.models.settings import (
    BlendSettings,
    BoostingSettings,
    CausalSettings,
    ClockNetworkSettings,
    ModelSettings,
)
from cellfate.prediction.records import ClassifierConfig, ClockConfig, FolderConfig, MemberConfig, TrainedModel
from tests.cases.crop_stores import TINY_FOLLOW_UP, TinyStudy

SIZES: Final[dict[str, Any]] = {
    "encoder_channels": (4, 8), "encoder_grid": 2, "embedding_size": 16, "n_heads": 2, "feed_forward_size": 16,
}  # fmt: skip
CAUSAL = CausalSettings(history_frames=4, statistics_frames=(3,), hidden_size=8)
"""The clock of one layer, or of none, reaches back 4 frames, or 3."""


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


def random_model(
    study: TinyStudy,
    kind: str,
    n_layers: int = 1,
    seed: int = 1,
    encoder: str = "small_cnn",
    columns: Sequence[ColumnScale] = (),
    blind: Mapping[int, str] = MappingProxyType({}),
) -> TrainedModel:
    """A classifier or a fate clock of random weights, so that it hangs on every input, with a member a fold.

    `columns` are read by every member, but for those that members of some folds are blind to.
    """
    events = competing_events(study.follow_ups)
    statistics = {name: (value,) * len(study.crops.channels) for name, value in (("mean", 1100.0), ("sd", 200.0))}
    facts = {"best_epoch": 0, "n_epochs": 1, "n_train": 1, "n_validation": 1, **statistics}
    described: dict[str, Any] = {
        "events": events,
        "follow_up": TINY_FOLLOW_UP,
        "channels": study.crops.channels,
        "crops": study.crops.settings,
        "frame_interval_min": 30.0,
        "scheme": "grouped_folds",
        "members": [
            MemberConfig(fold=fold, columns=tuple(one for one in columns if one.name != blind.get(fold)), **facts)
            for fold in study.splits["fold"].unique()
        ],
    }
    n_channels, n_bins = len(study.crops.channels), len(TINY_FOLLOW_UP.edges_h) - 1
    if kind == "clock":
        blend = BlendSettings(parts=("network",), boosting=BoostingSettings(n_trees=2, min_samples_leaf=2))
        clock = ClockNetworkSettings(
            **SIZES, n_layers=n_layers, intensity="above_background", causal=CAUSAL, encoder=encoder
        )
        config = ClockConfig(architecture=clock, features=FeatureSettings(), blend=blend, **described)
        sizes = n_channels + 1, n_bins, len(events)
        return TrainedModel(config, _random_weights(config, lambda n: FateClock(clock, *sizes, 0, n), seed))
    architecture = ModelSettings(**SIZES, n_layers=n_layers, encoder=encoder)
    config = ClassifierConfig(architecture=architecture, **described)
    return TrainedModel(
        config, _random_weights(config, lambda n: FateClassifier(architecture, n_channels, len(events), 0, n), seed)
    )


def without_members(model: TrainedModel, reason: str = "not asked: nobody knows.") -> TrainedModel:
    """The model of a study of which its question is not asked."""
    return replace(model, config=model.config.model_copy(update={"members": (), "reason": reason}), weights={})


def _random_weights(config: FolderConfig, build: Callable[[int], torch.nn.Module], seed: int) -> dict[str, np.ndarray]:
    weights = {}
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        for fold in config.folds:
            network = build(len(config.member(fold).columns))
            for name, module in network.named_modules():
                if isinstance(module, torch.nn.BatchNorm2d):  # a blank pixel is not on the kink of the ReLU
                    torch.nn.init.normal_(module.bias)
                if isinstance(module, torch.nn.Linear) and name.startswith("head"):
                    torch.nn.init.normal_(module.weight)
                if name == "scale":
                    torch.nn.init.normal_(module.running_mean, std=0.1)
            weights |= {f"fold_{fold}.{name}": value.detach().numpy() for name, value in network.state_dict().items()}
    return weights
