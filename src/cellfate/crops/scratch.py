"""Arrays that are too large for memory lie in a nameless file, which is gone when its process is."""

import mmap
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray


def zeros_in_memory_or_file(
    shape: tuple[int, ...], dtype: DTypeLike, memory_left_bytes: int, scratch: Path | None
) -> NDArray[Any]:
    """Make an array of zeros, in a scratch file if memory does not suffice.

    Parameters
    ----------
    shape : tuple of int
        Shape.
    dtype : dtype
        Type of an element.
    memory_left_bytes : int
        Bytes that it may take in memory.
    scratch : Path or None
        Folder of the file; the system's own when not given.

    Returns
    -------
    ndarray
        Zeros. The file has no name, so a killed run leaves nothing behind.
    """
    if int(np.prod(shape)) * np.dtype(dtype).itemsize <= memory_left_bytes:
        return np.zeros(shape, dtype)
    with tempfile.TemporaryFile(dir=scratch) as file:
        return np.memmap(file, dtype, mode="w+", shape=shape)  # keeps the file open


def release_pages(array: NDArray[Any]) -> None:
    """Let the pages of an array in a scratch file go from memory; what was written stays in the file.

    Without it pages that were touched count as memory of the process until the system needs them.
    """
    pages = getattr(array, "_mmap", None)
    if pages is not None and hasattr(mmap, "MADV_DONTNEED"):
        pages.madvise(mmap.MADV_DONTNEED)
