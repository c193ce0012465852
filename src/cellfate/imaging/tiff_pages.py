"""The chain of pages of a TIFF file, walked without decoding: it must end, and all pages be alike."""

import os
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from cellfate.core.errors import InputError
from cellfate.imaging.headers import ADVICE, check_regular, damaged, missing_file

_WIDTH, _HEIGHT, _BITS, _SAMPLES, _FORMAT = 256, 257, 258, 277, 339
_FIELDS = (_WIDTH, _HEIGHT, _BITS, _SAMPLES, _FORMAT)
_INTEGERS = {1: "B", 3: "H", 4: "I", 16: "Q"}
"""Integer types of a tag's value."""
_BYTES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}
"""Bytes of a value of each type."""
_MOST_TAGS = 4096
_KINDS = {1: "unsigned", 2: "signed", 3: "float"}


@dataclass(frozen=True)
class _Flavour:
    """Byte order and field sizes of classic TIFF or BigTIFF."""

    order: str
    count: str
    entry: int
    offset: str

    def number(self, file: BinaryIO, code: str) -> int:
        value: int = struct.unpack(self.order + code, _read(file, struct.calcsize("=" + code)))[0]
        return value


def check_pages(path: Path, whole: bool = True) -> int:
    """Count the pages of a TIFF, and check that their chain is whole and every page of one size and type.

    A file that was cut short, or whose writing was interrupted, has a chain that leads out of the file; readers take
    the pages so far for all there are. Unless `whole`, it may break off after a page.

    Raises
    ------
    InputError
        If the file is missing or no TIFF, the chain leaves the file or runs in a circle, or pages differ.
    """
    check_regular(path)
    try:
        with path.open("rb") as file:
            pages = _walk(file, path.stat().st_size, whole)
    except OSError as error:
        raise missing_file(path, error) from error
    except (ValueError, struct.error) as error:
        raise InputError(damaged(path, error)) from error
    other = next((number for number, page in enumerate(pages) if page != pages[0]), None)
    if other is not None:
        raise InputError(
            f"Page {other} of file {path} is {_describe(pages[other])}, but page 0 is {_describe(pages[0])} and all "
            f"pages must agree; {ADVICE}"
        )
    return len(pages)


def _walk(file: BinaryIO, size: int, whole: bool) -> list[tuple[int, ...]]:
    flavour, offset = _start(file)
    pages: list[tuple[int, ...]] = []
    seen: set[int] = set()
    while offset:
        if offset in seen:
            raise ValueError(f"the chain of pages runs in a circle after page {len(pages) - 1}")
        seen.add(offset)
        try:
            if offset >= size:
                raise ValueError(
                    f"it is cut short: page {len(pages)} should begin {offset - size} bytes behind its end"
                )
            file.seek(offset)
            page, offset = _read_page(file, flavour, len(pages), size)
        except (ValueError, struct.error):
            if whole or not pages:
                raise
            _check_end(file, flavour, offset, seen)
            break
        pages.append(page)
    if not pages:
        raise ValueError("it has no page")
    return pages


def _check_end(file: BinaryIO, flavour: _Flavour, offset: int, seen: set[int]) -> None:
    """Refuse a chain that runs in a circle behind a damaged page: tifffile, which reads on there, would never end."""
    following = offset
    while following:
        try:
            file.seek(following)
            n_tags = flavour.number(file, flavour.count)
            if n_tags > _MOST_TAGS:
                return
            file.seek(n_tags * flavour.entry, os.SEEK_CUR)
            following = flavour.number(file, flavour.offset)
        except ValueError:  # the chain leaves the file
            return
        if following in seen:
            raise ValueError("the chain of pages runs in a circle behind a damaged page")
        seen.add(following)


def _start(file: BinaryIO) -> tuple[_Flavour, int]:
    order = {b"II": "<", b"MM": ">"}.get(file.read(2))
    if order is None:
        raise ValueError("it is no TIFF")
    version = struct.unpack(order + "H", _read(file, 2))[0]
    if version == 43:
        file.seek(8)
        flavour = _Flavour(order, "Q", 20, "Q")
    elif version == 42:
        flavour = _Flavour(order, "H", 12, "I")
    else:
        raise ValueError(f"its version is {version}")
    return flavour, flavour.number(file, flavour.offset)


def _read_page(file: BinaryIO, flavour: _Flavour, number: int, size: int) -> tuple[tuple[int, ...], int]:
    n_tags = flavour.number(file, flavour.count)
    if not 0 < n_tags <= _MOST_TAGS:
        raise ValueError(f"page {number} has {n_tags} tags")
    entries = _read(file, n_tags * flavour.entry)
    following = flavour.number(file, flavour.offset)
    values = dict.fromkeys(_FIELDS, 0)
    for start in range(0, len(entries), flavour.entry):
        tag, kind, count = struct.unpack_from(flavour.order + "HH" + flavour.offset, entries, start)
        value = entries[start + 4 + struct.calcsize("=" + flavour.offset) : start + flavour.entry]
        n_bytes = count * _BYTES.get(kind, 0)
        place = struct.unpack(flavour.order + flavour.offset, value)[0] if n_bytes > len(value) else 0
        if place + n_bytes > size:
            raise ValueError(f"it is cut short: tag {tag} of page {number} lies behind its end")
        if tag in values and kind in _INTEGERS and count:
            values[tag] = _first_value(file, flavour, value, place, _INTEGERS[kind])
    return tuple(values[tag] for tag in _FIELDS), following


def _first_value(file: BinaryIO, flavour: _Flavour, inline: bytes, place: int, code: str) -> int:
    if place:
        file.seek(place)
        inline = _read(file, struct.calcsize("=" + code))
    value: int = struct.unpack_from(flavour.order + code, inline)[0]
    return value


def _read(file: BinaryIO, n_bytes: int) -> bytes:
    content = file.read(n_bytes)
    if len(content) < n_bytes:
        raise ValueError(f"it is cut short: its pages go on behind byte {file.seek(0, os.SEEK_END)}")
    return content


def _describe(page: tuple[int, ...]) -> str:
    width, height, bits, samples, kind = page
    return f"{width} x {height} px of {bits} bits, {_KINDS.get(kind, 'unsigned')}, {samples or 1} sample(s)"
