"""What a person decides about crops."""

import math
from typing import Any, Literal

from pydantic import Field, model_validator

from cellfate.core.settings import Settings

CROP_DIAMETERS = 2.8
"""Side of a crop, in diameters of a cell."""
MAX_CROP_PX = 1024
"""Longest side of a crop."""


class CropSettings(Settings):
    """How cells are cut out of images, and how the crops are stored; a trained model remembers it."""

    cell_diameter_px: float | None = Field(default=None, gt=0)
    """Usual diameter of a cell (of its nucleus, where that is what is imaged), in pixels. A crop whose size is not
    given has sides of `CROP_DIAMETERS` of it, rounded up to a multiple of 8, so that a cell that has grown fits in."""
    height_px: int = Field(ge=8, le=MAX_CROP_PX)
    """Rows of a crop, in pixels; null: follows from the diameter."""
    width_px: int = Field(ge=8, le=MAX_CROP_PX)
    """Columns of a crop, in pixels; null: follows from the diameter."""
    chunk_frames: int = Field(default=32, ge=1)
    """Frames in one chunk of the store; a sequence is read in whole chunks."""
    compression: Literal["none", "lz4", "zstd"] = "lz4"
    """`none`: read fastest. `lz4`: some 60 % of the size, nearly as fast. `zstd`: smaller by up to a fifth, but three
    to five times slower to write and to read than lz4."""
    compression_level: int = Field(default=1, ge=0, le=9)
    """Level of the compressor: 0 writes fastest, 9 takes the least disk; `none` has no levels."""
    correction: Literal["none", "flat_field"] = "none"
    """`flat_field`: every image is divided by the evenness of its illumination before it is cut:
    (raw - background) / (flat / mean of flat) + background, rounded and kept within the camera's range."""
    flat_field_file: str | None = None
    """`flat_field`: TIFF (Y, X) or (C, Y, X) of the illumination, without the camera's offset; relative to the root of
    the recordings, also of those that a trained model is given later."""
    background: float | tuple[float, ...] = 0.0
    """`flat_field`: counts of the camera in the dark, one number or one a channel."""

    @model_validator(mode="before")
    @classmethod
    def _size_crop(cls, given: Any) -> Any:
        if not isinstance(given, dict) or None not in (given.get("height_px"), given.get("width_px")):
            return given
        diameter_px = given.get("cell_diameter_px")
        if not isinstance(diameter_px, int | float) or not 0 < diameter_px < MAX_CROP_PX:
            raise ValueError(
                f"height_px is {given.get('height_px')}, width_px {given.get('width_px')} and cell_diameter_px "
                f"{diameter_px}; give the diameter of a cell in pixels, or the size of a crop."
            )
        side_px = min(MAX_CROP_PX, 8 * math.ceil(CROP_DIAMETERS * diameter_px / 8))
        return given | {key: side_px for key in ("height_px", "width_px") if given.get(key) is None}

    @model_validator(mode="after")
    def _check_correction(self) -> "CropSettings":
        if (self.correction == "flat_field") != (self.flat_field_file is not None):
            raise ValueError(
                f"correction is '{self.correction}' and flat_field_file is {self.flat_field_file!r}; give the file "
                "with correction 'flat_field', and null with 'none'."
            )
        if self.background == ():
            raise ValueError("background is an empty list; give one number, or one a channel.")
        return self


class CropBuildSettings(Settings):
    """Where and how crops are computed; the crops do not depend on it, and no model remembers it."""

    workers: int = Field(default=0, ge=0)
    """Recordings that are cut at the same time on this machine, each by a process of its own; 0 and 1: by this one."""
    scheduler_address: str | None = None
    """Address of a dask scheduler, such as tcp://host:8786, whose workers see the same folders; null: this machine."""
    memory_limit_mb: int = Field(default=1024, ge=1)
    """Megabytes (10^6 bytes) of crops of one recording held in memory; those of a larger recording lie in a scratch
    file until they are stored."""
    scratch_folder: str | None = None
    """Folder of scratch files, on a disk and not in memory; null: beside the store."""

    @model_validator(mode="after")
    def _check_workers(self) -> "CropBuildSettings":
        if self.workers > 1 and self.scheduler_address is not None:
            raise ValueError(
                f"workers is {self.workers} and scheduler_address is '{self.scheduler_address}'; set workers to 0, "
                "or scheduler_address to null."
            )
        return self
