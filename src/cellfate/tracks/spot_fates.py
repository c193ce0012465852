"""Fates that a person typed into the names of spots while looking at the tracks."""

import re
from pathlib import Path

import pandas as pd

from cellfate.core.errors import InputError
from cellfate.core.fates import CENSORED, EVENTS, MITOSIS
from cellfate.tracks.fate_tables import state_fates
from cellfate.tracks.settings import TrackSettings

NAMED_BY_TRACKER = re.compile(r"(ID\d+|Track_\d+(\.[a-z]+)?(\.\d+)?)?", re.IGNORECASE)
"""What TrackMate calls spots by itself, or by its action *Spot auto-naming*."""
_DAUGHTERS = 2


def read_spot_fates(
    spots: pd.DataFrame, parents: dict[int, int] | None, tracks: TrackSettings, path: Path
) -> pd.DataFrame | None:
    """Read the fate of each cell off the names of its spots: as `state_fates`; None without words.

    `spots` has cell_id, spot_id, frame and, where `columns.fate` names an attribute or column, word: its text, blank
    where nothing is stated. The event is in the first frame with the word (censored: watched to the last); that of a
    mother whose daughters are tracked is left to these.

    Raises
    ------
    InputError
        If a word is neither a fate nor a name that TrackMate gives, or the spots of a cell disagree.
    """
    if "word" not in spots:
        return None
    words = spots["word"].str.strip()
    fates = words.map({word: tracks.fate_of(word) for word in words.unique()})
    unknown = spots[fates.isna() & ~words.map(lambda word: bool(NAMED_BY_TRACKER.fullmatch(word))).astype(bool)]
    if len(unknown):
        raise InputError(
            f"Spot {unknown['spot_id'].iloc[0]} in {path} has {unknown['word'].iloc[0]!r:.60} as "
            f"{tracks.columns.fate} ({len(unknown)} such spots), but a fate or a name that TrackMate gives, such as "
            "ID12, was expected; say what it means in tracks.fate_names, or set tracks.columns.fate to null."
        )
    times = spots["frame"].where(fates.notna()).groupby(spots["cell_id"])
    frames = times.transform("min").mask(fates == CENSORED, times.transform("max"))
    counts = pd.Series(list((parents or {}).values()), dtype="int64").value_counts()
    divides = spots["cell_id"].isin(counts.index[counts >= _DAUGHTERS])
    timed = fates.isin([*EVENTS, CENSORED]) & ~(divides & (fates == MITOSIS))
    return state_fates(
        spots["cell_id"].to_numpy("int64"),
        words.where(fates.notna(), ""),
        frames.where(timed).astype("Int64"),
        tracks,
        path,
    )
