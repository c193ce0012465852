"""Follow-ups: which frames of each cell are shown, how long it was watched, and how that ended.

Frames count from 0. The watching of a cell ends in the frame of its event or, when it is censored, in the last frame in
which it was seen. What is shown are the tracked frames before ``end - guard``; of a censored cell the end is here the
frame after its last, so that every track is shortened alike, however it ended.
"""

import logging

import pandas as pd

from cellfate.cohort.families import describe_families
from cellfate.cohort.guard import withhold_frames
from cellfate.cohort.settings import FollowUpSettings
from cellfate.core.errors import InputError
from cellfate.core.fates import CENSORED, EVENTS, UNSCORED, UNUSABLE
from cellfate.core.tables import CELL, DISAGREE, FollowUps, SetAside

logger = logging.getLogger(__name__)


NOBODY_LOOKED = "unscored: nobody said how its track ended, so it neither trains nor tests"
UNUSABLE_TRACK = "a scorer called its track unusable"
SCORERS_DIFFER = "scorers differ on its fate, and nobody settled it"
EVENT_TOO_EARLY = "the event is not after the first tracked frame"
NOT_SHOWN = "no tracked frame before the guard"
TOO_YOUNG = "watched for fewer than min_frames frames before the guard: it teaches, but is too young to be forecast"

SAME_INTERVAL = 0.01
"""Frame intervals that differ by less than this share are the same."""
_STAGE = "follow_cells"


def follow_cells(
    detections: pd.DataFrame, cells: pd.DataFrame, recordings: pd.DataFrame, follow_up: FollowUpSettings
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Follow every cell that somebody scored to its event or to where it was lost, for training and scoring.

    Parameters
    ----------
    detections, cells : DataFrame
        Tables `Detections` and `Cells`.
    recordings : DataFrame
        Table `Recordings`; cells of recordings that it does not list are left alone.
    follow_up : FollowUpSettings
        Guard and least age.

    Returns
    -------
    follow_ups : DataFrame
        Table `FollowUps`: one row a cell with a frame to show, censored ones included, in the order of `cells`.
    cells_set_aside : DataFrame
        Table `SetAside`, with `last_frame` of what was shown: cells that are not followed, and cells that are but are
        too young to be forecast.

    Raises
    ------
    InputError
        If no cell can be followed, recordings have different frame intervals, or a fate and its event frame contradict
        each other.
    """
    watched = _watch(detections, cells, recordings, follow_up)
    watched.loc[watched["fate"] == UNSCORED, "reason"] = NOBODY_LOOKED
    for labelled, reason in ((UNUSABLE, UNUSABLE_TRACK), (DISAGREE, SCORERS_DIFFER)):
        watched.loc[watched["labelled"] == labelled, "reason"] = reason
    kept = watched[watched["reason"].isna()]
    _check_any(kept, watched, follow_up)
    if not (watched["fate"] == CENSORED).any():
        logger.warning(
            "No cell is censored among %d, which is rare in real recordings: check that cells without a fate were kept",
            len(watched),
        )
    age = kept["last_frame"] - kept["first_frame"] + 1
    young = kept[age < follow_up.min_frames].assign(reason=TOO_YOUNG)
    aside = pd.concat([watched[watched["reason"].notna()], young]).sort_index().assign(stage=_STAGE)
    listed = aside[[*CELL, "stage", "reason", "last_frame"]].astype({"last_frame": "Int64"})
    return _table(kept), SetAside.validate(listed.reset_index(drop=True))


def follow_open_cells(
    detections: pd.DataFrame, cells: pd.DataFrame, recordings: pd.DataFrame, follow_up: FollowUpSettings
) -> pd.DataFrame:
    """Follow cells whether or not their fate is known, for forecasting.

    A cell without an event is shown to its last frame: nothing is known to be withheld from. A cell with no frame to
    show is left out.

    Parameters
    ----------
    detections, cells, recordings : DataFrame
        Tables `Detections`, `Cells` and `Recordings`.
    follow_up : FollowUpSettings
        The settings that the model was trained with.

    Returns
    -------
    DataFrame
        Table `FollowUps`.

    Raises
    ------
    InputError
        If no cell can be followed, recordings have different frame intervals, or a fate and its event frame contradict
        each other.
    """
    watched = _watch(detections, cells, recordings, follow_up, open_ends=True)
    kept = watched[watched["reason"].isna()]
    _check_any(kept, watched, follow_up)
    return _table(kept)


def _watch(
    detections: pd.DataFrame,
    cells: pd.DataFrame,
    recordings: pd.DataFrame,
    follow_up: FollowUpSettings,
    open_ends: bool = False,
) -> pd.DataFrame:
    """Columns of `FollowUps` for every cell, and `reason`: why it is not followed, or null."""
    _check_intervals(recordings)
    _check_event_frames(cells)
    about = recordings.reindex(columns=["recording_id", "dose", "frame_interval_min", "n_frames", "treatment_h"])
    watched = cells.reindex(columns=[*CELL, "group_id", "fate", "event_frame", "labelled"]).merge(
        about.rename(columns={"n_frames": "recording_frames"}), on="recording_id", validate="many_to_one"
    )
    watched = watched.merge(describe_families(cells, recordings), on=CELL, how="left", validate="one_to_one")
    watched = watched.merge(_see(detections, cells), on=CELL, how="left", validate="one_to_one")
    has_event = watched["event_frame"].notna()
    end = watched["event_frame"].fillna(watched["seen_last"] + 1)
    withheld = end.where(has_event) if open_ends else end
    watched = withhold_frames(watched, detections, withheld, follow_up.guard_h)
    watched["end_frame"] = end - (~has_event)
    too_early = has_event & (end <= watched["seen_first"])
    watched["reason"] = pd.Series(None, index=watched.index, dtype=object)
    watched.loc[watched["n_frames"] == 0, "reason"] = NOT_SHOWN
    watched.loc[too_early.fillna(False), "reason"] = EVENT_TOO_EARLY
    return watched


def _see(detections: pd.DataFrame, cells: pd.DataFrame) -> pd.DataFrame:
    """First and last frame in which each cell was seen: seen_first, seen_last; labels can end its watching earlier."""
    seen = detections.groupby(CELL)["frame"].agg(seen_first="min", seen_last="max").reset_index()
    if "recorded_last_frame" not in cells.columns:
        return seen
    ends = seen[CELL].merge(cells[[*CELL, "last_frame"]], on=CELL, how="left")["last_frame"]
    return seen.assign(seen_last=seen["seen_last"].mask(ends < seen["seen_last"], ends).astype("int64"))


def _check_intervals(recordings: pd.DataFrame) -> None:
    """Refuse recordings of different frame intervals: networks look back over frames, and a frame is one time."""
    by_interval = recordings.sort_values("frame_interval_min", kind="stable")
    intervals = by_interval["frame_interval_min"].to_numpy(float)
    if len(intervals) and intervals[-1] > intervals[0] * (1 + SAME_INTERVAL):
        names = by_interval["recording_id"]
        raise InputError(
            f"Recording '{names.iloc[0]}' has a frame every {intervals[0]:g} min but '{names.iloc[-1]}' one every "
            f"{intervals[-1]:g} min, and a model needs one interval; leave out frames or recordings, or correct "
            "recordings.frame_interval_min."
        )


def _check_event_frames(cells: pd.DataFrame) -> None:
    has_event = cells["fate"].isin(EVENTS)
    wrong = cells[has_event != cells["event_frame"].notna()]
    if wrong.empty:
        return
    cell = wrong.iloc[0]
    if pd.isna(cell["event_frame"]):
        found = f"has the fate '{cell['fate']}' but no event_frame; give the frame, or make it censored"
    else:
        found = f"is {cell['fate']} but has event_frame {cell['event_frame']}; name its fate, or remove the frame"
    raise InputError(f"Cell {cell['cell_id']} of recording '{cell['recording_id']}' {found}.")


def _check_any(kept: pd.DataFrame, watched: pd.DataFrame, follow_up: FollowUpSettings) -> None:
    if len(kept):
        return
    reasons = watched["reason"].value_counts()
    why = f" (most often: {reasons.index[0]})" if len(reasons) else ""
    raise InputError(
        f"None of {len(watched)} cells can be followed{why}, but at least one is needed; check tracks and fates, or "
        f"lower guard_h {follow_up.guard_h} of parameter follow_up."
    )


def _table(kept: pd.DataFrame) -> pd.DataFrame:
    columns = list(FollowUps.to_schema().columns)
    return FollowUps.validate(
        kept[columns].astype({"event_frame": "Int64", "sister_fate": "str"}).reset_index(drop=True)
    )
