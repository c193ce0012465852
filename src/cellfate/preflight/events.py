"""Events held against tracks: an event belongs to the end of its track, or to the first frame of its daughters."""

import numpy as np
import pandas as pd

from cellfate.core.fates import APOPTOSIS, EVENTS, MITOSIS
from cellfate.core.tables import CELL
from cellfate.preflight.findings import list_findings
from cellfate.preflight.settings import PreflightSettings
from cellfate.tracks.event_times import read_otherwise
from cellfate.tracks.settings import TrackSettings

_FIT = 0.8
"""Share of the events that are told which another reading of their times must put right, to be named."""
_SEVERAL = 5
"""Stated divisions, or deaths, from which on it is told that they are one frame late."""


def check_events(
    cells: pd.DataFrame, recordings: pd.DataFrame, tracks: TrackSettings, settings: PreflightSettings
) -> list[pd.DataFrame]:
    """Find events away from where the tracks show that they are, and daughters that begin late or do not last."""
    sizes = recordings[["recording_id", "n_frames", "frame_interval_min"]]
    known = cells.merge(sizes, on="recording_id").dropna(subset=["first_frame", "last_frame"])
    family = _join_mothers(known)
    longest = settings.max_event_gap_frames
    late = family[family["value"] > longest].drop_duplicates(["recording_id", "parent_id"])
    late = late.assign(limit=float(longest), frame=late["first_frame"], cell_id=late["parent_id"])
    brief = family[(family["first_frame"] == family["last_frame"]) & (family["last_frame"] < family["n_frames"] - 1)]
    checks = (
        ("event_apart", _find_apart(known, family, tracks, longest), _APART),
        ("first_frame", _find_one_late(known, family, tracks), _ONE_LATE),
        ("late_daughters", late, _LATE),
        ("short_daughter", brief.assign(value=1.0, limit=1.0, frame=brief["first_frame"]), _SHORT),
    )
    return [list_findings(cases, name, sentence, settings.max_rows_a_check) for name, cases, sentence in checks]


_APART = (
    "the {fate} of cell {cell_id} is in frame {frame}, {value:.0f} frame(s) too {side}: {place}; correct the event or "
    "the track{advice}"
)
_ONE_LATE = (
    "{value:.0f} of {n_events} {events} are stated one frame after {place}; if the fates count frames from 1 and the "
    "tracks from 0, subtract 1 from their times"
)
_LATE = (
    "the daughters of cell {parent_id} begin in frame {frame}, {value:.0f} frame(s) after the cell is last seen in "
    "frame {mother_last}; check whether they are its daughters"
)
_SHORT = "cell {cell_id}, a daughter of cell {parent_id}, is seen in frame {frame} only; check whether it is a cell"


def _join_mothers(cells: pd.DataFrame) -> pd.DataFrame:
    """Daughters beside their mothers; value: frames in which neither is seen."""
    mothers = cells[[*CELL, "last_frame"]].rename(columns={"cell_id": "parent_id", "last_frame": "mother_last"})
    mothers = mothers.drop_duplicates(["recording_id", "parent_id"]).astype({"parent_id": "Int64"})
    family = cells.dropna(subset=["parent_id"]).merge(mothers, on=["recording_id", "parent_id"])
    gap = (family["first_frame"] - family["mother_last"] - 1).astype("float64")
    return family.assign(value=gap).sort_values("value", kind="stable")


def _find_apart(cells: pd.DataFrame, family: pd.DataFrame, tracks: TrackSettings, longest: int) -> pd.DataFrame:
    """Events away from their place; value: how many frames."""
    births = family.groupby(["recording_id", "parent_id"])["first_frame"].min().rename("birth").reset_index()
    births = births.rename(columns={"parent_id": "cell_id"}).astype({"cell_id": "int64"})
    events = cells[cells["fate"].isin(EVENTS) & cells["event_frame"].notna()].merge(births, on=CELL, how="left")
    numbers = ["event_frame", "first_frame", "last_frame", "birth"]
    events = events.astype(dict.fromkeys(numbers, "float64"))
    divided = events["birth"].notna()
    # an event is first seen in the last frame of its track, or in the one after
    events = events.assign(
        earliest=events["birth"].where(divided, events["last_frame"]),
        latest=events["birth"].where(divided, events["last_frame"] + 1),
    )
    if tracks.format == "btrack":  # it goes on to follow what is left of a dead cell, and says itself when it died
        events["earliest"] = events["earliest"].where(events["fate"] != APOPTOSIS, events["first_frame"])
    apart = events.assign(value=_miss(events, events["event_frame"]), limit=float(longest))
    apart = apart[apart["value"] > longest]
    last = "it is last seen in frame " + apart["last_frame"].map("{:.0f}".format).astype(str)
    daughters = "its daughters are first seen in frame " + apart["birth"].map("{:.0f}".format).astype(str)
    advice = apart["recording_id"].map(
        {str(name): _advise(rows, tracks, longest) for name, rows in apart.groupby("recording_id")}
    )
    return apart.assign(
        frame=apart["event_frame"].astype("int64"),
        side=np.where(apart["event_frame"] > apart["latest"], "late", "early"),
        place=daughters.where(apart["birth"].notna(), last),
        advice=advice,
    )


def _find_one_late(cells: pd.DataFrame, family: pd.DataFrame, tracks: TrackSettings) -> pd.DataFrame:
    """Find recordings whose stated events are almost all one frame late; value: how many are.

    Deaths are looked at where they are stated as frames: of a cell that is gone one frame later, that may be right.
    """
    births = family.groupby(["recording_id", "parent_id"])["first_frame"].min().rename("due").reset_index()
    divided = cells[cells["fate"] == MITOSIS].merge(births, left_on=CELL, right_on=["recording_id", "parent_id"])
    died = cells[(cells["fate"] == APOPTOSIS) & (tracks.fates_file is not None and tracks.fates_time_unit == "frame")]
    kinds = (
        divided.assign(events="divisions", place="the first of the daughters"),
        died.assign(due=died["last_frame"], events="deaths", place="the last of their tracks"),
    )
    events = pd.concat([each[["recording_id", "events", "place", "event_frame", "due"]] for each in kinds])
    is_late = (events["event_frame"] - events["due"] == 1).fillna(False).astype("float64")
    together = is_late.groupby(events["events"]).agg(["size", "mean"])
    of_all = together.index[(together["mean"] >= _FIT) & (together["size"] >= _SEVERAL)]
    each = is_late.groupby([events[name] for name in ("recording_id", "events", "place")]).agg(["sum", "size", "mean"])
    each = each.reset_index()
    several = (each["size"] >= _SEVERAL) | each["events"].isin(of_all)  # recordings of few events, in one table
    each = each[(each["mean"] >= _FIT) & several & tracks.states_fates]
    return each.rename(columns={"sum": "value", "size": "n_events"}).assign(limit=0.0)


def _miss(events: pd.DataFrame, frame: pd.Series) -> pd.Series:
    """Frames from a frame to the place of the event, 0 at it."""
    return (events["earliest"] - frame).clip(lower=0) + (frame - events["latest"]).clip(lower=0)


def _advise(apart: pd.DataFrame, tracks: TrackSettings, longest: int) -> str:
    """Say how else the times can be read, if that puts most of these events right."""
    frame, interval_min = apart["event_frame"], float(apart["frame_interval_min"].iloc[0])
    for read, finest, text in read_otherwise(frame, apart["first_frame"], interval_min, tracks):
        if float((_miss(apart, read) <= max(longest, finest)).mean()) >= _FIT:
            return f"; the times fit {text}"
    return ""
