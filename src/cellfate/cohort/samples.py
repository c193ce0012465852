"""Samples: which frames of which cell are shown, and what followed.

Frames count from 0. With a guard of g frames, ``g = ceil(guard_h * 60 / frame_interval_min)``, a cell whose track ends
in an event is shown before frame ``event_frame - g`` only. A censored track is treated as if an event fell on the frame
after its last, so the guard shortens every track alike, however it ended.

`whole_track`
    One sample a cell with a fate: all its usable frames, or the last `max_frames` of them.
`landmark`
    A cell that is first tracked at frame f has landmarks at ``f + w - 1, f + w - 1 + s, ...`` (`history_frames` w,
    `stride_frames` s) among its usable frames. With a horizon of h frames, ``h = floor(horizon_h * 60 /
    frame_interval_min)``, the outcome at landmark t is the event if it falls in ``(t, t + h]``; `none` if the cell was
    watched up to t + h, or if an event that is not asked for ended its track (a dead cell does not divide); else it is
    unknown.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cellfate.cohort.settings import SampleSettings
from cellfate.cohort.tracked_cells import (
    SAMPLE_TYPES,
    TrackedCell,
    guard_frames,
    horizon_frames,
    sample_row,
    set_aside_row,
    set_aside_table,
    tracked_cells,
)
from cellfate.core.errors import InputError
from cellfate.core.fates import CENSORED, NONE
from cellfate.crops.store import CropStore

NO_FATE = "censored: the cell's fate is not known"
OUTCOME_UNKNOWN = "censored before the end of the horizon: the outcome is not known"
NOT_TRACKED = "the cell was not tracked at the landmark"
TOO_FEW_FRAMES = "too few tracked frames before the guard"


@dataclass(frozen=True)
class _Cut:
    """A stretch of a cell's track; `reason` says why it is no sample, if it is none."""

    cell: TrackedCell
    frames: NDArray[np.int64]
    last_frame: int | None
    outcome: str | None = None
    reason: str | None = None


def make_samples(
    crops: CropStore, recordings: pd.DataFrame, cells: pd.DataFrame, samples: SampleSettings
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Make the samples whose outcome is known, for training and scoring.

    Parameters
    ----------
    crops : CropStore
        Says in which frames each cell was tracked.
    recordings, cells : DataFrame
        Tables `Recordings` and `Cells`.
    samples : SampleSettings
        What a sample is.

    Returns
    -------
    samples : DataFrame
        Table `Samples`; every outcome is known.
    samples_excluded : DataFrame
        Table `SetAside`, with `last_frame` of what was left out: cells, landmarks (stage `make_samples`) and recordings
        that could not be cropped (stage `cut_crops`).

    Raises
    ------
    InputError
        If there is no sample, or an outcome has none.
    """
    cuts = list(_cut_cells(crops, recordings, cells, samples))
    kept = [cut for cut in cuts if _why_excluded(cut, samples) is None]
    rows = [
        set_aside_row(cut.cell, cut.last_frame, "make_samples", reason)
        for cut in cuts
        if (reason := _why_excluded(cut, samples))
    ]
    _check_outcomes(kept, [row["reason"] for row in rows], samples)
    return _sample_table(kept, samples), set_aside_table(rows, crops)


def make_open_samples(
    crops: CropStore, recordings: pd.DataFrame, cells: pd.DataFrame, samples: SampleSettings
) -> pd.DataFrame:
    """Make samples whether or not their outcome is known, for forecasting.

    A cell without a fate is shown to its last frame: nothing is known to be withheld from.

    Parameters
    ----------
    crops : CropStore
        Says in which frames each cell was tracked.
    recordings, cells : DataFrame
        Tables `Recordings` and `Cells`.
    samples : SampleSettings
        What a sample is; the settings that the model was trained with.

    Returns
    -------
    DataFrame
        Table `Samples`; the outcome is null where it is not known.

    Raises
    ------
    InputError
        If there is no sample.
    """
    cuts = list(_cut_cells(crops, recordings, cells, samples, with_unknown=True))
    kept = [cut for cut in cuts if cut.reason is None]
    if not kept:
        raise InputError(_nothing_left([cut.reason or "" for cut in cuts], samples))
    return _sample_table(kept, samples)


def _cut_cells(
    crops: CropStore,
    recordings: pd.DataFrame,
    cells: pd.DataFrame,
    settings: SampleSettings,
    with_unknown: bool = False,
) -> Iterator[_Cut]:
    cut = _cut_whole_track if settings.kind == "whole_track" else _cut_landmarks
    for cell in tracked_cells(crops, recordings, cells):
        yield from cut(cell, settings, with_unknown)


def _usable_frames(cell: TrackedCell, settings: SampleSettings, with_unknown: bool) -> NDArray[np.int64]:
    if with_unknown and cell.fate == CENSORED:
        return cell.frames
    return cell.frames_before_guard(settings.guard_h)


def _cut_whole_track(cell: TrackedCell, settings: SampleSettings, with_unknown: bool) -> Iterator[_Cut]:
    frames = _usable_frames(cell, settings, with_unknown)
    last_frame = int(frames[-1]) if len(frames) else None
    outcome = cell.fate if cell.fate in settings.outcomes else None
    reason = TOO_FEW_FRAMES if len(frames) < settings.min_frames else None
    yield _Cut(cell, frames[-(settings.max_frames or len(frames)) :], last_frame, outcome, reason)


def _cut_landmarks(cell: TrackedCell, settings: SampleSettings, with_unknown: bool) -> Iterator[_Cut]:
    _check_horizon(cell, settings)
    usable = _usable_frames(cell, settings, with_unknown)
    first_landmark = int(cell.frames[0]) + settings.history_frames - 1
    landmarks = range(first_landmark, int(usable[-1]) + 1, settings.stride_frames) if len(usable) else range(0)
    if not landmarks:
        yield _Cut(cell, usable, int(usable[-1]) if len(usable) else None, reason=TOO_FEW_FRAMES)
    shown = settings.max_frames or settings.history_frames
    for landmark in landmarks:
        frames = usable[(usable > landmark - shown) & (usable <= landmark)]
        yield _Cut(
            cell, frames, landmark, _landmark_outcome(cell, landmark, settings), _gap(frames, landmark, settings)
        )


def _gap(frames: NDArray[np.int64], landmark: int, settings: SampleSettings) -> str | None:
    if not len(frames) or frames[-1] != landmark:
        return NOT_TRACKED
    return TOO_FEW_FRAMES if len(frames) < settings.min_frames else None


def _landmark_outcome(cell: TrackedCell, landmark: int, settings: SampleSettings) -> str | None:
    horizon = horizon_frames(settings.horizon_h, cell.frame_interval_min)
    if cell.event_frame is None:
        watched_to_the_end = landmark + horizon <= int(cell.frames[-1])
        return NONE if watched_to_the_end else None
    within = cell.event_frame - landmark <= horizon
    return cell.fate if within and cell.fate in settings.events else NONE


def _why_excluded(cut: _Cut, settings: SampleSettings) -> str | None:
    if settings.kind == "whole_track" and cut.outcome is None:
        return NO_FATE
    return cut.reason or (OUTCOME_UNKNOWN if cut.outcome is None else None)


def _check_horizon(cell: TrackedCell, settings: SampleSettings) -> None:
    horizon = horizon_frames(settings.horizon_h, cell.frame_interval_min)
    guard = guard_frames(settings.guard_h, cell.frame_interval_min)
    if horizon <= guard:
        message = (
            f"Parameter samples: horizon_h {settings.horizon_h} is {horizon} frames and guard_h {settings.guard_h} is "
            f"{guard} frames of {cell.frame_interval_min} min, so no landmark can see its event; raise horizon_h or "
            "lower guard_h."
        )
        raise InputError(message)


def _check_outcomes(kept: list[_Cut], reasons: list[str], settings: SampleSettings) -> None:
    if not kept:
        raise InputError(_nothing_left(reasons, settings))
    counts = Counter(cut.outcome for cut in kept)
    missing = [outcome for outcome in settings.outcomes if not counts[outcome]]
    if missing:
        found = ", ".join(f"{n} {outcome}" for outcome, n in counts.items())
        message = (
            f"No sample has outcome '{missing[0]}' (found: {found}), but a model needs samples of each of "
            f"{list(settings.outcomes)}; add recordings in which it occurs, or change events or kind of samples."
        )
        raise InputError(message)


def _nothing_left(reasons: list[str], settings: SampleSettings) -> str:
    counts = Counter(reasons).most_common(1)
    why = f" (most often: {counts[0][0]})" if counts else ""
    return (
        f"None of {len(reasons)} {settings.kind} candidates is a sample{why}, but samples are needed; check tracks and "
        f"fates, or lower min_frames {settings.min_frames}, history_frames {settings.history_frames} or guard_h "
        f"{settings.guard_h}."
    )


def _sample_table(cuts: list[_Cut], settings: SampleSettings) -> pd.DataFrame:
    rows = [_sample_row(cut, settings) for cut in cuts]
    return pd.DataFrame(rows, columns=list(SAMPLE_TYPES)).astype(SAMPLE_TYPES)


def _sample_row(cut: _Cut, settings: SampleSettings) -> dict[str, Any]:
    row = sample_row(cut.cell, cut.frames, cut.outcome)
    return row if settings.kind == "whole_track" else {**row, "sample_id": f"{row['sample_id']}:{row['last_frame']}"}


def draw_one_a_cell(samples: pd.DataFrame, generator: np.random.Generator) -> pd.DataFrame:
    """Draw one sample a cell and outcome, so that landmarks of one cell do not count as many cells.

    Parameters
    ----------
    samples
        Table `Samples`; samples without an outcome are left out.
    generator
        Which sample, and the order of the rows.

    Returns
    -------
    pandas.DataFrame
        Rows of `samples` in random order.
    """
    known = samples[samples["outcome"].notna()].sort_values("sample_id")
    shuffled = known.iloc[generator.permutation(len(known))]
    return shuffled.drop_duplicates(["recording_id", "cell_id", "outcome"])
