"""Checks that hold for tracks of every format. Each returns problems; none raises."""

import pandas as pd

from cellfate.core.fates import CENSORED, FATES
from cellfate.tracks.problems import one_problem_a_recording

_CELL = ["recording_id", "cell_id"]


def find_problems(detections: pd.DataFrame, cells: pd.DataFrame, recordings: pd.DataFrame) -> pd.DataFrame:
    """Find what is wrong with imported tracks.

    Parameters
    ----------
    detections : DataFrame
        Columns of `Detections`.
    cells : DataFrame
        Columns of `Cells`, without group_id; first_frame and last_frame may be null.
    recordings : DataFrame
        Table `Recordings`.

    Returns
    -------
    DataFrame
        Columns recording_id and reason; one row a recording and kind of problem, empty if all is well.
    """
    sizes = recordings[["recording_id", "n_frames", "height_px", "width_px"]]
    detections = detections.merge(sizes, on="recording_id", validate="many_to_one")
    cells = cells.merge(sizes, on="recording_id", validate="many_to_one")
    checks = (
        _find_twice(cells, _CELL, "cell {cell_id} is listed twice; give every cell of a recording its own number"),
        _find_twice(
            detections,
            [*_CELL, "frame"],
            "cell {cell_id} is marked twice in frame {frame}; keep one mark a cell and frame",
        ),
        _find_strangers(detections, cells),
        _find_empty(detections, cells),
        _find_absent_frames(detections),
        _find_outside(detections),
        _find_unknown_fates(cells),
        _find_bad_events(cells),
        _find_bad_parents(cells),
    )
    return pd.concat(checks, ignore_index=True)


def _problems(found: pd.DataFrame, text: str) -> pd.DataFrame:
    return one_problem_a_recording(found, "In recording '{recording_id}' " + text)


def _find_twice(table: pd.DataFrame, keys: list[str], text: str) -> pd.DataFrame:
    return _problems(table[table.duplicated(keys)], text)


def _find_strangers(detections: pd.DataFrame, cells: pd.DataFrame) -> pd.DataFrame:
    known = pd.MultiIndex.from_frame(cells[_CELL])
    found = detections[~pd.MultiIndex.from_frame(detections[_CELL]).isin(known)]
    return _problems(
        found, "cell {cell_id} is marked in frame {frame} but has no track; add the track or remove the mark"
    )


def _find_empty(detections: pd.DataFrame, cells: pd.DataFrame) -> pd.DataFrame:
    seen = pd.MultiIndex.from_frame(detections[_CELL])
    found = cells[~pd.MultiIndex.from_frame(cells[_CELL]).isin(seen)]
    return _problems(
        found, "cell {cell_id} has a track but is marked in no frame of the movie; mark it or remove its track"
    )


def _find_absent_frames(detections: pd.DataFrame) -> pd.DataFrame:
    found = detections[~detections["frame"].between(0, detections["n_frames"] - 1)]
    return _problems(
        found,
        "cell {cell_id} is marked in frame {frame}, but the movie has {n_frames} frames counted from 0; "
        "correct the frame or add its image",
    )


def _find_outside(detections: pd.DataFrame) -> pd.DataFrame:
    inside = detections["y_px"].between(-0.5, detections["height_px"] - 0.5) & detections["x_px"].between(
        -0.5, detections["width_px"] - 0.5
    )
    return _problems(
        detections[~inside],
        "the centre of cell {cell_id} in frame {frame} is at x {x_px:.1f} px, y {y_px:.1f} px, outside the image of "
        "{width_px} x {height_px} px; correct its box (coco_vid: centre and size as fractions of the image)",
    )


def _find_unknown_fates(cells: pd.DataFrame) -> pd.DataFrame:
    return _problems(
        cells[~cells["fate"].isin(FATES)],
        "cell {cell_id} has the fate '{fate}', but " + ", ".join(FATES) + " were expected; correct the fate",
    )


def _find_bad_events(cells: pd.DataFrame) -> pd.DataFrame:
    event = cells["event_frame"]
    with_event = cells["fate"] != CENSORED
    early = (event < cells["first_frame"]).fillna(False).astype(bool)
    late = (event >= cells["n_frames"]).fillna(False).astype(bool)
    return pd.concat(
        [
            _problems(
                cells[with_event & event.isna()],
                "cell {cell_id} has the fate '{fate}' but no event frame; add the frame, or make it censored",
            ),
            _problems(
                cells[~with_event & event.notna()],
                "cell {cell_id} is censored but has an event in frame {event_frame}; name its fate or remove the event",
            ),
            _problems(
                cells[early],
                "the event of cell {cell_id} is in frame {event_frame}, before the cell is first seen in frame "
                "{first_frame}; correct the event or the track",
            ),
            _problems(
                cells[late],
                "the event of cell {cell_id} is in frame {event_frame}, but the movie has {n_frames} frames counted "
                "from "
                "0; correct the event",
            ),
        ],
        ignore_index=True,
    )


def _find_bad_parents(cells: pd.DataFrame) -> pd.DataFrame:
    children = cells[cells["parent_id"].notna()]
    parents = cells[[*_CELL, "last_frame"]].rename(columns={"cell_id": "parent_id", "last_frame": "parent_last"})
    parents = parents.drop_duplicates(["recording_id", "parent_id"]).astype({"parent_id": "Int64"})
    family = children.merge(parents, on=["recording_id", "parent_id"], how="left", indicator=True)
    known = family["_merge"] == "both"
    late = known & (family["first_frame"] <= family["parent_last"]).fillna(False).astype(bool)
    circular = known & family["lineage_id"].isna()
    return pd.concat(
        [
            _problems(
                family[circular],
                "cell {cell_id} is its own ancestor (parent {parent_id}), or descends from one that is; correct the "
                "parents",
            ),
            _problems(
                family[~known], "the parent {parent_id} of cell {cell_id} has no track; add the track or set it to 0"
            ),
            _problems(
                family[late],
                "cell {cell_id} begins in frame {first_frame}, but its parent {parent_id} is still seen in frame "
                "{parent_last}; a parent ends before its daughters begin; correct the tracks",
            ),
        ],
        ignore_index=True,
    )
