"""Tracks of recordings of which frames are missing: nothing is known of a cell where there is no image of it."""

import pandas as pd

from cellfate.core.fates import CENSORED, EVENTS
from cellfate.core.tables import CELL
from cellfate.imaging.missing_frames import MISSING_FRAMES, read_ranges, write_ranges
from cellfate.tracks.problems import problem_table


def leave_out_missing(
    detections: pd.DataFrame, cells: pd.DataFrame, recordings: pd.DataFrame
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Leave out detections in frames without pixels, cells that are in no other frame, and events after the last frame.

    A frame that is missing within a track is a gap. first_frame and last_frame are those that are left, parents that
    are gone are null, and a cell is censored whose event is after the last frame of the recording. How much was left
    out is told in problems, as a warning.
    """
    missing = {
        str(row["recording_id"]): read_ranges(row.get("missing_frames")) for row in recordings.to_dict("records")
    }
    if not any(missing.values()):
        return detections, cells, problem_table()
    lost = detections["recording_id"].map(missing)
    is_lost = pd.Series(
        [frame in frames for frame, frames in zip(detections["frame"], lost, strict=True)], detections.index, dtype=bool
    )
    kept = detections[~is_lost]
    touched = cells["recording_id"].map(missing).map(bool)
    cells = pd.concat([cells[~touched], _shorten(cells[touched], kept, recordings)])
    counts = detections.loc[is_lost, "recording_id"].value_counts(sort=False)
    rows = ((name, _tell(name, int(counts[name]), missing[name])) for name in map(str, counts.index))
    return kept.reset_index(drop=True), cells.sort_index().reset_index(drop=True), problem_table(rows, MISSING_FRAMES)


def _shorten(cells: pd.DataFrame, kept: pd.DataFrame, recordings: pd.DataFrame) -> pd.DataFrame:
    names = pd.MultiIndex.from_frame(cells[CELL])
    is_left = names.isin(pd.MultiIndex.from_frame(kept[CELL]))
    cells, gone = cells[is_left], names[~is_left]
    ends = kept.groupby(CELL)["frame"].agg(first="min", last="max").reset_index()
    seen = cells[CELL].merge(ends, on=CELL, how="left")
    parents = pd.MultiIndex.from_arrays([cells["recording_id"], cells["parent_id"].fillna(-1)])
    n_frames = cells["recording_id"].map(recordings.set_index("recording_id")["n_frames"])
    unseen = (cells["fate"].isin(EVENTS) & (cells["event_frame"] >= n_frames)).fillna(False).astype(bool)
    return cells.assign(
        first_frame=seen["first"].astype("Int64").array,
        last_frame=seen["last"].astype("Int64").array,
        parent_id=cells["parent_id"].where(~parents.isin(gone)),
        fate=cells["fate"].mask(unseen, CENSORED),
        event_frame=cells["event_frame"].mask(unseen),
    )


def _tell(recording_id: str, count: int, frames: frozenset[int]) -> str:
    return (
        f"In recording '{recording_id}' {count} detection(s) lie in the missing frame(s) {write_ranges(frames)} and "
        "are left out."
    )
