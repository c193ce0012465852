"""What is odd about labels: cells that are not there any more, lineages that say otherwise, scorers who disagree."""

from collections.abc import Iterable
from typing import Any, Final

import pandas as pd

from cellfate.core.fates import APOPTOSIS, EVENTS, LOST, MITOSIS, NEITHER
from cellfate.core.tables import CELL, DISAGREE, LABEL_CHECKS, LabelFindings

SAME_PLACE_PX: Final = 10.0
"""A cell that is farther than this from where it was when it was scored, in the same frame, is another one."""
AFTER_FRAMES: Final = 10
"""Frames after its last one in which an event of a cell can be seen in the images."""


def tell(check: str, rows: Iterable[dict[str, Any]]) -> pd.DataFrame:
    """Give rows with a sentence the columns of `LabelFindings`."""
    none = LabelFindings.empty()
    return pd.DataFrame(rows).assign(check=check).reindex(columns=none.columns).astype(none.dtypes)


def part_unusable(
    labels: pd.DataFrame, cells: pd.DataFrame, detections: pd.DataFrame, recordings: pd.DataFrame
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Part labels that say something of a cell that is there from those that cannot be used, with the reason.

    Parameters
    ----------
    labels, cells, detections, recordings : DataFrame
        Tables of the same names.

    Returns
    -------
    used : DataFrame
        Table `Labels`; labels that were taken back are in neither.
    findings : DataFrame
        Table `LabelFindings` of the others.
    """
    said = labels[labels["fate"].notna()]
    now = said.merge(cells[[*CELL, "first_frame", "last_frame"]], on=CELL, how="left", indicator="there")
    places = detections[[*CELL, "frame", "y_px", "x_px"]].rename(columns={"frame": "seen_last_frame"})
    places = places.drop_duplicates([*CELL, "seen_last_frame"]).astype({"seen_last_frame": "Int64"})
    now = now.merge(places, on=[*CELL, "seen_last_frame"], how="left", indicator="tracked")
    now = now.merge(recordings[["recording_id", "n_frames"]], on="recording_id", how="left")
    now.index = said.index
    gone = now["there"] != "both"
    noted = now["seen_last_frame"].notna()
    away = ((now["y_px"] - now["seen_y_px"]) ** 2 + (now["x_px"] - now["seen_x_px"]) ** 2) ** 0.5
    other = ~gone & noted & ((now["tracked"] != "both") | (away > SAME_PLACE_PX))
    beyond = ~gone & ~other & (now["event_frame"] >= now["n_frames"]).fillna(False).astype(bool)
    told = [
        _tell_rows("gone", now[gone], "is not in the tracks any more, so its label is not used"),
        _tell_rows(
            "other_cell",
            now[other],
            "is not where it was in frame {seen_last_frame} when it was scored: the tracks were made anew, and its "
            "label is not used; score it again",
        ),
        _tell_rows(
            "beyond",
            now[beyond],
            "has an event frame of {event_frame}, but the recording has {n_frames} frames counted from 0, so its label "
            "is not used; correct the frame",
        ),
    ]
    return said[~(gone | other | beyond)], pd.concat(told, ignore_index=True)


def find_contradictions(used: pd.DataFrame, cells: pd.DataFrame) -> pd.DataFrame:
    """Find what contradicts the tracks, or what was recorded, or another scorer.

    Parameters
    ----------
    used : DataFrame
        Table `Labels`, without those that cannot be used.
    cells : DataFrame
        Table `Cells` after labels were applied.

    Returns
    -------
    DataFrame
        Table `LabelFindings`, in the order of `core.tables.LABEL_CHECKS`.
    """
    mothers = cells[["recording_id", "parent_id"]].dropna().drop_duplicates()
    known = used.drop(columns="training_only").merge(cells, on=CELL, suffixes=("", "_now"), validate="many_to_one")
    known["mother"] = pd.MultiIndex.from_frame(known[CELL]).isin(pd.MultiIndex.from_frame(mothers))
    frame, event = known["event_frame"], known["fate"].isin(EVENTS)
    early = (frame < known["first_frame"] + event).fillna(False).astype(bool)
    late = (frame > known["recorded_last_frame"] + AFTER_FRAMES).fillna(False).astype(bool)
    others = known["fate"].isin((APOPTOSIS, LOST, NEITHER))
    was = (known["seen_fate"].fillna(""), known["seen_event_frame"].fillna(-1))
    changed = was[0].ne(known["recorded_fate"]) | was[1].ne(known["recorded_event_frame"].fillna(-1))
    disagreeing = known[known["labelled"] == DISAGREE].groupby(CELL, as_index=False).agg(said=("fate", ", ".join))
    unseen = "is left out of tests, because its label was given with forecasts in sight and differs from what was known"
    differs = known["training_only"] & known["recorded_fate"].isin(EVENTS)
    told = {
        "disagree": (disagreeing, "was scored {said}; it is unscored until one scorer settles it"),
        "has_daughters": (known[known["mother"] & others], "was scored {fate}, but the tracks give it daughters"),
        "no_daughters": (
            known[(known["fate"] == MITOSIS) & ~known["mother"]],
            "was scored mitosis, but the tracks give it no daughters",
        ),
        "outside": (
            known[early | late],
            "was scored {fate} in frame {event_frame}, but its track is in {first_frame} to {recorded_last_frame}",
        ),
        "no_event_frame": (
            known[event & frame.isna()],
            "was scored {fate} without a frame: frame {event_frame_now} is taken; name it",
        ),
        "recorded_since": (
            known[known["seen_fate"].notna() & changed],
            "was scored {fate} when it was recorded as {seen_fate}; now it is {recorded_fate}, or in another frame",
        ),
        "after_forecasts": (known[differs], unseen),
    }
    ordered = [_tell_rows(check, *told[check]) for check in LABEL_CHECKS if check in told]
    return pd.concat(ordered, ignore_index=True)


def _tell_rows(check: str, rows: pd.DataFrame, sentence: str) -> pd.DataFrame:
    """List findings of a check; the sentence is a format string without the cell and the full stop."""
    told = [
        {
            "recording_id": row["recording_id"],
            "cell_id": row["cell_id"],
            "scorer": row.get("scorer"),
            "finding": f"Cell {row['cell_id']} of recording '{row['recording_id']}' {sentence.format(**row)}.",
        }
        for row in ({str(key): value for key, value in row.items()} for row in rows.to_dict("records"))
    ]
    return tell(check, told)
