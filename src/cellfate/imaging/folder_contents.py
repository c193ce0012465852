"""What a folder holds, in a few words: for a person who gave the wrong one."""

import os
from collections import Counter
from collections.abc import Callable
from itertools import islice
from pathlib import Path

from cellfate.core.errors import InputError
from cellfate.core.text_tables import is_system_file

TIFF_ENDINGS = (".tif", ".tiff", ".btf", ".tf8", ".tf2", ".stk")
"""Endings of TIFF files, in lower case."""
VENDOR_ENDINGS = (".nd2", ".czi", ".lif")
"""Endings of the vendors' files that are read, in lower case."""
MOVIE_ENDINGS = (".avi", ".mp4", ".mov", ".m4v", ".wmv", ".mpg", ".jpg", ".jpeg", ".gif")
"""Endings of movies and pictures whose pixels are no measurements."""
_LAYOUTS = {
    TIFF_ENDINGS: "tiff_stacks (a file a recording) or file_pattern (a file a frame)",
    (".png",): "file_pattern",
    (".zarr",): "ome_zarr",
    VENDOR_ENDINGS: "vendor",
}
_WITH_TRACKS = ("coco_vid", "cell_tracking_challenge")
_MOST_ENTRIES = 10_000
_MOST_FOLDERS = 100
_MOST_KINDS = 3
_FOLDER = "folder"


def nothing_here(root: Path, layout: str, wanted: str, is_wanted: Callable[[str], bool], advice: str) -> InputError:
    """Say that a folder of recordings does not hold what its layout needs, what it holds instead, and what to do.

    `wanted` should be there, in words, and `is_wanted` tells by the name of a file or folder whether it is that. The
    advice is given where neither the folders below nor another layout explain it. At most ten thousand entries are
    looked at; names that begin with a dot are left out.
    """
    names, kinds = _look(root)
    told = f"The folder of recordings {root} has no {wanted}; it {_describe(names, kinds)}"
    other, below = _guess_layout(root, kinds), _find_below(root, is_wanted)
    if below and not other.startswith(_WITH_TRACKS):
        return InputError(f"{told}, but {_join(below[:3])} in it does: set recordings_root to {root / below[0]}.")
    movies = sorted(ending for ending in MOVIE_ENDINGS if ending in kinds)
    if movies and not other:
        reason = "hold compressed pixels of 8 bits made for the eye, so that intensities cannot be measured"
        return InputError(f"{told}: {' and '.join(movies)} {reason}; export the recording as TIFF from its own file.")
    if other and layout not in other:
        return InputError(f"{told}: set recordings.layout to {other}, or give another folder.")
    return InputError(f"{told}: {advice}.")


def _guess_layout(root: Path, kinds: Counter[str]) -> str:
    """Name the layout, or layouts, that a folder looks like; empty where it looks like none."""
    if (root / "annotations.json").is_file():
        return "coco_vid"
    if any(root.glob("[0-9]*_[GR][TE]*")):
        return "cell_tracking_challenge"
    return next((layout for endings, layout in _LAYOUTS.items() if any(ending in kinds for ending in endings)), "")


def _look(folder: Path) -> tuple[list[str], Counter[str]]:
    with os.scandir(folder) as found:
        entries = [(entry.name, entry.is_dir()) for entry in islice(found, _MOST_ENTRIES) if _counts(entry.name)]
    kinds = Counter(_kind(name, is_folder) for name, is_folder in entries)
    files = [name for name, is_folder in entries if _kind(name, is_folder) == kinds.most_common(1)[0][0]]
    return sorted(files), kinds


def _counts(name: str) -> bool:
    return name[0] != "." and not is_system_file(name)


def _kind(name: str, is_folder: bool) -> str:
    ending = Path(name).suffix.lower()
    return ending if ending == ".zarr" or not is_folder else _FOLDER


def _describe(names: list[str], kinds: Counter[str]) -> str:
    if not kinds:
        return "is empty"
    counted = [f"{count} {_say(kind, count)}" for kind, count in kinds.most_common(_MOST_KINDS)]
    rest = kinds.total() - sum(count for _, count in kinds.most_common(_MOST_KINDS))
    counted += [f"{rest} other"] if rest else []
    many = "more than " if kinds.total() >= _MOST_ENTRIES else ""
    return f"holds {many}{_join(counted)}, such as {names[0]}"


def _say(kind: str, count: int) -> str:
    if kind == _FOLDER:
        return "folders" if count > 1 else _FOLDER
    return kind or f"file{'s' * (count > 1)} without an ending"


def _join(words: list[str]) -> str:
    return " and ".join(filter(None, (", ".join(words[:-1]), words[-1])))


def _find_below(root: Path, is_wanted: Callable[[str], bool]) -> list[str]:
    """Find the folders in a folder that hold what is wanted."""
    with os.scandir(root) as found:
        folders = sorted(entry.name for entry in islice(found, _MOST_ENTRIES) if entry.is_dir() and _counts(entry.name))
    return [name for name in folders[:_MOST_FOLDERS] if _holds(root / name, is_wanted)]


def _holds(folder: Path, is_wanted: Callable[[str], bool]) -> bool:
    try:
        with os.scandir(folder) as found:
            return any(is_wanted(entry.name) for entry in islice(found, _MOST_ENTRIES) if _counts(entry.name))
    except OSError:  # a folder that may not be read
        return False
