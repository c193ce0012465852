"""Columns of tracks in a plain table: guessed from names, and held against the recordings and what is in them."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from cellfate.core.text_tables import parse_numbers, read_table
from cellfate.recognition.columns import (
    fate_column,
    fate_names,
    find_column,
    find_columns,
    matching_column,
    plain,
    whole,
    whole_or_blank,
)
from cellfate.recognition.images import Images
from cellfate.recognition.proposals import OPEN, Proposal, ask, found

_MICROMETRES = ("um", "micron", "microns", "micrometer", "micrometers")
_EDGE = 1.02
"""Share of the image's side up to which a position counts as inside."""
_NONE = (-1, 0)
"""Numbers that stand for no parent."""


def guess_columns(root: Path, name: str, images: Images, one_each: bool) -> list[Proposal]:
    """Guess the columns of a table of tracks.

    Parameters
    ----------
    root : Path
        Folder of recordings.
    name : str
        The table, relative to it.
    images : Images
        Its recordings.
    one_each : bool
        Whether there is one such table a recording.
    """
    table = read_table(root / name)
    by = None if one_each else matching_column(table, images.names)
    columns = list(table.columns)
    chosen = {key: find_column(key, columns) for key in ("frame", "y", "x")}
    parent = find_column("parent_id", columns)
    spot = _spot_column(table, by, chosen["frame"], parent)
    optional: dict[str, str | None] = {}
    if spot is not None:
        chosen |= {"spot_id": spot, "parent_spot_id": parent}
    else:
        chosen["cell_id"] = _cell_column(table, by, str(chosen["frame"]))
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
    order = ("spot_id", "parent_spot_id", "cell_id", "frame", "y", "x")
    given = {key: chosen[key] for key in order if key in chosen}
    given |= {key: value for key, value in optional.items() if value is not None}
    if any(value is None for value in chosen.values()):
        asked = {key: OPEN if value is None else value for key, value in given.items()}
        return [ask("tracks.columns", f"{name} has the columns {', '.join(columns)}; name those that are ???.", asked)]
    values.insert(0, found("tracks.columns", given, f"the columns of {name}"))
    if parent is not None and parent not in given.values():
        values[0] = replace(values[0], words=f"{values[0].words}; {parent} holds no numbers of cells")
    values.append(_first_frame(table, str(chosen["frame"]), name, images))
    values.append(_unit(table, str(chosen["y"]), str(chosen["x"]), name, images))
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


def _cell_column(table: pd.DataFrame, by: str | None, frame: str) -> str | None:
    """Find the column of cells: whole numbers, of which one stands on several rows, each of another frame."""
    for column in find_columns("cell_id", list(table.columns)):
        if column == by or whole(table[column]) is None:
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
    return [ask("tracks.fate_names", question, {**proposed, **dict.fromkeys(unknown, OPEN)})]


def _first_frame(table: pd.DataFrame, frame: str, name: str, images: Images) -> Proposal:
    key, numbers = "tracks.first_frame", whole(table[frame])
    if numbers is None or images.header is None:
        return found(key, 0, "frames count from 0")
    low, high, n_frames = int(numbers.min()), int(numbers.max()), images.header.n_frames
    seen = f"frames {low} to {high} in {name}, of {n_frames} images"
    if low == 0:
        return found(key, 0, seen)
    if high >= n_frames:
        return found(key, 1, seen)
    if low == 1:
        return ask(key, f"There are {seen}: 1 if the first image is frame 1 in this table, 0 if it is frame 0.")
    return found(key, 0, seen)


def _unit(table: pd.DataFrame, y: str, x: str, name: str, images: Images) -> Proposal:
    key, header = "tracks.position_unit", images.header
    ending = plain(x)
    if ending.endswith(_MICROMETRES):
        return found(key, "um", f"column {x} of {name}")
    if ending.endswith(("px", "pixel", "pixels")):
        return found(key, "px", f"column {x} of {name}")
    if header is None:
        return ask(key, f"Whether {y} and {x} of {name} are pixels (px) or micrometres (um) could not be told.")
    farthest = max(
        float(np.nanmax(parse_numbers(table[column]))) / size
        for column, size in ((y, header.height_px), (x, header.width_px))
    )
    pixel = header.pixel_size_um
    seen = f"{name} has positions up to {farthest:.0%} of the image if they are pixels"
    as_um_of_image = farthest / pixel if pixel else float("inf")
    as_px, as_um = farthest <= _EDGE, as_um_of_image <= _EDGE
    if as_px and (pixel == 1 or not as_um) and (pixel is not None or farthest > 1 / 2):
        return found(key, "px", seen)
    if as_um and not as_px:
        return found(key, "um", f"{seen}, {as_um_of_image:.0%} if micrometres")
    if not as_px and not as_um:
        return ask(key, f"{seen}, outside of it: x and y may be swapped, or the images others; px or um.")
    return ask(key, f"{seen}, and does not say whether they are pixels (px) or micrometres (um).")
