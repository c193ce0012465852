"""Parameters of the measurements made on every crop."""

from dataclasses import dataclass
from typing import Literal, Self

from pydantic import Field, model_validator

from cellfate.core.settings import Settings

ContextName = Literal["age", "recording_time", "treatment_time", "dose", "crowding", "mother", "sister"]


@dataclass(frozen=True)
class Lengths:
    """Lengths of what is measured, in px; each is explained by the parameter of its name."""

    min_area_px: float
    max_offset_px: float
    neighbor_radius_px: float


class FeatureSettings(Settings):
    """How the cell is found in its crop and what is measured on it."""

    method: Literal["threshold", "cellpose"] = "threshold"
    """What finds the cell where the tracker gave no mask; cellpose needs the extra of that name, and better a GPU."""
    segmentation_channel: str | None = None
    """Channel looked at where the tracker gave no mask; null: all together, each in units of its own spread."""
    smoothing_px: float = Field(default=1.0, ge=0)
    """Standard deviation in px of the Gaussian that smooths the crop before the search; 0 smooths nothing."""
    min_area_px: int | None = Field(default=None, ge=3)
    """Smallest mask in px that counts as a cell; a smaller one is a failed segmentation. null: .0075 of the crop."""
    max_offset_px: float | None = Field(default=None, ge=0)
    """Farthest distance in px from the crop's centre to the mask's nearest pixel; farther is a failed segmentation.
    null: .15 of the crop's shorter side."""
    min_contrast: float = Field(default=3.0, ge=0)
    """Least difference of the means in and out of a thresholded mask, in robust standard deviations of the outside."""
    max_area_factor: float = Field(default=2.0, gt=1)
    """A mask that is larger or smaller than the running median of the areas by more than this factor is flagged."""
    median_frames: int = Field(default=9, ge=3)
    """Frames of the running median of the areas, half of them before and half after a mask."""
    min_overlap: float = Field(default=0.4, ge=0, le=1)
    """Least intersection over union with the mask of the frame before, once centred; less is flagged."""
    neighbor_radius_px: float | None = Field(default=None, gt=0)
    """Cells whose centres are within this distance in px, in the same frame, count as neighbours. null: the crop's
    shorter side."""

    def lengths(self, height_px: int, width_px: int) -> Lengths:
        """Lengths on crops of this size: those that are null follow from it.

        Examples
        --------
        >>> FeatureSettings(max_offset_px=9).lengths(40, 40)
        Lengths(min_area_px=12, max_offset_px=9.0, neighbor_radius_px=40)
        """
        side_px = min(height_px, width_px)
        return Lengths(
            max(3, round(0.0075 * height_px * width_px)) if self.min_area_px is None else self.min_area_px,
            0.15 * side_px if self.max_offset_px is None else self.max_offset_px,
            side_px if self.neighbor_radius_px is None else self.neighbor_radius_px,
        )


class ContextSettings(Settings):
    """What boosted hazards are told of a landmark beside measurements."""

    names: tuple[ContextName, ...] = ("age", "treatment_time")
    """`age`: hours since the track began, and whether it began in view. `treatment_time`: hours since the treatment,
    where the table of conditions has `treatment_h`. `recording_time`: hours since the recording began; it means
    something else in recordings that began otherwise, and forecasts of these suffer. `dose`. `crowding`: neighbours in
    the last frame. Where tracks say who came from whom, `mother`: the length of her cycle; `sister`: whether she is
    alive, or how long ago she divided or died, as it stood a guard before."""

    @model_validator(mode="after")
    def _check_names(self) -> Self:
        if len(set(self.names)) < len(self.names):
            raise ValueError(f"names {list(self.names)} repeats one; name each once.")
        return self
