"""Networks that turn one frame, of pixels or of columns of measurements, into one embedding.

Shape suffixes: n packed real frames, c channels, h rows, w columns, d embedding, x numbers.
"""

import os
from itertools import pairwise
from typing import cast

# Batches differ in their number of frames, and oneDNN keeps compiled kernels for each of up to 1024 shapes, which takes
# gigabytes within minutes. It reads this when it is first used; a value that the user set stays.
os.environ.setdefault("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "8")

import torch
from torch import Tensor, channels_last, nn

from cellfate.models.recomputing import Staged
from cellfate.models.settings import NetworkSettings

COLUMN_NUMBERS = 4
"""Numbers of a column in a frame; see `features.column_scales`."""
_LAYERS = 3  # of a stage of `SmallCnn`: convolution, normalisation, rectifier


class SmallCnn(Staged):
    """Convolutions of stride 2, a coarse grid, one linear layer.

    The grid is flattened, not averaged, so that where something is (the cell, a neighbour) is kept; nothing is
    normalised within a frame, so that absolute intensity is kept.

    Parameters
    ----------
    settings
        Architecture.
    n_channels
        Channels of a frame.
    """

    def __init__(self, settings: NetworkSettings, n_channels: int) -> None:
        super().__init__()
        widths = (n_channels, *settings.encoder_channels)
        stages: list[nn.Module] = []  # in a row, as stored models name them
        for n_in, n_out in pairwise(widths):
            stages += [nn.Conv2d(n_in, n_out, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(n_out), nn.ReLU()]
        self.stages = nn.Sequential(*stages)
        self.grid = nn.AdaptiveAvgPool2d(settings.encoder_grid)
        self.project = nn.Linear(widths[-1] * settings.encoder_grid**2, settings.embedding_size)

    def forward(self, frames_nchw: Tensor) -> Tensor:
        """Embed normalised frames (N, C, H, W) as (N, D)."""
        maps_nchw = frames_nchw.contiguous(memory_format=channels_last)  # twice as fast on CPUs
        for first in range(0, len(self.stages), _LAYERS):
            maps_nchw = self.run_stage(self.stages[first : first + _LAYERS], maps_nchw)
        return cast(Tensor, self.project(self.grid(maps_nchw).flatten(1)))


class PixelsAndColumns(nn.Module):
    """Embeds the pixels of a frame, and hands on the numbers of its columns, which begin the last channel.

    Parameters
    ----------
    pixels
        Encoder of the other channels.
    n_numbers
        Numbers of all columns.
    """

    def __init__(self, pixels: nn.Module, n_numbers: int) -> None:
        super().__init__()
        self.pixels = pixels
        self.n_numbers = n_numbers

    def forward(self, frames_nchw: Tensor) -> Tensor:
        """Embeddings of the pixels, then the columns' numbers, (N, D + numbers)."""
        numbers_nx = frames_nchw[:, -1].flatten(1)[:, : self.n_numbers]
        return torch.cat((self.pixels(frames_nchw[:, :-1]), numbers_nx), dim=1)


class FrameNetwork(Staged):
    """What both networks have in common: what is made of one frame, and a layer that tells its features.

    `encode` gives what is made of a frame once for all: the embedding of its pixels, which may be pretrained, and the
    numbers of its columns as they are. `join` makes the embedding of it.

    Parameters
    ----------
    settings
        Architecture.
    n_channels
        Channels of pixels, a mask channel included.
    n_columns
        Columns of measurements.
    """

    features: nn.Linear | None

    def __init__(self, settings: NetworkSettings, n_channels: int, n_columns: int = 0) -> None:
        super().__init__()
        self.size = settings.embedding_size
        self.sees_pixels = settings.sees_pixels
        self.n_numbers = COLUMN_NUMBERS * n_columns if settings.sees_columns else 0
        self.encoder = build_encoder(settings, n_channels, self.n_numbers)
        self.columns = _column_layers(settings, self.n_numbers) if self.n_numbers else None

    @property
    def encoded_size(self) -> int:
        """Numbers that `encode` gives of a frame."""
        return self.size * self.sees_pixels + self.n_numbers

    def encode(self, frames_nchw: Tensor) -> Tensor:
        """Encode prepared frames, each by itself, (N, `encoded_size`).

        Frames of pixels are (N, C, H, W), of columns (N, F, 1, 4), of both (N, C + 1, H, W) with the columns' numbers
        at the beginning of the last channel. What comes out has the precision of the frames: of mixed precision, only
        matrix products and convolutions are coarse.
        """
        return cast(Tensor, self.encoder(frames_nchw)).to(frames_nchw.dtype)

    def join(self, encoded: Tensor) -> Tensor:
        """Embeddings (..., D) of encoded frames (..., `encoded_size`): of pixels as they are, of columns by layers."""
        if self.columns is None:
            return encoded
        embedded = cast(Tensor, self.columns(encoded[..., -self.n_numbers :])).to(encoded.dtype)
        return embedded + encoded[..., : self.size] if self.sees_pixels else embedded

    def frame_layers(self) -> list[nn.Module]:
        """Give the layers that make an embedding of a frame."""
        return [self.encoder] if self.columns is None else [self.encoder, self.columns]

    def tell_features(self, encoded_nx: Tensor) -> Tensor:
        """Frame features (N, F), standardised, as far as the embeddings of pixels tell them."""
        assert self.features is not None, "the network was built without the auxiliary task"
        return cast(Tensor, self.features(encoded_nx[:, : self.size])).to(encoded_nx.dtype)


def _column_layers(settings: NetworkSettings, n_numbers: int) -> nn.Sequential:
    hidden = settings.columns_size
    return nn.Sequential(nn.Linear(n_numbers, hidden), nn.GELU(), nn.Linear(hidden, settings.embedding_size))


def feature_layer(size: int, n_features: int) -> nn.Linear | None:
    """Layer that tells so many frame features from an embedding (auxiliary task of the training); None for 0."""
    return nn.Linear(size, n_features) if n_features else None


def build_encoder(settings: NetworkSettings, n_channels: int, n_numbers: int = 0) -> nn.Module:
    """Frame encoder named by the settings: see `FrameNetwork.encode`."""
    if settings.encoder == "small_cnn":
        return SmallCnn(settings, n_channels)
    if settings.encoder == "features":
        return nn.Flatten()
    if settings.encoder == "pixels_and_features":
        return PixelsAndColumns(SmallCnn(settings, n_channels), n_numbers)
    from cellfate.models.published_encoder import PublishedEncoder

    return PublishedEncoder(n_channels)
