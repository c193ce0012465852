"""Arrays of a Zarr folder that somebody else wrote: looked at before they are opened.

Zarr names in its metadata how chunks are decoded. Among the codecs is one that unpickles; only those are let through
that turn bytes into numbers.
"""

import json
import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cellfate.core.errors import InputError

_CODECS = frozenset(
    {"bytes", "blosc", "zstd", "gzip", "zlib", "lz4", "bz2", "lzma", "crc32c", "crc32", "shuffle", "delta"}
    | {"transpose", "sharding_indexed"}
)
_KINDS = "iufbU"
_MOST_PACKED = 4000
"""Values that a stored byte can stand for at most before the file is not believed."""
_FREE = 1 << 20


def read_attributes(path: Path) -> dict[str, Any]:
    """Attributes of a Zarr group, of format 2 or 3.

    Raises
    ------
    InputError
        If the folder is no Zarr group.
    """
    if (path / "zarr.json").is_file():
        content = _read_json(path / "zarr.json").get("attributes", {})
    elif (path / ".zattrs").is_file():
        content = _read_json(path / ".zattrs")
    else:
        raise InputError(
            f"{path} is no Zarr group (no zarr.json and no .zattrs); give the folder that was written as GEFF."
        )
    return content if isinstance(content, dict) else {}


def has_array(path: Path) -> bool:
    """Whether a Zarr array is there."""
    return (path / ".zarray").is_file() or (path / "zarr.json").is_file()


def read_array(path: Path, n_rows: int | None = None, whole: bool = False) -> NDArray[Any]:
    """Read a small array of numbers, truth values or text of fixed length, once its metadata were found harmless.

    It must have `n_rows` where these are given, and every chunk if `whole`; else one that is not there is the fill
    value.

    Raises
    ------
    InputError
        If there is no such array, it is damaged, or its metadata name a codec or type that is not let through.
    """
    from cellfate.imaging.zarr_stores import open_array

    shape = _check_metadata(path, n_rows)
    with _tell_damage(path, TypeError):  # zarr and codecs take what the metadata say as their arguments
        array = open_array(path)
        n_stored = array.nchunks_initialized
    if array.dtype.kind not in _KINDS or array.shape != shape:
        raise InputError(_damaged(path, f"its type is {array.dtype}"))
    if whole and n_stored < array.nchunks and array.size > 1:
        raise InputError(
            f"{path} lacks {array.nchunks - n_stored} of its {array.nchunks} chunks: they were lost, or left out "
            f"because all of their values are {array.fill_value}, as neither positions nor numbers of spots are; copy "
            "the folder again, or, if these are the values, write it with zarr's write_empty_chunks."
        )
    with _tell_damage(path, SystemError):  # Blosc, where its header gives a length below 0
        return np.asarray(array[...])


@contextmanager
def _tell_damage(path: Path, *more: type[Exception]) -> Iterator[None]:
    """Turn what zarr and its codecs raise on damaged files into a sentence."""
    told: tuple[type[Exception], ...] = (OSError, KeyError, ValueError, RuntimeError, *more)
    try:
        yield
    except told as error:
        raise InputError(_damaged(path, str(error))) from error


def _check_metadata(path: Path, n_rows: int | None) -> tuple[int, ...]:
    name = next((name for name in (".zarray", "zarr.json") if (path / name).is_file()), None)
    if name is None:
        raise InputError(f"There is no array {path}, which GEFF needs; write the file again.")
    content = _read_json(path / name)
    foreign = _foreign_codecs(content) - _CODECS
    if foreign:
        raise InputError(
            f"Array {path} is stored with the codec {min(foreign)!r:.60}, which is not let through because a file "
            "could run code by it; write it again with zstd, blosc or gzip."
        )
    shape, chunks = _shape(content.get("shape"), path), _shape(_chunk_shape(content), path)
    if len(shape) != len(chunks):
        raise InputError(_damaged(path, "its chunks do not fit its shape"))
    if n_rows is not None and (not shape or shape[0] != n_rows):
        raise InputError(_damaged(path, f"it has shape {shape}, but {n_rows} rows were expected"))
    stored = sum(_size_within(file, path) for file in path.rglob("*") if not file.is_dir())
    if max(math.prod(shape), math.prod(chunks)) > max(_FREE, _MOST_PACKED * stored):
        raise InputError(_damaged(path, f"it claims {math.prod(shape)} values in {stored} bytes"))
    return shape


def _size_within(file: Path, path: Path) -> int:
    """Bytes of a stored file; a link out of the array, and a pipe that would wait for ever, are refused."""
    if not file.is_file() or not file.resolve().is_relative_to(path.resolve()):
        raise InputError(_damaged(path, f"{file.name} is no file of its own, but a link or a pipe"))
    return file.stat().st_size


def _chunk_shape(content: dict[str, Any]) -> Any:
    if "chunks" in content:
        return content["chunks"]
    grid = content.get("chunk_grid")
    inner = grid.get("configuration") if isinstance(grid, dict) else None
    return inner.get("chunk_shape") if isinstance(inner, dict) else None


def _foreign_codecs(content: Any) -> set[str]:
    """Names of all codecs, wherever they stand in the metadata."""
    if isinstance(content, list):
        return {name for item in content for name in _foreign_codecs(item)}
    if not isinstance(content, dict):
        return set()
    names: set[str] = set()
    for key, value in content.items():
        if key in {"codecs", "index_codecs", "filters", "compressor"}:
            names |= {_codec_name(item) for item in (value if isinstance(value, list) else [value]) if item is not None}
        if key == "storage_transformers" and value:
            names.add(key)
        names |= _foreign_codecs(value) if key != "attributes" else set()
    return names


def _codec_name(item: Any) -> str:
    name = item.get("id", item.get("name")) if isinstance(item, dict) else item
    return str(name).removeprefix("numcodecs.")


def _shape(value: Any, path: Path) -> tuple[int, ...]:
    if not isinstance(value, list) or not all(type(n) is int and n >= 0 for n in value):
        raise InputError(_damaged(path, "its shape is not understood"))
    return tuple(value)


def _read_json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(_damaged(path, str(error))) from error
    if not isinstance(content, dict):
        raise InputError(_damaged(path, "it holds no JSON object"))
    return content


def _damaged(path: Path, reason: str) -> str:
    return f"{path} cannot be read ({reason:.200}); write the file again."
