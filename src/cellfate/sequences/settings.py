"""What a person decides about crops, samples and splits."""

from typing import Literal

from pydantic import Field, model_validator

from cellfate.core.fates import EVENTS, NONE
from cellfate.core.settings import Settings

Event = Literal["apoptosis", "mitosis"]


class CropSettings(Settings):
    """How cells are cut out of images, and how the crops are stored."""

    height_px: int = Field(ge=8, le=1024)
    """Rows of a crop, in pixels."""
    width_px: int = Field(ge=8, le=1024)
    """Columns of a crop, in pixels."""
    chunk_frames: int = Field(default=32, ge=1)
    """Frames in one chunk of the store; a sequence is read in whole chunks."""
    compression_level: int = Field(default=1, ge=0, le=9)
    """Level of the store's zstd compressor: 0 writes fastest, 9 takes the least disk."""


class SampleSettings(Settings):
    """What one sample is: which frames of a cell are shown, and what is asked about it."""

    kind: Literal["whole_track", "landmark"]
    """`whole_track`: all frames of a cell with a fate, up to the guard. `landmark`: the last ones at regular times."""
    events: tuple[Event, ...] = Field(default=EVENTS, min_length=1)
    """Events that are outcomes; any other event competes: it ends a track and is never an outcome."""
    guard_h: float = Field(default=0.0, ge=0)
    """Hours before the event that are withheld besides the event's own frame."""
    min_frames: int = Field(default=1, ge=1)
    """A sample with fewer tracked frames is left out."""
    max_frames: int | None = Field(default=None, ge=1)
    """A sample shows at most so many last frames; null: all of a whole track, history_frames of a landmark."""
    history_frames: int = Field(default=10, ge=1)
    """`landmark`: frames that a cell must have been watched for, this one included."""
    stride_frames: int = Field(default=3, ge=1)
    """`landmark`: frames from one landmark of a cell to the next."""
    horizon_h: float = Field(default=5.0, gt=0)
    """`landmark`: the event counts when it falls within so many hours after the landmark."""

    @property
    def outcomes(self) -> tuple[str, ...]:
        """Possible outcomes in their fixed order; with two, the first is positive."""
        events = tuple(event for event in EVENTS if event in self.events)
        return events if self.kind == "whole_track" else (*events, NONE)

    @model_validator(mode="after")
    def _check_events(self) -> "SampleSettings":
        if len(set(self.events)) < len(self.events):
            message = f"events {list(self.events)} names an event twice; name each once."
            raise ValueError(message)
        if self.kind == "whole_track" and len(self.events) < 2:
            message = (
                f"kind is 'whole_track' but events lists only {list(self.events)}; list both events, "
                "or set kind to 'landmark'."
            )
            raise ValueError(message)
        return self

    @model_validator(mode="after")
    def _check_times(self) -> "SampleSettings":
        if self.max_frames is not None and self.max_frames < self.min_frames:
            message = f"max_frames {self.max_frames} is less than min_frames {self.min_frames}; raise max_frames."
            raise ValueError(message)
        if self.kind == "landmark" and self.guard_h >= self.horizon_h:
            message = (
                f"guard_h {self.guard_h} is not less than horizon_h {self.horizon_h}, so no landmark can see its "
                "event; lower guard_h."
            )
            raise ValueError(message)
        return self


class SplitSettings(Settings):
    """How samples are parted into training, validation and test."""

    scheme: Literal["grouped_holdout", "random_by_cell", "grouped_folds", "spatial_blocks"]
    """`grouped_holdout`: whole groups, once. `grouped_folds`: each group is tested once. `spatial_blocks`: the same,
    folds are bands of the image. `random_by_cell`: cells at random; cells of one recording stand on both sides."""
    n_folds: int = Field(default=5, ge=2)
    """Number of folds of `grouped_folds` and `spatial_blocks`."""
    test_share: float = Field(default=0.25, gt=0, lt=1)
    """Share of the samples in the test part (holdout and random)."""
    validation_share: float = Field(default=0.15, gt=0, lt=1)
    """Share of the samples in the validation part; with folds, of the samples outside the test part."""
    seed: int = Field(default=0, ge=0)
    """Seed of the random choices."""

    @model_validator(mode="after")
    def _check_shares(self) -> "SplitSettings":
        holds_out = self.scheme in ("grouped_holdout", "random_by_cell")
        if holds_out and self.test_share + self.validation_share >= 1:
            message = (
                f"test_share {self.test_share} and validation_share {self.validation_share} leave nothing to train on; "
                "lower one of them."
            )
            raise ValueError(message)
        return self
