"""Parameters of the measurements made on every crop."""

from pydantic import Field

from cellfate.core.settings import Settings


class FeatureSettings(Settings):
    """How the cell is found in its crop and what is measured on it."""

    segmentation_channel: str | None = None
    """Channel thresholded where the tracker gave no mask; null: all together, each in units of its own spread."""
    smoothing_px: float = Field(default=1.0, ge=0)
    """Standard deviation in px of the Gaussian that smooths the crop before the threshold; 0 smooths nothing."""
    min_area_px: int = Field(default=12, ge=3)
    """Smallest mask in px that counts as a cell; a smaller one is a failed segmentation."""
    max_offset_px: float = Field(default=6.0, ge=0)
    """Farthest distance in px from the crop's centre to the mask's nearest pixel; farther is a failed segmentation."""
    min_contrast: float = Field(default=3.0, ge=0)
    """Least difference of the means in and out of a thresholded mask, in robust standard deviations of the outside."""
    neighbor_radius_px: float = Field(default=40.0, gt=0)
    """Cells whose centres are within this distance in px, in the same frame, count as neighbours."""
