"""How a plain table of tracks counts frames and measures positions: held against the images."""

import numpy as np
import pandas as pd

from cellfate.core.text_tables import parse_numbers
from cellfate.imaging.units import MINUTES
from cellfate.recognition.columns import find_columns, named_recordings, plain, time_unit, whole
from cellfate.recognition.images import Images
from cellfate.recognition.proposals import Proposal, ask, found

_MICROMETRES = ("um", "micron", "microns", "micrometer", "micrometers")
_PIXELS = ("px", "pixel", "pixels")
_EDGE = 1.02
"""Share of the image's side up to which a position counts as inside."""
_ROUNDED = 0.1
"""Share of a frame by which times may be rounded."""
_WHOLE_IMAGE = 0.85
"""Share that pixels reach at least where cells are all over the image; less may be micrometres."""


def row_lengths(table: pd.DataFrame, by: str | None, recording: str | None, images: Images) -> pd.Series:
    """Frames of the recording of each row of tracks, as float; NaN where that recording was not opened.

    `by` is the column of recordings; without one, the table is about one `recording`.
    """
    if by is None:
        length = images.lengths.get(str(recording), images.header.n_frames if images.header else np.nan)
        return pd.Series(float(length), index=table.index)
    names = named_recordings(table[by], images.names)
    return table[by].str.strip().map(names).map(images.lengths).astype(float)


def frame_column(table: pd.DataFrame, lengths: pd.Series) -> tuple[str | None, str]:
    """Find the column that counts frames: whole numbers in steps of 1, no more than there are images.

    None if there is none, and why those that are called so count no frames, for a question.
    """
    reasons = []
    for column in find_columns("frame", list(table.columns)):
        numbers = whole(table[column])
        if time_unit(column) not in (None, "frame"):
            reasons.append(f"{column} is a time")
        elif numbers is None or len(numbers) < len(table):
            reasons.append(f"{column} holds other things than whole numbers")
        elif (numbers > lengths).any():
            reasons.append(f"{column} goes to {numbers.max()}, and there are {lengths.max():g} images")
        elif len(set(numbers)) > 1 and np.median(np.diff(np.unique(numbers))) > 1:
            reasons.append(f"{column} goes in steps of {np.median(np.diff(np.unique(numbers))):g}")
        else:
            return column, ""
    advice = (
        "a run needs a column of frames, whole numbers in steps of 1, or of times with their unit in tracks.time_unit"
    )
    return None, f" {'; '.join(reasons)}: {advice}." if reasons else ""


def time_column(table: pd.DataFrame, lengths: pd.Series, interval_min: float | None) -> tuple[str, str] | None:
    """Find a column of times that lie on the frames of the images in one unit only, and that unit: s, min or h."""
    for column in find_columns("frame", list(table.columns)):
        times, named = parse_numbers(table[column]), time_unit(column)
        frames = {unit: times * MINUTES[unit] / (interval_min or np.nan) for unit in ("s", "min", "h")}
        units = [unit for unit, each in frames.items() if named in (None, unit) and _are_frames(each, lengths)]
        if len(units) == 1:
            return column, units[0]
    return None


def _are_frames(numbers: np.ndarray, lengths: pd.Series) -> bool:
    frames = np.round(numbers)
    near = (np.abs(numbers - frames) <= _ROUNDED).all() and (frames >= 0).all() and (frames < lengths).all()
    return bool(near) and np.ptp(frames) > 0 and bool(np.median(np.diff(np.unique(frames))) == 1)


def first_frame(table: pd.DataFrame, frame: str, name: str, lengths: pd.Series) -> Proposal:
    """Tell from which number frames are counted; only a 0, or a number past the end, says it."""
    key, numbers = "tracks.first_frame", whole(table[frame])
    assert numbers is not None
    images = "" if lengths.isna().all() else f", of {lengths.max():g} images"
    seen = f"frames {numbers.min()} to {numbers.max()} in {name}{images}"
    if numbers.min() == 0:
        return found(key, 0, seen)
    if (numbers >= lengths).any():
        return found(key, 1, seen)
    return ask(key, f"There are {seen}: 1 if the first image is frame 1 in this table, 0 if it is frame 0.")


def position_unit(table: pd.DataFrame, y: str, x: str, name: str, images: Images) -> Proposal:
    """Tell the unit of positions by the names of their columns, else by how far they go."""
    key, header = "tracks.position_unit", images.header
    for unit, endings in (("um", _MICROMETRES), ("px", _PIXELS)):
        if plain(x).endswith(endings) and plain(y).endswith(endings):
            return found(key, unit, f"columns {y} and {x} of {name}")
    farthest = _farthest(table, y, x, images)
    if header is None or farthest is None:
        return ask(key, f"Whether {y} and {x} of {name} are pixels (px) or micrometres (um) could not be told.")
    seen = f"{name} has positions up to {farthest:.0%} of the image if they are pixels"
    pixel = header.pixel_size_um
    as_px = farthest <= _EDGE
    if pixel is None and as_px:
        if farthest >= _WHOLE_IMAGE:
            return found(key, "px", seen)
        return ask(
            key,
            f"{seen}, and no file says the side of a pixel: are they pixels (px), or micrometres (um; then give "
            "recordings.pixel_size_um, too)?",
        )
    as_um_of_image = farthest / pixel if pixel else float("inf")
    as_um = as_um_of_image <= _EDGE
    if as_px and (pixel == 1 or not as_um):
        return found(key, "px", seen)
    if as_um and not as_px:
        return found(key, "um", f"{seen}, {as_um_of_image:.0%} if micrometres")
    if not as_px and not as_um:
        return ask(key, f"{seen}, outside of it: x and y may be swapped, or the images others; px or um.")
    return ask(key, f"{seen}, and does not say whether they are pixels (px) or micrometres (um).")


def _farthest(table: pd.DataFrame, y: str, x: str, images: Images) -> float | None:
    """Farthest position as a share of the image's side; None where that cannot be told."""
    if images.header is None:
        return None
    sides = ((y, images.header.height_px), (x, images.header.width_px))
    shares = [parse_numbers(table[column]) / size for column, size in sides]
    given = [share[np.isfinite(share)] for share in shares]
    return max(float(share.max()) for share in given) if all(len(share) for share in given) else None
