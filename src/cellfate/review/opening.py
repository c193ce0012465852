"""The page that opens the page: the token stands in a file that nobody else can read, not in a command line."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def write_opening_page(address: str, folder: Path) -> Iterator[Path]:
    """Write a page that leads to an address, for the person alone to read; it is gone after the block.

    What a browser is started with is seen by every user of the computer (`ps`), so the address must not stand there.

    Parameters
    ----------
    address
        Where it leads.
    folder
        Where it is written, if that is possible: browsers in a sandbox read no folder for temporary files, but the
        person's own.

    Yields
    ------
    Path
        The page.

    Raises
    ------
    OSError
        If it can be written nowhere.
    """
    page = _open_private(folder) or _open_private(None)
    if page is None:
        raise OSError("No folder keeps a file from other users")
    try:
        page.write_text(f'<!doctype html><meta http-equiv="refresh" content="0; url={address}">', encoding="utf-8")
        yield page
    finally:
        page.unlink(missing_ok=True)


def _open_private(folder: Path | None) -> Path | None:
    """Make an empty file that only its owner can read; None where the folder cannot have one."""
    try:
        number, name = tempfile.mkstemp(prefix="open_review_", suffix=".html", dir=folder)
    except OSError:
        return None
    is_private = not os.fstat(number).st_mode & 0o077 or os.name == "nt"
    os.close(number)
    if is_private:
        return Path(name)
    Path(name).unlink()
    return None
