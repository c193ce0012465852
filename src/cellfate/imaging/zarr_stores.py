"""Zarr groups for reading, from a folder or a URL. The module imports zarr: import it inside functions only."""

from typing import Any

import zarr
from zarr.abc.store import ByteRequest
from zarr.core.buffer import Buffer, BufferPrototype
from zarr.storage import FsspecStore, LocalStore, WrapperStore

_METADATA = ("zarr.json", ".zarray", ".zgroup", ".zattrs", ".zmetadata")


class MissingChunkError(Exception):
    """A chunk that was asked for is not in the store."""


class WholeStore(WrapperStore[Any]):
    """A store in which a missing chunk is an error and is not read as zeros."""

    async def get(self, key: str, prototype: BufferPrototype, byte_range: ByteRequest | None = None) -> Buffer | None:
        """Get a value; a missing one must be one of zarr's own descriptions."""
        value = await super().get(key, prototype, byte_range)
        if value is None and not key.endswith(_METADATA):
            raise MissingChunkError(key)
        return value


def open_group(place: str, missing_chunks: str) -> zarr.Group:
    """Open a group for reading.

    Parameters
    ----------
    place : str
        Folder, or fsspec URL.
    missing_chunks : str
        `error` or `empty`.

    Returns
    -------
    zarr.Group
        Version 2 or 3.
    """
    store: Any = FsspecStore.from_url(place, read_only=True) if "://" in place else LocalStore(place, read_only=True)
    return zarr.open_group(WholeStore(store) if missing_chunks == "error" else store, mode="r")
