"""How a table was written as text: packed or not, its encoding, and what separates its fields."""

import codecs
import contextlib
import csv
import gzip
import io
import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cellfate.core.errors import InputError

MAX_UNPACKED_BYTES: Final = 2**30
"""A packed table that unpacks to more is refused: about 20 million rows of tracks."""
SEPARATORS: Final = {"\t": "tabs", ";": "semicolons", ",": "commas"}
"""What can separate fields, and its name; of two that fit alike the earlier is taken."""
_SAMPLE_BYTES: Final = 2**20
_SAMPLE_LINES: Final = 50
_CHUNK_BYTES: Final = 2**22
_GZIP: Final = b"\x1f\x8b"
_BOMS: Final = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_PREAMBLE_LINES: Final = 10
_RULE: Final = re.compile(r'[\s"]*={4,}[\s",;]*')
_SAYS_SEPARATOR: Final = re.compile(r'^"?sep=(.)"?$', re.IGNORECASE)


@dataclass(frozen=True)
class Dialect:
    """How a table was written as text.

    Attributes
    ----------
    encoding : str
        Its encoding, by the name that Python has for it.
    separator : str
        What stands between fields.
    n_skipped : int
        Lines before the header: blank ones, and Excel's `sep=;`.
    n_columns : int
        Fields of the header.
    """

    encoding: str
    separator: str
    n_skipped: int
    n_columns: int

    def open_text(self, path: Path) -> io.TextIOWrapper:
        """Open the file as text, from its beginning; line ends stay as they are."""
        errors = "replace" if self.encoding == "cp1252" else "strict"
        return io.TextIOWrapper(_open_bytes(path), encoding=self.encoding, errors=errors, newline="")

    def read_rows(self, path: Path) -> Iterator[tuple[int, list[str]]]:
        """Go through the fields of the lines, from the header on, with the number of the line."""
        with self.open_text(path) as text:
            for _ in range(self.n_skipped):
                text.readline()
            rows = csv.reader(text, delimiter=self.separator, skipinitialspace=True)
            yield from enumerate(rows, start=self.n_skipped + 1)


def tell_dialect(path: Path) -> Dialect:
    """Tell from a file how it was written.

    The separator is the one by which the header has several fields; if that holds for more than one, the one by which
    all first lines have as many fields as the header, and the most of them.

    Raises
    ------
    InputError
        If the file is empty or no text, or is packed and unpacks to more than `MAX_UNPACKED_BYTES`.
    """
    start = _read_start(path)
    encoding = _tell_encoding(path, start)
    sample = codecs.getincrementaldecoder(encoding)("replace").decode(start)
    lines = io.StringIO(sample, newline=None).read().split("\n")
    if len(start) == _SAMPLE_BYTES and len(lines) > 1:
        del lines[-1]
    below = _count_preamble(lines)
    n_skipped = next((number for number, line in enumerate(lines) if number >= below and line.strip(" ,;\t")), None)
    if n_skipped is None:
        raise InputError(f"File {path} is empty, but a table with a header was expected; fill it, or name another.")
    says = _SAYS_SEPARATOR.match(lines[n_skipped].strip())
    n_skipped += says is not None
    text = "\n".join(lines[n_skipped:])
    counts = {separator: _count_fields(text, separator) for separator in SEPARATORS}
    separator = says.group(1) if says and says.group(1) in SEPARATORS else _choose_separator(counts)
    return Dialect(encoding, separator, n_skipped, counts[separator][0])


def _count_preamble(lines: list[str]) -> int:
    """Lines up to one of equals signs, below which Imaris writes the header."""
    ruled = [number for number, line in enumerate(lines[:_PREAMBLE_LINES]) if _RULE.fullmatch(line)]
    return ruled[0] + 1 if ruled else 0


def _open_bytes(path: Path) -> gzip.GzipFile | io.BufferedReader:
    with path.open("rb") as file:
        is_packed = file.read(len(_GZIP)) == _GZIP
    return gzip.open(path) if is_packed else path.open("rb")


def _read_start(path: Path) -> bytes:
    with _open_bytes(path) as file:
        return file.read(_SAMPLE_BYTES)


def _tell_encoding(path: Path, start: bytes) -> str:
    """UTF-8 or UTF-16 where a mark or every byte says so, else Windows-1252. The whole file is gone through once."""
    is_utf8, has_nul = _scan(path)
    for mark, encoding in _BOMS:
        if start.startswith(mark):
            return encoding
    if has_nul:
        return _tell_utf16(path, start)
    return "utf-8" if is_utf8 else "cp1252"


def _tell_utf16(path: Path, start: bytes) -> str:
    """Of text that is mostly ASCII every second byte of UTF-16 is 0."""
    for encoding, high in (("utf-16-le", start[1::2]), ("utf-16-be", start[0::2])):
        if start.count(0) == high.count(0) > 0.5 * len(high):
            return encoding
    raise InputError(f"File {path} is no text, but a table was expected; save it as CSV or .xlsx.")


def _scan(path: Path) -> tuple[bool, bool]:
    """Whether all bytes are UTF-8, and whether one is 0."""
    decoder, is_utf8, has_nul, n_bytes = codecs.getincrementaldecoder("utf-8")(), True, False, 0
    with _open_bytes(path) as file:
        for chunk in itertools.chain(iter(lambda: file.read(_CHUNK_BYTES), b""), [b""]):
            n_bytes += len(chunk)
            if isinstance(file, gzip.GzipFile) and n_bytes > MAX_UNPACKED_BYTES:
                raise InputError(
                    f"File {path} unpacks to more than {MAX_UNPACKED_BYTES / 2**30:.0f} GB, which no table is expected "
                    "to; if it is one, unpack it."
                )
            has_nul = has_nul or 0 in chunk
            try:
                decoder.decode(chunk, final=not chunk)
            except UnicodeDecodeError:
                is_utf8 = False
                decoder.reset()
    return is_utf8, has_nul


def _count_fields(text: str, separator: str) -> list[int]:
    """Fields of the header and the lines after it; an empty last field that the header lacks does not count."""
    rows = csv.reader(io.StringIO(text), delimiter=separator, skipinitialspace=True)
    first: list[list[str]] = []
    with contextlib.suppress(csv.Error):  # of a field that is too long; the lines before it tell enough
        for row in itertools.islice(rows, _SAMPLE_LINES):
            first += [row] if any(field.strip() for field in row) else []
    n_columns = len(first[0]) if first else 1
    return [n_columns if len(row) == n_columns + 1 and not row[-1].strip() else len(row) for row in first] or [1]


def _choose_separator(counts: dict[str, list[int]]) -> str:
    several = [separator for separator in SEPARATORS if counts[separator][0] > 1]
    return max(several, key=lambda one: (len(set(counts[one])) == 1, counts[one][0]), default=",")
