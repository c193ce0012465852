"""Follow-ups: how long each cell was watched, how that ended, and at which frames the fate clock is read.

Frames count from 0. A follow-up ends in the frame of its event or, when it is censored, in the last frame in which the
cell was seen. It shows the tracked frames before ``end - guard``; here the end of a censored one is the frame after its
last, and the guard is ``ceil(guard_h * 60 / frame_interval_min)`` frames: every track is shortened alike, however it
ended. A cell that ends in an event which is not forecast is censored at the frame before that event, for only until
then is it known what the events that are forecast do.
"""

import logging
from collections import Counter
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cellfate.cohort.settings import FollowUpSettings
from cellfate.cohort.tracked_cells import (
    SAMPLE_TYPES,
    TrackedCell,
    sample_row,
    set_aside_row,
    set_aside_table,
    tracked_cells,
)
from cellfate.core.errors import InputError
from cellfate.core.fates import CENSORED, EVENTS
from cellfate.crops.store import CropStore
from cellfate.statistics.incidence import label_bins, number_events

logger = logging.getLogger(__name__)

EVENT_TOO_EARLY = "the event is not after the first tracked frame"
NOT_SHOWN = "no tracked frame before the guard"
TOO_YOUNG = "watched for fewer than min_frames frames before the guard: it teaches, but is too young to be forecast"

_STAGE = "follow_cells"
_FOLLOW_UP_TYPES = {**SAMPLE_TYPES, "fate": "str", "end_frame": "int64"}
_OF_THE_CELL = ["recording_id", "cell_id", "group_id", "dose", "first_frame"]

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class _Watched:
    """A cell as it was followed: an event that is not forecast is gone from `cell`; `frames` are those shown."""

    cell: TrackedCell
    end_frame: int
    frames: Ints
    event_too_early: bool

    @property
    def reason(self) -> str | None:
        """Why the cell is not followed, if it is not."""
        if self.event_too_early:
            return EVENT_TOO_EARLY
        return None if len(self.frames) else NOT_SHOWN


def follow_cells(
    crops: CropStore, recordings: pd.DataFrame, cells: pd.DataFrame, follow_up: FollowUpSettings
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Follow every cell to its event or to where it was lost, for training and scoring.

    Parameters
    ----------
    crops : CropStore
        Says in which frames each cell was tracked.
    recordings, cells : DataFrame
        Tables `Recordings` and `Cells`.
    follow_up : FollowUpSettings
        Events, guard and least age.

    Returns
    -------
    follow_ups : DataFrame
        Table `FollowUps`: one row a cell with a frame to show, censored ones included. Times to an event that is not
        in `follow_up.events` are censored at the frame before it.
    follow_ups_excluded : DataFrame
        Table `SetAside`, with `last_frame` of what was shown: cells that are not followed, cells that are but are too
        young to be forecast (stage `follow_cells`), and recordings that could not be cropped (stage `cut_crops`).

    Raises
    ------
    InputError
        If no cell can be followed, an event that is to be forecast never happens, or a fate and its event frame
        contradict each other.
    """
    _check_event_frames(cells)
    watched = [_watch(cell, follow_up) for cell in tracked_cells(crops, recordings, cells)]
    kept = [one for one in watched if one.reason is None]
    if not kept:
        raise InputError(_nothing_followed([one.reason or "" for one in watched], follow_up))
    _check_fates(kept, follow_up)
    _warn_if_all_known(cells[cells["recording_id"].isin(crops.recording_ids)])
    reasons = [(one, one.reason or _why_not_forecast(one, follow_up)) for one in watched]
    rows = [set_aside_row(one.cell, _last(one.frames), _STAGE, reason) for one, reason in reasons if reason]
    return _follow_up_table(kept), set_aside_table(rows, crops)


def follow_open_cells(
    crops: CropStore, recordings: pd.DataFrame, cells: pd.DataFrame, follow_up: FollowUpSettings
) -> pd.DataFrame:
    """Follow cells whether or not their fate is known, for forecasting.

    A cell without a fate is shown to its last frame: nothing is known to be withheld from. A cell with no frame to show
    is left out.

    Parameters
    ----------
    crops : CropStore
        Says in which frames each cell was tracked.
    recordings, cells : DataFrame
        Tables `Recordings` and `Cells`.
    follow_up : FollowUpSettings
        The settings that the model was trained with.

    Returns
    -------
    DataFrame
        Table `FollowUps`.

    Raises
    ------
    InputError
        If no cell can be followed, or a fate and its event frame contradict each other.
    """
    _check_event_frames(cells)
    watched = [_watch(cell, follow_up, to_the_end=True) for cell in tracked_cells(crops, recordings, cells)]
    kept = [one for one in watched if one.reason is None]
    if not kept:
        raise InputError(_nothing_followed([one.reason or "" for one in watched], follow_up))
    return _follow_up_table(kept)


def list_landmarks(
    crops: CropStore, recordings: pd.DataFrame, follow_ups: pd.DataFrame, follow_up: FollowUpSettings
) -> pd.DataFrame:
    """List the frames at which the fate clock is scored.

    A cell that is first tracked in frame f has landmarks at ``f + min_frames - 1`` and every `stride_frames` from there
    to the last frame that is shown; those in a gap of its track are left out.

    Parameters
    ----------
    crops : CropStore
        Says in which frames each cell was tracked.
    recordings : DataFrame
        Table `Recordings`; says how long each one is.
    follow_ups : DataFrame
        Table `FollowUps`.
    follow_up : FollowUpSettings
        Least age, and frames from one landmark to the next.

    Returns
    -------
    DataFrame
        Table `Landmarks`, in the order of `follow_ups` and then of frames.

    Raises
    ------
    InputError
        If there is no landmark, or a recording of the follow-ups is not in `recordings`.
    """
    cell_n, frame_n = list_forecast_frames(crops, follow_ups, follow_up.min_frames, follow_up.stride_frames)
    if not len(cell_n):
        message = (
            f"None of {len(follow_ups)} followed cells has a landmark, but at least one is needed; lower min_frames "
            f"{follow_up.min_frames} or guard_h {follow_up.guard_h} of parameter follow_up, or add longer tracks."
        )
        raise InputError(message)
    length_c = _recording_lengths(recordings, follow_ups)
    return _landmark_table(follow_ups.iloc[cell_n].reset_index(drop=True), frame_n, length_c[cell_n])


def list_forecast_frames(
    crops: CropStore, follow_ups: pd.DataFrame, min_frames: int, stride_frames: int = 1
) -> tuple[Ints, Ints]:
    """List the frames at which cells are forecast: those shown in which they were tracked, once they are old enough.

    Parameters
    ----------
    crops : CropStore
        Says in which frames each cell was tracked.
    follow_ups : DataFrame
        Table `FollowUps`.
    min_frames : int
        Frames from the first tracked one of a cell to the first that is forecast, both counted.
    stride_frames : int
        Frames from one to the next.

    Returns
    -------
    cell_n : ndarray of int64
        Row of each frame's cell in `follow_ups`, ascending.
    frame_n : ndarray of int64
        The frames; within a cell ascending.
    """
    cell_n, frame_n = _regular_frames(follow_ups, min_frames, stride_frames)
    tracked_n = _are_tracked(crops, follow_ups, cell_n, frame_n)
    return cell_n[tracked_n], frame_n[tracked_n]


def name_landmarks(follow_up_n: pd.DataFrame, frame_n: Ints) -> "pd.Series[str]":
    """Name frames of follow-ups as recording:cell:frame."""
    return follow_up_n["sample_id"] + ":" + pd.Series(frame_n, index=follow_up_n.index).astype(str)


def label_landmarks(landmarks: pd.DataFrame, follow_up: FollowUpSettings) -> Ints:
    """Say for each landmark and bin what was seen in it, (n, k); see `statistics.incidence.label_bins`."""
    return label_bins(landmarks["time_h"], number_events(landmarks["fate"], follow_up.events), follow_up.edges_h)


def _watch(cell: TrackedCell, follow_up: FollowUpSettings, to_the_end: bool = False) -> _Watched:
    forecast = cell.fate in follow_up.events
    if not len(cell.frames):
        return _Watched(cell, 0, cell.frames, event_too_early=False)
    open_end = to_the_end and cell.event_frame is None
    return _Watched(
        cell=cell if forecast else replace(cell, fate=CENSORED, event_frame=None),
        end_frame=cell.end if forecast else cell.end - 1,
        frames=cell.frames if open_end else cell.frames_before_guard(follow_up.guard_h),
        event_too_early=cell.end <= int(cell.frames[0]),
    )


def _why_not_forecast(watched: _Watched, follow_up: FollowUpSettings) -> str | None:
    age = int(watched.frames[-1] - watched.frames[0]) + 1
    return TOO_YOUNG if age < follow_up.min_frames else None


def _last(frames: Ints) -> int | None:
    return int(frames[-1]) if len(frames) else None


def _check_event_frames(cells: pd.DataFrame) -> None:
    has_event = cells["fate"].isin(EVENTS)
    wrong = cells[has_event != cells["event_frame"].notna()]
    if wrong.empty:
        return
    cell = wrong.iloc[0]
    if pd.isna(cell["event_frame"]):
        found = f"has the fate '{cell['fate']}' but no event_frame; give the frame, or make it censored"
    else:
        found = f"is censored but has event_frame {cell['event_frame']}; name its fate, or remove the frame"
    raise InputError(f"Cell {cell['cell_id']} of recording '{cell['recording_id']}' {found}.")


def _check_fates(kept: list[_Watched], follow_up: FollowUpSettings) -> None:
    counts = Counter(one.cell.fate for one in kept)
    missing = [event for event in follow_up.events if not counts[event]]
    if missing:
        found = ", ".join(f"{n} {fate}" for fate, n in sorted(counts.items()))
        message = (
            f"None of {len(kept)} followed cells ends in {missing[0]} (found: {found}), but each of events "
            f"{list(follow_up.events)} of parameter follow_up must be seen to be forecast; list only events that "
            "occur, or add recordings."
        )
        raise InputError(message)


def _warn_if_all_known(cells: pd.DataFrame) -> None:
    if not (cells["fate"] == CENSORED).any():
        logger.warning(
            "No cell is censored among %d, which is rare in real recordings: check that cells without a fate were kept",
            len(cells),
        )


def _nothing_followed(reasons: list[str], follow_up: FollowUpSettings) -> str:
    counts = Counter(reasons).most_common(1)
    why = f" (most often: {counts[0][0]})" if counts else ""
    return (
        f"None of {len(reasons)} cells can be followed{why}, but at least one is needed; check tracks and fates, or "
        f"lower guard_h {follow_up.guard_h} of parameter follow_up."
    )


def _follow_up_table(kept: list[_Watched]) -> pd.DataFrame:
    rows = [_follow_up_row(one) for one in kept]
    return pd.DataFrame(rows, columns=list(_FOLLOW_UP_TYPES)).astype(_FOLLOW_UP_TYPES)


def _follow_up_row(watched: _Watched) -> dict[str, Any]:
    cell = watched.cell
    outcome = None if cell.fate == CENSORED else cell.fate
    return {**sample_row(cell, watched.frames, outcome), "fate": cell.fate, "end_frame": watched.end_frame}


def _regular_frames(follow_ups: pd.DataFrame, min_frames: int, stride_frames: int) -> tuple[Ints, Ints]:
    """Frames as if no track had a gap: for each its row in `follow_ups`, and its frame."""
    start_c = follow_ups["first_frame"].to_numpy(np.int64) + min_frames - 1
    steps_c = (follow_ups["last_frame"].to_numpy(np.int64) - start_c) // stride_frames
    counts_c = np.maximum(steps_c + 1, 0)
    cell_n = np.repeat(np.arange(len(follow_ups)), counts_c)
    step_n = np.arange(len(cell_n)) - np.repeat(np.cumsum(counts_c) - counts_c, counts_c)
    return cell_n, start_c[cell_n] + stride_frames * step_n


def _are_tracked(crops: CropStore, follow_ups: pd.DataFrame, cell_n: Ints, frame_n: Ints) -> NDArray[np.bool_]:
    """Say whether the cell was tracked in each frame; the store is asked about tracks with a gap only."""
    span_c = follow_ups["last_frame"] - follow_ups["first_frame"] + 1
    gap_c = (follow_ups["n_frames"] < span_c).to_numpy(bool)
    if not gap_c.any():
        return np.ones(len(frame_n), dtype=bool)
    gapped = follow_ups[gap_c]
    frames = [
        crops.frame_numbers(str(recording), int(cell))
        for recording, cell in zip(gapped["recording_id"], gapped["cell_id"], strict=True)
    ]
    seen_m = np.concatenate(frames)
    width = max(int(seen_m.max()), int(frame_n.max(initial=0))) + 1
    keys_m = np.repeat(np.flatnonzero(gap_c), [len(one) for one in frames]) * width + seen_m
    tracked: NDArray[np.bool_] = ~gap_c[cell_n] | np.isin(cell_n * width + frame_n, keys_m)
    return tracked


def _recording_lengths(recordings: pd.DataFrame, follow_ups: pd.DataFrame) -> Ints:
    """Frames of every follow-up's recording."""
    lengths_c = follow_ups["recording_id"].map(recordings.set_index("recording_id")["n_frames"])
    if lengths_c.isna().any():
        missing = follow_ups.loc[lengths_c.isna(), "recording_id"].iloc[0]
        message = (
            f"Recording '{missing}' has follow-ups but is not among the {len(recordings)} of table recordings; take "
            "both tables from one run."
        )
        raise InputError(message)
    return lengths_c.to_numpy(np.int64)


def _landmark_table(follow_up_n: pd.DataFrame, frame_n: Ints, length_n: Ints) -> pd.DataFrame:
    interval_h = follow_up_n["frame_interval_min"].to_numpy(np.float64) / 60
    table = follow_up_n[_OF_THE_CELL].assign(
        last_frame=frame_n,
        age_frames=frame_n - follow_up_n["first_frame"].to_numpy(np.int64),
        frame_interval_min=follow_up_n["frame_interval_min"],
        fate=follow_up_n["fate"],
        time_h=(follow_up_n["end_frame"].to_numpy(np.int64) - frame_n) * interval_h,
        watchable_h=(length_n - 1 - frame_n) * interval_h,
    )
    table.insert(0, "sample_id", name_landmarks(follow_up_n, frame_n))
    return table
