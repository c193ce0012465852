"""What a person decides about training."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from cellfate.core.settings import Settings

Monitor = Literal["log_loss", "balanced_accuracy", "auroc"]


class AugmentationSettings(Settings):
    """How the frames of a cell are changed each time they are shown in training."""

    flip_and_rotate: bool = True
    """Mirror and turn all frames of a cell alike, by multiples of 90 degrees."""
    blur_share: float = Field(default=0.0, ge=0, le=1)
    """Share of the cells whose frames are blurred."""
    blur_sigma_px: float = Field(default=1.0, gt=0)
    """Largest standard deviation of the blur, in pixels."""
    absent_share: float = Field(default=0.0, ge=0, le=1)
    """Share of the cells in which channels are absent (0) for stretches of frames, so that the network knows what it
    is to see nothing; explanations ask just that."""


class TrackAugmentationSettings(AugmentationSettings):
    """And which of the frames of a track are shown, to a network that reads it at its end."""

    drop_end_share: float = Field(default=0.5, ge=0, le=1)
    """Share of the cells whose end is dropped, so that the fate is also learnt from afar."""
    drop_end_least: float = Field(default=0.1, ge=0, lt=1)
    """Least part of the frames that is dropped."""
    drop_end_most: float = Field(default=0.5, ge=0, lt=1)
    """Largest part of the frames that is dropped."""
    shown_frames: int | None = Field(default=None, ge=1)
    """Show at most so many frames of a cell, drawn anew each time; null shows all. Fewer is faster."""

    @model_validator(mode="after")
    def _check_drop(self) -> Self:
        if self.drop_end_least > self.drop_end_most:
            raise ValueError(
                f"drop_end_least {self.drop_end_least} is more than drop_end_most {self.drop_end_most}; "
                "lower drop_end_least."
            )
        return self


class FittingSettings(Settings):
    """How any network is fitted."""

    max_epochs: int = Field(ge=1)
    """Most passes over the training cells."""
    monitor: Monitor = "log_loss"
    """Validation metric that chooses the checkpoint, stops the training and lowers the learning rate."""
    patience_epochs: int = Field(default=10, ge=1)
    """Stop after so many epochs without a better value of `monitor`."""
    optimizer: Literal["adam", "adamw"] = "adamw"
    """`adam` adds weight decay to the gradient, `adamw` takes it off the weights."""
    learning_rate: float = Field(default=1e-3, gt=0)
    """Size of a step at the start."""
    weight_decay: float = Field(default=1e-3, ge=0)
    """Strength of the pull of weights to zero."""
    schedule: Literal["plateau", "cosine"] = "plateau"
    """How the learning rate falls: when `monitor` gets no better (`plateau_epochs`, `plateau_factor`), or as half a
    cosine, step by step, to 0 at the end of `max_epochs`."""
    warmup_epochs: float = Field(default=0.0, ge=0)
    """Passes over the training cells, or a part of one, in which the learning rate rises from 0, step by step."""
    plateau_epochs: int = Field(default=4, ge=0)
    """`plateau`: lower the learning rate after so many epochs without a better value of `monitor`."""
    plateau_factor: float = Field(default=0.5, gt=0, lt=1)
    """The learning rate is then multiplied by this."""
    gradient_clip: float = Field(default=1.0, gt=0)
    """Longest gradient, as a norm; longer ones are shortened to it."""
    average_decay: float = Field(default=0.0, ge=0, lt=1)
    """Validate and keep a running mean of the weights, to which each step adds `1 - average_decay` of the new ones; 0
    keeps the weights themselves."""
    max_frames_per_batch: int = Field(default=800, ge=1)
    """Most frames in a batch; bounds memory."""
    pretraining_epochs: int = Field(default=0, ge=0)
    """Passes over all training crops, in random order, in which the encoder learns to tell frame features."""
    pretraining_rate: float = Field(default=2e-3, gt=0)
    """Learning rate of the pretraining at its start; it falls to 0 as a cosine."""
    pretraining_frames: int = Field(default=300, ge=1)
    """Crops in a batch of the pretraining."""
    time_arrow_weight: float = Field(default=0.0, ge=0)
    """Weight, in the pretraining, of telling which of two frames of a cell came first (time-arrow prediction, Gallusser
    et al. 2023, https://arxiv.org/abs/2305.05511) beside telling features; 0: off."""
    time_arrow_frames: int = Field(default=2, ge=1)
    """Frames from the one to the other."""
    encoder_rate: float = Field(default=1.0, ge=0, le=1)
    """Learning rate of the encoder after the pretraining, as a share of the other layers'; 0 leaves it as it is."""
    feature_weight: float = Field(default=0.0, ge=0)
    """Weight of the frame features' squared error beside the loss, after the pretraining; 0: none."""
    precision: Literal["32-true", "16-mixed", "bf16-mixed"] = "32-true"
    """Arithmetic: `32-true` everywhere, or mixed precision where processor or GPU gain by it. Losses, softmax, batch
    statistics and weights stay float32, and so do forecasts; with `16-mixed` the pretraining too."""
    checkpoint_activations: bool = False
    """Compute blocks of the network a second time in the backward pass instead of keeping what is in them: less memory,
    about a third more time, the same numbers."""
    compile: bool = False
    """Compile the encoder by `torch.compile`: minutes at the start, rounding differs; needs a C++ compiler."""
    loading_threads: int = Field(default=1, ge=0)
    """Threads that read and prepare batches ahead, each one; 0: every step waits for its batch. The result is the
    same."""
    devices: int = Field(default=1, ge=1)
    """GPUs of a machine that train one network together, or processes where there is no GPU. Each has its own batches,
    of `max_frames_per_batch`, so that a step is so many times larger."""
    num_nodes: int = Field(default=1, ge=1)
    """Machines that train one network together, with so many devices each; see docs/running.md."""
    only_folds: tuple[Annotated[int, Field(ge=0)], ...] | None = Field(default=None, min_length=1)
    """Train these folds alone, and save nothing but them, for a run that takes all together; null: a usual run."""
    threads: int | None = Field(default=None, ge=1)
    """CPU threads of a step, and most of a forecast; null leaves it to torch. Small networks gain little by a second
    one, and waiting threads take the processor from whatever else runs."""
    cache_limit_mb: int = Field(default=2048, ge=0)
    """Crops are kept in memory up to so many megabytes; the rest is read again for each batch."""
    augmentation: AugmentationSettings = AugmentationSettings()
    """How cells are changed each time they are shown."""
    seed: int = Field(default=0, ge=0)
    """Seed of initial weights, drawing, augmentation and dropout."""
    checkpoint_folder: str
    """Folder of checkpoints; an unfinished training with the same data and settings goes on from there."""
    checkpoint_minutes: float = Field(default=10.0, gt=0)
    """Minutes from one checkpoint within a pass to the next: the work that is done again after a training was
    killed."""

    @property
    def learns_features(self) -> bool:
        """Whether the network is taught to tell frame features, in the pretraining or after it."""
        return self.pretraining_epochs > 0 or self.feature_weight > 0

    def without_pixels(self) -> Self:
        """Give the same for a network that reads no pixels: it is not asked to tell what it is told, and all learns."""
        return self.model_copy(update={"pretraining_epochs": 0, "encoder_rate": 1.0, "feature_weight": 0.0})

    @model_validator(mode="after")
    def _check_encoder(self) -> Self:
        if self.encoder_rate == 0 and self.pretraining_epochs == 0:
            raise ValueError(
                "encoder_rate and pretraining_epochs are both 0, so the encoder would never learn; raise one."
            )
        return self

    @model_validator(mode="after")
    def _check_features(self) -> Self:
        if self.encoder_rate == 0 and self.feature_weight > 0:
            raise ValueError(
                f"feature_weight is {self.feature_weight:g} but encoder_rate is 0: nothing would learn; set one."
            )
        return self

    @model_validator(mode="after")
    def _check_kernels(self) -> Self:
        if self.compile and self.checkpoint_activations:
            raise ValueError(
                "compile and checkpoint_activations are both true, but compiled code chooses itself what it computes "
                "again; set one of them to false."
            )
        return self

    @model_validator(mode="after")
    def _check_patience(self) -> Self:
        if self.schedule == "plateau" and self.plateau_epochs >= self.patience_epochs:
            raise ValueError(
                f"plateau_epochs {self.plateau_epochs} is not less than patience_epochs {self.patience_epochs}, so the "
                "learning rate would never be lowered; lower plateau_epochs."
            )
        return self

    @model_validator(mode="after")
    def _check_warmup(self) -> Self:
        if self.warmup_epochs >= self.max_epochs:
            raise ValueError(
                f"warmup_epochs {self.warmup_epochs:g} is not less than max_epochs {self.max_epochs}, so the training "
                "would end before it is at its learning_rate; lower warmup_epochs."
            )
        return self


class TrainingSettings(FittingSettings):
    """How the classifier is fitted; its `log_loss` is the mean over the fates of their cells' mean."""

    balance: Literal["sampling", "loss_weights", "none"] = "sampling"
    """How fates get equal weight: cells are drawn with equal odds per fate, or weighted in the loss."""
    cells_per_epoch: int | None = Field(default=None, ge=1)
    """Cells drawn in an epoch; null draws as many as there are."""
    augmentation: TrackAugmentationSettings = TrackAugmentationSettings()
    """How cells are changed each time they are shown, and which of their frames are."""


class ClockTrainingSettings(FittingSettings):
    """How the fate clock is fitted: its encoder to tell frame features, then all of it to the competing risks."""

    monitor: Literal["log_loss"] = "log_loss"
    """The negative log likelihood of the competing risks, a frame shown: the only metric that censored cells have."""
    train_on: Literal["all", "decided"] = "all"
    """`all`: censored cells teach too, up to the last frame in which they were seen; `decided`: only cells with a
    fate do, as in the published classifier (for comparison: it biases hazards upwards)."""
    pretraining_epochs: int = Field(default=8, ge=0)
    """Passes of the pretraining over all training crops."""
    encoder_rate: float = Field(default=0.0, ge=0, le=1)
    """Learning rate of the encoder after it, as a share of the other layers'."""


class SeedSettings(Settings):
    """How often either model is trained, to see what another seed would give."""

    n_seeds: int = Field(default=1, ge=1)
    """Trainings of the classifier and of the fate clock, from the seeds `training.seed` and `clock_training.seed` and
    those that follow. The model of the first is kept, of the others only forecasts; from 3 on the scores say what
    another training would give."""
