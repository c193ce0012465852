"""Files of a store, on a local disk or behind any URL that fsspec knows."""

import os
import threading
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

_memory = threading.local()


class StoreFiles:
    """Reads whole files below one folder. It holds nothing open and may be sent to other processes.

    Parameters
    ----------
    root : Path or str
        A folder, or a URL such as s3://bucket/crops.zarr.
    """

    def __init__(self, root: Path | str) -> None:
        self._system: Any = None
        if "://" in str(root):
            from fsspec.core import url_to_fs

            self._system, self._root = url_to_fs(str(root))
        else:
            self._root = os.fspath(root)
        self._shown = str(root).rstrip("/")

    def name(self, name: str) -> str:
        """Name a file for a message."""
        return f"{self._shown}/{name}"

    def is_file(self, name: str) -> bool:
        """Tell whether there is such a file."""
        path = f"{self._root}/{name}"
        return os.path.isfile(path) if self._system is None else bool(self._system.isfile(path))  # noqa: PTH113

    def read(self, name: str) -> bytes:
        """Read a file.

        Raises
        ------
        FileNotFoundError
            If there is no such file.
        """
        path = f"{self._root}/{name}"
        if self._system is not None:
            return bytes(self._system.cat_file(path))
        with open(path, "rb", buffering=0) as file:  # noqa: PTH123  a Path costs as much as the reading
            return file.read()

    def read_again(self, name: str) -> NDArray[np.uint8]:
        """Read a file into memory that the next call in this thread uses again.

        Reading many chunks so takes half the time: new memory costs as much as the reading.

        Raises
        ------
        FileNotFoundError
            If there is no such file.
        """
        if self._system is not None:
            return np.frombuffer(self.read(name), np.uint8)
        with open(f"{self._root}/{name}", "rb", buffering=0) as file:  # noqa: PTH123  as above
            content = memory_again("file", os.fstat(file.fileno()).st_size)
            n_read = file.readinto(content.data)
        _check_size(n_read, len(content))
        return content

    def read_into(self, name: str, head: NDArray[np.uint8], n_tail: int) -> bytes:
        """Read a file of known size into memory that is there already.

        Parameters
        ----------
        name : str
            File.
        head : ndarray of uint8
            Filled with the first bytes.
        n_tail : int
            Number of bytes after these.

        Returns
        -------
        bytes
            The tail.

        Raises
        ------
        FileNotFoundError
            If there is no such file.
        ValueError
            If the file has another size.
        """
        if self._system is not None:
            whole = self.read(name)
            _check_size(len(whole), len(head) + n_tail)
            head[:] = np.frombuffer(whole, np.uint8)[: len(head)]
            return whole[len(head) :]
        with open(f"{self._root}/{name}", "rb", buffering=0) as file:  # noqa: PTH123  as above
            n_head = file.readinto(head.data)
            tail = file.read(n_tail + 1)
        _check_size(n_head + len(tail), len(head) + n_tail)
        return tail


def memory_again(use: str, n_bytes: int) -> NDArray[np.uint8]:
    """Take memory of this thread for one use, with whatever it held before; the next caller takes it too."""
    memory: NDArray[np.uint8] | None = getattr(_memory, use, None)
    if memory is None or len(memory) < n_bytes:
        memory = np.empty(n_bytes, np.uint8)
        setattr(_memory, use, memory)
    return memory[:n_bytes]


def _check_size(found: int, expected: int) -> None:
    if found != expected:
        raise ValueError(f"it has {found} bytes, not {expected}")
