"""Landmarks: the moments at which anything is asked of a cell, and what is known of it there.

A landmark is a cell at a frame, the last one that is shown. A cell that is first tracked in frame f has *regular*
landmarks at ``f + min_frames - 1`` and every `stride_frames` from there; at these it is asked what happens within some
hours. Its *last* landmark is the last frame that is shown of it; there it is asked which fate comes. Frames in a gap of
the track are no landmarks.
"""

import numpy as np
import pandas as pd

from cellfate.cohort.families import FAMILY
from cellfate.cohort.settings import FollowUpSettings
from cellfate.core.errors import InputError
from cellfate.core.fates import EVENTS
from cellfate.core.tables import CELL, FRAME, Landmarks

_OF_THE_CELL = [*CELL, "group_id", "dose", "first_frame", "frame_interval_min", "fate", "event_frame", "treatment_h"]


def list_landmarks(detections: pd.DataFrame, follow_ups: pd.DataFrame, follow_up: FollowUpSettings) -> pd.DataFrame:
    """List the regular landmarks and the last one of every cell that is old enough.

    Parameters
    ----------
    detections : DataFrame
        Table `Detections`; says in which frames each cell was tracked.
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
        If there is no landmark.
    """
    frames = list_forecast_frames(detections, follow_ups, follow_up)
    landmarks = frames[frames["regular"] | frames["last"]].reset_index(drop=True)
    if landmarks.empty:
        raise InputError(
            f"None of {len(follow_ups)} followed cells has a landmark, but at least one is needed; lower min_frames "
            f"{follow_up.min_frames} or guard_h {follow_up.guard_h} of parameter follow_up, or add longer tracks."
        )
    return Landmarks.validate(landmarks)


def asks_which_fate(landmarks: pd.DataFrame) -> "pd.Series[bool]":
    """Whether it is asked at each landmark which fate comes: at the last one of every cell whose fate was seen."""
    return landmarks["last"] & landmarks["fate"].isin(EVENTS)


def list_forecast_frames(
    detections: pd.DataFrame, follow_ups: pd.DataFrame, follow_up: FollowUpSettings
) -> pd.DataFrame:
    """List every frame at which a cell can be forecast: all that are shown, once it is old enough.

    Parameters
    ----------
    detections : DataFrame
        Table `Detections`.
    follow_ups : DataFrame
        Table `FollowUps`, or some of its rows.
    follow_up : FollowUpSettings
        Least age, and frames from one regular landmark to the next.

    Returns
    -------
    DataFrame
        Columns of table `Landmarks`, one row a frame, in the order of `follow_ups` and then of frames.
    """
    cells = follow_ups.rename(columns={"last_frame": "last_shown"}).drop(columns="n_frames")
    cells = cells.assign(place=np.arange(len(cells)))
    tracked = detections[FRAME].drop_duplicates().merge(cells, on=CELL, validate="many_to_one")
    shown = tracked[tracked["frame"] <= tracked["last_shown"]].sort_values(["place", "frame"], ignore_index=True)
    shown["n_frames"] = shown.groupby("place").cumcount() + 1
    age = shown["frame"] - shown["first_frame"]
    waited = age - (follow_up.min_frames - 1)
    interval_h = shown["frame_interval_min"] / 60
    names = shown["recording_id"] + ":" + shown["cell_id"].astype(str) + ":" + shown["frame"].astype(str)
    table = shown.reindex(columns=[*_OF_THE_CELL, *FAMILY]).assign(
        landmark_id=names,
        last_frame=shown["frame"],
        n_frames=shown["n_frames"],
        age_frames=age,
        time_h=(shown["end_frame"] - shown["frame"]) * interval_h,
        watchable_h=(shown["recording_frames"] - 1 - shown["frame"]) * interval_h,
        regular=waited % follow_up.stride_frames == 0,
        last=shown["frame"] == shown["last_shown"],
    )
    return table.loc[waited >= 0, list(Landmarks.to_schema().columns)].reset_index(drop=True)
