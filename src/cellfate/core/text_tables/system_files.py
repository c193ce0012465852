"""Files that an operating system puts beside those of a person."""

from typing import Final

_NAMES: Final = frozenset({".ds_store", "thumbs.db", "desktop.ini", "__macosx"})


def is_system_file(name: str) -> bool:
    """Whether a file of this name was made by macOS or Windows, not by a person: it is never an image or a table.

    Of a path with `/` between folders: a file in a folder of the system is one of its files.

    Examples
    --------
    >>> is_system_file("._A01.csv"), is_system_file("Thumbs.db"), is_system_file("A01.csv")
    (True, True, False)
    >>> is_system_file("__MACOSX/A01.tif"), is_system_file("day1/._A01.tif")
    (True, True)
    """
    return any(part.startswith("._") or part.lower() in _NAMES for part in name.split("/"))
