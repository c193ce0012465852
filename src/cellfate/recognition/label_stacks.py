"""Stacks of tracked labels among images: told by their pixels, in a frame and from one frame to the next."""

import re
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import KDTree
from skimage.measure import label

from cellfate.core.errors import InputError
from cellfate.imaging.headers import StackHeader
from cellfate.tracks.label_positions import find_centroids
from cellfate.tracks.label_stack import open_labels

_LEAST_PX = 4
"""Pixels that a cell has at least, on average."""
_MOST_PIECES = 1.5
"""Connected pieces that a label has at most, on average: pixels of a photograph fall into many, as do classes."""
_KEPT = 0.75
"""Share of cells that are nearest to themselves in the next frame: numbers given anew in each, in the order of rows,
stay with up to some 70 % of cells that hardly move."""
_MOST_KINDS = 20
"""Kinds of files, by folder and words in their names, of which one is opened."""


def find_label_stacks(root: Path, names: Sequence[str]) -> frozenset[str]:
    """Find the TIFF files that hold tracked labels; one of each folder and of the same words in the name tells."""
    kinds: dict[tuple[str, ...], list[str]] = {}
    for name in names:
        path = PurePosixPath(name)
        kinds.setdefault((str(path.parent), *re.findall(r"[^\W\d_]{2,}", path.name.lower())), []).append(name)
    firsts = list(kinds.values())[:_MOST_KINDS]
    return frozenset(name for kind in firsts if label_diameter(root / kind[0]) is not None for name in kind)


def label_diameter(path: Path, header: StackHeader | None = None) -> float | None:
    """Usual diameter of the cells in a stack of tracked labels (pixels); None if a file is none.

    Labels are whole numbers, hardly one of them on several pieces, and three of four cells of a frame are nearest to
    themselves in the next. Frames at the beginning, in the middle and at the end are looked at. Where the header of the
    recording is given, labels must have its size.
    """
    try:
        stack = open_labels(path)
        sizes = (stack.size("T"), stack.size("Y"), stack.size("X"))
        if sizes[0] < 2 or (header is not None and sizes[1:] != (header.height_px, header.width_px)):
            return None
        starts = sorted({0, sizes[0] // 2, sizes[0] - 2} - {sizes[0] - 1})
        pairs = [[stack.read_frame(frame, "max")[0] for frame in (start, start + 1)] for start in starts]
    except InputError:
        return None
    frames = [labels_yx for pair in pairs for labels_yx in pair]
    if not all(map(_are_labels, frames)) or not any(frame.any() for frame in frames):
        return None
    kept = np.concatenate([_keep_numbers(*pair) for pair in pairs])
    return diameter_px(frames) if kept.sum() > _KEPT * len(kept) else None


def diameter_px(frames_yx: Sequence[NDArray[np.integer]]) -> float | None:
    """Median diameter of circles as large as the labels (pixels); None where there are none."""
    counts = [np.unique(labels_yx[labels_yx > 0], return_counts=True)[1] for labels_yx in frames_yx]
    areas = np.concatenate(counts)
    return float(np.median(2 * np.sqrt(areas / np.pi))) if len(areas) else None


def _are_labels(labels_yx: NDArray[np.integer]) -> bool:
    """Whether an image is empty, or holds few numbers, each on hardly more than one piece."""
    names = np.unique(labels_yx)
    ids = names[names != 0]
    if len(ids) == 0:
        return True
    if names[0] < 0 or len(names) == 1 or len(ids) * _LEAST_PX > np.count_nonzero(labels_yx):
        return False
    pieces_yx = label(labels_yx, background=0)  # type: ignore[no-untyped-call]
    return int(pieces_yx.max()) <= _MOST_PIECES * len(ids)


def _keep_numbers(before_yx: NDArray[np.integer], after_yx: NDArray[np.integer]) -> NDArray[np.bool_]:
    """Mark the cells of a frame that are nearest to the one of their number in the next."""
    before, after = find_centroids(before_yx), find_centroids(after_yx)
    if before.empty or after.empty:
        return np.zeros(0, dtype=bool)
    places = ["y_px", "x_px"]
    nearest = KDTree(after[places].to_numpy()).query(before[places].to_numpy())[1]
    return np.asarray(after["cell_id"].to_numpy()[nearest] == before["cell_id"].to_numpy())
