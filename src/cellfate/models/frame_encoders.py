"""Networks that turn one frame into one embedding.

Shape suffixes: n packed real frames, c channels, h rows, w columns, d embedding.
"""

import os
from itertools import pairwise
from typing import cast

# Batches differ in their number of frames, and oneDNN keeps compiled kernels for each of up to 1024 shapes, which takes
# gigabytes within minutes. It reads this when it is first used; a value that the user set stays.
os.environ.setdefault("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "8")

from torch import Tensor, channels_last, nn

from cellfate.models.settings import NetworkSettings


class SmallCnn(nn.Module):
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
        stages: list[nn.Module] = []
        for n_in, n_out in pairwise(widths):
            stages += [nn.Conv2d(n_in, n_out, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(n_out), nn.ReLU()]
        self.stages = nn.Sequential(*stages)
        self.grid = nn.AdaptiveAvgPool2d(settings.encoder_grid)
        self.project = nn.Linear(widths[-1] * settings.encoder_grid**2, settings.embedding_size)

    def forward(self, frames_nchw: Tensor) -> Tensor:
        """Embed normalised frames (N, C, H, W) as (N, D)."""
        # channels last in memory: twice as fast on CPUs
        maps_nchw = self.grid(self.stages(frames_nchw.contiguous(memory_format=channels_last)))
        return cast(Tensor, self.project(maps_nchw.flatten(1)))


class FrameNetwork(nn.Module):
    """What both networks have in common: the frame encoder, and a layer that tells frame features from embeddings.

    Parameters
    ----------
    settings
        Architecture.
    n_channels
        Channels of a frame, a mask channel included.
    """

    features: nn.Linear | None

    def __init__(self, settings: NetworkSettings, n_channels: int) -> None:
        super().__init__()
        self.size = settings.embedding_size
        self.encoder = build_encoder(settings, n_channels)

    def encode(self, frames_nchw: Tensor) -> Tensor:
        """Embed prepared frames (N, C, H, W) as (N, D), each by itself."""
        return cast(Tensor, self.encoder(frames_nchw))

    def tell_features(self, embeddings_nd: Tensor) -> Tensor:
        """Frame features (N, F), standardised, as far as the embeddings tell them."""
        assert self.features is not None, "the network was built without the auxiliary task"
        return cast(Tensor, self.features(embeddings_nd))


def feature_layer(size: int, n_features: int) -> nn.Linear | None:
    """Layer that tells so many frame features from an embedding (auxiliary task of the training); None for 0."""
    return nn.Linear(size, n_features) if n_features else None


def build_encoder(settings: NetworkSettings, n_channels: int) -> nn.Module:
    """Frame encoder named by the settings: a module from (N, C, H, W) to (N, D).

    The ResNet-50 is MONAI's in two dimensions without its last layer, in the form of He et al. 2015
    (https://arxiv.org/abs/1512.03385): first convolution of stride 2, shortcuts without bias.
    """
    if settings.encoder == "small_cnn":
        return SmallCnn(settings, n_channels)
    from monai.networks.nets.resnet import resnet50

    network = resnet50(
        spatial_dims=2, n_input_channels=n_channels, conv1_t_stride=2, feed_forward=False, bias_downsample=False
    )
    return cast(nn.Module, network)
