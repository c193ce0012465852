"""What the preflight finds in recordings and tracks before anything is cut."""

from typing import Final

import pandera.pandas as pa
from pandas import Int64Dtype
from pandera.typing.pandas import Series

from cellfate.core.tables.base import Table

PREFLIGHT_ERRORS: Final = (
    "folder",
    "recording",
    "unreadable_frame",
    "not_finite",
    "tracks",
    "other_image",
    "swapped",
    "absent_frame",
    "outside",
    "duplicate",
)
"""Checks whose findings are errors: what they name cannot be used as it is."""
PREFLIGHT_WARNINGS: Final = (
    "no_cells",
    "same_images",
    "missing_frames",
    "uneven_times",
    "pixel_sides",
    "side_file",
    "unmatched_file",
    "other_facts",
    "unread_sheet",
    "off_cells",
    "times",
    "first_frame",
    "untracked",
    "crowded",
    "one_frame",
    "few_fates",
    "early_end",
    "switch_outside",
    "never_switches",
    "short_cell",
    "event_apart",
    "watched_apart",
    "late_daughters",
    "merge",
    "nearest_links",
    "missing_parent",
    "spot_feature",
    "coinciding",
    "empty_frame",
    "focus",
    "saturation",
    "jump",
    "short_daughter",
    "gap",
    "border",
)
"""Checks whose findings are warnings: what they name is used, and a person should look at it. The gravest first."""


class PreflightFindings(Table):
    """One row a finding: what is wrong or odd, and where. Errors stand before warnings."""

    recording_id: Series[str] = pa.Field(nullable=True, description="null: the folder as a whole")
    file: Series[str] = pa.Field(nullable=True, description="image of the frame, relative to the recordings root")
    cell_id: Series[Int64Dtype] = pa.Field(nullable=True)
    frame: Series[Int64Dtype] = pa.Field(nullable=True)
    channel: Series[str] = pa.Field(nullable=True)
    check: Series[str] = pa.Field(isin=(*PREFLIGHT_ERRORS, *PREFLIGHT_WARNINGS))
    severity: Series[str] = pa.Field(isin=("error", "warning"))
    value: Series[float] = pa.Field(nullable=True, description="what was measured, in the unit of the check")
    limit: Series[float] = pa.Field(nullable=True, description="what the value is held against")
    n_cases: Series[int] = pa.Field(ge=1, description="cases this row stands for; more than 1: not listed one by one")
    finding: Series[str] = pa.Field(description="what was found and what to do, one sentence")


class PreflightSummary(Table):
    """One row a recording of the folder, also of those that cannot be opened (their counts are null)."""

    recording_id: Series[str] = pa.Field(unique=True)
    condition: Series[str] = pa.Field(nullable=True)
    dose: Series[str] = pa.Field(nullable=True)
    channels: Series[str] = pa.Field(nullable=True, description="channel names in order, separated by '|'")
    n_frames: Series[Int64Dtype] = pa.Field(nullable=True, ge=0)
    n_frames_looked_at: Series[Int64Dtype] = pa.Field(nullable=True, ge=0, description="frames whose pixels were read")
    n_cells: Series[Int64Dtype] = pa.Field(nullable=True, ge=0)
    n_detections: Series[Int64Dtype] = pa.Field(nullable=True, ge=0)
    n_apoptosis: Series[Int64Dtype] = pa.Field(nullable=True, ge=0)
    n_mitosis: Series[Int64Dtype] = pa.Field(nullable=True, ge=0)
    n_censored: Series[Int64Dtype] = pa.Field(nullable=True, ge=0)
    n_unscored: Series[Int64Dtype] = pa.Field(nullable=True, ge=0)
    median_track_frames: Series[float] = pa.Field(nullable=True, description="frames from a cell's first to its last")
    n_gaps: Series[Int64Dtype] = pa.Field(nullable=True, ge=0)
    n_errors: Series[int] = pa.Field(ge=0)
    n_warnings: Series[int] = pa.Field(ge=0)


class PreflightCells(Table):
    """One row a tracked cell, whether or not its recording can be used."""

    recording_id: Series[str]
    cell_id: Series[int]
    condition: Series[str]
    dose: Series[str]
    fate: Series[str]
    n_frames: Series[int] = pa.Field(ge=0, description="frames from the first to the last in which it was seen")
    n_detections: Series[int] = pa.Field(ge=0, description="different frames in which it was seen")
    n_gaps: Series[int] = pa.Field(ge=0, description="stretches of frames in which it was not seen in between")
    largest_step_px: Series[float] = pa.Field(nullable=True, description="farthest way from one frame to the next")
    outside_share: Series[float] = pa.Field(nullable=True, ge=0, le=1, description="of its crop, in the worst frame")


class FrameQuality(Table):
    """One row a frame that was looked at, and channel."""

    recording_id: Series[str]
    frame: Series[int] = pa.Field(ge=0)
    channel: Series[str]
    saturated_share: Series[float] = pa.Field(ge=0, le=1)
    spread: Series[float] = pa.Field(ge=0, description="counts between the darkest and the brightest 0.1 % of pixels")
    focus: Series[float] = pa.Field(nullable=True, description="sharpness, larger is sharper; NaN: undefined")
