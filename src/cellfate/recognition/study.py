"""What follows for the study from how long it is, how many recordings there are, and what can be known of fates."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

from cellfate.recognition.proposals import Proposal, ask, found

_HOURS = ((1.0, 1.0), (0.5, 0.5), (0.25, 0.25))
"""Guards and bins that are tried, in hours; the largest that leaves something to ask is taken."""
_LEAST_WATCHED = (10, 5, 3)
"""Frames before anything is asked, likewise."""
_FARTHEST_H = 10.0
_USUAL_REPORTS_H = (2.0, 5.0, 10.0)
_MASKED_FRAMES = 5
"""Largest step of masking."""
_ENOUGH_GROUPS = 40
"""Groups from which one test part is enough."""
_FOLDS = 5
LEAST_GROUPS = 3
"""Groups that can be parted into training, validation and test."""


@dataclass(frozen=True)
class Hours:
    """Lengths of time of the follow-up; meanings as in `FollowUpSettings`."""

    guard_h: float
    bin_h: float
    horizon_h: float
    report_h: tuple[float, ...]
    headline_h: float
    min_frames: int


def plan_hours(n_frames: int, frame_interval_min: float) -> Hours | None:
    """Lengths of time that a recording of this length leaves something to ask with; None if it is too short.

    Examples
    --------
    >>> plan_hours(24, 30.0)
    Hours(guard_h=1.0, bin_h=1.0, horizon_h=6.0, report_h=(2.0, 5.0, 6.0), headline_h=5.0, min_frames=10)
    """
    step_h = frame_interval_min / 60
    hours = [pair for pair in _HOURS if pair[0] >= step_h] or [(round(step_h, 4),) * 2]
    for guard_h, bin_h in hours:
        for min_frames in _LEAST_WATCHED:
            left_h = (n_frames - min_frames) * step_h - guard_h
            farthest_h = min(left_h, max(_FARTHEST_H, guard_h + 4 * bin_h))
            n_bins = math.floor((farthest_h - guard_h) / bin_h + 1e-9)
            if n_bins >= 1:
                return _with_reports(guard_h, bin_h, n_bins, min_frames)
    return None


def follow_up_values(n_frames: int | None, frame_interval_min: float | None) -> Iterator[Proposal]:
    """Hours and frames of `follow_up`, as far as the length is known, and the steps of `masking`."""
    step = _MASKED_FRAMES if n_frames is None else min(_MASKED_FRAMES, max(1, n_frames // 15))
    words = f"recordings of {n_frames} frames" if n_frames else "for tracks of some 75 frames"
    yield found("masking.remove_last_frames", [step * number for number in range(6)], words)
    yield found("masking.keep_last_frames", [step * number for number in range(1, 6)], words)
    hours = plan_hours(n_frames, frame_interval_min) if n_frames and frame_interval_min else None
    if hours is None or n_frames is None or frame_interval_min is None:
        return
    length = f"{n_frames} frames of {frame_interval_min:g} min are {n_frames * frame_interval_min / 60:.3g} h"
    yield found("follow_up.guard_h", hours.guard_h, length)
    yield found("follow_up.bin_h", hours.bin_h, length)
    yield found("follow_up.horizon_h", hours.horizon_h, f"{length}, less {hours.min_frames} frames and the guard")
    yield found("follow_up.report_h", list(hours.report_h), "hours up to the horizon")
    yield found("follow_up.headline_h", hours.headline_h, "one of report_h")
    yield found("follow_up.min_frames", hours.min_frames, length)


def grouping_values(n_recordings: int, n_groups: int, parents_known: bool | None) -> Iterator[Proposal]:
    """Choose the unit of splits and their scheme.

    `n_groups` is what recordings are grouped by (wells, days). Of 0 recordings it is not known yet how many there are;
    of `parents_known` None, whether tracks say who came from whom.
    """
    if n_recordings == 0:
        yield found("splits.scheme", "grouped_folds", "how many recordings there are is not known yet")
        return
    if n_groups >= LEAST_GROUPS:
        scheme = "grouped_holdout" if n_groups >= _ENOUGH_GROUPS else "grouped_folds"
        yield found("recordings.group_by", "recording", f"{n_groups} groups")
        yield found("splits.scheme", scheme, f"{n_groups} groups")
        if n_groups < _FOLDS:
            yield found("splits.n_folds", n_groups, f"{n_groups} groups")
        return
    seen = "a single recording" if n_recordings == 1 else f"{n_recordings} recordings are too few to be parted"
    if parents_known is not None:
        unit = "lineage" if parents_known else "recording"
        why = "and tracks that say who came from whom" if parents_known else "and no parents in the tracks"
        yield found("recordings.group_by", unit, f"{seen}, {why}")
    yield found("splits.scheme", "spatial_blocks", seen)


def questions_values(events: frozenset[str], lacks_table: bool) -> Iterator[Proposal]:
    """Choose what can be asked with the events that are known; a table of fates is asked for where none is."""
    if len(events) == 1:
        event = next(iter(events))
        words = f"{event} is the one event that tracks and tables show"
        yield found("follow_up.questions", ["within_hours"], words)
        yield found("follow_up.events", [event], words)
    elif not events and lacks_table:
        yield ask(
            "tracks.fates_file",
            "Nothing in the folder says which cells divide or die: no track of the first recordings divides, and no "
            "table has numbers of cells beside words for fates. Add such a table (docs/tracks.md) and name it; where "
            "nobody has scored the cells yet, put null, and score them with cellfate review (docs/review.md).",
        )


def reference_values(has_doses: bool) -> Iterator[Proposal]:
    """Leave out the references that need doses where there are none."""
    if not has_doses:
        words = "there are no doses"
        yield found("references.names_which_fate", ["track_length", "track_age", "position", "measurements"], words)
        yield found("references.names_within_hours", ["track_age", "age_and_time"], words)


def _with_reports(guard_h: float, bin_h: float, n_bins: int, min_frames: int) -> Hours:
    edges = [round(guard_h + bin_h * number, 4) for number in range(1, n_bins + 1)]
    usual = [hours for hours in _USUAL_REPORTS_H if hours in edges and bin_h == 1]
    reported = sorted({*usual, edges[-1]}) if usual else sorted({edges[0], edges[(len(edges) - 1) // 2], edges[-1]})
    headline_h = 5.0 if 5.0 in reported else reported[-1]
    return Hours(guard_h, bin_h, edges[-1], tuple(reported), headline_h, min_frames)
