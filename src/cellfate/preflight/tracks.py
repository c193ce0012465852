"""Checks of detections and tracks, cell by cell; tables in, findings out.

The lengths, gaps and steps of a track count each frame of a cell once and only frames that exist: what is marked twice
or in an absent frame is told by a check of its own.
"""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cellfate.core.tables import CELL, FRAME, PreflightFindings
from cellfate.preflight.findings import list_findings, name_files
from cellfate.preflight.misfits import leave_out
from cellfate.preflight.settings import PreflightSettings
from cellfate.tracks.settings import UNTRACKED_FORMATS, TrackSettings

_OF_RECORDING = ["source", "n_frames", "frame_interval_min", "height_px", "width_px", "pixel_size_um"]


def place_detections(
    detections: pd.DataFrame, recordings: pd.DataFrame, frame_files: pd.DataFrame, crop_px: tuple[int, int]
) -> pd.DataFrame:
    """Say of every detection where it lies: in which file, how far outside the image, how much of its crop.

    Returns
    -------
    DataFrame
        `detections`, ordered by recording, cell and frame, with source, n_frames, frame_interval_min, height_px,
        width_px, pixel_size_um, file (null where the frame does not exist), exists (bool), beyond_px (distance to the
        image, 0 inside) and outside_share (of the crop's area, 0 to 1); the last two are 0 where there are no images.
    """
    sizes = recordings[["recording_id", *_OF_RECORDING]]
    files = name_files(frame_files)
    placed = detections.merge(sizes, on="recording_id").merge(files, on=["recording_id", "frame"], how="left")
    y, x = placed["y_px"].to_numpy(), placed["x_px"].to_numpy()
    height, width = placed["height_px"].to_numpy(), placed["width_px"].to_numpy()
    area, inside = crop_px[0] * crop_px[1], _inside(y, height, crop_px[0]) * _inside(x, width, crop_px[1])
    bare = height == 0
    placed = placed.assign(
        exists=placed["frame"].between(0, placed["n_frames"] - 1),
        beyond_px=np.where(bare, 0.0, np.hypot(_beyond(y, height), _beyond(x, width))),
        outside_share=np.where(bare, 0.0, (area - inside) / area),
    )
    return placed.sort_values(FRAME, kind="stable", ignore_index=True)


def measure_cells(placed: pd.DataFrame, cells: pd.DataFrame, recordings: pd.DataFrame) -> pd.DataFrame:
    """Describe every track by its length, gaps, steps and nearness to the border: table `PreflightCells`."""
    marks = _with_steps(placed)
    per_cell = marks.groupby(CELL).agg(
        first=("frame", "min"),
        last=("frame", "max"),
        n_detections=("frame", "size"),
        n_gaps=("missing", lambda missing: int((missing > 0).sum())),
        largest_step_px=("step_px", "max"),
        outside_share=("outside_share", "max"),
    )
    table = cells[[*CELL, "fate"]].drop_duplicates(CELL)
    table = table.merge(recordings[["recording_id", "condition", "dose"]], on="recording_id")
    table = table.merge(per_cell.reset_index(), on=CELL, how="left")
    table = table.assign(n_frames=table["last"] - table["first"] + 1)
    counts = ["n_frames", "n_detections", "n_gaps"]
    table[counts] = table[counts].fillna(0).astype("int64")
    columns = [*CELL, "condition", "dose", "fate", *counts, "largest_step_px", "outside_share"]
    return table[columns].sort_values(CELL, kind="stable", ignore_index=True)


def check_detections(
    placed: pd.DataFrame, tracks: TrackSettings, settings: PreflightSettings, misfits: pd.DataFrame | None = None
) -> list[pd.DataFrame]:
    """Find detections that cannot be right: in frames that do not exist, outside the image, or twice in a frame.

    What is told by `misfits` (as `misfits.find_misfits` gives them) is not told one by one.
    """
    told = PreflightFindings.empty() if misfits is None else misfits
    there = placed[placed["exists"]]
    marks = there.groupby(FRAME, sort=False).agg(value=("frame", "size"), file=("file", "first")).reset_index()
    # what is not inside: so a position that is no number is found, too
    outside = leave_out(there[~(there["beyond_px"] <= 0)], told, "outside")
    checks = (
        ("absent_frame", _find_absent(leave_out(placed, told, "absent_frame")), _ABSENT),
        ("outside", outside.assign(value=outside["beyond_px"], limit=0.0), _OUTSIDE),
        ("duplicate", _find_duplicates(marks, tracks), _DUPLICATE),
    )
    return [list_findings(cases, name, sentence, settings.max_rows_a_check) for name, cases, sentence in checks]


def check_tracks(
    placed: pd.DataFrame,
    tracks: TrackSettings,
    frame_files: pd.DataFrame,
    settings: PreflightSettings,
    max_jump_px: float,
) -> list[pd.DataFrame]:
    """Find what is odd in tracks: gaps, jumps, crops that leave the image, two cells at one place, spots of no track.

    `max_jump_px` is the farthest way from one frame to the next that is not told.
    """
    marks = _with_steps(placed)
    checks = (
        ("untracked", _find_untracked(marks, tracks, max_jump_px), _SCATTERED + _untracked(tracks)),
        ("coinciding", _find_coinciding(marks), _COINCIDING),
        ("gap", _find_gaps(marks, frame_files, settings.max_gap_frames), _GAP),
        ("jump", marks[marks["step_px"] > max_jump_px].assign(value=marks["step_px"], limit=max_jump_px), _JUMP),
        ("border", _find_border(marks, settings.max_outside_share), _BORDER),
    )
    return [list_findings(cases, name, sentence, settings.max_rows_a_check) for name, cases, sentence in checks]


_ABSENT = (
    "cell {cell_id} is marked in frame {frame}, but the recording has {n_frames} frames counted from 0; correct the "
    "frame or add its image"
)
_OUTSIDE = (
    "the centre of cell {cell_id} in frame {frame} is at x {x_px:.1f} px, y {y_px:.1f} px, {value:.1f} px outside the "
    "image of {width_px} x {height_px} px; correct the position"
)
_DUPLICATE = "cell {cell_id} is marked {value} times in frame {frame}; keep one mark a cell and frame{advice}"
_SCATTERED = (
    "cell 0 moves farther than {limit:.1f} px a frame in {value} of its {n_steps} steps; look whether it is one cell"
)
_COINCIDING = (
    "cell {cell_id} stands on the very pixel of another cell in {value} frame(s), first in frame {frame}; check "
    "whether one cell is tracked twice"
)
_GAP = (
    "cell {cell_id} is not seen for {value} frame(s) from frame {frame} on, and then seen again; its crops lack these "
    "frames"
)
_JUMP = (
    "cell {cell_id} moves {value:.1f} px a frame up to frame {frame}, farther than {limit:.1f} px; check whether the "
    "track changes to another cell"
)
_BORDER = (
    "the crop of cell {cell_id} leaves the image in {n_outside} of its {n_marks} frames, by {value:.0%} of its area in "
    "frame {frame}; what lies outside is filled with 0"
)


def _untracked(tracks: TrackSettings) -> str:
    """Say what to do where spots of no track share a number."""
    may = tracks.format in UNTRACKED_FORMATS
    return ", or, if the number stands for spots of no track, set tracks.untracked_id: {cell_id}" * may


def _inside(centre: NDArray[Any], size: NDArray[Any], window: int) -> NDArray[Any]:
    """Rows (or columns) of the window that lie in the image; the window is that of `imaging.windows`."""
    start = np.floor(centre + 0.5) - window // 2
    return np.asarray(np.clip(np.minimum(start + window, size) - np.maximum(start, 0), 0, window))


def _beyond(centre: NDArray[Any], size: NDArray[Any]) -> NDArray[Any]:
    """Distance to the image, which spans from -0.5 to size - 0.5 because pixel centres are integers."""
    return np.maximum(np.maximum(-0.5 - centre, centre - (size - 0.5)), 0)


def _with_steps(placed: pd.DataFrame) -> pd.DataFrame:
    """Every frame of a cell once, with the frames missing before it and the way from the mark before, px a frame."""
    marks = placed[placed["exists"]].drop_duplicates(FRAME)
    before = marks.groupby(CELL, sort=False)[["frame", "y_px", "x_px"]].shift()
    frames = marks["frame"] - before["frame"]
    way_px = np.hypot(marks["y_px"] - before["y_px"], marks["x_px"] - before["x_px"])
    return marks.assign(missing=(frames - 1).fillna(0).astype("int64"), step_px=way_px / frames)


def _find_absent(placed: pd.DataFrame) -> pd.DataFrame:
    """Find marks in frames that the recording has not; value: how many frames before its first or after its last."""
    absent = placed[~placed["exists"]]
    after = absent["frame"] - (absent["n_frames"] - 1)
    return absent.assign(value=after.where(after > 0, -absent["frame"]), limit=0.0)


def _find_untracked(marks: pd.DataFrame, tracks: TrackSettings, max_jump_px: float) -> pd.DataFrame:
    """Find a cell 0 that jumps at most of its steps, in tables: the number may gather the spots of no track."""
    steps = marks[(marks["cell_id"] == 0) & marks["step_px"].notna() & (tracks.format in UNTRACKED_FORMATS)]
    jumps = (steps["step_px"] > max_jump_px).groupby(steps["recording_id"]).agg(value="sum", n_steps="size")
    told: pd.DataFrame = jumps[jumps["value"] > jumps["n_steps"] / 2].reset_index()
    return told.assign(cell_id=0, limit=max_jump_px)


def _find_coinciding(marks: pd.DataFrame) -> pd.DataFrame:
    pixel = marks.dropna(subset=["y_px", "x_px"])  # without images there are no positions
    pixel = pixel.assign(row=np.floor(pixel["y_px"] + 0.5), column=np.floor(pixel["x_px"] + 0.5))
    same = pixel[pixel.duplicated(["recording_id", "frame", "row", "column"], keep=False)]
    return same.assign(value=same.groupby(CELL)["frame"].transform("size"), limit=0.0).drop_duplicates(CELL)


def _find_duplicates(marks: pd.DataFrame, tracks: TrackSettings) -> pd.DataFrame:
    """Find cells with several marks in a frame; where it is one number alone, that may gather the spots of no track."""
    twice = marks[marks["value"] > 1].assign(limit=1.0)
    alone = twice.groupby("recording_id")["cell_id"].transform("nunique") == 1
    advice = [
        _untracked(tracks).format(cell_id=cell) * is_alone
        for cell, is_alone in zip(twice["cell_id"], alone, strict=True)
    ]
    return twice.assign(advice=advice)


def _find_gaps(marks: pd.DataFrame, frame_files: pd.DataFrame, longest: int) -> pd.DataFrame:
    after = marks[marks["missing"] > longest]
    gaps = after.assign(value=after["missing"], frame=after["frame"] - after["missing"], limit=float(longest))
    files = name_files(frame_files)
    return gaps.drop(columns="file").merge(files, on=["recording_id", "frame"], how="left")


def _find_border(marks: pd.DataFrame, largest: float) -> pd.DataFrame:
    marks = marks.assign(n_marks=marks.groupby(CELL)["frame"].transform("size"))
    outside = marks[marks["outside_share"] > largest]
    outside = outside.assign(
        n_outside=outside.groupby(CELL)["frame"].transform("size"), value=outside["outside_share"], limit=largest
    )
    return outside.sort_values("value", ascending=False, kind="stable").drop_duplicates(CELL)
