"""What a person says about a folder of recordings."""

from typing import Literal

from pydantic import Field, model_validator

from cellfate.core.settings import Settings


class RecordingSettings(Settings):
    """How the folder of recordings is laid out, and what its files do not say."""

    layout: Literal["coco_vid", "cell_tracking_challenge"]
    """How images and tracks lie in the folder: one JSON of annotations, or Cell Tracking Challenge folders."""
    channels: tuple[str, ...] = Field(min_length=1)
    """Channel names in the order of the samples of a pixel; Cell Tracking Challenge folders have one."""
    frame_interval_min: float = Field(gt=0)
    """Time between two frames, in minutes."""
    pixel_size_um: float | None = Field(default=None, gt=0)
    """Side of a pixel in micrometres; null where it is not known."""
    conditions_file: str | None = None
    """CSV in the root with recording_id, condition, dose and, if wanted, group_id; null: every condition `unknown`,
    every dose `Unknown`."""
    annotation_file: str = "annotations.json"
    """`coco_vid`: the annotation file, relative to the root."""
    image_folder: str = "images"
    """`coco_vid`: the folder that the file names in the annotation file start from, relative to the root."""
    labels: Literal["none", "silver_truth", "gold_track"] = "none"
    """`cell_tracking_challenge`: masks of the cells: none, <NN>_ST/SEG, or the markers in <NN>_GT/TRA; where only a
    tracker's result <NN>_RES is given, anything but `none` takes its masks."""
    cell_categories: tuple[int, ...] = Field(default=(1,), min_length=1)
    """`coco_vid`: categories of the annotations that are the cell before its event; others are counted and left out."""
    on_bad_recording: Literal["stop", "skip"] = "stop"
    """Stop at a recording that cannot be used, or set it aside, list it, and go on."""
    group_by: Literal["recording", "lineage"] = "recording"
    """Unit of splits and of the bootstrap: the recording (the group_id of the conditions file where it gives one), or
    the family of the cell."""

    @model_validator(mode="after")
    def _check_channel_names(self) -> "RecordingSettings":
        blank = [name for name in self.channels if not name.strip() or "|" in name]
        if blank or len(set(self.channels)) < len(self.channels):
            message = f"channels {list(self.channels)} must be different names, not blank and without '|'; rename them."
            raise ValueError(message)
        return self

    @model_validator(mode="after")
    def _check_layout(self) -> "RecordingSettings":
        if self.layout == "cell_tracking_challenge" and len(self.channels) != 1:
            message = (
                "layout is 'cell_tracking_challenge', whose images have one channel, but channels lists "
                f"{len(self.channels)}: {list(self.channels)}; name the one channel."
            )
            raise ValueError(message)
        if self.layout == "coco_vid" and self.labels != "none":
            message = f"labels is '{self.labels}' but layout 'coco_vid' has no label images; set labels to 'none'."
            raise ValueError(message)
        if self.layout == "coco_vid" and self.group_by == "lineage":
            message = "group_by is 'lineage' but layout 'coco_vid' knows no parents; set group_by to 'recording'."
            raise ValueError(message)
        return self
