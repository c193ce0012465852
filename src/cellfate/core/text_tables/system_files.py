"""Files that an operating system puts beside those of a person."""

from typing import Final

_NAMES: Final = frozenset({".ds_store", "thumbs.db", "desktop.ini"})


def is_system_file(name: str) -> bool:
    """Whether a file of this name was made by macOS or Windows, not by a person: it is never an image or a table.

    Parameters
    ----------
    name : str
        Name without folders.

    Examples
    --------
    >>> is_system_file("._A01.csv"), is_system_file("Thumbs.db"), is_system_file("A01.csv")
    (True, True, False)
    """
    return name.startswith("._") or name.lower() in _NAMES
