"""Files and folders that take their name only when they are whole."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

PARTIAL: Final = ".partial"
"""Ending of what is not finished yet."""


@contextmanager
def replace_when_whole(path: Path) -> Iterator[Path]:
    """Give a name to write to; what stands there when the block ends without an error takes the name `path`.

    Parameters
    ----------
    path : Path
        File or folder; its folder is made. An older one stays as it is until the new one is whole.

    Yields
    ------
    Path
        `<path>.partial`, at which nothing is: the remains of a run that was killed are removed. One writer at a time.
    """
    partial = path.with_name(path.name + PARTIAL)
    path.parent.mkdir(parents=True, exist_ok=True)
    _remove(partial)
    yield partial
    if partial.is_dir():
        _remove(path)  # a folder takes the place of an empty one only
    partial.replace(path)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
