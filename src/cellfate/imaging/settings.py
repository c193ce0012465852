"""What a person says about a folder of recordings."""

import re
from string import Formatter
from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from cellfate.core.settings import Settings

PRESETS = ("micromanager", "metamorph", "imagexpress", "incucyte")
"""Named patterns of `file_pattern`."""
Layout = Literal["coco_vid", "cell_tracking_challenge", "file_pattern", "tiff_stacks", "ome_zarr", "vendor", "traces"]
WITH_TRACKS: tuple[Layout, ...] = ("coco_vid", "cell_tracking_challenge")
"""Layouts in which images and tracks lie together and the files say nothing about time or channels."""


class ConditionColumns(Settings):
    """Names of the columns of the table of conditions."""

    recording_id: str = "recording_id"
    """Name of the recording."""
    condition: str | None = "condition"
    """What was done to it, such as the drug; null, or a table without `condition`: the dose says it."""
    dose: str | None = "dose"
    """How much of it, a number or a word; null: the condition says it."""
    dose_unit: str | None = "dose_unit"
    """Unit of the dose on this line; null, or a table without `dose_unit`: the parameter `dose_unit`."""
    group_id: str | None = "group_id"
    """Well, plate or day that recordings share; null, or a table without `group_id`: each recording is its own."""
    treatment_h: str | None = "treatment_h"
    """Hours from the first frame to the treatment, negative where it came before; null, or a table without
    `treatment_h`, or a blank field: not known."""

    recording_end_h: str | None = "recording_end_h"
    """`traces`: hours from the first frame to the last that was filmed; null, or a table without it: the parameter
    `traces.end_h`."""

    @model_validator(mode="after")
    def _check_treatment(self) -> "ConditionColumns":
        if self.condition is None and self.dose is None:
            raise ValueError("condition and dose are both null, but one of them is needed; name a column.")
        return self


class TraceSettings(Settings):
    """Which recordings are in tables of traces, and when each ended."""

    recording: str = "{file}"
    """Name of the recording of a row: text in which columns stand in braces, and {file} for the name of the file
    without ending, such as `{file} well {well}`."""
    end_h: Annotated[float, Field(gt=0)] | dict[str, Annotated[float, Field(gt=0)]] | None = None
    """Hours from the first frame to the last that was filmed, of all recordings, or by name, in which `*` stands for
    anything; null: the tables say it (`conditions_columns.recording_end_h`). It is never taken from the cells: the
    last one seen would tell by its death when the recording ends."""

    @field_validator("recording")
    @classmethod
    def _check_braces(cls, template: str) -> str:
        try:
            columns = [name for _, name, _, _ in Formatter().parse(template) if name is not None]
        except ValueError:
            columns = []
        if not columns or not all(name.strip() for name in columns):
            raise ValueError(f"'{template}' names no column in braces; give {{file}}, or such as {{file}} {{well}}.")
        return template


class RecordingSettings(Settings):
    """How the folder of recordings is laid out, and what its files do not say."""

    layout: Layout
    """How images lie in the folder: one JSON of annotations; Cell Tracking Challenge folders; files whose names say
    position, time, channel and z; multi-page TIFF (ImageJ and OME too); OME-Zarr; vendor files (.nd2, .czi, .lif).
    `traces`: no images, but tables of what cells showed in each frame, or of when they were born, switched and
    ended."""
    channels: tuple[str, ...] | None = Field(default=None, min_length=1)
    """Channel names in the order they are stored; Cell Tracking Challenge folders have one; null: as the files say."""
    frame_interval_min: float | None = Field(default=None, gt=0)
    """Time between two frames, in minutes; null: as the files say."""
    pixel_size_um: float | None = Field(default=None, gt=0)
    """Side of a pixel in micrometres; null: as the files say, empty where they do not."""
    files: str | None = Field(default=None, min_length=1)
    """`tiff_stacks`, `ome_zarr`, `vendor`, `traces`: which files (folders) are recordings, or hold them, a glob
    relative to the root such as `plate1/*.tif`; null: all of the root that end as such files do."""
    pattern: str | None = Field(default=None, min_length=1)
    """`file_pattern`: `micromanager`, `metamorph`, `imagexpress`, `incucyte`, or a regular expression that a path
    relative to the root matches whole; its groups `time`, `channel` and `z` say which plane it is, the others which
    recording."""
    channel_codes: tuple[str, ...] | None = Field(default=None, min_length=1)
    """`file_pattern`: how the file names call the channels, in the order of `channels`; files of other codes are left
    out; null: all codes in their natural order."""
    file_axes: str | None = None
    """`tiff_stacks`, `ome_zarr`: axes of the files, slowest first, where they do not say them or say them wrongly:
    `TYX`, `TCYX`, `CTYX`, ..., with the channels last `TYXC`; in capitals or not; null: as the files say."""
    z: Literal["max"] | Annotated[int, Field(ge=0)] = "max"
    """Planes of a z stack: their maximum, or the number of the one plane that is used, from 0."""
    images_url: str | None = Field(default=None, pattern="^[a-z0-9+]+://")
    """`ome_zarr`: fsspec URL of the folder that the images are in, such as `s3://bucket/plate1`; null: in the root."""
    missing_chunks: Literal["error", "empty"] = "error"
    """`ome_zarr`: a chunk that is not there is an error, or was left out by its writer because it is empty."""
    conditions_file: str | None = None
    """Table in the root (CSV, .xlsx), a line a recording; null: every condition is `unknown`, every dose `Unknown`, but
    `traces` may say them themselves."""
    conditions_columns: ConditionColumns = ConditionColumns()
    """Names of its columns; without such a table, of those of `traces`."""
    traces: TraceSettings = TraceSettings()
    """`traces`: which recordings the tables hold, and when each ended."""
    dose_unit: str | None = Field(default=None, min_length=1)
    """Unit of its doses that are numbers, such as `uM`, shown beside them; null: as the table, or the name of its
    column of doses, says, or not known."""
    annotation_file: str = "annotations.json"
    """`coco_vid`: the annotation file, relative to the root."""
    image_folder: str = "images"
    """`coco_vid`: the folder that the file names in the annotation file start from, relative to the root."""
    labels: Literal["none", "silver_truth", "gold_track"] = "none"
    """`cell_tracking_challenge`: masks of the cells: none, <NN>_ST/SEG, or the markers in <NN>_GT/TRA; where only a
    tracker's result <NN>_RES is given, anything but `none` takes its masks."""
    cell_categories: tuple[int, ...] = Field(default=(1,), min_length=1)
    """`coco_vid`: categories of the annotations that are the cell before its event; others are counted and left out."""
    uneven_times: Literal["stop", "frames_count"] = "stop"
    """Frames that are not one interval apart by the times in their files: an error, or every frame stands for one
    interval, and the preflight tells the uneven ones."""
    on_missing_frames: Literal["stop", "cut", "gap"] = "stop"
    """A frame of which a plane is missing or cannot be read: an error; or the recording ends before it; or it stays a
    gap that is never shown, and the recording ends with its last whole frame. What is left out the preflight tells."""
    max_frame_mb: float = Field(default=2048, gt=0)
    """Megabytes that all channels and planes of a decoded frame may take; a file that claims more is not opened."""
    on_bad_recording: Literal["stop", "skip"] = "stop"
    """Stop at a recording that cannot be used, or set it aside, list it, and go on."""
    group_by: Literal["recording", "lineage"] = "recording"
    """Unit of splits and of the bootstrap: the recording (the group_id of the conditions file where it gives one), or
    the family of the cell."""

    @field_validator("file_axes")
    @classmethod
    def _check_axes(cls, given: str | None) -> str | None:
        axes = None if given is None else given.strip().upper()
        if axes is not None and (not re.fullmatch("[TZC]*YX[SC]?", axes) or len(set(axes)) < len(axes)):
            raise ValueError(
                f"'{given}' names no axes that are read: YX stands after T, C and Z, each at most once, or before a C; "
                "give TYX, TCYX, CTYX, TZCYX, TYXC or another such order, slowest first."
            )
        return axes

    @model_validator(mode="after")
    def _check_channel_names(self) -> "RecordingSettings":
        for key, names in (("channels", self.channels), ("channel_codes", self.channel_codes)):
            blank = [name for name in names or () if not name.strip() or "|" in name]
            if names is not None and (blank or len(set(names)) < len(names)):
                raise ValueError(
                    f"{key} {list(names)} must be different names, not blank and without '|'; rename them."
                )
        if self.channels and self.channel_codes and len(self.channels) != len(self.channel_codes):
            raise ValueError(
                f"channels lists {len(self.channels)} names but channel_codes {len(self.channel_codes)} codes "
                f"({list(self.channels)}, {list(self.channel_codes)}); give every channel its code."
            )
        return self

    @model_validator(mode="after")
    def _check_given(self) -> "RecordingSettings":
        needed = {"pattern": self.layout == "file_pattern"}
        needed |= {
            "channels": self.layout in WITH_TRACKS,
            "frame_interval_min": self.layout in (*WITH_TRACKS, "traces"),
        }
        missing = [key for key, is_needed in needed.items() if is_needed and getattr(self, key) is None]
        if missing:
            raise ValueError(
                f"layout is '{self.layout}' but {missing[0]} is null, and its files do not say it; give it."
            )
        return self

    @model_validator(mode="after")
    def _check_pattern(self) -> "RecordingSettings":
        try:
            groups = re.compile(self.pattern or "").groupindex
        except re.error as error:
            raise ValueError(f"pattern '{self.pattern}' is no regular expression ({error}); correct it.") from error
        if self.pattern is not None and self.pattern not in PRESETS and "time" not in groups:
            raise ValueError(
                f"pattern '{self.pattern}' is none of {', '.join(PRESETS)} and has no group (?P<time>...), which says "
                "the frame; add it."
            )
        return self

    @model_validator(mode="after")
    def _check_traces(self) -> "RecordingSettings":
        if self.layout == "traces" and self.channels is not None:
            raise ValueError(
                f"layout is 'traces', which has no images, but channels lists {list(self.channels)}; set channels to "
                "null, and name the columns of values in tracks.spot_features."
            )
        return self

    @model_validator(mode="after")
    def _check_layout(self) -> "RecordingSettings":
        if self.layout == "cell_tracking_challenge" and len(self.channels or ()) != 1:
            raise ValueError(
                "layout is 'cell_tracking_challenge', whose images have one channel, but channels lists "
                f"{len(self.channels or ())}: {list(self.channels or ())}; name the one channel."
            )
        if self.layout != "cell_tracking_challenge" and self.labels != "none":
            raise ValueError(
                f"labels is '{self.labels}' but layout '{self.layout}' has no label images; set labels to 'none'."
            )
        return self
