"""Zarr groups and arrays for reading, from a folder or a URL.

The module imports zarr: import it inside functions only.
"""

import struct
from pathlib import Path
from typing import Any

import zarr
from zarr.abc.store import ByteRequest
from zarr.core.buffer import Buffer, BufferPrototype
from zarr.storage import FsspecStore, LocalStore, WrapperStore

_METADATA = ("zarr.json", ".zarray", ".zgroup", ".zattrs", ".zmetadata")


class MissingChunkError(Exception):
    """A chunk that was asked for is not in the store."""


class WholeStore(WrapperStore[Any]):
    """A store in which a missing chunk can be an error, and a torn one is.

    Parameters
    ----------
    store : zarr Store
        Where the values are.
    missing_is_error : bool
        Raise for a missing chunk instead of reading it as the fill value.
    """

    def __init__(self, store: Any, missing_is_error: bool = True) -> None:
        super().__init__(store)
        self.missing_is_error = missing_is_error
        self.chunks_are_blosc = False
        """Set when whole chunks are known to be of Blosc, whose decoder reads on behind the end of a torn one."""

    def _with_store(self, store: Any) -> "WholeStore":
        return type(self)(store, self.missing_is_error)

    async def get(self, key: str, prototype: BufferPrototype, byte_range: ByteRequest | None = None) -> Buffer | None:
        """Get a value; without it, only zarr's own descriptions may be missing."""
        value = await super().get(key, prototype, byte_range)
        if key.endswith(_METADATA):
            return value
        if value is None and self.missing_is_error:
            raise MissingChunkError(key)
        if value is not None and self.chunks_are_blosc:
            _check_blosc(key, value.to_bytes())
        return value


def open_group(place: str, missing_chunks: str) -> zarr.Group:
    """Open a group of version 2 or 3 (a folder or fsspec URL) for reading; `missing_chunks` is `error` or `empty`."""
    store: Any = FsspecStore.from_url(place, read_only=True) if "://" in place else LocalStore(place, read_only=True)
    return zarr.open_group(WholeStore(store, missing_chunks == "error"), mode="r")


def open_array(path: Path) -> "zarr.Array[Any]":
    """Open an array of a folder for reading; a missing chunk reads as the fill value, a torn one is an error."""
    array = zarr.open_array(WholeStore(LocalStore(path, read_only=True), missing_is_error=False), mode="r")
    watch_blosc(array)
    return array


def watch_blosc(array: "zarr.Array[Any]") -> None:
    """Have the length of an array's chunks checked where they are of Blosc and not in shards."""
    compressors = [type(codec).__name__ for codec in array.compressors]
    store: Any = array.store
    store.chunks_are_blosc = array.shards is None and any("Blosc" in name for name in compressors)


def _check_blosc(key: str, content: bytes) -> None:
    n_bytes = struct.unpack_from("<I", content, 12)[0] if len(content) >= 16 else 16
    if n_bytes != len(content):
        raise ValueError(f"chunk {key} has {len(content)} bytes, but it says {n_bytes}")
