"""The encoder of the published model.

Shape suffixes: n packed frames, c channels, h rows, w columns, d embedding.
"""

from typing import cast

from monai.networks.nets.resnet import ResNet
from torch import Tensor, channels_last

from cellfate.models.recomputing import Staged

_BLOCKS = [3, 4, 6, 3]
_CHANNELS = [64, 128, 256, 512]


class PublishedEncoder(ResNet, Staged):
    """MONAI's ResNet-50 in two dimensions without its last layer, in the form of He et al. 2015.

    First convolution of stride 2, shortcuts without bias (https://arxiv.org/abs/1512.03385). Every block is a stage.

    Parameters
    ----------
    n_channels
        Channels of a frame.
    """

    def __init__(self, n_channels: int) -> None:
        super().__init__(
            "bottleneck",
            _BLOCKS,
            _CHANNELS,
            spatial_dims=2,
            n_input_channels=n_channels,
            conv1_t_stride=2,
            feed_forward=False,
            bias_downsample=False,
        )

    def forward(self, frames_nchw: Tensor) -> Tensor:
        """Embed normalised frames (N, C, H, W) as (N, 2048)."""
        maps_nchw = frames_nchw.contiguous(memory_format=channels_last)  # a fifth faster on CPUs
        for stage in (self._begin, *self.layer1, *self.layer2, *self.layer3, *self.layer4):
            maps_nchw = self.run_stage(stage, maps_nchw)
        return cast(Tensor, self.avgpool(maps_nchw)).flatten(1)

    def _begin(self, frames_nchw: Tensor) -> Tensor:
        """Convolve, normalise and pool, which leaves a sixteenth of the pixels."""
        return cast(Tensor, self.maxpool(self.act(self.bn1(self.conv1(frames_nchw)))))
