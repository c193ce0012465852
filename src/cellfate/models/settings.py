"""What a person decides about the network, and about the boosting beside it."""

from typing import Literal

from pydantic import Field, model_validator

from cellfate.core.settings import Settings

RESNET50_FEATURES = 2048


class ModelSettings(Settings):
    """Architecture of the fate classifier: one design, from a small network to the published one."""

    encoder: Literal["small_cnn", "resnet50"] = "small_cnn"
    """Network that sees one frame: `small_cnn` keeps where things are; `resnet50` is the published one."""
    encoder_channels: tuple[int, ...] = Field(default=(16, 32, 64), min_length=1)
    """`small_cnn`: feature maps after each convolution of stride 2."""
    encoder_grid: int = Field(default=5, ge=1)
    """`small_cnn`: the last maps are averaged on a grid of so many rows and columns, then flattened."""
    embedding_size: int = Field(default=64, ge=2)
    """Numbers that describe one frame, and width of the Transformer; 2048 for `resnet50`."""
    n_layers: int = Field(default=2, ge=1)
    """Transformer layers."""
    n_heads: int = Field(default=4, ge=1)
    """Attention heads of a Transformer layer; the pooling attention always has one."""
    feed_forward_size: int = Field(default=128, ge=1)
    """Width of the feed-forward part of a Transformer layer."""
    dropout: float = Field(default=0.1, ge=0, lt=1)
    """Share of activations dropped in training."""

    @model_validator(mode="after")
    def _check_sizes(self) -> "ModelSettings":
        if self.embedding_size % (2 * self.n_heads):
            message = (
                f"embedding_size {self.embedding_size} is not a multiple of twice n_heads {self.n_heads}; "
                "change one of them."
            )
            raise ValueError(message)
        if self.encoder == "resnet50" and self.embedding_size != RESNET50_FEATURES:
            message = (
                f"encoder 'resnet50' gives {RESNET50_FEATURES} features but embedding_size is {self.embedding_size}; "
                f"set embedding_size to {RESNET50_FEATURES}."
            )
            raise ValueError(message)
        return self


class BoostingSettings(Settings):
    """Hazards by gradient boosting; a few trees of few leaves for every bin of time, the same for all data."""

    n_trees: int = Field(default=80, ge=1)
    """Trees of a bin of time (of each outcome of it, when there are several events); fixed, no early stop."""
    max_leaf_nodes: int = Field(default=8, ge=2)
    """Leaves of one tree."""
    min_samples_leaf: int = Field(default=40, ge=1)
    """Landmarks in a leaf, at least; lowered to a twentieth of the landmarks of the bin where those are fewer."""
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
