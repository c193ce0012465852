"""Checks that hold for tracks of every format. Each returns problems; none raises."""

import pandas as pd

from cellfate.core.fates import EVENTS, FATES
from cellfate.core.tables import CELL, FRAME
from cellfate.tracks.problems import one_problem_a_recording, problem_table
from cellfate.tracks.settings import UNTRACKED_FORMATS, TrackSettings

_SEVERAL = 10
"""Cells from which on it is told that most are seen in one frame."""


def find_problems(detections: pd.DataFrame, cells: pd.DataFrame, recordings: pd.DataFrame) -> pd.DataFrame:
    """Find what is wrong with imported tracks: recording_id and reason, a row a recording and kind of problem.

    first_frame and last_frame of cells may be null.
    """
    sizes = recordings[["recording_id", "n_frames", "height_px", "width_px"]]
    detections = detections.merge(sizes, on="recording_id", validate="many_to_one")
    cells = cells.merge(sizes, on="recording_id", validate="many_to_one")
    return pd.concat(
        [*_check_marks(detections, cells), *_check_fates(cells), *_check_parents(cells)], ignore_index=True
    )


def settle_missing_parents(cells: pd.DataFrame, tracks: TrackSettings) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Forget parents that have no track, where `missing_parents` says so; how many there were are warnings.

    parent_id is null then; lineage_id stays, so that the daughters of a lost parent are one lineage.
    """
    if tracks.missing_parents == "stop":
        return cells, problem_table()
    tracked = pd.MultiIndex.from_frame(cells[CELL].astype({"cell_id": "Int64"}))
    named = pd.MultiIndex.from_frame(cells[["recording_id", "parent_id"]])
    lost = cells["parent_id"].notna() & ~named.isin(tracked)
    sentence = "In recording '{}' {} cells have a parent without a track; it is taken as not known."
    counts = cells.loc[lost, "recording_id"].value_counts(sort=False)
    told = problem_table(((str(name), sentence.format(name, n)) for name, n in counts.items()), "missing_parent")
    return cells.assign(parent_id=cells["parent_id"].mask(lost)), told


def find_single_frames(detections: pd.DataFrame, recordings: pd.DataFrame, tracks: TrackSettings) -> pd.DataFrame:
    """Warn of recordings in which most cells are seen in one frame: the numbers may be those of spots."""
    longer = recordings.loc[recordings["n_frames"] > 1, "recording_id"]
    seen = detections[detections["recording_id"].isin(longer)].groupby(CELL).size()
    single = (seen == 1).groupby("recording_id").agg(["sum", "size"])
    spots = "if the numbers are those of spots, give the column of parent spots (docs/tracks.md, Rows of spots), else "
    sentence = (
        "In recording '{}' {} of {} cells are seen in one frame only; "
        + spots * (tracks.format == "csv")
        + "look whether the tracks were linked."
    )
    odd = single[(single["sum"] > single["size"] / 2) & (single["size"] >= _SEVERAL)]
    return problem_table(
        ((str(name), sentence.format(name, row["sum"], row["size"])) for name, row in odd.iterrows()), "one_frame"
    )


def find_negative(detections: pd.DataFrame, tracks: TrackSettings) -> pd.DataFrame:
    """Refuse cells with negative numbers, which trackers give to spots of no track: together they are no cell."""
    advice = "set tracks.untracked_id to {cell_id} to leave them out, or " * (tracks.format in UNTRACKED_FORMATS)
    sentence = f"cell {{cell_id}} has a negative number, as spots of no track have; {advice}number cells from 0 on"
    return _tell(detections[detections["cell_id"] < 0].drop_duplicates(CELL), sentence)


def _tell(found: pd.DataFrame, text: str) -> pd.DataFrame:
    return one_problem_a_recording(found, "In recording '{recording_id}' " + text)


def _check_marks(detections: pd.DataFrame, cells: pd.DataFrame) -> list[pd.DataFrame]:
    marked, tracked = pd.MultiIndex.from_frame(detections[CELL]), pd.MultiIndex.from_frame(cells[CELL])
    there = detections["frame"].between(0, detections["n_frames"] - 1)
    inside = detections["y_px"].between(-0.5, detections["height_px"] - 0.5)
    inside &= detections["x_px"].between(-0.5, detections["width_px"] - 0.5)
    inside |= detections["height_px"] == 0  # there are no images
    return [
        _tell(
            cells[cells.duplicated(CELL)],
            "cell {cell_id} is listed twice; give every cell of a recording its own number",
        ),
        _tell(
            detections[detections.duplicated(FRAME)],
            "cell {cell_id} is marked twice in frame {frame}; keep one mark a cell and frame",
        ),
        _tell(
            detections[~marked.isin(tracked)],
            "cell {cell_id} is marked in frame {frame} but has no track; add the track or remove the mark",
        ),
        _tell(
            cells[~tracked.isin(marked)],
            "cell {cell_id} has a track but is marked in no frame of the movie; mark it or remove its track",
        ),
        _tell(
            detections[~there],
            "cell {cell_id} is marked in frame {frame}, but the movie has {n_frames} frames counted from 0; "
            "correct the frame or add its image",
        ),
        _tell(
            detections[~inside],
            "the centre of cell {cell_id} in frame {frame} is at x {x_px:.1f} px, y {y_px:.1f} px, outside the image "
            "of {width_px} x {height_px} px; correct the position",
        ),
    ]


def _check_fates(cells: pd.DataFrame) -> list[pd.DataFrame]:
    event, known, is_event = cells["event_frame"], cells["fate"].isin(FATES), cells["fate"].isin(EVENTS)
    return [
        _tell(
            cells[~known],
            "cell {cell_id} has the fate '{fate}', but " + ", ".join(FATES) + " were expected; correct the fate",
        ),
        _tell(
            cells[is_event & event.isna()],
            "cell {cell_id} has the fate '{fate}' but no event frame; name the column of its time "
            "(tracks.columns.event_frame, of a table of fates tracks.fates_columns.time), or add the frame",
        ),
        _tell(
            cells[known & ~is_event & event.notna()],
            "cell {cell_id} is {fate} but has an event in frame {event_frame}; name its fate or remove the event",
        ),
        _tell(
            cells[(event < cells["first_frame"]).fillna(False)],
            "the event of cell {cell_id} is in frame {event_frame}, before the cell is first seen in frame "
            "{first_frame}; correct the event or the track",
        ),
        _tell(
            cells[(event >= cells["n_frames"]).fillna(False)],
            "the event of cell {cell_id} is in frame {event_frame}, but the movie has {n_frames} frames counted from "
            "0; correct the event: it is a number of frames, and hours or minutes belong in a table of fates "
            "(tracks.fates_file, tracks.fates_time_unit)",
        ),
    ]


def _check_parents(cells: pd.DataFrame) -> list[pd.DataFrame]:
    children = cells[cells["parent_id"].notna()]
    parents = cells[[*CELL, "last_frame"]].rename(columns={"cell_id": "parent_id", "last_frame": "parent_last"})
    parents = parents.drop_duplicates(["recording_id", "parent_id"]).astype({"parent_id": "Int64"})
    family = children.merge(parents, on=["recording_id", "parent_id"], how="left", indicator=True)
    known = family["_merge"] == "both"
    return [
        _tell(
            family[known & family["lineage_id"].isna()],
            "cell {cell_id} is its own ancestor (parent {parent_id}), or descends from one that is; correct the "
            "parents",
        ),
        _tell(
            family[~known],
            "the parent {parent_id} of cell {cell_id} has no track; add the track or set it to 0, or set "
            "tracks.missing_parents to unknown",
        ),
        _tell(
            family[known & (family["first_frame"] <= family["parent_last"]).fillna(False)],
            "cell {cell_id} begins in frame {first_frame}, but its parent {parent_id} is still seen in frame "
            "{parent_last}; a parent ends before its daughters begin; correct the tracks",
        ),
    ]
