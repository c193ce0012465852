"""What the tracks say of a cell's family: how long its mother's cycle was, and how its sister ended."""

import numpy as np
import pandas as pd

from cellfate.core.fates import EVENTS, MITOSIS
from cellfate.core.tables import CELL

FAMILY = ["mother_cycle_h", "sister_fate", "sister_end_frame"]
"""Columns of `describe_families`."""
_MOTHER = ["recording_id", "parent_id"]
_TRACKED = [*CELL, "parent_id", "first_frame", "last_frame", "fate", "event_frame"]


def describe_families(cells: pd.DataFrame, recordings: pd.DataFrame) -> pd.DataFrame:
    """Describe the family of every cell, as far as tracks say who came from whom.

    Parameters
    ----------
    cells, recordings : DataFrame
        Tables `Cells` and `Recordings`.

    Returns
    -------
    DataFrame
        recording_id, cell_id; mother_cycle_h: hours from the first frame of the mother to her mitosis, where both were
        seen (she has a parent herself); sister_fate, and sister_end_frame: frame of her event or, without one, the last
        frame in which she was seen. Null where it is not known, and where a mother has not just two daughters.

    Notes
    -----
    How a sister ended is told as it is; what may be known of it at a landmark is for whoever uses it to say.
    """
    tracked = cells.reindex(columns=_TRACKED).astype({"parent_id": "Int64"})
    found = tracked.merge(_cycles(tracked, recordings), on=_MOTHER, how="left")
    return found.merge(_sisters(tracked), on=CELL, how="left")[[*CELL, *FAMILY]]


def _cycles(cells: pd.DataFrame, recordings: pd.DataFrame) -> pd.DataFrame:
    """Cycle of every cell that was seen from birth to mitosis, under the name of a parent."""
    whole = cells[(cells["fate"] == MITOSIS) & cells["parent_id"].notna()]
    whole = whole.merge(recordings[["recording_id", "frame_interval_min"]], on="recording_id")
    frames = (whole["event_frame"] - whole["first_frame"]).astype(np.float64)
    cycles = whole[CELL].assign(mother_cycle_h=frames * whole["frame_interval_min"] / 60)
    return cycles.rename(columns={"cell_id": "parent_id"}).astype({"parent_id": "Int64"})


def _sisters(cells: pd.DataFrame) -> pd.DataFrame:
    """How the sister of every cell with exactly one ended."""
    daughters = cells[cells["parent_id"].notna()]
    daughters = daughters[daughters.groupby(_MOTHER)["cell_id"].transform("size") == 2]
    end = daughters["event_frame"].where(daughters["fate"].isin(EVENTS), daughters["last_frame"])
    sister = daughters[_MOTHER].assign(sister_id=daughters["cell_id"], sister_fate=daughters["fate"])
    pairs = daughters[[*CELL, "parent_id"]].merge(sister.assign(sister_end_frame=end.astype("Int64")), on=_MOTHER)
    return pairs[pairs["cell_id"] != pairs["sister_id"]][[*CELL, "sister_fate", "sister_end_frame"]]
