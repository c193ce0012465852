"""Chunked arrays of the crop store: Zarr v3, written and read in whole chunks along the first axis.

Zarr makes and describes the arrays, and can read them. The bytes of the chunks are written and read here, because
zarr-python takes several times the time of the disk for it (docs/adr/0011-crop-store.md) and reads a missing chunk as
zeros; a chunk that is absent or damaged is an error here. The tests read with zarr what was written here.
"""

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from cellfate.core.errors import InputError
from cellfate.crops.files import StoreFiles, memory_again
from cellfate.crops.settings import CropSettings

SHUFFLES: Final = {"lz4": "bitshuffle", "zstd": "shuffle"}
"""What goes before the compressor: on noisy camera images this one makes it smaller."""
CHECKSUM_BYTES: Final = 4


@dataclass(frozen=True)
class Compression:
    """Compressor of an array's chunks.

    Attributes
    ----------
    name : str
        `none`, `lz4` or `zstd`.
    level : int
        0 to 9.
    """

    name: str = "none"
    level: int = 0

    def encode(self, chunk: NDArray[Any]) -> NDArray[np.uint8]:
        """Compress a chunk; without compression it is the chunk's own memory."""
        if self.name == "none":
            return as_bytes(chunk)
        from numcodecs import Blosc

        shuffle = {"shuffle": Blosc.SHUFFLE, "bitshuffle": Blosc.BITSHUFFLE}[SHUFFLES[self.name]]
        return np.frombuffer(Blosc(self.name, self.level, shuffle).encode(chunk), np.uint8)

    def codecs(self, dtype: np.dtype[Any]) -> list[Any]:
        """Name the codecs for Zarr's description of the array."""
        from zarr.codecs import BloscCodec, Crc32cCodec

        if self.name == "none":
            return [Crc32cCodec()]
        blosc: Any = BloscCodec
        how = {"cname": self.name, "clevel": self.level, "shuffle": SHUFFLES[self.name], "blocksize": 0}
        return [blosc(typesize=dtype.itemsize, **how), Crc32cCodec()]


def compression_of(settings: CropSettings) -> Compression:
    """Take the compression of pixels from the settings."""
    return Compression(settings.compression, settings.compression_level)


def as_bytes(values: NDArray[Any]) -> NDArray[np.uint8]:
    """Look at an array as bytes, without a copy where it is contiguous."""
    return np.ascontiguousarray(values).reshape(-1).view(np.uint8)


class ChunkedWriter:
    """Writes one array of a group, chunk by chunk.

    Parameters
    ----------
    group : zarr.Group
        Group that is being written.
    folder : Path
        Its folder.
    name : str
        Name of the array.
    shape : tuple of int
        Shape; the first axis is cut into chunks.
    dtype : dtype
        Type of an element.
    chunk_rows : int
        Rows in a chunk.
    compression : Compression
        Compressor.
    """

    def __init__(
        self,
        group: Any,
        folder: Path,
        name: str,
        shape: tuple[int, ...],
        dtype: np.dtype[Any],
        chunk_rows: int,
        compression: Compression,
    ) -> None:
        self._dtype = dtype.newbyteorder("<")
        self._compression = compression
        self._tail = ("0",) * (len(shape) - 1)
        self._chunk_shape = (max(1, min(chunk_rows, shape[0])), *shape[1:])
        self._folder = folder / name / "c"
        group.create_array(
            name, shape=shape, dtype=dtype, chunks=self._chunk_shape, compressors=compression.codecs(dtype)
        )

    def write(self, values: NDArray[Any]) -> None:
        """Write all rows."""
        for number, first in enumerate(range(0, len(values), self._chunk_shape[0])):
            self.write_chunk(number, values[first : first + self._chunk_shape[0]])

    def write_chunk(self, number: int, rows: NDArray[Any]) -> None:
        """Write one chunk; the last one is filled up with zeros, as Zarr wants it."""
        from google_crc32c import value

        chunk = np.ascontiguousarray(rows, self._dtype)
        if len(chunk) < self._chunk_shape[0]:
            whole = np.zeros(self._chunk_shape, self._dtype)
            whole[: len(chunk)] = chunk
            chunk = whole
        encoded = self._compression.encode(chunk)
        path = self._folder.joinpath(str(number), *self._tail)
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb", buffering=0) as file:
            file.write(encoded.data)
            file.write(int(value(encoded)).to_bytes(CHECKSUM_BYTES, "little"))


class ChunkedArray:
    """One array of the store, read by ranges of rows.

    Parameters
    ----------
    files : StoreFiles
        Files of the store.
    name : str
        Path of the array in the store.

    Raises
    ------
    FileNotFoundError
        If there is no such array.
    InputError
        If its description is damaged, or of a kind that is not written here.
    """

    def __init__(self, files: StoreFiles, name: str) -> None:
        self._files = files
        self._name = name
        try:
            described = json.loads(files.read(f"{name}/zarr.json"))
            self.shape: tuple[int, ...] = tuple(described["shape"])
            self.dtype = np.dtype(described["data_type"])
            self._chunk_shape = tuple(described["chunk_grid"]["configuration"]["chunk_shape"])
            self._compressed = _is_compressed([codec["name"] for codec in described["codecs"]])
            whole = all(isinstance(side, int) and side >= 0 for side in (*self.shape, *self._chunk_shape))
            known = whole and self._chunk_shape[1:] == self.shape[1:] and self._chunk_shape[0] > 0
        except (ValueError, TypeError, KeyError, IndexError) as error:
            raise InputError(f"{files.name(name)} has no readable zarr.json ({error}); {_ADVICE}") from error
        if not known or described.get("node_type") != "array" or self.dtype.kind not in "biuf":
            raise InputError(f"{files.name(name)} is not an array of a crop store; {_ADVICE}")
        self._little = self.dtype.newbyteorder("<")

    def read(self, rows: slice) -> NDArray[Any]:
        """Read the rows from `rows.start` up to, not including, `rows.stop`.

        Raises
        ------
        InputError
            If a chunk is missing or damaged.
        """
        out = np.empty((max(0, rows.stop - rows.start), *self.shape[1:]), self._little)
        chunk_rows = self._chunk_shape[0]
        if not out.size:
            return out
        for number in range(rows.start // chunk_rows, math.ceil(rows.stop / chunk_rows)):
            first = number * chunk_rows
            start, stop = max(rows.start, first), min(rows.stop, first + chunk_rows)
            part = out[start - rows.start : stop - rows.start]
            if len(part) == chunk_rows:
                self._fill(number, part)
            else:
                n_bytes = math.prod(self._chunk_shape) * self._little.itemsize
                chunk = memory_again("chunk", n_bytes).view(self._little).reshape(self._chunk_shape)
                self._fill(number, chunk)
                part[:] = chunk[start - first : stop - first]
        return out.astype(self.dtype, copy=False)

    def _fill(self, number: int, chunk: NDArray[Any]) -> None:
        name = "/".join([self._name, "c", str(number), *["0"] * (len(self.shape) - 1)])
        try:
            if self._compressed:
                _decode(self._files.read_again(name), chunk)
            else:
                checksum = self._files.read_into(name, as_bytes(chunk), CHECKSUM_BYTES)
                _check(as_bytes(chunk), checksum)
        except FileNotFoundError as error:
            raise InputError(f"Chunk {self._files.name(name)} is missing; {_ADVICE}") from error
        except (ValueError, RuntimeError, OSError) as error:
            raise InputError(f"Chunk {self._files.name(name)} is damaged ({error}); {_ADVICE}") from error


_ADVICE: Final = "copy the store again, or run data_processing again."


def _is_compressed(codecs: list[str]) -> bool:
    if codecs not in (["bytes", "crc32c"], ["bytes", "blosc", "crc32c"]):
        raise ValueError(f"codecs {codecs}")
    return "blosc" in codecs


def _decode(stored: NDArray[np.uint8], chunk: NDArray[Any]) -> None:
    from numcodecs import blosc

    encoded = stored[:-CHECKSUM_BYTES]
    _check(encoded, stored[-CHECKSUM_BYTES:].tobytes())
    header = stored[:16].tobytes()
    n_bytes, n_encoded = (int.from_bytes(header[place : place + 4], "little") for place in (4, 12))
    if (n_bytes, n_encoded) != (chunk.nbytes, len(encoded)):
        raise ValueError(f"it says {n_bytes} bytes in {n_encoded}, not {chunk.nbytes} in {len(encoded)}")
    blosc.decompress(encoded, as_bytes(chunk))


def _check(encoded: NDArray[np.uint8], checksum: bytes) -> None:
    from google_crc32c import value

    if int(value(encoded)).to_bytes(CHECKSUM_BYTES, "little") != checksum:
        raise ValueError("its checksum is another")
