"""What lies in a folder: names only, and never more than a bounded number of them."""

import os
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from cellfate.core.errors import InputError
from cellfate.core.text_tables import is_system_file

MOST_ENTRIES = 200_000
"""Entries of folders that are listed at most; a larger folder is seen in part, and that is said."""
STORES = (".zarr", ".geff")
"""Endings of folders that are one file to a person: nothing in them is listed."""


@dataclass(frozen=True)
class Survey:
    """Names of what lies in a folder and below it.

    Attributes
    ----------
    root : Path
        The folder.
    files : tuple of str
        Files, relative to it, with `/` between folders, ordered.
    stores : tuple of str
        Folders that end with .zarr or .geff, likewise.
    is_cut : bool
        Whether there was more than is listed.
    """

    root: Path
    files: tuple[str, ...]
    stores: tuple[str, ...] = ()
    is_cut: bool = False

    def with_endings(self, *endings: str) -> tuple[str, ...]:
        """Files whose names end so, in any case."""
        return tuple(name for name in self.files if name.lower().endswith(endings))

    def without(self, names: Iterable[str]) -> "Survey":
        """Leave some files out."""
        left_out = frozenset(names)
        return Survey(self.root, tuple(name for name in self.files if name not in left_out), self.stores, self.is_cut)


def survey_folder(root: Path, most: int = MOST_ENTRIES) -> Survey:
    """List a folder, the nearest first, until `most` entries were seen.

    Hidden files, what macOS and Windows leave behind, and links to folders are passed over.

    Raises
    ------
    InputError
        If the folder itself cannot be listed.
    """
    files: list[str] = []
    stores: list[str] = ["."] if root.name.endswith(STORES) else []
    waiting = deque([""] if not stores else [])
    n_seen = 0
    while waiting and n_seen < most:
        folder = waiting.popleft()
        try:
            entries = os.scandir(root / folder)
        except OSError as error:  # a folder that this person may not read
            if folder:
                continue
            raise InputError(f"The folder {root} cannot be listed ({error.strerror}); let it be read.") from error
        with entries:
            for entry in entries:
                n_seen += 1
                if n_seen > most:
                    break
                name = f"{folder}{entry.name}"
                if entry.name.startswith(".") or is_system_file(entry.name) or entry.name == "__MACOSX":
                    continue
                kind = _kind_of(entry)
                if kind == "folder" and entry.name.endswith(STORES):
                    stores.append(name)
                elif kind == "folder":
                    waiting.append(f"{name}/")
                elif kind == "file":
                    files.append(name)
    return Survey(root, tuple(sorted(files)), tuple(sorted(stores)), bool(waiting) or n_seen > most)


def _kind_of(entry: "os.DirEntry[str]") -> str:
    try:
        return "folder" if entry.is_dir(follow_symlinks=False) else "file" if entry.is_file() else "other"
    except OSError:  # a link to itself
        return "other"


def folder_of(name: str) -> str:
    """Folder of a file, with a `/` at its end; empty for the root."""
    return name[: name.rfind("/") + 1]


def shown(names: Iterable[str], most: int = 3) -> str:
    """Write a few names, for a sentence."""
    listed = list(names)
    return ", ".join(listed[:most]) + (", ..." if len(listed) > most else "")
