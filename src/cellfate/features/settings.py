"""Parameters of the measurements made on every crop."""

from typing import Literal

from pydantic import Field

from cellfate.core.settings import Settings


class FeatureSettings(Settings):
    """How the cell is found in its crop and what is measured on it."""

    method: Literal["threshold", "cellpose"] = "threshold"
    """What finds the cell where the tracker gave no mask; cellpose needs the extra of that name, and better a GPU."""
    segmentation_channel: str | None = None
    """Channel looked at where the tracker gave no mask; null: all together, each in units of its own spread."""
    smoothing_px: float = Field(default=1.0, ge=0)
    """Standard deviation in px of the Gaussian that smooths the crop before the search; 0 smooths nothing."""
    min_area_px: int = Field(default=12, ge=3)
    """Smallest mask in px that counts as a cell; a smaller one is a failed segmentation."""
    max_offset_px: float = Field(default=6.0, ge=0)
    """Farthest distance in px from the crop's centre to the mask's nearest pixel; farther is a failed segmentation."""
    min_contrast: float = Field(default=3.0, ge=0)
    """Least difference of the means in and out of a thresholded mask, in robust standard deviations of the outside."""
    max_area_factor: float = Field(default=2.0, gt=1)
    """A mask that is larger or smaller than the running median of the areas by more than this factor is flagged."""
    median_frames: int = Field(default=9, ge=3)
    """Frames of the running median of the areas, half of them before and half after a mask."""
    min_overlap: float = Field(default=0.4, ge=0, le=1)
    """Least intersection over union with the mask of the frame before, once centred; less is flagged."""
    neighbor_radius_px: float = Field(default=40.0, gt=0)
    """Cells whose centres are within this distance in px, in the same frame, count as neighbours."""
