"""What becomes of a cell's fate once everything was read: unscored, censored, and until when it was watched.

Of a censored cell it is known that nothing happened until its last frame. A cell about which nobody stated anything may
have died unseen: where fates are given, it is unscored.
"""

import logging

import pandas as pd

from cellfate.core.fates import CENSORED, UNSCORED
from cellfate.core.tables import CELL
from cellfate.tracks.fate_checks import FIT, NEAR_FRAMES, advise_unit
from cellfate.tracks.problems import one_problem_a_recording, problem_table
from cellfate.tracks.settings import TrackSettings

_log = logging.getLogger(__name__)
_SEVERAL = 3
"""Ends of watching from which on those before the ends of tracks are told: one may have been given up early."""


def settle_fates(
    detections: pd.DataFrame, cells: pd.DataFrame, recordings: pd.DataFrame, tracks: TrackSettings
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Give a fate to cells without one, and stop showing censored cells when they were no longer watched.

    Parameters
    ----------
    cells : DataFrame
        Columns `reading.CELL_KINDS`: fate null where nothing is stated and the tracks show no division; event_frame of
        a cell that is stated to be censored is the last frame in which it was watched.

    Returns
    -------
    detections : DataFrame
        Without those of censored cells after the frame to which they were watched.
    cells : DataFrame
        Columns of `Cells` but group_id, with a fate each; event_frame is null where a cell was stated to be censored,
        last_frame the last that is left. Where the fate of some cell of a recording is not known, a division that the
        tracks show of a cell nobody stated anything of does not count either: kept, the cells that divide would stand
        for all that were not looked at, and too many would divide.
    problems : DataFrame
        recording_id, reason and check: a cell that was watched to a frame before its first one, or after the movie;
        and, as warnings, ends of watching that do not fit the tracks.
    """
    problems = _find_odd_ends(cells, recordings, tracks)
    detections, cells = _end_watching(detections, cells)
    fate = tracks.unlisted_cells if tracks.states_fates else CENSORED
    in_part = cells["fate"].isna().groupby(cells["recording_id"]).transform("any").astype(bool)
    unscored = (fate == UNSCORED) & ~cells["stated"] & in_part
    if unscored.any():
        text = "No fate is stated of %d of %d cells, %d of which divide: they are neither trained on nor scored"
        if cells["stated"].any():
            text += (
                ". If every cell was watched, and only events were written down, set tracks.unlisted_cells to censored"
            )
        _log.warning(text, unscored.sum(), len(cells), (unscored & cells["fate"].notna()).sum())
    cells = cells.assign(
        fate=cells["fate"].fillna(fate).mask(unscored, UNSCORED), event_frame=cells["event_frame"].mask(unscored)
    )
    return detections, cells.drop(columns="stated"), problems


def _end_watching(detections: pd.DataFrame, cells: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    stated = (cells["fate"] == CENSORED) & cells["event_frame"].notna()
    watched = stated & ~(cells["event_frame"] < cells["first_frame"]).fillna(False)
    ends = cells.loc[watched, [*CELL, "event_frame"]].drop_duplicates(CELL)
    late = (detections["frame"] > detections.merge(ends, on=CELL, how="left")["event_frame"].array).fillna(False)
    kept = detections[~late.astype(bool)]
    last = cells[CELL].merge(kept.groupby(CELL)["frame"].max().reset_index(), on=CELL, how="left")["frame"]
    if watched.any():
        text = "%d censored cells were watched to a stated time; %d detections after it are left out"
        _log.info(text, watched.sum(), len(detections) - len(kept))
    cells = cells.assign(
        last_frame=cells["last_frame"].mask(watched, last.astype("Int64").array),
        event_frame=cells["event_frame"].mask(stated),
    )
    return kept, cells


def _find_odd_ends(cells: pd.DataFrame, recordings: pd.DataFrame, tracks: TrackSettings) -> pd.DataFrame:
    """Find ends of watching before a cell or after the movie; and those that do not fit the tracks, as warnings."""
    stated = cells[(cells["fate"] == CENSORED) & cells["event_frame"].notna()]
    stated = stated.merge(recordings[["recording_id", "n_frames", "frame_interval_min"]], on="recording_id")
    early = (stated["event_frame"] < stated["first_frame"]).fillna(False).astype(bool)
    beyond = stated["event_frame"] > stated["n_frames"]
    watched = "In recording '{recording_id}' cell {cell_id} was watched to frame {event_frame}, "
    return pd.concat(
        [
            one_problem_a_recording(
                stated[early],
                watched + "before it is first seen in frame {first_frame}; correct the time or the track",
            ),
            one_problem_a_recording(
                stated[beyond.astype(bool)],
                watched + "but the movie has {n_frames} frames; correct the time: it is a number of frames, and hours "
                "or minutes belong in a table of fates (tracks.fates_file, tracks.fates_time_unit)",
            ),
            _tell_apart(stated[~early & ~beyond.astype(bool)].dropna(subset="last_frame"), tracks),
        ],
        ignore_index=True,
    )


def _tell_apart(stated: pd.DataFrame, tracks: TrackSettings) -> pd.DataFrame:
    """Warn of ends of watching after the ends of tracks, or before them where another unit fits."""
    told = []
    for name, rows in stated.groupby("recording_id"):
        away = rows["event_frame"] - rows["last_frame"]
        unit = advise_unit(rows, float(rows["frame_interval_min"].iloc[0]), tracks)
        fits_as_read = float((away.abs() <= NEAR_FRAMES).mean()) >= FIT
        is_misread = bool(unit) and not fits_as_read and len(rows) >= _SEVERAL
        odd = rows[(away > NEAR_FRAMES) | ((away < -NEAR_FRAMES) & is_misread)]
        if odd.empty:
            continue
        first, advice = odd.iloc[0], "" if fits_as_read or not unit else f"{unit}, or "
        sentence = (
            f"In recording '{name}' {len(odd)} of {len(rows)} stated ends of watching do not fit the tracks: cell "
            f"{first['cell_id']} was watched to frame {first['event_frame']}, but is last seen in frame "
            f"{first['last_frame']}; {advice}see whether the cell was lost by the tracker."
        )
        told.append((str(name), sentence))
    return problem_table(told, "watched_apart")
