"""What a person decides about crops."""

from typing import Literal

from pydantic import Field, model_validator

from cellfate.core.settings import Settings


class CropSettings(Settings):
    """How cells are cut out of images, and how the crops are stored; a trained model remembers it."""

    height_px: int = Field(ge=8, le=1024)
    """Rows of a crop, in pixels."""
    width_px: int = Field(ge=8, le=1024)
    """Columns of a crop, in pixels."""
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
