"""What a person decides about training."""

from typing import Literal

from pydantic import Field, model_validator

from cellfate.core.settings import Settings

Monitor = Literal["log_loss", "balanced_accuracy", "auroc"]

LOWER_IS_BETTER = ("log_loss",)
"""Metrics of which the smallest value is the best."""


class AugmentationSettings(Settings):
    """How a training sample is changed each time it is shown."""

    flip_and_rotate: bool = True
    """Mirror and turn all frames of a cell alike, by multiples of 90 degrees."""
    blur_share: float = Field(default=0.0, ge=0, le=1)
    """Share of the cells whose frames are blurred."""
    blur_sigma_px: float = Field(default=1.0, gt=0)
    """Largest standard deviation of the blur, in pixels."""
    drop_end_share: float = Field(default=0.5, ge=0, le=1)
    """`whole_track`: share of the samples whose end is dropped, so that the fate is also learnt from afar."""
    drop_end_least: float = Field(default=0.1, ge=0, lt=1)
    """Least part of the frames that is dropped."""
    drop_end_most: float = Field(default=0.5, ge=0, lt=1)
    """Largest part of the frames that is dropped."""
    shown_frames: int | None = Field(default=None, ge=1)
    """Show at most so many frames of a sample, drawn anew each time; null shows all. Fewer is faster."""

    @model_validator(mode="after")
    def _check_drop(self) -> "AugmentationSettings":
        if self.drop_end_least > self.drop_end_most:
            message = (
                f"drop_end_least {self.drop_end_least} is more than drop_end_most {self.drop_end_most}; "
                "lower drop_end_least."
            )
            raise ValueError(message)
        return self


class TrainingSettings(Settings):
    """How the network is fitted."""

    max_epochs: int = Field(ge=1)
    """Most passes over the training samples."""
    monitor: Monitor = "log_loss"
    """Validation metric that chooses the checkpoint, stops the training and lowers the learning rate. `log_loss` is the
    mean over the outcomes of their samples' mean."""
    patience_epochs: int = Field(default=10, ge=1)
    """Stop after so many epochs without a better value of `monitor`."""
    optimizer: Literal["adam", "adamw"] = "adamw"
    """`adam` adds weight decay to the gradient, `adamw` takes it off the weights."""
    learning_rate: float = Field(default=1e-3, gt=0)
    """Size of a step at the start."""
    weight_decay: float = Field(default=1e-3, ge=0)
    """Strength of the pull of weights to zero."""
    plateau_epochs: int = Field(default=4, ge=0)
    """Lower the learning rate after so many epochs without a better value of `monitor`."""
    plateau_factor: float = Field(default=0.5, gt=0, lt=1)
    """The learning rate is then multiplied by this."""
    gradient_clip: float = Field(default=1.0, gt=0)
    """Longest gradient, as a norm; longer ones are shortened to it."""
    average_decay: float = Field(default=0.0, ge=0, lt=1)
    """Validate and keep a running mean of the weights, to which each step adds `1 - average_decay` of the new ones; 0
    keeps the weights themselves."""
    max_frames_per_batch: int = Field(default=800, ge=1)
    """Most frames in a batch; bounds memory."""
    balance: Literal["sampling", "loss_weights", "none"] = "sampling"
    """How outcomes get equal weight: samples are drawn with equal odds per outcome, or weighted in the loss."""
    samples_per_epoch: int | None = Field(default=None, ge=1)
    """Samples drawn in an epoch; null draws as many as there are."""
    precision: Literal["32-true", "16-mixed", "bf16-mixed"] = "32-true"
    """Arithmetic: `32-true` everywhere, or mixed precision for GPUs that gain by it."""
    threads: int | None = Field(default=None, ge=1)
    """CPU threads of a step; null leaves it to torch. Small networks gain little by a second one, and waiting threads
    take the processor from whatever else runs."""
    cache_limit_mb: int = Field(default=2048, ge=0)
    """Crops are kept in memory up to so many megabytes; the rest is read again for each batch."""
    augmentation: AugmentationSettings = AugmentationSettings()
    """How samples are changed each time they are shown."""
    seed: int = Field(default=0, ge=0)
    """Seed of initial weights, sampling, augmentation and dropout."""
    checkpoint_folder: str
    """Folder of checkpoints; an unfinished training with the same data and settings goes on from there."""

    @model_validator(mode="after")
    def _check_patience(self) -> "TrainingSettings":
        if self.plateau_epochs >= self.patience_epochs:
            message = (
                f"plateau_epochs {self.plateau_epochs} is not less than patience_epochs {self.patience_epochs}, so the "
                "learning rate would never be lowered; lower plateau_epochs."
            )
            raise ValueError(message)
        return self
