"""Columns of tracks in a plain table: guessed from names, and held against the recordings and what is in them."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pandas as pd

from cellfate.core.text_tables import read_table
from cellfate.recognition.columns import (
    fate_column,
    fate_names,
    find_column,
    find_columns,
    matching_column,
    whole,
    whole_or_blank,
)
from cellfate.recognition.images import Images
from cellfate.recognition.proposals import OPEN, Proposal, ask, found
from cellfate.recognition.survey import shown
from cellfate.recognition.track_frames import first_frame, frame_column, position_unit, row_lengths

_NONE = (-1, 0)
"""Numbers that stand for no parent."""


def guess_columns(root: Path, name: str, images: Images, recording: str | None) -> list[Proposal]:
    """Guess the columns of a table of tracks.

    Parameters
    ----------
    root : Path
        Folder of recordings.
    name : str
        The table, relative to it.
    images : Images
        Its recordings.
    recording : str or None
        The recording that it is about; None: its rows say it.
    """
    table = read_table(root / name)
    by = None if recording is not None else matching_column(table, images.names)
    columns = list(table.columns)
    lengths = row_lengths(table, by, recording or next(iter(images.names), None), images)
    frame, why = frame_column(table, lengths)
    chosen: dict[str, str | None] = {"frame": frame, "y": find_column("y", columns), "x": find_column("x", columns)}
    parent = find_column("parent_id", columns)
    spot = _spot_column(table, by, frame, parent)
    optional: dict[str, str | None] = {}
    if spot is not None:
        chosen |= {"spot_id": spot, "parent_spot_id": parent}
    else:
        chosen["cell_id"] = _cell_column(table, by, frame)
        optional["parent_id"] = parent if _are_parents(table, parent, chosen["cell_id"]) else None
    values: list[Proposal] = []
    fate = fate_column(table)
    if fate is not None:
        optional["fate"] = fate
        optional["event_frame"] = next(
            (one for one in find_columns("event_frame", columns) if one != fate and whole(table[one]) is not None), None
        )
        values += fate_words(table[fate], f"the words in column {fate}")
    optional["recording_id"] = by
    if by is None and recording is None and len(images.names) > 1:
        chosen["recording_id"] = None
        why += (
            f" No column holds the names of the recordings, such as {shown(images.names)}: add one, or make a table a "
            "recording, named like it."
        )
    order = ("spot_id", "parent_spot_id", "cell_id", "frame", "y", "x", "recording_id")
    given = {key: chosen[key] for key in order if key in chosen}
    given |= {key: value for key, value in optional.items() if value is not None}
    if any(value is None for value in chosen.values()):
        asked = {key: OPEN if value is None else value for key, value in given.items()}
        question = f"{name} has the columns {', '.join(columns)}; name those that are ???.{why}"
        values.insert(0, ask("tracks.columns", question, asked))
    else:
        unused = f"; {parent} holds no numbers of cells" if parent and parent not in given.values() else ""
        values.insert(0, found("tracks.columns", given, f"the columns of {name}{unused}"))
    if frame is not None:
        values.append(first_frame(table, frame, name, lengths))
    if chosen["y"] and chosen["x"]:
        unit = position_unit(table, chosen["y"], chosen["x"], name, images)
        values.append(unit)
        if unit.value == "um" and images.header is not None and images.header.pixel_size_um is None:
            question = f"{unit.words} are in micrometres, and no file says the side of a pixel; give it in micrometres."
            values.append(ask("recordings.pixel_size_um", question))
    return values


def _spot_column(table: pd.DataFrame, by: str | None, frame: str | None, parent: str | None) -> str | None:
    """Find the column of spots: numbers that stand on one row each, most of which came from one a frame before."""
    came_from = None if parent is None or frame is None else whole_or_blank(table[parent])
    frames = None if frame is None else whole(table[frame])
    if came_from is None or frames is None or len(frames) != len(table):
        return None
    recording = table[by] if by else pd.Series("", index=table.index)
    for column in find_columns("cell_id", list(table.columns)):
        numbers = whole(table[column])
        if column == by or numbers is None or len(numbers) != len(table):
            continue
        spots = pd.Series(frames, index=pd.MultiIndex.from_arrays([recording, numbers]))
        if spots.index.has_duplicates:
            continue
        steps = frames - spots.reindex(pd.MultiIndex.from_arrays([recording, came_from])).to_numpy(np.float64)
        if (steps == 1).sum() > len(table) / 2:
            return column
    return None


def _cell_column(table: pd.DataFrame, by: str | None, frame: str | None) -> str | None:
    """Find the column of cells: whole numbers, of which one stands on several rows, each of another frame."""
    for column in find_columns("cell_id", list(table.columns)):
        if frame is None or column == by or whole(table[column]) is None:
            continue
        keys = [*([by] if by else []), column]
        if not table.duplicated([*keys, frame]).any() and table.duplicated(keys).any():
            return column
    return None


def _are_parents(table: pd.DataFrame, parent: str | None, cell: str | None) -> bool:
    """Tell whether a column holds numbers of cells, and not, say, of spots."""
    if parent is None or cell is None:
        return False
    given = table[parent][~table[parent].str.strip().str.lower().isin(["", "nan", "none"])]
    numbers, cells = whole(given), whole(table[cell])
    if len(given) == 0:
        return True
    return numbers is not None and cells is not None and set(numbers) - set(cells) <= set(_NONE)


def fate_words(words: Iterable[str], source: str) -> list[Proposal]:
    """Propose what words for fates mean, and ask of those that nobody knows; nothing where all are always known."""
    proposed, unknown = fate_names(words)
    if not unknown:
        return [found("tracks.fate_names", proposed, source)] if proposed else []
    listed = ", ".join(repr(word) for word in unknown[:10])
    question = (
        f"What the fates {listed} mean, of {source}, is not known: apoptosis, mitosis, censored (watched to the end, "
        "and nothing happened) or unscored (nobody looked)."
    )
    if proposed:
        question += (
            f" Taken to mean what they seem to: {', '.join(f'{word} {fate}' for word, fate in proposed.items())}."
        )
    return [ask("tracks.fate_names", question, {**proposed, **dict.fromkeys(unknown, OPEN)})]
