"""What a person decides about the networks, and about the boosting beside the clock's."""

from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from cellfate.core.settings import Settings
from cellfate.models.booster_text import MAX_LEAVES

RESNET50_FEATURES = 2048
MAX_WIDTH = 65_536
MAX_LAYERS = 256
"""Beyond these a network is a slip of the pen, or a model folder that is to exhaust the machine."""


class NetworkSettings(Settings):
    """Architecture of a network: one family, from a small one to the published one, read in two ways."""

    encoder: Literal["small_cnn", "resnet50", "features", "pixels_and_features"] = "small_cnn"
    """What sees one frame. Of pixels: `small_cnn` keeps where things are; `resnet50` is the published one. `features`
    reads columns of measurements instead; `pixels_and_features` both, pixels by `small_cnn`."""
    columns: tuple[str, ...] | None = Field(default=None, min_length=1)
    """`features`: columns of table `frame_features` that are read (a spot feature is called `tracker_<name>`); null:
    those that boosting is given. The fate clock reads the context that its boosting is told beside them."""
    columns_size: int = Field(default=64, ge=1, le=MAX_WIDTH)
    """`features`: width of the layer between the columns of a frame and its embedding."""
    encoder_channels: tuple[Annotated[int, Field(ge=1, le=MAX_WIDTH)], ...] = Field(
        default=(16, 32, 64), min_length=1, max_length=16
    )
    """`small_cnn`: feature maps after each convolution of stride 2."""
    encoder_grid: int = Field(default=5, ge=1, le=64)
    """`small_cnn`: the last maps are averaged on a grid of so many rows and columns, then flattened."""
    embedding_size: int = Field(default=64, ge=2, le=MAX_WIDTH)
    """Numbers that describe one frame, and width of the Transformer; 2048 for `resnet50`."""
    n_layers: int = Field(default=2, ge=0, le=MAX_LAYERS)
    """Transformer layers; with 0 the embeddings are read as they are."""
    n_heads: int = Field(default=4, ge=1, le=MAX_WIDTH)
    """Attention heads of a Transformer layer; the pooling attention always has one."""
    feed_forward_size: int = Field(default=128, ge=1, le=MAX_WIDTH)
    """Width of the feed-forward part of a Transformer layer."""
    dropout: float = Field(default=0.1, ge=0, lt=1)
    """Share of activations dropped in training."""
    intensity: Literal["standardised", "above_background"] = "standardised"
    """Scale of the pixels: less the mean of the training cells, in their standard deviations; or less the median of
    each crop, in the same unit, compressed by the inverse hyperbolic sine, so that brightness keeps its meaning."""
    mask_channel: bool = False
    """Whether the mask of the cell is shown as one more channel: the tracker's, else a threshold's."""

    @property
    def sees_pixels(self) -> bool:
        """Whether images are read."""
        return self.encoder != "features"

    @property
    def sees_columns(self) -> bool:
        """Whether columns of measurements are read."""
        return self.encoder in ("features", "pixels_and_features")

    @property
    def sees_mask(self) -> bool:
        """Whether the mask of the cell is shown."""
        return self.sees_pixels and self.mask_channel

    @model_validator(mode="after")
    def _check_sizes(self) -> Self:
        if self.embedding_size % (2 * self.n_heads):
            raise ValueError(
                f"embedding_size {self.embedding_size} is not a multiple of twice n_heads {self.n_heads}; "
                "change one of them."
            )
        if self.encoder == "resnet50" and self.embedding_size != RESNET50_FEATURES:
            raise ValueError(
                f"encoder 'resnet50' gives {RESNET50_FEATURES} features but embedding_size is {self.embedding_size}; "
                f"set embedding_size to {RESNET50_FEATURES}."
            )
        return self


class ModelSettings(NetworkSettings):
    """Architecture of the classifier, which reads a whole track at its end; its pooling attends also without layers."""


class CausalSettings(Settings):
    """The causal reading: hazards at every frame, from that frame and those before it."""

    history_frames: int = Field(default=20, ge=1, le=100_000)
    """Tracked frames, the one read included, that each layer of attention looks back on."""
    statistics_frames: tuple[Annotated[int, Field(le=100_000)], ...] = Field(default=(10, 20), max_length=100)
    """Windows, in tracked frames, over which mean, change and spread of the embeddings are taken beside attention; a
    younger cell's window is filled up with its first frame. Empty: none."""
    hidden_size: int = Field(default=64, ge=1, le=MAX_WIDTH)
    """Width of the layer before the hazards."""
    age: bool = True
    """Whether the time since the track began, and whether it began with the recording, are given. Attention counts its
    positions from there, so without it too the age is hidden only when `n_layers` is 0."""

    @model_validator(mode="after")
    def _check_windows(self) -> Self:
        if any(frames < 2 for frames in self.statistics_frames):
            raise ValueError(f"statistics_frames is {list(self.statistics_frames)}; a window needs at least 2 frames.")
        return self


class ClockNetworkSettings(NetworkSettings):
    """Architecture of the fate clock's network, which reads hazards at every frame."""

    mask_channel: bool = True
    """Whether the mask of the cell is shown as one more channel: the tracker's, else a threshold's."""
    causal: CausalSettings = CausalSettings()
    """What is read at a frame."""

    @model_validator(mode="before")
    @classmethod
    def _lift_mask_channel(cls, given: Any) -> Any:
        """Read a model folder of an earlier version, which has `mask_channel` within `causal`."""
        causal = given.get("causal") if isinstance(given, dict) else None
        if not isinstance(causal, dict) or "mask_channel" not in causal or "mask_channel" in given:
            return given
        rest = {name: value for name, value in causal.items() if name != "mask_channel"}
        return {**given, "causal": rest, "mask_channel": causal["mask_channel"]}

    @model_validator(mode="after")
    def _check_past(self) -> Self:
        if self.n_layers == 0 and not self.causal.statistics_frames:
            raise ValueError(
                "n_layers is 0 and statistics_frames is empty, so the past would not be seen; change one of them."
            )
        return self


def reach_frames(settings: ClockNetworkSettings) -> int:
    """Tracked frames, the one read included, beyond which the network sees nothing of a cell but its age."""
    of_attention = settings.n_layers * (settings.causal.history_frames - 1) + 1
    return max(of_attention, *settings.causal.statistics_frames, 1)


class BoostingSettings(Settings):
    """Hazards by gradient boosting; a few trees of few leaves for every bin of time, the same for all data."""

    n_trees: int = Field(default=160, ge=1, le=10_000)
    """Trees of a bin of time (of each outcome of it, when there are several events); fixed, no early stop."""
    max_leaf_nodes: int = Field(default=8, ge=2, le=MAX_LEAVES)
    """Leaves of one tree."""
    min_samples_leaf: int = Field(default=40, ge=1)
    """Landmarks in a leaf, at least; lowered to a quarter of the landmarks of the bin where those are fewer."""
    l2_regularization: float = Field(default=5.0, ge=0)
    """L2 penalty of the leaf values."""
    learning_rate: float = Field(default=0.05, gt=0, le=1)
    """Shrinkage of each tree."""
    value_bins: int = Field(default=63, ge=2, le=255)
    """Values of an input are told apart on so many steps, at most."""
    n_threads: int = Field(default=1, ge=1)
    """CPU threads; the result is the same with any number."""
    seed: int = Field(default=7, ge=0)
    """Seed of the boosting."""


BlendPart = Literal["network", "boosting", "boosting_on_embeddings"]


class BlendSettings(Settings):
    """Unlike forecasters of the same hazards, blended by the weighted mean of their log odds."""

    parts: tuple[BlendPart, ...] = Field(default=("network", "boosting"), min_length=1)
    """What is blended: the network; boosted hazards on measurements of the cell; the same on the network's
    embeddings."""
    history_h: float = Field(default=10.0, gt=0)
    """Hours before a frame that measurements are summarised over."""
    boosting: BoostingSettings = BoostingSettings()
    """Both boostings."""

    @model_validator(mode="after")
    def _check_parts(self) -> Self:
        if len(set(self.parts)) < len(self.parts):
            raise ValueError(f"parts {list(self.parts)} names a part twice; name each once.")
        return self
